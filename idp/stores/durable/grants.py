"""Grants: what a person allowed a client, and the tokens that came of it.

One row a grant. Its unique code digest makes a second use of an authorization code impossible, even
when a cache fail-over brings the code back (DESIGN §4); the refresh family lives in the same row, so
rotating it is one conditional statement (SR-80, SR-86).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    exists,
    or_,
    select,
    update,
)

from idp.rules.assurance import Assurance
from idp.rules.authorization_details import Details
from idp.stores.durable.accounts import accounts
from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.sessions import sessions
from idp.stores.durable.upserts import insert

grants = Table(
    "grants",
    db.metadata,
    Column("id", String(32), primary_key=True),
    Column("reference", String(32), nullable=False, unique=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("client_id", String(64), nullable=False, index=True),
    Column("sid", String(64), nullable=False, index=True),
    Column("told_sid", String(64), nullable=False),
    Column("scope", Text, nullable=False),
    Column("resources", Text, nullable=False),
    Column("claims", Text, nullable=False),
    Column("assurance", Text, nullable=False),
    Column("offline", Boolean, nullable=False),
    Column("code_digest", LargeBinary(32), nullable=False, unique=True),
    Column("code_challenge", String(128)),
    Column("redirect_uri", Text, nullable=False),
    Column("refresh_digest", LargeBinary(32)),
    Column("refresh_previous", LargeBinary(32)),
    Column("refresh_rotated_at", Instant),
    Column("refresh_idle_until", Instant),
    Column("thumbprint", String(64)),
    Column("details", Text),
    Column("issued_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False, index=True),
    Column("revoked_at", Instant),
)

revoked_tokens = Table(
    "revoked_tokens",
    db.metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("expires_at", Instant, nullable=False, index=True),
)


_decode = msgspec.json.Decoder(Assurance).decode
_decode_details = msgspec.json.Decoder(Details).decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant as tokens are made of it."""

    id: str = field(repr=False)
    reference: str
    account_id: str
    client_id: str
    sid: str
    told_sid: str
    """What the session was called when the client was first told of it: that is the name the client knows."""
    scope: str
    resources: tuple[str, ...]
    details: Details = ()
    """Exactly what it is for, at which API (RFC 9396)."""
    claims: str
    assurance: Assurance
    offline: bool
    ends_at: datetime
    thumbprint: str | None = None
    """Of the key without which its refresh tokens are of no use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """What a grant keeps of the code it came from, and the refresh family it begins with, if any."""

    code_digest: bytes
    code_challenge: str | None
    redirect_uri: str
    refresh_digest: bytes | None
    refresh_idle_until: datetime | None


def redeem(grant: Grant, redeemed: Redeemed, *, now: datetime) -> bool:
    """Keep the grant that a code stands for. True for exactly one of any number of callers (SR-80).

    False when the code was redeemed before, and when account or session do not count any more (SR-60):
    one statement decides all of it. Joins the caller's transaction.
    """
    row = {
        **{field.name: getattr(grant, field.name) for field in fields(grant)},
        **asdict(redeemed),
        "resources": " ".join(grant.resources),
        "details": _encode(grant.details).decode() if grant.details else None,
        "assurance": _encode(grant.assurance).decode(),
        "refresh_rotated_at": now if redeemed.refresh_digest else None,
        "issued_at": now,
    }
    columns = [column for column in grants.c if column.name in row]
    values = select(*(bindparam(column.name, row[column.name], column.type) for column in columns)).where(
        _account_counts(grant.account_id), _session_counts(grant.sid, now)
    )
    with transaction() as connection:
        statement = insert(connection, grants).from_select([column.name for column in columns], values)
        kept = connection.execute(statement.on_conflict_do_nothing().returning(grants.c.id))
        return kept.first() is not None


def replayed(code_digest: bytes, client_id: str) -> tuple[str, str | None, str] | None:
    """Id, challenge and redirect URI of the grant that this client's code became, if it did (SR-81)."""
    statement = select(grants.c.id, grants.c.code_challenge, grants.c.redirect_uri).where(
        grants.c.code_digest == code_digest, grants.c.client_id == client_id
    )
    with reading() as connection:
        row = connection.execute(statement).first()
    return (row.id, row.code_challenge, row.redirect_uri) if row else None


def live(reference: str, *, token: bytes, now: datetime) -> Grant | None:
    """The grant behind an access token, while it, the token, the account and the session's part of it count."""
    statement = select(grants).where(
        grants.c.reference == reference,
        counts(now),
        ~exists().where(revoked_tokens.c.digest == token),
    )
    with reading() as connection:
        row = connection.execute(statement).first()
    return from_row(row) if row else None


