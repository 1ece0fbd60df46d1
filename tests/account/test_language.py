"""S-LANGUAGE (page spec §11, §3.1): the language and the time zone of pages and notices."""

from __future__ import annotations

import pytest

from tests.members import member
from tests.people import Person, Provider

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)


@pytest.fixture
def kari(provider: Provider) -> Person:
    person = member(provider)
    person.signs_in()
    return person


def chooses(person: Person, language: str = "nb", zone: str = "Europe/Oslo") -> Person:
    return person.goes("/account/language").sends("save", language=language, time_zone=zone)


def test_the_account_speaks_the_chosen_language_here_and_elsewhere(kari: Person, provider: Provider) -> None:
    assert "Language English" in kari.goes("/account").page.text

    chooses(kari)

    assert kari.page.heading == "Sikkerhet"
    assert "Valgene dine er lagret." in kari.page.text
    elsewhere = provider.person(email=kari.email, number=kari.number, language="")
    elsewhere.goes("/account").sends(email=kari.email, password="elleve blå elger danser").sends("sms")
    elsewhere.sends("verify", code=elsewhere.phoned_code())
    assert "Språk Norsk bokmål" in elsewhere.page.text


def test_notices_speak_it_too_and_tell_the_time_of_the_chosen_zone(kari: Person, provider: Provider) -> None:
    chooses(kari, zone="Europe/Helsinki")
    kari.presses("Endre passord").sends(
        "save",
        password="elleve blå elger danser",
        new_password="fire grå hester sover stille",
        confirm_password="fire grå hester sover stille",
    )
    provider.deliver()

    mail = provider.outside.messages(kari.email)[-1]
    assert mail["subject"] == "Passordet ditt hos Alumni er endret"
    with provider.app.test_request_context():
        from datetime import datetime
        from zoneinfo import ZoneInfo

        assert f"kl. {datetime.now(ZoneInfo('Europe/Helsinki')):%H.}" in mail["text"]


def test_clock_times_of_the_pages_are_those_of_the_zone(kari: Person) -> None:
    chooses(kari, "en")
    oslo = kari.goes("/account/devices").page.text
    chooses(kari, "en", "Europe/Helsinki")

    assert kari.goes("/account/devices").page.text != oslo


@pytest.mark.parametrize("choice", [{"language": "xx"}, {"zone": "Mars/Olympus"}, {"language": "", "zone": ""}])
def test_what_is_not_offered_is_not_kept(kari: Person, choice: dict[str, str]) -> None:
    chooses(kari, **choice)

    assert kari.answer.status_code == 422
    assert "Choose one of the options." in kari.page.text
    assert "Language English" in kari.goes("/account").page.text
