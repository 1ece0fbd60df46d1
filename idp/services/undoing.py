"""Undoing a change: by the code that the old address or number was told, or by its owner while signed in.

One conditional delete decides, so a change is undone once, and never after it took effect. By the code alone, the
password is worth nothing afterwards: whoever made the change knew it.
"""

from __future__ import annotations

import secrets

from idp import clock
from idp.rules import spelled_codes
from idp.services import addresses, credentials, notices, phones, sessions
from idp.services.hashing import Hashing
from idp.services.windows import Origin
from idp.stores.durable import accounts, audit, support_codes, undoable_changes
from idp.stores.durable.db import transaction
from idp.stores.durable.undoable_changes import Undoable
from idp.stores.shortlived.contract import ShortLived

__all__ = ["Undoable", "by_code", "by_owner", "forget", "may_try", "of_account"]

TRIES, TEN_MINUTES = 30, 600
"""Codes that may be typed without signing in, from one network in so many seconds; nobody guesses one (SR-34)."""


def may_try(store: ShortLived, origin: Origin) -> bool:
    """Count one code that is typed without signing in, if there may be one."""
    return store.count(f"undo:{origin.network}", window=TEN_MINUTES) <= TRIES


def of_account(account_id: str) -> list[Undoable]:
    """What may be undone of an account, the newest first."""
    return undoable_changes.of_account(account_id, now=clock.now())


def by_code(typed: str, hashing: Hashing) -> bool:
    """Undo what this code undoes. False for one that is wrong, used or past its time: nobody tells which."""
    code = spelled_codes.read(typed)
    found = undoable_changes.by_code(code) if code else None
    if code is None or found is None:
        audit.record("undo.refused", outcome="failure")
        return False
    if found.until <= clock.now():
        phones.settle(found.account_id)
        undoable_changes.forget(now=clock.now(), code=code)
        audit.record("undo.refused", account_id=found.account_id, outcome="failure", reason="past its time")
        return False
    unknown = hashing.make(secrets.token_urlsafe(32))
    with transaction():
        if not _undone(found):
            return False
        credentials.replace_password(found.account_id, unknown)
    return True


def by_owner(account_id: str, change_id: str) -> Undoable | None:
    """Undo a change of one's own; everybody is signed out. None when it is undone or in effect already.

    Joins the caller's transaction.
    """
    found = next((one for one in of_account(account_id) if one.id == change_id), None)
    with transaction():
        if found is None or not _undone(found):
            return None
        sessions.end_all(account_id, reason="change undone")
    return found


def forget() -> None:
    """Let what is due take effect, and what is past its time stand. For the worker."""
    phones.settle()
    undoable_changes.forget(now=clock.now())


def _undone(found: Undoable) -> bool:
    accounts.hold(found.account_id)
    if not undoable_changes.take(found.id, found.account_id, now=clock.now()):
        return False
    undoable_changes.drop(found.account_id, kind="phone")
    support_codes.drop(found.account_id)
    if found.kind == "email":
        addresses.restore(found)
    else:
        audit.record("phone.kept", account_id=found.account_id)
        notices.undone(found.account_id)
    return True
