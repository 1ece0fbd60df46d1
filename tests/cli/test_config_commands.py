"""`idp config`: what it prints is what is in the repository, and what it prints can be read back."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from idp import configuration
from idp.cli.configuration import example_file, manual_page
from idp.cli.wording import words_of
from idp.settings import Section, Settings
from tests.administration import ROOT, Shell, bare_shell

__all__ = ["bare_shell"]


def test_the_example_file_is_current() -> None:
    assert (ROOT / "config.example.toml").read_text() == example_file(), "idp config example > config.example.toml"


def test_the_manual_is_current() -> None:
    assert (ROOT / "docs" / "config.md").read_text() == manual_page(), "idp config manual > docs/config.md"


def test_the_example_is_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(example_file())
    bare = tmp_path / "bare.toml"
    bare.write_text('[server]\nissuer = "https://login.example.com"\n')

    assert configuration.read(path, {}) == configuration.read(bare, {})


@pytest.mark.parametrize("section", configuration.sections().values(), ids=lambda section: section.__name__)
def test_every_key_has_its_meaning_and_every_duration_its_unit(section: type[Section]) -> None:
    meanings = words_of(section)
    for field in msgspec.structs.fields(section):
        assert meanings[field.name].endswith((".", ")")), field.name


def test_show_prints_what_is_in_force(bare_shell: Shell) -> None:
    result = bare_shell.run("config", "show", environ={"IDP_CODES_TRIES": "2"})
    assert "codes.tries = 2" in result.stdout
    assert set(bare_shell.json("config", "show")) == set(Settings.__struct_fields__)
