"""One identity ↔ one account, whatever anybody tries: swapped, replayed, in another browser, at the same moment."""

from __future__ import annotations

import pytest

from idp import clock
from idp.eid.connector import Outcome
from idp.rules.assurance import HIGH
from idp.services import accounts, identities
from idp.stores.durable import eid_transactions
from idp.stores.durable import identities as kept
from idp.stores.durable.identities import Identity
from tests.eid.scripted import KARI, OLA, Scripted, verified
from tests.eid.test_proving import SAID, at_eid, confirms, events, is_linked
from tests.people import Person, Provider
from tests.races.together import in_parallel

ROUNDS = 100


def sent_away(provider: Provider, eid: Scripted, person: Person | None = None) -> Person:
    """Somebody who is at the provider of an eID that takes the browser away."""
    eid.flows = ("redirect",)
    person = person or provider.person().is_signed_in()
    return person.comes_from_portal(acr_values=HIGH).sends("start:test-eid:redirect")


def comes_back(person: Person, state: str, *, name: str = "test-eid") -> Person:
    return person.goes(f"/eid/{name}/return?state={state}")


def test_a_person_has_one_account(provider: Provider, eid: Scripted) -> None:
    """SR-104: the kind path: sign in to that account."""
    confirms(at_eid(provider), eid)
    second = confirms(at_eid(provider), eid)

    assert "This eID belongs to another account with us." in second.page.text
    assert not is_linked(second)
    assert events(provider)[-1] == ("eid.failed", "failure", Outcome.LINKED_ELSEWHERE)
    second.sends("switch-user")
    assert second.page.heading == "Sign in"


def test_somebody_else_never_steps_up_an_account(provider: Provider, eid: Scripted) -> None:
    """SR-104: a mismatch is refused and audited; the tie stays."""
    kari = confirms(at_eid(provider), eid)
    kari = confirms(kari.comes_from_portal(acr_values=HIGH, max_age="0"), eid, OLA)

    assert SAID[Outcome.PERSON_MISMATCH] in kari.page.text
    assert events(provider)[-1] == ("eid.failed", "failure", Outcome.PERSON_MISMATCH)
    with provider.app.app_context():
        known = identities.of_account(kari.sub)
    assert known is not None
    assert known.number == KARI["number"]


def test_the_person_linked_is_asked_for_again(provider: Provider, eid: Scripted) -> None:
    kari = confirms(at_eid(provider), eid)
    confirms(kari.comes_from_portal(acr_values=HIGH, max_age="0"), eid)

    first, second = eid.attempts
    assert first.expected is None
    assert second.expected is not None
    assert (second.expected.number, second.expected.reference) == (KARI["number"], f"ref-{KARI['number']}")


def test_a_push_is_only_for_who_is_known(provider: Provider, eid: Scripted) -> None:
    """SR-105: a bare number never rings anybody's phone."""
    eid.flows = ("app", "notification")
    kari = at_eid(provider)
    assert "on your phone" not in kari.page.text
    action = kari.page.form_with("start:test-eid:app")
    kari.posts(action.action, {**action.fields, "do": "start:test-eid:notification"})
    assert eid.attempts[-1].flow == "app"

    kari = confirms(at_eid(provider), eid)
    assert "Confirm with Test-eID on your phone" in kari.comes_from_portal(acr_values=HIGH, max_age="0").page.text


def test_another_browser_that_comes_back_ends_the_attempt(provider: Provider, eid: Scripted) -> None:
    """SR-102: session fixation through a link that starts the app."""
    kari = sent_away(provider, eid)
    eid.says = lambda now: verified(KARI, at=now)
    stranger = comes_back(provider.person().goes("/help"), eid.state)

    assert stranger.answer.status_code == 403
    assert stranger.page.heading == "Go back to the window where you started"
    assert eid.asked == 0
    assert not is_linked(kari)
    comes_back(kari, eid.state)
    assert not is_linked(kari)
    assert events(provider)[-1] == ("eid.failed", "failure", Outcome.BROWSER_MISMATCH)


def test_an_answer_counts_once(provider: Provider, eid: Scripted) -> None:
    kari = sent_away(provider, eid)
    eid.says = lambda now: verified(KARI, at=now)
    assert "code" in comes_back(kari, eid.state).redirected_to()
    comes_back(kari, eid.state)

    assert eid.asked == 1
    assert [event for event, *_ in events(provider)].count("identity.linked") == 1


@pytest.mark.parametrize("state", ["", "unheard-of", "x" * 5000], ids=["none", "unknown", "long"])
def test_an_unknown_state_leads_nowhere(provider: Provider, eid: Scripted, state: str) -> None:
    kari = comes_back(sent_away(provider, eid), state)

    assert kari.answer.status_code == 410
    assert eid.asked == 0


