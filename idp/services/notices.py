"""Notices: what happened to an account, told to every proved address, old ones included (SR-42).

Each joins the caller's transaction: no notice of what did not happen. The worker looks every second.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from idp import clock
from idp.delivery import outbox
from idp.delivery.outbox import Message
from idp.rules import spelled_codes
from idp.stores.durable import accounts, former_addresses
from idp.stores.durable.accounts import Account
from idp.stores.durable.credentials import Phone
from idp.stores.durable.db import transaction

WORTH_TELLING_FOR = timedelta(days=3)
"""A notice that could not be sent for so long is given up."""


def welcome(account_id: str, *, locale: str) -> None:
    """M-13: the account is ready."""
    _mail(account_id, "M-13", {}, locale=locale)


def password_changed(account_id: str, *, device: str, place: str = "") -> None:
    """M-5: the password was changed or reset. `device` and `place` in plain words; empty when not known."""
    _mail(account_id, "M-5", {"device": device, "place": place})


def new_device(account_id: str, *, device: str, place: str = "") -> None:
    """M-6: a sign-in in a browser that was never signed in before."""
    _mail(account_id, "M-6", {"device": device, "place": place})


def many_attempts(account: Account | None) -> None:
    """M-11: many wrong passwords in a row. Where there is no account as much is done, and nothing sent (SR-10)."""
    to, locale = (account.email, account.locale) if account else ("", "")
    zone = (account.time_zone if account else None) or ""
    message = Message(kind="M-11", channel="email", to=to, locale=locale, values={}, time_zone=zone)
    with transaction():
        posted = outbox.post(message, deliver_by=clock.now() + WORTH_TELLING_FOR)
        if account is None:
            outbox.withdraw(posted)


def phone_changed(account_id: str, *, before: Phone | None, number: str, device: str, place: str = "") -> None:
    """M-8 by mail, and T-3 to the number that served until now. Only the new one's last two digits are told."""
    ending = number[-2:]
    _mail(account_id, "M-8", {"ending": ending, "device": device, "place": place})
    if before is not None and before.number != number:
        _text(account_id, "T-3", before, {"ending": ending})


def phone_pending(
    account_id: str, *, before: Phone | None, number: str, code: str, hours: int, device: str, place: str = ""
) -> None:
    """M-23 by mail, and T-6 to the number that serves meanwhile: another will count, and the code that keeps it out."""
    told = {"ending": number[-2:], "undo_code": spelled_codes.spelled(code), "hours": str(hours)}
    _mail(account_id, "M-23", {**told, "device": device, "place": place})
    if before is not None:
        _text(account_id, "T-6", before, told)


def phone_removed(account_id: str, *, before: Phone) -> None:
    """M-8 by mail, and T-7 to the number that served until now."""
    _mail(account_id, "M-8", {"ending": ""})
    _text(account_id, "T-7", before, {})


def address_changed(account_id: str, *, left: str, code: str, hours: int, device: str, place: str = "") -> None:
    """M-7 to every address; the one that was left gets the code that undoes it (SR-66)."""
    told = {"hours": str(hours), "device": device, "place": place}
    for address in _addresses(account_id):
        spelled = spelled_codes.spelled(code) if address == left else ""
        _mail(account_id, "M-7", {**told, "undo_code": spelled}, to=(address,))


def undone(account_id: str, *, besides: str | None = None) -> None:
    """M-24: a change was undone. `besides` is an address that belongs to the account no longer."""
    _mail(account_id, "M-24", {}, to=(*_addresses(account_id), *((besides,) if besides else ())))


def support_started(account_id: str) -> None:
    """M-26: support has begun to help somebody who says they are this person."""
    _mail(account_id, "M-26", {})


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


def app_added(account_id: str, *, device: str) -> None:
    """M-9: an authenticator app was set up."""
    _mail(account_id, "M-9", {"change": "app-added", "device": device})


def app_removed(account_id: str, *, device: str) -> None:
    """M-9: an authenticator app was removed."""
    _mail(account_id, "M-9", {"change": "app-removed", "device": device})


def recovery_codes_made(account_id: str, *, device: str) -> None:
    """M-10: there are new recovery codes."""
    _mail(account_id, "M-10", {"left": "", "device": device})


def recovery_code_used(account_id: str, *, left: int, device: str) -> None:
    """M-10: one was used; so many are left."""
    _mail(account_id, "M-10", {"left": str(left), "device": device})


def leaving(account_id: str, *, at: datetime, device: str) -> None:
    """M-12: the account will be deleted, and until then its owner may take that back."""
    _mail(account_id, "M-12", {"on": at.isoformat(), "device": device})


def erased(account: Account) -> None:
    """M-12, the second: the account is deleted. The address goes with this mail, which is the last."""
    _post_mail(account, "M-12-done", {}, to=account.email)


def other_person(account_id: str) -> None:
    """M-14: an eID of somebody else was tried on this account, and refused (SR-104)."""
    _mail(account_id, "M-14", {})


def _mail(
    account_id: str, kind: str, values: dict[str, str], *, locale: str | None = None, to: Sequence[str] = ()
) -> None:
    account = accounts.by_id(account_id)
    if account is None:
        return
    for address in to or _addresses(account_id):
        _post_mail(account, kind, values, to=address, locale=locale)


def _post_mail(account: Account, kind: str, values: dict[str, str], *, to: str, locale: str | None = None) -> None:
    zone, language = account.time_zone or "", locale or account.locale
    _post(Message(kind=kind, channel="email", to=to, locale=language, values=values, time_zone=zone))


def _addresses(account_id: str) -> tuple[str, ...]:
    """The address of an account, and those it has left some days ago (SR-42)."""
    account = accounts.by_id(account_id)
    return (account.email, *former_addresses.of_account(account_id, now=clock.now())) if account else ()


def _text(account_id: str, kind: str, phone: Phone, values: dict[str, str]) -> None:
    account = accounts.by_id(account_id)
    if account is not None and phone.takes_sms:
        _post(Message(kind=kind, channel="sms", to=phone.number, locale=account.locale, values=values))


def _post(message: Message) -> None:
    outbox.post(message, deliver_by=clock.now() + WORTH_TELLING_FOR)
