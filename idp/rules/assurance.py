"""Assurance: proofs in, level out. Never stored, so nothing claims more than was proved.

Levels are those of DESIGN §5; `amr` values are those of RFC 8176.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

SFA = "https://refeds.org/profile/sfa"
MFA = "https://refeds.org/profile/mfa"
SUBSTANTIAL = "http://eidas.europa.eu/LoA/substantial"
HIGH = "http://eidas.europa.eu/LoA/high"

LEVELS = (SFA, MFA, SUBSTANTIAL, HIGH)
"""Lowest first."""


class Method(Struct, frozen=True):
    """What one method of proof counts for."""

    kinds: frozenset[str]
    amr: tuple[str, ...]


class Proof(Struct, frozen=True):
    """One successful use of a factor: when, and until when it counts. UTC."""

    method: str
    at: datetime
    until: datetime


class Assurance(Struct, frozen=True):
    """What a set of proofs amounts to at an instant."""

    acr: str
    amr: tuple[str, ...]
    auth_time: datetime


METHODS = {
    "password": Method(frozenset({"knowledge"}), ("pwd",)),
    "sms": Method(frozenset({"possession"}), ("otp", "sms")),
    "voice": Method(frozenset({"possession"}), ("otp", "tel")),
    "email_code": Method(frozenset(), ()),  # control of an address is no authentication: SR-22
}


def assess(proofs: Sequence[Proof], now: datetime) -> Assurance | None:
    """The level these proofs carry now, or None when no live proof counts for anything.

    `auth_time` is that of the older of the two proofs that carry the level: every part of the level
    was proved at or after it, so `max_age` can never be met by half of it.
    """
    newest: dict[str, Proof] = {}
    for proof in sorted(proofs, key=lambda proof: proof.at):
        if proof.until > now >= proof.at and proof.method in METHODS:
            for kind in METHODS[proof.method].kinds:
                newest[kind] = proof
    if not newest:
        return None
    both = "knowledge" in newest and "possession" in newest
    carrying = list(newest.values())
    amr = {word for proof in carrying for word in METHODS[proof.method].amr}
    return Assurance(
        acr=MFA if both else SFA,
        amr=tuple(sorted(amr | ({"mfa"} if both else set()))),
        auth_time=min(proof.at for proof in carrying),
    )


def reaches(acr: str, wanted: str) -> bool:
    """Whether a level is at least the wanted one. An unknown level reaches nothing and is reached by none."""
    if acr not in LEVELS or wanted not in LEVELS:
        return False
    return LEVELS.index(acr) >= LEVELS.index(wanted)
