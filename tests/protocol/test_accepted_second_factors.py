"""A client's minimum: the second factors that it accepts (`accepted_second_factors`), failing closed."""

from __future__ import annotations

from typing import get_args

import pytest

from idp.rules.client_metadata import SecondFactor
from idp.rules.factor_policy import SECOND_STEP, accepts
from idp.services import clients
from idp.services.clients import InvalidMetadata
from tests.members import member
from tests.passkeys import uses, with_passkey
from tests.people import PASSWORD, Person, Provider


@pytest.fixture
def strict(provider: Provider) -> str:
    """A client that accepts passkeys and nothing else."""
    registered = provider.register(accepted_second_factors=["passkey"])
    assert list(clients.response(registered)["accepted_second_factors"]) == ["passkey"]  # what `idp client show` prints
    return registered.client.client_id


@pytest.fixture
def kari(provider: Provider) -> Person:
    return member(provider)


def test_the_words_are_those_of_the_policy(provider: Provider) -> None:
    assert get_args(SecondFactor) == SECOND_STEP
    with pytest.raises(InvalidMetadata):
        provider.register(accepted_second_factors=["carrier_pigeon"])


def test_nothing_unknown_counts_where_something_is_named(provider: Provider) -> None:
    """Fail closed: also what a browser is remembered by (SR-43)."""
    assert accepts((), "whatever")
    assert [name for name in ("passkey", "sms", "remembered", "whatever") if accepts(("passkey",), name)] == ["passkey"]
    assert all(accepts(("passkey",), name) for name in ("password", "email_code", "eid"))


def test_a_passkey_is_let_in(kari: Person, strict: str) -> None:
    device = with_passkey(kari)
    uses(kari.comes_from_portal(client_id=strict), device)
    assert "code" in kari.redirected_to()


def test_who_has_none_of_them_is_told_which_and_goes_back(kari: Person, strict: str) -> None:
    kari.comes_from_portal(client_id=strict).sends(email=kari.email, password=PASSWORD)
    assert kari.page.heading == "Alumni needs another second step"
    assert "a passkey" in kari.page.text
    assert kari.sends("decline").redirected_to()["error"] == "access_denied"


def test_a_session_by_another_factor_does_not_count(kari: Person, strict: str) -> None:
    """At authorize: the portal's sign-in by text message opens nothing here, and no page is shown for prompt=none."""
    device = with_passkey(kari)
    kari.signs_in()
    assert kari.comes_from_portal(client_id=strict, prompt="none").redirected_to()["error"] == "login_required"
    kari.comes_from_portal(client_id=strict)
    assert kari.page.heading == "Sign in with a passkey"
    assert "Use the phone instead" not in kari.page.text
    uses(kari, device)
    assert "code" in kari.redirected_to()


def test_it_holds_again_when_the_journey_is_over(kari: Person, provider: Provider, strict: str) -> None:
    """At resume: the session that came of a sign-up is by a text message, and that is asked about anew."""
    newcomer = provider.person().comes_from_portal(client_id=strict).presses("Sign up now")
    newcomer.sends(email=newcomer.email).sends("verify", code=newcomer.mailed_code())
    newcomer.sends(new_password=PASSWORD, confirm_password=PASSWORD)
    newcomer.sends("sms", country="NO", tel=newcomer.number)
    newcomer.sends("verify", code=newcomer.phoned_code())
    assert newcomer.page.heading == "Alumni needs another second step"


def test_a_passkey_is_not_offered_where_it_is_not_accepted(kari: Person, provider: Provider) -> None:
    phone = provider.register(accepted_second_factors=["sms"]).client.client_id
    with_passkey(kari)
    kari.comes_from_portal(client_id=phone)
    assert "data-ceremony" not in kari.page.html
    kari.sends(email=kari.email, password=PASSWORD)
    assert "Use passkey" not in kari.page.text
    assert "Call me" not in kari.page.text
    kari.sends("sms").sends("verify", code=kari.phoned_code())
    assert "code" in kari.redirected_to()
