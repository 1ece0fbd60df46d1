"""The protocol's routes, and what its machine-facing endpoints share: errors as JSON, CORS."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from flask import Blueprint, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from idp.protocol import backchannel_authentication, device_authorization
from idp.protocol import registration as by_clients
from idp.protocol.answers import challenge, refusal, unavailable
from idp.protocol.authorize import Authorize
from idp.protocol.dpop import Proofs
from idp.protocol.end_session import EndSession
from idp.protocol.errors import InvalidRequest, OAuthError
from idp.protocol.introspection import Introspection
from idp.protocol.metadata import Metadata
from idp.protocol.parts import Parts
from idp.protocol.pushed_requests import PushedRequests
from idp.protocol.revocation import Revocation
from idp.protocol.token import Token
from idp.protocol.userinfo import UserInfo
from idp.stores import Unavailable

View = Callable[[], Response]

CROSS_ORIGIN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "WWW-Authenticate, DPoP-Nonce, Retry-After",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""For pages of other origins, without cookies: none of these endpoints looks at one (SR-114)."""

PREFLIGHT = {
    **CROSS_ORIGIN,
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP",
    "Access-Control-Max-Age": "3600",
}


def protocol_blueprint(parts: Parts) -> Blueprint:
    """Every endpoint of the protocol."""
    routes = Blueprint("protocol", __name__)
    authorize, end_session, metadata = Authorize(parts), EndSession(parts), Metadata(parts)
    routes.add_url_rule("/authorize", "authorize", authorize.begin, methods=["GET", "POST"])
    routes.add_url_rule("/authorize/resume/<interaction_id>", "resume", authorize.resume)
    routes.add_url_rule("/logout", "logout", end_session.begin, methods=["GET", "POST"])
    routes.add_url_rule("/logout/resume/<interaction_id>", "logout_resume", end_session.resume)
    _add(routes, "/introspect", _machine(Introspection(parts).answer), ["POST"])
    _add(routes, device_authorization.PATH, _machine(device_authorization.DeviceAuthorization(parts).answer), ["POST"])
    asked = backchannel_authentication.BackchannelAuthentication(parts).answer
    _add(routes, backchannel_authentication.PATH, _machine(asked), ["POST"])
    for path, view, methods in (
        ("/token", _machine(Token(parts).answer, parts.proofs), ["POST"]),
        ("/par", _machine(PushedRequests(parts).answer, parts.proofs), ["POST"]),
        ("/userinfo", _machine(UserInfo(parts).answer, parts.proofs, refused=_challenge), ["GET", "POST"]),
        ("/revoke", _machine(Revocation(parts).answer), ["POST"]),
        ("/jwks", _machine(metadata.jwks), ["GET"]),
        ("/.well-known/openid-configuration", _machine(metadata.discovery), ["GET"]),
        ("/.well-known/oauth-authorization-server", _machine(metadata.discovery), ["GET"]),
    ):
        _add(routes, path, _shared(view), [*methods, "OPTIONS"])
    if parts.settings.registration.enabled:
        _add_registration(routes, by_clients.Registration(parts))
    return routes


def _add_registration(routes: Blueprint, registration: by_clients.Registration) -> None:
    register = _machine(registration.register, refused=_challenge)
    _add(routes, by_clients.PATH, _shared(register), ["POST", "OPTIONS"])

    def manage(client_id: str) -> Response:
        return _machine(lambda: registration.manage(client_id), refused=_challenge)()

    routes.add_url_rule(f"{by_clients.PATH}/<client_id>", "manage", manage, methods=["GET", "PUT", "DELETE"])


def _challenge(problem: OAuthError) -> Response:
    """A refusal of a protected resource, for the way in which the token was shown; both where none was.

    The body is not looked at: it may be what is wrong.
    """
    scheme = request.headers.get("Authorization", "Bearer" if problem.description else "").partition(" ")[0].lower()
    return challenge(problem, scheme if scheme in ("bearer", "dpop") else "")


def _add(routes: Blueprint, path: str, view: View, methods: list[str]) -> None:
    name = path.strip("/").replace("/", "-").replace(".", "")
    routes.add_url_rule(path, name, view, methods=methods, provide_automatic_options=False)


def _machine(view: View, proofs: Proofs | None = None, refused: Callable[[OAuthError], Response] = refusal) -> View:
    """Refusals as JSON; a store that is down is never "not found".

    Where `proofs` of possession count, whoever sends one is told the nonce for the next (RFC 9449 §8.2).
    """

    def answered() -> Response:
        try:
            return view()
        except OAuthError as problem:
            return refused(problem)
        except RequestEntityTooLarge:
            return refused(InvalidRequest("the body is larger than 64 KiB"))
        except Unavailable:
            return unavailable()

    @wraps(view)
    def answer() -> Response:
        response = answered()
        if proofs is not None and "DPoP" in request.headers:
            response.headers["DPoP-Nonce"] = proofs.nonce()
        return response

    return answer


def _shared(view: View) -> View:
    """For other origins, too."""

    @wraps(view)
    def answer() -> Response:
        if request.method == "OPTIONS":
            return Response(status=204, headers=PREFLIGHT)
        response = view()
        response.headers.update(CROSS_ORIGIN)
        return response

    return answer
