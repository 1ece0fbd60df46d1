"""Refresh families: one per grant, in the grant's own row; rotation is one conditional statement (SR-86)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update

from idp import clock
from idp.stores.durable.db import reading, transaction
from idp.stores.durable.grants import Grant, counts, from_row, grants


def rotate(
    grant_id: str,
    client_id: str,
    digest: bytes,
    successor: bytes,
    *,
    asked_at: datetime,
    idle: timedelta,
    grace: timedelta,
) -> Grant | None:
    """Put `successor` in the place of the refresh token `digest`; None when that one does not count.

    The current token rotates. The one just before it, within `grace` and once, voids its unused successor
    and rotates in its stead: the answer was lost on its way. A request that was under way (`asked_at`)
    when the token rotated is a race, neither a retry nor a theft: it gets nothing and ends nothing.
    Anything else that names a family is a spent token, and ends it. A family never has two live tokens.
    """
    now = clock.now()
    mine = and_(grants.c.id == grant_id, grants.c.client_id == client_id, grants.c.revoked_at.is_(None))
    answered = grants.c.refresh_rotated_at <= asked_at
    is_current = grants.c.refresh_digest == digest
    is_retry = and_(grants.c.refresh_previous == digest, answered, grants.c.refresh_rotated_at > now - grace)
    rotated = {"refresh_digest": successor, "refresh_rotated_at": now, "refresh_idle_until": now + idle}
    with transaction() as connection:
        for which, previous in ((is_current, digest), (is_retry, None)):
            statement = update(grants).where(mine, _alive(now), which).values(refresh_previous=previous, **rotated)
            row = connection.execute(statement.returning(*grants.c)).first()
            if row is not None:
                return from_row(row)
        reused = update(grants).where(mine, answered, grants.c.refresh_digest != digest)
        connection.execute(reused.values(revoked_at=now))
    return None


def keep(grant_id: str, client_id: str, digest: bytes, *, idle: timedelta) -> Grant | None:
    """Use the refresh token `digest` and let it stay; None when it does not count.

    For clients whose tokens are bound to their authentication and never rotate (FAPI 2.0 §5.3.2.1): a token that
    is not the one of its family ends nothing there, since none was ever replaced.
    """
    now = clock.now()
    mine = (grants.c.id == grant_id, grants.c.client_id == client_id, grants.c.refresh_digest == digest)
    statement = update(grants).where(*mine, _alive(now)).values(refresh_idle_until=now + idle)
    with transaction() as connection:
        row = connection.execute(statement.returning(*grants.c)).first()
    return from_row(row) if row else None


def find(grant_id: str, digest: bytes) -> Grant | None:
    """The grant of a refresh token: the one that counts, or the one before it, whose answer may have been lost."""
    known = or_(grants.c.refresh_digest == digest, grants.c.refresh_previous == digest)
    statement = select(grants).where(grants.c.id == grant_id, known, _alive(clock.now()))
    with reading() as connection:
        row = connection.execute(statement).first()
    return from_row(row) if row else None


def _alive(now: datetime) -> ColumnElement[Any]:
    return and_(counts(now), grants.c.refresh_idle_until > now)
