"""PKCE (RFC 7636, RFC 9700 §2.1.1); requirements SR-70."""

from __future__ import annotations

import pytest

from tests.people import Provider
from tests.protocol.signed_in import code_form, error, posts, signed_in

CERTIFICATION = {"pkce_exempt": True}


@pytest.mark.parametrize(
    "parameters",
    [
        {"code_challenge": ""},
        {"code_challenge": "", "code_challenge_method": ""},
        {"code_challenge_method": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": "a" * 42},
        {"code_challenge": "a" * 129},
        {"code_challenge": "a" * 42 + "="},
        {"code_challenge": "a" * 42 + "é"},
    ],
)
def test_only_a_whole_s256_challenge_is_taken(provider: Provider, parameters: dict[str, str]) -> None:
    """RFC 7636 §4.2, §4.3, §4.4.1: a missing method means "plain"; SR-70, SR-118."""
    assert signed_in(provider).comes_from_portal(**parameters).redirected_to()["error"] == "invalid_request"


@pytest.mark.parametrize("verifier", ["", "b" * 43, "b" * 42, "b" * 129, "é" * 43])
def test_a_missing_or_wrong_verifier_gets_nothing(provider: Provider, verifier: str) -> None:
    """RFC 7636 §4.6; SR-70, SR-79."""
    person = signed_in(provider).comes_from_portal()
    assert error(posts(provider, "/token", code_form(person, code_verifier=verifier))) == (400, "invalid_grant")


def test_the_challenge_itself_is_no_verifier(provider: Provider) -> None:
    """RFC 7636 §4.6; SR-118: no fall-back to "plain"."""
    person = signed_in(provider).comes_from_portal()
    verifier = person.request()["code_challenge"]
    assert error(posts(provider, "/token", code_form(person, code_verifier=verifier))) == (400, "invalid_grant")


def test_an_exempt_client_may_go_without_and_then_no_verifier_is_taken(provider: Provider) -> None:
    """RFC 9700 §4.8.2; SR-70: a verifier without a stored challenge fails."""
    exempt = provider.register(**CERTIFICATION)
    person = signed_in(provider)
    bare = {"client_id": exempt.client.client_id, "code_challenge": "", "code_challenge_method": "", "resource": ""}
    person.comes_from_portal(**bare)
    assert error(posts(provider, "/token", code_form(person), caller=exempt)) == (400, "invalid_grant")
    person.comes_from_portal(**bare)
    answer = posts(provider, "/token", code_form(person, code_verifier=""), caller=exempt)
    assert answer.status_code == 200


def test_an_exempt_client_that_sends_a_challenge_is_held_to_it(provider: Provider) -> None:
    """RFC 9700 §4.8; SR-70."""
    exempt = provider.register(**CERTIFICATION)
    person = signed_in(provider).comes_from_portal(client_id=exempt.client.client_id)
    answer = posts(provider, "/token", code_form(person, code_verifier=""), caller=exempt)
    assert error(answer) == (400, "invalid_grant")
