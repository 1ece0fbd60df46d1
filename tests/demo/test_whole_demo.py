"""The whole demo, as `make demo` starts it: real processes, real tokens, the real pages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import httpx
import pytest

from relying_party_demo.layout import PORTS
from relying_party_demo.visitor import Visitor
from tests.demo.test_launcher import alive, waited_for
from tests.demo.world import free_port, is_free
from tests.receivers import eventually

PARTS = ("idp", "portal", "data_service", "outside_world")


@dataclass
class Demo:
    """One run of the launcher."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]

    def person(self, name: str) -> dict[str, str]:
        found: dict[str, str] = next(person for person in self.ready["people"] if person["name"] == name)
        return found

    def visitor(self) -> PortalGuest:
        return PortalGuest(self.ready["outside_world"])


class PortalGuest(Visitor):
    """A visitor that can also press the portal's own buttons."""

    def submits(self, path: str) -> None:
        form = next(form for form in self.page.forms if urlsplit(form.action).path == path)
        self._arrive(self._http.post(form.action, data=form.fields))

    def signs_in(self, demo: Demo, person: dict[str, str]) -> None:
        before = self.last_message()
        self.opens(demo.ready["portal"] + "/login")
        self.presses("sign-in", email=person["email"], password=person["password"])
        if self.at == "phone":
            self.presses("sms", tel=person["phone"])
        else:
            self.presses("sms")
        self.presses("verify", code=self.code(person["phone"], after=before))


def start(folder: Path, base: int, log: IO[str]) -> Demo:
    process = subprocess.Popen(
        [sys.executable, "-m", "relying_party_demo"],
        env={**os.environ, "DEMO_PORT": str(base), "DEMO_DIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("ready "), Path(log.name).read_text()
    return Demo(process, json.loads(line.removeprefix("ready ")))


def stop(demo: Demo, number: signal.Signals) -> int:
    demo.process.send_signal(number)
    demo.process.send_signal(signal.SIGTERM)  # a second one cuts nothing short
    code = demo.process.wait(30)
    assert demo.process.stdout is not None
    assert demo.process.stdout.read() == "", "exactly one line is printed"
    demo.process.stdout.close()
    return code


@pytest.fixture(scope="module")
def base() -> int:
    """A base port whose neighbours are free, too."""
    while True:
        base = free_port()
        if base < 65000 and all(is_free(base + place) for place in PORTS.values()):
            return base


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, base: int) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    with (folder / "launcher.log").open("w") as log:
        demo = start(folder / "state", base, log)
        yield demo
        if demo.process.poll() is None:
            stop(demo, signal.SIGTERM)


def test_the_ready_line_says_where_everything_is(demo: Demo) -> None:
    """DESIGN §7."""
    assert set(demo.ready) == {*PARTS, "people"}
    for part in PARTS:
        assert demo.ready[part].startswith("http://localhost:")
    for person in demo.ready["people"]:
        assert set(person) == {"name", "email", "password", "phone", "note"}


def test_somebody_with_two_factors_signs_in_and_the_data_service_knows_them(demo: Demo) -> None:
    guest = demo.visitor()
    guest.signs_in(demo, demo.person("Kari Nordmann"))

    assert guest.page.url == demo.ready["portal"] + "/"
    assert ">Bekreft</button>" in guest.page.html
    guest.opens(demo.ready["portal"] + "/profile")
    assert "Datatjenesten kjenner igjen innloggingen din." in guest.page.html
    guest.close()


def test_an_eid_answers_by_itself_as_a_script_has_said(demo: Demo) -> None:
    """DESIGN §7: `POST /eid/next`."""
    eids = demo.ready["outside_world"] + "/eid"
    people = {person["name"]: person for person in httpx.get(f"{eids}/people", trust_env=False).json()}
    said = {"eid": "norwegian-bankid", "person": people["Ola Hansen"]["number"], "outcome": "approve", "fault": None}
    assert httpx.post(f"{eids}/next", json=said, trust_env=False).status_code == 201
    assert httpx.post(f"{eids}/next", json={**said, "fault": "none-such"}, trust_env=False).status_code == 400

    guest = demo.visitor()
    guest.signs_in(demo, demo.person("Ola Hansen"))
    guest.submits("/confirm")
    guest.presses("start:norwegian-bankid:redirect")
    assert guest.page.url == demo.ready["portal"] + "/"
    assert "Tilgangen din" in guest.page.html
    guest.close()


def test_somebody_brought_in_finishes_at_the_first_sign_in(demo: Demo) -> None:
    guest = demo.visitor()
    guest.signs_in(demo, demo.person("Aino Virtanen"))
    assert guest.page.url == demo.ready["portal"] + "/"
    guest.close()


def test_signing_out_ends_both_sessions(demo: Demo) -> None:
    guest = demo.visitor()
    guest.signs_in(demo, demo.person("Kari Nordmann"))
    guest.submits("/logout")
    assert guest.page.url == demo.ready["portal"] + "/"
    assert "Du er logget ut." in guest.page.html

    guest.opens(demo.ready["portal"] + "/login")
    assert guest.at == "login", "the provider asks again"
    guest.close()


def test_signing_out_at_the_provider_reaches_the_portal(demo: Demo) -> None:
    """Back-Channel Logout: in another tab, without the portal's doing."""
    guest = demo.visitor()
    guest.signs_in(demo, demo.person("Kari Nordmann"))

    def is_signed_in() -> bool:
        guest.opens(demo.ready["portal"] + "/")
        return ">Bekreft</button>" in guest.page.html

    assert is_signed_in()
    guest.opens(demo.ready["idp"] + "/logout")
    guest.presses("sign-out")
    eventually(lambda: not is_signed_in())
    guest.close()


def test_the_data_service_challenges_over_http(demo: Demo) -> None:
    answer = httpx.get(demo.ready["data_service"] + "/payslips", trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer, DPoP algs=")


def test_secrets_are_for_this_user_only(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> None:
    state = next(tmp_path_factory.getbasetemp().glob("demo*/state"))
    for name in ("clients.json", "portal.json", "people.json"):
        assert (state / name).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -9)])
def test_it_ends_whole_and_starts_again_within_ten_seconds(
    demo: Demo, base: int, tmp_path_factory: pytest.TempPathFactory, number: signal.Signals, status: int
) -> None:
    if demo.process.poll() is None:
        stop(demo, signal.SIGTERM)
    folder = next(tmp_path_factory.getbasetemp().glob("demo*/state"))
    with (folder.parent / "again.log").open("w") as log:
        began = time.monotonic()
        again = start(folder, base, log)
        took = time.monotonic() - began
        family = descendants(again.process.pid)
        worked = sum(seconds_of_work(process) for process in (again.process.pid, *family))
        assert len(family) >= 4
        code = stop(again, number)

    assert code == status
    assert waited_for(lambda: not any(alive(process) for process in family))
    assert all(is_free(base + place) for place in PORTS.values())
    # By the clock, and where this machine is too busy with other tests for that, by the work of all processes together.
    assert min(took, worked) < 10, f"{took:.1f} seconds by the clock, {worked:.1f} of processors"
    assert again.ready == demo.ready


def descendants(process: int) -> list[int]:
    """Every process below this one."""
    children = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal() and parent_of(int(entry.name)) == process
    ]
    return children + [further for child in children for further in descendants(child)]


def parent_of(process: int) -> int | None:
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def seconds_of_work(process: int) -> float:
    """Processor time of a process and of those below it that have ended."""
    spent = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:15]
    return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")
