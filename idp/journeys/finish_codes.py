"""How changes of authenticator app and recovery codes end: each in one transaction, with a new session (SR-53)."""

from __future__ import annotations

from collections.abc import Callable

from idp.journeys import app_setup, recovery_codes
from idp.journeys.closing import GoOn, SignedIn, counting, kept, owner, start, still_stands
from idp.journeys.facts import Facts
from idp.journeys.record import Here, Visitor
from idp.services import second_factors
from idp.stores.durable.db import transaction


def keep_app(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """The app that was confirmed, in place of any before."""
    account_id = owner(here)
    with transaction():
        if not still_stands(here, account_id):
            return GoOn(here.journey, Facts())
        step = int(here.facts.bound[app_setup.STEP]["time_step"])
        second_factors.keep_app(account_id, app_setup.secret(here), step=step, device=visitor.device)
        proofs = (*counting(here, account_id), kept(here, app_setup.STEP))
        return SignedIn(start(here, account_id, proofs, visitor), said="app-added")


def remove_app(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """Without the app, unless that would leave no second step."""
    account_id = owner(here)
    with transaction():
        if not still_stands(here, account_id):
            return GoOn(here.journey, Facts())
        gone = second_factors.remove_app(account_id, device=visitor.device)
        said = "app-removed" if gone else "app-kept"
        return SignedIn(start(here, account_id, counting(here, account_id), visitor), said=said)


def keep_codes(here: Here, visitor: Visitor) -> SignedIn | GoOn:
    """The new recovery codes; with the same write the old ones are worth nothing."""
    account_id = owner(here)
    with transaction():
        if not still_stands(here, account_id):
            return GoOn(here.journey, Facts())
        fresh = [one.kept for one in recovery_codes.made(here.facts)]
        second_factors.keep_codes(account_id, fresh, device=visitor.device)
        proofs = counting(here, account_id)
        return SignedIn(start(here, account_id, proofs, visitor), said="recovery-codes-made")


FINISHES: dict[str, Callable[[Here, Visitor], SignedIn | GoOn]] = {
    "keep_app": keep_app,
    "remove_app": remove_app,
    "keep_recovery_codes": keep_codes,
}
