"""Migrations make the tables the code has, on both databases, whoever runs them and how often."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import inspect

from idp.services import keys
from idp.stores.durable import schema
from idp.stores.durable.db import db
from tests.administration import Shell


@pytest.fixture
def shell(stores: tuple[str, str], tmp_path: Path) -> Shell:
    """A settings file for either pair of stores, and nothing set up."""
    database, shortlived = stores
    text = f'[server]\nissuer = "http://localhost:8000"\n[mail]\nsecurity = "none"\n[database]\nurl = "{database}"\n'
    (tmp_path / "config.toml").write_text(text + f'[shortlived]\nurl = "{shortlived}"\n')
    return Shell(tmp_path)


def test_the_tables_are_those_of_the_code(shell: Shell) -> None:
    assert shell.run("setup").exit_code == 0
    with shell.stores():
        assert schema.differences() == []
        assert schema.current() == schema.newest()


def test_two_set_ups_at_once_make_one_of_everything(shell: Shell) -> None:
    """SR-100: on either database, two processes never make two first keys."""
    running = [shell.start("setup", "--json") for _ in range(3)]
    made = []
    for process in running:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        made += json.loads(output)["new_keys"]
    assert len(made) == 2
    with shell.stores():
        assert {key.algorithm for key in keys.everyone()} == {"ES256", "RS256"}
    assert shell.run("check").exit_code == 0


def test_at_most_one_key_of_an_algorithm_is_active(shell: Shell) -> None:
    assert shell.run("setup").exit_code == 0
    with shell.stores():
        indexes = {index["name"]: index for index in inspect(db.engine).get_indexes("signing_keys")}
    assert indexes["ix_signing_keys_one_active"]["unique"]
