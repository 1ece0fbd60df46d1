"""Every way to send, over real sockets: what reaches the other side, and what is said of a failure."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest

from idp.delivery.channels import contract
from idp.delivery.channels.contract import Channel, Failed, Sent
from idp.delivery.channels.http_gateway import HttpGateway
from idp.delivery.channels.smtp import Smtp
from idp.delivery.outbox import Message
from idp.delivery.wording import Wording
from idp.foundation import template_folder
from idp.settings import Settings
from tests.receivers import PASSWORD, USER, Gateway, Mailbox, certificate, gateway, listener, mail_server
from tests.servers import free_port

CODE = {"code": "420719", "minutes": "10", "device": "Chrome on Windows"}
SECRETS = ("420719", "kari@example.no", "4791234567")


def settings(**sections: dict[str, Any]) -> Settings:
    told: dict[str, Any] = {"server": {"issuer": "https://login.example.no"}, "service": {"name": "Alumni"}, **sections}
    return msgspec.convert(told, Settings)


def smtp(port: int, **told: Any) -> Smtp:
    mail = {"host": "127.0.0.1", "port": port, "security": "none", "timeout": 1, **told}
    read = settings(mail=mail)
    return Smtp(read.mail, Wording(read, template_folder()), read.service.name)


def phone(kind: str, url: str, **told: Any) -> HttpGateway:
    read = settings(sms={"url": url, "timeout": 1, **told})
    return HttpGateway(kind, read.sms, Wording(read, template_folder()))


def a_mail(to: str = "kari@example.no", **told: Any) -> Message:
    return Message(**{"kind": "M-1", "channel": "email", "to": to, "locale": "nb", "values": CODE, **told})


def an_sms() -> Message:
    return Message(kind="T-1", channel="sms", to="+4791234567", locale="nb", values=CODE)


def a_call() -> Message:
    return Message(kind="V-1", channel="voice", to="+4791234567", locale="en", values=CODE)


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as made:
        yield made


@pytest.fixture
def phones() -> Iterator[Gateway]:
    with gateway() as made:
        yield made


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Trust the authority in a file, as an operator does with SSL_CERT_FILE."""

    def trusts(file: Path) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        contract.trusted.cache_clear()

    contract.trusted.cache_clear()
    yield trusts
    contract.trusted.cache_clear()


# --- every channel -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["email", "sms", "voice"])
def test_nobody_there_is_worth_another_try(channel: str) -> None:  # SR-128
    port = free_port()
    channels: dict[str, tuple[Channel, Message]] = {
        "email": (smtp(port), a_mail()),
        "sms": (phone("sms", f"http://127.0.0.1:{port}/"), an_sms()),
        "voice": (phone("call", f"http://127.0.0.1:{port}/"), a_call()),
    }
    way, message = channels[channel]

    outcome = way.send(message, message_id="the-id")

    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    assert not any(secret in outcome.reason for secret in SECRETS)  # SR-120


@pytest.mark.parametrize("channel", ["email", "sms"])
@pytest.mark.parametrize("drips", [False, True])
def test_a_server_that_hangs_or_drips_is_left_within_the_longest_time(channel: str, drips: bool) -> None:  # SR-128
    # A line that never ends: each byte comes in time, the whole never does.
    says = b"220-" + b"a" * 200 if channel == "email" else b"HTTP/1.1 202 " + b"a" * 200
    with listener(says if drips else b"2" * 200, every=0.1 if drips else 3.0) as port:
        way: Channel = smtp(port) if channel == "email" else phone("sms", f"http://127.0.0.1:{port}/")
        began = time.monotonic()

        outcome = way.send(a_mail() if channel == "email" else an_sms(), message_id="the-id")

    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    assert time.monotonic() - began < way.longest


# --- mail --------------------------------------------------------------------------------------------------------


def test_a_mail_says_the_same_twice_plain_text_first(mailbox: Mailbox) -> None:
    """Page spec §12.1."""
    assert smtp(mailbox.port).send(a_mail(), message_id="the-id") == Sent()

    (mail,) = mailbox.mails
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail["Subject"] == "420719 er bekreftelseskoden din hos Alumni"
    assert mail["Content-Language"] == "nb"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "List-Unsubscribe" not in mail
    assert mail["Message-ID"] == "<the-id@login.example.com>"
    assert str(mail["From"]) == "Alumni <no-reply@login.example.com>"
    assert mailbox.recipients == [["kari@example.no"]]
    assert "Koden din er: 420719" in body(mail, "plain")
    assert all(len(line) < 1000 and line.isascii() for line in mailbox.raw[0].split(b"\r\n"))  # passes any server


