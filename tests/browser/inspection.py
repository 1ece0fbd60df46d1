"""What must hold on every page and in every state of it (page spec §14, A1, A13, A40, A41)."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import axe_playwright_python
from playwright.sync_api import Page, Response, ViewportSize

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NARROW: ViewportSize = {"width": 320, "height": 640}
KILOBYTE = 1024
MOST_HTML = 6 * KILOBYTE
MOST_HTML_WITH_COUNTRIES = 8 * KILOBYTE
MOST_OF = {"stylesheet": 6 * KILOBYTE, "script": 4 * KILOBYTE, "image": 6 * KILOBYTE}
FIRST_VISIT = 20 * KILOBYTE
REQUESTS_OF_FIRST_VISIT = 6


@dataclass
class Inspector:
    """Watches one window: every request, every complaint, and the page itself when asked to look."""

    page: Page
    origins: set[str]
    problems: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    weights: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self._stays(request.url))
        self.page.on("response", self._weighs)
        self.page.on("console", lambda message: self._listens(message.type, message.text))
        self.page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))

    def looks(self, what: str) -> None:
        """Inspect the page in front: axe, its width on a small screen, what it keeps. tests/pages sees the dark."""
        self.seen.append(what)
        self._run_axe(what)
        wide = self.page.viewport_size
        self.page.set_viewport_size(NARROW)
        overflow = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if overflow > 0:
            self.problems.append(f"{what}: {overflow} px of sideways scroll at 320 px")
        if wide:
            self.page.set_viewport_size(wide)
        stored = self.page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length")
        if stored:
            self.problems.append(f"{what}: something is kept in the browser's storage")

    def _run_axe(self, where: str) -> None:
        if not self.page.evaluate("typeof window.axe === 'object'"):
            self.page.evaluate(_axe())
        found: dict[str, Any] = self.page.evaluate(
            "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})",
            RULES,
        )
        for fault in found["violations"]:
            places = "; ".join(node["html"][:120] for node in fault["nodes"][:3])
            self.problems.append(f"{where}: {fault['id']}: {fault['help']}: {places}")

    def _stays(self, url: str) -> None:
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" not in self.origins:
            self.problems.append(f"a request left: {url}")

    def _listens(self, kind: str, text: str) -> None:
        expected = "Failed to load resource: the server responded with a status of 4"  # a rejected form is a 4xx page
        if kind in ("error", "warning") and not text.startswith(expected):
            self.problems.append(f"console {kind}: {text}")

    def _weighs(self, response: Response) -> None:
        """Compare what goes over the wire, compressed, with the budget of its kind."""
        kind = response.request.resource_type
        if (not response.ok and response.status not in (422, 429)) or kind not in (*MOST_OF, "document"):
            return
        path = urlsplit(response.url).path
        weight = len(gzip.compress(response.body()))
        self.weights[path] = weight
        limit = MOST_OF.get(kind) or (MOST_HTML_WITH_COUNTRIES if path.endswith("/phone") else MOST_HTML)
        if weight > limit:
            self.problems.append(f"{path}: {weight} bytes of {kind}, at most {limit}")


@cache
def _axe() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
