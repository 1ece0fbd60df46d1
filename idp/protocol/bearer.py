"""Access tokens as they come back to us: found, and asked whether they still count."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import Request

from idp import clock
from idp.protocol.errors import InvalidDPoPProof, InvalidRequest, InvalidToken
from idp.protocol.parts import Parts
from idp.protocol.request import Confirmation
from idp.protocol.tokens import ACCESS_TOKEN
from idp.rules import authorization_details
from idp.rules.authorization_details import Details
from idp.services import client_keys, clients
from idp.signing import jws
from idp.stores.durable import grants
from idp.stores.durable.grants import Grant
from idp.stores.shortlived import access_tokens

B64TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
"""RFC 6750 §2.1."""

LONGEST = 16 * 1024


@dataclass(frozen=True, slots=True)
class Live:
    """A token that counts. `grant` is None for a machine's; `claims` are those of a JWT."""

    client_id: str
    scopes: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime
    grant: Grant | None
    claims: dict[str, Any] | None
    confirmation: Confirmation | None
    """`cnf`: the key that whoever uses it must show to hold."""

    @property
    def details(self) -> Details:
        """Exactly what it is for (RFC 9396)."""
        told = (self.claims or {}).get("authorization_details")
        return authorization_details.read(told) if told else ()


@dataclass(frozen=True, slots=True)
class Presented:
    """A token as it was sent, and how: `dpop` where a proof goes with it."""

    token: str = field(repr=False)
    dpop: bool


def presented(request: Request) -> Presented:
    """The token of the Authorization header, or of a form body (RFC 6750 §2.1, §2.2; RFC 9449 §7.1). Never of a URL.

    Raises `InvalidToken` without description when there is none (RFC 6750 §3.1).
    """
    header = request.headers.get("Authorization")
    in_form = request.form.getlist("access_token") if request.method == "POST" else []
    if header is not None and in_form:
        raise InvalidRequest("the token comes in two ways at once")
    if header is None and not in_form:
        raise InvalidToken
    scheme, _, token = header.partition(" ") if header is not None else ("Bearer", "", in_form[0])
    if (
        scheme.lower() not in ("bearer", "dpop")
        or not B64TOKEN.fullmatch(token)
        or len(token) > LONGEST
        or len(in_form) > 1
    ):
        raise InvalidToken("the token is malformed")
    return Presented(token, scheme.lower() == "dpop")


def check_possession(parts: Parts, request: Request, given: Presented, live: Live) -> None:
    """Whoever uses a bound token shows its key; one that is not bound is no DPoP token (RFC 9449 §7.1, §7.2).

    Raises `InvalidToken`, `InvalidDPoPProof`.
    """
    certificate = (live.confirmation or {}).get("x5t#S256")
    if certificate is not None and certificate != parts.certificates.thumbprint(request):  # RFC 8705 §3
        raise InvalidToken("the token is bound to another certificate")
    bound = (live.confirmation or {}).get("jkt")
    if given.dpop is not (bound is not None):
        raise InvalidToken("the token is bound to a key" if bound else "the token is not bound to a key")
    if bound is None:
        return
    client = clients.find(live.client_id)
    allowed = client_keys.algorithms(client) if client is not None else ()
    shown = parts.proofs.thumbprint(request, algorithms=allowed, access_token=given.token)
    if shown is None:
        raise InvalidDPoPProof("the DPoP header is missing")
    if shown != bound:
        raise InvalidToken("the token is bound to another key")


def find(parts: Parts, token: str) -> Live | None:
    """The token, if it counts now: issued here, not expired, not revoked; its client, grant and account alive."""
    live = _of_jwt(parts, token) if token.count(".") == 2 else _of_record(parts, token)
    return live if live is not None and clients.find(live.client_id) is not None else None


def _of_record(parts: Parts, token: str) -> Live | None:
    record = access_tokens.find(parts.store, token)
    now = clock.now()
    if record is None or record.expires_at <= now:
        return None
    if record.claims is not None:
        return _of_claims(record.claims, token)
    grant = grants.live(record.reference, token=access_tokens.digest(token), now=now)
    if grant is None:
        return None
    scopes = tuple(record.scope.split())
    return Live(record.client_id, scopes, record.issued_at, record.expires_at, grant, None, record.confirmation)


def _of_jwt(parts: Parts, token: str) -> Live | None:
    try:
        claims = parts.keyring.verify_own(token, typ=ACCESS_TOKEN)
    except jws.Untrusted:
        return None
    return _of_claims(claims, token) if claims["iss"] == parts.issuer else None


def _of_claims(claims: dict[str, Any], token: str) -> Live | None:
    now = clock.now()
    issued_at, expires_at = (datetime.fromtimestamp(claims[name], UTC) for name in ("iat", "exp"))
    if expires_at <= now:
        return None
    reference, dot, _ = claims["jti"].partition(".")
    digest = access_tokens.digest(token)
    grant = None
    if dot:
        grant = grants.live(reference, token=digest, now=now)
        if grant is None:
            return None
    elif grants.is_revoked(digest):
        return None
    scopes = tuple(claims.get("scope", "").split())
    return Live(claims["client_id"], scopes, issued_at, expires_at, grant, claims, claims.get("cnf"))
