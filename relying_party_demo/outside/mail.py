"""The mail server: SMTP on a real socket, every address accepted."""

from __future__ import annotations

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from .faults import Faults
from .inbox import Inbox


class Handler:
    """Delivers what aiosmtpd has received."""

    def __init__(self, inbox: Inbox, faults: Faults) -> None:
        """`faults` is asked once per mail."""
        self._inbox = inbox
        self._faults = faults

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, _: Session, envelope: Envelope
    ) -> str:
        """Keep the mail once per recipient, or meet the fault that is switched on."""
        fault = self._faults.next("email")
        if fault.mode in {"slow", "silent"}:
            await asyncio.sleep(fault.seconds)
        if fault.mode == "cut" and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        if fault.mode == "refuse":
            return "550 5.1.1 No such mailbox"
        if fault.mode in {"busy", "silent", "cut"}:
            return "451 4.3.0 Not now"
        if fault.mode != "lose":
            await asyncio.to_thread(self._keep, envelope)
        return "250 2.0.0 Delivered"

    def _keep(self, envelope: Envelope) -> None:
        content = envelope.content or b""
        mail = message_from_bytes(content if isinstance(content, bytes) else content.encode(), policy=policy.default)
        for recipient in envelope.rcpt_tos:
            self._inbox.deliver(
                "email",
                recipient,
                body(mail, "plain") or "",
                subject=str(mail["subject"] or ""),
                html=body(mail, "html"),
                language=str(mail["content-language"]) if mail["content-language"] else None,
            )


def body(mail: EmailMessage, subtype: str) -> str | None:
    """The mail's text of that kind, decoded; None if it has none."""
    part = mail.get_body((subtype,))
    content = part.get_content() if part is not None else None
    return content.replace("\r\n", "\n") if isinstance(content, str) else None


def mail_server(inbox: Inbox, faults: Faults, *, host: str = "127.0.0.1", port: int) -> Controller:
    """A mail server on its own thread; `start()` and `stop()` it."""
    return Controller(Handler(inbox, faults), hostname=host, port=port, server_hostname="outside.test", ident="Outside")
