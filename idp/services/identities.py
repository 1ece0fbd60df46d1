"""Who stands behind an account: what a verified proof does, and what refusing one means.

One identity ↔ one account, decided by one insert; a proof of somebody else changes nothing and is
audited; how an attempt ended is told apart here and nowhere else (SR-103, SR-104, SR-106).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from idp import clock
from idp.eid.connector import Failed, Outcome, Person, Verified
from idp.rules.assurance import IDENTITY_LEVELS, identity_level, reaches
from idp.rules.verified_claims import NATIONAL_NUMBER, Proved
from idp.services import notices
from idp.stores.durable import accounts, audit, eid_transactions
from idp.stores.durable import identities as kept
from idp.stores.durable.db import transaction
from idp.stores.durable.eid_transactions import Proof, Status, Transaction
from idp.stores.durable.identities import Identity

__all__ = ["Identity", "Proved", "confirmations", "expected", "fail", "of_account", "prove", "verified"]

SKEW = timedelta(seconds=60)
"""How far another clock may be from ours."""

CONFIRMATIONS = 20
"""How many proofs a person is shown."""

ENDS: Mapping[Outcome, Status] = {Outcome.USER_REFUSED: "refused", Outcome.TIMEOUT: "expired"}
"""How an attempt ends; with any other outcome it has `failed`."""

REFUSED = {"other-person": Outcome.PERSON_MISMATCH, "other-account": Outcome.LINKED_ELSEWHERE}

_log = logging.getLogger(__name__)


class _Over(Exception):
    """The attempt has ended meanwhile: nothing of this proof is kept."""


def of_account(account_id: str) -> Identity | None:
    """The person behind an account, if that was ever proved."""
    return kept.of_account(account_id)


def expected(account_id: str, eid: str) -> Person | None:
    """The person that an eID must come up with again; None while nobody is linked to the account."""
    known = kept.of_account(account_id)
    if known is None:
        return None
    return Person(country=known.country, number=known.number, reference=known.references.get(eid))


def confirmations(account_id: str) -> list[Transaction]:
    """When this person has proved who they are, with which eID and for which client; newest first."""
    return eid_transactions.successes(account_id, limit=CONFIRMATIONS)


def verified(account_id: str) -> Proved | None:
    """What the newest proof of this person has verified, for OpenID Connect for Identity Assurance; None without."""
    known, proof = kept.of_account(account_id), eid_transactions.newest_success(account_id)
    if known is None or proof is None or proof.evidence is None or proof.proved_at is None:
        return None
    time = proof.proved_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    claims = {
        "given_name": known.given_name,
        "family_name": known.family_name,
        "birthdate": known.birthdate.isoformat() if known.birthdate else None,
        NATIONAL_NUMBER: {"country": known.country, "number": known.number} if known.number else None,
    }
    verification = {
        "trust_framework": proof.evidence["trust_framework"],
        "assurance_level": proof.level,
        "time": time,
        "verification_process": proof.id,
        "evidence": [_evidence(proof.evidence["evidence"], time)],
    }
    return Proved(verification, {name: value for name, value in claims.items() if value is not None})


def _evidence(kept: Mapping[str, Any], time: str) -> dict[str, Any]:
    """A signature says itself when it was made; of a record it is when it was looked at."""
    return {**kept} if "created_at" in kept else {**kept, "time": time}


def prove(found: Transaction, verified: Verified, *, levels: Mapping[str, str], trust_framework: str) -> None:
    """End an attempt with what the provider has verified: link and success in one step, or a refusal.

    `levels` is the operator's table for this eID. A lower or unknown level is a refusal, never a silent
    downgrade (rule 5).
    """
    refusal = _unfit(found, verified, levels)
    if refusal is None:
        proof = Proof(
            level=levels[verified.claimed_level],
            amr=verified.amr,
            evidence={"trust_framework": trust_framework, "evidence": dict(verified.evidence)},
            # Another clock's skew makes it neither older nor newer than the attempt.
            proved_at=max(found.created_at, min(verified.at, clock.now())),
        )
        refusal = _linked(found, verified, proof)
    if refusal is not None:
        fail(found, refusal)


def fail(found: Transaction, failed: Failed) -> bool:
    """End an attempt without a proof. True for exactly one caller."""
    status = ENDS.get(failed.outcome, "failed")
    with transaction():
        first = eid_transactions.fail(found.id, status, failed.outcome, now=clock.now())
        if first:
            audit.record(
                "eid.failed",
                account_id=found.account_id,
                client_id=found.client_id,
                journey=found.journey_id,
                outcome="refused" if status == "refused" else "failure",
                reason=failed.outcome,
                details={"eid": found.eid, "flow": found.flow},
            )
            if failed.outcome is Outcome.PERSON_MISMATCH:
                notices.other_person(found.account_id)
    if first:
        _log.warning("eID attempt %s with %s: %s (%s)", found.id, found.eid, failed.outcome, failed.detail)
    return first


def _unfit(found: Transaction, verified: Verified, levels: Mapping[str, str]) -> Failed | None:
    level = identity_level(levels, verified.claimed_level)
    if level is None or not reaches(IDENTITY_LEVELS[level], IDENTITY_LEVELS[found.wanted_level]):
        return Failed(Outcome.LEVEL_TOO_LOW, f"claimed {verified.claimed_level!r}")
    if not found.created_at - SKEW <= verified.at <= clock.now() + SKEW:
        return Failed(Outcome.PROOF_INVALID, "proved at another time than this attempt")
    if verified.number is None and verified.reference is None:
        return Failed(Outcome.PROOF_INVALID, "nothing that tells people apart")
    return None


def _linked(found: Transaction, verified: Verified, proof: Proof) -> Failed | None:
    try:
        with transaction():
            return _tied(found, verified, proof, clock.now())
    except _Over:
        _log.warning("eID attempt %s with %s: proved after its end", found.id, found.eid)
        return None


def _tied(found: Transaction, verified: Verified, proof: Proof, now: datetime) -> Failed | None:
    account = accounts.by_id(found.account_id)
    if account is None or not account.active:  # locked while the person was at the eID: SR-60
        return Failed(Outcome.PROTOCOL_ERROR, "the account does not count any more")
    if found.recovers and not kept.is_linked(found.account_id):
        return Failed(Outcome.PROTOCOL_ERROR, "nobody is linked to the account")
    tie = kept.link(found.account_id, _identity(found.eid, verified), now=now)
    if tie in REFUSED:
        return Failed(REFUSED[tie], "the eID belongs to somebody else")
    if not eid_transactions.succeed(found.id, proof, now=now):
        raise _Over
    audit.record(
        "identity.linked" if tie == "linked" else "identity.again",
        account_id=found.account_id,
        client_id=found.client_id,
        journey=found.journey_id,
        details={
            "eid": found.eid,
            "flow": found.flow,
            "level": proof.level,
            "seconds": (now - found.created_at).seconds,
        },
    )
    return None


def _identity(eid: str, verified: Verified) -> Identity:
    return Identity(
        country=verified.country,
        number=verified.number,
        given_name=verified.given_name,
        family_name=verified.family_name,
        birthdate=verified.birthdate,
        references={eid: verified.reference} if verified.reference else {},
    )
