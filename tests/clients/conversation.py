"""A client library in a process of its own that leads, and a person who follows: one JSON object a line."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.clients.running import Browser


def conversation(command: list[str], setup: dict[str, Any], person: Browser) -> dict[str, Any]:
    """Let the library lead and the person follow until it is done; what it found."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        told: dict[str, Any] = setup
        while True:
            process.stdin.write(json.dumps(told) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            assert line, process.stderr.read()[-3000:]
            asked = json.loads(line)
            if "done" in asked:
                found: dict[str, Any] = asked["done"]
                return found
            told = {"landed": _landed(person, asked["open"], asked["url"])}


def _landed(person: Browser, what: str, url: str) -> str:
    acts = {
        "sign-up": person.signs_up,
        "sign-out": person.signs_out,
        "connect": person.connects,
        "answer": person.answers,
    }
    return acts[what](url)
