"""Mail over SMTP: STARTTLS, implicit TLS, authentication."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime, formataddr
from pathlib import Path
from typing import Any

import idna

from idp import clock
from idp.delivery.channels.contract import Failed, Sent, trusted
from idp.delivery.channels.deadline import cut_after
from idp.delivery.outbox import Message
from idp.delivery.wording import Wording
from idp.settings import Mail

READY = 220
"""How a server greets that takes mail (RFC 5321 §4.2.2)."""

PERMANENT = range(500, 600)
"""Reply codes after which a second try is of no use (RFC 5321 §4.2.1)."""


class NotDeliverable(ValueError):
    """A mail that no server would take, or should: its address is none, or more than one."""


@dataclass(frozen=True, slots=True)
class Smtp:
    """One mail at a time, on a connection of its own."""

    settings: Mail
    wording: Wording
    name: str

    @property
    def waits(self) -> bool:
        """Mail waits in the outbox until its code dies (section Q)."""
        return True

    @property
    def longest(self) -> float:
        """Connecting, TLS, the greeting, and the talk: each within the time-out."""
        return 4.0 * self.settings.timeout

    def send(self, message: Message, *, message_id: str) -> Sent | Failed:
        """Hand the mail to the server.

        Only what it says of this recipient or this mail is final. Whatever it says of us (a wrong
        password, a greeting that turns us away) somebody can put right while the mail waits.
        """
        try:
            mail = self._written(message, message_id)
        except ValueError as problem:  # a header that is none: nothing of it may reach a server
            return Failed(permanent=True, reason=type(problem).__name__)
        try:
            with self._connection() as server:
                return self._handed_over(server, mail)
        except smtplib.SMTPResponseException as problem:
            return Failed(permanent=False, reason=f"server said {problem.smtp_code}")
        except (smtplib.SMTPException, OSError) as problem:
            return Failed(permanent=False, reason=type(problem).__name__)

    def _handed_over(self, server: smtplib.SMTP, mail: EmailMessage) -> Sent | Failed:
        try:
            server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as refused:
            code = next(code for code, _ in refused.recipients.values())
            return Failed(permanent=code in PERMANENT, reason=f"recipient refused: {code}")
        except smtplib.SMTPDataError as refused:
            return Failed(permanent=refused.smtp_code in PERMANENT, reason=f"mail refused: {refused.smtp_code}")
        except smtplib.SMTPNotSupportedError:  # RFC 6531: an address beyond ASCII, and a server that knows no such
            return Failed(permanent=True, reason="address not supported")
        return Sent()

    def _written(self, message: Message, message_id: str) -> EmailMessage:
        words = self.wording.mail(message)
        mail = EmailMessage()
        mail["Subject"] = words.subject
        mail["From"] = formataddr((self.name, self.settings.sender))
        mail["To"] = _one_recipient(message.to)
        if self.settings.reply_to:
            mail["Reply-To"] = self.settings.reply_to
        mail["Date"] = format_datetime(clock.now())
        # The same id at every try, so that a mailbox may drop the second copy after a crash in between.
        mail["Message-ID"] = f"<{message_id}@{self._domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        # Quoted-printable passes through servers that know seven bits only.
        mail.set_content(words.text, cte="quoted-printable")
        mail.add_alternative(words.html, subtype="html", cte="quoted-printable")
        mail["Content-Language"] = words.language  # after the bodies: making two of one moves Content- headers away
        return mail

    @property
    def _domain(self) -> str:
        return self.settings.sender.rpartition("@")[2]

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        settings, server = self.settings, self._server()
        # The name that TLS holds the certificate to. Only a constructor that connects sets it, and while that one
        # waits for the greeting nobody has the socket yet, to cut it.
        server._host = settings.host  # type: ignore[attr-defined]  # noqa: SLF001
        try:
            with cut_after(settings.timeout, lambda: server.sock):
                code, words = server.connect(settings.host, settings.port)
                if code != READY:
                    raise smtplib.SMTPConnectError(code, words)
                if settings.security == "starttls":
                    server.starttls(context=trusted())  # raises where the server offers none: never in the clear
                if settings.username is not None:
                    server.login(settings.username, self._password())
                yield server
                with suppress(smtplib.SMTPException, OSError):  # the mail is taken: how we part changes nothing
                    server.quit()
        finally:
            server.close()

    def _server(self) -> smtplib.SMTP:
        told: dict[str, Any] = {"local_hostname": self._domain, "timeout": self.settings.timeout}
        if self.settings.security == "tls":
            return smtplib.SMTP_SSL(context=trusted(), **told)
        return smtplib.SMTP(**told)

    def _password(self) -> str:
        return Path(self.settings.password_file).read_text("utf-8").strip() if self.settings.password_file else ""


def _one_recipient(address: str) -> str:
    """The address with its domain as servers know it. Raises `NotDeliverable` unless it is exactly one."""
    local, _, domain = address.rpartition("@")
    try:
        wanted = f"{local}@{idna.encode(domain, uts46=True).decode()}"
        parsed = default.header_factory("To", wanted)
    except (UnicodeError, ValueError, IndexError) as problem:
        raise NotDeliverable from problem
    if [found.addr_spec for found in parsed.addresses] != [wanted]:
        raise NotDeliverable
    return wanted
