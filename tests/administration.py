"""An administrator at a shell: a folder with a settings file, and the command line run in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from idp import clock, configuration
from idp.cli import main
from idp.foundation import open_durable
from idp.settings import Settings
from idp.stores.durable.db import db

ROOT = Path(__file__).parent.parent


@dataclass
class Shell:
    """A folder with config.toml; `run` runs `idp` in this process, `start` in one of its own."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "config.toml"

    def run(self, *arguments: str, given: str | None = None, environ: dict[str, str] | None = None) -> Result:
        runner = CliRunner(env=environ or {})
        return runner.invoke(main, ["--config", str(self.path), *arguments], input=given)

    def json(self, *arguments: str, given: str | None = None) -> Any:
        result = self.run(*arguments, "--json", given=given)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return self._process("-m", "idp", "--config", str(self.path), *arguments)

    def python(self, code: str) -> subprocess.Popen[str]:
        return self._process("-c", code)

    def _process(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "IDP_CONFIG": str(self.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def settings(self) -> Settings:
        return configuration.read(self.path, {})

    def application(self) -> Flask:
        return open_durable(self.settings())

    @contextmanager
    def stores(self) -> Iterator[None]:
        with self.application().app_context():
            yield
            db.engine.dispose()


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def passes(self, **time: float) -> None:
        self.at += timedelta(**time)


def _begun(folder: Path) -> Shell:
    (folder / "config.toml").write_text(
        '[server]\nissuer = "http://localhost:8000"\n[mail]\nhost = "localhost"\nsecurity = "none"\n'
    )
    return Shell(folder)


@pytest.fixture
def bare_shell(tmp_path: Path) -> Shell:
    """A settings file on loopback, and nothing set up."""
    return _begun(tmp_path)


@pytest.fixture(scope="module")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after `idp setup`, made once: RSA keys take their time."""
    shell = _begun(tmp_path_factory.mktemp("set-up"))
    result = shell.run("setup")
    assert result.exit_code == 0, result.output
    return shell.folder


@pytest.fixture
def shell(set_up: Path, tmp_path: Path) -> Shell:
    """A settings file on loopback, and everything set up."""
    shutil.copytree(set_up, tmp_path, dirs_exist_ok=True)
    return Shell(tmp_path)


@pytest.fixture
def the_clock() -> Iterator[Clock]:
    moved = Clock()
    clock.use(moved)
    yield moved
    clock.use(None)
