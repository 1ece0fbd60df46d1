"""Clients as RFC 7591 names them: the metadata we take. What must hold of it is in `client_checks`.

Members of our own are documented beside the field; docs and errors print the same list.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Uri = Annotated[str, Meta(min_length=1, max_length=2000)]
Scopes = Annotated[str, Meta(max_length=1000, pattern=r"^([!#-\[\]-~]+( [!#-\[\]-~]+)*)?$")]
Method = Literal[
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
    "none",
]
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - the name of a grant
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
CIBA = "urn:openid:params:grant-type:ciba"
GrantType = Literal[
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:openid:params:grant-type:ciba",
]
DECIDED_ELSEWHERE = (DEVICE_CODE, CIBA)
"""Grants that a person decides on another device than the one that asks."""

OF_PEOPLE = ("authorization_code", *DECIDED_ELSEWHERE)
"""Grants by which a client gets a person's tokens."""
KeyAlgorithm = Literal["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"]
ContentAlgorithm = Literal["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"]
SecondFactor = Literal["passkey", "security_key", "totp", "sms", "voice", "recovery_code"]
SigningAlgorithm = Literal["ES256", "RS256", "PS256", "EdDSA", "Ed25519"]
MacAlgorithm = Literal["HS256", "HS384", "HS512"]

ENCRYPTED = ("id_token", "userinfo", "authorization", "introspection")
"""What can be encrypted for a client: `…_encrypted_response_alg` and `…_enc` of each."""

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
    backchannel_logout_uri: Uri | None = None
    """Where it is told of the end of a session, by a signed token (Back-Channel Logout §2.2)."""
    backchannel_logout_session_required: bool = False
    """Needs `sid` in that token. It is always there."""
    frontchannel_logout_uri: Uri | None = None
    """Page that ends its session in the browser, loaded in a frame of ours (Front-Channel Logout §2)."""
    frontchannel_logout_session_required: bool = False
    """Needs `iss` and `sid` in that page's query. They are always there."""
    backchannel_token_delivery_mode: Literal["poll", "ping"] | None = None
    """How it hears what became of a CIBA request: it asks, or it is told to ask (OpenID CIBA Core §4)."""
    backchannel_client_notification_endpoint: Uri | None = None
    """Where a client of mode `ping` is told."""
    backchannel_authentication_request_signing_alg: SigningAlgorithm | None = None
    """Algorithm by which it signs its CIBA requests. Then it sends no others."""
    backchannel_user_code_parameter: Literal[False] = False
    """Secret codes of people are not taken in CIBA requests."""
    initiate_login_uri: Uri | None = None
    """Where a person starts signing in at the client; the way back when a journey is lost."""
    token_endpoint_auth_method: Method = "client_secret_basic"  # noqa: S105 - the name of a method
    """How it proves itself; this one method only (SR-82)."""
    token_endpoint_auth_signing_alg: SigningAlgorithm | MacAlgorithm | None = None
    """Algorithm of its assertions; HS256, HS384, HS512 for client_secret_jwt only. Default: any that fits."""
    jwks: dict[str, Any] | None = None
    """Public keys, inline (RFC 7517): of its assertions and request objects, and to encrypt for it."""
    jwks_uri: Uri | None = None
    """Where its public keys lie, instead."""
    tls_client_auth_subject_dn: Text | None = None
    """Subject of its certificate for tls_client_auth, as RFC 4514 writes it; or one of the four names below."""
    tls_client_auth_san_dns: Text | None = None
    """DNS name in its certificate."""
    tls_client_auth_san_uri: Text | None = None
    """URI in its certificate."""
    tls_client_auth_san_ip: Text | None = None
    """IP address in its certificate."""
    tls_client_auth_san_email: Text | None = None
    """Mail address in its certificate."""
    id_token_signed_response_alg: SigningAlgorithm = "RS256"  # noqa: S105 - the name of an algorithm
    """Algorithm of its ID tokens. RS256 when not named, as OpenID Connect says."""
    authorization_signed_response_alg: SigningAlgorithm | None = None
    """Algorithm of signed authorization answers (JARM). Default: that of its ID tokens."""
    authorization_encrypted_response_alg: KeyAlgorithm | None = None
    """Encrypt its signed authorization answers with a key of its own, so."""
    authorization_encrypted_response_enc: ContentAlgorithm | None = None
    """Cipher of encrypted authorization answers. Default: A128CBC-HS256."""
    request_object_signing_alg: SigningAlgorithm | None = None
    """Algorithm of its request objects (RFC 9101). Default: any asymmetric one that fits its keys."""
    require_signed_request_object: bool = False
    """Takes only requests that it has signed (RFC 9101 §10.5)."""
    dpop_bound_access_tokens: bool = False
    """Takes only tokens that are bound to a key of its own (RFC 9449 §5.2)."""
    tls_client_certificate_bound_access_tokens: bool = False
    """Takes only tokens that are bound to its certificate (RFC 8705 §3.4)."""
    subject_type: Literal["public", "pairwise"] = "public"
    """`public`: every client sees the same `sub`. `pairwise`: each sector its own."""
    sector_identifier_uri: Uri | None = None
    """List of the redirect URIs of all clients that share one pairwise sector."""
    id_token_encrypted_response_alg: KeyAlgorithm | None = None
    """Encrypt its ID tokens with a key of its own, so."""
    id_token_encrypted_response_enc: ContentAlgorithm | None = None
    """Cipher of encrypted ID tokens. Default: A128CBC-HS256."""
    userinfo_signed_response_alg: SigningAlgorithm | None = None
    """Sign its userinfo with this algorithm. Default: plain JSON."""
    userinfo_encrypted_response_alg: KeyAlgorithm | None = None
    """Encrypt its userinfo with a key of its own, so."""
    userinfo_encrypted_response_enc: ContentAlgorithm | None = None
    """Cipher of encrypted userinfo. Default: A128CBC-HS256."""
    introspection_signed_response_alg: SigningAlgorithm | None = None
    """Algorithm of signed introspection answers (RFC 9701). Default: RS256."""
    introspection_encrypted_response_alg: KeyAlgorithm | None = None
    """Encrypt its signed introspection answers with a key of its own, so."""
    introspection_encrypted_response_enc: ContentAlgorithm | None = None
    """Cipher of encrypted introspection answers. Default: A128CBC-HS256."""
    default_max_age: Annotated[int, Meta(ge=0)] | None = None
    """Seconds since the sign-in that are enough where a request has no `max_age`."""
    require_auth_time: bool = False
    """Needs `auth_time` in ID tokens. It is always there."""
    default_acr_values: tuple[Text, ...] = ()
    """Levels asked for where a request names none."""
    accepted_second_factors: tuple[SecondFactor, ...] = ()
    """Second factors it accepts: proofs by others count for nothing here. Default: all."""
    profile: Literal["fapi2"] | None = None
    """`fapi2` turns on everything that the FAPI 2.0 Security Profile demands of a client."""
    require_pushed_authorization_requests: bool = False
    """Takes only requests that it has pushed beforehand (RFC 9126 §6)."""
    first_party: bool = False
    """Ours: people are not asked to consent to it: the operator answers for what it may have."""
    pkce_exempt: bool = False
    """May leave PKCE out if it authenticates itself (SR-70). For old confidential clients only; audited."""
    resources: tuple[Uri, ...] = ()
    """Audiences it may ask access tokens for (RFC 8707)."""
    authorization_details_types: tuple[Literal["alumni_records"], ...] = ()
    """Types of authorization details it may ask for (RFC 9396), at its `resources`."""
    resource_server: Uri | None = None
    """The audience this client itself is: it may introspect tokens for it, and no others (SR-98)."""
    access_token_format: Literal["jwt", "opaque"] | None = None
    """How tokens for this `resource_server` look: RFC 9068, or meaning nothing and introspected. Default: jwt."""
    accepted_scopes: Scopes | None = None
    """Scopes that tokens for this `resource_server` may have; others are left out of them. Default: all."""
    claims_in_id_token: bool = False
    """Put profile, e-mail and phone claims in the ID token too, for clients that never call userinfo."""


