"""The person in claims: texts, dates and numbers that can be used, and whether it is the one it has to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from idp.eid.connector import Level, Outcome
from idp.eid.openid_errors import Refused
from idp.rules import national_numbers

LONGEST = 256
"""Characters of the longest claim about a person that is taken."""

LEVELS: tuple[Level, ...] = ("substantial", "high")

ALPHA_3 = {
    "BE": "BEL",
    "DK": "DNK",
    "EE": "EST",
    "FI": "FIN",
    "LT": "LTU",
    "LV": "LVA",
    "NO": "NOR",
    "SE": "SWE",
}
"""ISO 3166-1: the countries whose numbers can be read, as OpenID Connect for Identity Assurance writes them."""


def text(claims: Mapping[str, Any], name: str) -> str:
    """A claim that must be a text. Raises `Refused`, with the name of the claim only."""
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST or not value.isprintable():
        raise Refused(Outcome.PROOF_INVALID, f"claim {name}: missing, or no text that can be used")
    return value


def optional(claims: Mapping[str, Any], name: str) -> str | None:
    """A claim that may be missing or empty, but is a text where it is there. Raises `Refused`."""
    return None if claims.get(name) is None or claims[name] == "" else text(claims, name)


def born(claims: Mapping[str, Any], name: str) -> date:
    """A date of birth, `YYYY-MM-DD` (OpenID Connect Core §5.1). Raises `Refused`."""
    said = text(claims, name)
    try:
        found = date.fromisoformat(said)
    except ValueError:
        found = None
    if found is None or found.isoformat() != said:
        raise Refused(Outcome.PROOF_INVALID, f"claim {name}: not a date")
    return found


@dataclass(frozen=True, slots=True)
class Numbers:
    """How national numbers are read here."""

    check_digits: bool
    """Whether those of a Norwegian number must be right."""
    synthetic: bool
    """Whether numbers that are made for tests count: for a provider on loopback only (SR-105)."""

    def read(self, country: str, said: str, *, birthdate: date | None) -> tuple[str, date | None]:
        """The number in its one form, and the date of birth: the one given, which the number may not contradict.

        Raises `Refused`.
        """
        try:
            found = national_numbers.read(country, said, checksum=self.check_digits)
        except national_numbers.InvalidNumber:
            raise Refused(Outcome.PROOF_INVALID, "the national number is not valid") from None
        if found.synthetic and not self.synthetic:
            raise Refused(Outcome.PROOF_INVALID, "the national number is made for tests")
        if birthdate is not None and found.birthdate is not None and found.birthdate != birthdate:
            raise Refused(Outcome.PROOF_INVALID, "the national number has another date of birth")
        return found.number, birthdate or found.birthdate


def must_be(
    expected: tuple[str, str | None, str | None] | None, *, country: str, ids: tuple[str | None, str | None]
) -> None:
    """Compare number and reference with the person it has to be; the number decides where both have one (rule 4).

    Raises `Refused`.
    """
    if expected is None:
        return
    country_before, *before = expected
    pairs = [(one, other) for one, other in zip(before, ids, strict=True) if one is not None and other is not None]
    if country_before != country or not pairs or pairs[0][0] != pairs[0][1]:
        raise Refused(Outcome.PERSON_MISMATCH, "another person than the one linked")


def checked_levels(levels: Mapping[str, str]) -> Mapping[str, str]:
    """The table of levels, once it is sure that it says only what can be compared. Raises ValueError."""
    if not levels or not set(levels.values()) <= set(LEVELS):
        raise ValueError("levels must say substantial or high for at least one of the provider's levels")
    return levels


def record(*, name: str, organization: str, country: str, claims: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence: an electronic record (OpenID Connect for Identity Assurance 1.0, `electronic_record`)."""
    check: dict[str, str] = {"check_method": "data", "organization": organization}
    transaction = claims.get("jti")
    if isinstance(transaction, str) and 0 < len(transaction) <= LONGEST:
        check["check_id"] = transaction
    source = {"name": name, "country_code": ALPHA_3[country]}
    return {"type": "electronic_record", "check_details": [check], "record": {"type": "eid", "source": source}}
