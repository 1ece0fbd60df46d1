"""Proofs to levels. What a session claims is computed here, from what was proved and the present instant.

A level is never stored: a proof that has run out takes its level with it, and no refresh renews it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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


IDENTITY_LEVELS = {"substantial": SUBSTANTIAL, "high": HIGH}
"""What a proof of identity lifts a session with two factors to."""

EID = "eid"
"""The method of every proof of identity from outside, whichever eID it was."""

REMEMBERED = "remembered_device"
"""A browser in which the second step was proved before. It shortens a sign-in, and answers for nothing else (SR-43)."""


class Proof(Struct, frozen=True):
    """One successful use of a factor or an eID, and until when it counts.

    Of an eID the proof itself says what it was worth (`level`, `amr`): that differs from one use to the next.
    """

    method: str
    at: datetime
    until: datetime
    level: str = ""
    amr: tuple[str, ...] = ()


class Method(Struct, frozen=True):
    """What one method proves: kinds of factor, and authentication methods by RFC 8176."""

    kinds: frozenset[Kind]
    amr: tuple[str, ...]


class Assurance(Struct, frozen=True):
    """What may be said of a session: `acr`, `amr` and `auth_time` of OpenID Connect Core §2.

    Where it rests on a proof of identity it holds `until` that proof is stale; from then on it is `otherwise`.
    """

    acr: str
    amr: tuple[str, ...]
    auth_time: datetime
    until: datetime | None = None
    otherwise: Assurance | None = None

    def at(self, now: datetime) -> Assurance:
        """What may still be said at this instant. Nothing renews it but a new proof (SR-106)."""
        if self.otherwise is not None and self.until is not None and now >= self.until:
            return self.otherwise.at(now)
        return self


METHODS: dict[str, Method] = {
    "password": Method(frozenset({"knowledge"}), ("pwd",)),
    "sms": Method(frozenset({"possession"}), ("otp", "sms")),
    "voice": Method(frozenset({"possession"}), ("otp", "tel")),
    "totp": Method(frozenset({"possession"}), ("otp",)),
    "passkey": Method(frozenset({"possession", "inherence"}), ("pop", "user")),  # only with user verification: SR-37
    "security_key": Method(frozenset({"possession"}), ("pop",)),
    "recovery_code": Method(frozenset({"possession"}), ("otp",)),
    REMEMBERED: Method(frozenset({"possession"}), ()),  # nothing was used now: its age is that of the step it recalls
    "email_code": Method(frozenset(), ()),  # proves an address, never a person: SR-22
}
"""What each method counts for."""


def assess(proofs: Sequence[Proof], now: datetime) -> Assurance | None:
    """The highest level that live proofs reach together; None when none of them counts.

    Two factors make a session; a fresh proof of identity lifts it, and nothing less (DESIGN §5). `auth_time`
    is that of the proof which carries the level: the identity's own, else the oldest of the factors, so
    `max_age` holds for what was asked. Among equal levels the freshest counts. A remembered device carries no
    proof of identity.
    """
    live = [proof for proof in proofs if proof.at <= now < proof.until]
    session = _session(live)
    proved = _session([proof for proof in live if proof.method != REMEMBERED])
    of_identity = [proof for proof in live if proof.method == EID and proof.level in IDENTITY_LEVELS]
    if proved is None or proved.acr != MFA or not of_identity:
        return session
    for level in IDENTITY_LEVELS:  # lowest first: what a stale higher proof falls back to lies below it
        of_level = [proof for proof in of_identity if proof.level == level]
        if of_level:
            proved = _lifted(proved, max(of_level, key=lambda proof: (proof.at, proof.until)))
    return proved


def since(proofs: Iterable[Proof], instant: datetime, *, wanted: str) -> list[Proof]:
    """The proofs that may answer for `wanted` when it must have been proved at or after this instant.

    The proof that carries the level must be so young: of a level of identity that is the eID's, and the
    factors of the session behind it may be older. A remembered device answers for no instant.
    """
    of_identity = wanted in IDENTITY_LEVELS.values()
    proved = (proof for proof in proofs if proof.method != REMEMBERED)
    return [proof for proof in proved if proof.at >= instant or (of_identity and proof.method != EID)]


def reaches(acr: str, wanted: str) -> bool:
    """Whether `acr` is at least `wanted`. An unknown level is never reached and reaches nothing."""
    return acr in LEVELS and wanted in LEVELS and LEVELS.index(acr) >= LEVELS.index(wanted)


def identity_level(levels: Mapping[str, str], claimed: str) -> str | None:
    """What a level claimed by an eID counts for: `substantial`, `high`, or None for nothing.

    By exact comparison with the operator's table, never by prefix or rank: what is not listed fails closed.
    """
    level = levels.get(claimed)
    return level if level in IDENTITY_LEVELS else None


def _lifted(session: Assurance, proof: Proof) -> Assurance:
    return Assurance(
        acr=IDENTITY_LEVELS[proof.level],
        amr=tuple(dict.fromkeys((*proof.amr, *session.amr))),
        auth_time=proof.at,
        until=proof.until,
        otherwise=session,
    )


def _session(live: Sequence[Proof]) -> Assurance | None:
    """The most that factors make together. What is only recalled makes nothing by itself."""
    combined = _combined(proof for proof in live if _kinds(proof))
    factors = [_of_factors(one) for one in combined if any(proof.method != REMEMBERED for proof in one)]
    return max(factors, key=lambda one: (LEVELS.index(one.acr), one.auth_time, len(one.amr)), default=None)


def _combined(live: Iterable[Proof]) -> Iterator[tuple[Proof, ...]]:
    newest: dict[str, Proof] = {}
    for proof in live:
        known = newest.get(proof.method)
        if known is None or proof.at > known.at:
            newest[proof.method] = proof
    for number in (1, 2):
        yield from combinations(newest.values(), number)


def _of_factors(together: Sequence[Proof]) -> Assurance:
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
