"""Request objects (RFC 9101, OpenID Connect Core §6): a request that the client has signed.

Only what is signed counts; what stands beside it in the URL, any script on the way may have changed
(RFC 9101 §6.3). An object comes by value or is pushed; one that lies somewhere is never fetched (SR-75).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from idp import clock
from idp.protocol.errors import InvalidRequest, InvalidRequestObject, OAuthError
from idp.protocol.parts import Parts
from idp.protocol.request import MAY_REPEAT, Parameters, of_values
from idp.rules import fapi2
from idp.services import client_keys
from idp.services.clients import Client
from idp.signing import jws

TYPES = ("oauth-authz-req+jwt", "JWT", "")
"""Its own type (RFC 9101 §10.8), and what clients from before it was given one say."""

ABOUT_THE_OBJECT = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})
AHEAD = 60
"""Seconds that a client's clock may be before ours."""


def opened(given: Parameters, client: Client, parts: Parts) -> Parameters:
    """The parameters that count: those of the request object where there is one.

    Nothing is raised: a `fault` is left where the object is not good, since client and redirect URI come
    before everything else that is told (SR-69).
    """
    if "request" not in given:
        return given
    try:
        found = of_values(values(_claims(given["request"], client, parts), client))
    except OAuthError as problem:
        given.fault = given.fault or problem
        return given
    found.pushed_as, found.signed = given.pushed_as, True
    found.fault = given.fault or found.fault
    return found


def _claims(token: str, client: Client, parts: Parts) -> dict[str, Any]:
    one = client.request_object_signing_alg
    allowed = (one,) if one else client_keys.algorithms(client)
    try:
        claims = parts.client_keys.verify(client, token, algorithms=allowed, typ=TYPES)
    except jws.Untrusted as problem:
        raise InvalidRequestObject("the request object is not signed as the client is registered") from problem
    _check(claims, client, parts)
    return claims


def _check(claims: Mapping[str, Any], client: Client, parts: Parts) -> None:
    if claims.get("client_id") != client.client_id or claims.get("iss", client.client_id) != client.client_id:
        raise InvalidRequestObject("the request object is not of this client")
    if claims.get("sub") == client.client_id:  # an assertion to authenticate with is no request: RFC 9101 §10.8
        raise InvalidRequestObject("the request object has the client as its sub")
    if not {"request", "request_uri"}.isdisjoint(claims):  # RFC 9101 §4
        raise InvalidRequestObject("the request object holds another one")
    audience = claims.get("aud", parts.issuer)
    if parts.issuer not in (audience if isinstance(audience, list) else [audience]):
        raise InvalidRequestObject("aud of the request object is not this provider")
    check_times(claims)
    if client.profile is not None:
        _check_profile(claims)


def _check_profile(claims: Mapping[str, Any]) -> None:
    if not {"aud", "exp", "nbf"} <= claims.keys():
        raise InvalidRequestObject(fapi2.RULES["object times"])
    oldest = clock.timestamp() - fapi2.OBJECT_LIFETIME
    if claims["nbf"] < oldest or claims["exp"] - claims["nbf"] > fapi2.OBJECT_LIFETIME:
        raise InvalidRequestObject(fapi2.RULES["object times"])


def check_times(claims: Mapping[str, Any]) -> None:
    """Raises `InvalidRequestObject` where it is not valid now, by the times it has."""
    now = clock.timestamp()
    for name in ("exp", "nbf", "iat"):
        if not isinstance(claims.get(name, 0), int | float) or isinstance(claims.get(name), bool):
            raise InvalidRequestObject(f"{name} of the request object is no time")
    not_before = claims.get("nbf", now)
    if claims.get("exp", now + 1) <= now or max(not_before, claims.get("iat", now)) > now + AHEAD:
        raise InvalidRequestObject("the request object is not valid at this time")


def values(claims: Mapping[str, Any], client: Client) -> dict[str, list[str]]:
    """Claims as a form would have them: numbers and JSON written out, lists where a parameter may repeat."""
    written: dict[str, list[str]] = {"client_id": [client.client_id]}
    for name, value in claims.items():
        if name in ABOUT_THE_OBJECT:
            continue
        several = value if name in MAY_REPEAT and isinstance(value, list) else [value]
        written[name] = [_written(name, one) for one in several]
    return written


def _written(name: str, value: Any) -> str:
    match value:
        case str():
            return value
        case bool() | None | float():
            raise InvalidRequest(f"{name[:40]} of the request object is of a kind it must not have")
        case int():
            return str(value)
        case _:
            return orjson.dumps(value).decode()
