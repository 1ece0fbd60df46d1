"""The boxes above a heading, in words (page spec §8)."""

from __future__ import annotations

from flask_babel import gettext, ngettext

from idp.journeys.record import Notice
from idp.web.texts import error_text


def text(notice: Notice) -> str:
    """What the box says."""
    match notice.key:
        case "address-verified":
            return gettext("Your email address is confirmed. You can now continue.")
        case "new-code":
            return gettext("We have sent a new code. Use the newest one.")
        case "too-soon":
            seconds = int(notice.values["n"])
            return ngettext(
                "You can ask for a new code in %(num)d second. The previous one still works.",
                "You can ask for a new code in %(num)d seconds. The previous one still works.",
                seconds,
            )
        case "recheck":
            return gettext("Sign in again to confirm that it is you.")
        case "stale":
            return gettext("The page had been open for a long time. Press once more.")
        case "E-SMS-FAILED" | "E-CALL-FAILED":
            return error_text(notice.key)
        case _:
            raise KeyError(notice.key)
