"""Requests that a client makes on one device and a person decides on another (RFC 8628, OpenID CIBA Core).

The client holds a handle, kept here as its digest; the person a user code, kept as a keyed hash since it is short,
and only until it is used. What was decided waits here, since it grants something (DESIGN §4); that it is turned
into tokens once is held by the grant it becomes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    Column,
    ForeignKey,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    delete,
    or_,
    select,
    update,
)

from idp.rules.assurance import Assurance
from idp.rules.authorization_details import Details
from idp.stores.durable.db import Instant, db, reading, transaction
from idp.stores.durable.sealing import vault
from idp.stores.durable.upserts import insert

PLACE = "decoupled_requests.said"

Kind = Literal["device", "backchannel"]
State = Literal["waiting", "approved", "rejected"]

requests = Table(
    "decoupled_requests",
    db.metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("client_id", String(64), nullable=False),
    Column("handle_digest", LargeBinary(32), nullable=False, unique=True),
    Column("user_code_digest", LargeBinary(32), unique=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), index=True),
    Column("scope", Text, nullable=False),
    Column("resources", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("level", String(64), nullable=False),
    Column("said", LargeBinary, nullable=False),
    Column("network", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("sid", String(64), index=True),
    Column("assurance", Text),
    Column("session_ends_at", Instant),
)


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What the client said along with a CIBA request, and what it is told when it is decided. Sealed."""

    binding_message: str = ""
    notification_token: str = ""
    auth_req_id: str = ""
    """Kept only for a client that is told by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the person allowed with: the session, how they were proved, until when it lasts."""

    account_id: str
    sid: str
    assurance: Assurance
    session_ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoupledRequest:
    """One request. `account_id` is set from the start where only that account may decide it."""

    id: str
    kind: Kind
    client_id: str
    account_id: str | None
    scope: str
    resources: tuple[str, ...]
    details: Details = ()
    level: str
    said: Said = field(repr=False)
    network: str
    created_at: datetime
    expires_at: datetime
    state: State = "waiting"
    decision: Decision | None = None


_decode = msgspec.json.Decoder(Assurance).decode
_decode_details = msgspec.json.Decoder(Details).decode
_decode_said = msgspec.json.Decoder(Said).decode
_encode = msgspec.json.Encoder().encode


def user_code_digest(code: str) -> bytes:
    """What is kept of a user code: too short for a digest without a key (SR-20)."""
    return vault().index(code, purpose="user code")


def add(request: DecoupledRequest, *, handle_digest: bytes, user_code: str | None) -> bool:
    """Keep a new request. False when another one has this user code. Joins the caller's transaction."""
    row = {
        **{column.name: getattr(request, column.name, None) for column in requests.c},
        "handle_digest": handle_digest,
        "user_code_digest": user_code_digest(user_code) if user_code else None,
        "resources": " ".join(request.resources),
        "details": _encode(request.details).decode(),
        "said": vault().seal(_encode(request.said).decode(), place=PLACE, row=request.id),
    }
    with transaction() as connection:
        added = insert(connection, requests).values(row).on_conflict_do_nothing().returning(requests.c.id)
        return connection.execute(added).first() is not None


def by_id(request_id: str) -> DecoupledRequest | None:
    """The request of an id."""
    return _found(requests.c.id == request_id)


def of_handle(handle_digest: bytes, client_id: str, kind: Kind) -> DecoupledRequest | None:
    """The request whose handle this client holds."""
    return _found(requests.c.handle_digest == handle_digest, requests.c.client_id == client_id, requests.c.kind == kind)


def of_user_code(code: str, *, now: datetime) -> DecoupledRequest | None:
    """The request that waits for this user code."""
    return _found(
        requests.c.user_code_digest == user_code_digest(code),
        requests.c.state == "waiting",
        requests.c.expires_at > now,
    )


def approve(request_id: str, decision: Decision, *, now: datetime) -> bool:
    """Let the request go on. True for exactly one of any number of callers that decide it, and only by its account."""
    return _decide(
        request_id,
        decision.account_id,
        now,
        state="approved",
        account_id=decision.account_id,
        sid=decision.sid,
        assurance=_encode(decision.assurance).decode(),
        session_ends_at=decision.session_ends_at,
    )


def reject(request_id: str, account_id: str, *, now: datetime) -> bool:
    """Let it end here. True for exactly one of any number of callers that decide it, and only by its account."""
    return _decide(request_id, account_id, now, state="rejected")


def take_back(account_id: str, client_id: str) -> None:
    """Reject what this person approved for a client that has not come for it yet. Joins the caller's transaction."""
    approved = (requests.c.account_id == account_id, requests.c.client_id == client_id, requests.c.state == "approved")
    with transaction() as connection:
        connection.execute(update(requests).where(*approved).values(state="rejected"))


def move_session(sid: str, successor: str) -> None:
    """Let what was approved in a session hang on the one that took its place (SR-53)."""
    with transaction() as connection:
        connection.execute(update(requests).where(requests.c.sid == sid).values(sid=successor))


def forget(*, before: datetime) -> int:
    """Delete the requests that were over before `before`; how many (SR-125)."""
    with transaction() as connection:
        return connection.execute(delete(requests).where(requests.c.expires_at < before)).rowcount


def _decide(request_id: str, by: str, now: datetime, **values: Any) -> bool:
    """One conditional write: it waits, is not past its time, and is not another account's. The code is used up."""
    statement = (
        update(requests)
        .where(requests.c.id == request_id, requests.c.state == "waiting", requests.c.expires_at > now)
        .where(or_(requests.c.account_id.is_(None), requests.c.account_id == by))
        .values(user_code_digest=None, **values)
    )
    with transaction() as connection:
        return connection.execute(statement).rowcount == 1


def _found(*conditions: Any) -> DecoupledRequest | None:
    with reading() as connection:
        row = connection.execute(select(requests).where(*conditions)).first()
    return _from_row(row) if row else None


def _from_row(row: Row[Any]) -> DecoupledRequest:
    decision = None
    if row.state == "approved":
        decision = Decision(
            account_id=row.account_id,
            sid=row.sid,
            assurance=_decode(row.assurance),
            session_ends_at=row.session_ends_at,
        )
    return DecoupledRequest(
        id=row.id,
        kind=row.kind,
        client_id=row.client_id,
        account_id=row.account_id,
        scope=row.scope,
        resources=tuple(row.resources.split()),
        details=_decode_details(row.details),
        level=row.level,
        said=_decode_said(vault().open(row.said, place=PLACE, row=row.id)),
        network=row.network,
        created_at=row.created_at,
        expires_at=row.expires_at,
        state=row.state,
        decision=decision,
    )
