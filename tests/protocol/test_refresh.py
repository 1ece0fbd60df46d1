"""Refresh tokens (RFC 6749 §6, RFC 9700 §4.14.2); requirements SR-84 to SR-88."""

from __future__ import annotations

from typing import Any

import pytest

from idp.services import accounts, consents, sessions
from tests.conftest import Clock
from tests.members import account_id
from tests.people import Person, Provider
from tests.protocol.signed_in import bearer, code_form, error, gets, posts, refreshes, session_of, signed_in, told

REFUSED = (400, "invalid_grant")


def granted(provider: Provider, **parameters: str) -> tuple[Person, dict[str, Any]]:
    """Somebody, and the tokens that the portal has of them."""
    person = signed_in(provider).comes_from_portal(**parameters)
    return person, person.tokens()


def token_of(provider: Provider, **parameters: str) -> str:
    """A new refresh token of the portal."""
    return str(granted(provider, **parameters)[1]["refresh_token"])


def rotated(provider: Provider, token: str) -> str:
    """The token that takes the place of this one."""
    answer = refreshes(provider, token)
    assert answer.status_code == 200, answer.get_json()
    return str(answer.get_json()["refresh_token"])


def test_a_refresh_gives_a_new_pair_and_renews_no_proof(provider: Provider, clock: Clock) -> None:
    """RFC 6749 §6, OIDC Core §12.2; SR-59, SR-86, SR-118 (rotation is on)."""
    person, first = granted(provider)
    clock.advance(30)
    second = refreshes(provider, first["refresh_token"]).get_json()
    assert second["refresh_token"] != first["refresh_token"]
    before, after = told(first["id_token"]), told(second["id_token"])
    assert [after[name] for name in ("iss", "sub", "aud", "auth_time", "acr", "amr")] == [
        before[name] for name in ("iss", "sub", "aud", "auth_time", "acr", "amr")
    ]
    assert after["iat"] > before["iat"]
    assert "nonce" not in after
    assert gets(provider, "/userinfo", **bearer(second["access_token"])).get_json()["sub"] == account_id(person)


def test_a_lost_answer_may_be_asked_for_again_within_ten_seconds(provider: Provider, clock: Clock) -> None:
    """SR-86; client libraries, no. 8. The answer that was lost is void."""
    first = token_of(provider)
    lost = rotated(provider, first)
    clock.advance(9)
    again = rotated(provider, first)
    assert again != lost
    assert rotated(provider, again)


def test_the_voided_successor_ends_the_family(provider: Provider, clock: Clock) -> None:
    """SR-86: never two live tokens."""
    first = token_of(provider)
    lost = rotated(provider, first)
    clock.advance(2)
    again = rotated(provider, first)
    clock.advance(1)
    assert error(refreshes(provider, lost)) == REFUSED
    assert error(refreshes(provider, again)) == REFUSED


def test_a_lost_answer_is_made_good_only_once(provider: Provider, clock: Clock) -> None:
    """SR-86: "gets one new pair"."""
    first = token_of(provider)
    rotated(provider, first)
    clock.advance(1)
    again = rotated(provider, first)
    clock.advance(1)
    assert error(refreshes(provider, first)) == REFUSED
    assert error(refreshes(provider, again)) == REFUSED


def test_a_spent_token_after_the_grace_ends_the_family(provider: Provider, clock: Clock) -> None:
    """RFC 9700 §4.14.2; SR-86."""
    first = token_of(provider)
    second = rotated(provider, first)
    clock.advance(11)
    assert error(refreshes(provider, first)) == REFUSED
    assert error(refreshes(provider, second)) == REFUSED


def test_no_grace_once_the_successor_was_used(provider: Provider, clock: Clock) -> None:
    """SR-86: "while its successor is unused"."""
    first = token_of(provider)
    third = rotated(provider, rotated(provider, first))
    clock.advance(1)
    assert error(refreshes(provider, first)) == REFUSED
    assert error(refreshes(provider, third)) == REFUSED


def test_a_family_that_ended_takes_its_access_tokens_with_it(provider: Provider, clock: Clock) -> None:
    """RFC 9700 §4.14.2; SR-86, SR-98."""
    _, tokens = granted(provider)
    rotated(provider, tokens["refresh_token"])
    clock.advance(11)
    refreshes(provider, tokens["refresh_token"])
    assert gets(provider, "/userinfo", **bearer(tokens["access_token"])).status_code == 401


