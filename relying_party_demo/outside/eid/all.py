"""Every eID of the demo, started and stopped together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .norwegian_bankid import Client, NorwegianBankId
from .people import NORWEGIAN
from .script import Phone, Script


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
    def of(cls, *, port: int, secret_file: Path | None, service: str) -> Eids:
        """All of them for one service, from this port on; none for port 0."""
        made = cls()
        if port and secret_file is not None:
            back = f"{service}/eid/{NORWEGIAN}/return"
            client = Client("alumni-id", (back,), secret=secret_file.read_text("utf-8").strip())
            made.simulators[NORWEGIAN] = NorwegianBankId(made.script, [client], port=port)
        return made

    def start(self) -> None:
        """Begin to answer."""
        for simulator in self.simulators.values():
            simulator.start()

    def stop(self) -> None:
        """Stop answering."""
        for simulator in self.simulators.values():
            simulator.stop()
