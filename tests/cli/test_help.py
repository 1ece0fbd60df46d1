"""Every command explains itself, prints JSON, and never takes a secret (SR-116)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from idp.cli import COMMANDS, main


def commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(main)
    for name in COMMANDS:
        found = main.get_command(context, name)
        assert found is not None
        yield from below(name, found)


def below(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            yield from below(f"{path} {name}", one)
    else:
        yield path, command


EVERY = dict(commands())


@pytest.mark.parametrize("path", EVERY)
def test_help_has_a_sentence_and_an_example(path: str) -> None:
    result = CliRunner().invoke(main, [*path.split(), "--help"])

    assert result.exit_code == 0, result.output
    assert "Example" in result.output
    assert f"idp {path}".split()[-1] in result.output.partition("Example")[2]
    assert EVERY[path].help


@pytest.mark.parametrize("path", EVERY)
def test_every_command_can_print_json(path: str) -> None:
    assert any("--json" in option.opts for option in EVERY[path].params)


@pytest.mark.parametrize("path", EVERY)
def test_no_command_takes_a_secret_as_an_argument(path: str) -> None:
    """SR-116."""
    for option in EVERY[path].params:
        name = option.name or ""
        assert not re.search(r"secret|password|passphrase|pin$", name), name


def test_the_list_of_commands_says_what_each_is_for() -> None:
    result = CliRunner().invoke(main, ["--help"])
    for name, place in COMMANDS.items():
        assert f"{name} " in result.stdout
        assert place.words in result.stdout


def test_help_loads_nothing_heavy() -> None:
    """A start is quick: neither the database nor the web framework is loaded for `idp --help`."""
    heavy = {"alembic", "cryptography", "flask", "msgspec", "sqlalchemy"}
    code = f"import sys, idp.cli; print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
