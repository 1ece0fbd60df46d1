"""The relying party that every eID behind OpenID Connect shares: leave with a request, come back with checked claims.

Authorization code with PKCE (RFC 7636) only; `iss` of the answer (RFC 9207); pushed (RFC 9126) and signed
(RFC 9101) requests; encrypted tokens. What the claims say about a person is the connector's matter.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import msgspec

from idp.eid.connector import Attempt, Leave, Outcome
from idp.eid.openid_checks import ID_TOKEN, USERINFO, Wanted, first_failure
from idp.eid.openid_client import Credentials, OpenIdClient, address, origin
from idp.eid.openid_discovery import Discovery, Metadata, Unusable
from idp.eid.openid_errors import Refused, by_status, object_of, refusal, refused
from idp.outgoing.known import Caller, Unreachable
from idp.signing import jws

TEST_ISSUERS = ("https://auth.current.bankid.no/", "https://test.idporten.no")
"""Whoever is proved there is nobody: they are for a provider on loopback only (SR-105)."""

_LONGEST_ANSWER = 8192
"""Characters of the longest `code`, `request_uri` or access token that is passed on."""


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered between leaving and coming back."""

    transaction_id: str
    callback: str
    nonce: str
    verifier: str
    started_at: float
    expected: tuple[str, str | None, str | None] | None
    """Country, number and reference of the person it has to be."""

    def __repr__(self) -> str:
        return f"Begun({self.transaction_id!r})"


@dataclass(frozen=True, slots=True)
class Proved:
    """Claims that every check held for."""

    claims: Mapping[str, Any] = field(repr=False)
    """Of the ID token."""
    userinfo: Mapping[str, Any] = field(repr=False)
    """Of UserInfo, about the same `sub`; empty where it was not asked."""
    begun: Begun
    wanted: Wanted


class RelyingParty:
    """Us at one provider. Raises ValueError for settings that cannot work, naming the key."""

    def __init__(self, settings: OpenIdClient, *, loopback: bool) -> None:
        address(settings.issuer, name="issuer", loopback=loopback)
        if not loopback and settings.issuer.startswith(TEST_ISSUERS):
            raise ValueError("issuer must not be one for test people; that is for a provider on loopback only")
        self._settings = settings
        self._credentials = Credentials(settings)
        self._caller = Caller(trusted=settings.trusted_roots_file, timeout=settings.timeout)
        self._discovery = Discovery(self._caller, settings.issuer, loopback=loopback)
        further = (origin(address(one, name="browser_origins", loopback=loopback)) for one in settings.browser_origins)
        self.origins = (origin(settings.issuer), *further)

    def leave(self, attempt: Attempt, parameters: Mapping[str, str], *, only_pushed: Mapping[str, str]) -> Leave:
        """Where the browser goes. `only_pushed` are parameters that must not pass through it. Raises `Refused`."""
        begun = _begun(attempt)
        request: dict[str, str | int] = {
            **parameters,
            "response_type": "code",
            "redirect_uri": attempt.callback,
            "state": attempt.state,
            "nonce": begun.nonce,
            "code_challenge": _encoded(sha256(begun.verifier.encode()).digest()),
            "code_challenge_method": "S256",
            "prompt": "login",  # whoever is still signed in over there proves nothing about now (SR-106)
            "max_age": 0,
        }
        try:
            url = self._url(request, only_pushed, attempt.now)
        except Unreachable as problem:
            raise Refused(Outcome.PROVIDER_UNAVAILABLE, str(problem)) from None
        except Unusable as problem:
            raise Refused(Outcome.PROTOCOL_ERROR, f"discovery: {problem}") from None
        return Leave(url, msgspec.json.encode(begun))

    def came_back(self, notes: bytes, answer: Mapping[str, str], *, now: datetime, userinfo: bool) -> Proved:
        """The claims, after every check of the answer, the ID token and UserInfo. Raises `Refused`."""
        try:
            return self._redeemed(msgspec.json.decode(notes, type=Begun), answer, now, userinfo=userinfo)
        except Unreachable as problem:
            raise Refused(Outcome.PROVIDER_UNAVAILABLE, str(problem)) from None
        except Unusable as problem:
            raise Refused(Outcome.PROTOCOL_ERROR, f"discovery: {problem}") from None
        except jws.Untrusted as problem:
            raise Refused(Outcome.PROOF_INVALID, f"token: {problem}") from None
        except msgspec.DecodeError:
            raise Refused(Outcome.PROTOCOL_ERROR, "the notes are not ours") from None

    def _url(self, request: Mapping[str, str | int], only_pushed: Mapping[str, str], now: datetime) -> str:
        metadata = self._discovery.metadata(now)
        if origin(metadata.authorization_endpoint) not in self.origins:
            # The browser would refuse to go there, without a word (CSP `form-action`).
            raise Refused(Outcome.PROTOCOL_ERROR, "browser_origins does not name the authorization endpoint's origin")
        pushed_to = self._pushed_to(metadata)
        whole = {**request, **only_pushed} if pushed_to else request
        sent = {name: str(value) for name, value in whole.items()}
        if self._settings.signed_requests:
            sent = {"request": self._credentials.request_object(whole, now=now)}
        if pushed_to:
            sent = {"request_uri": self._push(pushed_to, sent, metadata, now)}
        query = urlencode({"client_id": self._settings.client_id, **sent})
        return f"{metadata.authorization_endpoint}{'&' if '?' in metadata.authorization_endpoint else '?'}{query}"

    def _pushed_to(self, metadata: Metadata) -> str | None:
        if self._settings.pushed_requests == "never":
            return None
        needed = self._settings.pushed_requests == "always" or metadata.wants_pushed
        if needed and metadata.pushed_endpoint is None:
            raise Unusable("pushed_authorization_request_endpoint")
        return metadata.pushed_endpoint

    def _push(self, url: str, sent: Mapping[str, str], metadata: Metadata, now: datetime) -> str:
        form = {"client_id": self._settings.client_id, **sent}
        return _text(self._posted(url, form, metadata, now), "request_uri")

    def _redeemed(self, begun: Begun, answer: Mapping[str, str], now: datetime, *, userinfo: bool) -> Proved:
        metadata = self._discovery.metadata(now)
        form = {
            "grant_type": "authorization_code",
            "code": _code(answer, issuer=self._settings.issuer, named=metadata.names_itself),
            "redirect_uri": begun.callback,
            "code_verifier": begun.verifier,
        }
        tokens = self._posted(metadata.token_endpoint, form, metadata, now)
        access_token = _text(tokens, "access_token")
        wanted = Wanted(
            issuer=self._settings.issuer,
            client_id=self._settings.client_id,
            nonce=begun.nonce,
            access_token=access_token,
            started_at=begun.started_at,
            now=now.timestamp(),
        )
        claims = self._read(tokens.get("id_token"), now)
        if (failed := first_failure(ID_TOKEN, claims, wanted)) is not None:
            raise Refused(Outcome.PROOF_INVALID, f"id_token: {failed}")
        more = self._userinfo(metadata, claims["sub"], wanted, now) if userinfo else {}
        return Proved(claims, more, begun, wanted)

    def _userinfo(self, metadata: Metadata, subject: str, wanted: Wanted, now: datetime) -> Mapping[str, Any]:
        if metadata.userinfo_endpoint is None:
            raise Unusable("userinfo_endpoint")
        answer = self._caller.get(
            metadata.userinfo_endpoint, headers={"Authorization": f"Bearer {wanted.access_token}"}
        )
        if answer.status != 200:
            raise Refused(by_status(answer.status), f"userinfo said {answer.status}")
        signed = answer.content_type == "application/jwt" or self._credentials.encrypted
        said = self._read(answer.body.decode("ascii", "replace"), now) if signed else object_of(answer)
        if said.get("sub") != subject:
            raise Refused(Outcome.PROOF_INVALID, "userinfo: sub")
        if (failed := first_failure(USERINFO, said, wanted)) is not None:
            raise Refused(Outcome.PROOF_INVALID, f"userinfo: {failed}")
        return said

    def _read(self, token: object, now: datetime) -> dict[str, Any]:
        """The claims of a signed token, which is inside an encrypted one where we have keys for that."""
        if not isinstance(token, str):
            raise jws.Untrusted("there is none")
        signed = self._credentials.decrypted(token) if self._credentials.encrypted else token
        allowed = self._settings.token_algorithms
        try:
            return jws.verify(signed, self._discovery.keys(now), algorithms=allowed, typ=None)
        except jws.Untrusted:
            newer = self._discovery.newer_keys(now)  # keys change at any time, and that is no fault of the person
            if newer is None:
                raise
            return jws.verify(signed, newer, algorithms=allowed, typ=None)

    def _posted(self, url: str, form: Mapping[str, str], metadata: Metadata, now: datetime) -> Mapping[str, Any]:
        to_endpoint = self._settings.assertion_audience == "token_endpoint"
        audience = metadata.token_endpoint if to_endpoint else self._settings.issuer
        body, headers = self._credentials.authenticated(form, audience=audience, now=now)
        answer = self._caller.post_form(url, body, headers={"Accept": "application/json", **headers})
        if answer.status in {200, 201}:
            return object_of(answer)
        raise refusal(answer)


def _begun(attempt: Attempt) -> Begun:
    person = attempt.expected
    return Begun(
        transaction_id=attempt.transaction_id,
        callback=attempt.callback,
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        started_at=attempt.now.timestamp(),
        expected=None if person is None else (person.country, person.number, person.reference),
    )


def _code(answer: Mapping[str, str], *, issuer: str, named: bool) -> str:
    """The code of an answer that comes from whom it must (RFC 9207 §2.4). Raises `Refused`."""
    if answer.get("iss", None if named else issuer) != issuer:
        raise Refused(Outcome.PROOF_INVALID, "answer: iss")
    if "error" in answer:
        raise refused(answer["error"], answer.get("error_description", ""))
    code = answer.get("code", "")
    if not 0 < len(code) <= _LONGEST_ANSWER:
        raise Refused(Outcome.PROTOCOL_ERROR, "answer: code")
    return code


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ANSWER or not value.isascii():
        raise Refused(Outcome.PROTOCOL_ERROR, f"{name} is missing, too long, or no text")
    return value


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
