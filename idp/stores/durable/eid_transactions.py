"""eID transactions: one attempt to prove who somebody is, bound to a browser, an account and a purpose.

Made before the first word to the provider, and never moved but by one conditional write; what ended
stays ended. The provider's secrets are sealed and erased at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Column, ForeignKey, LargeBinary, Row, String, Table, delete, func, insert, select, update

from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.sealing import vault

eid_transactions = Table(
    "eid_transactions",
    db.metadata,
    Column("id", String(32), primary_key=True),
    Column("state_index", LargeBinary(32), nullable=False, unique=True),
    Column("browser", String(64), nullable=False),
    Column("journey_id", String(64), nullable=False, index=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("client_id", String(64), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("eid", String(64), nullable=False),
    Column("flow", String(32), nullable=False),
    Column("wanted_level", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("outcome", String(32)),
    Column("notes", LargeBinary),
    Column("level", String(16)),
    Column("amr", String(128)),
    Column("evidence", LargeBinary),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("proved_at", Instant),
    Column("ended_at", Instant),
)

Status = Literal["started", "pending", "succeeded", "refused", "failed", "expired"]
OPEN = ("started", "pending")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One attempt as it stands."""

    id: str
    browser: str
    journey_id: str
    account_id: str
    client_id: str
    purpose: str
    """`link` for the first proof of an account, `step_up` for any after it, `recovery` where the phone is lost."""
    eid: str
    flow: str
    wanted_level: str
    status: Status
    outcome: str | None
    notes: bytes | None = field(repr=False)
    level: str | None
    amr: tuple[str, ...]
    evidence: dict[str, Any] | None = field(repr=False)
    created_at: datetime
    expires_at: datetime
    proved_at: datetime | None

    @property
    def recovers(self) -> bool:
        """Whether it is for a lost phone, and for nothing else."""
        return self.purpose == "recovery"

    @property
    def is_open(self) -> bool:
        """Whether it may still end well, as far as the record says."""
        return self.status in OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What an attempt is bound to, fixed before it starts."""

    id: str
    state: str = field(repr=False)
    browser: str
    journey_id: str
    account_id: str
    client_id: str
    purpose: str
    eid: str
    flow: str
    wanted_level: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What an attempt that went well is worth, and what is kept in evidence of it."""

    level: str
    amr: tuple[str, ...]
    evidence: dict[str, Any] = field(repr=False)
    proved_at: datetime


def begin(begun: Begun) -> None:
    """Keep a new attempt; every open one of the same journey ends. Joins the caller's transaction."""
    row = {name: getattr(begun, name) for name in Begun.__slots__ if name != "state"}
    with transaction() as connection:
        connection.execute(
            update(eid_transactions)
            .where(eid_transactions.c.journey_id == begun.journey_id, eid_transactions.c.status.in_(OPEN))
            .values(status="failed", outcome="replaced", notes=None, ended_at=begun.created_at)
        )
        connection.execute(insert(eid_transactions).values(**row, state_index=_index(begun.state), status="started"))


def note(transaction_id: str, notes: bytes) -> bool:
    """Keep what the connector must remember. False when the attempt has ended meanwhile."""
    sealed = vault().seal(notes.decode("latin-1"), place="eid_transactions.notes", row=transaction_id)
    return _moved(transaction_id, {"status": "pending", "notes": sealed})


def succeed(transaction_id: str, proof: Proof, *, now: datetime) -> bool:
    """End it well. True for exactly one caller, and for none once it is past its time (rule 1)."""
    evidence = vault().seal(
        msgspec.json.encode(proof.evidence).decode(), place="eid_transactions.evidence", row=transaction_id
    )
    values = {
        "status": "succeeded",
        "notes": None,
        "level": proof.level,
        "amr": " ".join(proof.amr),
        "evidence": evidence,
        "proved_at": proof.proved_at,
        "ended_at": now,
    }
    return _moved(transaction_id, values, not_expired_at=now)


def fail(transaction_id: str, status: Status, outcome: str, *, now: datetime) -> bool:
    """End it without a proof. True for exactly one caller."""
    return _moved(transaction_id, {"status": status, "outcome": outcome, "notes": None, "ended_at": now})