def test_an_answer_by_another_eid_is_none_of_this_one(provider: Provider, eid: Scripted) -> None:
    """RFC 9700 §4.4: one address per provider, against mix-up."""
    other = Scripted(name="other-eid", flows=("redirect",))
    provider.parts.eids.connectors["other-eid"] = other  # type: ignore[index]
    kari = comes_back(sent_away(provider, eid), eid.state, name="other-eid")

    assert kari.answer.status_code == 410
    assert (eid.asked, other.asked) == (0, 0)


def test_states_of_two_browsers_do_not_swap(provider: Provider, eid: Scripted) -> None:
    kari, ola = sent_away(provider, eid), sent_away(provider, eid)
    states = [attempt.state for attempt in eid.attempts]
    eid.says = lambda now: verified(KARI, at=now)
    comes_back(kari, states[1])
    comes_back(ola, states[0])

    assert not is_linked(kari)
    assert not is_linked(ola)


def test_two_tabs_of_a_browser_end_each_for_itself(provider: Provider, eid: Scripted) -> None:
    kari = sent_away(provider, eid)
    sent_away(provider, eid, kari)
    first, second = [attempt.state for attempt in eid.attempts]
    eid.says = lambda now: verified(KARI, at=now)

    assert "code" in comes_back(kari, first).redirected_to()
    assert "code" in comes_back(kari, second).redirected_to()
    assert [event for event, *_ in events(provider)].count("identity.linked") == 1


def test_a_second_start_in_one_tab_voids_the_first(provider: Provider, eid: Scripted) -> None:
    kari = sent_away(provider, eid)
    step = f"/journey/{_journey(provider, eid)}/sign-in/eid"
    kari.goes(step).sends("start:test-eid:redirect")
    eid.says = lambda now: verified(KARI, at=now)
    comes_back(kari, eid.attempts[0].state)

    assert eid.asked == 0
    assert not is_linked(kari)


def test_a_proof_of_one_account_is_none_of_another(provider: Provider, eid: Scripted) -> None:
    """The session changes hands while the person is at the eID: the proof stays the account's it was begun for."""
    kari = sent_away(provider, eid)
    ola = provider.person().is_signed_in()
    session = ola.browser.get_cookie("__Host-session", domain="login.example")
    assert session is not None
    kari.browser.set_cookie("__Host-session", session.value, domain="login.example")
    eid.says = lambda now: verified(KARI, at=now)
    comes_back(kari, eid.state)

    assert not is_linked(ola)
    assert "Location" not in kari.answer.headers  # no code for the session that took its place
    assert kari.step != "callback"


def test_an_account_that_was_locked_meanwhile_gets_nobody(provider: Provider, eid: Scripted) -> None:
    """SR-60: not by a broker's callback either."""
    kari = sent_away(provider, eid)
    with provider.app.app_context():
        accounts.lock(kari.sub)
    eid.says = lambda now: verified(KARI, at=now)
    comes_back(kari, eid.state)

    assert not is_linked(kari)
    assert kari.step != "callback"
    assert events(provider)[-1] == ("eid.failed", "failure", Outcome.PROTOCOL_ERROR)


def _journey(provider: Provider, eid: Scripted) -> str:
    with provider.app.app_context():
        found = eid_transactions.by_state(eid.state)
    assert found is not None
    return found.journey_id


def test_one_of_two_accounts_wins_an_identity_a_hundred_times(provider: Provider) -> None:
    """SR-104: two unique keys decide, not a look beforehand."""
    accounts = [provider.person().is_signed_in().sub for _ in range(2)]
    with provider.app.app_context():
        for number in range(ROUNDS):
            who = Identity(country="NO", number=f"{number:011d}", given_name="Kari", family_name="N", birthdate=None)
            ours = iter(accounts)

            def tie(who: Identity = who, ours: object = ours) -> str:
                with provider.app.app_context():
                    return kept.link(next(ours), who, now=clock.now())  # type: ignore[call-overload]

            heard = sorted(in_parallel(2, tie))
            assert heard == ["linked", "other-account"]
            _forget(who)


def _forget(who: Identity) -> None:
    from sqlalchemy import delete

    from idp.stores.durable.db import transaction

    with transaction() as connection:
        connection.execute(delete(kept.identities).where(kept.identities.c.person_index == kept._index(who)))


def test_one_answer_that_two_tabs_ask_for_is_taken_once(provider: Provider, eid: Scripted) -> None:
    """Some providers give a result to the first who asks, and an error to the second."""
    kari = at_eid(provider).sends("start:test-eid:app")
    journey = kari.answer.request.path.split("/")[2]
    eid.says = lambda now: verified(KARI, at=now)

    def poll() -> int:
        with provider.app.app_context():
            found = provider.parts.eids.of_journey(journey)
            assert found is not None
            provider.parts.eids.poll(found)
            return eid.asked

    in_parallel(10, poll)
    assert eid.asked == 1
    assert [event for event, *_ in events(provider)].count("identity.linked") == 1