def test_a_second_try_has_the_same_message_id(mailbox: Mailbox) -> None:
    way = smtp(mailbox.port)
    way.send(a_mail(), message_id="the-id")
    way.send(a_mail(), message_id="the-id")

    assert {mail["Message-ID"] for mail in mailbox.mails} == {"<the-id@login.example.com>"}


@pytest.mark.parametrize(
    "address",
    [
        "kari@example.no\r\nBcc: everybody@example.no",
        "kari@example.no\nSubject: Something else",
        "kari@example.no, everybody@example.no",
        "kari@example.no>, <everybody@example.no",
        "Kari <kari@example.no>",
        "kari@example.no\x00",
        "@example.no",
        "kari",
        "",
    ],
)
def test_an_address_that_is_none_or_more_than_one_reaches_no_server(mailbox: Mailbox, address: str) -> None:
    outcome = smtp(mailbox.port).send(a_mail(address), message_id="the-id")

    assert outcome == Failed(permanent=True, reason=outcome.reason if isinstance(outcome, Failed) else "")
    assert mailbox.mails == []


@pytest.mark.parametrize("name", ["device", "place", "code"])
def test_a_value_cannot_add_a_header(mailbox: Mailbox, name: str) -> None:
    values = {**CODE, "place": "Oslo", name: "420719\r\nBcc: everybody@example.no\r\n\r\n# Hello"}

    assert smtp(mailbox.port).send(a_mail(values=values), message_id="the-id") == Sent()

    (mail,) = mailbox.mails
    assert "Bcc" not in mail
    assert mailbox.recipients == [["kari@example.no"]]


def test_a_value_is_no_markup(mailbox: Mailbox) -> None:
    smtp(mailbox.port).send(a_mail(values={**CODE, "device": "<b>Chrome</b>"}), message_id="the-id")

    assert "<b>" not in body(mailbox.mails[0], "html")


def test_a_domain_beyond_ascii_is_written_as_servers_know_it(mailbox: Mailbox) -> None:
    """SR-48: the typed form is kept for sending."""
    assert smtp(mailbox.port).send(a_mail("kari@blåbær.no"), message_id="the-id") == Sent()

    assert mailbox.recipients == [["kari@xn--blbr-roah.no"]]


def test_a_refused_recipient_is_final_and_a_busy_one_is_not(mailbox: Mailbox) -> None:
    mailbox.refuses = {"gone@example.no": "550 no such user", "full@example.no": "452 mailbox is full"}
    way = smtp(mailbox.port)

    assert way.send(a_mail("gone@example.no"), message_id="1") == Failed(
        permanent=True, reason="recipient refused: 550"
    )
    assert way.send(a_mail("full@example.no"), message_id="2") == Failed(
        permanent=False, reason="recipient refused: 452"
    )


def test_a_refused_mail_is_final_and_a_delayed_one_is_not(mailbox: Mailbox) -> None:
    mailbox.answers = ["554 no", "451 later"]
    way = smtp(mailbox.port)

    assert way.send(a_mail(), message_id="1") == Failed(permanent=True, reason="mail refused: 554")
    assert way.send(a_mail(), message_id="1") == Failed(permanent=False, reason="mail refused: 451")
    assert way.send(a_mail(), message_id="1") == Sent()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_is_encrypted_to_a_server_that_proves_its_name(tmp_path: Path, trust: Any, security: str) -> None:
    public, context = certificate(tmp_path, "localhost")
    trust(public)
    with mail_server(tls=context, implicit=security == "tls") as mailbox:
        way = smtp(mailbox.port, host="localhost", security=security)

        assert way.send(a_mail(), message_id="the-id") == Sent()
        assert mailbox.encrypted == [True]


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("fault", ["unknown authority", "another name"])
def test_mail_stays_here_when_the_server_is_not_who_it_should_be(
    tmp_path: Path, trust: Any, security: str, fault: str
) -> None:
    public, context = certificate(tmp_path, "localhost" if fault == "unknown authority" else "mail.example")
    if fault == "another name":
        trust(public)
    with mail_server(tls=context, implicit=security == "tls") as mailbox:
        outcome = smtp(mailbox.port, host="localhost", security=security).send(a_mail(), message_id="the-id")

        assert outcome == Failed(permanent=False, reason="SSLCertVerificationError")
        assert mailbox.mails == []


