"""How the protocol says no.

OAuthError                 `description` is for developers
├─ InvalidRequest          400 invalid_request          RFC 6749 §4.1.2.1, §5.2
├─ InvalidGrant            400 invalid_grant            RFC 6749 §5.2 (one text for every reason)
├─ InvalidScope            400 invalid_scope            RFC 6749 §4.1.2.1, §5.2
├─ InvalidTarget           400 invalid_target           RFC 8707 §2
├─ InvalidDetails          400 invalid_authorization_details  RFC 9396 §5
├─ UnauthorizedClient      400 unauthorized_client      RFC 6749 §5.2
├─ UnsupportedGrantType    400 unsupported_grant_type   RFC 6749 §5.2
├─ UnsupportedResponseType     unsupported_response_type RFC 6749 §4.1.2.1
├─ InvalidClient           401 invalid_client           RFC 6749 §5.2
├─ InvalidDPoPProof        400 invalid_dpop_proof       RFC 9449 §5; 401 at a resource, §7.1
├─ UseDPoPNonce            400 use_dpop_nonce           RFC 9449 §8; 401 at a resource, §9
├─ InvalidToken            401 invalid_token            RFC 6750 §3.1
├─ InsufficientScope       403 insufficient_scope       RFC 6750 §3.1
├─ AccessDenied                access_denied            RFC 6749 §4.1.2.1
├─ AuthorizationPending    400 authorization_pending    RFC 8628 §3.5, OpenID CIBA Core §11
├─ SlowDown                400 slow_down                the same
├─ ExpiredToken            400 expired_token            the same
├─ UnknownUserId           400 unknown_user_id          OpenID CIBA Core §13
├─ InvalidBindingMessage   400 invalid_binding_message  OpenID CIBA Core §13
├─ LoginRequired               login_required           OIDC Core §3.1.2.6
├─ ConsentRequired             consent_required         OIDC Core §3.1.2.6
├─ AccountSelectionRequired    account_selection_required
├─ InvalidRequestObject        invalid_request_object     RFC 9101 §6.3
├─ RequestUriNotSupported      request_uri_not_supported  OIDC Core §3.1.2.6
├─ InvalidClientMetadata       invalid_client_metadata, InvalidRedirectUri  RFC 7591 §3.2.2
├─ UnapprovedStatement         unapproved_software_statement                RFC 7591 §3.2.2
├─ Throttled               429 temporarily_unavailable      RFC 9126 §2.3, with Retry-After
└─ UnmetAuthentication         unmet_authentication_requirements   OpenID Connect Core Error Code 1.0

PageError stays on our own origin: an unknown client or redirect URI (RFC 6749 §4.1.2.1).
"""

from __future__ import annotations

from typing import ClassVar, Literal

from idp.interaction import ClientFace

PageKind = Literal["bad-link", "expired", "fault"]


class OAuthError(Exception):
    """A refusal with its error code, HTTP status and a description for developers."""

    error: ClassVar[str] = "server_error"
    status: ClassVar[int] = 400

    def __init__(self, description: str = "") -> None:
        super().__init__(description)
        self.description = description


class InvalidRequest(OAuthError):
    """A parameter is missing, odd, or comes twice."""

    error = "invalid_request"


class InvalidGrant(OAuthError):
    """The code or refresh token does not count. One text for every reason (requirements, section R)."""

    error = "invalid_grant"

    def __init__(self) -> None:
        super().__init__("the code or refresh token is wrong, expired, used, or not for this client")


class InvalidScope(OAuthError):
    """A scope that this client may not have."""

    error = "invalid_scope"


class InvalidTarget(OAuthError):
    """A resource that this client may not ask for."""

    error = "invalid_target"


class InvalidDetails(OAuthError):
    """Authorization details that are malformed, unknown, or more than this client may have."""

    error = "invalid_authorization_details"


class UnauthorizedClient(OAuthError):
    """The client is not registered for this grant."""

    error = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    """No such grant here."""

    error = "unsupported_grant_type"


class UnsupportedResponseType(OAuthError):
    """Only `code` (SR-67)."""

    error = "unsupported_response_type"


class InvalidClient(OAuthError):
    """Unknown client and wrong credentials look alike (SR-82). `basic`: the client tried Basic.

    `because` is for a client that has shown its key and breaks another rule.
    """

    error = "invalid_client"
    status = 401

    def __init__(self, *, basic: bool = False, because: str = "client authentication failed") -> None:
        super().__init__(because)
        self.basic = basic


class InvalidDPoPProof(OAuthError):
    """The proof of possession is missing, malformed, for something else, or was used before."""

    error = "invalid_dpop_proof"


class UseDPoPNonce(InvalidDPoPProof):
    """The proof must hold the nonce that comes with this answer."""

    error = "use_dpop_nonce"


class InvalidToken(OAuthError):
    """The access token does not count."""

    error = "invalid_token"
    status = 401


class InsufficientScope(OAuthError):
    """The access token is not for this."""

    error = "insufficient_scope"
    status = 403


class AccessDenied(OAuthError):
    """The person said no."""

    error = "access_denied"


class AuthorizationPending(OAuthError):
    """The person has not decided yet."""

    error = "authorization_pending"


class SlowDown(OAuthError):
    """The person has not decided yet, and the client asks too often: five seconds more between two polls."""

    error = "slow_down"


class ExpiredToken(OAuthError):
    """Nobody decided in time, or the client did not come in time."""

    error = "expired_token"


class UnknownUserId(OAuthError):
    """The hint names nobody that could have an account here."""

    error = "unknown_user_id"


class InvalidBindingMessage(OAuthError):
    """The binding message is too long, or has characters that people cannot compare."""

    error = "invalid_binding_message"


class LoginRequired(OAuthError):
    """Nobody is signed in as asked, and no page may be shown."""

    error = "login_required"


class ConsentRequired(OAuthError):
    """The person has not agreed yet, and no page may be shown."""

    error = "consent_required"


class AccountSelectionRequired(OAuthError):
    """The person should choose an account, and no page may be shown."""

    error = "account_selection_required"


class InvalidRequestObject(OAuthError):
    """The signed request cannot be believed."""

    error = "invalid_request_object"


class RequestUriNotSupported(OAuthError):
    """No request object is fetched (SR-75)."""

    error = "request_uri_not_supported"


class UnmetAuthentication(OAuthError):
    """The level asked for cannot be reached here; never silently less (SR-59)."""

    error = "unmet_authentication_requirements"


class InvalidClientMetadata(OAuthError):
    """Metadata that cannot be registered (RFC 7591 §3.2.2)."""

    error = "invalid_client_metadata"


class InvalidRedirectUri(OAuthError):
    """A redirect URI that cannot be registered (RFC 7591 §3.2.2)."""

    error = "invalid_redirect_uri"


class UnapprovedStatement(OAuthError):
    """No software statement is trusted here."""

    error = "unapproved_software_statement"


class Throttled(OAuthError):
    """Too many of these: again after so many seconds (SR-33)."""

    error = "temporarily_unavailable"
    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__("too many requests")
        self.seconds = seconds


class PageError(Exception):
    """A refusal that is told to the person, on our own origin, and to no one else (SR-69).

    `technical` stands small on the page for support; it repeats nothing of the request.
    """

    def __init__(self, kind: PageKind, technical: str, client: ClientFace | None = None) -> None:
        super().__init__(technical)
        self.kind = kind
        self.technical = technical
        self.client = client