def test_another_clients_token_gets_nothing_and_ends_nothing(provider: Provider) -> None:
    """RFC 6749 §6; SR-85, SR-86."""
    token = token_of(provider)
    assert error(refreshes(provider, token, caller=provider.register())) == REFUSED
    assert rotated(provider, token)


@pytest.mark.parametrize("token", ["unknown", "un.known", ".", "é.é", "x" * 8000])
def test_an_unknown_token_gets_nothing(provider: Provider, token: str) -> None:
    """RFC 6749 §5.2."""
    assert error(refreshes(provider, token)) == REFUSED


def test_a_made_up_secret_for_a_known_family_gets_nothing(provider: Provider) -> None:
    """SR-85."""
    assert error(refreshes(provider, token_of(provider).partition(".")[0] + ".guess")) == REFUSED


def test_the_idle_time_is_seven_days(provider: Provider, clock: Clock) -> None:
    """SR-85."""
    token = token_of(provider)
    clock.advance(6 * 86400)
    second = rotated(provider, token)
    clock.advance(7 * 86400 + 1)
    assert error(refreshes(provider, second)) == REFUSED


def test_the_whole_time_is_thirty_days(provider: Provider, clock: Clock) -> None:
    """SR-85: however often it is used."""
    token = token_of(provider)
    for _ in range(5):
        clock.advance(6 * 86400 - 1)
        token = rotated(provider, token)
    clock.advance(86400)
    assert error(refreshes(provider, token)) == REFUSED


def test_without_offline_access_a_token_lives_no_longer_than_its_session(provider: Provider, clock: Clock) -> None:
    """OIDC Core §11; SR-85, SR-108."""
    token = token_of(provider, scope="openid")
    clock.advance(provider.parts.settings.sessions.absolute + 1)
    assert error(refreshes(provider, token)) == REFUSED


def test_signing_out_ends_a_token_that_is_not_for_offline_use(provider: Provider) -> None:
    """SR-88, SR-108."""
    online, here = granted(provider, scope="openid")
    offline, away = granted(provider)
    with provider.app.app_context():
        sessions.end(session_of(online))
        sessions.end(session_of(offline))
    assert error(refreshes(provider, here["refresh_token"])) == REFUSED
    assert rotated(provider, away["refresh_token"])


def test_a_locked_person_gets_nothing_even_offline(provider: Provider) -> None:
    """SR-60, SR-88."""
    person, tokens = granted(provider)
    with provider.app.app_context():
        accounts.lock(account_id(person))
    assert error(refreshes(provider, tokens["refresh_token"])) == REFUSED
    with provider.app.app_context():
        accounts.unlock(account_id(person))
    assert error(refreshes(provider, tokens["refresh_token"])) == REFUSED  # what ended stays ended


def test_consent_taken_back_ends_the_token(provider: Provider) -> None:
    """SR-76, SR-88."""
    person = signed_in(provider)
    other = provider.register(first_party=False)
    with provider.app.app_context():
        consents.give(account_id(person), other.client.client_id, ["openid", "offline_access"])
    person.comes_from_portal(client_id=other.client.client_id, scope="openid offline_access")
    token = posts(provider, "/token", code_form(person), caller=other).get_json()["refresh_token"]
    with provider.app.app_context():
        consents.withdraw(account_id(person), other.client.client_id)
    assert error(refreshes(provider, token, caller=other)) == REFUSED


def test_scope_may_be_narrowed_and_a_wider_one_does_not_spend_the_token(provider: Provider) -> None:
    """RFC 6749 §6; SR-84."""
    token = token_of(provider, scope="openid email")
    assert error(refreshes(provider, token, scope="openid phone")) == (400, "invalid_scope")
    narrowed = refreshes(provider, token, scope="openid").get_json()
    assert narrowed["scope"] == "openid"
    claims = gets(provider, "/userinfo", **bearer(narrowed["access_token"])).get_json()
    assert set(claims) == {"sub"}
    assert refreshes(provider, narrowed["refresh_token"]).get_json()["scope"] == "openid email"


def test_a_client_without_the_grant_gets_no_refresh_token(provider: Provider) -> None:
    """RFC 6749 §5.2; SR-85."""
    other = provider.register(grant_types=["authorization_code"], scope="openid")
    person = signed_in(provider).comes_from_portal(client_id=other.client.client_id, scope="openid")
    answer = posts(provider, "/token", code_form(person), caller=other).get_json()
    assert "refresh_token" not in answer
    assert error(refreshes(provider, token_of(provider), caller=other)) == (400, "unauthorized_client")
