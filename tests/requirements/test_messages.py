"""The words of mails, text messages and calls, letter for letter (page spec §12, SR-24)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from idp.delivery.outbox import Message
from idp.delivery.wording import Mail, Wording
from idp.foundation import template_folder
from idp.settings import Settings

AT = datetime(2026, 3, 2, 13, 35, tzinfo=UTC)  # 14.35 in Oslo
MOVES = ("M-7", "M-8", "M-21", "M-22", "M-23", "M-24", "M-25", "M-26")
ENDS = ("M-12", "M-12-done")
MAILS = (
    *("M-1", "M-2", "M-3", "M-4", "M-5", "M-6", "M-9", "M-10", "M-11", "M-13", "M-14", "M-15", "M-16"),
    *MOVES,
    *ENDS,
)
CODE_MAILS = ("M-1", "M-2", "M-3", "M-21", "M-25")
TEXT_MESSAGES = ("T-1", "T-2", "T-3", "T-4", "T-6", "T-7")
LANGUAGES = ("nb", "en")
DEVICE = {"nb": "Chrome på Windows", "en": "Chrome on Windows"}

# GSM 03.38: what one text message holds 160 of; those after the bar count twice.
GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)

SIGN_UP = {
    "nb": (
        "420719 er bekreftelseskoden din hos Alumni",
        """\
Hei

Koden din er: 420719

Skriv den på siden der du holder på å registrere deg.
Koden gjelder i 30 minutter, til kl. 15.05 (norsk tid).

Gi aldri koden til noen. Vi spør aldri om den på telefon eller i e-post.

Var det ikke deg? Da kan du se bort fra denne e-posten.
Ingen konto blir laget uten koden.

Bedt om kl. 14.35 fra Chrome på Windows, omtrent Oslo.
Hilsen Alumni
""",
    ),
    "en": (
        "420719 is your Alumni verification code",
        """\
Hello

Your code is: 420719

Type it on the page where you are signing up.
The code is valid for 30 minutes, until 15:05 (Norwegian time).

Never give the code to anyone. We never ask for it by phone or email.

Was it not you? Then you can ignore this email.
No account is created without the code.

