"""A real browser, and the demo that it visits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.world import Newcomer, World, demo


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The demo, started once for all these tests."""
    with demo(tmp_path_factory.mktemp("demo")) as started:
        yield started


Opens = Callable[..., Page]


@pytest.fixture
def opens(chromium: Browser) -> Iterator[Opens]:
    """Open a window as somebody's browser is set up: language, script or none, size, light or dark."""
    contexts: list[BrowserContext] = []

    def window(language: str = "nb-NO", **options: Any) -> Page:
        context = chromium.new_context(locale=language, **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        return context.new_page()

    yield window
    for context in contexts:
        context.close()


@pytest.fixture
def kari(world: World) -> Newcomer:
    """Somebody who has never been here."""
    return Newcomer(world)
