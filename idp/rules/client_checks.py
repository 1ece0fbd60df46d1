"""What must hold of a client's metadata: each member by itself, and between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args, get_type_hints
from urllib.parse import urlsplit

import msgspec

from idp.rules import redirect_uris
from idp.rules.client_metadata import MEMBERS, PERSONAL_SCOPE, InvalidMetadata, Metadata

_TYPES = get_type_hints(Metadata)

_OURS_TO_SAY = {
    "client_id": "is chosen by the provider",
    "client_secret": "is made by the provider and shown once",
    "client_id_issued_at": "is set by the provider",
    "client_secret_expires_at": "is set by the provider",
    "jwks_uri": "is not taken yet; give the keys themselves in `jwks`",
    "sector_identifier_uri": "is for pairwise subjects, which are not offered",
}


def read(given: Mapping[str, Any], *, loopback_issuer: bool) -> Metadata:
    """Check metadata as given and settle its defaults. Raises `InvalidMetadata`.

    `loopback_issuer`: the provider itself runs on plain http on this machine (the demo), so
    clients on this machine may too.
    """
    for member in given:
        if member in _OURS_TO_SAY:
            raise InvalidMetadata(member, _OURS_TO_SAY[member])
        if member not in MEMBERS:
            raise InvalidMetadata(member, f"unknown member; allowed: {', '.join(MEMBERS)}")
    named = {member: value for member, value in given.items() if value is not None}
    try:
        metadata = msgspec.convert(named, Metadata)
    except msgspec.ValidationError as problem:
        words, _, path = str(problem).partition(" - at `$.")
        raise InvalidMetadata(path.rstrip("`"), _in_words(words, path)) from None
    metadata = _settled(metadata)
    for check in _CHECKS:
        check(metadata)
    _check_uris(metadata, loopback_issuer=loopback_issuer)
    return metadata


def _in_words(words: str, path: str) -> str:
    """What msgspec says, with what would be allowed."""
    if "matching regex" in words:
        return "has characters that it must not have"
    if words.startswith("Invalid enum value"):
        member = re.split(r"[.\[]", path.rstrip("`"))[0]
        return f"{words[:1].lower()}{words[1:]}; allowed: {', '.join(_choices(_TYPES[member]))}"
    return f"{words[:1].lower()}{words[1:]}"


def _choices(kind: Any) -> Iterator[str]:
    for part in get_args(kind):
        if isinstance(part, str):
            yield part
        else:
            yield from _choices(part)


def _settled(metadata: Metadata) -> Metadata:
    grants = _grants(metadata)
    people = "authorization_code" in grants
    types: tuple[str, ...] | None = metadata.response_types
    if types is None:
        types = ("code",) if people else ()
    scope = metadata.scope
    if scope is None:
        offline = " offline_access" if "refresh_token" in grants else ""
        scope = PERSONAL_SCOPE + offline if people else ""
    return msgspec.structs.replace(
        metadata,
        grant_types=tuple(dict.fromkeys(grants)),
        response_types=types,
        scope=" ".join(dict.fromkeys(scope.split())),
    )


def _grants(metadata: Metadata) -> tuple[str, ...]:
    if metadata.grant_types is not None:
        return metadata.grant_types
    only_resource_server = metadata.resource_server is not None and not metadata.redirect_uris
    return () if only_resource_server else ("authorization_code",)


def _check_grants(metadata: Metadata) -> None:
    grants = metadata.grant_types or ()
    people = "authorization_code" in grants
    if people and not metadata.redirect_uris:
        raise InvalidMetadata("redirect_uris", "at least one is needed for the authorization_code grant")
    if metadata.redirect_uris and not people:
        raise InvalidMetadata("grant_types", "redirect URIs are for the authorization_code grant, which is not listed")
    if bool(metadata.response_types) != people:
        raise InvalidMetadata("response_types", "`code` goes with the authorization_code grant, and only with it")
    if "refresh_token" in grants and not people:
        raise InvalidMetadata("grant_types", "refresh_token needs authorization_code")
    if not grants and metadata.resource_server is None:
        raise InvalidMetadata("grant_types", "a client with no grant must be a `resource_server`")


def _check_authentication(metadata: Metadata) -> None:
    if metadata.token_endpoint_auth_method == "none":  # noqa: S105 - the name of a method
        for member, needs in (
            ("client_credentials", "client_credentials" in (metadata.grant_types or ())),
            ("pkce_exempt", metadata.pkce_exempt),
            ("resource_server", metadata.resource_server is not None),
        ):
            if needs:
                raise InvalidMetadata("token_endpoint_auth_method", f"`none` cannot be, together with {member}")
    if metadata.token_endpoint_auth_method == "private_key_jwt" and metadata.jwks is None:  # noqa: S105 - likewise
        raise InvalidMetadata("jwks", "private_key_jwt needs the client's public keys here")
    if metadata.require_signed_request_object and metadata.jwks is None:
        raise InvalidMetadata("jwks", "require_signed_request_object needs the client's public keys here")


def _check_scope(metadata: Metadata) -> None:
    scopes = (metadata.scope or "").split()
    if "authorization_code" in (metadata.grant_types or ()) and "openid" not in scopes:
        raise InvalidMetadata("scope", "openid is missing")
    if "offline_access" in scopes and "refresh_token" not in (metadata.grant_types or ()):
        raise InvalidMetadata("scope", "offline_access needs the refresh_token grant")


_CHECKS: tuple[Callable[[Metadata], None], ...] = (_check_grants, _check_authentication, _check_scope)


def _check_uris(metadata: Metadata, *, loopback_issuer: bool) -> None:
    native = metadata.application_type == "native"
    pages = {
        "client_uri": metadata.client_uri,
        "logo_uri": metadata.logo_uri,
        "policy_uri": metadata.policy_uri,
        "tos_uri": metadata.tos_uri,
        "initiate_login_uri": metadata.initiate_login_uri,
        "backchannel_logout_uri": metadata.backchannel_logout_uri,
        "frontchannel_logout_uri": metadata.frontchannel_logout_uri,
    }
    for member, uris, may_be_native in (
        ("redirect_uris", metadata.redirect_uris, native),
        ("post_logout_redirect_uris", metadata.post_logout_redirect_uris, native),
        *((member, (uri,), False) for member, uri in pages.items() if uri is not None),
    ):
        for uri in uris:
            problem = redirect_uris.problem(uri, native=may_be_native, loopback_issuer=loopback_issuer)
            if problem:
                raise InvalidMetadata(member, f"{uri!r}: {problem}")
    resource_server = (metadata.resource_server,) if metadata.resource_server else ()
    for member, uris in (("resources", metadata.resources), ("resource_server", resource_server)):
        for uri in uris:
            _check_resource(member, uri)


def _check_resource(member: str, uri: str) -> None:
    """A resource indicator is an absolute URI without fragment (RFC 8707 §2)."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise InvalidMetadata(member, f"{uri!r}: not a URI") from None
    if not parts.scheme or "#" in uri or not (parts.netloc or parts.path) or not uri.isascii() or not uri.isprintable():
        raise InvalidMetadata(member, f"{uri!r}: must be an absolute URI without a fragment")
