"""Authenticator apps: the secret each shares with us, and the newest time step whose code was used.

A time step counts once (SR-36): what decides is one conditional write, never the code as it was typed.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, Table, delete, insert, select, update

from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.sealing import vault

authenticator_apps = Table(
    "authenticator_apps",
    db.metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("newest_step", BigInteger, nullable=False),
    Column("added_at", Instant, nullable=False),
)


def add(account_id: str, secret: str, *, step: int, now: datetime) -> None:
    """Keep this secret (base32), in place of any before; `step` is that of the code that confirmed it.

    Joins the caller's transaction.
    """
    with transaction() as connection:
        connection.execute(delete(authenticator_apps).where(authenticator_apps.c.account_id == account_id))
        connection.execute(
            insert(authenticator_apps).values(
                account_id=account_id,
                secret=vault().seal(secret, place="authenticator_apps.secret", row=account_id),
                newest_step=step,
                added_at=now,
            )
        )


def secret_of(account_id: str) -> str | None:
    """The secret in base32, or None when the account has no app."""
    statement = select(authenticator_apps.c.secret).where(authenticator_apps.c.account_id == account_id)
    with reading() as connection:
        sealed = connection.execute(statement).scalar_one_or_none()
    return None if sealed is None else vault().open(sealed, place="authenticator_apps.secret", row=account_id)


def added_at(account_id: str) -> datetime | None:
    """When the app was set up; None without one."""
    statement = select(authenticator_apps.c.added_at).where(authenticator_apps.c.account_id == account_id)
    with reading() as connection:
        return connection.execute(statement).scalar_one_or_none()


def spend(account_id: str, step: int) -> bool:
    """Use the code of this time step. True for exactly one of any number of callers, and never for an older step."""
    statement = (
        update(authenticator_apps)
        .where(authenticator_apps.c.account_id == account_id, authenticator_apps.c.newest_step < step)
        .values(newest_step=step)
    )
    with transaction() as connection:
        return connection.execute(statement).rowcount == 1


def remove(account_id: str) -> bool:
    """Forget the app. False when there was none."""
    with transaction() as connection:
        gone = connection.execute(delete(authenticator_apps).where(authenticator_apps.c.account_id == account_id))
        return gone.rowcount == 1
