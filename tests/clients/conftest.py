"""One provider for all the client libraries, and a new person for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.running import Browser, Running, running
from tests.people import Outside


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory, outside: Outside) -> Iterator[Running]:
    """A provider on a port of its own, for as long as these tests run."""
    with running(tmp_path_factory.mktemp("provider"), outside) as started:
        yield started


@pytest.fixture
def kari(provider: Running) -> Iterator[Browser]:
    """A person without an account, at a fresh browser."""
    browser = Browser(provider)
    yield browser
    browser.close()
