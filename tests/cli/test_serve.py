"""`idp serve`: its own process, both addresses, and a quiet end."""

from __future__ import annotations

import json
import signal
import socket
import time
import urllib.error
import urllib.request

import pytest

from tests.administration import Shell, set_up, shell

__all__ = ["set_up", "shell"]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def fetched(url: str, host: str | None = None) -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read()
    except OSError:
        return 0, b""


@pytest.fixture
def ports(shell: Shell) -> tuple[int, int]:
    public, operations = free_port(), free_port()
    text = shell.path.read_text().replace(
        'issuer = "http://localhost:8000"',
        f'issuer = "http://localhost:{public}"\n'
        f'listen = "127.0.0.1:{public}"\noperations_listen = "127.0.0.1:{operations}"',
    )
    shell.path.write_text(text)
    return public, operations


def test_it_serves_says_when_it_is_ready_and_ends_quietly(shell: Shell, ports: tuple[int, int]) -> None:
    """SR-116, SR-129."""
    public, operations = ports
    server = shell.start("serve")
    try:
        deadline = time.monotonic() + 30
        while fetched(f"http://127.0.0.1:{operations}/ready")[0] != 200:
            assert time.monotonic() < deadline
            assert server.poll() is None
            time.sleep(0.1)
        assert fetched(f"http://127.0.0.1:{operations}/live")[0] == 200
        status, body = fetched(f"http://127.0.0.1:{public}/jwks", host=f"localhost:{public}")
        assert status == 200
        assert {key["alg"] for key in json.loads(body)["keys"]} == {"ES256", "RS256"}
        assert fetched(f"http://127.0.0.1:{public}/ready", host=f"localhost:{public}")[0] == 404
    finally:
        server.send_signal(signal.SIGTERM)
        output, errors = server.communicate(timeout=20)
    assert server.returncode == 0, errors
    assert "Traceback" not in output + errors
    assert fetched(f"http://127.0.0.1:{public}/jwks")[0] == 0


def test_an_operations_address_that_is_taken_stops_the_start(shell: Shell, ports: tuple[int, int]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports[1]))
        taken.listen()
        server = shell.start("serve")
        _, errors = server.communicate(timeout=30)
    assert server.returncode == 1
    assert "server.operations_listen" in errors


def test_any_wsgi_server_is_refused_an_unsafe_start(shell: Shell, ports: tuple[int, int]) -> None:
    """SR-115: `idp.wsgi` refuses by itself, whoever loads it."""
    (shell.folder / "keys" / "pepper.key").chmod(0o644)
    found = shell.python("import idp.wsgi")
    _, errors = found.communicate(timeout=60)
    assert found.returncode == 1
    assert "chmod 600" in errors
