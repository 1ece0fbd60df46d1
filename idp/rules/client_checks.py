"""What must hold of a client's metadata: each member by itself, and between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, get_args, get_type_hints
from urllib.parse import urlsplit

import msgspec

from idp.rules import fapi2, redirect_uris
from idp.rules.client_metadata import (
    CIBA,
    ENCRYPTED,
    MEMBERS,
    OF_PEOPLE,
    PERSONAL_SCOPE,
    TOKEN_EXCHANGE,
    InvalidMetadata,
    MacAlgorithm,
    Metadata,
)

_TYPES = get_type_hints(Metadata)

_OURS_TO_SAY = {
    "client_id": "is chosen by the provider",
    "client_secret": "is made by the provider and shown once",
    "client_id_issued_at": "is set by the provider",
    "client_secret_expires_at": "is set by the provider",
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
    if metadata.profile is not None:
        metadata = fapi2.settled(metadata, named)
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
    types: tuple[str, ...] | None = metadata.response_types
    if types is None:
        types = ("code",) if "authorization_code" in grants else ()
    scope = metadata.scope
    if scope is None:
        offline = " offline_access" if "refresh_token" in grants else ""
        scope = PERSONAL_SCOPE + offline if of_people(grants) else ""
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


def of_people(grants: Iterable[str]) -> bool:
    """Whether a client with these grants gets tokens of people."""
    return not set(OF_PEOPLE).isdisjoint(grants)


def _check_grants(metadata: Metadata) -> None:
    grants = metadata.grant_types or ()
    by_code = "authorization_code" in grants
    if by_code and not metadata.redirect_uris:
        raise InvalidMetadata("redirect_uris", "at least one is needed for the authorization_code grant")
    if metadata.redirect_uris and not by_code:
        raise InvalidMetadata("grant_types", "redirect URIs are for the authorization_code grant, which is not listed")
    if bool(metadata.response_types) != by_code:
        raise InvalidMetadata("response_types", "`code` goes with the authorization_code grant, and only with it")
    if "refresh_token" in grants and not of_people(grants):
        raise InvalidMetadata("grant_types", f"refresh_token needs {' or '.join(OF_PEOPLE)}")
    if TOKEN_EXCHANGE in grants and (metadata.resource_server is None or not metadata.resources):
        raise InvalidMetadata(
            "grant_types", "token exchange is for a `resource_server` that has `resources` to ask for"
        )
    if not grants and metadata.resource_server is None:
        raise InvalidMetadata("grant_types", "a client with no grant must be a `resource_server`")


def _check_authentication(metadata: Metadata) -> None:
    if metadata.token_endpoint_auth_method == "none":  # noqa: S105 - the name of a method
        for member, needs in (
            ("client_credentials", "client_credentials" in (metadata.grant_types or ())),
            (CIBA, CIBA in (metadata.grant_types or ())),
            ("pkce_exempt", metadata.pkce_exempt),
            ("resource_server", metadata.resource_server is not None),
        ):
            if needs:
                raise InvalidMetadata("token_endpoint_auth_method", f"`none` cannot be, together with {member}")


def _check_assertion(metadata: Metadata) -> None:
    """A MAC goes with a shared secret and a signature with a key of the client's own: never one for the other."""
    algorithm, method = metadata.token_endpoint_auth_signing_alg, metadata.token_endpoint_auth_method
    if algorithm is None:
        return
    wanted = "client_secret_jwt" if algorithm in get_args(MacAlgorithm) else "private_key_jwt"
    if method in ("client_secret_jwt", "private_key_jwt") and method != wanted:
        raise InvalidMetadata("token_endpoint_auth_signing_alg", f"{algorithm} is for {wanted}")


BACKCHANNEL = tuple(
    f"backchannel_{name}"
    for name in ("token_delivery_mode", "client_notification_endpoint", "authentication_request_signing_alg")
)


def _check_backchannel(metadata: Metadata) -> None:
    """OpenID CIBA Core §4."""
    if CIBA not in (metadata.grant_types or ()):
        named = next((member for member in BACKCHANNEL if getattr(metadata, member) is not None), None)
        if named is not None:
            raise InvalidMetadata(named, f"is for the grant {CIBA}, which is not listed")
    elif metadata.backchannel_token_delivery_mode is None:
        raise InvalidMetadata("backchannel_token_delivery_mode", f"is needed for {CIBA}; allowed: poll, ping")
    pings = metadata.backchannel_token_delivery_mode == "ping"  # noqa: S105 - the name of a mode
    if pings != (metadata.backchannel_client_notification_endpoint is not None):
        raise InvalidMetadata("backchannel_client_notification_endpoint", "goes with the mode `ping`, and only with it")