def counts(now: datetime) -> ColumnElement[bool]:
    """Whether a grant still counts: not ended, its account active, and its session not over unless it is offline.

    Looked up each time and not only marked when they end: an exchange that ran beside a sign-out or a lock
    may have put its row in just after the marks were set.
    """
    return and_(
        grants.c.revoked_at.is_(None),
        grants.c.ends_at > now,
        _account_counts(grants.c.account_id),
        or_(grants.c.offline, _session_counts(grants.c.sid, now)),
    )


def revoke(grant_id: str, client_id: str, *, now: datetime) -> bool:
    """End a grant of this client. True for the first caller only."""
    return _end(and_(grants.c.id == grant_id, grants.c.client_id == client_id), now) == 1


def revoke_token(digest: bytes, *, expires_at: datetime) -> None:
    """Mark one access token as revoked until it would have expired (SR-87)."""
    with transaction() as connection:
        row = {"digest": digest, "expires_at": expires_at}
        connection.execute(insert(connection, revoked_tokens).values(row).on_conflict_do_nothing())


def is_revoked(digest: bytes) -> bool:
    """Whether an access token was revoked by itself."""
    with reading() as connection:
        return (
            connection.execute(select(revoked_tokens.c.digest).where(revoked_tokens.c.digest == digest)).first()
            is not None
        )


def end_session(sid: str, *, now: datetime) -> int:
    """End the grants that hang on a session; offline ones go on (SR-108)."""
    return _end(and_(grants.c.sid == sid, grants.c.offline.is_(False)), now)


@dataclass(frozen=True, slots=True)
class Told:
    """A client that was told of a session, and under which name."""

    client_id: str
    account_id: str
    told_sid: str


def parties(sids: Sequence[str]) -> list[Told]:
    """The clients that were told of these sessions, whether or not anything they got still counts."""
    return _told(grants.c.sid.in_(list(sids)))


def party(account_id: str, client_id: str, *, now: datetime) -> list[Told]:
    """One client, once for each live session of an account that it was told of."""
    return _told(
        and_(grants.c.account_id == account_id, grants.c.client_id == client_id), _session_counts(grants.c.sid, now)
    )


def _told(*which: ColumnElement[bool]) -> list[Told]:
    columns = (grants.c.client_id, grants.c.account_id, grants.c.told_sid)
    with reading() as connection:
        rows = connection.execute(select(*columns).where(*which).distinct().order_by(*columns))
        return [Told(*row) for row in rows]


def move_session(sid: str, successor: str) -> None:
    """Let the grants of a session hang on the one that took its place (SR-53)."""
    with transaction() as connection:
        connection.execute(update(grants).where(grants.c.sid == sid).values(sid=successor))


def end_account(account_id: str, *, now: datetime, except_sid: str | None = None) -> int:
    """End every grant of an account (SR-88), but those that came of one sign-in."""
    which = grants.c.account_id == account_id
    return _end(which if except_sid is None else and_(which, grants.c.sid != except_sid), now)


def end_client(account_id: str, client_id: str, *, now: datetime) -> int:
    """End what one person allowed one client."""
    return _end(and_(grants.c.account_id == account_id, grants.c.client_id == client_id), now)


def forget(*, before: datetime) -> int:
    """Delete grants that ended before `before`, and marks of tokens that have expired; how many."""
    with transaction() as connection:
        old = connection.execute(delete(grants).where(grants.c.ends_at < before)).rowcount
        return old + connection.execute(delete(revoked_tokens).where(revoked_tokens.c.expires_at < before)).rowcount


def _end(which: Any, now: datetime) -> int:
    with transaction() as connection:
        return connection.execute(
            update(grants).where(which, grants.c.revoked_at.is_(None)).values(revoked_at=now)
        ).rowcount


def _session_counts(sid: str | Column[str], now: datetime) -> ColumnElement[bool]:
    return exists().where(sessions.c.sid == sid, sessions.c.ended_at.is_(None), sessions.c.ends_at > now)


def _account_counts(account_id: str | Column[str]) -> ColumnElement[bool]:
    return exists().where(accounts.c.id == account_id, accounts.c.status == "active")


def from_row(row: Row[Any]) -> Grant:
    """The grant of a row."""
    return Grant(
        id=row.id,
        reference=row.reference,
        account_id=row.account_id,
        client_id=row.client_id,
        sid=row.sid,
        told_sid=row.told_sid,
        scope=row.scope,
        resources=tuple(row.resources.split()),
        details=_decode_details(row.details) if row.details else (),
        claims=row.claims,
        assurance=_decode(row.assurance),
        offline=row.offline,
        ends_at=row.ends_at,
        thumbprint=row.thumbprint,
    )
