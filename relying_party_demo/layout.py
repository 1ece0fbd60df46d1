"""Where the parts of the demo are: their ports, their addresses, their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PORTS = {
    "idp": 0,
    "portal": 1,
    "data_service": 2,
    "outside_world": 3,
    "norwegian_bankid": 4,
    "swedish_bankid": 5,
    "smart_id": 6,
    "revocation": 7,
    "broker": 8,
    "operations": 9,
    "mail": 25,
}
"""Added to the base port."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One demo: its base port and its folder."""

    base: int
    folder: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Layout:
        """From DEMO_PORT and DEMO_DIR. Raises ValueError, in words."""
        given = environ.get("DEMO_PORT") or "8000"
        if not given.isdecimal() or not 1024 <= int(given) <= 65535 - PORTS["mail"]:
            raise ValueError(f"DEMO_PORT is {given!r}; it must be a number from 1024 to {65535 - PORTS['mail']}")
        return cls(int(given), Path(environ.get("DEMO_DIR") or ".demo").resolve())

    def port(self, part: str) -> int:
        """The port of that part."""
        return self.base + PORTS[part]

    def listen(self, part: str) -> str:
        """The address and port that part listens on."""
        return f"127.0.0.1:{self.port(part)}"

    def url(self, part: str) -> str:
        """Where browsers find that part, without a slash at the end."""
        return f"http://localhost:{self.port(part)}"

    @property
    def resource(self) -> str:
        """The data service as the audience of its tokens (RFC 8707): with a slash."""
        return self.url("data_service") + "/"

    def file(self, name: str) -> Path:
        """A file or folder of the demo's own."""
        return self.folder / name
