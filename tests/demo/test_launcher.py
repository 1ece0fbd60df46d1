"""`make demo`: ports and processes. Nothing stays behind, whatever ends first."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from relying_party_demo.children import Children
from relying_party_demo.layout import Layout
from relying_party_demo.visitor import Lost, Page

PARENT = """
import sys, time
from pathlib import Path
from relying_party_demo.children import Children
children = Children(Path(sys.argv[1]))
children.start("sleeper", ["sleep", "300"])
print(children._running["sleeper"].pid, flush=True)
time.sleep(300)
"""


def test_the_ports_follow_the_base_port(tmp_path: Path) -> None:
    layout = Layout.of({"DEMO_PORT": "18000", "DEMO_DIR": str(tmp_path)})

    parts = ("idp", "portal", "data_service", "outside_world")
    assert [layout.url(part) for part in parts] == [f"http://localhost:{18000 + place}" for place in range(4)]
    assert layout.port("mail") == 18025


@pytest.mark.parametrize("port", ["80", "eight thousand", "65535", "-1"])
def test_an_impossible_port_is_refused_in_words(port: str) -> None:
    with pytest.raises(ValueError, match="DEMO_PORT is"):
        Layout.of({"DEMO_PORT": port})


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        base = other.getsockname()[1] - 2
        done = subprocess.run(
            [sys.executable, "-m", "relying_party_demo"],
            env={**os.environ, "DEMO_PORT": str(base), "DEMO_DIR": str(tmp_path / "demo")},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert done.returncode == 1
    taken = re.search(r"port ([\d, ]+) is taken", done.stderr)  # others of this machine may have more of them
    assert taken is not None, done.stderr
    assert str(base + 2) in taken[1].split(", ")
    assert done.stdout == ""
    assert not (tmp_path / "demo" / "config.toml").exists()


def test_ending_ends_the_whole_group(tmp_path: Path) -> None:
    children = Children(tmp_path)
    children.start("family", ["sh", "-c", "sleep 300 & echo $!; wait"])
    grandchild = int(waited_for(lambda: children.log("family").read_text().strip()))

    children.end()
    assert waited_for(lambda: not alive(grandchild))


def test_a_child_that_does_not_listen_is_ended_by_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relying_party_demo.children.GENTLE", 0.2)
    children = Children(tmp_path)
    children.start("deaf", ["sh", "-c", "trap '' TERM; echo ready; while true; do sleep 1; done"])
    waited_for(lambda: children.log("deaf").read_text())

    children.end()
    assert children.ended() == "deaf"


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel of Linux")
def test_killing_the_launcher_leaves_no_child(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.send_signal(signal.SIGKILL)

    assert waited_for(lambda: not alive(child))


def test_forms_are_read_as_a_browser_would() -> None:
    page = Page(
        "http://localhost/journey/x/sign-up/phone",
        '<form method="post" action="/here"><input type="hidden" name="form" value="t0ken">'
        '<select name="country"><option value="SE">Sverige</option><option value="NO" selected>Norge</option></select>'
        '<input type="tel" name="tel"><button name="do" value="sms">Send kode</button></form>',
    )
    form = page.form("sms")

    assert form.action == "http://localhost/here"
    assert form.fields == {"form": "t0ken", "country": "NO", "tel": ""}
    with pytest.raises(Lost, match="no button 'voice'"):
        page.form("voice")


def alive(process: int) -> bool:
    """Whether the process runs; one that has ended and waits for its parent does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def waited_for(happens, patience: float = 5):
    """The first true answer, or the last one when patience ends."""
    deadline = time.monotonic() + patience
    while not (answer := happens()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return answer
