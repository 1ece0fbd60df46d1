"""Notices: what happened to an account, told to every proved address, old ones included (SR-42).

Each joins the caller's transaction: no notice of what did not happen. The worker looks every second.
"""

from __future__ import annotations

from datetime import timedelta

from idp import clock
from idp.delivery import outbox
from idp.delivery.outbox import Message
from idp.stores.durable import accounts
from idp.stores.durable.credentials import Phone

WORTH_TELLING_FOR = timedelta(days=3)
"""A notice that could not be sent for so long is given up."""


def welcome(account_id: str, *, locale: str) -> None:
    """M-13: the account is ready."""
    _mail(account_id, "M-13", {}, locale=locale)


def password_changed(account_id: str, *, device: str, place: str = "") -> None:
    """M-5: the password was changed or reset. `device` and `place` in plain words; empty when not known."""
    _mail(account_id, "M-5", {"device": device, "place": place})


def phone_changed(account_id: str, *, before: Phone | None, number: str, device: str, place: str = "") -> None:
    """M-8 by mail, and T-3 to the number that served until now. Only the new one's last two digits are told."""
    ending = number[-2:]
    _mail(account_id, "M-8", {"ending": ending, "device": device, "place": place})
    account = accounts.by_id(account_id)
    if account is not None and before is not None and before.takes_sms and before.number != number:
        _post(Message(kind="T-3", channel="sms", to=before.number, locale=account.locale, values={"ending": ending}))


def passkey_added(account_id: str, *, device: str) -> None:
    """M-9: a passkey was made."""
    _mail(account_id, "M-9", {"change": "passkey-added", "device": device})


def passkey_removed(account_id: str, *, device: str) -> None:
    """M-9: a passkey was removed."""
    _mail(account_id, "M-9", {"change": "passkey-removed", "device": device})


def weaker_step(account_id: str, *, used: str, device: str) -> None:
    """M-15: a second step was used though the account has a stronger one (SR-41)."""
    _mail(account_id, "M-15", {"used": used, "device": device})


def passkey_copied(account_id: str) -> None:
    """M-16: a passkey's counter went back, as that of a copy does; it was refused (SR-38)."""
    _mail(account_id, "M-16", {})


def other_person(account_id: str) -> None:
    """M-14: an eID of somebody else was tried on this account, and refused (SR-104)."""
    _mail(account_id, "M-14", {})


def _mail(account_id: str, kind: str, values: dict[str, str], *, locale: str | None = None) -> None:
    account = accounts.by_id(account_id)
    if account is not None:
        _post(Message(kind=kind, channel="email", to=account.email, locale=locale or account.locale, values=values))


def _post(message: Message) -> None:
    outbox.post(message, deliver_by=clock.now() + WORTH_TELLING_FOR)
