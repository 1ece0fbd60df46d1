"""Clients as RFC 7591 names them: the metadata we take, and what must hold between its members.

Members of our own are documented beside the field; docs and errors print the same list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, get_args, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from idp.rules import redirect_uris

Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Uri = Annotated[str, Meta(min_length=1, max_length=2000)]
Scopes = Annotated[str, Meta(max_length=1000, pattern=r"^([!#-\[\]-~]+( [!#-\[\]-~]+)*)?$")]
Method = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
SigningAlgorithm = Literal["ES256", "RS256", "PS256", "EdDSA", "Ed25519"]

PERSONAL_SCOPE = "openid profile email"
"""What a client may ask for when its metadata has no `scope` (RFC 7591 §2 leaves the default to us)."""


class InvalidMetadata(ValueError):
    """Metadata that cannot be registered. `error` is the code of RFC 7591 §3.2.2."""

    def __init__(self, member: str, problem: str) -> None:
        super().__init__(f"{member}: {problem}")
        self.member = member
        redirects = ("redirect_uris",)
        self.error = "invalid_redirect_uri" if member in redirects else "invalid_client_metadata"


class Members(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The members of RFC 7591 §2 and OpenID Connect Registration §2 that mean the same before and after."""

    client_name: Text | None = None
    """Name shown to people."""
    client_uri: Uri | None = None
    """Home page of the client."""
    logo_uri: Uri | None = None
    """Logo. Kept, never loaded into our pages (SR-111)."""
    policy_uri: Uri | None = None
    """Privacy notice of the client."""
    tos_uri: Uri | None = None
    """Terms of the client."""
    contacts: tuple[Text, ...] = ()
    """Addresses of the people responsible."""
    software_id: Text | None = None
    """Identifier of the client software."""
    software_version: Text | None = None
    """Version of the client software."""
    application_type: Literal["web", "native"] = "web"
    """`native` may use plain http on 127.0.0.1 and [::1], any port (SR-68)."""
    redirect_uris: tuple[Uri, ...] = ()
    """Addresses an answer may go to, compared byte for byte (SR-68)."""
    post_logout_redirect_uris: tuple[Uri, ...] = ()
    """Addresses a person may be sent to after signing out, compared byte for byte."""
    initiate_login_uri: Uri | None = None
    """Where a person starts signing in at the client; the way back when a journey is lost."""
    token_endpoint_auth_method: Method = "client_secret_basic"  # noqa: S105 - the name of a method
    """How it proves itself; this one method only (SR-82)."""
    token_endpoint_auth_signing_alg: SigningAlgorithm | None = None
    """Algorithm of its assertions. Default: any asymmetric one that fits its keys."""
    jwks: dict[str, Any] | None = None
    """Public keys, inline (RFC 7517), for private_key_jwt."""
    id_token_signed_response_alg: SigningAlgorithm = "RS256"  # noqa: S105 - the name of an algorithm
    """Algorithm of its ID tokens. RS256 when not named, as OpenID Connect says."""
    authorization_signed_response_alg: SigningAlgorithm | None = None
    """Algorithm of signed authorization answers (JARM). Default: that of its ID tokens."""
    subject_type: Literal["public"] = "public"
    """Every client sees the same `sub`."""
    require_pushed_authorization_requests: bool = False
    """Takes only requests that it has pushed beforehand (RFC 9126 §6)."""
    first_party: bool = False
    """Ours: people are not asked to consent to it: the operator answers for what it may have."""
    pkce_exempt: bool = False
    """May leave PKCE out if it authenticates itself (SR-70). For old confidential clients only; audited."""
    resources: tuple[Uri, ...] = ()
    """Audiences it may ask access tokens for (RFC 8707)."""
    resource_server: Uri | None = None
    """The audience this client itself is: it may introspect tokens for it, and no others (SR-98)."""
    claims_in_id_token: bool = False
    """Put profile, e-mail and phone claims in the ID token too, for clients that never call userinfo."""


class Metadata(Members, frozen=True, kw_only=True):
    """What a client asks to be registered with."""

    response_types: tuple[Literal["code"], ...] | None = None
    """Only `code` (SR-67)."""
    grant_types: tuple[Literal["authorization_code", "refresh_token", "client_credentials"], ...] | None = None
    """Grants the client may use. Default: authorization_code; none for a mere resource server."""
    scope: Scopes | None = None
    """Scopes it may ask for, separated by spaces. Default: openid profile email (with authorization_code)."""


class Client(Members, frozen=True, kw_only=True):
    """A registered client: every member settled."""

    client_id: str
    client_id_issued_at: int
    response_types: tuple[str, ...]
    grant_types: tuple[str, ...]
    scope: str

    @property
    def is_confidential(self) -> bool:
        """Whether it can prove that it is itself (RFC 6749 §2.1)."""
        return self.token_endpoint_auth_method != "none"  # noqa: S105 - a method's name

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes it may ask for."""
        return tuple(self.scope.split())

    @property
    def name(self) -> str:
        """The name to show people; its id when it has none."""
        return self.client_name or self.client_id

    @property
    def native(self) -> bool:
        """Whether the loopback exception of SR-68 is for it."""
        return self.application_type == "native"

    @property
    def confidential(self) -> bool:
        """Whether it authenticates itself."""
        return self.token_endpoint_auth_method != "none"  # noqa: S105 - the name of a method

    @property
    def needs_secret(self) -> bool:
        """Whether its method is a shared secret."""
        return self.token_endpoint_auth_method in ("client_secret_basic", "client_secret_post")


MEMBERS: tuple[str, ...] = Metadata.__struct_fields__
"""The metadata we take, in the order of the documentation."""

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
