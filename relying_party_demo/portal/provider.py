"""The identity provider, as a client sees it: Authlib's Flask client, with what it leaves to us (SR-101).

Authlib binds state, nonce and verifier to the session, uses them once, and checks the ID token.
Added here: the issuer of the discovery document and of the answer (RFC 9207), one signing algorithm,
an ID token that must be there, the age of the sign-in, and where the person was going.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any
from urllib.parse import quote

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask, Request
from joserfc.errors import JoseError
from werkzeug.wrappers import Response

from .logout_tokens import check
from .sessions import Session, Sessions

DISCOVERY = "/.well-known/openid-configuration"
ALGORITHM = "ES256"
SCOPE = "openid email phone payslips profile national_number"
"""The number is for the data service, which asks the provider for it with the access token; never kept here."""
TIMEOUT = 5
NEAR_ITS_END = 60
LEEWAY = 60
MOST_TRIPS = 8
IDENTITY = {
    "verification": {"trust_framework": None},
    "claims": {"given_name": None, "family_name": None, "birthdate": None},
}
"""What the data service needs to know of a person (OpenID Connect for Identity Assurance 1.0)."""
HIGHEST_LEVEL = "http://eidas.europa.eu/LoA/high"  # never too little, whatever was asked for


class ProviderUnreachable(Exception):
    """The provider does not answer, or not as a provider of this name would."""


class NotOurTrip(Exception):
    """An answer that this browser did not ask for, asked for long ago, or has used already."""


class SignedOut(Exception):
    """The provider no longer vouches for this person; they have to sign in again."""


@dataclass(frozen=True, slots=True)
class Trip:
    """Why the person was sent to the provider, and where they go afterwards."""

    back_to: str = "/"
    acr_values: str | None = None
    max_age: int | None = None
    silent: bool = False


class ProviderRefused(Exception):
    """The provider sent the person back with an error (RFC 6749 §4.1.2.1)."""

    def __init__(self, error: str, trip: Trip) -> None:
        super().__init__(error)
        self.error = error
        self.trip = trip


class CheckedApp(FlaskOAuth2App):  # type: ignore[misc]  # Authlib has no types
    """Authlib's client, which believes a discovery document only about its own issuer."""

    @property
    def issuer(self) -> str:
        """The provider that was configured."""
        return str(self._server_metadata_url).removesuffix(DISCOVERY)

    def load_server_metadata(self) -> dict[str, Any]:
        """The discovery document. Raises ProviderUnreachable."""
        try:
            metadata: dict[str, Any] = super().load_server_metadata()
        except (requests.RequestException, ValueError) as problem:
            raise ProviderUnreachable(str(problem)) from problem
        if metadata.get("issuer") != self.issuer:  # OpenID Connect Discovery §4.3
            metadata.pop("_loaded_at", None)
            raise ProviderUnreachable("discovery names another issuer")
        metadata["id_token_signing_alg_values_supported"] = [ALGORITHM]
        return metadata


class CheckedOAuth(OAuth):  # type: ignore[misc]
    """Authlib's registry, making checked clients."""

    oauth2_client_cls = CheckedApp


