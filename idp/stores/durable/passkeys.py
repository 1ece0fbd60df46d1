"""Passkeys: the public key of each, how far its counter has come, and the handle that stands for its owner.

A use is one conditional write: it counts for a passkey that is still there, never twice for one challenge, and never
with a counter that did not go on (WebAuthn L3 §7.2 step 22).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    func,
    or_,
    select,
    update,
)

from idp.rules.passkeys import NewPasskey
from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.upserts import insert

MOST = 20
"""Passkeys of one account: more than anybody has devices."""

passkeys = Table(
    "passkeys",
    db.metadata,
    Column("id", String(32), primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("credential_id", LargeBinary(1023), nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("newest_challenge", LargeBinary(32)),
    Column("transports", String(120), nullable=False),
    Column("aaguid", String(36), nullable=False),
    Column("may_be_synced", Boolean, nullable=False),
    Column("is_synced", Boolean, nullable=False),
    Column("name", String(60), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
)

passkey_owners = Table(
    "passkey_owners",
    db.metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("handle", LargeBinary(64), nullable=False, unique=True),
)
"""The user handle of an account: random, so that an authenticator keeps nothing that says who it is (WebAuthn L3
§14.6.1). It is not the `sub` either: that would tie what a device holds to what clients know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey of an account. `name` is what its owner calls it; empty until they do."""

    id: str
    account_id: str
    credential_id: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    sign_count: int
    transports: tuple[str, ...]
    aaguid: str
    may_be_synced: bool
    is_synced: bool
    name: str
    created_at: datetime
    last_used_at: datetime | None


class Use(StrEnum):
    """What became of a use."""

    COUNTED = "counted"
    GONE = "removed"
    AGAIN = "used again"
    WENT_BACK = "counter went back"


class NotKept(Exception):
    """The passkey is an account's already, or the account has all that it may have."""


def handle_of(account_id: str) -> bytes:
    """The user handle of an account, made when it is first asked for."""
    statement = select(passkey_owners.c.handle).where(passkey_owners.c.account_id == account_id)
    with transaction() as connection:
        made = insert(connection, passkey_owners).values(account_id=account_id, handle=secrets.token_bytes(32))
        connection.execute(made.on_conflict_do_nothing())
        handle: bytes = connection.execute(statement).scalar_one()
    return handle


def add(account_id: str, new: NewPasskey, *, now: datetime) -> str:
    """Keep a passkey; its id. Joins the caller's transaction. Raises `NotKept`."""
    id = secrets.token_urlsafe(12)
    with transaction() as connection:
        owner = select(passkey_owners.c.account_id).where(passkey_owners.c.account_id == account_id)
        connection.execute(owner.with_for_update())  # whoever adds another at this moment waits, and counts this one
        count = connection.execute(select(func.count()).where(passkeys.c.account_id == account_id)).scalar_one()
        if count >= MOST:
            raise NotKept("as many as an account may have")
        row = {
            "id": id,
            "account_id": account_id,
            "credential_id": new.credential_id,
            "public_key": new.public_key,
            "sign_count": new.sign_count,
            "transports": " ".join(new.transports),
            "aaguid": new.aaguid,
            "may_be_synced": new.may_be_synced,
            "is_synced": new.is_synced,
            "name": "",
            "created_at": now,
        }
        statement = insert(connection, passkeys).values(row).on_conflict_do_nothing()
        if connection.execute(statement.returning(passkeys.c.id)).first() is None:
            raise NotKept("known already")
    return id


def by_credential(credential_id: bytes) -> tuple[Passkey, bytes] | None:
    """The passkey of a credential id, and the user handle of its owner."""
    statement = (
        select(passkeys, passkey_owners.c.handle)
        .join(passkey_owners, passkey_owners.c.account_id == passkeys.c.account_id)
        .where(passkeys.c.credential_id == credential_id)
    )
    with reading() as connection:
        row = connection.execute(statement).first()
    return None if row is None else (_passkey(row), row.handle)


def of_account(account_id: str) -> list[Passkey]:
    """The passkeys of an account, the oldest first."""
    statement = select(passkeys).where(passkeys.c.account_id == account_id).order_by(passkeys.c.created_at)
    with reading() as connection:
        return [_passkey(row) for row in connection.execute(statement)]


def count(account_id: str) -> int:
    """How many passkeys an account has."""
    with reading() as connection:
        return connection.execute(select(func.count()).where(passkeys.c.account_id == account_id)).scalar_one()


def use(id: str, *, sign_count: int, is_synced: bool, challenge: bytes, now: datetime) -> Use:
    """Let this use count, if it may. Of any number of uses of one challenge only one ever does."""
    p = passkeys.c
    went_on = p.sign_count < sign_count if sign_count else p.sign_count == 0  # many never count: that is well, too
    fresh = or_(p.newest_challenge.is_(None), p.newest_challenge != challenge)
    values = {"sign_count": sign_count, "is_synced": is_synced, "newest_challenge": challenge, "last_used_at": now}
    with transaction() as connection:
        if connection.execute(update(passkeys).where(p.id == id, fresh, went_on).values(values)).rowcount == 1:
            return Use.COUNTED
        row = connection.execute(select(p.newest_challenge).where(p.id == id)).first()
    if row is None:
        return Use.GONE
    return Use.AGAIN if row.newest_challenge == challenge else Use.WENT_BACK


def rename(account_id: str, id: str, name: str) -> bool:
    """Give it another name. False when the account has no such passkey."""
    statement = update(passkeys).where(passkeys.c.id == id, passkeys.c.account_id == account_id).values(name=name)
    with transaction() as connection:
        return connection.execute(statement).rowcount == 1


def remove(account_id: str, id: str) -> bool:
    """Forget a passkey. False when the account has no such passkey (any more)."""
    with transaction() as connection:
        statement = delete(passkeys).where(passkeys.c.id == id, passkeys.c.account_id == account_id)
        return connection.execute(statement).rowcount == 1


def hold(account_id: str, ids: Sequence[str]) -> bool:
    """Whether the account still has all of these. Nobody removes one until the caller's transaction ends."""
    wanted = set(ids)
    if not wanted:
        return True
    statement = select(passkeys.c.id).where(passkeys.c.account_id == account_id, passkeys.c.id.in_(wanted))
    with transaction() as connection:
        found = connection.execute(statement.with_for_update(read=True)).scalars()
        return set(found) == wanted


def _passkey(row: Row[Any]) -> Passkey:
    return Passkey(
        id=row.id,
        account_id=row.account_id,
        credential_id=row.credential_id,
        public_key=row.public_key,
        sign_count=row.sign_count,
        transports=tuple(row.transports.split()),
        aaguid=row.aaguid,
        may_be_synced=row.may_be_synced,
        is_synced=row.is_synced,
        name=row.name,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )
