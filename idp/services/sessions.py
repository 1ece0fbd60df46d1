"""Sessions: start, find, end. A session holds proofs; levels are computed from them when asked."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from idp import clock
from idp.rules.assurance import Proof
from idp.services import logout, remembered_devices
from idp.services.logout import Party
from idp.settings import Sessions
from idp.stores.durable import audit, decoupled_requests, grants
from idp.stores.durable import sessions as listed
from idp.stores.durable.db import transaction
from idp.stores.durable.sessions import SessionRow
from idp.stores.shortlived import sessions as live
from idp.stores.shortlived.contract import ShortLived
from idp.stores.shortlived.sessions import Session

SLIDE_AFTER = 60
"""Seconds: a session is written again only when it was last seen longer ago than this."""


@dataclass(frozen=True, slots=True)
class Device:
    """One sign-in as its owner sees it."""

    sid: str
    device: str
    """Device and browser in plain words; empty when they are not known."""
    started_at: datetime
    last_seen: datetime
    network: str
    """Where it was last in use, truncated (SR-119)."""


def start(
    store: ShortLived,
    settings: Sessions,
    account_id: str,
    proofs: Sequence[Proof],
    *,
    device: str = "",
    replaces: str | None = None,
) -> str:
    """Begin a session and return its new id; the session id it `replaces` is dead at once (SR-53).

    Joins the caller's transaction, so the list, the audit event and what they follow stand or fall together.
    """
    now = clock.now()
    before = find(store, settings, replaces)  # one that has ended lends nothing
    session_id, sid = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    ends_at = now + timedelta(seconds=settings.absolute)
    kept = tuple(before.proofs) if before is not None and before.account_id == account_id else ()
    with transaction():
        if before is not None and before.account_id == account_id:
            listed.end(before.sid, now=now)
            grants.move_session(before.sid, sid)
            decoupled_requests.move_session(before.sid, sid)
        elif before is not None:
            _end_quietly(before.sid, now)
        for oldest in listed.live(account_id, now=now)[: -(settings.per_account - 1) or None]:
            _end_quietly(oldest.sid, now)
            audit.record("session.made-room", account_id=account_id, session=oldest.sid)  # its owner reads of it
        listed.start(sid, account_id, device=device[:120], now=now, ends_at=ends_at)
        audit.record("session.started", account_id=account_id, session=sid)
        session = Session(
            sid=sid,
            account_id=account_id,
            proofs=(*(proof for proof in kept if proof not in proofs and proof.until > now), *proofs),
            started_at=now,
            last_seen=now,
            ends_at=ends_at,
        )
        live.put(store, session_id, session, idle=settings.idle)
    if replaces:
        live.drop(store, replaces)
    return session_id


def _end_quietly(sid: str, now: datetime) -> None:
    """End a session that has to make room. Its clients hear of it."""
    listed.end(sid, now=now)
    grants.end_session(sid, now=now)
    logout.tell([sid])


def find(store: ShortLived, settings: Sessions, session_id: str | None) -> Session | None:
    """The live session of the id the browser sent, its idle time begun anew; None when there is none.

    One trip to each store: the live record, and the durable row that alone can make it count.
    """
    if not session_id:
        return None
    session = live.get(store, session_id)
    now = clock.now()
    if session is None or session.ends_at <= now or session.last_seen + timedelta(seconds=settings.idle) <= now:
        return None
    if not listed.counts(session.sid, now=now):
        return None
    if now - session.last_seen >= timedelta(seconds=SLIDE_AFTER):
        seen = msgspec.structs.replace(session, last_seen=now)
        live.put(store, session_id, seen, idle=settings.idle)
    return session


def end(sid: str, *, reason: str = "signed out") -> tuple[Party, ...]:
    """End one session and every grant that hangs on it (SR-108), and say which clients must hear of it.

    Those with a back channel are told in any case; nobody is told twice.
    """
    now = clock.now()
    with transaction():
        if not listed.end(sid, now=now):
            return ()
        grants.end_session(sid, now=now)
        audit.record("session.ended", session=sid, reason=reason)
        return logout.tell([sid])


def end_all(account_id: str, *, except_sid: str | None = None, reason: str = "signed out everywhere") -> int:
    """End an account's sessions and grants, offline ones included, but what came of one's own (SR-63, SR-88)."""
    return _end_all(account_id, except_sid, reason)[0]


def sign_out_everywhere(account_id: str) -> tuple[Party, ...]:
    """End all of an account's sessions and grants, this one's included, and say which clients must hear of it."""
    return _end_all(account_id, None, "signed out everywhere")[1]


def _end_all(account_id: str, except_sid: str | None, reason: str) -> tuple[int, tuple[Party, ...]]:
    now = clock.now()
    with transaction():
        ended = listed.end_all(account_id, now=now, except_sid=except_sid)
        grants.end_account(account_id, now=now, except_sid=except_sid)
        remembered_devices.forget_all(account_id)  # a browser elsewhere is to be asked for everything again
        parties = logout.tell(ended)
        audit.record("sessions.ended", account_id=account_id, reason=reason, details={"sessions": len(ended)})
    return len(ended), parties


def counts(sid: str) -> bool:
    """Whether this sign-in still counts. Inside a transaction that holds the password, until its end."""
    return listed.counts(sid, now=clock.now())


def of_account(account_id: str) -> list[SessionRow]:
    """The account's live sessions, oldest first."""
    return listed.live(account_id, now=clock.now())


def devices(store: ShortLived, account_id: str) -> list[Device]:
    """Where the account is signed in now, the last used first. One that has been idle for too long is not."""
    found = [
        Device(row.sid, row.device, row.started_at, seen.at, seen.network)
        for row in of_account(account_id)
        if (seen := live.seen(store, row.sid)) is not None
    ]
    return sorted(found, key=lambda one: one.last_seen, reverse=True)


def end_one(account_id: str, sid: str) -> bool:
    """End one sign-in of this account and no other's (SR-56). False when there is none."""
    mine = any(row.sid == sid for row in of_account(account_id))
    if mine:
        end(sid, reason="signed out from another device")
    return mine


def forget(*, before: datetime) -> int:
    """Delete the rows of sessions that were over before `before`; how many."""
    return listed.forget(before=before)
