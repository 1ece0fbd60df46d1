"""E-mail addresses, phone numbers and codes: what a person types, in its one canonical form.

Typing is tidied, never punished (page spec §4); what cannot be meant is refused by the key of its
message in the error catalogue (page spec §9.2).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

import idna
import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

LONGEST_ADDRESS = 254
"""Octets: RFC 5321 §4.5.3.1, less the angle brackets."""

LONGEST_LOCAL = 64
ATOM = re.compile(r"[^\s\x00-\x1f\x7f\"(),:;<>@\[\\\]]+")
FAMILIAR = (
    "gmail.com", "hotmail.com", "hotmail.no", "outlook.com", "live.no", "live.com", "online.no", "yahoo.com",
    "yahoo.no", "icloud.com", "me.com", "msn.com", "getmail.no", "telia.com", "hotmail.se", "yahoo.se", "gmx.de",
    "web.de", "wp.pl", "onet.pl", "inbox.lv", "mail.ee", "proton.me", "protonmail.com",
)  # fmt: skip
"""Domains that a slip of the finger is measured against."""

SMS_TYPES = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.UNKNOWN)
"""Numbering plans change faster than libraries: a possible number of unknown type is tried."""

CALL_TYPES = (*SMS_TYPES, PhoneNumberType.FIXED_LINE, PhoneNumberType.VOIP)


class Malformed(ValueError):
    """Something that cannot be meant. `key` names its message, `values` what the message tells."""

    def __init__(self, key: str, values: Mapping[str, str | int] | None = None) -> None:
        super().__init__(key)
        self.key = key
        self.values = dict(values or {})


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """An address: as typed, for sending, and in the form that is compared."""

    typed: str = field(repr=False)
    canonical: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number in E.164, its country (ISO), and whether a text message can reach it."""

    e164: str = field(repr=False)
    country: str
    typed: str = field(repr=False)
    takes_sms: bool


def email_address(text: str) -> EmailAddress:
    """The address, canonical as SR-48 has it: nothing is stripped that a mailbox may tell apart.

    Raises `Malformed` with E-EMAIL-EMPTY, -AT, -AFTER, -SPACE or -LONG.
    """
    typed = _visible(text).strip()
    typed = typed[7:] if typed.lower().startswith("mailto:") else typed
    if not typed:
        raise Malformed("E-EMAIL-EMPTY")
    if any(character.isspace() for character in typed):
        raise Malformed("E-EMAIL-SPACE")
    if len(typed.encode()) > LONGEST_ADDRESS:
        raise Malformed("E-EMAIL-LONG")
    local, at, domain = typed.rpartition("@")
    if not at or not local:
        raise Malformed("E-EMAIL-AT")
    canonical = f"{_local(local)}@{_domain(domain)}"
    if len(canonical.encode()) > LONGEST_ADDRESS:
        raise Malformed("E-EMAIL-LONG")
    return EmailAddress(f"{unicodedata.normalize('NFC', local)}@{canonical.rpartition('@')[2]}", canonical)


def likely_slip(address: EmailAddress) -> str | None:
    """The address that was probably meant, when the domain is one slip away from a familiar one."""
    local, _, domain = address.typed.rpartition("@")
    if domain in FAMILIAR:
        return None
    close = get_close_matches(domain, FAMILIAR, n=1, cutoff=0.87)
    return f"{local}@{close[0]}" if close else None


def phone_number(text: str, *, country: str, allowed: Collection[str]) -> PhoneNumber:
    """The number in E.164. A leading plus decides the country and beats `country` (page spec §4).

    Raises `Malformed` with E-TEL-EMPTY, -SHORT, -LONG, -CHARS, -COUNTRY or -PREMIUM (SR-25).
    """
    typed = _visible(text).strip()
    digits = _digits(re.sub(r"[\s\-./()\[\]‐-―]", "", re.sub(r"(?i)^tel:", "", typed)))
    digits = f"+{digits[2:]}" if digits.startswith("00") else digits
    if not digits:
        raise Malformed("E-TEL-EMPTY")
    if not re.fullmatch(r"\+?[0-9]+", digits):
        raise Malformed("E-TEL-CHARS")
    number = _parsed(digits, country)
    region = phonenumbers.region_code_for_number(number) or _region_of(number.country_code) or country
    if region not in allowed:
        raise Malformed("E-TEL-COUNTRY", {"country": region})
    _check_length(number, region)
    kind = phonenumbers.number_type(number)
    if kind not in CALL_TYPES:
        raise Malformed("E-TEL-PREMIUM")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return PhoneNumber(e164, region, typed, takes_sms=kind in SMS_TYPES)


