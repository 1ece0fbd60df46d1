"""Notices: what happened to an account, told to every proved address (SR-42)."""

from __future__ import annotations

from datetime import timedelta

from idp import clock
from idp.delivery import outbox
from idp.delivery.outbox import Message
from idp.stores.durable import accounts

WORTH_TELLING_FOR = timedelta(days=3)
"""A notice that could not be sent for so long is given up."""


def welcome(account_id: str, *, locale: str) -> None:
    """M-13: the account is ready."""
    _tell(account_id, "M-13", device="", locale=locale)


def password_changed(account_id: str, *, device: str) -> None:
    """M-5: the password was changed or reset."""
    _tell(account_id, "M-5", device=device)


def _tell(account_id: str, kind: str, *, device: str, locale: str | None = None) -> None:
    account = accounts.by_id(account_id)
    if account is None:
        return
    message = Message(
        kind=kind, channel="email", to=account.email, locale=locale or account.locale, values={"device": device}
    )
    outbox.post(message, deliver_by=clock.now() + WORTH_TELLING_FOR)
    outbox.wake()
