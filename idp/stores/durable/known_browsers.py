"""Browsers in which an account was signed in to before, by a digest of what each holds: a new one is told of (M-6)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, LargeBinary, Table, delete, select

from idp.stores.durable.db import Instant, db, transaction
from idp.stores.durable.upserts import insert

known_browsers = Table(
    "known_browsers",
    db.metadata,
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("digest", LargeBinary(32), primary_key=True),
    Column("seen_at", Instant, nullable=False, index=True),
)


def seen(account_id: str, digest: bytes, *, now: datetime) -> bool:
    """Know this browser from now on. True if it is new beside others that are known. Joins the caller's transaction."""
    mine = known_browsers.c.account_id == account_id
    with transaction() as connection:
        digests = set(connection.execute(select(known_browsers.c.digest).where(mine)).scalars())
        row = {"account_id": account_id, "digest": digest, "seen_at": now}
        statement = insert(connection, known_browsers).values(row)
        keys = [known_browsers.c.account_id, known_browsers.c.digest]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_={"seen_at": now}))
    return bool(digests) and digest not in {bytes(one) for one in digests}


def number(account_id: str) -> int:
    """How many are known."""
    with transaction() as connection:
        rows = connection.execute(select(known_browsers.c.digest).where(known_browsers.c.account_id == account_id))
        return len(rows.all())


def forget(*, before: datetime) -> int:
    """Forget those in which nobody has signed in since then; how many (SR-125)."""
    with transaction() as connection:
        return connection.execute(delete(known_browsers).where(known_browsers.c.seen_at < before)).rowcount
