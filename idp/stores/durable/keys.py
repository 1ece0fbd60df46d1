"""Signing keys: published, then active, then retired. The private part is sealed, and gone once retired.

At most one active key per algorithm, held by an index: two set-ups at once make one first key (SR-100).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Column, Index, LargeBinary, Row, String, Table, Text, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from idp.stores.durable import changes
from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.sealing import vault

CHANGES = "signing_keys"
"""Name of the counter that says a key was added, promoted or retired."""

PLACE = "signing_keys.private"

State = Literal["published", "active", "retired"]

signing_keys = Table(
    "signing_keys",
    db.metadata,
    Column("kid", String(64), primary_key=True),
    Column("algorithm", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("public", Text, nullable=False),
    Column("private", LargeBinary),
    Column("published_at", Instant, nullable=False),
    Column("active_at", Instant),
    Column("retired_at", Instant),
    Column("withdraw_at", Instant),
)

Index(
    "ix_signing_keys_one_active",
    signing_keys.c.algorithm,
    unique=True,
    sqlite_where=text("state = 'active'"),
    postgresql_where=text("state = 'active'"),
)


class AlreadyActive(Exception):
    """Another key of this algorithm is active."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key without its private part. `public` is a JWK as JSON."""

    kid: str
    algorithm: str
    state: State
    public: str
    published_at: datetime
    active_at: datetime | None
    retired_at: datetime | None
    withdraw_at: datetime | None
    sealed: bytes | None = field(repr=False)

    def private(self) -> str:
        """The private part as PKCS #8 in base64. Raises ValueError when it was erased."""
        if self.sealed is None:
            raise ValueError(f"{self.kid} has no private part any more")
        return vault().open(self.sealed, place=PLACE, row=self.kid)


def add(kid: str, algorithm: str, *, public: str, private: str, active: bool, now: datetime) -> None:
    """Keep a new key, published or active at once. Joins the caller's transaction. Raises `AlreadyActive`."""
    row: Mapping[str, object] = {
        "kid": kid,
        "algorithm": algorithm,
        "state": "active" if active else "published",
        "public": public,
        "private": vault().seal(private, place=PLACE, row=kid),
        "published_at": now,
        "active_at": now if active else None,
    }
    with transaction() as connection:
        try:
            with connection.begin_nested():
                connection.execute(insert(signing_keys).values(row))
        except IntegrityError as problem:
            raise AlreadyActive(algorithm) from problem
        changes.bump(CHANGES)


def find(kid: str) -> KeyRow | None:
    """The key of a name."""
    with reading() as connection:
        row = connection.execute(select(signing_keys).where(signing_keys.c.kid == kid)).first()
    return None if row is None else _key(row)


def in_order() -> list[KeyRow]:
    """Every key, oldest first, those long withdrawn included."""
    with reading() as connection:
        rows = connection.execute(select(signing_keys).order_by(signing_keys.c.published_at, signing_keys.c.kid)).all()
    return [_key(row) for row in rows]


def current(*, now: datetime) -> list[KeyRow]:
    """The keys that belong in the published set: all but those whose time there is over."""
    return [key for key in in_order() if key.withdraw_at is None or key.withdraw_at > now]


def signing_algorithms() -> frozenset[str]:
    """The algorithms that have an active key."""
    with reading() as connection:
        found = connection.execute(select(signing_keys.c.algorithm).where(signing_keys.c.state == "active"))
        return frozenset(found.scalars())


def promote(kid: str, *, now: datetime, withdraw_at: datetime) -> KeyRow | None:
    """Make a published key the active one and retire the one before it, which is returned.

    :param withdraw_at: when the key before it leaves the published set
    Raises `AlreadyActive` when somebody else promoted meanwhile, LookupError when `kid` is not published.
    """
    with transaction() as connection:
        key = find(kid)
        if key is None or key.state != "published":
            raise LookupError(kid)
        before = connection.execute(
            select(signing_keys).where(signing_keys.c.algorithm == key.algorithm, signing_keys.c.state == "active")
        ).first()
        if before is not None:
            retire(before.kid, now=now, withdraw_at=withdraw_at)
        statement = (
            update(signing_keys)
            .where(signing_keys.c.kid == kid, signing_keys.c.state == "published")
            .values(state="active", active_at=now)
        )
        try:
            with connection.begin_nested():
                promoted = connection.execute(statement).rowcount
        except IntegrityError as problem:
            raise AlreadyActive(key.algorithm) from problem
        if promoted != 1:
            raise AlreadyActive(key.algorithm)
        changes.bump(CHANGES)
    return None if before is None else _key(before)


def retire(kid: str, *, now: datetime, withdraw_at: datetime) -> bool:
    """Sign no more with this key, erase its private part, and publish it until `withdraw_at`.

    False when there is no such key that is not retired already.
    """
    statement = (
        update(signing_keys)
        .where(signing_keys.c.kid == kid, signing_keys.c.state != "retired")
        .values(state="retired", retired_at=now, withdraw_at=withdraw_at, private=None)
    )
    with transaction() as connection:
        retired = connection.execute(statement).rowcount == 1
        changes.bump(CHANGES)
    return retired


def withdraw(kid: str, *, now: datetime) -> bool:
    """Take a retired key out of the published set at once: whatever it signed is refused from now on."""
    statement = (
        update(signing_keys)
        .where(signing_keys.c.kid == kid, signing_keys.c.state == "retired", signing_keys.c.withdraw_at > now)
        .values(withdraw_at=now)
    )
    with transaction() as connection:
        withdrawn = connection.execute(statement).rowcount == 1
        changes.bump(CHANGES)
    return withdrawn


def version() -> int:
    """A number that is another one after every change."""
    return changes.number(CHANGES)


def _key(row: Row[Any]) -> KeyRow:
    return KeyRow(
        kid=row.kid,
        algorithm=row.algorithm,
        state=row.state,
        public=row.public,
        published_at=row.published_at,
        active_at=row.active_at,
        retired_at=row.retired_at,
        withdraw_at=row.withdraw_at,
        sealed=row.private,
    )
