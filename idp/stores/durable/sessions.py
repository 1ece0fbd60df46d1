"""The list of sign-ins. A live session counts only while its row here is not ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, String, Table, delete, insert, select, update

from idp.stores.durable.accounts import accounts
from idp.stores.durable.db import Instant, db, reading, transaction

sessions = Table(
    "sessions",
    db.metadata,
    Column("sid", String(64), primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("device", String(120), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("ended_at", Instant),
)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One sign-in as it is listed."""

    sid: str
    account_id: str
    device: str
    started_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None


def start(sid: str, account_id: str, *, device: str, now: datetime, ends_at: datetime) -> None:
    """List a new sign-in. Joins the caller's transaction."""
    with transaction() as connection:
        connection.execute(
            insert(sessions).values(
                sid=sid, account_id=account_id, device=device, started_at=now, ends_at=ends_at, ended_at=None
            )
        )


def counts(sid: str, *, now: datetime) -> bool:
    """Whether this sign-in still counts: listed, not ended, not past its end, its account active (SR-60)."""
    statement = (
        select(sessions.c.sid)
        .join(accounts, accounts.c.id == sessions.c.account_id)
        .where(sessions.c.sid == sid, sessions.c.ended_at.is_(None), sessions.c.ends_at > now)
        .where(accounts.c.status == "active")
    )
    with reading() as connection:
        return connection.execute(statement).first() is not None


def end(sid: str, *, now: datetime) -> bool:
    """End one sign-in. True for the first caller only."""
    statement = update(sessions).where(sessions.c.sid == sid, sessions.c.ended_at.is_(None)).values(ended_at=now)
    with transaction() as connection:
        return connection.execute(statement).rowcount == 1


def end_all(account_id: str, *, now: datetime, except_sid: str | None = None) -> list[str]:
    """End every sign-in of an account but one; which there were."""
    statement = update(sessions).where(sessions.c.account_id == account_id, sessions.c.ended_at.is_(None))
    if except_sid is not None:
        statement = statement.where(sessions.c.sid != except_sid)
    with transaction() as connection:
        return list(connection.execute(statement.values(ended_at=now).returning(sessions.c.sid)).scalars())


def live(account_id: str, *, now: datetime) -> list[SessionRow]:
    """The account's live sign-ins, oldest first."""
    statement = (
        select(sessions)
        .where(sessions.c.account_id == account_id, sessions.c.ended_at.is_(None), sessions.c.ends_at > now)
        .order_by(sessions.c.started_at)
    )
    with reading() as connection:
        rows = connection.execute(statement).all()
    return [SessionRow(row.sid, row.account_id, row.device, row.started_at, row.ends_at) for row in rows]


def of_account(account_id: str) -> list[SessionRow]:
    """Every sign-in of an account that is still listed, the newest first."""
    statement = select(sessions).where(sessions.c.account_id == account_id).order_by(sessions.c.started_at.desc())
    with reading() as connection:
        return [
            SessionRow(row.sid, row.account_id, row.device, row.started_at, row.ends_at, row.ended_at)
            for row in connection.execute(statement)
        ]


def forget(*, before: datetime) -> int:
    """Delete the rows of sign-ins that were over before `before` (SR-125)."""
    with transaction() as connection:
        return connection.execute(delete(sessions).where(sessions.c.ends_at < before)).rowcount
