"""`idp setup`, `idp db` and `idp check`: from an empty folder to a provider that may start."""

from __future__ import annotations

import json
import sqlite3
import stat
from pathlib import Path

import pytest

from idp.services import keys
from idp.stores.durable import schema
from tests.administration import Shell, bare_shell, set_up, shell

__all__ = ["bare_shell", "set_up", "shell"]


def test_set_up_makes_everything_and_then_nothing_is_wrong(bare_shell: Shell) -> None:
    first = bare_shell.json("setup")
    assert [key.partition(" ")[0] for key in first["new_keys"]] == ["ES256", "RS256"]

    checked = bare_shell.run("check")
    assert (checked.exit_code, checked.stdout) == (0, f"{bare_shell.path}: all is well.\n")
    assert bare_shell.json("check") == {"problems": []}


def test_set_up_twice_changes_nothing(shell: Shell) -> None:
    secrets = {path.name: path.read_bytes() for path in (shell.folder / "keys").iterdir()}
    assert shell.json("setup")["new_keys"] == []
    assert {path.name: path.read_bytes() for path in (shell.folder / "keys").iterdir()} == secrets


def test_set_up_twice_at_once_makes_one_of_everything(bare_shell: Shell) -> None:
    """SR-100: two processes never make two first keys."""
    running = [bare_shell.start("setup") for _ in range(3)]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    with bare_shell.stores():
        assert [key.algorithm for key in keys.everyone()] == ["ES256", "RS256"]
    assert bare_shell.run("check").exit_code == 0


def test_root_secrets_are_for_their_owner_only(shell: Shell) -> None:
    for path in (shell.folder / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600  # SR-100


def test_check_says_what_is_missing_before_set_up(bare_shell: Shell) -> None:
    found = bare_shell.run("check")
    assert found.exit_code == 1
    assert "secrets.directory" in found.stdout
    assert "`idp setup` makes it" in found.stdout


def test_check_finds_a_database_without_tables(shell: Shell) -> None:
    (shell.folder / "var" / "idp.sqlite").unlink()
    for left in (shell.folder / "var").glob("idp.sqlite-*"):
        left.unlink()
    assert "has no tables yet" in shell.run("check").stdout


def test_check_finds_a_pending_migration(shell: Shell) -> None:
    """SR-115."""
    database = sqlite3.connect(shell.folder / "var" / "idp.sqlite")
    database.execute("update alembic_version set version_num = '0000'")
    database.commit()
    database.close()
    found = shell.run("check", "--json")

    assert found.exit_code == 1
    [problem] = json.loads(found.stdout)["problems"]
    assert "this release needs" in problem["words"]


def test_a_database_of_the_next_release_is_served_while_that_is_rolled_out(shell: Shell) -> None:
    database = sqlite3.connect(shell.folder / "var" / "idp.sqlite")
    database.execute("update alembic_version set version_num = '9999'")
    database.commit()
    database.close()

    assert shell.run("check").exit_code == 0
    assert shell.json("db", "upgrade") == {"before": "9999", "after": "9999"}


def test_check_finds_a_provider_without_keys(shell: Shell) -> None:
    """SR-115."""
    database = sqlite3.connect(shell.folder / "var" / "idp.sqlite")
    database.execute("delete from signing_keys")
    database.commit()
    database.close()
    assert "no signing key" in shell.run("check").stdout


def test_check_finds_a_database_that_does_not_answer(shell: Shell) -> None:
    secret = "correct-horse"
    text = shell.path.read_text() + f'[database]\nurl = "postgresql+psycopg://idp:{secret}@127.0.0.1:1/idp"\n'
    shell.path.write_text(text)
    found = shell.run("check")

    assert found.exit_code == 1
    assert "127.0.0.1:1/idp does not answer" in found.stdout
    assert secret not in found.output  # SR-120


def test_a_broken_root_secret_ends_a_command_with_words(shell: Shell) -> None:
    (shell.folder / "keys" / "encryption.key").write_text("nonsense\n")
    found = shell.start("key", "list")
    _, errors = found.communicate(timeout=60)

    assert found.returncode == 1
    assert "encryption.key" in errors
    assert "Traceback" not in errors


def test_a_command_without_settings_says_how_to_begin(tmp_path: Path) -> None:
    found = Shell(tmp_path).start("check")
    _, errors = found.communicate(timeout=60)

    assert found.returncode == 1
    assert "config.toml: No such file or directory; `idp config example` prints one" in errors


def test_serve_refuses_what_check_finds(bare_shell: Shell) -> None:
    """SR-115."""
    found = bare_shell.start("serve")
    _, errors = found.communicate(timeout=60)

    assert found.returncode == 1
    assert "secrets.directory" in errors
    assert "Not started." in errors


def test_the_database_stands_where_this_release_needs_it(shell: Shell) -> None:
    where = shell.json("db", "current")
    assert where["current"] == where["needed"] is not None
    assert shell.json("db", "upgrade") == {"before": where["needed"], "after": where["needed"]}


def test_migrations_make_the_tables_that_the_code_has(shell: Shell) -> None:
    with shell.stores():
        assert schema.differences() == []


def test_nobody_set_up_is_an_administrator_or_an_account(shell: Shell) -> None:
    """SR-115: no default accounts."""
    database = sqlite3.connect(shell.folder / "var" / "idp.sqlite")
    assert database.execute("select count(*) from accounts").fetchone() == (0,)
    assert database.execute("select count(*) from clients").fetchone() == (0,)
    database.close()


@pytest.mark.parametrize("arguments", [["nothing"], ["check", "--nothing"], ["key", "add"], ["client", "show"]])
def test_wrong_use_has_an_exit_code_of_its_own(bare_shell: Shell, arguments: list[str]) -> None:
    process = bare_shell.start(*arguments)
    process.communicate(timeout=60)
    assert process.returncode == 2
