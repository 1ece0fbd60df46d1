"""Fixtures that every test may ask for: the two pairs of stores, a clock that moves, people."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import certifi
import psycopg
import pytest
import redis
from flask import Flask
from jinja2 import FileSystemBytecodeCache

from idp import clock as idp_clock
from tests.chromium import chromium
from tests.people import outside, provider
from tests.receivers import certificate
from tests.servers import postgresql, redis_server

__all__ = ["chromium", "outside", "provider"]

Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": FileSystemBytecodeCache()}
"""Each test has an application of its own; compiling the pages anew for each would take most of the time."""

for name in [name for name in os.environ if name.startswith("IDP_")]:
    del os.environ[name]  # settings of whoever runs the tests: no provider in them is to hear of any


def pytest_configure(config: pytest.Config) -> None:
    """Trust none of the wide world's roots: no test speaks with it, and reading them takes longer than most tests."""
    folder, patched = TemporaryDirectory(prefix="idp-roots-", ignore_cleanup_errors=True), pytest.MonkeyPatch()
    config.add_cleanup(folder.cleanup)
    config.add_cleanup(patched.undo)
    roots, _ = certificate(Path(folder.name), "nobody.invalid")
    patched.setenv("SSL_CERT_FILE", str(roots))
    patched.setattr(certifi, "where", lambda: str(roots))  # httpx and requests bring roots of their own


@dataclass
class Servers:
    """PostgreSQL and Redis, started when the first test asks for them."""

    folder: Path
    stack: ExitStack = field(default_factory=ExitStack)
    started: tuple[str, str] | None = None

    def urls(self) -> tuple[str, str]:
        """The URLs of both servers."""
        if self.started is None:
            self.started = (
                self.stack.enter_context(postgresql(self.folder)),
                self.stack.enter_context(redis_server(self.folder)),
            )
        return self.started


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The servers of this test process, in a folder that no other run of the tests tidies away."""
    with TemporaryDirectory(prefix="idp-servers-", ignore_cleanup_errors=True) as folder:
        made = Servers(Path(folder))
        with made.stack:
            yield made


@pytest.fixture(params=["embedded", "scale"])
def stores(request: pytest.FixtureRequest, tmp_path: Path, servers: Servers) -> Iterator[tuple[str, str]]:
    """URLs of an empty durable and an empty short-lived store: SQLite twice, or PostgreSQL and Redis."""
    if request.param == "embedded":
        yield f"sqlite:///{tmp_path}/idp.sqlite", f"sqlite:///{tmp_path}/shortlived.sqlite"
        return
    database_url, redis_url = servers.urls()
    name = f"idp_{secrets.token_hex(6)}"
    with psycopg.connect(f"{database_url}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    yield f"{database_url.replace('postgresql', 'postgresql+psycopg')}/{name}", redis_url
    with psycopg.connect(f"{database_url}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass
class Clock:
    """The provider's clock: it goes on, and it can be set forward or back."""

    offset: timedelta = timedelta(0)

    def now(self) -> datetime:
        """The instant the provider believes it is."""
        return datetime.now(UTC) + self.offset

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass; negative ones step back."""
        self.offset += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Iterator[Clock]:
    """A clock to move."""
    moved = Clock()
    idp_clock.use(moved.now)
    yield moved
    idp_clock.use(None)
