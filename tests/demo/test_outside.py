"""The outside world: what is sent arrives once and can be read; faults happen only when asked for."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import ExitStack
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from relying_party_demo.outside.app import create_app
from relying_party_demo.outside.faults import Faults
from relying_party_demo.outside.inbox import Inbox
from relying_party_demo.outside.mail import mail_server
from tests.demo.world import free_port, serving

SMS = {"channel": "sms", "to": "+4740612345", "text": "Koden er 420719", "language": "nb", "id": "m-1"}


class Outside:
    """Both doors of the outside world: SMTP and HTTP."""

    def __init__(self, url: str, smtp_port: int) -> None:
        self.http = httpx.Client(base_url=url, trust_env=False)
        self.smtp_port = smtp_port

    def mail(self, *recipients: str, html: str | None = None) -> None:
        message = EmailMessage()
        message["Subject"] = "420719 er koden din – blåbær"
        message["From"], message["To"] = "no-reply@login.example.com", recipients[0]
        message.set_content("Hei!\n\nKoden er 420719.\n")
        if html:
            message.add_alternative(html, subtype="html")
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=5) as smtp:
            smtp.send_message(message, to_addrs=recipients)

    def gateway(self, **changes: Any) -> httpx.Response:
        return self.http.post("/gateway", json=SMS | changes)

    def messages(self, **asked: Any) -> list[dict[str, Any]]:
        answer = self.http.get("/messages", params=asked)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    def fault(self, channel: str, mode: str, **more: float) -> None:
        assert self.http.post("/faults", json={"channel": channel, "mode": mode, **more}).status_code == 200


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    inbox, faults = Inbox(tmp_path / "inbox.sqlite"), Faults()
    with ExitStack() as stack:
        mail = mail_server(inbox, faults, port=free_port())
        mail.start()
        stack.callback(mail.stop)
        outside = Outside(stack.enter_context(serving(create_app(inbox, faults))), mail.port)
        stack.callback(outside.http.close)
        yield outside


def test_a_mail_arrives_with_its_text_and_its_html(outside: Outside) -> None:
    outside.mail("kari@example.org", html="<p>Koden er <b>420719</b>.</p>")

    [mail] = outside.messages(to="kari@example.org")
    assert set(mail) == {"id", "channel", "to", "subject", "text", "html", "time"}
    assert mail["channel"] == "email"
    assert mail["subject"] == "420719 er koden din – blåbær"
    assert mail["text"] == "Hei!\n\nKoden er 420719.\n"
    assert "<b>420719</b>" in mail["html"]


def test_every_recipient_of_a_mail_gets_it(outside: Outside) -> None:
    outside.mail("kari@example.org", "Ola@Example.org")
    assert [mail["to"] for mail in outside.messages()] == ["kari@example.org", "Ola@Example.org"]
    assert len(outside.messages(to="ola@example.org")) == 1


def test_a_text_message_sent_twice_arrives_once(outside: Outside) -> None:
    assert [outside.gateway().status_code for _ in range(3)] == [202, 202, 202]
    assert len(outside.messages(to="+4740612345")) == 1


def test_messages_come_oldest_first_and_only_those_after(outside: Outside) -> None:
    outside.gateway(id="a", text="one")
    outside.gateway(id="b", text="two", channel="call")
    outside.gateway(id="c", text="three", to="+4799999999")

    first, second, _ = outside.messages()
    assert (first["text"], second["channel"]) == ("one", "call")
    assert [message["text"] for message in outside.messages(since=first["id"])] == ["two", "three"]
    assert outside.messages(since=first["id"], to="+4740612345") == [second]


def test_a_plus_sign_may_come_unescaped(outside: Outside) -> None:
    outside.gateway()
    assert len(outside.http.get("/messages?to=+4740612345").json()) == 1


@pytest.mark.parametrize("changes", [{"channel": "fax"}, {"to": ""}, {"text": None}, {"id": 7}])
def test_the_gateway_refuses_what_it_cannot_send(outside: Outside, changes: dict[str, Any]) -> None:
    assert outside.gateway(**changes).status_code == 400
    assert outside.messages() == []


def test_the_gateway_may_want_a_token(tmp_path: Path) -> None:
    app = create_app(Inbox(tmp_path / "inbox.sqlite"), Faults(), token="s3cret")
    with serving(app) as url:
        assert httpx.post(f"{url}/gateway", json=SMS).status_code == 401
        assert httpx.post(f"{url}/gateway", json=SMS, headers={"Authorization": "Bearer s3cret"}).status_code == 202


@pytest.mark.parametrize(("mode", "status"), [("refuse", 422), ("busy", 503), ("lose", 202)])
def test_the_gateway_fails_as_asked(outside: Outside, mode: str, status: int) -> None:
    outside.fault("sms", mode, times=1)

    assert outside.gateway().status_code == status
    assert outside.messages() == []
    outside.gateway()
    assert len(outside.messages()) == 1


def test_the_gateway_can_hang_up_in_the_middle(outside: Outside) -> None:
    outside.fault("call", "cut")
    with pytest.raises(httpx.RemoteProtocolError):
        outside.gateway(channel="call")
    assert outside.messages() == []


@pytest.mark.parametrize(("mode", "code"), [("refuse", 550), ("busy", 451)])
def test_the_mail_server_fails_as_asked(outside: Outside, mode: str, code: int) -> None:
    outside.fault("email", mode)
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        outside.mail("kari@example.org")
    assert refusal.value.smtp_code == code


def test_the_mail_server_can_hang_up_in_the_middle(outside: Outside) -> None:
    outside.fault("email", "cut")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        outside.mail("kari@example.org")
    assert outside.messages() == []


def test_unknown_faults_are_refused(outside: Outside) -> None:
    assert outside.http.post("/faults", json={"channel": "sms", "mode": "explode"}).status_code == 400
    assert outside.http.post("/faults", json=["sms"]).status_code == 400


def test_people_read_the_inbox_without_any_script(outside: Outside) -> None:
    outside.gateway(text="Koden er 420719 <script>alert(1)</script> https://example.org/")
    page = outside.http.get("/", params={"to": "406"}).text

    assert "420719" in page
    assert "<script" not in page
    assert 'href="https://example.org' not in page
    assert "420719" not in outside.http.get("/", params={"to": "nobody"}).text


def test_a_mails_html_is_shown_without_scripts_or_network(outside: Outside) -> None:
    outside.mail("kari@example.org", html="<script>alert(1)</script>")
    [mail] = outside.messages()

    answer = outside.http.get(f"/messages/{mail['id']}/html")
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


def test_the_inbox_survives_a_restart(tmp_path: Path) -> None:
    Inbox(tmp_path / "inbox.sqlite").deliver("sms", "+4740612345", "hei")
    assert len(Inbox(tmp_path / "inbox.sqlite").messages()) == 1