class Provider:
    """Sending people there, taking them back, and keeping their tokens fresh."""

    def __init__(self, app: Flask, *, issuer: str, client: tuple[str, str], callback: str, resource: str) -> None:
        """`client` is id and secret; `resource` an audience of the access tokens, beside the provider (RFC 8707)."""
        self.issuer = issuer
        self._client = client
        self._callback = callback
        self._resource = resource
        self._refreshing = Lock()
        self.app: CheckedApp = CheckedOAuth(app).register(
            "provider",
            client_id=client[0],
            client_secret=client[1],
            server_metadata_url=issuer + DISCOVERY,
            client_kwargs={
                "scope": SCOPE,
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_basic",
                "default_timeout": TIMEOUT,
            },
        )

    def leave(self, session: Session, trip: Trip, *, language: str) -> Response:
        """Send the person to the provider. A step-up is essential: less than asked for must be an error (RFC 9470)."""
        state = secrets.token_urlsafe(24)
        trips = [name for name in session if name.startswith("trip_")]
        for name in trips[: len(trips) - MOST_TRIPS + 1] if len(trips) >= MOST_TRIPS else ():
            session.pop(name)
        session[f"trip_{state}"] = asdict(trip)
        asked: dict[str, str | int] = {"state": state, "ui_locales": language}
        if trip.acr_values:
            acr = {"essential": True, "values": trip.acr_values.split()}
            wanted = {"id_token": {"acr": acr}, "userinfo": {"verified_claims": IDENTITY}}
            asked |= {"acr_values": trip.acr_values, "claims": json.dumps(wanted)}
        if trip.max_age is not None:
            asked["max_age"] = trip.max_age
        if trip.silent:
            asked["prompt"] = "none"
        answer: Response = self.app.authorize_redirect(self._callback, **asked)
        # Authlib takes each parameter once; RFC 8707 §2 has one `resource` per audience.
        answer.headers["Location"] += "".join(
            f"&resource={quote(one, safe='')}" for one in (self._resource, self.issuer)
        )
        return answer

    def arrive(self, session: Session, request: Request) -> tuple[Trip, dict[str, Any]]:
        """Take the person back: the trip, and Authlib's token with the ID token's claims under `userinfo`.

        Raises NotOurTrip, ProviderRefused, ProviderUnreachable.
        """
        state = request.args.get("state", "")
        kept = session.pop(f"trip_{state}", None)
        if kept is None or request.args.getlist("iss") != [self.issuer]:  # RFC 9207 §2.4: mix-up
            raise NotOurTrip
        trip = Trip(**kept)
        try:
            if error := request.args.get("error"):
                self.app.framework.clear_state_data(session, state)
                raise ProviderRefused(error, trip)
            token: dict[str, Any] = self.app.authorize_access_token(leeway=LEEWAY, claims_options=self._claims())
        except (OAuthError, JoseError) as problem:
            raise ProviderRefused(str(getattr(problem, "error", None) or type(problem).__name__), trip) from problem
        except (requests.RequestException, ValueError) as problem:
            raise ProviderUnreachable(str(problem)) from problem
        claims = token.get("userinfo")
        if not claims:
            raise ProviderRefused("no_id_token", trip)
        if trip.acr_values and claims.get("acr") not in (*trip.acr_values.split(), HIGHEST_LEVEL):
            raise ProviderRefused("unmet_authentication_requirements", trip)
        if trip.max_age is not None and time.time() - claims.get("auth_time", 0) > trip.max_age + LEEWAY:
            raise ProviderRefused("unmet_authentication_requirements", trip)
        return trip, token

    def _claims(self) -> dict[str, dict[str, Any]]:
        return {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._client[0]},
            "sub": {"essential": True},
            "exp": {"essential": True},
            "iat": {"essential": True},
            "nonce": {"essential": True},
        }

    def access_token(self, session: Session, sessions: Sessions, *, insist: bool = False) -> str:
        """An access token with life in it, refreshed when it is near its end, or always if `insist`.

        Only one request refreshes at a time: the others find what it left. Raises SignedOut, ProviderUnreachable.
        """
        before = session["tokens"]
        if not insist and before["expires_at"] - time.time() > NEAR_ITS_END:
            return str(before["access_token"])
        with self._refreshing:
            latest = sessions.latest(session, "tokens")
            if latest is None:
                raise SignedOut
            if latest == before:
                latest = self._refreshed(latest)
            session["tokens"] = latest
            sessions.keep(session)
        return str(latest["access_token"])

    def _refreshed(self, tokens: dict[str, Any]) -> dict[str, Any]:
        if not tokens.get("refresh_token"):
            raise SignedOut
        endpoint = self.app.load_server_metadata()["token_endpoint"]
        try:
            with OAuth2Session(*self._client, default_timeout=TIMEOUT) as http:
                fresh = http.refresh_token(endpoint, refresh_token=tokens["refresh_token"])
        except OAuthError as refusal:
            raise SignedOut from refusal
        except (requests.RequestException, ValueError) as problem:
            raise ProviderUnreachable(str(problem)) from problem
        return tokens | kept_tokens(fresh)

    def notice(self, logout_token: str) -> dict[str, Any]:
        """What a logout token says. Raises Untrusted, ProviderUnreachable."""

        def keys(anew: bool) -> dict[str, Any]:  # noqa: FBT001 - the type is `Keys`
            try:
                found: dict[str, Any] = self.app.fetch_jwk_set(force=anew)
            except (requests.RequestException, ValueError) as problem:
                raise ProviderUnreachable(str(problem)) from problem
            return found

        return check(logout_token, issuer=self.issuer, client_id=self._client[0], algorithm=ALGORITHM, keys=keys)

    def sign_out(self, id_token: str, *, home: str, language: str) -> Response:
        """Send the person to end the provider's session too (RP-Initiated Logout)."""
        answer: Response = self.app.logout_redirect(
            post_logout_redirect_uri=home, id_token_hint=id_token, client_id=self._client[0], ui_locales=language
        )
        return answer


def kept_tokens(token: dict[str, Any]) -> dict[str, Any]:
    """What the session keeps of a token answer; an answer without a new refresh or ID token changes neither."""
    names = ("access_token", "refresh_token", "id_token")
    kept: dict[str, Any] = {name: token[name] for name in names if token.get(name)}
    kept["expires_at"] = int(token.get("expires_at") or time.time() + 60)
    return kept
