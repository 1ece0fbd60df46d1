"""Proving who one is, whatever the eID: what it gives, what every failure says, and what never gives anything."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from idp.eid.connector import Failed, Outcome, Pending
from idp.rules.assurance import HIGH, MFA, SUBSTANTIAL
from idp.services import audit, identities
from tests.conftest import Clock
from tests.eid.scripted import KARI, OLA, Scripted, verified
from tests.people import Person, Provider
from tests.protocol.signed_in import told

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)
"""What depends on where things are kept is tried on both pairs in test_linking and in tests/races."""


def at_eid(provider: Provider, **parameters: str) -> Person:
    """Somebody signed in just now, who pressed «Bekreft» on the portal."""
    return provider.person().is_signed_in().comes_from_portal(**{"acr_values": HIGH, **parameters})


def confirms(person: Person, eid: Scripted, who: dict[str, str] = KARI, **more: Any) -> Person:
    """The person goes through with it in the app, and says so on the page."""
    person.sends("start:test-eid:app")
    eid.says = lambda now: verified(who, at=now, **more)
    return person.sends("check")


def events(provider: Provider) -> list[tuple[str, str, str | None]]:
    """Kind, outcome and reason of every event about eIDs."""
    with provider.app.app_context():
        found = audit.newest(200)
    return [(one.event, one.outcome, one.reason) for one in found if one.event.startswith(("eid.", "identity."))]


def is_linked(person: Person) -> bool:
    with person.provider.app.app_context():
        return identities.of_account(person.sub) is not None


# What it gives


def test_a_proof_of_identity_gives_the_level_its_methods_and_its_time(provider: Provider, eid: Scripted) -> None:
    kari = confirms(at_eid(provider), eid)
    tokens = kari.tokens()

    claims = told(tokens["id_token"])
    assert claims["acr"] == HIGH
    assert {"pin", "pop", "mfa"} <= set(claims["amr"])
    with provider.app.app_context():
        known = identities.of_account(kari.sub)
    assert known is not None
    assert (known.number, known.family_name) == (KARI["number"], "Nordmann")
    assert [event for event, *_ in events(provider)] == ["eid.started", "identity.linked"]


def test_the_page_offers_each_eid_and_a_way_back(provider: Provider) -> None:
    kari = at_eid(provider)

    assert kari.page.heading == "Confirm who you are"
    assert "Confirm with Test-eID" in kari.page.text
    assert "https://eid.example" in kari.answer.headers["Content-Security-Policy"]
    assert kari.sends("decline").redirected_to()["error"] == "access_denied"


def test_an_eid_that_cannot_reach_the_level_is_not_offered(provider: Provider, eid: Scripted) -> None:
    eid.levels = {"silver": "substantial"}
    kari = at_eid(provider)

    assert "Confirm with Test-eID" not in kari.page.text


def test_an_eid_that_takes_the_browser_away_brings_it_back(provider: Provider, eid: Scripted) -> None:
    eid.flows = ("redirect",)
    kari = at_eid(provider).sends("start:test-eid:redirect")
    assert kari.answer.headers["Location"].startswith("https://eid.example/authorize?state=")

    eid.says = lambda now: verified(KARI, at=now)
    assert "code" in kari.goes(f"/eid/test-eid/return?state={eid.state}").redirected_to()


def test_the_waiting_page_tells_its_script_how_it_goes(provider: Provider, eid: Scripted) -> None:
    kari = at_eid(provider).sends("start:test-eid:app")
    journey = kari.answer.request.path.split("/")[2]

    def ask() -> Any:
        return kari.browser.get(f"/eid/status/{journey}", base_url="https://login.example").get_json()

    assert ask()["over"] is False
    assert "<svg" in ask()["qr"]
    eid.says = lambda now: verified(KARI, at=now)
    assert ask() == {"over": True}
    assert "code" in kari.goes(f"/journey/{journey}").redirected_to()


def test_nobody_else_hears_how_it_goes(provider: Provider, eid: Scripted) -> None:
    kari = at_eid(provider).sends("start:test-eid:app")
    journey = kari.answer.request.path.split("/")[2]
    stranger = provider.person().goes("/help")

    assert stranger.browser.get(f"/eid/status/{journey}", base_url="https://login.example").get_json() == {"over": True}
    assert eid.asked == 0


# What every failure says, and that it leaves nothing behind

SAID = {
    Outcome.USER_REFUSED: "You stopped in Test-eID. Nothing has changed.",
    Outcome.WRONG_CODE_CHOSEN: "You stopped in Test-eID. Nothing has changed.",
    Outcome.TIMEOUT: "Test-eID waited too long for an answer.",
    Outcome.NO_USABLE_ACCOUNT: "Test-eID says that your eID is not active.",
    Outcome.REVOKED: "Test-eID says that your eID is not active.",
    Outcome.RISK_BLOCKED: "Test-eID says that your eID is not active.",
    Outcome.LEVEL_TOO_LOW: "Test-eID says that your eID is not active.",
    Outcome.IN_PROGRESS: "You stopped in Test-eID. Nothing has changed.",
    Outcome.PERSON_MISMATCH: "This eID belongs to somebody else than the person confirmed for this account.",
    Outcome.PROOF_INVALID: "Test-eID is not working right now. Nothing is wrong with your account.",
    Outcome.REVOCATION_UNKNOWN: "Test-eID is not working right now.",
    Outcome.PROVIDER_UNAVAILABLE: "Test-eID is not working right now.",
    Outcome.PROVIDER_REJECTED_US: "Test-eID is not working right now.",
    Outcome.PROTOCOL_ERROR: "Test-eID is not working right now.",
}


@pytest.mark.parametrize("when", ["at-the-start", "while-waiting"])
@pytest.mark.parametrize("outcome", SAID)
def test_a_failure_says_what_may_be_said_and_proves_nothing(
    provider: Provider, eid: Scripted, outcome: Outcome, when: str
) -> None:
    """SR-106: told apart in the trail alone."""
    eid.begins = Failed(outcome, "in detail") if when == "at-the-start" else None
    eid.says = Failed(outcome, "in detail")
    kari = at_eid(provider).sends("start:test-eid:app")
    if when == "while-waiting":
        kari.sends("check")

    assert SAID[outcome] in kari.page.text
    assert "in detail" not in kari.page.html
    assert events(provider)[-1][0::2] == ("eid.failed", outcome)
    assert not is_linked(kari)
    assert kari.comes_from_portal(acr_values=HIGH, prompt="none").redirected_to()["error"] == "login_required"


def test_after_a_failure_it_can_be_tried_again_at_once(provider: Provider, eid: Scripted) -> None:
    eid.begins = Failed(Outcome.PROVIDER_UNAVAILABLE)
    kari = at_eid(provider).sends("start:test-eid:app")
    eid.begins = None

    assert "code" in confirms_again(kari, eid).redirected_to()


def confirms_again(person: Person, eid: Scripted) -> Person:
    """Press «Prøv igjen», and go through with it."""
    eid.says = lambda now: verified(KARI, at=now)
    return person.sends("start:test-eid:app").sends("check")


def test_stopping_on_our_page_stops_it_at_the_provider_too(provider: Provider, eid: Scripted) -> None:
    kari = at_eid(provider).sends("start:test-eid:app").sends("cancel")

    assert SAID[Outcome.USER_REFUSED] in kari.page.text
    assert eid.cancelled == 1
    assert kari.page.links["Choose another eID"].endswith("/eid?other-way")
    assert kari.presses("Choose another eID").page.heading == "Confirm who you are"


def test_an_attempt_that_nobody_answers_runs_out(provider: Provider, eid: Scripted, clock: Clock) -> None:
    kari = at_eid(provider).sends("start:test-eid:app")
    clock.advance(301)
    eid.says = lambda now: verified(KARI, at=now)
    kari.goes(kari.answer.request.path)

    assert SAID[Outcome.TIMEOUT] in kari.page.text
    assert not is_linked(kari)


def test_attempts_that_come_to_nothing_are_limited(provider: Provider, eid: Scripted) -> None:
    kari = at_eid(provider)
    eid.begins = Failed(Outcome.USER_REFUSED)
    for _ in range(10):
        kari.sends("start:test-eid:app")
    started = len(eid.attempts)
    kari.sends("start:test-eid:app")

    assert kari.answer.status_code == 429
    assert kari.page.heading == "You need to wait a little"
    assert len(eid.attempts) == started


# Levels: only what is listed counts, and only as much as was asked for


@pytest.mark.parametrize("claimed", ["gold", "silver", "Gold", "gold ", "goldish", "", "high", "urn:gold"])
@pytest.mark.parametrize("wanted", [SUBSTANTIAL, HIGH])
def test_only_a_listed_level_raises_anything(provider: Provider, eid: Scripted, claimed: str, wanted: str) -> None:
    kari = confirms(at_eid(provider, acr_values=wanted), eid, level=claimed)

    reached = {("gold", HIGH), ("gold", SUBSTANTIAL), ("silver", SUBSTANTIAL)}
    if (claimed, wanted) in reached:
        assert told(kari.tokens()["id_token"])["acr"] == (HIGH if claimed == "gold" else SUBSTANTIAL)
    else:
        assert SAID[Outcome.LEVEL_TOO_LOW] in kari.page.text
        assert not is_linked(kari)


@pytest.mark.parametrize("seconds", [-120, 120])
def test_a_proof_of_another_time_is_none(provider: Provider, eid: Scripted, seconds: int) -> None:
    kari = at_eid(provider).sends("start:test-eid:app")
    eid.says = lambda now: verified(KARI, at=now + timedelta(seconds=seconds))
    kari.sends("check")

    assert SAID[Outcome.PROOF_INVALID] in kari.page.text
    assert not is_linked(kari)


def test_a_person_without_number_and_reference_is_nobody(provider: Provider, eid: Scripted) -> None:
    """SR-103: never told apart by name or birth date."""
    nobody: dict[str, Any] = {**KARI, "number": None}
    kari = confirms(at_eid(provider), eid, nobody, reference=None)

    assert SAID[Outcome.PROOF_INVALID] in kari.page.text


# Freshness and decay


def test_a_level_of_identity_runs_out_and_no_refresh_renews_it(provider: Provider, eid: Scripted, clock: Clock) -> None:
    """SR-106: fifteen minutes."""
    tokens = confirms(at_eid(provider), eid).tokens()
    clock.advance(890)
    tokens = provider.refresh(tokens["refresh_token"]).get_json()
    assert told(tokens["id_token"])["acr"] == HIGH
    assert tokens["expires_in"] <= 10
    clock.advance(20)
    tokens = provider.refresh(tokens["refresh_token"]).get_json()

    assert told(tokens["id_token"])["acr"] == MFA
    assert "pin" not in told(tokens["id_token"])["amr"]


def test_a_fresh_proof_serves_again_and_a_stale_one_is_asked_for_anew(
    provider: Provider, eid: Scripted, clock: Clock
) -> None:
    kari = confirms(at_eid(provider), eid)
    clock.advance(600)
    assert "code" in kari.comes_from_portal(acr_values=HIGH).redirected_to()
    assert kari.comes_from_portal(acr_values=HIGH, max_age="300").step == "eid"
    assert kari.comes_from_portal(acr_values=HIGH, prompt="login").step == "eid"
    clock.advance(400)
    assert kari.comes_from_portal(acr_values=HIGH).step == "eid"
    assert "code" in kari.comes_from_portal().redirected_to()


def test_auth_time_is_that_of_the_proof_that_carries_the_level(provider: Provider, eid: Scripted, clock: Clock) -> None:
    kari = at_eid(provider)
    clock.advance(200)
    claims = told(confirms(kari, eid).tokens()["id_token"])

    assert abs(claims["auth_time"] - clock.now().timestamp()) < 5


def test_tying_an_identity_wants_factors_of_the_last_ten_minutes(
    provider: Provider, eid: Scripted, clock: Clock
) -> None:
    """SR-104; once tied, the eID alone is enough to prove it again."""
    kari = provider.person().is_signed_in()
    clock.advance(601)
    assert kari.comes_from_portal(acr_values=HIGH).step == "login"

    ola = confirms(at_eid(provider), eid, OLA)
    clock.advance(1200)
    assert ola.comes_from_portal(acr_values=HIGH).step == "eid"


def test_an_attempt_begun_in_time_may_take_its_time(provider: Provider, eid: Scripted, clock: Clock) -> None:
    kari = provider.person().is_signed_in()
    clock.advance(590)
    kari.comes_from_portal(acr_values=HIGH).sends("start:test-eid:app")
    clock.advance(100)
    eid.says = lambda now: verified(KARI, at=now)

    assert "code" in kari.sends("check").redirected_to()


def test_an_essential_level_that_no_eid_reaches_is_an_error(provider: Provider, eid: Scripted) -> None:
    asked = '{"id_token":{"acr":{"essential":true,"values":["urn:unheard-of"]}}}'
    kari = provider.person().is_signed_in().comes_from_portal(claims=asked)

    assert kari.redirected_to()["error"] == "unmet_authentication_requirements"


def test_the_first_level_of_the_list_that_can_be_reached_is_the_one_wanted(provider: Provider, eid: Scripted) -> None:
    kari = at_eid(provider, acr_values=f"urn:unheard-of {SUBSTANTIAL} {HIGH}")
    kari = confirms(kari, eid, level="silver")

    assert told(kari.tokens()["id_token"])["acr"] == SUBSTANTIAL


def test_discovery_names_the_levels_that_can_be_reached(provider: Provider) -> None:
    document = provider.app.test_client().get("/.well-known/openid-configuration", base_url="https://login.example")

    assert document.get_json()["acr_values_supported"] == [MFA, SUBSTANTIAL, HIGH]


def test_pending_keeps_the_page_and_asks_the_provider_once_at_a_time(provider: Provider, eid: Scripted) -> None:
    kari = at_eid(provider).sends("start:test-eid:app")
    eid.says = Pending("enter-code")

    assert kari.sends("check").page.heading == "Open Test-eID"
    assert eid.asked == 1
