"""The phone of an account: another number at once, another one after a wait, or none.

A number counts at once where a factor of the account's own answered for it. Where only an eID or support did, it waits,
and until then the old phone serves and may keep it out (DESIGN §6, SR-62).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from idp import clock
from idp.rules import factor_policy, spelled_codes
from idp.rules.factor_policy import PHONE
from idp.services import accounts, credentials, notices, sessions
from idp.settings import Recovery
from idp.stores.durable import accounts as kept
from idp.stores.durable import audit, undoable_changes
from idp.stores.durable import credentials as stored
from idp.stores.durable.db import transaction
from idp.stores.durable.undoable_changes import Undoable

Number = Mapping[str, str]
"""A proved number: `e164`, and `takes_sms` as `yes` or `no`."""


def replace(account_id: str, number: Number, *, device: str = "") -> None:
    """This number counts from now on; everybody is signed out, the old number hears of it (SR-42, SR-63).

    Joins the caller's transaction.
    """
    with transaction():
        kept.hold(account_id)
        before = stored.phone_of(account_id)
        accounts.set_phone(account_id, number)
        undoable_changes.drop(account_id, kind="phone")
        for factor in PHONE:  # guesses at codes to the old number say nothing about the new one: SR-17
            credentials.factor_changed(account_id, factor)
        sessions.end_all(account_id, reason="phone replaced")
        notices.phone_changed(account_id, before=before, number=number["e164"], device=device)


def replace_later(account_id: str, number: Number, *, settings: Recovery, device: str) -> datetime:
    """This number counts after a wait, and when; old number and addresses hear of it at once, with a code to undo it.

    It takes the place of any that waits already. Joins the caller's transaction.
    """
    now = clock.now()
    until = now + timedelta(seconds=settings.phone_wait)
    code = spelled_codes.make()
    with transaction():
        kept.hold(account_id)
        undoable_changes.drop(account_id, kind="phone")
        values = {"e164": number["e164"], "takes_sms": number["takes_sms"]}
        undoable_changes.keep(account_id, "phone", values, code, now=now, until=until)
        audit.record("phone.pending", account_id=account_id)
        notices.phone_pending(
            account_id,
            before=stored.phone_of(account_id),
            number=number["e164"],
            code=code,
            hours=settings.phone_wait // 3600,
            device=device,
        )
    return until


def remove(account_id: str) -> bool:
    """Sign in without a phone from now on. False where no second step would be left that stays (SR-62).

    Joins the caller's transaction.
    """
    with transaction():
        kept.hold(account_id)
        before = stored.phone_of(account_id)
        if before is None or not may_go(account_id):
            return False
        stored.remove_phone(account_id)
        for factor in PHONE:
            credentials.factor_changed(account_id, factor)
        undoable_changes.drop(account_id, kind="phone")
        sessions.end_all(account_id, reason="phone removed")
        audit.record("phone.removed", account_id=account_id)
        notices.phone_removed(account_id, before=before)
    return True


def may_go(account_id: str) -> bool:
    """Whether the account can be signed in to without its phone."""
    return factor_policy.leaves_a_second_step(name for name in credentials.enrolled(account_id) if name not in PHONE)


def waiting(account_id: str) -> Undoable | None:
    """The number that will count after a wait, if there is one."""
    found = undoable_changes.of_account(account_id, now=clock.now())
    return next((one for one in found if one.kind == "phone"), None)


def settle(account_id: str | None = None) -> None:
    """Let numbers count whose wait is over: of one account, or of all. Each exactly once, whoever comes first."""
    for due in undoable_changes.due(now=clock.now(), account_id=account_id):
        with transaction():
            kept.hold(due.account_id)
            if undoable_changes.carry_out(due.id, now=clock.now()):
                replace(due.account_id, due.values)
