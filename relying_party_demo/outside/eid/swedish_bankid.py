"""Swedish BankID, RP API v6, as the service and the apps around it: orders over mutual TLS, codes, links, answers."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import RLock
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from flask import Flask, Response, request

from . import clock
from .people import SWEDISH
from .script import OUTCOMES, Instruction, Script, Waiting
from .serving import Served
from .swedish_bankid_apps import answer, is_shown, open_link, read_code, token_of
from .swedish_bankid_bank import NAME, Bank
from .swedish_bankid_faults import FAULTS, status_of
from .swedish_bankid_order import Order
from .swedish_bankid_orders import Orders
from .swedish_bankid_requests import Auth, Named, Refused, read

BASE = "/rp/v6.0/"
NOT_AGREED = ("sign", "payment", "other/payment", "phone/auth", "phone/sign")
"""Methods that exist, and that nobody has an agreement for here."""

LARGEST = 512 * 1024
"""Bytes of the largest request."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request that came, for assertions."""

    method: str
    content_type: str
    body: Any = field(repr=False)
    status: int
    """What it was answered with."""


@dataclass
class SwedishBankId:
    """The simulator. `start` serves it; `bank` has the files that a service needs; `requests` what was asked of it."""

    script: Script
    folder: Path
    port: int = 0
    host: str = "127.0.0.1"
    requests: deque[Received] = field(default_factory=lambda: deque(maxlen=1000))
    faults: Mapping[str, str] = field(default_factory=lambda: FAULTS)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.bank = Bank(self.folder, clock.now())
        self._lock = RLock()
        self._orders = Orders(self._as_written)
        self._served = Served(self._app(), host=self.host, port=self.port, tls=self.bank.tls(self.host))
        self.port = self._served.port

    @property
    def url(self) -> str:
        """The base address of the RP API."""
        return f"https://{self.host}:{self.port}{BASE}"

    def start(self) -> None:
        """Begin to answer."""
        self._served.start()

    def stop(self) -> None:
        """Stop answering."""
        self._served.stop()

    # People and their apps

    def waiting(self) -> Sequence[Waiting]:
        """The orders that an app has picked up and somebody has to answer."""
        with self._lock:
            self._orders.settle(clock.now())
            return [
                Waiting(order.reference, SWEDISH, order.asked.text, asked_for=order.asked.requirement.person)
                for order in self._orders
                if is_shown(order)
            ]

    def scan(self, content: str) -> str:
        """Read a QR code with another device, or open a start link on this one. Raises ValueError, in words."""
        if content.startswith("bankid."):
            now = self._settled()
            with self._lock:
                return read_code(self._orders, content, now).reference
        return self.start_link(token_of(content))

    def start_link(self, token: str) -> str:
        """Open the app on the device of the browser; the order's id. Raises ValueError, in words."""
        now = self._settled()
        with self._lock:
            return open_link(self._orders, token, now).reference

    def act(self, transaction_id: str, person: str | None, action: str, *, fault: str | None = None) -> str | None:
        """Answer an order. The address that the app opens afterwards, if any. Raises LookupError or ValueError."""
        if action not in OUTCOMES or (fault is not None and fault not in FAULTS):
            raise ValueError(f"the action is one of {', '.join(OUTCOMES)}; the fault has to be known")
        now = self._settled()
        with self._lock:
            order = self._order(transaction_id)
            if order is None or not is_shown(order):
                raise LookupError("this order does not wait for an answer")
            answer(order, Instruction(person, action, fault), self.bank, now)
            return self.returns_to(transaction_id) if action in ("approve", "refuse") else None

    def returns_to(self, transaction_id: str) -> str | None:
        """The address that the app opens on the device where it was opened by a link; None for a code that was read."""
        with self._lock:
            order = self._order(transaction_id)
            return (order.asked.return_url or None) if order is not None and order.same_device else None

    # The service

    def _app(self) -> Flask:
        app = Flask(__name__)
        app.config["MAX_CONTENT_LENGTH"] = LARGEST
        every = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
        for rule in ("/", "/<path:path>"):
            app.add_url_rule(rule, endpoint=rule, view_func=self._asked, methods=every, provide_automatic_options=False)
        return app

    def _asked(self, path: str = "") -> Response:
        method, kind, raw = f"/{path}".removeprefix(BASE), request.headers.get("Content-Type", ""), request.get_data()
        status, told, headers = 200, {}, {}
        try:
            with self._lock:
                told = self._done(method, kind, raw)
        except Refused as refusal:
            status, told = refusal.status, {"errorCode": refusal.code, "details": refusal.details}
            headers = {"RateLimit-Limit": "1", "RateLimit-Remaining": "0", "RateLimit-Reset": "1"}
        self.requests.append(Received(method, kind, _lenient(raw), status))
        return Response(json.dumps(told), status, headers if status == 429 else {}, content_type="application/json")

    def _done(self, method: str, kind: str, raw: bytes) -> dict[str, Any]:
        known = {"auth": self._auth, "collect": self._collect, "cancel": self._cancel}
        if method not in known and method not in NOT_AGREED:
            raise Refused(404, "No such method")
        if request.method != "POST":
            raise Refused(405, "Only POST")
        if kind != "application/json":  # not even a charset may stand after it
            raise Refused(415, "Unsupported media type")
        if method in NOT_AGREED:
            raise Refused(400, "No agreement for this method")
        certificate = x509.load_pem_x509_certificate(request.environ["SSL_CLIENT_CERT"].encode())
        return known[method](raw, certificate)

    def _auth(self, raw: bytes, certificate: x509.Certificate) -> dict[str, Any]:
        asked, now = read(raw, Auth), self._settled()
        self._orders.make_way(asked.requirement.person, now)
        said = self.script.next(SWEDISH)
        fault = said.fault if said else None
        _fail(fault, "auth")
        names = {short: _attribute(certificate, oid) for short, oid in _NAMES.items()}
        order = Order(
            asked=asked,
            client=certificate.fingerprint(SHA256()).hex(),
            service=",".join(f"{short}={value}" for short, value in names.items() if value),
            service_name=names["name"] or names["cn"],
            begun=now,
            said=said,
            fault=fault,
        )
        self._orders.add(order)
        return order.started()

    def _collect(self, raw: bytes, certificate: x509.Certificate) -> dict[str, Any]:
        reference, client, now = read(raw, Named).order_ref, certificate.fingerprint(SHA256()).hex(), self._settled()
        order = self._orders.of(reference, client)
        if status_of(order.fault, "collect") is not None:
            order.end("failed", now, hint_code="cancelled")  # lost: it stands in nobody's way
        _fail(order.fault, "collect")
        return self._orders.collect(reference, client, now).told(now)

    def _cancel(self, raw: bytes, certificate: x509.Certificate) -> dict[str, Any]:
        reference, client = read(raw, Named).order_ref, certificate.fingerprint(SHA256()).hex()
        self._orders.cancel(reference, client, self._settled())
        return {}

    # What both sides need

    def _order(self, reference: str) -> Order | None:
        return next((order for order in self._orders if order.reference == reference), None)

    def _settled(self) -> datetime:
        """The present, after whatever was due or has run out by now."""
        now = clock.now()
        with self._lock:
            self._orders.settle(now)
        return now

    def _as_written(self, order: Order, at: datetime) -> None:
        try:
            answer(order, order.said or Instruction(), self.bank, at)
        except ValueError:  # their app says so to them, and the order waits until it runs out
            order.unfit = True


_NAMES = {
    "cn": NameOID.COMMON_NAME,
    "name": NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "o": NameOID.ORGANIZATION_NAME,
    "c": NameOID.COUNTRY_NAME,
}
"""Parts of a subject as the signature names them, in its order."""


def _attribute(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def _fail(fault: str | None, method: str) -> None:
    status = status_of(fault, method)
    if status is not None:
        raise Refused(status, "Switched on by the tester")


def _lenient(raw: bytes) -> Any:
    """The body for the list of requests, whatever it is."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw
