"""The words: letter for letter where the specification prints them, complete in both languages (A5, A43, A45)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import gettext, ngettext

from idp.translations.__main__ import LANGUAGES, extracted, merged, texts_of, untranslated
from idp.web import countries, texts
from tests.pages.samples import ROOT, SAMPLES, SETTINGS, speaking

TAUGHT = {
    "Sign in": "Logg inn",
    "Sign up now": "Registrer deg nå",
    "Send verification code": "Send bekreftelseskode",
    "Verify code": "Bekreft kode",
    "Send a new code": "Send kode på nytt",
    "Your email address is confirmed. You can now continue.": "E-postadressen din er bekreftet. Du kan nå fortsette.",
    "New password": "Nytt passord",
    "Confirm password": "Bekreft passordet",
    "Create": "Opprett",
    "Send code": "Send kode",
    "Call me": "Ring meg",
    "Forgotten your password?": "Har du glemt passordet?",
}
"""Page spec §2.1: words that the published user guide teaches. The last, "Bekreft", is the portal's own button."""

# Page spec §9.2, as printed. A word of ours that the catalogue there does not have yet stands below it.
CATALOGUE: Mapping[str, tuple[str, str, dict[str, str | int]]] = {
    "E-RC-WRONG": (  # the length is that of DESIGN §6
        "Reservekoden stemmer ikke. Sjekk at du har skrevet alle 15 tegnene.",
        "The recovery code is not right. Check that you have typed all 15 characters.",
        {},
    ),
    "E-RC-USED": (
        "Denne reservekoden er brukt før. Prøv den neste på listen.",
        "This recovery code has been used. Try the next one on your list.",
        {},
    ),
    "E-SAVED": (
        "Huk av for at du har tatt vare på kodene.",
        "Tick that you have saved the codes.",
        {},
    ),
    "E-CODE-USED": (
        "Koden er allerede brukt. Vent til appen viser en ny.",
        "That code has been used. Wait until the app shows a new one.",
        {},
    ),
    "E-APP-CODE-WRONG": (
        "Koden stemmer ikke. Bruk koden som appen viser nå.",
        "That code is not right. Use the code that the app shows now.",
        {},
    ),
    "E-EMAIL-SAME": (
        "Dette er e-postadressen du har fra før. Skriv en annen.",
        "That is the email address you already have. Enter another.",
        {},
    ),
    "E-SUPPORT-WRONG": (
        "Støttekoden stemmer ikke, eller den har gått ut. Sjekk den, eller ring oss.",
        "The support code is not right, or it has run out. Check it, or call us.",
        {},
    ),
    "E-UNDO-WRONG": (
        "Koden virker ikke. Den kan være feilskrevet, brukt før eller ha gått ut.",
        "That code does not work. It may be misspelled, have been used or have run out.",
        {},
    ),
    "E-PW-CURRENT": ("Passordet du har nå, stemmer ikke.", "Your current password is not right.", {}),
    "E-EMAIL-EMPTY": ("Skriv e-postadressen din.", "Enter your email address.", {}),
    "E-EMAIL-AT": ("E-postadressen mangler krøllalfa (@).", "The email address has no @ sign.", {}),
    "E-EMAIL-AFTER": (
        "E-postadressen mangler det som står etter krøllalfa (@), for eksempel navn@example.com.",
        "The email address is missing the part after the @ sign, for example name@example.com.",
        {},
    ),
    "E-EMAIL-SPACE": ("E-postadressen kan ikke ha mellomrom.", "The email address cannot contain spaces.", {}),
    "E-EMAIL-LONG": (
        "E-postadressen kan ha høyst 254 tegn.",
        "The email address can have 254 characters at most.",
        {},
    ),
    "E-PW-EMPTY": ("Skriv passordet ditt.", "Enter your password.", {}),
    "E-LOGIN": (
        "E-postadressen eller passordet stemmer ikke. Sjekk begge og prøv igjen.",
        "The email address or the password is not right. Check both and try again.",
        {},
    ),
    "E-WAIT": (
        "Du må vente 4 minutter før du prøver igjen.",
        "You need to wait 4 minutes before trying again.",
        {"n": 4},
    ),
    "E-CODE-EMPTY": ("Skriv koden på 6 siffer.", "Enter the 6-digit code.", {}),
    "E-CODE-DIGITS": (
        "Koden har bare siffer. Du har skrevet andre tegn.",
        "The code has digits only. You have typed other characters.",
        {},
    ),
    "E-CODE-SHORT": (
        "Koden har 6 siffer. Du har skrevet 4.",
        "The code has 6 digits. You have typed 4.",
        {"n": 4},
    ),
    "E-CODE-LONG": ("Koden har 6 siffer. Du har skrevet 7.", "The code has 6 digits. You have typed 7.", {"n": 7}),
    "E-CODE-WRONG": (
        "Koden stemmer ikke. Bruk den nyeste meldingen. Du har 3 forsøk igjen.",
        "That code is not right. Use the newest message. You have 3 tries left.",
        {"n": 3},
    ),
    "E-CODE-EXPIRED": ("Koden har gått ut. Be om en ny.", "The code has run out. Ask for a new one.", {}),
    "E-CODE-SPENT": (
        "Du har skrevet feil kode for mange ganger. Be om en ny.",
        "You have typed a wrong code too many times. Ask for a new one.",
        {},
    ),
    "E-PW-EMPTY-NEW": ("Skriv et nytt passord i begge feltene.", "Enter a new password in both fields.", {}),
    "E-PW-SHORT": (
        "Passordet må ha minst 12 tegn. Skriv det på nytt i begge feltene.",
        "The password must have at least 12 characters. Type it again in both fields.",
        {"n": 12},
    ),
    "E-PW-LONG": (
        "Passordet er for langt. Bruk høyst 128 tegn.",
        "The password is too long. Use 128 characters at most.",
        {"n": 128},
    ),
    "E-PW-COMMON": (
        "Passordet er for vanlig og lett å gjette. Velg et annet.",
        "The password is too common and easy to guess. Choose another.",
        {},
    ),
    "E-PW-LEAKED": (
        (
            "Passordet finnes på en liste over lekkede passord. "
            "Velg et annet, og bytt det også andre steder du bruker det."
        ),
        "The password is on a list of leaked passwords. Choose another, and change it wherever else you use it.",
        {},
    ),
    "E-PW-PERSONAL": (
        "Passordet kan ikke inneholde e-postadressen din eller navnet på tjenesten.",
        "The password cannot contain your email address or the name of the service.",
        {},
    ),
    "E-PW-MISMATCH": (
        "De to passordene er ikke like. Skriv det samme i begge feltene.",
        "The two passwords are not the same. Type the same one in both fields.",
        {},
    ),
    "E-PW-SAME": (
        "Dette er passordet du har fra før. Velg et annet.",
        "That is the password you already have. Choose another.",
        {},
    ),
    "E-TEL-EMPTY": ("Skriv telefonnummeret ditt.", "Enter your phone number.", {}),
    "E-TEL-SHORT": (
        "Telefonnummeret er for kort for Norge.",
        "The phone number is too short for Norway.",
        {"country": "NO"},
    ),
    "E-TEL-LONG": (
        "Telefonnummeret er for langt for Norge.",
        "The phone number is too long for Norway.",
        {"country": "NO"},
    ),
    "E-TEL-CHARS": (
        "Telefonnummeret kan bare ha siffer og pluss foran.",
        "The phone number can only have digits and a leading plus sign.",
        {},
    ),
    "E-TEL-COUNTRY": (
        "Vi kan ikke sende koder til telefoner i Brasil ennå. Bruk et annet nummer.",
        "We cannot send codes to phones in Brazil yet. Use another number.",
        {"country": "BR"},
    ),
    "E-TEL-LANDLINE": (
        "Telefonnummeret ser ut som en fasttelefon. Velg «Ring meg» i stedet.",
        'The phone number looks like a landline. Choose "Call me" instead.',
        {},
    ),
    "E-TEL-PREMIUM": (
        "Telefonnummeret hører til en betalingstjeneste. Bruk et vanlig nummer.",
        "The phone number is a premium number. Use an ordinary number.",
        {},
    ),
    "E-SMS-FAILED": (
        "Vi fikk ikke sendt SMS-en. Prøv igjen om litt, eller velg «Ring meg».",
        'We could not send the text message. Try again shortly, or choose "Call me".',
        {},
    ),
    "E-CALL-FAILED": (
        "Vi fikk ikke ringt deg. Sjekk at linjen er ledig, eller velg «Send kode».",
        'We could not reach you by phone. Check that the line is free, or choose "Send code".',
        {},
    ),
    "E-MAIL-FAILED": (
        "Vi fikk ikke sendt e-posten. Sjekk adressen, eller prøv igjen om litt.",
        "We could not send the email. Check the address, or try again shortly.",
        {},
    ),
    "E-USER-CODE-EMPTY": ("Skriv inn koden.", "Enter the code.", {}),
    "E-USER-CODE-WRONG": (
        "Koden stemmer ikke, eller den har løpt ut. Sjekk den, eller be om en ny.",
        "That code is not right, or it has run out. Check it, or ask for a new one.",
        {},
    ),
    "E-NICK-LONG": ("Navnet kan ha høyst 60 tegn.", "The name can have 60 characters at most.", {}),
    "E-CHOICE": ("Velg ett av alternativene.", "Choose one of the options.", {}),
    "E-EMAIL-BEFORE": (
        "E-postadressen mangler det som står foran krøllalfa (@), for eksempel navn@example.com.",
        "The email address is missing the part before the @ sign, for example name@example.com.",
        {},
    ),
    "E-EMAIL-CHARS": (
        "E-postadressen har tegn som ikke kan brukes. Sjekk skrivemåten.",
        "The email address has characters that cannot be used. Check the spelling.",
        {},
    ),
    "E-TEL-UNKNOWN": (
        "Telefonnummeret er ikke i bruk i Norge. Sjekk sifrene og landet.",
        "The phone number is not in use in Norway. Check the digits and the country.",
        {"country": "NO"},
    ),
}


def test_the_words_of_the_user_guide_are_letter_for_letter(app: Flask) -> None:
    for english, norwegian in TAUGHT.items():
        with speaking(app, "nb"):
            assert gettext(english) == norwegian
        with speaking(app, "en"):
            assert gettext(english) == english


def test_the_words_of_the_user_guide_are_on_the_pages(client: FlaskClient) -> None:
    seen = "".join(client.get(f"/show/{sample.name}", headers={"Accept-Language": "nb"}).text for sample in SAMPLES)
    assert not [words for words in TAUGHT.values() if f">{words}<" not in seen]


@pytest.mark.parametrize("key", CATALOGUE)
def test_an_error_reads_as_written(app: Flask, key: str) -> None:
    norwegian, english, values = CATALOGUE[key]
    with speaking(app, "nb"):
        assert texts.error_text(key, values) == norwegian
    with speaking(app, "en"):
        assert texts.error_text(key, values) == english


def test_every_error_that_the_code_can_say_is_in_the_catalogue() -> None:
    said = set()
    for folder in ("rules", "factors", "journeys"):
        for path in (ROOT / "idp" / folder).glob("*.py"):
            said |= set(re.findall(r'"(E-[A-Z]+(?:-[A-Z]+)*)"', path.read_text("utf-8")))
    assert set(texts.TEXTS) == set(CATALOGUE)
    assert said <= set(CATALOGUE)