class Metadata(Members, frozen=True, kw_only=True):
    """What a client asks to be registered with."""

    response_types: tuple[Literal["code"], ...] | None = None
    """Only `code` (SR-67)."""
    grant_types: tuple[GrantType, ...] | None = None
    """Grants the client may use. Default: authorization_code; none for a mere resource server."""
    scope: Scopes | None = None
    """Scopes it may ask for, separated by spaces. Default: openid profile email (with authorization_code)."""


class Client(Members, frozen=True, kw_only=True):
    """A registered client: every member settled."""

    client_id: str
    client_id_issued_at: int
    registered_itself: bool = False
    """Nobody here has looked at it: its name is what it says of itself (SR-76)."""
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
    def sector(self) -> str | None:
        """The host whose clients share pairwise subjects (OIDC Core §8.1); None where subjects are public."""
        if self.subject_type == "public":
            return None
        return urlsplit(self.sector_identifier_uri or self.redirect_uris[0]).hostname or ""

    @property
    def has_keys(self) -> bool:
        """Whether it has public keys, here or at an address of its own."""
        return self.jwks is not None or self.jwks_uri is not None

    @property
    def needs_secret(self) -> bool:
        """Whether its method is a shared secret."""
        return self.token_endpoint_auth_method.startswith("client_secret_")

    @property
    def signs_with_secret(self) -> bool:
        """Whether it authenticates by a MAC, so that its secret must stay readable here."""
        return self.token_endpoint_auth_method == "client_secret_jwt"  # noqa: S105 - a method's name


MEMBERS: tuple[str, ...] = Metadata.__struct_fields__
"""The metadata we take, in the order of the documentation."""

SIGNED_REQUESTS = tuple(member for member in MEMBERS if member.endswith("_signing_alg"))
"""Members that name the algorithm of what a client signs."""