def test_mail_never_goes_in_the_clear_where_starttls_is_asked_for(mailbox: Mailbox) -> None:
    outcome = smtp(mailbox.port, security="starttls").send(a_mail(), message_id="the-id")

    assert outcome == Failed(permanent=False, reason="SMTPNotSupportedError")
    assert mailbox.mails == []


def test_it_signs_in_where_the_server_asks_for_it(tmp_path: Path, trust: Any) -> None:
    public, context = certificate(tmp_path, "localhost")
    trust(public)
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}\n")
    with mail_server(tls=context, accounts=True) as mailbox:
        told = {"host": "localhost", "security": "starttls", "username": USER, "password_file": str(password)}
        way = smtp(mailbox.port, **told)
        assert way.send(a_mail(), message_id="the-id") == Sent()

        password.write_text("an old password")
        outcome = way.send(a_mail(), message_id="the-id")

    # A wrong password is the operator's: the mail waits until it is put right.
    assert outcome == Failed(permanent=False, reason="server said 535")


# --- text messages and calls -------------------------------------------------------------------------------------


def test_a_text_message_is_json_with_an_id_that_stays(phones: Gateway, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a-token\n")
    way = phone("sms", phones.url, token_file=str(token))

    assert way.send(an_sms(), message_id="the-id") == Sent()
    assert way.send(an_sms(), message_id="the-id") == Sent()

    first, second = phones.asked
    assert first == second
    assert first == {
        "channel": "sms",
        "to": "+4791234567",
        "text": "420719 er koden din hos Alumni. Gjelder i 10 minutter. Ikke del den med noen.\n\n"
        "@login.example.no #420719",
        "language": "nb",
        "id": "the-id",
    }
    assert phones.headers[0]["Authorization"] == "Bearer a-token"


def test_a_call_waits_for_a_key_before_it_says_the_code(phones: Gateway) -> None:
    """Page spec §12.5: an answering machine must not keep it."""
    assert phone("call", phones.url).send(a_call(), message_id="the-id") == Sent()

    (asked,) = phones.asked
    assert asked["channel"] == "call"
    assert "420719" not in asked["text"]  # a voice would read a number
    assert asked["text"].split("\n") == [step["say"] for step in asked["steps"]]
    waits, *says, ends = asked["steps"]
    assert waits["wait_for_key"] == "any"
    assert "four" not in waits["say"]
    assert [step["pause_between_digits"] for step in says] == [0.6] * 3
    assert all("four. two. zero. seven. one. nine." in step["say"] for step in says)
    assert ends["repeat_on_key"] == "1"


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_what_the_gateway_refuses_is_final(phones: Gateway, status: int) -> None:
    phones.answers = [status]

    outcome = phone("sms", phones.url).send(an_sms(), message_id="the-id")

    assert outcome == Failed(permanent=True, reason=f"gateway said {status}")


@pytest.mark.parametrize("status", [302, 408, 429, 500, 502, 503])
def test_what_the_gateway_cannot_now_is_tried_again(phones: Gateway, status: int) -> None:
    phones.answers = [status]
    way = phone("sms", phones.url)

    assert way.send(an_sms(), message_id="the-id") == Failed(permanent=False, reason=f"gateway said {status}")
    assert phones.asked == []  # a redirect is not followed: the number goes nowhere else
    assert way.send(an_sms(), message_id="the-id") == Sent()


def test_a_slow_gateway_and_half_an_answer_are_tried_again(phones: Gateway) -> None:
    way = phone("sms", phones.url)
    phones.slowness = 1.5
    slow = way.send(an_sms(), message_id="the-id")
    phones.slowness, phones.drips = 0.0, True
    half = way.send(an_sms(), message_id="the-id")

    assert [outcome.permanent for outcome in (slow, half) if isinstance(outcome, Failed)] == [False, False]


def test_a_token_that_cannot_be_read_is_the_operators_and_no_end(phones: Gateway, tmp_path: Path) -> None:
    way = phone("sms", phones.url, token_file=str(tmp_path / "missing"))

    assert way.send(an_sms(), message_id="the-id") == Failed(permanent=False, reason="FileNotFoundError")


def test_servers_are_verified_by_the_systems_authorities() -> None:
    assert contract.trusted().verify_mode == ssl.CERT_REQUIRED
    assert contract.trusted().check_hostname
    assert contract.trusted().minimum_version >= ssl.TLSVersion.TLSv1_2