TLS_NAMES = tuple(f"tls_client_auth_{name}" for name in ("subject_dn", "san_dns", "san_uri", "san_ip", "san_email"))


def _check_certificate(metadata: Metadata) -> None:
    """RFC 8705 §2.1.2: exactly one name goes with tls_client_auth, and with nothing else."""
    named = [member for member in TLS_NAMES if getattr(metadata, member) is not None]
    wanted = 1 if metadata.token_endpoint_auth_method == "tls_client_auth" else 0  # noqa: S105 - a method's name
    if len(named) != wanted:
        member = named[0] if named else TLS_NAMES[0]
        raise InvalidMetadata(member, "exactly one of the tls_client_auth_ names goes with tls_client_auth")


def _check_keys(metadata: Metadata) -> None:
    if metadata.jwks is not None and metadata.jwks_uri is not None:
        raise InvalidMetadata("jwks_uri", "the keys are given in `jwks`: one of the two (RFC 7591 §2)")
    if metadata.jwks is not None or metadata.jwks_uri is not None:
        return
    for member, needs in (
        ("private_key_jwt", metadata.token_endpoint_auth_method == "private_key_jwt"),  # noqa: S105 - a method
        (
            "self_signed_tls_client_auth",
            metadata.token_endpoint_auth_method == "self_signed_tls_client_auth",  # noqa: S105 - a method
        ),
        ("require_signed_request_object", metadata.require_signed_request_object),
        *((f"{what}_encrypted_response_alg", _is_encrypted(metadata, what)) for what in ENCRYPTED),
        (
            "backchannel_authentication_request_signing_alg",
            metadata.backchannel_authentication_request_signing_alg is not None,
        ),
    ):
        if needs:
            raise InvalidMetadata("jwks", f"{member} needs the client's public keys, here or at `jwks_uri`")


def _check_encryption(metadata: Metadata) -> None:
    for what in ENCRYPTED:
        if getattr(metadata, f"{what}_encrypted_response_enc") and not _is_encrypted(metadata, what):
            raise InvalidMetadata(f"{what}_encrypted_response_enc", f"needs {what}_encrypted_response_alg")


def _is_encrypted(metadata: Metadata, what: str) -> bool:
    return getattr(metadata, f"{what}_encrypted_response_alg") is not None


def _check_sector(metadata: Metadata) -> None:
    """One host must be the sector, unless a list says which redirect URIs share one (OIDC Core §8.1)."""
    hosts = {urlsplit(uri).hostname for uri in metadata.redirect_uris}
    if metadata.subject_type == "pairwise" and metadata.sector_identifier_uri is None and len(hosts) != 1:
        raise InvalidMetadata(
            "sector_identifier_uri",
            "pairwise subjects need it where redirect URIs have several hosts, or there are none",
        )


def _check_resource_server(metadata: Metadata) -> None:
    for member in ("access_token_format", "accepted_scopes"):
        if getattr(metadata, member) is not None and metadata.resource_server is None:
            raise InvalidMetadata(member, "is about tokens for a `resource_server`, which is missing")


def _check_scope(metadata: Metadata) -> None:
    scopes = (metadata.scope or "").split()
    if of_people(metadata.grant_types or ()) and "openid" not in scopes:
        raise InvalidMetadata("scope", "openid is missing")
    if "offline_access" in scopes and "refresh_token" not in (metadata.grant_types or ()):
        raise InvalidMetadata("scope", "offline_access needs the refresh_token grant")


_CHECKS: tuple[Callable[[Metadata], None], ...] = (
    _check_grants,
    _check_authentication,
    _check_assertion,
    _check_backchannel,
    _check_certificate,
    _check_keys,
    _check_encryption,
    _check_sector,
    _check_resource_server,
    _check_scope,
)


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
        "backchannel_client_notification_endpoint": metadata.backchannel_client_notification_endpoint,
        "jwks_uri": metadata.jwks_uri,
        "sector_identifier_uri": metadata.sector_identifier_uri,
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
