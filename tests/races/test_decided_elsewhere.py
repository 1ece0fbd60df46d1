"""Requests that are decided on another device: decided once, turned into tokens once, on both pairs of stores."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from idp import clock as idp_clock
from idp.rules.assurance import MFA, Assurance
from idp.services import decoupled
from idp.stores.durable import decoupled_requests
from idp.stores.durable.decoupled_requests import Decision
from tests.conftest import Clock
from tests.people import Person, Provider
from tests.protocol.elsewhere import approves, begins, call_centre, device, polls, polls_for, says, texted, types
from tests.protocol.signed_in import error, session_of, signed_in
from tests.races.together import in_parallel

AT_ONCE = 10
PENDING, SLOW, NO_GRANT, TOKENS = (
    (400, "authorization_pending"),
    (400, "slow_down"),
    (400, "invalid_grant"),
    (200, "None"),
)


@pytest.fixture
def kari(provider: Provider) -> Person:
    return signed_in(provider)


def test_one_device_code_gives_tokens_once(kari: Person, provider: Provider) -> None:
    """SR-80; RFC 8628 §3.4."""
    client = device(provider)
    given = begins(provider, client)
    approves(kari, given["user_code"])
    heard = in_parallel(AT_ONCE, lambda: error(polls(provider, client, given["device_code"])))
    assert Counter(heard) == {TOKENS: 1, NO_GRANT: AT_ONCE - 1}


def test_one_ciba_request_gives_tokens_once(kari: Person, provider: Provider) -> None:
    """SR-80; OpenID CIBA Core §10.1."""
    client = call_centre(provider)
    form = {"scope": "openid", "login_hint": kari.email}
    auth_req_id = says(provider, client, "/backchannel-authentication", form).get_json()["auth_req_id"]
    types(kari, texted(kari)).sends("approve")
    heard = in_parallel(AT_ONCE, lambda: error(polls_for(provider, client, auth_req_id)))
    assert Counter(heard) == {TOKENS: 1, NO_GRANT: AT_ONCE - 1}


def test_of_many_decisions_one_counts(kari: Person, provider: Provider) -> None:
    """One conditional write; whoever comes second changes nothing, and the code is used up."""
    client = device(provider)
    given, sid = begins(provider, client), session_of(kari)
    with provider.app.app_context():
        code = given["user_code"].replace("-", "")
        found = decoupled.of_user_code(code)
        assert found

    def decide(account_id: str) -> bool:
        now = idp_clock.now()
        decision = Decision(
            account_id=account_id, sid=sid, assurance=Assurance(MFA, (), now), session_ends_at=now + timedelta(hours=1)
        )
        with provider.app.app_context():
            return decoupled_requests.approve(found.id, decision, now=now)

    with provider.app.app_context():
        from tests.members import account_id

        who = account_id(kari)
    assert sum(in_parallel(AT_ONCE, lambda: decide(who))) == 1
    with provider.app.app_context():
        assert not decoupled_requests.reject(found.id, who, now=idp_clock.now())
        assert decoupled.of_user_code(code) is None


def test_polls_at_the_same_time_are_too_fast(provider: Provider, clock: Clock) -> None:
    """RFC 8628 §3.5: all but one, and the interval has grown."""
    client = device(provider)
    code = begins(provider, client)["device_code"]
    for wait in (0, 5):
        clock.advance(wait)
        heard = Counter(in_parallel(AT_ONCE, lambda: error(polls(provider, client, code))))
        if wait == 0:
            assert heard == {PENDING: 1, SLOW: AT_ONCE - 1}
        else:
            assert heard == {SLOW: AT_ONCE}


def test_no_two_open_requests_have_one_user_code(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store refuses the second; another code is tried."""
    client = device(provider)
    monkeypatch.setattr(decoupled, "LENGTH", 1)
    monkeypatch.setattr(decoupled, "TRIES", 1000)
    codes = in_parallel(AT_ONCE, lambda: begins(provider, client)["user_code"])
    assert len(set(codes)) == AT_ONCE