def by_state(state: str) -> Transaction | None:
    """The attempt that this `state` was given out for."""
    with reading() as connection:
        row = connection.execute(
            select(eid_transactions).where(eid_transactions.c.state_index == _index(state))
        ).first()
    return _transaction(row) if row else None


def by_id(transaction_id: str) -> Transaction | None:
    """The attempt of this id."""
    with reading() as connection:
        row = connection.execute(select(eid_transactions).where(eid_transactions.c.id == transaction_id)).first()
    return _transaction(row) if row else None


def newest_of_journey(journey_id: str) -> Transaction | None:
    """The attempt that a journey made last."""
    statement = (
        select(eid_transactions)
        .where(eid_transactions.c.journey_id == journey_id)
        .order_by(eid_transactions.c.created_at.desc())
        .limit(1)
    )
    with reading() as connection:
        row = connection.execute(statement).first()
    return _transaction(row) if row else None


def newest_success(account_id: str, *, level: str | None = None) -> Transaction | None:
    """The newest attempt of an account that went well."""
    statement = select(eid_transactions).where(
        eid_transactions.c.account_id == account_id, eid_transactions.c.status == "succeeded"
    )
    if level is not None:
        statement = statement.where(eid_transactions.c.level == level)
    with reading() as connection:
        row = connection.execute(statement.order_by(eid_transactions.c.proved_at.desc()).limit(1)).first()
    return _transaction(row) if row else None


def successes(account_id: str, *, limit: int) -> list[Transaction]:
    """The attempts of an account that went well, newest first."""
    statement = (
        select(eid_transactions)
        .where(eid_transactions.c.account_id == account_id, eid_transactions.c.status == "succeeded")
        .order_by(eid_transactions.c.proved_at.desc())
        .limit(limit)
    )
    with reading() as connection:
        return [_transaction(row) for row in connection.execute(statement)]


def of_account(account_id: str) -> list[Transaction]:
    """Every attempt of an account that is still known, newest first."""
    statement = select(eid_transactions).where(eid_transactions.c.account_id == account_id)
    with reading() as connection:
        rows = connection.execute(statement.order_by(eid_transactions.c.created_at.desc())).all()
    return [_transaction(row) for row in rows]


def unanswered(account_id: str, *, since: datetime) -> int:
    """How many attempts of an account since then came to nothing, or are still open."""
    statement = select(func.count()).where(
        eid_transactions.c.account_id == account_id,
        eid_transactions.c.created_at > since,
        eid_transactions.c.status != "succeeded",
    )
    with reading() as connection:
        return int(connection.execute(statement).scalar_one())


def forget(*, before: datetime) -> int:
    """Delete attempts that came to nothing and were over before then; how many. Those that went well stay."""
    statement = delete(eid_transactions).where(
        eid_transactions.c.expires_at < before, eid_transactions.c.status != "succeeded"
    )
    with transaction() as connection:
        return connection.execute(statement).rowcount


def _moved(transaction_id: str, values: dict[str, Any], *, not_expired_at: datetime | None = None) -> bool:
    statement = update(eid_transactions).where(
        eid_transactions.c.id == transaction_id, eid_transactions.c.status.in_(OPEN)
    )
    if not_expired_at is not None:
        statement = statement.where(eid_transactions.c.expires_at > not_expired_at)
    with transaction() as connection:
        return connection.execute(statement.values(values)).rowcount == 1


def _index(state: str) -> bytes:
    return vault().index(state, purpose="eid_transactions.state_index")


def _transaction(row: Row[Any]) -> Transaction:
    return Transaction(
        id=row.id,
        browser=row.browser,
        journey_id=row.journey_id,
        account_id=row.account_id,
        client_id=row.client_id,
        purpose=row.purpose,
        eid=row.eid,
        flow=row.flow,
        wanted_level=row.wanted_level,
        status=row.status,
        outcome=row.outcome,
        notes=notes.encode("latin-1") if (notes := _opened(row, "notes")) else None,
        level=row.level,
        amr=tuple((row.amr or "").split()),
        evidence=msgspec.json.decode(found) if (found := _opened(row, "evidence")) else None,
        created_at=row.created_at,
        expires_at=row.expires_at,
        proved_at=row.proved_at,
    )


def _opened(row: Row[Any], column: str) -> str | None:
    sealed = getattr(row, column)
    return vault().open(sealed, place=f"eid_transactions.{column}", row=row.id) if sealed else None
