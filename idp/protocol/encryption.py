"""What only one client can read: signed first, then encrypted with a key of its own, where it is registered so."""

from __future__ import annotations

from idp.protocol.errors import InvalidRequest
from idp.protocol.parts import Parts
from idp.services.clients import Client
from idp.signing import jws

DEFAULT_CIPHER = "A128CBC-HS256"
"""OpenID Connect Registration §2, JARM §3, RFC 9701 §6."""


def only_for(parts: Parts, client: Client, content: str, *, what: str, kind: str = "JWT") -> str:
    """The content as it is registered for `what`: encrypted, or as it is. Raises `InvalidRequest` without a key.

    `kind` is its media type: `JWT` for what is signed (RFC 7519 §5.2).
    """
    algorithm = getattr(client, f"{what}_encrypted_response_alg")
    if algorithm is None:
        return content
    cipher = getattr(client, f"{what}_encrypted_response_enc") or DEFAULT_CIPHER
    try:
        return parts.client_keys.encrypt(client, content, algorithm=algorithm, encryption=cipher, kind=kind)
    except jws.Untrusted as problem:
        raise InvalidRequest("the client has no key to encrypt with") from problem
