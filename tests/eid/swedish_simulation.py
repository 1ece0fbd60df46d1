"""A service that uses the simulated Swedish BankID, and people with their phones."""

from __future__ import annotations

import hmac
import json
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import httpx

from relying_party_demo.outside.eid import clock
from relying_party_demo.outside.eid.people import SWEDISH, holders
from relying_party_demo.outside.eid.script import Script
from relying_party_demo.outside.eid.swedish_bankid import SwedishBankId

ASTRID, BJORN = holders(SWEDISH)[:2]
TEXT = b64encode("Du bekräftar vem du är.".encode()).decode()
VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text("utf-8"))["vectors"]


@dataclass
class Service:
    """A service that uses BankID, and the people with their phones."""

    simulator: SwedishBankId
    client: httpx.Client
    order: dict[str, str] = field(default_factory=dict)
    """The latest one that began."""

    def post(self, method: str, body: Any, **headers: str) -> httpx.Response:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(method, content=raw, headers={"Content-Type": "application/json", **headers})

    def auth(self, **more: Any) -> httpx.Response:
        answer = self.post("auth", {"endUserIp": "192.0.2.7", "userVisibleData": TEXT, **more})
        if answer.status_code == 200:
            self.order = answer.json()
        return answer

    def begins(self, **more: Any) -> str:
        answer = self.auth(**more)
        assert answer.status_code == 200, answer.text
        return self.order["orderRef"]

    def collect(self, reference: str = "") -> httpx.Response:
        return self.post("collect", {"orderRef": reference or self.order["orderRef"]})

    def cancel(self) -> httpx.Response:
        return self.post("cancel", {"orderRef": self.order["orderRef"]})

    def hint(self, after: float = 1) -> str:
        """Status and hint code, so many seconds later."""
        clock.offset += after
        said = self.collect().json()
        return f"{said['status']} {said['hintCode']}"

    def code(self, seconds: int | str = 0) -> str:
        """The content of the QR code so many seconds after the order began."""
        secret, token = self.order["qrStartSecret"], self.order["qrStartToken"]
        return f"bankid.{token}.{seconds}.{hmac.new(secret.encode(), str(seconds).encode(), sha256).hexdigest()}"

    def approves(self, *, fault: str | None = None, **more: Any) -> dict[str, Any]:
        """What a complete order tells."""
        self.begins(**more)
        clock.offset += 2
        self.simulator.act(self.simulator.scan(self.code(2)), ASTRID.number, "approve", fault=fault)
        told = self.collect().json()
        assert told["status"] == "complete", told
        return cast("dict[str, Any]", told["completionData"])


def connected(simulator: SwedishBankId, client_file: Path | None) -> httpx.Client:
    context = ssl.create_default_context(cafile=str(simulator.bank.server_root_file))
    if client_file is not None:
        context.load_cert_chain(str(client_file))
    return httpx.Client(base_url=simulator.url, verify=context, trust_env=False)


@contextmanager
def running(folder: Path) -> Iterator[Service]:
    """The service with a client, and the clock of the outside world, which goes on from test to test."""
    simulator = SwedishBankId(Script(), folder)
    simulator.start()
    with connected(simulator, simulator.bank.client_file) as client:
        yield Service(simulator, client)
    simulator.stop()
    clock.offset = 0.0


def later(service: Service) -> Service:
    """Ten minutes later: whatever was begun before is forgotten."""
    clock.offset += 600
    service.simulator.requests.clear()
    service.order = {}
    return service
