"""The `claims` parameter: OpenID Connect Core §5.5, rule by rule."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from idp.rules.assurance import HIGH, MFA, SFA
from tests.people import Person, Provider
from tests.protocol.signed_in import bearer, code_form, gets, posts, signed_in, told


@pytest.fixture
def kari(provider: Provider) -> Person:
    return signed_in(provider)


def asks(person: Person, claims: Any, **more: str) -> Person:
    text = claims if isinstance(claims, str) else orjson.dumps(claims).decode()
    return person.comes_from_portal(claims=text, **more)


def tokens(person: Person, claims: Any, **more: str) -> dict[str, Any]:
    asks(person, claims, **more)
    given: dict[str, Any] = posts(person.provider, "/token", code_form(person)).get_json()
    return given


@pytest.mark.parametrize(
    "claims",
    [
        "no json", "[]", '"x"', "1", "null", "{", '{"userinfo": 1}', '{"userinfo": []}', '{"id_token": "x"}',
        '{"id_token": {"email": null}', "{'id_token': {}}", "\ufeff{}",
        '{"id_token": false}', '{"userinfo": ""}', '{"userinfo": 0}',
    ],
)  # fmt: skip
def test_what_is_no_object_of_objects_is_an_invalid_request(kari: Person, claims: str) -> None:
    """§5.5: "represented as a UTF-8 encoded JSON"; its two members are objects."""
    assert asks(kari, claims).redirected_to()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"userinfo": None},
        {"userinfo": {}, "id_token": {}},
        {"unheard_of": {"email": None}},
        {"id_token": {"unheard_of": None}},
        {"id_token": {"email": {"unheard_of": 1}}},
        {"id_token": {"email": "not an object"}},
        {"id_token": {"unheard_of": {"essential": True}}},
        {"id_token": {"https://example.com/claim#fr": None}},
    ],
)
def test_what_is_not_understood_is_ignored(kari: Person, claims: Any) -> None:
    """§5.5: other members and claims "MUST be ignored" where they are not understood; §5.5.1: an essential one, too."""
    assert "code" in asks(kari, claims).redirected_to()


@pytest.mark.parametrize("how", [None, {}, {"essential": True}, {"essential": False}, {"value": "x"}])
def test_a_claim_asked_for_in_the_id_token_is_there(kari: Person, how: Any) -> None:
    """§5.5, §5.5.1: null is the default manner; what was asked for is told as it is, whatever value was wished."""
    claims = told(tokens(kari, {"id_token": {"email": how}})["id_token"])

    assert claims["email"] == kari.email
    assert "phone_number" not in claims


def test_userinfo_and_id_token_are_asked_apart(kari: Person) -> None:
    """§5.5: each member is about its own place."""
    given = tokens(kari, {"userinfo": {"email": None}})
    info = gets(kari.provider, "/userinfo", **bearer(given["access_token"])).get_json()

    assert "email" not in told(given["id_token"])
    assert info["email"] == kari.email


def test_nothing_beyond_the_granted_scopes_is_told(kari: Person) -> None:
    """SR-123: the parameter picks among what the scopes release; it opens nothing."""
    given = tokens(kari, {"userinfo": {"email": None}, "id_token": {"email": {"essential": True}}}, scope="openid")
    info = gets(kari.provider, "/userinfo", **bearer(given["access_token"])).get_json()

    assert "email" not in told(given["id_token"])
    assert set(info) == {"sub"}


@pytest.mark.parametrize(
    ("acr", "answer"),
    [
        ({"essential": True, "value": MFA}, "code"),
        ({"essential": True, "values": [HIGH, MFA]}, "code"),
        ({"essential": True, "values": [SFA]}, "code"),  # more than asked for is good
        ({"value": "urn:example:unknown"}, "code"),  # voluntary
        ({"essential": False, "values": ["urn:example:unknown"]}, "code"),
        ({"essential": True}, "code"),  # nothing in particular
        ({"essential": True, "value": "urn:example:unknown"}, "unmet_authentication_requirements"),
        ({"essential": True, "value": HIGH}, "unmet_authentication_requirements"),
        ({"essential": True, "values": ["urn:example:unknown", HIGH]}, "unmet_authentication_requirements"),
    ],
)
def test_an_essential_level_is_met_or_refused(kari: Person, acr: dict[str, Any], answer: str) -> None:
    """§5.5.1.1: "if the requested acr cannot be provided … MUST treat that outcome as a failed attempt"; SR-59."""
    told_client = asks(kari, {"id_token": {"acr": acr}}).redirected_to()

    assert answer in (*told_client, told_client.get("error"))


def test_it_counts_before_acr_values(kari: Person) -> None:
    """§5.5.1.1: the claim is the stronger way to ask."""
    essential = {"id_token": {"acr": {"essential": True, "value": HIGH}}}

    assert asks(kari, essential, acr_values=MFA).redirected_to()["error"] == "unmet_authentication_requirements"


def test_somebody_in_particular_may_be_asked_for(kari: Person, provider: Provider) -> None:
    """§5.5.1: `sub` with `value`: an answer about nobody else, and no page where none may be shown."""
    own = told(tokens(kari, {})["id_token"])["sub"]
    other = told(tokens(signed_in(provider), {})["id_token"])["sub"]

    assert "code" in asks(kari, {"id_token": {"sub": {"value": own}}}, prompt="none").redirected_to()
    refused = asks(kari, {"id_token": {"sub": {"value": other}}}, prompt="none").redirected_to()
    assert refused["error"] == "login_required"


def test_the_request_lives_as_long_as_the_grant(kari: Person) -> None:
    """§12.2: a refreshed ID token tells what the first one did."""
    given = tokens(kari, {"id_token": {"email": None}})
    form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    again = posts(kari.provider, "/token", form).get_json()

    assert told(again["id_token"])["email"] == kari.email
