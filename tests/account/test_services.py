"""S-APPS (page spec §11): who has access, what they got, and taking it back (SR-76, SR-88)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from idp import clock
from idp.delivery import outbox
from idp.stores.durable import outbox as waiting_messages
from tests.members import member
from tests.people import Person, Provider

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)


@pytest.fixture
def kari(provider: Provider) -> Person:
    """Somebody signed in, who has used no service yet."""
    return member(provider)


def at(person: Person, client_id: str, scope: str) -> dict[str, object]:
    """Sign in at another client, share what it asks for, and let it have its tokens."""
    person.comes_from_portal(client_id=client_id, scope=scope)
    if person.step == "login":
        person.sends(email=person.email, password="elleve blå elger danser").sends("sms")
        person.sends("verify", code=person.phoned_code())
    if person.step == "consent":
        person.sends("share")
    body = {
        "grant_type": "authorization_code",
        "code": person.redirected_to()["code"],
        "redirect_uri": "https://portal.example/callback",
        "code_verifier": person.verifier,
        "client_id": client_id,
    }
    answer: dict[str, object] = person.provider.post("/token", body, auth=False).get_json()
    return answer


def foreign(provider: Provider, name: str = "Feriehjelpen", **more: Any) -> str:
    told: dict[str, Any] = {"client_name": name, "first_party": False, "token_endpoint_auth_method": "none", **more}
    return provider.register(**told).client.client_id


def test_a_service_is_listed_with_what_it_may_see_and_what_it_got(kari: Person, provider: Provider) -> None:
    at(kari, foreign(provider), "openid email")

    assert "Services with access 1" in kari.goes("/account").page.text
    text = kari.presses("View services").page.text

    assert "Feriehjelpen" in text
    assert text.count("Your email address") == 2
    assert "Your phone number" not in text


def test_a_service_of_the_house_is_listed_while_it_has_something(kari: Person) -> None:
    kari.signs_in()
    kari.tokens()

    assert "Alumni" in kari.goes("/account/services").page.text
    kari.sends(service=kari.provider.portal)
    assert "No service has access now." in kari.page.text


def test_what_is_withdrawn_is_over_at_once_and_asked_for_again(kari: Person, provider: Provider) -> None:
    """SR-88: refresh tokens end with the consent, and no other service's do."""
    other = foreign(provider, "Ola og Kari")
    kept = at(kari, other, "openid offline_access")
    client = foreign(provider)
    lost = at(kari, client, "openid email offline_access")

    kari.goes("/account/services").sends(service=client)

    assert "The access is withdrawn." in kari.page.text
    assert "Feriehjelpen" not in kari.page.text
    for token, client_id, status in ((lost, client, 400), (kept, other, 200)):
        body = {"grant_type": "refresh_token", "refresh_token": str(token["refresh_token"]), "client_id": client_id}
        assert provider.post("/token", body, auth=False).status_code == status
    assert kari.comes_from_portal(client_id=client, scope="openid email").step == "consent"


def test_the_service_hears_that_the_person_has_left_it(kari: Person, provider: Provider) -> None:
    """SR-109: by its back channel, and only it."""
    addressed = {"backchannel_logout_uri": "https://portal.example/back"}
    client, other = foreign(provider, **addressed), foreign(provider, "Ola og Kari", **addressed)
    at(kari, client, "openid")
    at(kari, other, "openid")

    kari.goes("/account/services").sends(service=client)

    now = clock.now()
    with provider.app.app_context():
        held = waiting_messages.claim("logout", now=now, lease_until=now + timedelta(minutes=1))
        assert waiting_messages.claim("logout", now=now, lease_until=now + timedelta(minutes=1)) is None
        assert held
        assert outbox.read(held.payload()).to == client
    assert kari.goes("/account").page.heading == "Security"


def test_a_service_that_is_not_there_is_no_fault(kari: Person) -> None:
    kari.signs_in()

    kari.tokens()

    kari.goes("/account/services").sends(service="c_nobody")
    assert "Alumni" in kari.page.text
