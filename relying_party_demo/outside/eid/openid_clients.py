"""The services that have an agreement with an eID, and how they prove themselves at its endpoints."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from flask import request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

from . import clock


class TokenFault(Exception):
    """An error of the token or request endpoint (RFC 6749 §5.2)."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.status = error, status


@dataclass(frozen=True, slots=True)
class Client:
    """A service with an agreement. It proves itself by its secret or by its keys."""

    client_id: str
    redirect_uris: tuple[str, ...]
    secret: str = field(default="", repr=False)
    jwks: dict[str, Any] | None = None
    number_allowed: bool = True


class Agreements:
    """All of them."""

    def __init__(self, clients: Sequence[Client], issuer: Callable[[], str]) -> None:
        self._clients, self._issuer = clients, issuer
        self._jtis: set[str] = set()

    def of(self, client_id: str) -> Client:
        """The client of this id, which is there."""
        return next(one for one in self._clients if one.client_id == client_id)

    def caller(self) -> Client:
        """Who calls the endpoint: by secret, or by an assertion that counts once (RFC 7523 §3)."""
        basic = request.authorization
        assertion = request.form.get("client_assertion")
        name = unquote_plus(basic.username or "") if basic else request.form.get("client_id", "")
        secret = unquote_plus(basic.password or "") if basic else request.form.get("client_secret", "")
        for client in self._clients:
            if assertion and client.jwks and self._asserted(client, assertion):
                return client
            told = client.client_id == name and hmac.compare_digest(client.secret.encode(), secret.encode())
            if not assertion and client.secret and told:
                return client
        raise TokenFault("invalid_client", 401)

    def _asserted(self, client: Client, assertion: str) -> bool:
        try:
            claims = jwt.decode(
                assertion, KeySet([JWKRegistry.import_key(key) for key in (client.jwks or {})["keys"]])
            ).claims
        except (JoseError, ValueError):
            return False
        now, jti = clock.now().timestamp(), str(claims.get("jti", ""))
        audience = claims.get("aud")
        fits = claims.get("iss") == claims.get("sub") == client.client_id and now < claims.get("exp", 0) < now + 300
        if not fits or not jti or jti in self._jtis or audience not in (self._issuer(), [self._issuer()]):
            return False
        self._jtis.add(jti)
        return True
