"""Pages in languages yet to come: forty per cent longer, and from right to left (page spec §2.4, §3.2; check A18)."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from playwright.sync_api import Browser
from werkzeug.serving import make_server

from idp.translations.__main__ import extracted
from tests.pages.samples import SAMPLES, application

VARIABLE = re.compile(r"(%\(\w+\)[sd]|\{\w+\})")
ACCENTS = str.maketrans("aeiounsAEIOUS", "äéîöüñšÀÉÎÕÜŠ")


def longer(text: str) -> str:
    """Accented, and forty per cent longer."""
    parts = VARIABLE.split(text)
    accented = "".join(part if VARIABLE.match(part) else part.translate(ACCENTS) for part in parts)
    return f"{accented} {'lõngér ' * max(1, round(len(text) * 0.4 / 7))}".strip()


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The pages in a Finnish that is only long, and an Arabic that is only from right to left."""
    folder = tmp_path_factory.mktemp("translations")
    for language in ("fi", "ar"):
        _write(folder, language)
    app = application(BABEL_TRANSLATION_DIRECTORIES=str(folder), languages=("fi", "ar"), default_language="fi")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _write(folder: Path, language: str) -> None:
    catalog = Catalog(locale=language)
    for message in extracted():
        ids = message.id if isinstance(message.id, tuple) else (str(message.id),)
        texts = [longer(text) if language == "fi" else text for text in ids]
        string = (texts[0], *[texts[-1]] * (catalog.num_plurals - 1)) if message.pluralizable else texts[0]
        if message.id:
            catalog.add(message.id, string)
    path = folder / language / "LC_MESSAGES" / "messages.mo"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_mo(file, catalog)


@pytest.mark.parametrize("language", ["fi", "ar"])
def test_nothing_scrolls_sideways_in_any_language(chromium: Browser, foreign: str, language: str) -> None:
    context = chromium.new_context(locale=language, viewport={"width": 320, "height": 500})
    context.route("https://portal.example/out", lambda route: route.fulfill(status=204))  # who goes on, stays
    page = context.new_page()
    wide = []
    # Long words can be in any state of a page. From right to left one state of each page is enough.
    samples = SAMPLES if language == "fi" else {sample.page: sample for sample in SAMPLES}.values()
    for sample in samples:
        page.goto(f"{foreign}/show/{sample.name}")
        page.evaluate("() => document.querySelectorAll('details').forEach(element => element.open = true)")
        if page.evaluate("() => document.documentElement.scrollWidth") > 320:
            wide.append(sample.name)
    assert page.evaluate("() => document.documentElement.dir") == ("rtl" if language == "ar" else "ltr")
    context.close()
    assert not wide


def test_the_page_is_mirrored_but_addresses_and_codes_are_not(chromium: Browser, foreign: str) -> None:
    context = chromium.new_context(locale="ar", viewport={"width": 800, "height": 700})
    page = context.new_page()
    page.goto(f"{foreign}/show/email-code-short")
    assert page.locator(".field").evaluate("one => getComputedStyle(one).borderRightWidth") == "5px"
    name, chooser = page.locator(".name").bounding_box(), page.locator(".languages").bounding_box()
    assert name is not None
    assert chooser is not None
    assert name["x"] > chooser["x"]
    for selector in ("#code", ".exact"):
        assert page.locator(selector).first.evaluate("one => getComputedStyle(one).direction") == "ltr"
    context.close()
