"""Checks of a client's metadata that need more than the metadata: our keys, and what lies at an address of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from idp.outgoing.guarded import Guarded
from idp.outgoing.known import Unreachable
from idp.rules import client_checks
from idp.rules.client_metadata import SIGNED_REQUESTS, InvalidMetadata, Metadata
from idp.signing import jws
from idp.stores.durable import keys

SIGNED_RESPONSES = tuple(
    f"{what}_signed_response_alg" for what in ("id_token", "authorization", "userinfo", "introspection")
)


def checked(metadata: Mapping[str, Any], *, loopback_issuer: bool, out: Guarded | None) -> Metadata:
    """Metadata that can be registered, its defaults settled. Raises `InvalidMetadata`."""
    found = client_checks.read(metadata, loopback_issuer=loopback_issuer)
    if found.jwks is not None:
        try:
            fitting = {name for key in jws.public_keys(found.jwks) for name in key.algorithms}
        except ValueError as problem:
            raise InvalidMetadata("jwks", str(problem)) from None
        if not fitting and _signs(found):
            raise InvalidMetadata("jwks", "none of the keys is for signatures")
        for member in SIGNED_REQUESTS:
            wanted = getattr(found, member)
            if wanted is not None and wanted not in fitting and wanted not in jws.MACS:
                raise InvalidMetadata(member, f"no key in `jwks` is for {wanted}")
    _check_signing(found)
    if found.sector_identifier_uri is not None:
        _check_sector(found, found.sector_identifier_uri, out)
    return found


def _signs(metadata: Metadata) -> bool:
    """Whether it needs a key to sign with; others may have keys that are only for encrypting to them."""
    by_key = metadata.token_endpoint_auth_method == "private_key_jwt"  # noqa: S105 - a method's name
    by_back_channel = metadata.backchannel_authentication_request_signing_alg is not None
    return by_key or by_back_channel or metadata.require_signed_request_object


def _check_sector(metadata: Metadata, uri: str, out: Guarded | None) -> None:
    """The list that lies there names every redirect URI (OIDC Core §8.1)."""
    try:
        listed = out.get(uri).json() if out is not None else None
    except (Unreachable, ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list):
        raise InvalidMetadata("sector_identifier_uri", "there is no JSON list at this address")
    missing = [one for one in metadata.redirect_uris if one not in listed]
    if missing:
        raise InvalidMetadata("sector_identifier_uri", f"the list there lacks {missing[0]!r}")


def _check_signing(metadata: Metadata) -> None:
    for member in SIGNED_RESPONSES:
        wanted = getattr(metadata, member)
        if member == "id_token_signed_response_alg" and not client_checks.of_people(metadata.grant_types or ()):
            continue  # it has a default, and gets no ID tokens
        stored = "EdDSA" if wanted in jws.ED25519 else wanted
        if stored is not None and stored not in keys.signing_algorithms():
            words = f"there is no signing key for {wanted}: `idp key add --algorithm {stored} --now` makes one"
            raise InvalidMetadata(member, words)
