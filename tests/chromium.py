"""One real browser for all tests of a process: Playwright's synchronous interface cannot be started twice."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

SWITCHES = [
    "--no-sandbox",  # root, as in a container, has none to give
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The same engine; the first has no window to keep, and needs a quarter less of the processor."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium, without a window. Without it these tests are skipped; where CI says so they fail."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        assert not os.environ.get("CI"), "chromium must be there where everything is proved"
        pytest.skip("chromium is not installed; .ci/run installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=SWITCHES)
        yield browser
        browser.close()
