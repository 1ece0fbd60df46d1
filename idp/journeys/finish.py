"""The word after `then`: what a complete journey asks of the services, in one transaction."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from idp import clock
from idp.journeys import devices, finish_codes, finish_contact, finish_passkeys, recovery_codes
from idp.journeys.closing import (
    GoOn,
    SignedIn,
    counting,
    given,
    has_keys,
    kept,
    owner,
    start,
    still_stand,
    still_stands,
)
from idp.journeys.facts import Facts
from idp.journeys.record import Here, Visitor
from idp.services import (
    accounts,
    addresses,
    consents,
    credentials,
    erasure,
    new_browsers,
    notices,
    second_factors,
    throttling,
)
from idp.services.accounts import AddressTaken
from idp.stores.durable.db import transaction


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
            new_browsers.greet(account_id, visitor.known, device=visitor.device, tell=False)
            notices.welcome(account_id, locale=visitor.locale)
            proofs = (kept(here, "password", "password"), kept(here, "phone-code"))
            if "offer" in facts.answers:  # one thing more, for an account that is there already
                return finish_passkeys.offered(here, account_id, proofs)
            started = start(here, account_id, proofs, visitor)
    except AddressTaken:
        # Another sign-up with this address came first: the ordinary "you have an account" page (SR-49).
        known = addresses.owner(address["canonical"])
        return GoOn("sign-up", replace(facts, address_account=known.id if known else None))
    return SignedIn(started)


def start_session(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """Sign-in: a session with the proofs just given, a phone that was missing, what was agreed to."""
    account_id = here.situation.account_id or ""
    proofs = given(here, account_id)
    consent = here.facts.answers.get("consent")
    with transaction():
        if not still_stand(here, account_id):
            return GoOn("sign-in", Facts())
        if "phone-code" in here.facts.bound and not here.situation.enrolled:
            accounts.set_phone(account_id, here.facts.answers["phone"])
            proofs.append(kept(here, "phone-code"))
        if consent is not None:
            wanted = here.record.wanted
            consents.give(account_id, wanted.client.client_id, consent["scopes"].split(), wanted.records)
        finish_passkeys.keep(here, account_id, visitor)
        if not proofs and visitor.session_id is not None:
            return SignedIn(visitor.session_id)
        credentials.tell_if_weaker(account_id, [proof.method for proof in proofs], device=visitor.device)
        new_browsers.greet(account_id, visitor.known, device=visitor.device)
        held = devices.remembered(here, visitor, account_id, proofs)
        proofs += devices.recognised(here, visitor, account_id, proofs)
        onward = recovery_codes.anew_at(here.facts)
        return SignedIn(start(here, account_id, proofs, visitor), remembered=held, onward=onward)


def replace_password(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """Reset: the new password; every session and refresh family ends; all addresses hear of it (SR-63)."""
    account_id = here.facts.address_account or ""
    new = here.facts.bound["new-password"]
    with transaction():
        instants = [proof.at for proof in here.facts.proofs]
        if not credentials.still_stand(account_id, instants) or not has_keys(here, account_id):
            return GoOn("reset", Facts())
        if not second_factors.app_stands(account_id, [one.at for one in here.facts.proofs if one.method == "totp"]):
            return GoOn("reset", Facts())
        credentials.replace_password(account_id, new["verifier"])
        accounts.end_recoveries(account_id)
        throttling.password_replaced(throttling.address_key(accounts.address_of(account_id).canonical))
        notices.password_changed(account_id, device=visitor.device)
    proof = here.facts.proofs[-1]
    about = f"account:{account_id}"
    password = replace(proof, step="login", method="password", about=about, at=clock.now())
    facts = replace(here.facts.cut(("login", "new-password")), account_id=account_id)
    return GoOn("sign-in", facts.proved(password))


def change_password(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """The new password of somebody signed in. Other devices are signed out, unless they want it otherwise (SR-11)."""
    new = here.facts.bound["new-password"]
    account_id = owner(here)
    with transaction():
        if not still_stands(here, account_id):
            return GoOn(here.journey, Facts())
        others = [proof for proof in counting(here, account_id) if proof.method != "password"]
        credentials.replace_password(account_id, new["verifier"], keep_sessions=new["others"] == "stay")
        notices.password_changed(account_id, device=visitor.device)
        proofs = (*others, kept(here, "new-password", "password"))
        return SignedIn(start(here, account_id, proofs, visitor), said="password-changed")


def prove_owner(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """Nothing is changed: the owner was proved anew, and may look at what only the owner may (SR-126)."""
    account_id = owner(here)
    with transaction():
        if not still_stands(here, account_id):
            return GoOn(here.journey, Facts())
        return SignedIn(start(here, account_id, given(here, account_id), visitor), said="owner-proved")


def leave(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """The account is closed, and erased in some days; nobody is signed in to it any more (SR-126)."""
    account_id = owner(here)
    with transaction():
        if not still_stands(here, account_id):
            return GoOn(here.journey, Facts())
        erasure.ask(account_id, days=here.tools.settings.retention.erasure_days, device=visitor.device)
        return SignedIn(visitor.session_id or "")


FINISHES: dict[str, Callable[[Here, Visitor], SignedIn | GoOn]] = {
    "open_account": open_account,
    "start_session": start_session,
    "replace_password": replace_password,
    "change_password": change_password,
    **finish_contact.FINISHES,
    **finish_codes.FINISHES,
    **finish_passkeys.FINISHES,
    "prove_owner": prove_owner,
    "leave": leave,
}
