"""What ends a token besides its own lifetime, and what a machine hears that sent too much."""

from __future__ import annotations

import pytest

from idp import clock as idp_clock
from idp.services import clients, sessions
from idp.stores.durable import sessions as listed
from tests.conftest import Clock
from tests.people import PAYSLIPS, Person, Provider

BASE = "https://login.example"
ONLINE = "openid email"


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


def userinfo(provider: Provider, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return provider.app.test_client().get("/userinfo", base_url=BASE, headers=headers).status_code


def session_of(person: Person) -> str:
    with person.provider.app.app_context():
        return sessions.of_account(person.sub)[-1].sid


def test_a_grant_that_came_in_beside_a_sign_out_counts_for_nothing(kari: Person) -> None:
    """SR-88, SR-108: only the session's own row has ended, as when the exchange was a moment later."""
    provider = kari.provider
    online = kari.comes_from_portal(scope=ONLINE).tokens()
    offline = kari.comes_from_portal(scope=f"{ONLINE} offline_access").tokens()
    with provider.app.app_context():
        listed.end(session_of(kari), now=idp_clock.now())

    assert userinfo(provider, online["access_token"]) == 401
    assert provider.post("/introspect", {"token": online["access_token"]}).get_json() == {"active": False}
    assert provider.refresh(online["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert userinfo(provider, offline["access_token"]) == 200
    assert "access_token" in provider.refresh(offline["refresh_token"]).get_json()


def test_a_client_that_is_removed_takes_its_tokens_with_it(provider: Provider) -> None:
    """SR-60: machine accounts, too."""
    server = provider.register(
        redirect_uris=None, grant_types=[], scope=None, resources=None, client_uri=None, resource_server=PAYSLIPS
    )
    machine = provider.register(redirect_uris=None, grant_types=["client_credentials"], scope="payslips")
    them = (server.client.client_id, server.secret)
    itself = (machine.client.client_id, machine.secret)
    token = provider.post("/token", {"grant_type": "client_credentials"}, auth=itself).get_json()["access_token"]
    assert provider.post("/introspect", {"token": token}, auth=them).get_json()["active"] is True
    with provider.app.app_context():
        clients.remove(machine.client.client_id)

    assert provider.post("/introspect", {"token": token}, auth=them).get_json() == {"active": False}


def test_userinfo_tells_nothing_to_a_client_that_is_removed(provider: Provider) -> None:
    """SR-60, SR-123."""
    public = provider.register(token_endpoint_auth_method="none").client.client_id
    kari = provider.person().is_signed_in().comes_from_portal(client_id=public)
    form = {
        "grant_type": "authorization_code",
        "client_id": public,
        "code": kari.redirected_to()["code"],
        "redirect_uri": kari.request()["redirect_uri"],
        "code_verifier": kari.verifier,
    }
    token = provider.post("/token", form, auth=False).get_json()["access_token"]
    assert userinfo(provider, token) == 200
    with provider.app.app_context():
        clients.remove(public)

    assert userinfo(provider, token) == 401


def test_revoking_the_token_before_the_last_ends_the_family(kari: Person) -> None:
    """RFC 7009 §2.1, SR-89: a client whose refresh answer was lost knows no other."""
    provider = kari.provider
    known = kari.comes_from_portal(scope=f"{ONLINE} offline_access").tokens()["refresh_token"]
    lost = provider.refresh(known).get_json()
    provider.post("/revoke", {"token": known})

    assert provider.refresh(lost["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert userinfo(provider, lost["access_token"]) == 401


@pytest.mark.parametrize("path", ["/token", "/revoke", "/introspect"])
def test_a_body_beyond_64_kib_is_an_invalid_request_that_other_origins_may_read(provider: Provider, path: str) -> None:
    """SR-90; CLIENTS: CORS on errors, too."""
    answer = provider.post(path, {"token": "x" * 70_000})
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    assert ("Access-Control-Allow-Origin" in answer.headers) == (path != "/introspect")  # SR-114


def test_a_token_says_truly_how_long_it_lives(kari: Person, clock: Clock) -> None:
    """RFC 6749 §5.1: near the end of its session an access token is shorter."""
    provider = kari.provider
    online = kari.comes_from_portal(scope=ONLINE).tokens()
    assert online["expires_in"] == provider.parts.settings.tokens.access_token
    clock.advance(provider.parts.settings.sessions.absolute - 100)

    last = provider.refresh(online["refresh_token"]).get_json()

    assert 90 <= last["expires_in"] <= 100
    clock.advance(last["expires_in"] + 1)
    assert userinfo(provider, last["access_token"]) == 401
