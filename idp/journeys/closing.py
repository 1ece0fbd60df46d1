"""What the ends of journeys share: how one ends, which proofs are there, whether they still count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from idp.journeys.facts import Facts, StepProof
from idp.journeys.record import Here, Visitor
from idp.rules.assurance import REMEMBERED, Proof
from idp.rules.factor_policy import PHONE
from idp.services import credentials, passkeys, second_factors, sessions
from idp.stores.durable import accounts


@dataclass(frozen=True, slots=True)
class SignedIn:
    """It is done: the browser's session from now on."""

    session_id: str
    said: str = ""
    """What was done besides, by the key of the box that says so."""
    remembered: str | None = None
    """What this browser holds from now on as a remembered device."""
    onward: str | None = None
    """Where of ours the person wants to go instead of back."""


@dataclass(frozen=True, slots=True)
class GoOn:
    """It is done, and the person goes on with this journey and these facts."""

    journey: str
    facts: Facts


def given(here: Here, account_id: str) -> list[Proof]:
    """What was proved in this journey about the account; what the session proved is its own already.

    Of the whole situation: a proof of identity lies with its attempt, not with the journey's own facts.
    """
    known = (proof for proof in here.situation.facts.proofs if proof.about == f"account:{account_id}")
    return [_proof(proof) for proof in known if proof.step]


def counting(here: Here, account_id: str) -> list[Proof]:
    """What was proved about the account, in this journey or before by the session that speaks for it."""
    known = (proof for proof in here.situation.facts.proofs if proof.about == f"account:{account_id}")
    return [_proof(proof) for proof in known if proof.method != REMEMBERED]


def _proof(proof: StepProof) -> Proof:
    return Proof(**{name: getattr(proof, name) for name in Proof.__struct_fields__})


def still_stands(here: Here, account_id: str) -> bool:
    """Inside a transaction: whether nothing has overtaken the proofs a change rests on, a reset for one (SR-63).

    Changes of one account wait for each other from here on, so that no two remove each other's last way in (SR-62).
    """
    accounts.hold(account_id)
    if not still_stand(here, account_id):
        return False
    phone = credentials.phone_of(account_id)
    proved_at = phone.proved_at if phone else here.now
    if any(
        proof.at < proved_at for proof in given(here, account_id) if proof.method in PHONE
    ):  # it was another number's code
        return False
    return here.session is None or sessions.counts(here.session.sid)


def still_stand(here: Here, account_id: str) -> bool:
    """Inside a transaction: whether what was proved here is so yet: the password, the app, and each passkey."""
    proved = given(here, account_id)
    passwords, app = ([one.at for one in proved if one.method == method] for method in ("password", "totp"))
    if not credentials.still_stand(account_id, passwords) or not second_factors.app_stands(account_id, app):
        return False
    return has_keys(here, account_id)


def has_keys(here: Here, account_id: str) -> bool:
    """Inside a transaction: whether the account has every passkey yet that was used in this journey."""
    return passkeys.stand(account_id, tuple(proof.key for proof in here.facts.proofs if proof.key))


def owner(here: Here) -> str:
    """The account that a change is about: the one it was asked for, and no other that was signed in to meanwhile."""
    account_id = here.situation.account_id
    if account_id is None or account_id != here.record.wanted.account_id:
        raise PermissionError("a change of another account than the one it was asked for")
    return account_id


def kept(here: Here, step: str, method: str | None = None) -> Proof:
    """The proof of what was enrolled at a step."""
    bound = here.facts.bound[step]
    at = datetime.fromisoformat(bound["at"])
    return Proof(method=method or bound["method"], at=at, until=at + here.tools.proof_life)


def start(here: Here, account_id: str, proofs: Sequence[Proof], visitor: Visitor) -> str:
    """A session with these proofs, in place of the browser's own (SR-53)."""
    return sessions.start(
        here.tools.store,
        here.tools.settings.sessions,
        account_id,
        proofs,
        device=visitor.device,
        replaces=visitor.session_id,
    )
