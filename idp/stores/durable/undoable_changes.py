"""Changes of an account that may still be undone: of its address, which count already, and of a phone, which wait.

A row is there as long as its change may be undone, and is deleted by whoever ends that: the person who undoes it, or
the instant at which a phone takes effect. One conditional delete decides, so one of them wins, and a clock that steps
back revives nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Column, ColumnElement, ForeignKey, LargeBinary, Row, String, Table, delete, insert, select

from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.sealing import vault

undoable_changes = Table(
    "undoable_changes",
    db.metadata,
    Column("id", String(32), primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("until", Instant, nullable=False, index=True),
)

Kind = Literal["email", "phone"]


@dataclass(frozen=True, slots=True)
class Undoable:
    """One change: what was, what is or is to be, and until when it may be undone."""

    id: str
    account_id: str
    kind: Kind
    values: dict[str, str] = field(repr=False)
    begun_at: datetime
    until: datetime
    """A phone takes effect at this very instant."""


def keep(account_id: str, kind: Kind, values: dict[str, str], code: str, *, now: datetime, until: datetime) -> None:
    """Let this change be undone by `code`, of which a digest is kept. Joins the caller's transaction."""
    change_id, told = secrets.token_urlsafe(16), msgspec.json.encode(values).decode()
    with transaction() as connection:
        connection.execute(
            insert(undoable_changes).values(
                id=change_id,
                account_id=account_id,
                kind=kind,
                digest=_digest(code),
                sealed=vault().seal(told, place="undoable_changes.sealed", row=change_id),
                begun_at=now,
                until=until,
            )
        )


def by_code(code: str) -> Undoable | None:
    """The change that this code undoes, be its time over or not."""
    with reading() as connection:
        row = connection.execute(_all().where(undoable_changes.c.digest == _digest(code))).first()
    return _undoable(row) if row else None


def of_account(account_id: str, *, now: datetime) -> list[Undoable]:
    """What may be undone of an account, the newest first."""
    statement = _all().where(undoable_changes.c.account_id == account_id, undoable_changes.c.until > now)
    with reading() as connection:
        rows = connection.execute(statement.order_by(undoable_changes.c.begun_at.desc())).all()
    return [_undoable(row) for row in rows]


def take(change_id: str, account_id: str, *, now: datetime) -> bool:
    """Undo it: True for exactly one of any number of callers, and for none once its time is over."""
    return _delete(
        undoable_changes.c.id == change_id,
        undoable_changes.c.account_id == account_id,
        undoable_changes.c.until > now,
    )


def due(*, now: datetime, account_id: str | None = None) -> list[Undoable]:
    """The phones whose time has come; nothing is changed by looking."""
    statement = _all().where(undoable_changes.c.kind == "phone", undoable_changes.c.until <= now)
    if account_id is not None:
        statement = statement.where(undoable_changes.c.account_id == account_id)
    with reading() as connection:
        return [_undoable(row) for row in connection.execute(statement)]


def carry_out(change_id: str, *, now: datetime) -> bool:
    """Its time has come: True for exactly one caller, which then carries it out in the same transaction."""
    return _delete(undoable_changes.c.id == change_id, undoable_changes.c.until <= now)


def drop(account_id: str, *, kind: Kind | None = None, since: datetime | None = None) -> bool:
    """Let nothing of this be undone or take effect any more. False when there was nothing."""
    which: list[ColumnElement[bool]] = [undoable_changes.c.account_id == account_id]
    if kind is not None:
        which.append(undoable_changes.c.kind == kind)
    if since is not None:
        which.append(undoable_changes.c.begun_at >= since)
    return _delete(*which)


def forget(*, now: datetime, code: str | None = None) -> None:
    """Delete changes of an address whose time is over: they stand."""
    which = [undoable_changes.c.kind == "email", undoable_changes.c.until <= now]
    if code is not None:
        which.append(undoable_changes.c.digest == _digest(code))
    _delete(*which)


def _all() -> Any:
    return select(undoable_changes)


def _delete(*which: ColumnElement[bool]) -> bool:
    with transaction() as connection:
        return connection.execute(delete(undoable_changes).where(*which)).rowcount > 0


def _digest(code: str) -> bytes:
    return vault().index(code, purpose="undo code")


def _undoable(row: Row[Any]) -> Undoable:
    return Undoable(
        id=row.id,
        account_id=row.account_id,
        kind=row.kind,
        values=msgspec.json.decode(vault().open(row.sealed, place="undoable_changes.sealed", row=row.id)),
        begun_at=row.begun_at,
        until=row.until,
    )
