"""The error catalogue: what a rejected field says (page spec §9.2), by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask_babel import gettext, ngettext

from idp.web import countries, locale

Values = Mapping[str, str | int]

NOWHERE = ("", "ZZ", "001")
"""What stands for a number of no country."""


def error_text(key: str, values: Values | None = None) -> str:
    """The message in the language of the page. Raises KeyError for a key that is not in the catalogue."""
    return TEXTS[key](values or {})


def _number(values: Values) -> int:
    return int(values["n"])


def _country(values: Values) -> str:
    code = str(values.get("country", ""))
    return gettext("that country") if code in NOWHERE else countries.name(code, locale.current())


TEXTS: dict[str, Callable[[Values], str]] = {
    "E-EMAIL-EMPTY": lambda _: gettext("Enter your email address."),
    "E-EMAIL-AT": lambda _: gettext("The email address has no @ sign."),
    "E-EMAIL-BEFORE": lambda _: gettext(
        "The email address is missing the part before the @ sign, for example name@example.com."
    ),
    "E-EMAIL-AFTER": lambda _: gettext(
        "The email address is missing the part after the @ sign, for example name@example.com."
    ),
    "E-EMAIL-SPACE": lambda _: gettext("The email address cannot contain spaces."),
    "E-EMAIL-CHARS": lambda _: gettext("The email address has characters that cannot be used. Check the spelling."),
    "E-EMAIL-LONG": lambda _: gettext("The email address can have 254 characters at most."),
    "E-EMAIL-SAME": lambda _: gettext("That is the email address you already have. Enter another."),
    "E-PW-EMPTY": lambda _: gettext("Enter your password."),
    "E-LOGIN": lambda _: gettext("The email address or the password is not right. Check both and try again."),
    "E-WAIT": lambda values: ngettext(
        "You need to wait %(num)d minute before trying again.",
        "You need to wait %(num)d minutes before trying again.",
        _number(values),
    ),
    "E-CODE-EMPTY": lambda _: gettext("Enter the 6-digit code."),
    "E-CODE-DIGITS": lambda _: gettext("The code has digits only. You have typed other characters."),
    "E-CODE-SHORT": lambda values: gettext("The code has 6 digits. You have typed %(count)d.", count=_number(values)),
    "E-CODE-LONG": lambda values: gettext("The code has 6 digits. You have typed %(count)d.", count=_number(values)),
    "E-CODE-WRONG": lambda values: ngettext(
        "That code is not right. Use the newest message. You have %(num)d try left.",
        "That code is not right. Use the newest message. You have %(num)d tries left.",
        _number(values),
    ),
    "E-CODE-EXPIRED": lambda _: gettext("The code has run out. Ask for a new one."),
    "E-CODE-USED": lambda _: gettext("That code has been used. Wait until the app shows a new one."),
    "E-APP-CODE-WRONG": lambda _: gettext("That code is not right. Use the code that the app shows now."),
    "E-RC-WRONG": lambda _: gettext("The recovery code is not right. Check that you have typed all 15 characters."),
    "E-RC-USED": lambda _: gettext("This recovery code has been used. Try the next one on your list."),
    "E-SAVED": lambda _: gettext("Tick that you have saved the codes."),
    "E-CODE-SPENT": lambda _: gettext("You have typed a wrong code too many times. Ask for a new one."),
    "E-PW-EMPTY-NEW": lambda _: gettext("Enter a new password in both fields."),
    "E-PW-SHORT": lambda values: ngettext(
        "The password must have at least %(num)d character. Type it again in both fields.",
        "The password must have at least %(num)d characters. Type it again in both fields.",
        _number(values),
    ),
    "E-PW-LONG": lambda values: ngettext(
        "The password is too long. Use %(num)d character at most.",
        "The password is too long. Use %(num)d characters at most.",
        _number(values),
    ),
    "E-PW-COMMON": lambda _: gettext("The password is too common and easy to guess. Choose another."),
    "E-PW-LEAKED": lambda _: gettext(
        "The password is on a list of leaked passwords. Choose another, and change it wherever else you use it."
    ),
    "E-PW-PERSONAL": lambda _: gettext("The password cannot contain your email address or the name of the service."),
    "E-PW-MISMATCH": lambda _: gettext("The two passwords are not the same. Type the same one in both fields."),
    "E-PW-CURRENT": lambda _: gettext("Your current password is not right."),
    "E-PW-SAME": lambda _: gettext("That is the password you already have. Choose another."),
    "E-TEL-EMPTY": lambda _: gettext("Enter your phone number."),
    "E-TEL-SHORT": lambda values: gettext("The phone number is too short for %(country)s.", country=_country(values)),
    "E-TEL-LONG": lambda values: gettext("The phone number is too long for %(country)s.", country=_country(values)),
    "E-TEL-CHARS": lambda _: gettext("The phone number can only have digits and a leading plus sign."),
    "E-TEL-UNKNOWN": lambda values: gettext(
        "The phone number is not in use in %(country)s. Check the digits and the country.", country=_country(values)
    ),
    "E-TEL-COUNTRY": lambda values: gettext(
        "We cannot send codes to phones in %(country)s yet. Use another number.", country=_country(values)
    ),
    "E-TEL-LANDLINE": lambda _: gettext('The phone number looks like a landline. Choose "Call me" instead.'),
    "E-TEL-PREMIUM": lambda _: gettext("The phone number is a premium number. Use an ordinary number."),
    "E-SMS-FAILED": lambda _: gettext('We could not send the text message. Try again shortly, or choose "Call me".'),
    "E-CALL-FAILED": lambda _: gettext(
        'We could not reach you by phone. Check that the line is free, or choose "Send code".'
    ),
    "E-MAIL-FAILED": lambda _: gettext("We could not send the email. Check the address, or try again shortly."),
    "E-USER-CODE-EMPTY": lambda _: gettext("Enter the code."),
    "E-USER-CODE-WRONG": lambda _: gettext(
        "That code is not right, or it has run out. Check it, or ask for a new one."
    ),
    "E-SUPPORT-WRONG": lambda _: gettext("The support code is not right, or it has run out. Check it, or call us."),
    "E-UNDO-WRONG": lambda _: gettext("That code does not work. It may be misspelled, have been used or have run out."),
    "E-NICK-LONG": lambda _: gettext("The name can have 60 characters at most."),
    "E-CHOICE": lambda _: gettext("Choose one of the options."),
}
