"""Phone numbers by the world's numbering plans: which country, which kind, how long (SR-25)."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType, ValidationResult

NOWHERE = "ZZ"
"""Unicode's code for an unknown region: no such country code, or a network that belongs to no country."""

LONGEST = 17
"""More digits than any number has, trunk zeros included."""

_HOMES = {"SJ": "NO", "AX": "FI"}
"""Regions that share the plan and the networks of a country: Svalbard and Jan Mayen, Åland."""

_COSTS_EXTRA = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.PAGER,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
        PhoneNumberType.TOLL_FREE,
    }
)
"""Numbers somebody else pays or earns on, and numbers no person has in the pocket."""


@dataclass(frozen=True, slots=True)
class Found:
    """A number that the plan of its country has."""

    e164: str
    country: str
    takes_sms: bool
    costs_extra: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no such number: a key of the error catalogue, and the country it was judged by."""

    key: str
    country: str


def found(digits: str, country: str) -> Found | Fault:
    """Look up digits with or without a plus, as somebody in `country` would dial them."""
    if len(digits) > LONGEST:
        return Fault("E-TEL-LONG", _named(digits, country))
    try:
        number = phonenumbers.parse(digits, None if digits.startswith("+") else country)
    except phonenumbers.NumberParseException as problem:
        return _unreadable(problem, digits, country)
    region = phonenumbers.region_code_for_number(number) or _region(number.country_code or 0, country)
    if region in (NOWHERE, "001"):  # 001 is the world: satellites and their like (SR-25)
        return Fault("E-TEL-COUNTRY", NOWHERE)
    length = phonenumbers.is_possible_number_with_reason(number)
    if length in (ValidationResult.TOO_SHORT, ValidationResult.TOO_LONG, ValidationResult.INVALID_LENGTH):
        return Fault(_length_fault(number, region), region)
    if not phonenumbers.is_valid_number(number):
        return Fault("E-TEL-UNKNOWN", region)
    kind = phonenumbers.number_type(number)
    return Found(
        e164=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        country=region,
        takes_sms=kind != PhoneNumberType.FIXED_LINE,
        costs_extra=kind in _COSTS_EXTRA,
    )


def home(region: str) -> str:
    """The country whose place in the list stands for this region."""
    return _HOMES.get(region, region)


def prefix(e164: str) -> str:
    """Country code and four digits: what toll fraud buys in blocks (SR-26)."""
    try:
        code = phonenumbers.parse(e164, None).country_code
    except phonenumbers.NumberParseException:
        return e164[:6]
    return e164[: 1 + len(str(code)) + 4]


def _unreadable(problem: phonenumbers.NumberParseException, digits: str, country: str) -> Fault:
    if problem.error_type == phonenumbers.NumberParseException.TOO_LONG:
        return Fault("E-TEL-LONG", _named(digits, country))
    if problem.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
        return Fault("E-TEL-COUNTRY", NOWHERE)
    return Fault("E-TEL-SHORT", _named(digits, country))


def _named(digits: str, country: str) -> str:
    """The country to speak of when the number is no number: the one its first digits say, or the list's."""
    if digits.startswith("+"):
        for length in (1, 2, 3):
            region = phonenumbers.region_code_for_country_code(int(digits[1 : 1 + length] or 0))
            if region not in (NOWHERE, "001"):
                return region
    return country if country in phonenumbers.SUPPORTED_REGIONS else NOWHERE


def _region(country_code: int, country: str) -> str:
    regions = phonenumbers.region_codes_for_country_code(country_code)
    if country in regions:
        return country
    return regions[0] if regions and regions[0] != "001" else NOWHERE


def _length_fault(number: phonenumbers.PhoneNumber, region: str) -> str:
    national = phonenumbers.national_significant_number(number)
    plan = PhoneMetadata.metadata_for_region(region)
    lengths = plan.mobile.possible_length if plan and plan.mobile else ()
    usual = max((length for length in lengths if length > 0), default=0)
    return "E-TEL-SHORT" if len(national) < usual else "E-TEL-LONG"
