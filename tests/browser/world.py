"""The demo, running as `make demo` runs it, and what its inbox holds."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from relying_party_demo.outside.eid.people import PEOPLE

ROOT = Path(__file__).parents[2]
OFFSETS = (*range(10), 25)
PASSWORD = "elleve blå elger danser"
SPOKEN = {
    word: str(digit)
    for language in (
        "null en to tre fire fem seks sju åtte ni",
        "zero one two three four five six seven eight nine",
    )
    for digit, word in enumerate(language.split())
}


@dataclass
class World:
    """Where everything is, as the demo's `ready` line says."""

    idp: str
    portal: str
    data_service: str
    outside_world: str
    people: list[dict[str, str]]
    folder: Path
    """What the demo keeps."""


@dataclass
class Newcomer:
    """Somebody with a mailbox and a phone, whose messages are read in order."""

    world: World
    email: str = field(default_factory=lambda: f"kari.{secrets.token_hex(4)}@example.org")
    number: str = field(default_factory=lambda: f"94{secrets.randbelow(10**6):06d}")
    password: str = PASSWORD
    _read: set[str] = field(default_factory=set)

    def code(self, to: str) -> str:
        """The code of the next unread message that has one; the worker sends it within moments."""
        until = time.monotonic() + 15
        while time.monotonic() < until:
            for message in self._messages(to):
                if str(message["id"]) not in self._read:
                    self._read.add(str(message["id"]))
                    code = _code_in(message)
                    if code is not None:
                        return code
            time.sleep(0.05)
        raise AssertionError(f"no code reached {to}")

    @property
    def phone(self) -> str:
        """The number as the gateway knows it."""
        return f"+47{self.number}"

    def _messages(self, to: str) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.world.outside_world}/messages?to={quote(to)}", timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found


def _code_in(message: dict[str, Any]) -> str | None:
    """Six digits as written, or as a voice reads them out."""
    words = f"{message['subject'] or ''} {message['text']}"
    written = re.search(r"(?<!\d)\d{6}(?!\d)", words)
    if written:
        return written[0]
    spoken = re.search(r": ((?:\w+\.\s*){6})$", words, re.MULTILINE)
    return "".join(SPOKEN[word] for word in re.findall(r"\w+", spoken[1].lower())) if spoken else None


@contextmanager
def demo(folder: Path) -> Iterator[World]:
    """Start the demo in an empty folder, on ports that are free, and end it as Ctrl-C does."""
    environment = {**os.environ, "DEMO_PORT": str(_free_base()), "DEMO_DIR": str(folder)}
    command = [sys.executable, "-m", "relying_party_demo"]
    with (folder / "demo.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        try:
            line = next((line for line in process.stdout if line.startswith("ready ")), "")
            assert line, (folder / "demo.log").read_text("utf-8")
            yield World(**json.loads(line.removeprefix("ready ")), folder=folder)
        finally:
            process.terminate()
            ended = process.wait(timeout=30)
            process.stdout.close()
    assert ended == 0, "the demo did not end as Ctrl-C should end it"
    _ensure_nothing_was_written_down(folder)


def _ensure_nothing_was_written_down(folder: Path) -> None:
    """No national number in any log, and none in what the provider keeps (SR-120, SR-124).

    The outside world is left out: it is other people's systems, who know their own.
    """
    kept = [*folder.glob("logs/*.log"), *folder.glob("*.sqlite*"), *folder.glob("portal/*"), folder / "demo.log"]
    looked_at = [file for file in kept if file.is_file() and file.name != "outside.log"]
    assert len(looked_at) > 3, looked_at
    for file in looked_at:
        raw = file.read_bytes()
        assert not [person.name for person in PEOPLE if person.number.encode() in raw], file


def _free_base() -> int:
    for base in range(20000 + os.getpid() % 200 * 50, 60000, 50):
        if all(_is_free(base + offset) for offset in OFFSETS):
            return base
    raise AssertionError("no ports are free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
