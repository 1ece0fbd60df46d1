"""One-time codes: a challenge, the codes sent for it, their one use (SR-14 to SR-20).

A challenge is bound to a journey, a purpose and a destination. Its newest two live codes count, its
tries are counted over all of them, and it is used once. Each act is one transaction; the write that
decides is conditional, so any number of callers get one success.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.sealing import vault

NEWEST = 2
"""Messages overtake each other: the newest two codes of a challenge count (page spec §6)."""

challenges = Table(
    "challenges",
    db.metadata,
    Column("id", String(32), primary_key=True),
    Column("binding", LargeBinary(32), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant),
)

codes = Table(
    "codes",
    db.metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("challenge_id", ForeignKey("challenges.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)


class Verdict(Enum):
    """How a try ended."""

    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"
    SPENT = "spent"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a page may know of a challenge."""

    tries: int
    used: bool
    expires_at: datetime


def open_challenge(binding: str, *, now: datetime) -> str:
    """Begin a challenge bound to `binding` (journey, purpose, destination) and return its id."""
    challenge_id = secrets.token_urlsafe(16)
    with transaction() as connection:
        connection.execute(
            insert(challenges).values(id=challenge_id, binding=_bound(binding), tries=0, created_at=now, used_at=None)
        )
    return challenge_id


def issue(challenge_id: str, *, digits: int, expires_at: datetime) -> str:
    """Add a fresh random code to the challenge and return it, to be sent and never kept (SR-12)."""
    code = f"{secrets.randbelow(10**digits):0{digits}d}"
    with transaction() as connection:
        connection.execute(
            insert(codes).values(challenge_id=challenge_id, digest=_digest(challenge_id, code), expires_at=expires_at)
        )
    return code


def look(challenge_id: str) -> Challenge | None:
    """The challenge, with the expiry of its newest code."""
    with reading() as connection:
        row = connection.execute(select(challenges).where(challenges.c.id == challenge_id)).first()
        newest = _newest(connection, challenge_id)
    if row is None or not newest:
        return None
    return Challenge(tries=row.tries, used=row.used_at is not None, expires_at=newest[0][1])


def redeem(challenge_id: str, binding: str, code: str, *, tries: int, now: datetime) -> tuple[Verdict, int]:
    """Try a code. RIGHT for exactly one of any number of callers (SR-14); the tries that are left.

    The try is counted before the code is compared, in the statement that holds the row (SR-18).
    """
    with transaction() as connection:
        counted = connection.execute(
            update(challenges)
            .where(challenges.c.id == challenge_id, challenges.c.binding == _bound(binding))
            .where(challenges.c.used_at.is_(None), challenges.c.tries < tries)
            .values(tries=challenges.c.tries + 1)
        )
        if counted.rowcount == 0:
            return _why_not(connection, challenge_id, binding, tries), 0
        made = connection.execute(select(challenges.c.tries).where(challenges.c.id == challenge_id)).scalar_one()
        alive = [digest for digest, expires_at in _newest(connection, challenge_id) if expires_at > now]
        offered = _digest(challenge_id, code)
        if sum(secrets.compare_digest(offered, digest) for digest in alive) == 0:
            return (Verdict.WRONG if alive else Verdict.EXPIRED), tries - made
        used = connection.execute(
            update(challenges)
            .where(challenges.c.id == challenge_id, challenges.c.used_at.is_(None))
            .values(used_at=now)
        )
        return (Verdict.RIGHT if used.rowcount == 1 else Verdict.USED), tries - made


def void(challenge_id: str, *, now: datetime) -> None:
    """Make the codes of a challenge worthless: the address was changed, or the journey cut back."""
    with transaction() as connection:
        connection.execute(
            update(challenges)
            .where(challenges.c.id == challenge_id, challenges.c.used_at.is_(None))
            .values(used_at=now)
        )


def forget(*, before: datetime) -> int:
    """Erase challenges begun before `before`, with their codes (SR-20)."""
    with transaction() as connection:
        old = select(challenges.c.id).where(challenges.c.created_at < before)
        connection.execute(delete(codes).where(codes.c.challenge_id.in_(old)))
        return connection.execute(delete(challenges).where(challenges.c.created_at < before)).rowcount


def _newest(connection: Connection, challenge_id: str) -> list[tuple[bytes, datetime]]:
    statement = (
        select(codes.c.digest, codes.c.expires_at)
        .where(codes.c.challenge_id == challenge_id)
        .order_by(codes.c.id.desc())
        .limit(NEWEST)
    )
    return [(row.digest, row.expires_at) for row in connection.execute(statement)]


def _why_not(connection: Connection, challenge_id: str, binding: str, tries: int) -> Verdict:
    row = connection.execute(select(challenges).where(challenges.c.id == challenge_id)).first()
    if row is None or row.binding != _bound(binding):
        return Verdict.EXPIRED
    if row.used_at is not None:
        return Verdict.USED
    return Verdict.SPENT if row.tries >= tries else Verdict.EXPIRED


def _bound(binding: str) -> bytes:
    return vault().index(binding, purpose="challenge binding")


def _digest(challenge_id: str, code: str) -> bytes:
    return vault().index(f"{challenge_id}:{code}", purpose="one-time code")
