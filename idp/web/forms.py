"""What a form sent, tidied: single values, bounded, without NUL (SR-73, SR-90)."""

from __future__ import annotations

from flask import Request
from flask_babel import gettext

from idp.services.windows import Origin, origin_of

LONGEST = 4096
"""Characters of one field; more than any person types."""

LONGEST_CREDENTIAL = 16384
"""Characters of what a passkey ceremony came to: a maker's statement has certificates."""

DEVICES = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "Chromebook"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)
BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)


class OddForm(ValueError):
    """A field came twice, too long, or with characters that no keyboard makes: 400."""


def typed(request: Request) -> dict[str, str]:
    """The fields of a form, each once. Raises `OddForm`."""
    fields: dict[str, str] = {}
    for name, values in request.form.lists():
        if name == "scope":
            fields[name] = " ".join(values)
            continue
        if len(values) != 1 or len(values[0]) > _longest(name) or "\x00" in values[0] or "\ufffd" in values[0]:
            raise OddForm(name)
        fields[name] = values[0]
    return fields


def _longest(name: str) -> int:
    return LONGEST_CREDENTIAL if name == "credential" else LONGEST


def device(request: Request) -> str:
    """The device in plain words, from its User-Agent: "Chrome on Windows"; empty when it says nothing known."""
    agent = request.user_agent.string
    browser = next((words for mark, words in BROWSERS if mark in agent), "")
    system = next((words for mark, words in DEVICES if mark in agent), "")
    if browser and system:
        return gettext("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system


def origin(request: Request) -> Origin:
    """Where the request came from, as far as limits are concerned (SR-26, SR-27)."""
    return origin_of(request.remote_addr or "")
