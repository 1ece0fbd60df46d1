"""Which verified claims to tell: exactly what was asked for, or nothing (OpenID Connect for Identity Assurance 1.0).

A request is a filter. A constraint under `verification` that is not met leaves the whole object out, one
under a claim leaves that claim out; neither is an error, and `essential` changes nothing ("Returning less data
than requested"). What would be left empty is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

CLAIMS = ("given_name", "family_name", "birthdate")
"""Claims about a person that an eID verifies. The national number has a scope of its own besides."""

NATIONAL_NUMBER = "national_number"

CONSTRAINTS = frozenset({"value", "values", "max_age"})
ASIDE = frozenset({*CONSTRAINTS, "essential", "purpose"})
"""Members of a request that are no names of anything to be told."""

SHORTEST_PURPOSE, LONGEST_PURPOSE = 3, 300
"""Characters of the purpose that a request may give for a claim."""

DEEPEST = 16
"""Levels of nesting in a request; what is known has fewer."""


class MalformedRequest(ValueError):
    """A request that the specification does not allow; the text says why."""


class _Unmet(Exception):
    """A constraint does not hold."""


@dataclass(frozen=True, slots=True)
class Proved:
    """What was verified, whole: the members of `verification`, and the claims."""

    verification: Mapping[str, Any] = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)


def check(requested: Any) -> None:
    """Look at a `verified_claims` request before anybody is troubled with it. Raises `MalformedRequest`."""
    for one in requested if isinstance(requested, list) else [requested]:
        if not isinstance(one, dict) or not isinstance(one.get("verification"), dict):
            raise MalformedRequest("verified_claims wants a verification object")
        if "trust_framework" not in one["verification"]:
            raise MalformedRequest("verification wants a trust_framework, if only null")
        claims = one.get("claims", {})
        if claims is not None and (not isinstance(claims, dict) or not claims):
            raise MalformedRequest("verified_claims wants at least one claim")
        _check_evidence(one["verification"].get("evidence"))
    if requested == []:
        raise MalformedRequest("verified_claims asks for nothing")
    if _is_deeper(requested, DEEPEST):
        raise MalformedRequest("verified_claims is nested too deeply")
    if not _purposes_are_sensible(requested):
        raise MalformedRequest("a purpose has 3 to 300 characters")


def _check_evidence(filters: Any) -> None:
    """Each filter is for one type of evidence, and has to say which ("Requesting verification data")."""
    if filters is None:
        return
    if not isinstance(filters, list) or not filters:
        raise MalformedRequest("evidence wants an array of filters")
    for one in filters:
        if not isinstance(one, dict) or "type" not in one:
            raise MalformedRequest("a filter of evidence wants a type")
        if isinstance(one["type"], dict) and "values" in one["type"]:
            raise MalformedRequest("the type of evidence is given by value, never by values")


def _purposes_are_sensible(asked: Any) -> bool:
    if isinstance(asked, list):
        return all(_purposes_are_sensible(one) for one in asked)
    if not isinstance(asked, dict):
        return True
    purpose = asked.get("purpose", SHORTEST_PURPOSE * "x")
    if not isinstance(purpose, str) or not SHORTEST_PURPOSE <= len(purpose) <= LONGEST_PURPOSE:
        return False
    return all(_purposes_are_sensible(inner) for inner in asked.values())


def _is_deeper(asked: Any, levels: int) -> bool:
    inner = asked.values() if isinstance(asked, dict) else asked if isinstance(asked, list) else ()
    return levels < 0 or any(_is_deeper(one, levels - 1) for one in inner)


def select(requested: Any, proved: Proved, *, now: datetime) -> Any:
    """The value of `verified_claims` for this request, or None where there is nothing to tell.

    An array is answered with an array. `requested` has passed `check`.
    """
    if isinstance(requested, list):
        found = [told for one in requested if (told := _one(one, proved, now)) is not None]
        return found or None
    return _one(requested, proved, now)


def _one(requested: Mapping[str, Any], proved: Proved, now: datetime) -> dict[str, Any] | None:
    asked = dict(requested["verification"])
    if "evidence" in asked and asked["evidence"] is None:
        asked["evidence"] = [{"type": None}]  # what is inside has to be asked for
    try:
        verification = _object(asked, proved.verification, now)
    except _Unmet:
        return None
    claims: dict[str, Any] = {}
    for name, wanted in (requested["claims"] or {}).items():  # null names nothing, so nothing is told
        with suppress(_Unmet):
            claims |= _object({name: wanted}, proved.claims, now)
    return {"verification": verification, "claims": claims} if claims else None


def _object(asked: Mapping[str, Any], known: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The members that were asked for; those without an answer are left out unless something was demanded of them."""
    told = {}
    for name, wanted in asked.items():
        if name in known:
            found = _fitting(wanted, known[name], now)
            if found not in ({}, []):
                told[name] = found
        elif _demands(wanted):
            raise _Unmet
    return told


def _fitting(asked: Any, known: Any, now: datetime) -> Any:
    if asked is None:
        return known
    if isinstance(known, Mapping):
        if not isinstance(asked, Mapping) or not _holds(asked, known, now):
            raise _Unmet
        named = {name: wanted for name, wanted in asked.items() if name not in ASIDE}
        return _object(named, known, now) if named else dict(known)
    if isinstance(known, Sequence) and not isinstance(known, str):
        return _filtered(asked, known, now)
    if not isinstance(asked, Mapping) or not _holds(asked, known, now):
        raise _Unmet
    return known


def _filtered(asked: Any, known: Sequence[Any], now: datetime) -> list[Any]:
    """Entries that some filter lets through: filters are joined by "or", and the first that does is the template."""
    filters = asked if isinstance(asked, list) else [asked]
    found = []
    for entry in known:
        for one in filters:
            try:
                found.append(_fitting(one, entry, now))
            except _Unmet:
                continue
            break
    if not found:
        raise _Unmet
    return [entry for entry in found if entry != {}]


def _holds(asked: Mapping[str, Any], known: Any, now: datetime) -> bool:
    if "value" in asked and asked["value"] != known:
        return False
    if "values" in asked and (not isinstance(asked["values"], list) or known not in asked["values"]):
        return False
    return "max_age" not in asked or _is_younger(known, asked["max_age"], now)


def _is_younger(known: Any, seconds: Any, now: datetime) -> bool:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not isinstance(known, str):
        return False
    then = _last_second(known)
    return then is not None and (now - then).total_seconds() <= seconds


def _last_second(known: str) -> datetime | None:
    """The instant that a text names, of a whole day its last second ("max_age"); None for any other text."""
    try:
        then = datetime.combine(date.fromisoformat(known), time(23, 59, 59))
    except ValueError:
        try:
            then = datetime.fromisoformat(known)
        except ValueError:
            return None
    return then if then.tzinfo else then.replace(tzinfo=UTC)


def _demands(asked: Any) -> bool:
    """Whether a member that is not known at all leaves the whole unmet."""
    if isinstance(asked, Mapping):
        return bool(CONSTRAINTS & set(asked)) or any(_demands(inner) for inner in asked.values())
    return isinstance(asked, list) and any(_demands(inner) for inner in asked)
