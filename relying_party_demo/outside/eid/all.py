"""Every eID of the demo, started and stopped together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .norwegian_bankid import NorwegianBankId
from .oidc_broker import OidcBroker
from .openid_clients import Client
from .people import MITID, NORWEGIAN, SMART, SWEDISH, holders
from .script import Phone, Script
from .smart_id import SmartId
from .swedish_bankid import SwedishBankId


class Simulator(Protocol):
    """What all of them have in common."""

    @property
    def faults(self) -> Mapping[str, str]:
        """Every fault it can have, and what it is."""

    def start(self) -> None:
        """Begin to answer."""

    def stop(self) -> None:
        """Stop answering."""


@dataclass
class Eids:
    """The simulators by name, those that are answered in an app among them, and what was said in advance."""

    script: Script = field(default_factory=Script)
    simulators: dict[str, Simulator] = field(default_factory=dict)
    phones: dict[str, Phone] = field(default_factory=dict)

    @classmethod
    def of(cls, *, port: int, folder: Path, secret_file: Path | None, service: str) -> Eids:
        """All of them for one service, on five ports from this one on; none for port 0.

        In `folder` they keep their authorities and the files that the service needs.
        """
        made = cls()
        if port and secret_file is not None:
            back = tuple(f"{service}/eid/{name}/return" for name in (NORWEGIAN, MITID))
            client = Client("alumni-id", back, secret=secret_file.read_text("utf-8").strip())
            swedish = SwedishBankId(made.script, folder / SWEDISH, port=port + 1)
            smart = SmartId(made.script, folder / SMART, port=port + 2, ocsp_port=port + 3)
            made.simulators[NORWEGIAN] = NorwegianBankId(made.script, [client], port=port)
            broker = OidcBroker(made.script, [client], port=port + 4, eid=MITID, people=holders(MITID))
            made.simulators |= {SWEDISH: swedish, SMART: smart, MITID: broker}
            made.phones |= {SWEDISH: swedish, SMART: smart}
        return made

    def start(self) -> None:
        """Begin to answer."""
        for simulator in self.simulators.values():
            simulator.start()

    def stop(self) -> None:
        """Stop answering."""
        for simulator in self.simulators.values():
            simulator.stop()
