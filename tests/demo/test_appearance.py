"""The portal and the inbox in a real browser: axe, small screens, dark and light, and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Request

from relying_party_demo.outside.app import create_app as create_outside
from relying_party_demo.outside.faults import Faults
from relying_party_demo.outside.inbox import Inbox
from tests.demo.world import SUBSTANTIAL, PortalVisitor, serving

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS: tuple[tuple[Literal["light", "dark"], int], ...] = (("light", 320), ("dark", 1000))


def test_the_portal_is_for_everybody(portal: PortalVisitor, chromium: Browser) -> None:
    front = str(portal.http.base_url)
    assert_for_everybody(chromium, [front], {})

    portal.signs_in()
    portal.page()
    portal.returns(portal.leaves("/confirm", here="/"), grant=False, code=None, error="access_denied")
    paths = ("/", "/profile", "/nowhere")
    assert_for_everybody(chromium, [front + path for path in paths], dict(portal.http.cookies))

    portal.http.cookies.clear()
    proved: dict[str, Any] = {"acr": SUBSTANTIAL}
    portal.signs_in(access=proved, **proved)
    paths = ("/", "/payslips/fv1001-2026-06?language=en", "/payslips/none")
    assert_for_everybody(chromium, [front + path for path in paths], dict(portal.http.cookies))


def test_the_inbox_is_for_everybody(tmp_path: Path, chromium: Browser) -> None:
    inbox = Inbox(tmp_path / "inbox.sqlite")
    long_address = "kari." + "x" * 60 + "@example.org"
    inbox.deliver("email", long_address, "Hei!\n\nKoden er 420719.", subject="420719 er koden din", html="<p>x</p>")
    inbox.deliver("sms", "+4740612345", "420719 er koden din.", language="nb", sender_id="1")
    with serving(create_outside(inbox, Faults())) as url:
        assert_for_everybody(chromium, [url, f"{url}/?to=nobody"], {})


def assert_for_everybody(chromium: Browser, urls: Sequence[str], cookies: dict[str, str]) -> None:
    """Nothing for axe to say, no sideways scroll, no request to anybody else, in every look."""
    origin = "/".join(urls[0].split("/")[:3])
    for scheme, width in LOOKS:
        context = chromium.new_context(
            color_scheme=scheme,
            viewport={"width": width, "height": 700},
            bypass_csp=True,  # for axe alone: the pages have no script
        )
        context.add_cookies([{"name": name, "value": value, "url": origin} for name, value in cookies.items()])
        page = context.new_page()
        asked: list[Request] = []
        page.on("request", lambda request: asked.append(request))  # noqa: B023, PLW0108  # Playwright wants a function
        for url in urls:
            page.goto(url)
            found = Axe().run(page, options={"runOnly": TAGS}).response
            assert found["violations"] == found["incomplete"] == [], (url, scheme, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (url, scheme)
        assert all(request.url.startswith(origin) for request in asked)
        context.close()
