"""Guesses at passwords and codes, counted exactly: before they are compared, in one statement (SR-17, SR-18).

The counters live here and not in a cache, so neither parallel requests nor a lost cache give extra guesses.
`subject` is an account id or a keyed digest of an address that may have none; both are counted alike.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    String,
    Table,
    and_,
    case,
    delete,
    false,
    literal,
    or_,
    select,
    update,
)

from idp.rules.limits import Waits, wait_after
from idp.stores.durable.db import Instant, db, transaction
from idp.stores.durable.upserts import insert

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

guesses = Table(
    "guesses",
    db.metadata,
    Column("subject", String(64), primary_key=True),
    Column("factor", String(64), primary_key=True),
    Column("in_a_row", Integer, nullable=False),
    Column("hour_began", Instant, nullable=False),
    Column("in_hour", Integer, nullable=False),
    Column("day_began", Instant, nullable=False),
    Column("in_day", Integer, nullable=False),
    Column("last_at", Instant, nullable=False, index=True),
    Column("known_since", Instant),
)


class Rule(Struct, frozen=True):
    """How many guesses there may be. None and an empty `waits`: no such limit."""

    in_a_row: int | None = None
    per_hour: int | None = None
    per_day: int | None = None
    waits: Waits = ()


class Counted(Struct, frozen=True):
    """The guess may be compared; it is the n-th in a row."""

    in_a_row: int


class Refused(Struct, frozen=True):
    """The guess was neither counted nor may it be compared. `seconds` is None when no time will change that."""

    seconds: int | None


def count(subject: str, factor: str, rule: Rule, *, now: datetime) -> Counted | Refused:
    """Count one guess if the rule allows one: a single statement, so that parallel guesses all count."""
    with transaction() as connection:
        first = insert(connection, guesses).values(
            subject=subject,
            factor=factor,
            in_a_row=1,
            hour_began=now,
            in_hour=1,
            day_began=now,
            in_day=1,
            last_at=now,
        )
        once_more = first.on_conflict_do_update(
            index_elements=[guesses.c.subject, guesses.c.factor], set_=_one_more(now), where=_allows(rule, now)
        ).returning(guesses.c.in_a_row)
        made = connection.execute(once_more).scalar()
        if made is not None:
            return Counted(made)
        row = connection.execute(_of(subject, factor)).first()
    return Refused(1 if row is None else _seconds_left(row, rule, now))  # None: cleared in this very moment


def in_a_row(subject: str, factor: str) -> int:
    """How many guesses in a row have been wrong, one under way included."""
    with transaction() as connection:
        row = connection.execute(_of(subject, factor)).first()
    return row.in_a_row if row else 0


def right(subject: str, factor: str) -> None:
    """The guess just counted was right: the row of misses ends, and it counts as none itself."""
    statement = (
        update(guesses)
        .where(guesses.c.subject == subject, guesses.c.factor == factor)
        .values(in_a_row=0, in_hour=_one_less(guesses.c.in_hour), in_day=_one_less(guesses.c.in_day))
    )
    with transaction() as connection:
        connection.execute(statement)


def take_back(subject: str, factor: str) -> None:
    """The guess just counted was never compared."""
    statement = (
        update(guesses)
        .where(guesses.c.subject == subject, guesses.c.factor == factor)
        .values(
            in_a_row=_one_less(guesses.c.in_a_row),
            in_hour=_one_less(guesses.c.in_hour),
            in_day=_one_less(guesses.c.in_day),
        )
    )
    with transaction() as connection:
        connection.execute(statement)


def make_known(subject: str, factor: str, *, now: datetime) -> None:
    """Remember that a guess counted here was right once: its source is known (SR-31)."""
    statement = (
        update(guesses)
        .where(guesses.c.subject == subject, guesses.c.factor == factor, guesses.c.known_since.is_(None))
        .values(known_since=now)
    )
    with transaction() as connection:
        connection.execute(statement)


def is_known(subject: str, factor: str) -> bool:
    """Whether a guess counted here was ever right."""
    with transaction() as connection:
        row = connection.execute(_of(subject, factor)).first()
    return row is not None and row.known_since is not None


def clear(subject: str, factor: str) -> None:
    """The factor was set up anew: nothing guessed at the old one counts (SR-17)."""
    statement = delete(guesses).where(guesses.c.subject == subject)
    with transaction() as connection:
        connection.execute(
            statement.where(or_(guesses.c.factor == factor, guesses.c.factor.startswith(f"{factor}:", autoescape=True)))
        )


def of_subjects(subjects: Collection[str]) -> list[tuple[str, int, datetime]]:
    """What is counted of these: which factor, how many wrong in a row, when last."""
    columns = (guesses.c.factor, guesses.c.in_a_row, guesses.c.last_at)
    with transaction() as connection:
        rows = connection.execute(select(*columns).where(guesses.c.subject.in_(list(subjects))).order_by(*columns))
        return [(row.factor, row.in_a_row, row.last_at) for row in rows]


def erase(subjects: Collection[str]) -> None:
    """Forget all that is counted of these."""
    with transaction() as connection:
        connection.execute(delete(guesses).where(guesses.c.subject.in_(list(subjects))))


def forget(*, before: datetime, fewer_than: int) -> int:
    """Delete counters idle since `before` whose row of misses is too short to matter; how many (SR-125)."""
    statement = delete(guesses).where(guesses.c.last_at < before, guesses.c.in_a_row < fewer_than)
    with transaction() as connection:
        return connection.execute(statement).rowcount


def _of(subject: str, factor: str) -> Any:
    return select(guesses).where(guesses.c.subject == subject, guesses.c.factor == factor)


def _one_more(now: datetime) -> dict[str, object]:
    instant = literal(now, Instant)
    new_hour, new_day = guesses.c.hour_began <= now - HOUR, guesses.c.day_began <= now - DAY
    return {
        "in_a_row": guesses.c.in_a_row + 1,
        "hour_began": case((new_hour, instant), else_=guesses.c.hour_began),
        "in_hour": case((new_hour, 1), else_=guesses.c.in_hour + 1),
        "day_began": case((new_day, instant), else_=guesses.c.day_began),
        "in_day": case((new_day, 1), else_=guesses.c.in_day + 1),
        "last_at": now,
    }


def _one_less(column: Column[int]) -> ColumnElement[int]:
    return case((column > 0, column - 1), else_=0)


def _allows(rule: Rule, now: datetime) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [guesses.c.in_a_row >= 0]
    if rule.in_a_row is not None:
        conditions.append(guesses.c.in_a_row < rule.in_a_row)
    if rule.per_hour is not None:
        conditions.append(or_(guesses.c.hour_began <= now - HOUR, guesses.c.in_hour < rule.per_hour))
    if rule.per_day is not None:
        conditions.append(or_(guesses.c.day_began <= now - DAY, guesses.c.in_day < rule.per_day))
    if rule.waits:
        conditions.append(_waited(rule.waits, now))
    return and_(*conditions)


def _waited(waits: Waits, now: datetime) -> ColumnElement[bool]:
    """The growth table as a condition, so that it is asked inside the statement that counts."""
    steps: list[ColumnElement[bool]] = [guesses.c.in_a_row < waits[0][0]]
    for at, (misses, seconds) in enumerate(waits):
        until = waits[at + 1][0] if at + 1 < len(waits) else None
        below = guesses.c.in_a_row < until if until is not None else ~false()
        steps.append(and_(guesses.c.in_a_row >= misses, below, guesses.c.last_at <= now - timedelta(seconds=seconds)))
    return or_(*steps)


def _seconds_left(row: Any, rule: Rule, now: datetime) -> int | None:
    if rule.in_a_row is not None and row.in_a_row >= rule.in_a_row:
        return None
    ends = [row.last_at + timedelta(seconds=wait_after(row.in_a_row, rule.waits))]
    if rule.per_hour is not None and row.in_hour >= rule.per_hour:
        ends.append(row.hour_began + HOUR)
    if rule.per_day is not None and row.in_day >= rule.per_day:
        ends.append(row.day_began + DAY)
    return max(1, -int((now - max(ends)).total_seconds() // 1))
