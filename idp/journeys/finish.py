"""The word after `then`: what a complete journey asks of the services, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from idp import clock
from idp.journeys import devices
from idp.journeys.facts import Facts, StepProof
from idp.journeys.record import Here, Visitor
from idp.rules.assurance import REMEMBERED, Proof
from idp.services import accounts, consents, credentials, notices, sessions, throttling
from idp.services.accounts import AddressTaken
from idp.stores.durable.db import transaction


@dataclass(frozen=True, slots=True)
class SignedIn:
    """It is done: the browser's session from now on."""

    session_id: str
    said: str = ""
    """What was done besides, by the key of the box that says so."""
    remembered: str | None = None
    """What this browser holds from now on as a remembered device."""


@dataclass(frozen=True, slots=True)
class GoOn:
    """It is done, and the person goes on with this journey and these facts."""

    journey: str
    facts: Facts


def open_account(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """Sign-up: the account, what was enrolled, and the session, or nothing of it (SR-45)."""
    facts, address = here.facts, here.facts.answers["email"]
    try:
        with transaction():
            account_id = accounts.open_account(
                canonical=address["canonical"],
                typed=address["typed"],
                locale=visitor.locale,
                verifier=facts.bound["password"]["verifier"],
                phone=facts.answers["phone"],
            )
            proofs = (_kept(here, "password", "password"), _kept(here, "phone-code"))
            started = _start(here, account_id, proofs, visitor)
            notices.welcome(account_id, locale=visitor.locale)
    except AddressTaken:
        # Another sign-up with this address came first: the ordinary "you have an account" page (SR-49).
        owner = accounts.by_address(address["canonical"])
        return GoOn("sign-up", replace(facts, address_account=owner.id if owner else None))
    return SignedIn(started)


def start_session(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """Sign-in: a session with the proofs just given, a phone that was missing, what was agreed to."""
    account_id = here.situation.account_id or ""
    proofs = _given(here, account_id)
    consent = here.facts.answers.get("consent")
    with transaction():
        if not credentials.still_stand(account_id, [proof.at for proof in proofs if proof.method == "password"]):
            return GoOn("sign-in", Facts())
        if "phone-code" in here.facts.bound and not here.situation.enrolled:
            accounts.set_phone(account_id, here.facts.answers["phone"])
            proofs.append(_kept(here, "phone-code"))
        if consent is not None:
            wanted = here.record.wanted
            consents.give(account_id, wanted.client.client_id, consent["scopes"].split(), wanted.records)
        if not proofs and visitor.session_id is not None:
            return SignedIn(visitor.session_id)
        held = devices.remembered(here, visitor, account_id, proofs)
        proofs += devices.recognised(here, visitor, account_id, proofs)
        return SignedIn(_start(here, account_id, proofs, visitor), remembered=held)


def replace_password(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """Reset: the new password; every session and refresh family ends; all addresses hear of it (SR-63)."""
    account_id = here.facts.address_account or ""
    kept = here.facts.bound["new-password"]
    with transaction():
        if not credentials.still_stand(account_id, [proof.at for proof in here.facts.proofs]):
            return GoOn("reset", Facts())
        credentials.replace_password(account_id, kept["verifier"])
        throttling.password_replaced(throttling.address_key(here.facts.answers["email"]["canonical"]))
        notices.password_changed(account_id, device=visitor.device)
    proof = here.facts.proofs[-1]
    about = f"account:{account_id}"
    password = replace(proof, step="login", method="password", about=about, at=clock.now())
    facts = replace(here.facts.cut(("login", "new-password")), account_id=account_id)
    return GoOn("sign-in", facts.proved(password))


def change_password(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """The new password of somebody signed in. Other devices are signed out, unless they want it otherwise (SR-11)."""
    kept = here.facts.bound["new-password"]
    account_id = _owner(here)
    with transaction():
        if not _still_stands(here, account_id):
            return GoOn(here.journey, Facts())
        others = [proof for proof in _counting(here, account_id) if proof.method != "password"]
        credentials.replace_password(account_id, kept["verifier"], keep_sessions=kept["others"] == "stay")
        notices.password_changed(account_id, device=visitor.device)
        proofs = (*others, _kept(here, "new-password", "password"))
        return SignedIn(_start(here, account_id, proofs, visitor), said="password-changed")


FINISHES: dict[str, Callable[[Here, Visitor], SignedIn | GoOn]] = {
    "open_account": open_account,
    "start_session": start_session,
    "replace_password": replace_password,
    "change_password": change_password,
}


def _given(here: Here, account_id: str) -> list[Proof]:
    """What was proved in this journey about the account; what the session proved is its own already."""
    return [_proof(proof) for proof in here.facts.proofs if proof.about == f"account:{account_id}"]


def _counting(here: Here, account_id: str) -> list[Proof]:
    """What was proved about the account, in this journey or before by the session that speaks for it."""
    known = (proof for proof in here.situation.facts.proofs if proof.about == f"account:{account_id}")
    return [_proof(proof) for proof in known if proof.method != REMEMBERED]


def _proof(proof: StepProof) -> Proof:
    return Proof(**{name: getattr(proof, name) for name in Proof.__struct_fields__})


def _still_stands(here: Here, account_id: str) -> bool:
    """Inside a transaction: whether nothing has overtaken the proofs a change rests on, a reset for one (SR-63)."""
    passwords = [proof.at for proof in _given(here, account_id) if proof.method == "password"]
    if not credentials.still_stand(account_id, passwords):
        return False
    return here.session is None or sessions.counts(here.session.sid)


def _owner(here: Here) -> str:
    """The account that a change is about: the one it was asked for, and no other that was signed in to meanwhile."""
    account_id = here.situation.account_id
    if account_id is None or account_id != here.record.wanted.account_id:
        raise PermissionError("a change of another account than the one it was asked for")
    return account_id


def _kept(here: Here, step: str, method: str | None = None) -> Proof:
    kept = here.facts.bound[step]
    at = datetime.fromisoformat(kept["at"])
    return Proof(method=method or kept["method"], at=at, until=at + here.tools.proof_life)


def _start(here: Here, account_id: str, proofs: Sequence[Proof], visitor: Visitor) -> str:
    return sessions.start(
        here.tools.store,
        here.tools.settings.sessions,
        account_id,
        proofs,
        device=visitor.device,
        replaces=visitor.session_id,
    )