Requested at 14:35 from Chrome on Windows, near Oslo.
Regards, Alumni
""",
    ),
}
SUBJECTS = {
    ("M-3", "nb"): "420719 er koden for nytt passord hos Alumni",
    ("M-3", "en"): "420719 is your code for a new Alumni password",
    ("M-4", "nb"): "Ingen konto hos Alumni med denne adressen",
    ("M-4", "en"): "No Alumni account for this address",
    ("M-5", "nb"): "Passordet ditt hos Alumni er endret",
    ("M-5", "en"): "Your Alumni password was changed",
    ("M-7", "nb"): "E-postadressen din hos Alumni er endret",
    ("M-7", "en"): "Your Alumni email address was changed",
    ("M-8", "nb"): "Telefonnummeret ditt hos Alumni er endret",
    ("M-8", "en"): "Your Alumni phone number was changed",
    ("M-10", "nb"): "En reservekode er brukt hos Alumni",
    ("M-10", "en"): "A recovery code was used at Alumni",
    ("M-9", "nb"): "Ny passnøkkel hos Alumni",
    ("M-9", "en"): "New passkey at Alumni",
    ("M-6", "nb"): "Ny innlogging hos Alumni: Chrome på Windows",
    ("M-6", "en"): "New sign-in to Alumni: Chrome on Windows",
    ("M-11", "nb"): "Mange innloggingsforsøk hos Alumni",
    ("M-11", "en"): "Many sign-in attempts at Alumni",
    ("M-12", "nb"): "Kontoen din hos Alumni slettes 9. mars 2026",
    ("M-12", "en"): "Your Alumni account will be deleted on 9 March 2026",
    ("M-12-done", "nb"): "Kontoen din hos Alumni er slettet",
    ("M-12-done", "en"): "Your Alumni account is deleted",
    ("M-13", "nb"): "Du er registrert hos Alumni",
    ("M-13", "en"): "You are signed up with Alumni",
    ("M-14", "nb"): "En annen persons elektroniske ID ble prøvd på kontoen din hos Alumni",
    ("M-14", "en"): "Another person's electronic ID was tried on your Alumni account",
    ("M-15", "nb"): "Innlogging hos Alumni med et svakere andre trinn",
    ("M-15", "en"): "Sign-in to Alumni by a weaker second step",
    ("M-16", "nb"): "En passnøkkel er avvist hos Alumni",
    ("M-16", "en"): "A passkey was refused at Alumni",
}
SAID = {
    ("M-2", "nb"): "Du har allerede en konto hos oss med denne adressen. Når du har skrevet koden, kan du logge inn "
    "eller lage nytt passord.",
    ("M-2", "en"): "You already have an account with us for this address. When you have typed the code, you can "
    "sign in or create a new password.",
    ("M-3", "nb"): "Var det ikke deg? Passordet ditt er ikke endret. Du trenger ikke å gjøre noe.",
    ("M-3", "en"): "Was it not you? Your password has not changed. You do not need to do anything.",
    ("M-4", "nb"): "Noen, kanskje du, ba om nytt passord. Det finnes ingen konto med denne adressen. Kanskje du "
    "registrerte deg med en annen? Prøv den, eller registrer deg.",
    ("M-4", "en"): "Someone, perhaps you, asked for a new password. There is no account for this address. Perhaps "
    "you signed up with another one? Try that, or sign up.",
    ("M-5", "nb"): "Var det ikke deg?\nLogg inn på Alumni slik du pleier, velg Sikkerhet, og følg rådene der. Får du "
    "ikke logget inn, ring +47 22 00 00 00.",
    ("M-8", "nb"): "Var det ikke deg?\nLogg inn på Alumni slik du pleier, velg Sikkerhet, og følg rådene der. Får du "
    "ikke logget inn, ring +47 22 00 00 00.",
}
TEXTS = {
    ("T-1", "nb"): "420719 er koden din hos Alumni. Gjelder i 10 minutter. Ikke del den med noen.",
    ("T-1", "en"): "420719 is your Alumni code. Valid for 10 minutes. Do not share it with anyone.",
    ("T-2", "nb"): "420719 bekrefter nytt telefonnummer hos Alumni. Gjelder i 10 minutter. Ikke del koden med noen.",
    ("T-2", "en"): "420719 confirms your new phone number with Alumni. Valid for 10 minutes. Do not share the code.",
    ("T-3", "nb"): "Alumni: Telefonnummeret for innlogging er endret til et nummer som slutter på 67. Var det ikke "
    "deg? Logg inn og se under Sikkerhet.",
    ("T-6", "nb"): "Alumni: Om 24 timer erstatter et nummer på 67 dette. Ikke deg? Hjelp med innlogging, Angre en "
    "endring. Angrekode: 4F7K9-Q2MPA-X8R3T",
    ("T-6", "en"): "Alumni: In 24 hours a number ending in 67 replaces this one. Not you? Help with signing in, Undo a "
    "change. Undo code: 4F7K9-Q2MPA-X8R3T",
    (
        "T-7",
        "nb",
    ): "Alumni: Dette nummeret får ikke lenger koder for innlogging. Var det ikke deg? Logg inn og se under Sikkerhet.",
    ("T-7", "en"): "Alumni: This phone number no longer gets codes for signing in. Not you? Sign in and look under "
    "Security.",
    ("T-3", "en"): "Alumni: Your sign-in phone number was changed to one ending in 67. Not you? Sign in and look "
    "under Security.",
    ("T-4", "nb"): "WDJB-MJHT godkjenner en forespørsel hos Alumni, under Koble til en enhet. Gjelder i 10 minutter. "
    "Ikke del den.",
    ("T-4", "en"): "WDJB-MJHT approves a request with Alumni, under Connect a device. Valid for 10 minutes. "
    "Do not share it.",
}
CALLS = {
    "nb": [
        "Hei. Dette er Alumni. Trykk en tast for å høre koden din.",
        "Koden din er: fire. to. null. sju. en. ni.",
        *["Jeg gjentar: fire. to. null. sju. en. ni."] * 2,
        "Trykk 1 for å høre den igjen. Har du ikke bedt om en kode, kan du legge på.",
    ],
    "en": [
        "Hello. This is Alumni. Press any key to hear your code.",
        "Your code is: four. two. zero. seven. one. nine.",
        *["Again: four. two. zero. seven. one. nine."] * 2,
        "Press 1 to hear it once more. If you did not ask for a code, you can hang up.",
    ],
}


def wording(**sections: dict[str, Any]) -> Wording:
    told = {"server": {"issuer": "https://login.example.no:8443"}, "service": {"name": "Alumni"}, **sections}
    return Wording(msgspec.convert(told, Settings), template_folder())


def message(kind: str, language: str, **values: str) -> Message:
    minutes = "30" if kind in ("M-1", "M-2") else "10"
    told = {
        "device": DEVICE.get(language, ""),
        "place": "Oslo",
        "ending": "67",
        "hours": "24",
        "on": "2026-03-09T13:35:00+00:00",
        "change": "passkey-added",
        "left": "7",
        "used": "sms",
        **values,
    }
    if kind in ("M-7", "M-23", "T-6"):
        told = {"undo_code": "4F7K9-Q2MPA-X8R3T", **told}
    if kind in (*CODE_MAILS, "T-1", "T-2", "V-1"):
        told = {"code": "420719", "minutes": minutes, **told}
    if kind == "T-4":
        told = {"code": "WDJB-MJHT", "minutes": minutes, **told}
    return Message(kind=kind, channel="email", to="kari@example.no", locale=language, values=told, at=AT)


def mail(kind: str, language: str = "nb", **values: str) -> Mail:
    return wording().mail(message(kind, language, **values))


class Shown(HTMLParser):
    """What a mail program shows of a mail, line by line; `first` is what it shows in a list before opening it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.first = self.text = ""
        self._inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "br":
            self.text += "\n"
        elif tag != "meta":
            self._inside.append("first" if dict(attrs).get("class") == "first" else tag)

    def handle_endtag(self, tag: str) -> None:
        self._inside.pop()
        if tag in ("p", "h1", "h2"):
            self.text += "\n"

    def handle_data(self, data: str) -> None:
        if "first" in self._inside:
            self.first += data
        elif "main" in self._inside:
            self.text += data.strip("\n")


def lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sign_up_code_is_worded_as_agreed(language: str) -> None:
    written = mail("M-1", language)

    assert (written.subject, written.text) == SIGN_UP[language]


@pytest.mark.parametrize(("kind", "language"), SUBJECTS)
def test_subjects_are_worded_as_agreed(kind: str, language: str) -> None:
    assert mail(kind, language).subject == SUBJECTS[kind, language]


@pytest.mark.parametrize(("kind", "language"), SAID)
def test_mails_say_what_was_agreed(kind: str, language: str) -> None:
    assert SAID[kind, language] in mail(kind, language).text


def test_the_mail_to_somebody_known_differs_by_one_paragraph() -> None:
    """SR-47: nothing but the message tells that there is an account."""
    known = mail("M-2").text.split("\n\n")
    known.remove(SAID["M-2", "nb"])

    assert "\n\n".join(known) == mail("M-1").text
    assert mail("M-2").subject == mail("M-1").subject


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", MAILS)
def test_both_bodies_say_the_same(kind: str, language: str) -> None:
    written = mail(kind, language)

    assert lines(Shown(written.html).text) == lines(written.text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", MAILS)
def test_nothing_in_a_mail_can_be_pressed_or_fetched(kind: str, language: str) -> None:  # SR-24
    written = mail(kind, language)
    shown = Shown(written.html)

    assert {tag for tag, _ in shown.tags} <= {
        "html", "head", "meta", "title", "style", "body", "div", "main", "h1", "h2", "p", "br", "span",
    }  # fmt: skip
    assert not any({"href", "src", "style", "onclick"} & set(attributes) for _, attributes in shown.tags)
    for said in (written.subject, written.text, written.html):
        assert not re.search(r"https?:|www\.|url\(|@import|\w\.(no|com|example)\b", said)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", MAILS)
def test_a_mail_is_small_and_says_its_language_and_colours(kind: str, language: str) -> None:
    html = mail(kind, language).html
    shown = Shown(html)
    by_name = {attributes.get("name"): attributes.get("content") for tag, attributes in shown.tags if tag == "meta"}

    assert len(html.encode()) <= 10 * 1024
    assert ("html", {"lang": language}) in shown.tags
    assert ("div", {"lang": language}) in shown.tags
    assert by_name["color-scheme"] == by_name["supported-color-schemes"] == "light dark"
    assert "prefers-color-scheme:dark" in html
    assert "max-width:34rem" in html


@pytest.mark.parametrize(
    ("language", "first"),
    [
        ("nb", "Koden din er: 420719. Koden gjelder i 30 minutter."),
        ("en", "Your code is: 420719. The code is valid for 30 minutes."),
    ],
)
def test_a_list_of_mails_shows_the_code_and_how_long_it_lives(language: str, first: str) -> None:
    assert Shown(mail("M-1", language).html).first == first


def test_a_code_is_one_run_of_digits_to_be_copied() -> None:
    assert '<span class="code">420719</span>' in mail("M-1").html
    assert "letter-spacing" in mail("M-1").html


@pytest.mark.parametrize("kind", CODE_MAILS)
def test_operators_may_keep_codes_off_lock_screens(kind: str) -> None:
    """The subject then ends with the time, so that mail programs do not fold a new mail under an old one."""
    written = wording(codes={"subject_has_code": False}).mail(message(kind, "nb"))

    assert "420719" not in written.subject + Shown(written.html).first
    assert written.subject.endswith("kl. 14.35")
    assert "Koden din er: 420719" in written.text


@pytest.mark.parametrize(
    ("device", "place", "said"),
    [
        ("Chrome på Windows", "Oslo", "Bedt om kl. 14.35 fra Chrome på Windows, omtrent Oslo."),
        ("Chrome på Windows", "", "Bedt om kl. 14.35 fra Chrome på Windows."),
        ("", "", "Bedt om kl. 14.35."),
    ],
)
def test_only_what_is_known_is_told_of_who_asked(device: str, place: str, said: str) -> None:
    assert said in mail("M-1", device=device, place=place).text


@pytest.mark.parametrize("kind", ["M-5", "M-6", "M-8", "M-9", "M-10", "M-11", "M-12", "M-13", "M-14", "M-15", "M-16"])
def test_a_notice_says_when_and_from_what(kind: str) -> None:
    assert "Det ble gjort 2. mars 2026 kl. 14.35 fra Chrome på Windows, omtrent Oslo." in mail(kind).text
    assert "Det ble gjort 2. mars 2026 kl. 14.35." in mail(kind, device="", place="").text


@pytest.mark.parametrize(
    ("language", "said"), [("nb", "Passnøkkel slettet hos Alumni"), ("en", "Passkey removed at Alumni")]
)
def test_m_9_says_which_change_it_was(language: str, said: str) -> None:
    assert mail("M-9", language, change="passkey-removed").subject == said


@pytest.mark.parametrize(
    ("change", "said"),
    [("app-added", "Ny autentiseringsapp hos Alumni"), ("app-removed", "Autentiseringsapp slettet hos Alumni")],
)
def test_m_9_tells_of_an_app_too(change: str, said: str) -> None:
    assert mail("M-9", change=change).subject == said


def test_m_10_says_how_many_codes_are_left_or_that_there_are_new_ones() -> None:
    assert "Du har 7 reservekoder igjen." in mail("M-10").text
    assert "Du har 1 reservekode igjen." in mail("M-10", left="1").text
    assert mail("M-10", left="").subject == "Nye reservekoder hos Alumni"


@pytest.mark.parametrize(
    ("used", "said"), [("sms", "på SMS"), ("voice", "på telefon"), ("totp", "autentiseringsappen")]
)
def test_m_15_says_which_step_was_used(used: str, said: str) -> None:
    assert said in mail("M-15", used=used).text


def test_times_are_those_of_when_it_was_asked_for_however_late_it_is_sent() -> None:
    """Also across the change to summer time."""
    late = Message(
        kind="M-1", channel="email", to="k@example.no", locale="nb", values={"code": "420719", "minutes": "30"},
        at=datetime(2026, 3, 29, 0, 45, tzinfo=UTC),
    )  # fmt: skip

    assert "Bedt om kl. 01.45." in wording().mail(late).text
    assert "til kl. 03.15 (norsk tid)" in wording().mail(late).text


def test_another_time_zone_is_named_in_words() -> None:
    written = wording(service={"name": "Alumni", "time_zone": "Europe/Helsinki"}).mail(message("M-1", "nb"))

    assert "til kl. 16.05 (østeuropeisk tid)" in written.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", TEXT_MESSAGES)
def test_text_messages_are_worded_as_agreed_and_bound_to_the_host(kind: str, language: str) -> None:
    """Page spec §12.4, SR-24: the last line is exactly `@host #code`, the host without scheme and port."""
    code = {"T-4": "WDJB-MJHT"}.get(kind, "420719")
    bound = "" if kind in ("T-3", "T-6", "T-7") else f"\n\n@login.example.no #{code}"

    assert wording().sms(message(kind, language)) == TEXTS[kind, language] + bound


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", TEXT_MESSAGES)
def test_a_text_message_takes_one_segment(kind: str, language: str) -> None:
    text = wording().sms(message(kind, language))

    assert set(text) <= set(GSM)
    assert len(text) <= 160
    if kind != "T-3":
        assert len(text) <= 140  # what phones read to fill the code in


def test_a_value_adds_no_last_line_of_its_own() -> None:
    text = wording().sms(message("T-1", "nb", code="420719\n\n@evil.example #111111"))

    assert [line[:17] for line in text.split("\n") if line.startswith("@")] == ["@login.example.no"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_call_says_the_digits_three_times_one_by_one(language: str) -> None:
    """Page spec §12.5."""
    assert wording().call(message("V-1", language)) == CALLS[language]


def test_leading_zeros_are_said_and_shown() -> None:  # SR-12
    assert mail("M-1", code="000042").subject.startswith("000042 ")
    assert "null. null. null. null. fire. to." in wording().call(message("V-1", "nb", code="000042"))[1]


@pytest.mark.parametrize(
    ("locale", "language"), [("nn", "nb"), ("no", "nb"), ("nb-NO", "nb"), ("fi", "en"), ("", "en")]
)
def test_a_language_without_a_catalogue_falls_back_and_says_so(locale: str, language: str) -> None:
    assert mail("M-1", locale).language == language
    assert f'<html lang="{language}">' in mail("M-1", locale).html


def test_every_template_is_tried_here() -> None:
    folder = template_folder()
    parts = {"notice", "parts"}

    assert {path.stem for path in (folder / "mail").glob("*.txt")} - parts == set(MAILS)
    assert {path.stem for path in (folder / "sms").glob("*")} == set(TEXT_MESSAGES)
    assert {Path(path).stem for path in (folder / "voice").glob("*")} == {"V-1"}


def test_what_may_not_be_logged_cannot_be_printed() -> None:  # SR-120
    shown = f"{message('M-1', 'nb')!r} {mail('M-1')!r}"

    assert "420719" not in shown
    assert "kari" not in shown
