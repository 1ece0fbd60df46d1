"""The seam between the conversation with machines and the one with people.

The protocol says what is wanted and leaves its request here, unopened; a journey answers Done or
Refused; the protocol takes the request back, once, and runs its checks again on what the session
really is. Nothing OAuth is said here, and a journey never sees a redirect URI.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from hmac import compare_digest

import msgspec
from msgspec import Struct

from idp.rules.authorization_details import Details
from idp.stores.shortlived import interactions as records
from idp.stores.shortlived.contract import ShortLived


class ClientFace(Struct, frozen=True, kw_only=True):
    """What a person may see of a client, and the origin its answer will go to (for `form-action`)."""

    client_id: str
    name: str
    start_uri: str | None = None
    home_uri: str | None = None
    policy_uri: str | None = None
    """What it will do with what it is told."""
    tos_uri: str | None = None
    """What people agree to with it."""
    origin: str | None = None
    first_party: bool = True
    unverified: bool = False
    """Nobody here has looked at who it says it is."""


class SignIn(Struct, frozen=True, kw_only=True, tag="sign-in"):
    """A person is wanted, proved to `level` by proofs made at or after `proofs_since`."""

    client: ClientFace
    level: str
    proofs_since: datetime | None = None
    second_factors: tuple[str, ...] = ()
    """The only second factors that count for this client; none named means all."""
    choose_account: bool = False
    account_id: str | None = None
    login_hint: str | None = None
    consent: tuple[str, ...] = ()
    records: Details = ()
    """Records that the person is to agree to, besides."""
    ui_locales: tuple[str, ...] = ()
    change: str | None = None
    """The change of the account that is to follow the sign-in, by the name of its journey."""
    subject: str = ""
    """What of the account that change is about, where there are several of a kind: a passkey, a sign-in."""
    resume_at: str
    """Where whoever wants the person takes over again: a path of ours."""

    def resume(self, interaction_id: str) -> str:
        """Where the browser goes when the journey is over."""
        return f"{self.resume_at}/{interaction_id}"


class SignOut(Struct, frozen=True, kw_only=True, tag="sign-out"):
    """The person is to be asked whether to end the session `sid`."""

    client: ClientFace | None
    sid: str
    ui_locales: tuple[str, ...] = ()


class Approve(Struct, frozen=True, kw_only=True, tag="approve"):
    """The person, signed in to `account_id`, is to be asked whether a client's request from elsewhere may go on."""

    client: ClientFace
    request_id: str
    account_id: str
    ui_locales: tuple[str, ...] = ()


Wanted = SignIn | SignOut | Approve


class Done(Struct, frozen=True, tag="done"):
    """It went well. No ticket: the checks run again on the browser's session."""

    said: str = ""
    """What was done besides a sign-in, by the key of the box that tells the person."""


class Refused(Struct, frozen=True, tag="refused"):
    """The person said no."""

    reason: str = "access_denied"


Outcome = Done | Refused


class Taken(Struct, frozen=True):
    """An interaction that is over: what was wanted, the request as it was left, how it ended."""

    wanted: Wanted
    request: bytes
    outcome: Outcome | None


class _Record(Struct, frozen=True):
    browser: str
    wanted: Wanted
    request: bytes
    outcome: Outcome | None = None


_decode = msgspec.msgpack.Decoder(_Record).decode
_encode = msgspec.msgpack.Encoder().encode


class Interactions:
    """The open interactions. Each belongs to the browser that began it and to no other."""

    def __init__(self, store: ShortLived) -> None:
        self._store = store

    def open(self, wanted: Wanted, request: bytes, *, browser: str) -> str:
        """Begin one, and return its id. `request` comes back from `take` as it is."""
        interaction_id = secrets.token_urlsafe(18)
        records.put(self._store, interaction_id, _encode(_Record(browser, wanted, request)))
        if wanted.client is not None and wanted.client.start_uri:
            records.put_start(self._store, interaction_id, wanted.client.start_uri)
        return interaction_id

    def look(self, interaction_id: str, *, browser: str) -> Wanted | None:
        """What is wanted, or None when it is over or belongs to another browser."""
        found = self._find(interaction_id, browser)
        return found[1].wanted if found else None

    def answer(self, interaction_id: str, outcome: Outcome, *, browser: str) -> bool:
        """Say how it ended. False when it is over, or belongs to another browser."""
        found = self._find(interaction_id, browser)
        if found is None:
            return False
        raw, record = found
        ended = _Record(record.browser, record.wanted, record.request, outcome)
        return records.swap(self._store, interaction_id, raw, _encode(ended))

    def take(self, interaction_id: str, *, browser: str, resume_at: str | None = None) -> Taken | None:
        """The request and the outcome, to exactly one caller of the right browser; a `SignIn` only where it goes on."""
        found = self._find(interaction_id, browser)
        if found is None or (isinstance(found[1].wanted, SignIn) and found[1].wanted.resume_at != resume_at):
            return None
        raw = records.take(self._store, interaction_id)
        if raw is None:
            return None
        record = _decode(raw)
        return Taken(record.wanted, record.request, record.outcome)

    def start_of(self, interaction_id: str) -> str | None:
        """Where to begin again at the client, even when the interaction itself is forgotten."""
        return records.start_of(self._store, interaction_id)

    def _find(self, interaction_id: str, browser: str) -> tuple[bytes, _Record] | None:
        raw = records.get(self._store, interaction_id)
        if raw is None:
            return None
        record = _decode(raw)
        return (raw, record) if compare_digest(record.browser, browser) else None
