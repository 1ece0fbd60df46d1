"""Who receives what is sent: a mail server and a phone gateway on loopback, with whatever goes wrong with such."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Lock, Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers import free_port

USER, PASSWORD = "idp", "a password for mail"


@dataclass
class Mailbox:
    """What a mail server received; `answers` are its next answers to a mail, None for "taken"."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        self.raw.append(content)
        mail = message_from_bytes(content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients.append(list(envelope.rcpt_tos))
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        return "250 taken"


@contextmanager
def mail_server(
    *, tls: ssl.SSLContext | None = None, implicit: bool = False, accounts: bool = False
) -> Iterator[Mailbox]:
    """A mail server on a port of its own; with `tls` it offers STARTTLS and wants it, or begins with TLS."""
    mailbox = Mailbox()
    told: dict[str, Any] = {}
    if tls is not None:
        told = {"ssl_context": tls} if implicit else {"tls_context": tls, "require_starttls": True}
    if accounts:
        told |= {"authenticator": _authenticate, "auth_required": True, "auth_require_tls": not implicit}
    mailbox.port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, **told)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


def _authenticate(_server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, given: object) -> AuthResult:
    right = isinstance(given, LoginPassword) and (given.login, given.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=right)


@dataclass
class Gateway:
    """What a phone gateway was asked; `answers` are its next statuses, then it takes everything."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    always: int = 202
    slowness: float = 0.0
    drips: bool = False
    lock: Lock = field(default_factory=Lock)

    @property
    def ids(self) -> list[str]:
        """The ids of all that was taken."""
        return [asked["id"] for asked in self.asked]


class _Handler(BaseHTTPRequestHandler):
    made: Gateway

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(self.made.slowness)
        with self.made.lock:
            status = self.made.answers.pop(0) if self.made.answers else self.made.always
            if status < 300:
                self.made.asked.append(body)
                self.made.headers.append(dict(self.headers))
        try:
            self._answer(status)
        except OSError:
            return  # who asked has gone

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "100" if self.made.drips else "2")
        self.send_header("Location", f"{self.made.url}elsewhere")
        self.end_headers()
        for _ in range(100 if self.made.drips else 0):
            self.wfile.write(b" ")
            time.sleep(0.1)
        self.wfile.write(b"{}")

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def gateway() -> Iterator[Gateway]:
    """A phone gateway on a port of its own."""
    made = Gateway()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"made": made}))
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def listener(says: bytes, *, every: float) -> Iterator[int]:
    """Something that takes a connection and says one byte at a time, for ever; the port."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            try:
                for byte in says:
                    self.request.sendall(bytes((byte,)))
                    time.sleep(every)
            except OSError:
                return  # who called has hung up

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate for a host that vouches for itself: the file that clients are to trust, and the server's side."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / f"{name}.pem", folder / f"{name}.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    return public, context


def eventually(happened: Callable[[], bool], *, seconds: float = 10.0) -> None:
    """Wait for something another thread or process does."""
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)
