"""Requests that a person decides on another device than the one that asks: open, find by their code, decide.

Typing the code is what binds person and request: nothing is ever approved by a mere press of a button (SR-32).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from idp import clock, correlation
from idp.delivery import outbox
from idp.delivery.outbox import Message
from idp.rules.assurance import Assurance
from idp.rules.authorization_details import Details
from idp.rules.limits import Decision as Limit
from idp.rules.user_codes import ALPHABET, LENGTH
from idp.services import consents, throttling
from idp.services.clients import Client
from idp.services.windows import HOUR, MINUTE, Origin, Window, first_refusal, places
from idp.settings import Limits
from idp.stores.durable import audit, credentials, decoupled_requests
from idp.stores.durable.db import transaction
from idp.stores.durable.decoupled_requests import Decision, DecoupledRequest, Kind, Said
from idp.stores.shortlived.contract import ShortLived
from idp.stores.shortlived.sessions import Session

__all__ = [
    "PING",
    "Asked",
    "DecoupledRequest",
    "Opened",
    "approve",
    "by_id",
    "digest",
    "may_ask",
    "may_type",
    "of_user_code",
    "open_request",
    "reject",
    "state",
]

PING = "ping"
"""The outbox's channel for telling clients that their request was decided."""

TRIES = 8
"""New user codes to try until one is free; a second is needed once in millions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a client asks for, every parameter checked."""

    kind: Kind
    scopes: tuple[str, ...]
    resources: tuple[str, ...]
    details: Details = ()
    level: str
    lifetime: int
    account_id: str | None = None
    binding_message: str = ""
    notification_token: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """What the client holds, and what the person is to type; nothing of it is kept as it is."""

    handle: str
    user_code: str
    expires_at: datetime


def may_ask(store: ShortLived, limits: Limits, origin: Origin | None) -> Limit:
    """May a device ask? Keeps strangers from filling the store (SR-34). Without an `origin` the client is known."""
    each = limits.device_requests_per_address_hour
    everywhere = Window("device-requests:all", limits.device_requests_total_minute, MINUTE)
    here = places("device-requests", origin, each, each * 3, HOUR) if origin is not None else ()
    return first_refusal(store, (*here, everywhere))


def may_type(store: ShortLived, limits: Limits, origin: Origin) -> Limit:
    """May a user code be tried from here? Each counts before it is looked up (RFC 8628 §5.1)."""
    each = limits.user_codes_per_address_hour
    everywhere = Window("user-codes:all", limits.user_codes_total_hour, HOUR)
    return first_refusal(store, (*places("user-codes", origin, each, each * 3, HOUR), everywhere))


def open_request(client: Client, asked: Asked, *, with_code: bool = True) -> Opened:
    """Keep a request until it is decided. Joins the caller's transaction.

    Without a code nobody can ever decide it, and the client learns no more than that nobody did.
    """
    handle, now = secrets.token_urlsafe(32), clock.now()
    expires_at = now + timedelta(seconds=asked.lifetime)
    request = DecoupledRequest(
        id=secrets.token_urlsafe(16),
        kind=asked.kind,
        client_id=client.client_id,
        account_id=asked.account_id,
        scope=" ".join(asked.scopes),
        resources=asked.resources,
        details=asked.details,
        level=asked.level,
        said=Said(
            binding_message=asked.binding_message,
            notification_token=asked.notification_token,
            auth_req_id=handle if asked.notification_token else "",
        ),
        network=correlation.current().network,
        created_at=now,
        expires_at=expires_at,
    )
    with transaction():
        for _ in range(TRIES):
            code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
            typed = code if with_code else None
            if decoupled_requests.add(request, handle_digest=digest(handle), user_code=typed):
                audit.record(
                    "decoupled.asked", account_id=asked.account_id, client_id=client.client_id, reason=asked.kind
                )
                return Opened(handle, code, expires_at)
    raise RuntimeError("no user code is free")


def digest(handle: str) -> bytes:
    """What is kept of a handle: 256 random bits need no key."""
    return sha256(handle.encode("utf-8", "surrogatepass")).digest()


def of_user_code(code: str) -> DecoupledRequest | None:
    """The request that waits for this code, tidied."""
    return decoupled_requests.of_user_code(code, now=clock.now())


def by_id(request_id: str) -> DecoupledRequest | None:
    """The request of an id."""
    return decoupled_requests.by_id(request_id)


def state(request: DecoupledRequest) -> str:
    """`waiting`, `approved`, `rejected`, or `expired` for one that nobody decided in time."""
    return "expired" if request.state == "waiting" and request.expires_at <= clock.now() else request.state


def approve(
    store: ShortLived, request: DecoupledRequest, client: Client, session: Session, assurance: Assurance
) -> bool:
    """Let a request go on, for the person of this session. True for the one caller who decides it.

    The page has named scopes and records, so this is consent, too (SR-76).
    """
    decision = Decision(
        account_id=session.account_id, sid=session.sid, assurance=assurance, session_ends_at=session.ends_at
    )
    with transaction():
        if not decoupled_requests.approve(request.id, decision, now=clock.now()):
            return False
        if not client.first_party:
            consents.give(session.account_id, client.client_id, request.scope.split(), request.details)
        _decided(request, session, approved=True)
    phone = credentials.phone_of(session.account_id) if request.kind == "backchannel" else None
    if phone is not None:
        throttling.prompt_answered(store, session.account_id, channel="sms", destination=phone.number)
    outbox.wake()
    return True


def reject(request: DecoupledRequest, session: Session) -> bool:
    """Let a request end here. True for the one caller who decides it."""
    with transaction():
        rejected = decoupled_requests.reject(request.id, session.account_id, now=clock.now())
        if rejected:
            _decided(request, session, approved=False)
    outbox.wake()
    return rejected


def _decided(request: DecoupledRequest, session: Session, *, approved: bool) -> None:
    audit.record(
        "decoupled.approved" if approved else "decoupled.rejected",
        account_id=session.account_id,
        client_id=request.client_id,
        session=session.sid,
        reason=request.kind,
    )
    if request.said.notification_token:  # OpenID CIBA Core §10.2: told of either
        told = {"auth_req_id": request.said.auth_req_id, "token": request.said.notification_token}
        message = Message(kind=PING, channel=PING, to=request.client_id, locale="", values=told)
        outbox.post(message, deliver_by=request.expires_at)
