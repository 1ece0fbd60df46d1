"""`make demo`: the whole world on this machine. Prints one line, `ready {json}`, and runs until told to stop.

DEMO_PORT (8000) is the base port, DEMO_DIR (.demo) the folder for state. Ctrl-C ends everything.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Mapping
from types import FrameType
from typing import NoReturn

import httpx

from .children import Children
from .layout import PORTS, Layout
from .people import seed
from .registration import Failed, idp_command, idp_environment, prepare, write_private
from .visitor import Lost

PATIENCE = 60.0
HEALTH = {
    "idp": "/.well-known/openid-configuration",
    "portal": "/health",
    "data_service": "/health",
    "outside_world": "/faults",
}
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody told the demo to stop."""


def main() -> int:
    """Start everything, say when it is ready, wait. 0 when told to stop, 1 when something went wrong."""
    try:
        layout = Layout.of(os.environ)
    except ValueError as problem:
        return _complain(str(problem))
    children = Children(layout.file("logs"))
    for number in STOPPING:
        signal.signal(number, _stop)
    try:
        _check_ports(layout)
        _start_neighbours(layout, children)
        prepare(layout)
        _wait_for_answers(layout, children, "outside_world")  # it makes files that the provider's settings name
        _start_provider_and_portal(layout, children)
        _wait_for_answers(layout, children, *HEALTH)
        urls = {part: layout.url(part) for part in HEALTH}
        _say(f"ready {json.dumps({**urls, 'people': seed(layout)}, ensure_ascii=False)}")
        _wait_for_an_end(children)
    except Stopped:
        return 0
    except (Failed, Lost, httpx.HTTPError, OSError) as problem:
        return _complain(f"{problem}\nWhat the parts said is in {children.logs}.")
    finally:
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)
        children.end()


def _stop(_number: int, _frame: FrameType | None) -> None:
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not cut the ending short
    raise Stopped


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _complain(problem: str) -> int:
    sys.stderr.write(f"The demo stopped: {problem}\n")
    return 1


def _check_ports(layout: Layout) -> None:
    """Raise Failed if a port of the demo is taken."""
    taken = [str(layout.port(part)) for part in PORTS if not _is_free(layout.port(part))]
    if taken:
        raise Failed(
            f"port {', '.join(taken)} is taken, perhaps by another demo. DEMO_PORT=18000 make demo takes others."
        )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: no waiting for old ones
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _start_neighbours(layout: Layout, children: Children) -> None:
    """Start those that need nothing from the provider: they come up while it is being prepared."""
    layout.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(layout.file("eid-secret"), secrets.token_urlsafe(32))
    outside = {
        "--state": layout.file("outside"),
        "--eid-port": layout.port("norwegian_bankid"),
        "--eid-secret-file": layout.file("eid-secret"),
        "--eid-return": layout.url("idp"),
        "--listen": layout.listen("outside_world"),
        "--smtp-port": layout.port("mail"),
    }
    data_service = {
        "--issuer": layout.url("idp"),
        "--resource": layout.resource,
        "--links": layout.file("links.json"),
        "--credentials": layout.file("data_service.json"),
        "--listen": layout.listen("data_service"),
    }
    _start_module(children, "outside", outside)
    _start_module(children, "data_service", data_service)


def _start_provider_and_portal(layout: Layout, children: Children) -> None:
    children.start("idp", idp_command(layout, "serve"), environment=idp_environment())
    portal = {"--config": layout.file("portal.json"), "--listen": layout.listen("portal")}
    _start_module(children, "portal", portal)


def _start_module(children: Children, name: str, options: Mapping[str, object]) -> None:
    arguments = [str(word) for option in options.items() for word in option]
    children.start(name, [sys.executable, "-m", f"relying_party_demo.{name}", *arguments])


def _wait_for_answers(layout: Layout, children: Children, *parts: str) -> None:
    """Return when these parts answer. Raises Failed when one ends, or none of it in time."""
    missing = {part: layout.url(part) + HEALTH[part] for part in parts}
    deadline = time.monotonic() + PATIENCE
    with httpx.Client(timeout=5, trust_env=False) as http:
        while missing:
            if name := children.ended():
                raise Failed(f"{name} ended by itself:\n{_last_words(children, name)}")
            if time.monotonic() > deadline:
                raise Failed(f"no answer from {', '.join(missing)} within {PATIENCE:.0f} seconds")
            missing = {part: url for part, url in missing.items() if not _answers(http, url)}
            time.sleep(0.05 if missing else 0)


def _answers(http: httpx.Client, url: str) -> bool:
    try:
        return http.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _wait_for_an_end(children: Children) -> NoReturn:
    while True:
        if name := children.ended():
            raise Failed(f"{name} ended by itself:\n{_last_words(children, name)}")
        time.sleep(0.5)


def _last_words(children: Children, name: str) -> str:
    return "\n".join(children.log(name).read_text("utf-8", errors="replace").splitlines()[-15:])


if __name__ == "__main__":
    sys.exit(main())
