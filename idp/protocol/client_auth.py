"""Client authentication: by the one registered method, and no other (SR-82, SR-83)."""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64decode
from typing import Any
from urllib.parse import unquote_plus

import orjson
from flask import Request

from idp import clock
from idp.protocol.client_certificates import ClientCertificates
from idp.protocol.errors import InvalidClient, InvalidRequest
from idp.protocol.request import Parameters
from idp.rules import fapi2
from idp.services import client_keys, clients
from idp.services.client_keys import ClientKeys
from idp.services.clients import Client
from idp.signing import jws
from idp.stores.shortlived import replays
from idp.stores.shortlived.contract import ShortLived

ASSERTION_METHODS = ("client_secret_jwt", "private_key_jwt")
CERTIFICATE_METHODS = ("tls_client_auth", "self_signed_tls_client_auth")
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_ASSERTION = 3600
"""Seconds an assertion may live: several libraries make them for an hour."""

AHEAD, FAR_AHEAD = 10, 60
"""Seconds that a client's clock may be before ours, and those beyond which it is refused."""


class ClientAuthentication:
    """Who is calling, proved as the client was registered."""

    def __init__(self, store: ShortLived, issuer: str, keys: ClientKeys, certificates: ClientCertificates) -> None:
        self._store = store
        self._issuer = issuer
        self._keys = keys
        self._certificates = certificates

    def __call__(self, request: Request, parameters: Parameters) -> Client:
        """The client. Raises `InvalidClient`, and `InvalidRequest` for two methods at once."""
        tried = [
            method
            for method, used in (
                ("client_secret_basic", "Authorization" in request.headers),
                ("client_secret_post", "client_secret" in parameters),
                ("assertion", "client_assertion" in parameters or "client_assertion_type" in parameters),
            )
            if used
        ]
        if len(tried) > 1:
            raise InvalidRequest("the client authenticates in two ways at once")
        match tried:
            case ["client_secret_basic"]:
                client_id, secret = _basic(request)
                if parameters.get("client_id", client_id) != client_id:
                    raise InvalidRequest("client_id is another one in the body")
                return self._by_secret(client_id, secret, "client_secret_basic")
            case ["client_secret_post"]:
                return self._by_secret(
                    parameters.get("client_id", ""), parameters["client_secret"], "client_secret_post"
                )
            case ["assertion"]:
                return self._by_assertion(request, parameters)
        return self._by_connection(request, parameters.get("client_id", ""))

    def _by_connection(self, request: Request, client_id: str) -> Client:
        """A client that shows nothing in its request: its certificate speaks for it, or it is a public one."""
        client = clients.find(client_id)
        if client is None:
            raise InvalidClient
        by_certificate = client.token_endpoint_auth_method in CERTIFICATE_METHODS
        if by_certificate and self._certificates.authenticates(client, request):
            return client
        return _registered(client_id, "none")

    def _by_secret(self, client_id: str, secret: str, method: str) -> Client:
        client = clients.find(client_id)
        if client is None or client.token_endpoint_auth_method != method or not clients.verify_secret(client, secret):
            raise InvalidClient(basic=method == "client_secret_basic")
        return client

    def _by_assertion(self, request: Request, parameters: Parameters) -> Client:
        if parameters.get("client_assertion_type") != JWT_BEARER:
            raise InvalidRequest("client_assertion_type is missing or unknown")
        assertion = parameters.get("client_assertion", "")
        client = _registered(_claimed_subject(assertion, parameters), *ASSERTION_METHODS)
        try:
            claims = self._claims(client, assertion)
        except jws.Untrusted as problem:
            raise InvalidClient from problem
        self._check_profile(claims, client)
        self._check(claims, client, {self._issuer, f"{self._issuer}{request.path}", f"{self._issuer}/token"})
        return client

    def _claims(self, client: Client, assertion: str) -> dict[str, Any]:
        """What the client says, by its key or its secret, as it is registered. Raises `jws.Untrusted`."""
        one = client.token_endpoint_auth_signing_alg
        if client.signs_with_secret:
            secret = clients.secret_of(client)
            if secret is None:
                raise jws.Untrusted("the secret cannot be read")
            return jws.verify_mac(assertion, secret, algorithms=(one,) if one else jws.MACS)
        allowed = (one,) if one else client_keys.algorithms(client)
        return self._keys.verify(client, assertion, algorithms=allowed, typ=None)

    def _check_profile(self, claims: dict[str, Any], client: Client) -> None:
        """What the client's profile wants beyond that. It has signed this, so it may hear which rule it breaks."""
        if client.profile is None:
            return
        if claims.get("aud") != self._issuer:
            raise InvalidClient(because=fapi2.RULES["audience"])
        expires = claims.get("exp")
        if isinstance(expires, int | float) and expires > clock.timestamp() + fapi2.ASSERTION_LIFETIME + AHEAD:
            raise InvalidClient(because=fapi2.RULES["lifetime"])

    def _check(self, claims: dict[str, Any], client: Client, audiences: set[str]) -> None:
        """The checks of RFC 7523 §3, with the leeway of SR-83 and what real clients send."""
        now = clock.timestamp()
        named = claims.get("aud")
        named = [named] if isinstance(named, str) else named
        expires, issued, not_before = claims.get("exp"), claims.get("iat", now), claims.get("nbf", now)
        jti = claims.get("jti")
        if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
            raise InvalidClient
        if not isinstance(named, list) or audiences.isdisjoint(name for name in named if isinstance(name, str)):
            raise InvalidClient
        if not isinstance(expires, int | float) or not isinstance(jti, str) or not jti:
            raise InvalidClient
        if not isinstance(issued, int | float) or not isinstance(not_before, int | float):
            raise InvalidClient
        if not now < expires <= now + LONGEST_ASSERTION + AHEAD or max(issued, not_before) > now + FAR_AHEAD:
            raise InvalidClient
        if not replays.claim(self._store, f"{client.client_id}:{jti}", ttl=int(expires) - now + 1):
            raise InvalidClient


def _registered(client_id: str, *methods: str) -> Client:
    client = clients.find(client_id)
    if client is None or client.token_endpoint_auth_method not in methods:
        raise InvalidClient
    return client


def _basic(request: Request) -> tuple[str, str]:
    """Id and secret, percent-decoded: some clients encode them and some do not (RFC 6749 §2.3.1)."""
    scheme, _, encoded = request.headers["Authorization"].partition(" ")
    if scheme.lower() != "basic":
        raise InvalidClient(basic=True)
    try:
        client_id, _, secret = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError as problem:
        raise InvalidClient(basic=True) from problem
    return unquote_plus(client_id), unquote_plus(secret)


def _claimed_subject(assertion: str, parameters: Parameters) -> str:
    """Whose keys to verify with. Nothing is believed of the assertion before that."""
    _, _, payload = assertion.rpartition(".")[0].rpartition(".")
    try:
        subject = orjson.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4))).get("sub")
    except (ValueError, AttributeError) as problem:
        raise InvalidClient from problem
    if not isinstance(subject, str) or parameters.get("client_id", subject) != subject:
        raise InvalidClient
    return subject
