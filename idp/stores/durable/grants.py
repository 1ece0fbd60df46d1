"""Grants: what a person allowed a client, and the tokens that came of it.

One row a grant. Its unique code digest makes a second use of an authorization code impossible, even
when a cache fail-over brings the code back (DESIGN §4); the refresh family lives in the same row, so
rotating it is one conditional statement (SR-80, SR-86).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    and_,
    delete,
    exists,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from idp import clock
from idp.stores.durable.accounts import accounts
from idp.stores.durable.db import Instant, db, transaction
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
    Column("scope", Text, nullable=False),
    Column("resources", Text, nullable=False),
    Column("claims", Text, nullable=False),
    Column("acr", String(128), nullable=False),
    Column("amr", String(128), nullable=False),
    Column("auth_time", Instant, nullable=False),
    Column("offline", Boolean, nullable=False),
    Column("code_digest", LargeBinary(32), nullable=False, unique=True),
    Column("code_challenge", String(128)),
    Column("redirect_uri", Text, nullable=False),
    Column("refresh_digest", LargeBinary(32)),
    Column("refresh_previous", LargeBinary(32)),
    Column("refresh_rotated_at", Instant),
    Column("refresh_idle_until", Instant),
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


class CodeSpent(Exception):
    """This authorization code was redeemed before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant as tokens are made of it."""

    id: str = field(repr=False)
    reference: str
    account_id: str
    client_id: str
    sid: str
    scope: str
    resources: tuple[str, ...]
    claims: str
    acr: str
    amr: tuple[str, ...]
    auth_time: datetime
    offline: bool
    ends_at: datetime


def redeem(grant: Grant, *, code_digest: bytes, code_challenge: str | None, redirect_uri: str, now: datetime) -> bool:
    """Keep the grant that this code stands for. True for exactly one of any number of callers (SR-80).

    False when the account or the session does not count any more (SR-60). Raises `CodeSpent` when the
    code was redeemed before. Joins the caller's transaction.
    """
    row = {
        "id": grant.id,
        "reference": grant.reference,
        "account_id": grant.account_id,
        "client_id": grant.client_id,
        "sid": grant.sid,
        "scope": grant.scope,
        "resources": " ".join(grant.resources),
        "claims": grant.claims,
        "acr": grant.acr,
        "amr": " ".join(grant.amr),
        "auth_time": grant.auth_time,
        "offline": grant.offline,
        "code_digest": code_digest,
        "code_challenge": code_challenge,
        "redirect_uri": redirect_uri,
        "issued_at": now,
        "ends_at": grant.ends_at,
    }
    with transaction() as connection:
        try:
            with connection.begin_nested():
                connection.execute(insert(connection, grants).values(row))
        except IntegrityError as problem:
            raise CodeSpent from problem
        return connection.execute(select(_session_counts(grant.sid, now), _account_counts(grant.account_id))).one() == (
            True,
            True,
        )


def set_refresh(grant_id: str, digest: bytes, *, idle_until: datetime, now: datetime) -> None:
    """Begin the refresh family of a grant. Joins the caller's transaction."""
    with transaction() as connection:
        connection.execute(
            update(grants)
            .where(grants.c.id == grant_id)
            .values(refresh_digest=digest, refresh_rotated_at=now, refresh_idle_until=idle_until)
        )


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
    """Put `successor` in the place of the refresh token `digest`; None when that one does not count (SR-86).

    The current token rotates. The one just before it, within `grace` and once, voids its unused successor
    and rotates in its stead: the answer was lost on its way. A request that was under way (`asked_at`)
    when the token rotated is a race, neither a retry nor a theft: it gets nothing and ends nothing.
    Anything else that names a family is a spent token, and ends it. One statement decides, so a family
    never has two live tokens.
    """
    now = clock.now()
    idle_until = now + idle
    mine = and_(grants.c.id == grant_id, grants.c.client_id == client_id, grants.c.revoked_at.is_(None))
    alive = and_(
        mine,
        grants.c.ends_at > now,
        grants.c.refresh_idle_until > now,
        exists().where(accounts.c.id == grants.c.account_id, accounts.c.status == "active"),
    )
    is_current = grants.c.refresh_digest == digest
    answered = grants.c.refresh_rotated_at <= asked_at
    is_retry = and_(grants.c.refresh_previous == digest, answered, grants.c.refresh_rotated_at > now - grace)
    with transaction() as connection:
        for which, previous in ((is_current, digest), (is_retry, None)):
            row = connection.execute(
                update(grants)
                .where(alive, which)
                .values(
                    refresh_digest=successor,
                    refresh_previous=previous,
                    refresh_rotated_at=now,
                    refresh_idle_until=idle_until,
                )
                .returning(*grants.c)
            ).first()
            if row is not None:
                return _grant(row)
        connection.execute(
            update(grants).where(mine, answered, grants.c.refresh_digest != digest).values(revoked_at=now)
        )
    return None


