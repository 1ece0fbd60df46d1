"""The boxes above a heading, in words (page spec §8)."""

from __future__ import annotations

from collections.abc import Callable

from flask_babel import gettext, ngettext

from idp.journeys.record import Notice
from idp.web.texts import Values, error_text


def text(notice: Notice) -> str:
    """What the box says. Raises KeyError for a key without words."""
    return TEXTS[notice.key](notice.values)


def done(said: str) -> str:
    """The box about what was done. Raises KeyError for a key without words."""
    return DONE[said]()


DONE: dict[str, Callable[[], str]] = {
    "consent-withdrawn": lambda: gettext("The access is withdrawn."),
    "preferences-saved": lambda: gettext("Your choices are saved."),
    "device-forgotten": lambda: gettext("The device is no longer remembered."),
    "owner-proved": lambda: gettext("It is confirmed that it is you. You can download now."),
    "signed-out-one": lambda: gettext("That device is signed out."),
    "signed-out-others": lambda: gettext("All other devices are signed out."),
    "passkey-made": lambda: gettext('Your passkey is created. Next time you can choose "Sign in with a passkey".'),
    "passkey-not-made": lambda: gettext("No passkey was created. Try again now, or later under Security."),
    "passkey-renamed": lambda: gettext("The passkey has a new name."),
    "passkey-removed": lambda: gettext(
        "The passkey is removed here. Delete it in the password store of your device, too."
    ),
    "only-second-step": lambda: gettext(
        "Nothing was removed: this passkey is the only second step that your account has."
    ),
    "password-changed": lambda: gettext("Your password is changed."),
    "email-changed": lambda: gettext("Your email address is changed. Sign in with the new one from now on."),
    "phone-changed": lambda: gettext("Your phone number is changed."),
    "phone-removed": lambda: gettext("Your phone number is removed."),
    "email-restored": lambda: gettext("The change of email address is undone."),
    "phone-restored": lambda: gettext("The change of phone number is undone."),
    "app-added": lambda: gettext("Your authenticator app is set up."),
    "app-removed": lambda: gettext("Your authenticator app is removed."),
    "app-kept": lambda: gettext("Nothing was removed: it is your only extra security step."),
    "recovery-codes-made": lambda: gettext("Your new recovery codes are ready. The old ones no longer work."),
}

TEXTS: dict[str, Callable[[Values], str]] = {
    "address-verified": lambda _: gettext("Your email address is confirmed. You can now continue."),
    "new-code": lambda _: gettext("We have sent a new code. Use the newest one."),
    "too-soon": lambda values: ngettext(
        "You can ask for a new code in %(num)d second. The previous one still works.",
        "You can ask for a new code in %(num)d seconds. The previous one still works.",
        int(values["n"]),
    ),
    "codes-left": lambda values: ngettext(
        "You have %(num)d recovery code left.", "You have %(num)d recovery codes left.", int(values["n"])
    ),
    "recheck": lambda _: gettext("Sign in again to confirm that it is you."),
    "eid-pending": lambda _: gettext("We have not heard from the app yet. Wait a moment, and press again."),
    "stale": lambda _: gettext("The page had been open for a long time. Press once more."),
    "once-more": lambda _: gettext("That was quick. Press once more."),
    "way-switched-off": lambda _: gettext(
        "A wrong code has been typed too many times. This way cannot be used to sign in until you set it up anew."
    ),
    "switched-off": lambda _: gettext(
        "A wrong code has been typed too many times. This phone cannot be used to sign in any more."
    ),
    "E-SMS-FAILED": lambda values: error_text("E-SMS-FAILED", values),
    "E-CALL-FAILED": lambda values: error_text("E-CALL-FAILED", values),
}
