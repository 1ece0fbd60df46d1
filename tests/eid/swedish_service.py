"""The service of Swedish BankID on a real socket with mutual TLS: it says what a test tells it to say."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from idp.eid.swedish_bankid_settings import SwedishBankIdSettings
from tests.eid.swedish_bank import ROOT, key

BEGUN = {
    "orderRef": "131daac9-16c6-4618-beb0-365768f37288",
    "autoStartToken": "7c40b5c9-fa74-49cf-b98c-bfe651f9a7c6",
    "qrStartToken": "67df3917-fa0d-44e5-b327-edcc928297f8",
    "qrStartSecret": "d28db9a7-4cde-429e-a983-359be676944c",
}


@dataclass
class Service:
    """`says` is what comes next for each method, (status, body); the last of a list stays."""

    port: int
    folder: Path
    says: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    """Method, content type and body of each question."""

    def will(self, method: str, *answers: tuple[int, Any]) -> None:
        self.says[method] = list(answers)

    def pending(self, hint_code: str) -> None:
        self.will("collect", (200, {"orderRef": BEGUN["orderRef"], "status": "pending", "hintCode": hint_code}))

    def failed(self, hint_code: str) -> None:
        self.will("collect", (200, {"orderRef": BEGUN["orderRef"], "status": "failed", "hintCode": hint_code}))

    def complete(self, data: Any, **more: Any) -> None:
        body = {"orderRef": BEGUN["orderRef"], "status": "complete", "completionData": data, **more}
        self.will("collect", (200, body))

    def refused(self, method: str, status: int, code: str) -> None:
        self.will(method, (status, {"errorCode": code, "details": "about 191212121212"}))

    def body(self, method: str) -> dict[str, Any]:
        """Of the latest question of that method."""
        return [body for name, _, body in self.asked if name == method][-1]

    def count(self, method: str) -> int:
        return sum(name == method for name, _, _ in self.asked)

    def forget(self) -> None:
        self.asked.clear()
        self.will("auth", (200, BEGUN))
        self.will("cancel", (200, {}))
        self.pending("outstandingTransaction")

    def settings(self, **more: Any) -> SwedishBankIdSettings:
        given = {
            "url": f"https://127.0.0.1:{self.port}/rp/v6.0/",
            "server_root_file": str(self.folder / "server-root.pem"),
            "client_file": str(self.folder / "client.pem"),
            "person_roots_file": str(self.folder / "person-roots.pem"),
        }
        return SwedishBankIdSettings(**{**given, **more})


class Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet: a client that does not trust us hangs up."""


@contextmanager
def running(folder: Path) -> Iterator[Service]:
    _write(folder)
    service: Service

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            method = self.path.removeprefix("/rp/v6.0/")
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.asked.append((method, self.headers["Content-Type"], body))
            answers = service.says[method]
            status, said = answers.pop(0) if len(answers) > 1 else answers[0]
            raw = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    context.load_verify_locations(folder / "server-root.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    service = Service(server.server_address[1], folder)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def tls(name: str, *, issuer: str, authority: bool = False) -> x509.Certificate:
    """A certificate for TLS, good today by the clock of this computer."""
    today = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .serial_number(x509.random_serial_number())
        .public_key(key(name).public_key())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key(issuer), SHA256())


def with_key(name: str, *, issuer: str) -> bytes:
    private = key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return tls(name, issuer=issuer).public_bytes(Encoding.PEM) + private


def _write(folder: Path) -> None:
    root = tls("BankID SSL Root CA v9", issuer="BankID SSL Root CA v9", authority=True)
    (folder / "server-root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (folder / "server.pem").write_bytes(with_key("appapi2", issuer="BankID SSL Root CA v9"))
    (folder / "client.pem").write_bytes(with_key("Alumni", issuer="BankID SSL Root CA v9"))
    (folder / "person-roots.pem").write_bytes(ROOT.pem)
