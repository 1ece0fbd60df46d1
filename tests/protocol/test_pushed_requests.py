"""Pushed authorization requests: RFC 9126, clause by clause, and what this provider holds besides (SR-74)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from tests.conftest import Clock
from tests.members import member, with_cookies_of
from tests.people import PASSWORD, PORTAL, Person, Provider
from tests.races.together import in_parallel

PREFIX = "urn:ietf:params:oauth:request_uri:"


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


def pushes(person: Person, *, auth: Any = None, **parameters: str) -> TestResponse:
    """The portal leaves its request."""
    return person.provider.post("/par", person.request(**parameters), auth=auth)


def name_of(person: Person, **parameters: str) -> str:
    answer = pushes(person, **parameters)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    name: str = answer.get_json()["request_uri"]
    return name


def comes_with(person: Person, name: str, **beside: str) -> Person:
    """The browser carries the name to the authorization endpoint."""
    return person.goes(f"/authorize?{urlencode({'client_id': person.provider.portal, 'request_uri': name, **beside})}")


# The endpoint


def test_the_answer_is_a_name_and_how_long_it_counts(kari: Person) -> None:
    """RFC 9126 §2.2; SR-74: 128 random bits at least."""
    answer = pushes(kari)

    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.get_json()
    assert set(told) == {"request_uri", "expires_in"}
    assert told["request_uri"].startswith(PREFIX)
    assert len(told["request_uri"]) - len(PREFIX) >= 43
    assert told["expires_in"] == 90
    assert told["request_uri"] != name_of(kari)


def test_only_by_post(provider: Provider) -> None:
    """RFC 9126 §2.3: 405 for anything else."""
    client = provider.app.test_client()
    for method in ("GET", "PUT", "DELETE"):
        assert client.open("/par", method=method, base_url="https://login.example").status_code == 405


def test_parameters_in_the_url_are_not_looked_at(kari: Person) -> None:
    answer = kari.provider.post(f"/par?{urlencode(kari.request())}", {"state": "x"})

    assert answer.status_code == 400


@pytest.mark.parametrize("auth", [False, "wrong"])
def test_the_client_authenticates_as_at_the_token_endpoint(kari: Person, auth: Any) -> None:
    """RFC 9126 §2: and 401 invalid_client otherwise."""
    answer = pushes(kari, auth=(kari.provider.portal, "wrong") if auth == "wrong" else False)

    assert answer.status_code == 401
    assert answer.get_json()["error"] == "invalid_client"


def test_a_public_client_pushes_by_its_id(provider: Provider) -> None:
    public = provider.register(token_endpoint_auth_method="none")
    kari = provider.person()
    answer = pushes(kari, auth=False, client_id=public.client.client_id)

    assert answer.status_code == 201


def test_a_name_must_not_be_pushed(kari: Person) -> None:
    """RFC 9126 §2.1."""
    answer = pushes(kari, request_uri=name_of(kari))

    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": ""}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid admin"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"resource": "https://elsewhere.example/"}, "invalid_target"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"id_token_hint": "x.y.z"}, "invalid_request"),
        ({"request": "x.y.z"}, "invalid_request_object"),
        ({"state": "x" * 3000}, "invalid_request"),
    ],
)
def test_what_is_wrong_is_told_at_once_and_to_the_client(kari: Person, parameters: dict[str, str], error: str) -> None:
    """RFC 9126 §2.3."""
    answer = pushes(kari, **parameters)

    assert (answer.status_code, answer.get_json()["error"]) == (400, error)
    assert "evil" not in answer.get_data(as_text=True)


# The authorization endpoint


def test_whoever_comes_with_the_name_gets_what_was_pushed(kari: Person) -> None:
    """RFC 9126 §4."""
    told = comes_with(kari, name_of(kari, state="pushed", scope="openid")).redirected_to()

    assert told["state"] == "pushed"
    tokens = kari.provider.post(
        "/token",
        {"grant_type": "authorization_code", "code": told["code"], "redirect_uri": PORTAL,
         "code_verifier": kari.verifier},
    ).get_json()  # fmt: skip
    assert tokens["scope"] == "openid"


def test_what_stands_beside_the_name_counts_for_nothing(kari: Person) -> None:
    """SR-74: outer parameters cannot override pushed ones, nor add to them."""
    beside = {
        "scope": "openid profile email",
        "state": "mine",
        "redirect_uri": "https://evil.example/",
        "response_type": "token",
        "prompt": "login",
    }
    told = comes_with(kari, name_of(kari, state="pushed"), **beside).redirected_to()

    assert told["state"] == "pushed"
    assert "code" in told


def test_a_name_is_used_up_when_an_authorization_is_complete(kari: Person) -> None:
    """RFC 9126 §7.3, SR-74: loading its page uses nothing up."""
    visitor = member(kari.provider)
    name = name_of(visitor)
    for _ in range(3):
        assert comes_with(visitor, name).page.heading == "Sign in"
    visitor.sends(email=visitor.email, password=PASSWORD).sends("sms")
    assert "code" in visitor.sends("verify", code=visitor.phoned_code()).redirected_to()

    assert comes_with(visitor, name).answer.status_code == 410
    assert comes_with(kari, name).answer.status_code == 410


def test_of_two_on_the_way_with_one_name_one_arrives(kari: Person) -> None:
    """A name that was carried off counts once, whoever is first."""
    name = name_of(kari)
    other = member(kari.provider)
    assert comes_with(other, name).page.heading == "Sign in"
    assert "code" in comes_with(kari, name).redirected_to()

    other.sends(email=other.email, password=PASSWORD).sends("sms").sends("verify", code=other.phoned_code())
    assert other.answer.status_code == 410
    assert "Location" not in other.answer.headers


def test_of_many_at_once_one_completes(kari: Person) -> None:
    name = name_of(kari)
    browsers = [with_cookies_of(kari) for _ in range(12)]
    asked = f"/authorize?{urlencode({'client_id': kari.provider.portal, 'request_uri': name})}"

    def comes() -> int:
        return browsers.pop().get(asked, base_url="https://login.example").status_code

    assert sorted(in_parallel(12, comes)) == [303, *[410] * 11]


def test_an_error_uses_nothing_up(kari: Person) -> None:
    name = name_of(kari, prompt="none", max_age="0")
    stranger = kari.provider.person().goes("/help")

    assert comes_with(stranger, name).redirected_to()["error"] == "login_required"
    assert comes_with(stranger, name).redirected_to()["error"] == "login_required"


@pytest.mark.parametrize("name", [PREFIX, f"{PREFIX}unheard-of", f"{PREFIX}{'x' * 5000}"])
def test_an_unknown_name_stays_on_our_page(kari: Person, name: str) -> None:
    """SR-69: whose redirect URI it would be, nobody knows."""
    comes_with(kari, name, redirect_uri=PORTAL)

    assert kari.answer.status_code == 410
    assert "Location" not in kari.answer.headers


def test_a_name_is_of_one_client(kari: Person) -> None:
    """RFC 9126 §2.2: bound to the client that pushed."""
    name = name_of(kari)
    other = kari.provider.register(client_name="Other").client.client_id

    assert comes_with(kari, name, client_id=other).answer.status_code == 410
    assert comes_with(kari, name, client_id="").answer.status_code == 410
    assert "code" in comes_with(kari, name).redirected_to()


def test_a_name_runs_out(kari: Person, clock: Clock) -> None:
    name = name_of(kari)
    clock.advance(89)
    assert "code" in comes_with(kari, name).redirected_to()

    name = name_of(kari)
    clock.advance(91)
    assert comes_with(kari, name).answer.status_code == 410


def test_a_journey_may_take_longer_than_the_name_lives(kari: Person, clock: Clock) -> None:
    visitor = member(kari.provider)
    comes_with(visitor, name_of(visitor))
    clock.advance(300)
    visitor.sends(email=visitor.email, password=PASSWORD).sends("sms")

    assert "code" in visitor.sends("verify", code=visitor.phoned_code()).redirected_to()


def test_a_form_of_another_site_takes_no_parameter_into_a_url(kari: Person) -> None:
    """SR-74: pushed parameters never reach a URL, neither on the way round that a cross-site POST takes."""
    name = name_of(kari, login_hint="kari@example.no")
    stranger = kari.provider.app.test_client()
    carried = {"client_id": kari.provider.portal, "request_uri": name}
    answer = stranger.post("/authorize", data=carried, base_url="https://login.example")

    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/authorize?{urlencode(carried)}"


@pytest.mark.parametrize("uri", ["https://portal.example/request.jwt", "http://127.0.0.1:1/", "urn:other:1"])
def test_an_address_is_never_fetched(kari: Person, uri: str) -> None:
    """SR-75."""
    told = kari.comes_from_portal(request_uri=uri).redirected_to()

    assert told["error"] == "request_uri_not_supported"


# Clients that must


def test_a_client_that_must_push_is_refused_otherwise(provider: Provider) -> None:
    """RFC 9126 §6."""
    strict = provider.register(require_pushed_authorization_requests=True)
    kari = provider.person().is_signed_in()
    told = kari.comes_from_portal(client_id=strict.client.client_id).redirected_to()
    assert told["error"] == "invalid_request"
    assert "push" in told["error_description"]

    answer = pushes(kari, auth=(strict.client.client_id, strict.secret), client_id=strict.client.client_id)
    name = answer.get_json()["request_uri"]
    assert "code" in comes_with(kari, name, client_id=strict.client.client_id).redirected_to()


def test_discovery_names_the_endpoint(provider: Provider) -> None:
    """RFC 9126 §5."""
    told = provider.app.test_client().get("/.well-known/openid-configuration", base_url="https://login.example")

    assert told.get_json()["pushed_authorization_request_endpoint"] == "https://login.example/par"
