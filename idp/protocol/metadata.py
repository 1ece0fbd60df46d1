"""What we are and can, for machines: discovery (OIDC), RFC 8414, and the JWK set."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import orjson
from flask import request
from werkzeug.wrappers import Response

from idp.protocol import backchannel_authentication, device_authorization
from idp.protocol.answers import JSON
from idp.protocol.authorization_answers import MODES
from idp.protocol.claims import CLAIMS, SCOPES
from idp.protocol.client_auth import ASSERTION_METHODS, CERTIFICATE_METHODS
from idp.protocol.parts import Parts
from idp.protocol.registration import PATH
from idp.protocol.token import GRANTS
from idp.rules import authorization_details, verified_claims
from idp.rules.client_metadata import ENCRYPTED
from idp.signing.jwe import CONTENT_ALGORITHMS, KEY_ALGORITHMS
from idp.signing.jws import ALGORITHMS, MACS

CLIENT_AUTHENTICATION = ("client_secret_basic", "client_secret_post", *ASSERTION_METHODS)
ENDPOINTS = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "pushed_authorization_request_endpoint": "/par",
    "userinfo_endpoint": "/userinfo",
    "device_authorization_endpoint": device_authorization.PATH,
    "backchannel_authentication_endpoint": backchannel_authentication.PATH,
    "introspection_endpoint": "/introspect",
    "revocation_endpoint": "/revoke",
    "end_session_endpoint": "/logout",
    "jwks_uri": "/jwks",
}
FOR_CERTIFICATES = (
    "/token",
    "/par",
    "/userinfo",
    "/introspect",
    "/revoke",
    device_authorization.PATH,
    backchannel_authentication.PATH,
)
"""Endpoints at which a client may show a certificate."""

BACKCHANNEL = {
    "backchannel_token_delivery_modes_supported": ["poll", "ping"],
    "backchannel_authentication_request_signing_alg_values_supported": list(ALGORITHMS),
    "backchannel_user_code_parameter_supported": False,
}
"""OpenID CIBA Core §4."""

CACHED_FOR = 3600
"""Seconds that discovery and keys may be kept (SR-100)."""


class Metadata:
    """The three documents."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def discovery(self) -> Response:
        """Both discovery documents; they say the same."""
        response = Response(self._document, content_type=JSON)
        response.headers["Cache-Control"] = f"public, max-age={CACHED_FOR}"
        return response

    def jwks(self) -> Response:
        """The public keys."""
        published = self._parts.keyring.published()
        if request.headers.get("If-None-Match") == published.etag:
            response = Response(status=304)
        else:
            response = Response(published.body, content_type=JSON)
        response.headers["ETag"] = published.etag
        response.headers["Cache-Control"] = f"public, max-age={CACHED_FOR}"
        return response

    @cached_property
    def _document(self) -> bytes:
        return orjson.dumps(self._told())

    def _assured(self) -> dict[str, Any]:
        """What OpenID Connect for Identity Assurance wants to be told (§8); nothing where no eID is set up."""
        if not self._parts.trust_frameworks:
            return {}
        told: dict[str, Any] = {
            "verified_claims_supported": True,
            "trust_frameworks_supported": list(self._parts.trust_frameworks),
            "claims_in_verified_claims_supported": [*verified_claims.CLAIMS, verified_claims.NATIONAL_NUMBER],
            "evidence_supported": list(self._parts.evidence),
        }
        if "electronic_record" in self._parts.evidence:
            told |= {"electronic_records_supported": ["eid"], "documents_check_methods_supported": ["data"]}
        return told

    def _verified(self) -> tuple[str, ...]:
        return ("verified_claims",) if self._parts.trust_frameworks else ()

    def _for_clients(self) -> dict[str, Any]:
        """How what is told to a client may be signed and encrypted."""
        ours = list(self._parts.keyring.algorithms())
        signed = ("id_token_signing", "userinfo_signing", "authorization_signing", "introspection_signing")
        encrypted = [f"{what}_encryption" for what in ENCRYPTED]
        return {
            **{f"{what}_alg_values_supported": ours for what in signed},
            **{f"{what}_alg_values_supported": list(KEY_ALGORITHMS) for what in encrypted},
            **{f"{what}_enc_values_supported": list(CONTENT_ALGORITHMS) for what in encrypted},
        }

    def _authentication(self) -> dict[str, Any]:
        """How clients prove themselves, at each endpoint that asks (RFC 8414 §2)."""
        checked = [*CLIENT_AUTHENTICATION, *(CERTIFICATE_METHODS if self._parts.settings.mutual_tls.offered else ())]
        methods = {"token": [*checked, "none"], "introspection": checked, "revocation": [*checked, "none"]}
        signed = [*ALGORITHMS, *MACS]
        return {
            **{f"{name}_endpoint_auth_methods_supported": allowed for name, allowed in methods.items()},
            **{f"{name}_endpoint_auth_signing_alg_values_supported": signed for name in methods},
        }

    @staticmethod
    def _requests() -> dict[str, Any]:
        """What an authorization request may be made of."""
        return {
            "claims_parameter_supported": True,
            "authorization_details_types_supported": list(authorization_details.TYPES),
            "request_parameter_supported": True,
            "request_object_signing_alg_values_supported": list(ALGORITHMS),
            "require_signed_request_object": False,
            "request_uri_parameter_supported": False,
        }

    def _mutual_tls(self) -> dict[str, Any]:
        """RFC 8705 §3.3, §5."""
        own = self._parts.settings.mutual_tls
        if not own.offered:
            return {}
        told: dict[str, Any] = {"tls_client_certificate_bound_access_tokens": True}
        if own.base_url is not None:
            base = own.base_url.rstrip("/")
            aliases = {name: f"{base}{path}" for name, path in ENDPOINTS.items() if path in FOR_CERTIFICATES}
            told["mtls_endpoint_aliases"] = aliases
        return told

    def _endpoints(self) -> dict[str, Any]:
        offered = dict(ENDPOINTS)
        if self._parts.settings.registration.enabled:
            offered["registration_endpoint"] = PATH
        return {name: f"{self._parts.issuer}{path}" for name, path in offered.items()}

    def _told(self) -> dict[str, Any]:
        issuer, service = self._parts.issuer, self._parts.settings.service
        return {
            **self._assured(),
            **self._mutual_tls(),
            **self._endpoints(),
            **BACKCHANNEL,
            "issuer": issuer,
            "scopes_supported": list(SCOPES),
            "claims_supported": [*CLAIMS, "acr", "amr", "auth_time", "sid", *self._verified()],
            "response_types_supported": ["code"],
            "response_modes_supported": list(MODES),
            "grant_types_supported": list(GRANTS),
            "subject_types_supported": ["public", "pairwise"],
            "acr_values_supported": list(self._parts.levels),
            **self._for_clients(),
            **self._authentication(),
            "dpop_signing_alg_values_supported": list(ALGORITHMS),
            "code_challenge_methods_supported": ["S256"],
            "prompt_values_supported": ["none", "login", "consent", "select_account"],
            "ui_locales_supported": list(service.languages),
            **self._requests(),
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
            "frontchannel_logout_supported": True,
            "frontchannel_logout_session_supported": True,
            "authorization_response_iss_parameter_supported": True,
            "service_documentation": f"{issuer}/help",
            "op_policy_uri": f"{issuer}/privacy",
            "op_tos_uri": f"{issuer}/terms",
        }