def replayed(code_digest: bytes, client_id: str) -> tuple[str, str | None, str] | None:
    """Id, challenge and redirect URI of the grant that this client's code became, if it did (SR-81)."""
    statement = select(grants.c.id, grants.c.code_challenge, grants.c.redirect_uri).where(
        grants.c.code_digest == code_digest, grants.c.client_id == client_id
    )
    with transaction() as connection:
        row = connection.execute(statement).first()
    return (row.id, row.code_challenge, row.redirect_uri) if row else None


def live(reference: str, *, token: bytes, now: datetime) -> Grant | None:
    """The grant behind an access token, while it, the token, the account and the session's part of it count."""
    statement = select(grants).where(
        grants.c.reference == reference,
        grants.c.revoked_at.is_(None),
        grants.c.ends_at > now,
        exists().where(accounts.c.id == grants.c.account_id, accounts.c.status == "active"),
        ~exists().where(revoked_tokens.c.digest == token),
    )
    with transaction() as connection:
        row = connection.execute(statement).first()
    return _grant(row) if row else None


def of_refresh(grant_id: str, digest: bytes, *, now: datetime) -> Grant | None:
    """The grant of a refresh token that still counts."""
    statement = select(grants).where(
        grants.c.id == grant_id,
        grants.c.refresh_digest == digest,
        grants.c.revoked_at.is_(None),
        grants.c.ends_at > now,
        grants.c.refresh_idle_until > now,
        exists().where(accounts.c.id == grants.c.account_id, accounts.c.status == "active"),
    )
    with transaction() as connection:
        row = connection.execute(statement).first()
    return _grant(row) if row else None


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
    with transaction() as connection:
        return (
            connection.execute(select(revoked_tokens.c.digest).where(revoked_tokens.c.digest == digest)).first()
            is not None
        )


def end_session(sid: str, *, now: datetime) -> int:
    """End the grants that hang on a session; offline ones go on (SR-108)."""
    return _end(and_(grants.c.sid == sid, grants.c.offline.is_(False)), now)


def move_session(sid: str, successor: str) -> None:
    """Let the grants of a session hang on the one that took its place (SR-53)."""
    with transaction() as connection:
        connection.execute(update(grants).where(grants.c.sid == sid).values(sid=successor))


def end_account(account_id: str, *, now: datetime) -> int:
    """End every grant of an account (SR-88)."""
    return _end(grants.c.account_id == account_id, now)


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


def _session_counts(sid: str, now: datetime) -> Any:
    return exists().where(sessions.c.sid == sid, sessions.c.ended_at.is_(None), sessions.c.ends_at > now)


def _account_counts(account_id: str) -> Any:
    return exists().where(accounts.c.id == account_id, accounts.c.status == "active")


def _grant(row: Row[Any]) -> Grant:
    return Grant(
        id=row.id,
        reference=row.reference,
        account_id=row.account_id,
        client_id=row.client_id,
        sid=row.sid,
        scope=row.scope,
        resources=tuple(row.resources.split()),
        claims=row.claims,
        acr=row.acr,
        amr=tuple(row.amr.split()),
        auth_time=row.auth_time,
        offline=row.offline,
        ends_at=row.ends_at,
    )
