"""What the FAPI 2.0 Security Profile demands of a client beyond everybody's rules, clause by clause.

A client that breaks one is told which: `RULES` are the words.
"""

from __future__ import annotations

from typing import Any

import msgspec

from idp.rules.client_metadata import CIBA, DEVICE_CODE, InvalidMetadata, Metadata

ALGORITHMS = ("ES256", "PS256", "EdDSA", "Ed25519")
"""FAPI 2.0 §5.4.1: no RS256."""

ASSERTION_LIFETIME = 300
"""Seconds an assertion to authenticate with may live (SR-83)."""

OBJECT_LIFETIME = 3600
"""Seconds between `nbf` and `exp` of a request object, and since `nbf` (FAPI 2.0 Message Signing §5.3.1)."""

RULES = {
    "audience": "FAPI 2.0 5.3.2.1: aud must be the issuer identifier alone, as a string",
    "lifetime": "FAPI 2.0 5.3.2.1: the assertion may live five minutes at most",
    "algorithm": "FAPI 2.0 5.4.1: algorithms are ES256, PS256 and EdDSA",
    "object times": "FAPI 2.0 Message Signing 5.3.1: aud, exp and nbf are needed, an hour apart and old at most",
    "bound": "FAPI 2.0 5.3.2.1: tokens must be bound to a key: the DPoP header or a client certificate is missing",
}

METHODS = ("private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth")


def settled(metadata: Metadata, named: dict[str, Any]) -> Metadata:
    """The metadata with all that the profile turns on. Raises `InvalidMetadata` for what contradicts it."""
    _check(metadata)
    changes: dict[str, Any] = {"require_pushed_authorization_requests": True}
    if not metadata.tls_client_certificate_bound_access_tokens:
        changes["dpop_bound_access_tokens"] = True
    if "id_token_signed_response_alg" not in named:
        changes |= {"id_token_signed_response_alg": "ES256"}
    changed = msgspec.structs.replace(metadata, **changes)
    for member in changed.__struct_fields__:
        if member.endswith(("signed_response_alg", "signing_alg")) and getattr(changed, member) == "RS256":
            raise InvalidMetadata(member, f"RS256 is not for `fapi2` ({RULES['algorithm']})")
    return changed


def _check(metadata: Metadata) -> None:
    if metadata.token_endpoint_auth_method not in METHODS:
        raise InvalidMetadata(
            "token_endpoint_auth_method", f"must be one of {', '.join(METHODS)} for `fapi2` (FAPI 2.0 §5.3.2.1)"
        )
    if metadata.pkce_exempt:
        raise InvalidMetadata("pkce_exempt", "cannot be for `fapi2` (FAPI 2.0 §5.3.2.2)")
    grants = metadata.grant_types or ()
    if DEVICE_CODE in grants:  # its requests are neither pushed nor bound to the browser that answers them
        raise InvalidMetadata("grant_types", f"{DEVICE_CODE} cannot be for `fapi2` (FAPI 2.0 §5.3.2.2)")
    if CIBA in grants and metadata.backchannel_authentication_request_signing_alg is None:
        raise InvalidMetadata(
            "backchannel_authentication_request_signing_alg", "must be there for `fapi2` (FAPI-CIBA §5.2.2)"
        )
    for uri in metadata.redirect_uris:
        if not uri.startswith("https:") and metadata.application_type != "native":
            raise InvalidMetadata("redirect_uris", f"{uri!r}: must be https for `fapi2` (FAPI 2.0 §5.3.2.2)")