@pytest.mark.parametrize(
    ("key", "norwegian", "english"),
    [
        (
            "E-CODE-WRONG",
            "Koden stemmer ikke. Bruk den nyeste meldingen. Du har 1 forsøk igjen.",
            "That code is not right. Use the newest message. You have 1 try left.",
        ),
        ("E-WAIT", "Du må vente 1 minutt før du prøver igjen.", "You need to wait 1 minute before trying again."),
    ],
)
def test_one_is_no_plural(app: Flask, key: str, norwegian: str, english: str) -> None:
    with speaking(app, "nb"):
        assert texts.error_text(key, {"n": 1}) == norwegian
    with speaking(app, "en"):
        assert texts.error_text(key, {"n": 1}) == english


def test_a_number_of_no_country_has_a_message_too(app: Flask) -> None:
    with speaking(app, "nb"):
        assert "i det landet ennå" in texts.error_text("E-TEL-COUNTRY", {"country": "ZZ"})


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_missing(language: str) -> None:
    assert not untranslated(merged(extracted(), language))


def test_the_catalogues_are_what_the_build_makes() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "idp.translations", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr


def test_no_text_says_what_the_style_forbids() -> None:
    """Page spec §2.4."""
    forbidden = re.compile(
        r"\b(vennligst|ugyldig|oops|please|invalid|forbidden|OTP|PIN|token|faktor)\b|!", re.IGNORECASE
    )
    allowed_once = re.compile(r"\b(beklager|sorry)\b", re.IGNORECASE)
    for language in LANGUAGES:
        for message in merged(extracted(), language):
            for text in texts_of(message):
                assert not message.id or not forbidden.search(str(text)), text
                assert not allowed_once.search(str(text)) or re.match("Beklager|Sorry", str(text)), text


def test_the_variables_of_a_text_are_those_of_its_id() -> None:
    pattern = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
    for message in merged(extracted(), "nb"):
        plural = message.id[-1] if isinstance(message.id, tuple) else message.id
        for text in texts_of(message) if message.id else ():
            assert sorted(pattern.findall(str(text))) == sorted(pattern.findall(str(plural))), text


def test_countries_stand_in_the_order_of_the_language() -> None:
    codes = ("AT", "AX", "EG", "IE", "NO", "SE", "CZ", "ZM", "HU", "GB")
    names = [text for _, text in countries.choices("nb", codes)[1]]
    assert names == [
        "Egypt (+20)",
        "Irland (+353)",
        "Norge (+47)",
        "Storbritannia (+44)",
        "Sverige (+46)",
        "Tsjekkia (+420)",
        "Ungarn (+36)",
        "Zambia (+260)",
        "Østerrike (+43)",
        "Åland (+358)",
    ]
    assert [text for _, text in countries.choices("en", codes)[1]][:2] == ["Åland Islands (+358)", "Austria (+43)"]


def test_the_usual_countries_come_first_in_the_operators_order() -> None:
    usual, every = countries.choices("nb", SETTINGS.phones.countries)
    assert [code for code, _ in usual] == ["NO", "SE", "DK", "FI", "IS", "EE", "LV", "LT", "PL", "DE", "GB"]
    assert {code for code, _ in every} == set(SETTINGS.phones.countries)


def test_plural_forms_reach_the_page(app: Flask) -> None:
    with speaking(app, "nb"):
        assert ngettext("Wait %(num)d minute before trying again", "Wait %(num)d minutes before trying again", 1) == (
            "Vent 1 minutt før du prøver igjen"
        )
