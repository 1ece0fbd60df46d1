"""The ends of changes of address and phone: what each asks of the services, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec.structs import replace

from idp.journeys.closing import GoOn, SignedIn, counting, kept, owner, start, still_stands
from idp.journeys.facts import Facts
from idp.journeys.record import Here, Visitor
from idp.rules.factor_policy import PHONE
from idp.services import addresses, phones, undoing
from idp.services.addresses import AddressTaken
from idp.stores.durable.db import transaction


def change_address(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """The address that was proved takes the place of the old one, which may undo it (SR-66). `sub` stays.

    Other devices stay signed in, so that whoever is changed against their will is not put out by it.
    """
    account_id, answer = owner(here), here.facts.answers["new-email"]
    settings = here.tools.settings.recovery
    if datetime.fromisoformat(answer["at"]) + timedelta(seconds=settings.pending_address) <= here.now:
        return GoOn(here.journey, here.facts.cut(("new-email", "new-email-code")))
    try:
        with transaction():
            if not still_stands(here, account_id):
                return GoOn(here.journey, Facts())
            addresses.change(
                account_id,
                canonical=answer["canonical"],
                typed=answer["typed"],
                settings=settings,
                device=visitor.device,
            )
            return SignedIn(start(here, account_id, counting(here, account_id), visitor), said="email-changed")
    except AddressTaken:  # somebody else was quicker: as for any address that is in use, its mailbox is told
        left = tuple(proof for proof in here.facts.proofs if proof.step != "new-email-code")
        return GoOn(here.journey, replace(here.facts, proofs=left))


def change_phone(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """The number that was proved takes the place of the old one, at once. Whoever else is signed in is signed out."""
    account_id = owner(here)
    with transaction():
        if not still_stands(here, account_id):
            return GoOn(here.journey, Facts())
        phones.replace(account_id, here.facts.answers["new-phone"], device=visitor.device)
        others = [proof for proof in counting(here, account_id) if proof.method not in PHONE]
        proofs = (*others, kept(here, "new-phone-code"))
        return SignedIn(start(here, account_id, proofs, visitor), said="phone-changed")


def remove_phone(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """No phone any more, where another second step is left; else nothing is changed, and the page says why."""
    account_id = owner(here)
    with transaction():
        if not still_stands(here, account_id):
            return GoOn(here.journey, Facts())
        said = "phone-removed" if phones.remove(account_id) else ""
        return SignedIn(start(here, account_id, counting(here, account_id), visitor), said=said)


def undo_change(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """What was changed is as before; whoever else is signed in is signed out."""
    account_id = owner(here)
    with transaction():
        if not still_stands(here, account_id):
            return GoOn(here.journey, Facts())
        undone = undoing.by_owner(account_id, here.record.wanted.subject)
        said = f"{undone.kind}-restored" if undone else ""
        return SignedIn(start(here, account_id, counting(here, account_id), visitor), said=said)


def replace_lost_phone(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """Another factor of the account's own has answered: the number counts now, and sign-in goes on with the proofs."""
    account_id = here.situation.account_id or ""
    with transaction():
        if not still_stands(here, account_id):
            return GoOn(here.journey, Facts())
        phones.replace(account_id, here.facts.answers["new-phone"], device=visitor.device)
    return GoOn("sign-in", here.facts.cut(("new-phone", "new-phone-code")))


def replace_lost_phone_later(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """Only an eID or support has answered: the number waits, and its owner hears of it. Nobody is signed in."""
    account_id = here.situation.account_id or ""
    number, settings = here.facts.answers["new-phone"], here.tools.settings.recovery
    with transaction():
        if not still_stands(here, account_id):
            return GoOn(here.journey, Facts())
        phones.replace_later(account_id, number, settings=settings, device=visitor.device)
    return GoOn(here.journey, here.facts.cut(("new-phone", "new-phone-code")))


FINISHES: dict[str, Callable[[Here, Visitor], SignedIn | GoOn]] = {
    "change_address": change_address,
    "change_phone": change_phone,
    "remove_phone": remove_phone,
    "undo_change": undo_change,
    "replace_lost_phone": replace_lost_phone,
    "replace_lost_phone_later": replace_lost_phone_later,
}
