"""What clients got of a person, as that person may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from idp.stores.durable.db import reading
from idp.stores.durable.grants import Grant, counts, from_row, grants


@dataclass(frozen=True, slots=True)
class Given:
    """One grant: when it was made, when it was ended, if it was, and whether it counts."""

    grant: Grant
    issued_at: datetime
    ended_at: datetime | None
    counts: bool


def of_account(account_id: str, *, now: datetime) -> list[Given]:
    """Every grant of an account that is still known, the newest first."""
    statement = select(grants, counts(now).label("counts")).where(grants.c.account_id == account_id)
    with reading() as connection:
        rows = connection.execute(statement.order_by(grants.c.issued_at.desc())).all()
    return [Given(from_row(row), row.issued_at, row.revoked_at, bool(row.counts)) for row in rows]
