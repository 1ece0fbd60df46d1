"""Proofs to levels. What a session claims is computed here, from what was proved and the present instant.

A level is never stored: a proof that has run out takes its level with it, and no refresh renews it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import combinations
from typing import Literal

from msgspec import Struct

SFA = "https://refeds.org/profile/sfa"
MFA = "https://refeds.org/profile/mfa"
SUBSTANTIAL = "http://eidas.europa.eu/LoA/substantial"
HIGH = "http://eidas.europa.eu/LoA/high"

LEVELS = (SFA, MFA, SUBSTANTIAL, HIGH)
"""Authentication context classes, lowest first (DESIGN §5)."""

Kind = Literal["knowledge", "possession", "inherence"]


class Proof(Struct, frozen=True):
    """One successful use of a factor, and until when it counts."""

    method: str
    at: datetime
    until: datetime


class Method(Struct, frozen=True):
    """What one method proves: kinds of factor, and authentication methods by RFC 8176."""

    kinds: frozenset[Kind]
    amr: tuple[str, ...]


class Assurance(Struct, frozen=True):
    """What may be said of a session now: `acr`, `amr` and `auth_time` of OpenID Connect Core §2."""

    acr: str
    amr: tuple[str, ...]
    auth_time: datetime


METHODS: dict[str, Method] = {
    "password": Method(frozenset({"knowledge"}), ("pwd",)),
    "sms": Method(frozenset({"possession"}), ("otp", "sms")),
    "voice": Method(frozenset({"possession"}), ("otp", "tel")),
    "totp": Method(frozenset({"possession"}), ("otp",)),
    "passkey": Method(frozenset({"possession", "inherence"}), ("pop", "user")),  # only with user verification: SR-37
    "recovery_code": Method(frozenset({"possession"}), ("otp",)),
    "email_code": Method(frozenset(), ()),  # proves an address, never a person: SR-22
}
"""What each method counts for."""


def assess(proofs: Sequence[Proof], now: datetime) -> Assurance | None:
    """The highest level that live proofs reach together; None when none of them counts.

    `auth_time` is the time of the oldest proof the level rests on, so `max_age` holds for all of them.
    Among equal levels the freshest counts.
    """
    live = [proof for proof in proofs if proof.at <= now < proof.until and _kinds(proof)]
    found = [_assurance(together) for together in _combined(live)]
    return max(found, key=lambda one: (LEVELS.index(one.acr), one.auth_time, len(one.amr)), default=None)


def reaches(acr: str, wanted: str) -> bool:
    """Whether `acr` is at least `wanted`. An unknown level is never reached and reaches nothing."""
    return acr in LEVELS and wanted in LEVELS and LEVELS.index(acr) >= LEVELS.index(wanted)


def _combined(live: Sequence[Proof]) -> Iterator[tuple[Proof, ...]]:
    newest: dict[str, Proof] = {}
    for proof in live:
        known = newest.get(proof.method)
        if known is None or proof.at > known.at:
            newest[proof.method] = proof
    for number in (1, 2):
        yield from combinations(newest.values(), number)


def _assurance(together: Sequence[Proof]) -> Assurance:
    kinds = frozenset[Kind]().union(*(_kinds(proof) for proof in together))
    amr = dict.fromkeys(value for proof in together for value in METHODS[proof.method].amr)
    two_factors = len(kinds) > 1  # two of a kind are one factor twice
    return Assurance(
        acr=MFA if two_factors else SFA,
        amr=(*amr, "mfa") if two_factors else tuple(amr),
        auth_time=min(proof.at for proof in together),
    )


def _kinds(proof: Proof) -> frozenset[Kind]:
    known = METHODS.get(proof.method)
    return known.kinds if known else frozenset()
