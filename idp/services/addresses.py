"""The address of an account: change it, bring the old one back, and to whom an address belongs.

An address that was left is kept for its account for some days (page spec §11, S-EMAIL): a reset asked for it still
goes there, and nobody else opens an account with it. It takes a second factor as any reset does.
"""

from __future__ import annotations

from datetime import timedelta

from idp import clock
from idp.rules import spelled_codes
from idp.services import notices
from idp.services.accounts import address_of
from idp.settings import Recovery
from idp.stores.durable import accounts, audit, former_addresses, undoable_changes
from idp.stores.durable.accounts import Account, AddressTaken
from idp.stores.durable.db import transaction
from idp.stores.durable.undoable_changes import Undoable

__all__ = ["AddressTaken", "change", "owner", "restore"]


def owner(canonical: str) -> Account | None:
    """The account whose address this is, or was until some days ago."""
    found = accounts.by_address(canonical)
    if found is not None:
        return found
    before = former_addresses.owner(canonical, now=clock.now())
    return accounts.by_id(before) if before else None


def change(account_id: str, *, canonical: str, typed: str, settings: Recovery, device: str) -> None:
    """Give an account an address that was just proved; the old one hears of it, with a code to undo it (SR-66).

    Joins the caller's transaction. Raises `AddressTaken` for an address of another account, former ones included.
    """
    now = clock.now()
    with transaction():
        accounts.hold(account_id)
        left = address_of(account_id)
        accounts.set_address(account_id, canonical, typed, now=now)
        # After the write: whoever gave this address up in the same moment has kept it by now.
        if former_addresses.owner(canonical, now=now) not in (None, account_id):
            raise AddressTaken
        former_addresses.drop(canonical, account_id)
        until = now + timedelta(seconds=settings.former_address)
        former_addresses.keep(account_id, left.canonical, left.typed, now=now, until=until)
        code = spelled_codes.make()
        undo_until = now + timedelta(seconds=settings.address_undo)
        values = {"typed": left.typed, "canonical": left.canonical}
        undoable_changes.keep(account_id, "email", values, code, now=now, until=undo_until)
        audit.record("email.changed", account_id=account_id)
        hours = settings.address_undo // 3600
        notices.address_changed(account_id, left=left.typed, code=code, hours=hours, device=device)


def restore(undoable: Undoable) -> None:
    """The old address again, for a change that was just undone: what came after it falls with it."""
    account_id, now = undoable.account_id, clock.now()
    with transaction():
        undone = address_of(account_id).typed
        accounts.set_address(account_id, undoable.values["canonical"], undoable.values["typed"], now=now)
        former_addresses.drop_since(account_id, since=undoable.begun_at)
        undoable_changes.drop(account_id, kind="email", since=undoable.begun_at)
        audit.record("email.restored", account_id=account_id)
        notices.undone(account_id, besides=undone)
