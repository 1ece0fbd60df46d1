"""What the waiting page of an eID shows: the QR code as a drawing, and how it goes, in words."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import segno
from flask_babel import gettext
from markupsafe import Markup

HINTS: dict[str, Callable[[], str]] = {
    "start-app": lambda: gettext("Open the app and scan the code."),
    "open-app": lambda: gettext("Open the app with the button, and come back here when it says so."),
    "searching": lambda: gettext("The app is looking for your eID. This can take a moment."),
    "enter-code": lambda: gettext("Enter your code in the app."),
    "read-document": lambda: gettext("Follow the app, and read your passport or identity card."),
    "in-progress": lambda: gettext("Waiting for the app."),
}
"""What connectors say of an attempt under way."""


def hint(key: str) -> str:
    """How it goes. A key without words of its own is "waiting": providers add new ones."""
    return HINTS.get(key, HINTS["in-progress"])()


def drawn(content: str | None) -> Markup:
    """The QR code as an SVG of its own colours: a reader wants dark on light, whatever the page's theme is.

    Empty where there is no code to show.
    """
    if not content:
        return Markup()
    out = BytesIO()
    code = segno.make_qr(content, error="l", boost_error=False)
    code.save(out, kind="svg", xmldecl=False, border=4, light="#fff", dark="#000", omitsize=True)
    return Markup(out.getvalue().decode())  # noqa: S704 - drawn here, of nothing but squares