def one_time_code(text: str, *, digits: int = 6) -> str:
    """The digits of a code, however spaced and in whatever script's digits (page spec §4).

    Raises `Malformed` with E-CODE-EMPTY, -DIGITS, -SHORT or -LONG; none of them costs a try.
    """
    tidy = "".join(
        character
        for character in _visible(unicodedata.normalize("NFKC", text))
        if not character.isspace() and character != "." and unicodedata.category(character) != "Pd"
    )
    if not tidy:
        raise Malformed("E-CODE-EMPTY")
    code = _digits(tidy)
    if not code.isascii() or not code.isdigit():
        raise Malformed("E-CODE-DIGITS")
    if len(code) != digits:
        raise Malformed("E-CODE-SHORT" if len(code) < digits else "E-CODE-LONG", {"n": len(code)})
    return code


def _visible(text: str) -> str:
    """Without control and format characters: what nobody sees, nobody meant. Line breaks become spaces."""
    spaced = re.sub(r"[\r\n\t]+", " ", text)
    return "".join(character for character in spaced if unicodedata.category(character) not in ("Cf", "Cc"))


def _digits(text: str) -> str:
    """Any script's decimal digits as 0-9."""
    return "".join(
        str(unicodedata.decimal(character)) if unicodedata.category(character) == "Nd" else character
        for character in text
    )


def _local(local: str) -> str:
    normal = unicodedata.normalize("NFC", local)
    if "@" in normal or not ATOM.fullmatch(normal) or normal.startswith(".") or normal.endswith(".") or ".." in normal:
        raise Malformed("E-EMAIL-AT")
    if len(normal.encode()) > LONGEST_LOCAL:
        raise Malformed("E-EMAIL-LONG")
    scripts = {unicodedata.name(character, "").split(" ")[0] for character in normal if character.isalpha()}
    if len(scripts) > 1:  # a look-alike of somebody else's address
        raise Malformed("E-EMAIL-AT")
    return normal.lower()


def _domain(domain: str) -> str:
    try:
        encoded = idna.encode(domain.rstrip("."), uts46=True, transitional=False).decode()
    except (idna.IDNAError, UnicodeError) as problem:
        raise Malformed("E-EMAIL-AFTER") from problem
    labels = encoded.split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        raise Malformed("E-EMAIL-AFTER")
    return encoded.lower()


def _parsed(digits: str, country: str) -> phonenumbers.PhoneNumber:
    try:
        return phonenumbers.parse(digits, None if digits.startswith("+") else country)
    except NumberParseException as problem:
        short = NumberParseException.TOO_SHORT_NSN, NumberParseException.TOO_SHORT_AFTER_IDD
        if problem.error_type == NumberParseException.TOO_LONG:
            raise Malformed("E-TEL-LONG", {"country": country}) from problem
        if problem.error_type in short or not digits.startswith("+"):
            raise Malformed("E-TEL-SHORT", {"country": country}) from problem
        raise Malformed("E-TEL-COUNTRY", {"country": ""}) from problem


def _region_of(calling_code: int | None) -> str | None:
    region = phonenumbers.region_code_for_country_code(calling_code or 0)
    return None if region in (None, "ZZ", "001") else region


def _check_length(number: phonenumbers.PhoneNumber, region: str) -> None:
    match phonenumbers.is_possible_number_with_reason(number):
        case phonenumbers.ValidationResult.TOO_SHORT | phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            raise Malformed("E-TEL-SHORT", {"country": region})
        case phonenumbers.ValidationResult.TOO_LONG:
            raise Malformed("E-TEL-LONG", {"country": region})
