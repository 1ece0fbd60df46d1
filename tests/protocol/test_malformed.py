"""Whatever is thrown at an endpoint: an answer in its own language, never a fault of ours, a hang, or a leak."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from idp.rules.client_metadata import CIBA, DEVICE_CODE
from tests.people import PORTAL, Provider
from tests.protocol.conftest import SWITCHED_ON
from tests.protocol.signed_in import BASE, basic

PARAMETERS = [
    "client_id", "client_secret", "client_assertion", "client_assertion_type", "grant_type", "code", "code_verifier",
    "redirect_uri", "refresh_token", "scope", "resource", "token", "response_type", "response_mode", "state", "nonce",
    "prompt", "max_age", "acr_values", "claims", "id_token_hint", "login_hint", "ui_locales", "code_challenge",
    "code_challenge_method", "authorization_details",
    "request", "request_uri", "dpop_jkt", "post_logout_redirect_uri", "access_token", "told",
    "device_code", "auth_req_id", "user_code", "user-code", "binding_message", "requested_expiry", "login_hint_token",
    "client_notification_token", "do", "form",
]  # fmt: skip
HEADERS = ("Authorization", "DPoP", "Accept", "Content-Type", "Origin", "Cookie", "X-Client-Cert", "Accept-Language")
SEEMLY = [
    PORTAL, "code", "openid", "openid email", "S256", "none", "login", "authorization_code", "refresh_token",
    "client_credentials", "a" * 43, "a.b.c", "e30.e30.", "{}", '{"id_token": {"acr": {"essential": true}}}', "0", "-1",
    "urn:ietf:params:oauth:grant-type:device_code", "urn:openid:params:grant-type:ciba", "WDJB-MJHT", "kari@example.no",
    "urn:ietf:params:oauth:request_uri:x", "jwt", "form_post", "DPoP a", "Bearer a.b.c", "Basic YTpi", "=", "\x00", "%",
]  # fmt: skip
values = st.one_of(st.sampled_from(SEEMLY), st.text(max_size=40), st.just("x" * 9000), st.just("[" * 5000))
forms = st.lists(st.tuples(st.sampled_from(PARAMETERS), values), max_size=8)
header_values = st.one_of(st.sampled_from(SEEMLY), st.text(st.characters(max_codepoint=255), max_size=60)).map(
    lambda text: "".join(char for char in text if char >= " " and char != "\x7f")
)
headers = st.dictionaries(st.sampled_from(HEADERS), header_values, max_size=3)
PATHS = (
    "/authorize", "/token", "/par", "/userinfo", "/introspect", "/revoke", "/logout", "/register", "/register/c_x",
    "/device-authorization", "/backchannel-authentication", "/device", "/device/x", "/device/resume/x",
    "/jwks", "/signed-out", "/authorize/resume/x", "/logout/resume/x", "/.well-known/openid-configuration",
)  # fmt: skip


SETTINGS = SWITCHED_ON


class Thrown(NamedTuple):
    """One request. `known`: the caller is a registered client that authenticates."""

    method: str
    query: list[tuple[str, str]]
    form: list[tuple[str, str]]
    headers: dict[str, str]
    known: bool
    body: bytes | None


requests = st.builds(
    Thrown,
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS"]),
    query=forms,
    form=forms,
    headers=headers,
    known=st.booleans(),
    body=st.none() | st.binary(max_size=60) | st.just(b"[" * 20_000),
)


@pytest.fixture(scope="module", autouse=True)
def for_everything(provider: Provider) -> None:
    """The caller may use every grant that a client of its own can have, so that what is thrown gets far."""
    grants = ["authorization_code", "refresh_token", "client_credentials", DEVICE_CODE, CIBA]
    told_at = "https://portal.example/ping"
    caller = provider.register(
        grant_types=grants,
        backchannel_token_delivery_mode="ping",
        backchannel_client_notification_endpoint=told_at,
    )
    provider.portal, provider.secret = caller.client.client_id, caller.secret or ""


@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=40, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
@given(thrown=requests)
def test_nothing_is_a_fault_of_ours(provider: Provider, path: str, thrown: Thrown) -> None:
    """SR-122; and SR-78: a redirect leads to us or to the registered address."""
    answer = _answered(provider, path, thrown)

    assert answer.status_code < 500, answer.get_data(as_text=True)
    text = answer.get_data(as_text=True)
    assert "Traceback" not in text
    assert provider.secret not in text
    if answer.mimetype == "application/json" and answer.status_code >= 400:
        assert json.loads(text)["error"]
    if answer.status_code == 303:
        assert answer.headers["Location"].startswith((f"{PORTAL}?", "/"))
        assert not answer.headers["Location"].startswith(("//", "/\\"))


def _answered(provider: Provider, path: str, thrown: Thrown) -> TestResponse:
    told = {**thrown.headers, **(basic(provider.portal, provider.secret) if thrown.known else {})}
    pairs: dict[str, list[str]] = {"client_id": [provider.portal]} if thrown.known else {}
    for name, value in thrown.form:
        pairs.setdefault(name, []).append(value)
    kind = told.pop("Content-Type", None) or ("application/json" if thrown.body is not None else None)
    return provider.app.test_client().open(
        path,
        method=thrown.method,
        base_url=BASE,
        query_string=thrown.query,
        data=thrown.body if thrown.body is not None else pairs,
        headers=told,
        content_type=kind,
    )
