"""Consent: asked of whom it is new to, for what is new, and of nobody twice (SR-76)."""

from __future__ import annotations

from urllib.parse import urlencode

from idp.services import consents
from tests.members import account_id, member
from tests.people import Person, Provider

SCOPES = "openid email phone"


def goes_to(person: Person, client_id: str, **more: str) -> Person:
    return person.goes(f"/authorize?{urlencode(person.request(client_id=client_id, scope=SCOPES, **more))}")


def signs_in(person: Person) -> Person:
    from tests.people import PASSWORD

    person.sends(email=person.email, password=PASSWORD).sends("sms")
    return person.sends("verify", code=person.phoned_code())


def test_consent_given_before_is_not_asked_for_at_the_next_sign_in(provider: Provider) -> None:
    other = provider.register(first_party=False, client_name="Pension").client.client_id
    kari = member(provider)
    with provider.app.app_context():
        consents.give(account_id(kari), other, SCOPES.split())

    goes_to(kari, other)
    assert kari.step == "login"
    signs_in(kari)

    assert "code" in kari.redirected_to()


def test_a_first_sign_in_asks_after_the_factors_and_only_once(provider: Provider) -> None:
    other = provider.register(first_party=False, client_name="Pension").client.client_id
    kari = member(provider)
    goes_to(kari, other)
    signs_in(kari)
    assert kari.step == "consent", kari.page.heading
    assert "Pension" in kari.page.text
    kari.sends("share")
    assert "code" in kari.redirected_to()
    assert "code" in goes_to(kari, other).redirected_to()
    goes_to(kari, other, prompt="consent")
    assert kari.step == "consent"


def test_only_what_is_new_is_asked_for(provider: Provider) -> None:
    other = provider.register(first_party=False, client_name="Pension").client.client_id
    kari = member(provider)
    with provider.app.app_context():
        consents.give(account_id(kari), other, ["openid", "email"])
    goes_to(kari, other)
    signs_in(kari)
    assert kari.step == "consent"
    assert "phone number" in kari.page.text
    assert "email address" not in kari.page.text


def test_saying_no_goes_back_politely(provider: Provider) -> None:
    other = provider.register(first_party=False, client_name="Pension").client.client_id
    kari = member(provider)
    goes_to(kari, other)
    signs_in(kari).sends("refuse")
    told = kari.redirected_to()
    assert (told["error"], told["state"]) == ("access_denied", "the-state")


def test_people_may_read_what_the_client_says_of_itself_before_they_share(provider: Provider) -> None:
    """OpenID Connect Registration §2: `policy_uri` and `tos_uri` are shown; the logo never is (SR-111)."""
    other = provider.register(
        first_party=False,
        client_name="Pension",
        policy_uri="https://portal.example/privacy",
        tos_uri="https://portal.example/terms",
        logo_uri="https://portal.example/logo.png",
    ).client.client_id
    kari = member(provider)
    goes_to(kari, other)
    signs_in(kari)

    assert kari.page.links["Privacy at Pension"] == "https://portal.example/privacy"
    assert kari.page.links["Terms of Pension"] == "https://portal.example/terms"
    assert "logo.png" not in kari.answer.get_data(as_text=True)
