"""People who are signed in already, and clients that talk to the provider without a browser."""

from __future__ import annotations

import secrets
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from idp import clock
from idp.rules.assurance import Proof
from idp.services import sessions
from idp.services.clients import Registered
from tests.members import account_id, member
from tests.people import PORTAL, Person, Provider

BASE = "https://login.example"
Form = dict[str, Any] | str | bytes


def signed_in(
    provider: Provider, *, person: Person | None = None, ago: int = 0, methods: Sequence[str] = ("password", "sms")
) -> Person:
    """Somebody whose browser holds a live session; the factors were proved `ago` seconds before now."""
    person = person or member(provider)
    now = clock.now()
    proved = [Proof(method, now - timedelta(seconds=ago), now + timedelta(hours=8)) for method in methods]
    with provider.app.app_context():
        session_id = sessions.start(provider.parts.store, provider.parts.settings.sessions, account_id(person), proved)
    person.browser.set_cookie("__Host-session", session_id, domain="login.example", secure=True, httponly=True)
    return person


def session_of(person: Person) -> str:
    """The sid of the only session of this person."""
    with person.provider.app.app_context():
        (row,) = sessions.of_account(account_id(person))
    return row.sid


def basic(client_id: str, secret: str) -> dict[str, str]:
    """The header of HTTP Basic, nothing percent-encoded."""
    return {"Authorization": "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    """The header of a bearer token."""
    return {"Authorization": f"Bearer {token}"}


def posts(
    provider: Provider,
    path: str,
    form: Form,
    *,
    caller: Registered | None = None,
    headers: dict[str, str] | None = None,
    authenticated: bool = True,
) -> TestResponse:
    """A client's POST, with Basic unless told otherwise; the portal's unless it is another client's."""
    client_id, secret = (caller.client.client_id, caller.secret or "") if caller else (provider.portal, provider.secret)
    sent = {**(basic(client_id, secret) if authenticated else {}), **(headers or {})}
    return provider.app.test_client().post(
        path, base_url=BASE, data=form, headers=sent, content_type="application/x-www-form-urlencoded"
    )


def gets(provider: Provider, path: str, **headers: str) -> TestResponse:
    """A GET of somebody without cookies."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return provider.app.test_client().get(path, base_url=BASE, headers=sent)


def code_form(person: Person, **changes: str) -> dict[str, str]:
    """What the portal sends to exchange the code it was given; an empty change leaves a parameter out."""
    form = {
        "grant_type": "authorization_code",
        "code": person.redirected_to()["code"],
        "redirect_uri": PORTAL,
        "code_verifier": person.verifier,
        **changes,
    }
    return {name: value for name, value in form.items() if value}


def refreshes(provider: Provider, token: str, *, caller: Registered | None = None, **parameters: str) -> TestResponse:
    """One use of a refresh token."""
    form = {"grant_type": "refresh_token", "refresh_token": token, **parameters}
    return posts(provider, "/token", form, caller=caller)


def error(answer: TestResponse) -> tuple[int, str]:
    """Status and error code of a refusal."""
    return answer.status_code, str((answer.get_json() or {}).get("error"))


def part(token: str, number: int) -> dict[str, Any]:
    """The header (0) or the payload (1) of a JWT, not verified."""
    text = token.split(".")[number]
    read: dict[str, Any] = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return read


def told(token: str) -> dict[str, Any]:
    """The claims of a JWT, not verified."""
    return part(token, 1)


def assertion(key: ECKey, client_id: str, *, header: dict[str, Any] | None = None, **changes: object) -> str:
    """A client assertion as a careful client makes it; a change to None leaves a claim out."""
    now = clock.timestamp()
    claims: dict[str, Any] = {
        "iss": client_id,
        "sub": client_id,
        "aud": BASE,
        "iat": now,
        "exp": now + 60,
        "jti": secrets.token_urlsafe(12),
        **changes,
    }
    made = {"alg": "ES256", "kid": key.kid, **(header or {})}
    return jwt.encode(made, {name: value for name, value in claims.items() if value is not None}, key)


def given(person: Person, client: Registered, **parameters: str) -> dict[str, Any]:
    """The tokens that this client gets."""
    person.comes_from_portal(client_id=client.client.client_id, **parameters)
    answer = posts(person.provider, "/token", code_form(person), caller=client)
    tokens: dict[str, Any] = answer.get_json()
    return tokens


def jwks(*keys: Any) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}
