"""The word after `then`: what a complete journey asks of the services, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from idp import clock
from idp.journeys.facts import Facts
from idp.journeys.record import Here, Visitor
from idp.rules.assurance import Proof
from idp.services import accounts, consents, credentials, notices, sessions, throttling
from idp.services.accounts import AddressTaken
from idp.stores.durable.db import transaction


@dataclass(frozen=True, slots=True)
class SignedIn:
    """It is done: the browser's session from now on."""

    session_id: str


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
    about = f"account:{account_id}"
    proofs = [
        Proof(**{name: getattr(proof, name) for name in Proof.__struct_fields__})
        for proof in here.situation.facts.proofs
        if proof.step and proof.about == about  # those of the session are its own already
    ]
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
        return SignedIn(_start(here, account_id, proofs, visitor))


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


FINISHES: dict[str, Callable[[Here, Visitor], SignedIn | GoOn]] = {
    "open_account": open_account,
    "start_session": start_session,
    "replace_password": replace_password,
}


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
