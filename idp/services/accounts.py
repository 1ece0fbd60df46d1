"""Accounts: open, look at, lock and unlock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from argon2 import Type, extract_parameters
from argon2.exceptions import InvalidHashError

from idp import clock
from idp.rules.identifiers import EmailAddress, email_address
from idp.services import remembered_devices, sessions
from idp.services.hashing import IMPORTED
from idp.stores.durable import accounts, audit, credentials, former_addresses, support_codes, undoable_changes
from idp.stores.durable.accounts import Account, AddressTaken
from idp.stores.durable.db import transaction

__all__ = [
    "Account",
    "AddressTaken",
    "Person",
    "address_of",
    "bring_in",
    "by_address",
    "by_id",
    "end_recoveries",
    "lock",
    "looked_up",
    "open_account",
    "person",
    "prefer",
    "set_phone",
    "unlock",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What clients may learn of an account, by scope."""

    sub: str
    email: str = field(repr=False)
    email_verified: bool
    phone_number: str | None = field(repr=False)
    phone_number_verified: bool
    locale: str
    updated_at: datetime
    active: bool


def open_account(
    *, canonical: str, typed: str, locale: str, verifier: str | None, phone: Mapping[str, str] | None
) -> str:
    """Make an account of what a journey or an import has proved, and return its id.

    Joins the caller's transaction. Raises `AddressTaken` when another sign-up came first (SR-49).
    """
    now = clock.now()
    with transaction():
        account_id = accounts.create(canonical, typed, locale=locale, now=now)
        # After the insert: whoever gave this address up in the same moment has kept it for the account by now.
        if former_addresses.owner(canonical, now=now) is not None:
            raise AddressTaken
        if verifier is not None:
            credentials.set_password(account_id, verifier, now=now)
        if phone is not None:
            set_phone(account_id, phone)
        audit.record("account.opened", account_id=account_id)
    return account_id


def set_phone(account_id: str, phone: Mapping[str, str]) -> None:
    """Keep a proved number: `e164`, and `takes_sms` as `yes` or `no`."""
    with transaction():
        credentials.set_phone(account_id, phone["e164"], takes_sms=phone["takes_sms"] == "yes", now=clock.now())
        remembered_devices.forget_all(account_id)
        audit.record("phone.proved", account_id=account_id)


def bring_in(*, email: str, password_hash: str, locale: str) -> str:
    """Make an account of one that another system had: its address, and an argon2id hash as it kept it.

    The person proves a phone at the first sign-in, before anything else (DESIGN §6). Raises
    `Malformed` for the address, `AddressTaken`, and ValueError for a hash of another kind.
    """
    address = email_address(email)
    try:
        parameters = extract_parameters(password_hash)
    except InvalidHashError as problem:
        raise ValueError("password_hash must be an argon2id hash in PHC form ($argon2id$v=19$...)") from problem
    if parameters.type is not Type.ID:
        raise ValueError("password_hash must be argon2id")
    return open_account(
        canonical=address.canonical,
        typed=address.typed,
        locale=locale,
        verifier=f"{IMPORTED}${password_hash}",
        phone=None,
    )


def by_address(canonical: str) -> Account | None:
    """The account of an address in its canonical form."""
    return accounts.by_address(canonical)


def address_of(account_id: str) -> EmailAddress:
    """The address of an account, as typed and as it is looked up. Raises LookupError."""
    account = accounts.by_id(account_id)
    if account is None:
        raise LookupError(account_id)
    return email_address(account.email)


def by_id(account_id: str) -> Account | None:
    """The account of an id."""
    return accounts.by_id(account_id)


def looked_up(*, account_id: str | None = None, canonical: str | None = None) -> Account | None:
    """An account as an administrator finds it; the look-up itself is audited (SR-127)."""
    account = accounts.by_address(canonical) if canonical is not None else accounts.by_id(account_id or "")
    with transaction():
        audit.record("person.looked_up", account_id=account.id if account else None)
    return account


def person(account_id: str) -> Person | None:
    """What may be told to clients that hold the scopes for it."""
    account = accounts.by_id(account_id)
    if account is None:
        return None
    phone = credentials.phone_of(account_id)
    return Person(
        sub=account.id,
        email=account.email,
        email_verified=True,
        phone_number=phone.number if phone else None,
        phone_number_verified=phone is not None,
        locale=account.locale,
        updated_at=account.updated_at,
        active=account.active,
    )


def lock(account_id: str) -> bool:
    """Lock an account: every way in ends at once (SR-60). False when there is none."""
    return _set_status(account_id, "locked")


def unlock(account_id: str) -> bool:
    """Let the person in again. Sessions and tokens that ended stay ended."""
    return _set_status(account_id, "active")


def end_recoveries(account_id: str) -> None:
    """No phone that waits takes effect, and no code of support counts any more (SR-46, SR-63).

    What may be undone of an address stays so: a reset must not be the way around it. Joins the caller's transaction.
    """
    with transaction():
        undoable_changes.drop(account_id, kind="phone")
        support_codes.drop(account_id)


def prefer(account_id: str, *, locale: str, time_zone: str) -> None:
    """Speak this language to the person, and tell clock times in this zone: on pages and in notices."""
    with transaction():
        accounts.prefer(account_id, locale=locale, time_zone=time_zone, now=clock.now())
        audit.record("preferences.changed", account_id=account_id)


def _set_status(account_id: str, status: str) -> bool:
    with transaction():
        changed = accounts.set_status(account_id, status, now=clock.now())
        if changed and status == "locked":
            sessions.end_all(account_id, reason="account locked")
            end_recoveries(account_id)
        if changed:
            audit.record(f"account.{status}", account_id=account_id)
    return changed
