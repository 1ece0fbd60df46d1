"""Erasure: asked for by its owner, taken back within days, then carried out to the last trace (SR-126).

While it waits the account counts for nothing: no session, no token, no client. Its owner may sign in to keep it.
An id is 128 random bits and never given out again, so no list of those that are gone is needed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from idp import clock
from idp.delivery import outbox
from idp.rules.identifiers import email_address
from idp.services import notices, sessions, throttling
from idp.stores.durable import accounts, audit, former_addresses
from idp.stores.durable import sessions as listed
from idp.stores.durable.accounts import Account
from idp.stores.durable.db import scrub, transaction
from idp.stores.shortlived import sessions as live
from idp.stores.shortlived.contract import ShortLived


def ask(account_id: str, *, days: int, device: str = "") -> datetime | None:
    """Close the account, and say when it will be erased. None when it is not open. Joins the caller's transaction."""
    now = clock.now()
    at = now + timedelta(days=days)
    with transaction():
        if not accounts.leave(account_id, at=at, now=now):
            return None
        sessions.end_all(account_id, reason="the account will be deleted")
        notices.leaving(account_id, at=at, device=device)
        audit.record("account.leaving", account_id=account_id)
    return at


def take_back(account_id: str) -> bool:
    """Open the account again. False when its time has come, or when nobody had asked."""
    with transaction():
        stays = accounts.stay(account_id, now=clock.now())
        if stays:
            audit.record("account.stayed", account_id=account_id)
    return stays


def due_at(account_id: str) -> datetime | None:
    """When the account will be erased, where that was asked for."""
    account = accounts.by_id(account_id)
    return account.leaves_at if account else None


def carry_out(store: ShortLived) -> int:
    """Erase the accounts whose time has come; how many. For the worker."""
    return sum(erase(store, account_id) for account_id in accounts.leaving(until=clock.now()))


def erase(store: ShortLived, account_id: str) -> bool:
    """Erase an account now. True for the first caller only."""
    with transaction():
        accounts.hold(account_id)  # whoever comes second waits, and finds nobody
        account = accounts.by_id(account_id)
        if account is None:
            return False
        sessions.end_all(account_id, reason="the account is deleted")
        for row in listed.of_account(account_id):
            live.erase(store, row.sid)
        _withdraw_messages(account)
        throttling.erase(account_id, email_address(account.email).canonical)
        notices.erased(account)
        accounts.erase(account_id)
        audit.record("account.erased", account_id=account_id)
        audit.cut_link(account_id)
    scrub()
    return True


def _withdraw_messages(account: Account) -> None:
    """What waits for the addresses. A number may be somebody else's, too, and nothing was sent there for days."""
    left = former_addresses.of_account(account.id, now=clock.now())
    for message_id in outbox.waiting_for({account.email, *left}):
        outbox.withdraw(message_id)
