"""Mail over SMTP: STARTTLS, implicit TLS, authentication."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from pathlib import Path

from idp import clock
from idp.delivery.channels.contract import Failed, Sent
from idp.delivery.outbox import Message
from idp.delivery.wording import Wording
from idp.settings import Mail

PERMANENT = range(500, 600)
"""Reply codes after which a second try is of no use (RFC 5321 §4.2.1)."""


@dataclass(frozen=True, slots=True)
class Smtp:
    """One mail at a time, on a connection of its own."""

    settings: Mail
    wording: Wording
    name: str

    def send(self, message: Message, *, message_id: str) -> Sent | Failed:
        """Hand the mail to the server."""
        mail = self._written(message, message_id)
        try:
            with self._connection() as server:
                if self.settings.username is not None:
                    server.login(self.settings.username, self._password())
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _ in refused.recipients.values()]
            return Failed(permanent=all(code in PERMANENT for code in codes), reason=f"recipient refused: {codes[0]}")
        except smtplib.SMTPResponseException as problem:
            return Failed(permanent=problem.smtp_code in PERMANENT, reason=f"server said {problem.smtp_code}")
        except (smtplib.SMTPException, OSError) as problem:
            return Failed(permanent=False, reason=type(problem).__name__)
        return Sent()

    def _written(self, message: Message, message_id: str) -> EmailMessage:
        words = self.wording.mail(message)
        mail = EmailMessage()
        mail["Subject"] = words.subject
        mail["From"] = formataddr((self.name, self.settings.sender))
        mail["To"] = message.to
        if self.settings.reply_to:
            mail["Reply-To"] = self.settings.reply_to
        mail["Date"] = format_datetime(clock.now())
        # The same id at every try, so that a mailbox may drop the second copy after a crash in between.
        mail["Message-ID"] = f"<{message_id}@{self.settings.sender.rpartition('@')[2]}>"
        mail["Content-Language"] = message.locale
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(words.text)
        mail.add_alternative(words.html, subtype="html")
        return mail

    def _connection(self) -> smtplib.SMTP:
        host, port, timeout = self.settings.host, self.settings.port, self.settings.timeout
        if self.settings.security == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=timeout, context=ssl.create_default_context())
        server = smtplib.SMTP(host, port, timeout=timeout)
        if self.settings.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        return server

    def _password(self) -> str:
        return Path(self.settings.password_file).read_text("utf-8").strip() if self.settings.password_file else ""
