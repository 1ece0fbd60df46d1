"""What a journey with passkeys comes to: one more, one less, or one that was offered on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from idp import clock
from idp.journeys import passkeys as steps
from idp.journeys.closing import GoOn, SignedIn, counting, owner, start, still_stands
from idp.journeys.facts import Facts, StepProof
from idp.journeys.record import Here, Visitor
from idp.rules.assurance import Proof
from idp.rules.factor_policy import leaves_a_second_step
from idp.services import credentials, passkeys
from idp.stores.durable.db import transaction


def add_passkey(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """A passkey more. It is told to the owner, and the browser gets a new session (SR-42, SR-53)."""
    account_id = owner(here)
    with transaction():
        if not still_stands(here, account_id):
            return GoOn(here.journey, Facts())
        said = "passkey-made" if keep(here, account_id, visitor) else "passkey-not-made"
        return SignedIn(start(here, account_id, counting(here, account_id), visitor), said=said)


def remove_passkey(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """A passkey less; other devices are signed out. Never the last second step of an account (SR-62)."""
    account_id, sid = owner(here), here.session.sid if here.session else None
    with transaction():
        if not still_stands(here, account_id):
            return GoOn(here.journey, Facts())
        left = [name for name in credentials.enrolled(account_id) if name != "passkey"]
        if passkeys.count(account_id) == 1 and not leaves_a_second_step(left):
            said = "only-second-step"
        elif passkeys.remove(account_id, here.record.wanted.subject, device=visitor.device, except_sid=sid):
            said = "passkey-removed"
        else:
            said = ""
        return SignedIn(start(here, account_id, counting(here, account_id), visitor), said=said)


FINISHES: dict[str, Callable[[Here, Visitor], SignedIn | GoOn]] = {
    "add_passkey": add_passkey,
    "remove_passkey": remove_passkey,
}


def keep(here: Here, account_id: str, visitor: Visitor) -> bool:
    """Keep the passkey that this journey has made. One that is an account's already, or too many, is not kept."""
    made = steps.kept(here)
    if made is None:
        return False
    try:
        passkeys.add(account_id, made, device=visitor.device)
    except passkeys.NotKept:
        return False
    return True


def offered(here: Here, account_id: str, proofs: Sequence[Proof]) -> GoOn:
    """On from a sign-up: signed in by its two steps, once the offer is answered.

    The password counts from when it was kept.
    """
    about, now = f"account:{account_id}", clock.now()
    known = [
        StepProof(step=step, about=about, method=proof.method, at=at, until=proof.until)
        for step, at, proof in zip(("login", "second-step"), (now, proofs[1].at), proofs, strict=True)
    ]
    facts = Facts(account_id=account_id, proofs=tuple(known))
    return GoOn("sign-in", facts.answered("offer", **here.facts.answers["offer"]))
