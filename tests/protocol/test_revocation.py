"""Token revocation (RFC 7009)."""

from __future__ import annotations

import pytest

from tests.people import Person, Provider
from tests.protocol.signed_in import BASE, bearer, error, gets


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


def userinfo(person: Person, token: str) -> int:
    """What UserInfo answers to this token."""
    return gets(person.provider, "/userinfo", **bearer(token)).status_code


def test_revocation_ends_the_grant_and_says_the_same_of_strangers(kari: Person) -> None:
    """SR-89, RFC 7009 §2; CLIENTS: empty, and typed as JSON."""
    provider = kari.provider
    tokens = kari.comes_from_portal().tokens()
    other = provider.register()
    for token, who in (("unknown", None), (tokens["refresh_token"], (other.client.client_id, other.secret))):
        answer = provider.post("/revoke", {"token": token}, auth=who)
        assert (answer.status_code, answer.data, answer.content_type) == (200, b"", "application/json")
    assert userinfo(kari, tokens["access_token"]) == 200
    assert provider.post("/revoke", {"token": tokens["refresh_token"]}).status_code == 200
    assert userinfo(kari, tokens["access_token"]) == 401
    assert provider.refresh(tokens["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_an_access_token_is_revoked_by_itself(kari: Person) -> None:
    """RFC 7009 §2.1."""
    tokens = kari.comes_from_portal().tokens()
    kari.provider.post("/revoke", {"token": tokens["access_token"], "token_type_hint": "refresh_token"})
    assert userinfo(kari, tokens["access_token"]) == 401
    assert kari.provider.refresh(tokens["refresh_token"]).status_code == 200


def test_a_hint_that_is_not_known_is_ignored(kari: Person) -> None:
    """§2.1: the hint helps to look; it decides nothing."""
    tokens = kari.comes_from_portal().tokens()
    told = {"token": tokens["access_token"], "token_type_hint": "saml2"}

    assert kari.provider.post("/revoke", told).status_code == 200
    assert userinfo(kari, tokens["access_token"]) == 401


def test_without_a_token_there_is_nothing_to_revoke(provider: Provider) -> None:
    """§2.1: the parameter is required."""
    assert error(provider.post("/revoke", {})) == (400, "invalid_request")


def test_whoever_does_not_authenticate_revokes_nothing(kari: Person) -> None:
    """§2.1: the client's credentials are looked at first."""
    token = kari.comes_from_portal().tokens()["access_token"]
    for who in ((kari.provider.portal, "wrong"), ("nobody", "wrong")):
        assert error(kari.provider.post("/revoke", {"token": token}, auth=who)) == (401, "invalid_client")

    assert userinfo(kari, token) == 200


def test_it_is_a_post_and_nothing_in_its_url_counts(kari: Person) -> None:
    """§2.1: a form in the body; a token in a URL would be in logs."""
    token = kari.comes_from_portal().tokens()["access_token"]
    browser = kari.provider.app.test_client()

    assert browser.get("/revoke", base_url=BASE, query_string={"token": token}).status_code == 405
    assert error(kari.provider.post(f"/revoke?token={token}", {})) == (400, "invalid_request")
    assert userinfo(kari, token) == 200


def test_to_revoke_once_more_is_no_error(kari: Person) -> None:
    """§2.2: whoever asks wants it gone, and it is."""
    token = kari.comes_from_portal().tokens()["refresh_token"]

    assert [kari.provider.post("/revoke", {"token": token}).status_code for _ in range(2)] == [200, 200]
