"""A client that asks too often hears when to come back: 429, Retry-After, JSON (SR-33, SR-98; RFC 9126 §2.3)."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from idp.services import audit
from tests.conftest import Clock
from tests.people import PAYSLIPS, Person, Provider
from tests.protocol.signed_in import posts, signed_in

SETTINGS = {
    "limits": {"introspection_misses_minute": 5, "journeys_per_address_hour": 4, "journeys_total_minute": 8},
    "server": {"trusted_proxies": ["127.0.0.1/32"]},
}


@pytest.fixture
def kari(provider: Provider) -> Person:
    return signed_in(provider)


@pytest.fixture(autouse=True)
def at_the_start_of_a_minute(clock: Clock) -> None:
    """Windows are cut by the clock: no test may straddle two."""
    clock.advance(60 - clock.now().timestamp() % 60)


def is_throttled(answer: TestResponse) -> bool:
    if answer.status_code != 429:
        return False
    assert answer.get_json()["error"] == "temporarily_unavailable"
    assert answer.headers["Content-Type"] == "application/json"
    assert 0 < int(answer.headers["Retry-After"]) <= 3600
    return True


def test_trying_tokens_out_is_stopped(provider: Provider, kari: Person, clock: Clock) -> None:
    """RFC 7662 §4: after so many that were none, none is looked at, not even a good one; a minute later it is."""
    client = provider.register()
    kari.comes_from_portal()
    good = kari.tokens()["access_token"]
    for number in range(5):
        assert posts(provider, "/introspect", {"token": f"guess-{number}"}, caller=client).get_json() == {
            "active": False
        }
    for token in ("guess-5", good):
        assert is_throttled(posts(provider, "/introspect", {"token": token}, caller=client))
    assert posts(provider, "/introspect", {"token": good}).get_json()["active"] is True  # another client's own
    with provider.app.app_context():
        told = [event for event in audit.newest(50) if event.event == "client.limited"]
    assert [(event.client, event.reason) for event in told] == [(client.client.client_id, "introspection")]
    clock.advance(60)
    assert posts(provider, "/introspect", {"token": "guess"}, caller=client).get_json() == {"active": False}


def test_other_peoples_tokens_count_as_tries(provider: Provider, kari: Person) -> None:
    """What is none of the caller's business must not be told by the counting either."""
    client = provider.register()
    kari.comes_from_portal(resource=PAYSLIPS)
    foreign = kari.tokens()["access_token"]

    assert [is_throttled(posts(provider, "/introspect", {"token": foreign}, caller=client)) for _ in range(6)] == [
        *[False] * 5,
        True,
    ]


def test_good_tokens_are_never_too_many(provider: Provider, kari: Person) -> None:
    kari.comes_from_portal()
    token = kari.tokens()["access_token"]

    for _ in range(12):
        assert posts(provider, "/introspect", {"token": token}).get_json()["active"] is True


def push(person: Person, caller: Any, address: str = "192.0.2.1") -> TestResponse:
    client_id = caller.client.client_id if not caller.client.is_confidential else ""
    form = person.request(client_id=client_id)
    return posts(
        person.provider,
        "/par",
        form,
        caller=caller,
        authenticated=caller.client.is_confidential,
        headers={"X-Forwarded-For": address},
    )


def test_a_client_pushes_so_many_requests_a_minute(provider: Provider, kari: Person, clock: Clock) -> None:
    """RFC 9126 §2.3: 429."""
    client = provider.register()

    assert [push(kari, client).status_code for _ in range(9)] == [*[201] * 8, 429]
    assert is_throttled(push(kari, client))
    assert push(kari, provider.register()).status_code == 201
    clock.advance(60)
    assert push(kari, client).status_code == 201


def test_anybody_can_be_a_public_client_so_the_place_counts(provider: Provider, kari: Person) -> None:
    """SR-34: no unbounded rows from strangers."""
    client = provider.register(token_endpoint_auth_method="none")

    assert [push(kari, client).status_code for _ in range(4)] == [201] * 4
    assert is_throttled(push(kari, client))
    assert push(kari, client, "198.51.100.7").status_code == 201
