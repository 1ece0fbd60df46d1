"""A provider as an operator runs it: its own process, its own files, real sockets; and a person at a browser."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

from tests.people import ROOT, Outside, free_port
from tests.reading import Page

PASSWORD = "elleve blå elger danser"

CONFIGURATION = """
[server]
issuer = "{issuer}"
listen = "127.0.0.1:{port}"
operations_listen = "127.0.0.1:{operations_port}"

[passwords]
argon2_memory_kib = 19456
argon2_passes = 2

[tokens]
dpop_nonce_required = true

[limits]
sign_up_seconds = 0
sends_per_address_hour = 1000
sends_per_network_hour = 1000

[mail]
host = "127.0.0.1"
port = {smtp_port}
security = "none"

[sms]
url = "{gateway}"

[voice]
url = "{gateway}"
"""


@dataclass
class Running:
    """A provider that answers at `issuer`."""

    issuer: str
    folder: Path
    outside: Outside

    def command(self, *arguments: str, given: str | None = None) -> dict[str, Any]:
        """Run `idp …` as an administrator does; what it prints, as JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "idp", *arguments],
            cwd=ROOT,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"idp {' '.join(arguments)}: {done.stderr}{done.stdout}"
        found: dict[str, Any] = json.loads(done.stdout) if done.stdout.lstrip().startswith("{") else {}
        return found

    def register(self, **metadata: object) -> dict[str, Any]:
        """Register a client; the RFC 7591 response."""
        return self.command("client", "add", "--metadata", "-", "--json", given=json.dumps(metadata))

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the provider's processes: one setting, and none of ours."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
        return {**kept, "IDP_CONFIG": str(self.folder / "config.toml")}


@contextmanager
def running(folder: Path, outside: Outside) -> Iterator[Running]:
    """Set a provider up in an empty folder, start it, and stop it in the end."""
    port, operations_port = free_port(), free_port()
    issuer = f"http://127.0.0.1:{port}"
    (folder / "config.toml").write_text(
        CONFIGURATION.format(
            issuer=issuer,
            port=port,
            operations_port=operations_port,
            smtp_port=outside.smtp_port,
            gateway=f"{outside.url}/gateway",
        ),
        encoding="utf-8",
    )
    provider = Running(issuer, folder, outside)
    provider.command("setup")
    with (
        (folder / "server.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "idp", "serve"], cwd=ROOT, env=provider.environment, stdout=log, stderr=log
        ) as process,
    ):
        try:
            _wait_until_it_answers(issuer, process, folder / "server.log")
            yield provider
        finally:
            process.terminate()


def _wait_until_it_answers(issuer: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(f"{issuer}/.well-known/openid-configuration", timeout=2).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the provider does not answer: {log.read_text('utf-8')[-2000:]}")


@dataclass
class Browser:
    """A person at a browser without script, reading the provider's pages in English."""

    provider: Running
    email: str = field(default_factory=lambda: f"kari.{secrets.token_hex(4)}@example.no")
    number: str = field(default_factory=lambda: f"+4794{secrets.randbelow(10**6):06d}")

    def __post_init__(self) -> None:
        self._http = httpx.Client(headers={"Accept-Language": "en", "Accept": "text/html"}, timeout=20)
        self._answer: httpx.Response | None = None
        self._read: set[str] = set()

    def close(self) -> None:
        """Close the window."""
        self._http.close()

    def opens(self, url: str) -> str | None:
        """Open an address, follow as browsers do; where it led outside of the provider, if it did."""
        return self._follow(self._http.get(url))

    def sends(self, do: str | None = None, **fields: str) -> str | None:
        """Fill in the form that has this button (or the first one), press it, and follow."""
        form = self.page.form_with(do)
        typed = {name.replace("_", "-"): value for name, value in fields.items()}
        pressed = do or next((value for name, value in form.buttons if name == "do"), "")
        here = str(self._http_answer.url)
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(here))
        return self._follow(
            self._http.post(
                urljoin(here, form.action),
                data={**form.fields, **typed, "do": pressed},
                headers={"Origin": origin, "Sec-Fetch-Site": "same-origin"},
            )
        )

    def signs_up(self, url: str) -> str:
        """From a client's authorization request through all of sign-up, and back to the client."""
        self.opens(url)
        return self._back_at_client(self._signs_up())

    def connects(self, url: str) -> str:
        """From the address that a device shows through all of sign-up, and say yes; the heading that follows."""
        self.opens(url)
        self.sends("continue")
        self._signs_up()
        self.sends("approve")
        return self.page.heading

    def answers(self, url: str) -> str:
        """Type the code that came by text message, and say yes; the heading that follows."""
        self.opens(url)
        self.sends("continue", user_code=self._message(self.number)["text"].split()[-1].removeprefix("#"))
        self.sends("approve")
        return self.page.heading

    def signs_out(self, url: str) -> str:
        """Open a logout request, agree if asked, and end where the client wants people to end."""
        landed = self.opens(url)
        if landed is None and any(("do", "sign-out") in form.buttons for form in self.page.forms):
            landed = self.sends("sign-out")
        return self._back_at_client(landed)

    def _signs_up(self) -> str | None:
        self.opens(urljoin(str(self._http_answer.url), self.page.links["Sign up now"]))
        self.sends(email=self.email)
        self.sends("verify", code=self._code(self.email))
        self.sends(new_password=PASSWORD, confirm_password=PASSWORD)
        self.sends("sms", country="NO", tel=self.number)
        return self.sends("verify", code=self._code(self.number))

    def _back_at_client(self, landed: str | None) -> str:
        if landed is None and any(("do", "share") in form.buttons for form in self.page.forms):
            landed = self.sends("share")
        assert landed is not None, f"still at «{self.page.heading}»: {self.page.text[:300]}"
        return landed

    @property
    def page(self) -> Page:
        """The page in front of the person."""
        return Page(self._http_answer.text)

    @property
    def _http_answer(self) -> httpx.Response:
        assert self._answer is not None, "no page is open"
        return self._answer

    def _code(self, to: str) -> str:
        """The code of the next message that the person has not read yet."""
        self._message(to)
        return self.provider.outside.code(to)

    def _message(self, to: str) -> dict[str, Any]:
        """The next message that the person has not read yet: the worker sends within moments."""
        until = time.monotonic() + 15
        while time.monotonic() < until:
            unread = [found for found in self.provider.outside.messages(to) if str(found["id"]) not in self._read]
            if unread:
                self._read.add(str(unread[-1]["id"]))
                return unread[-1]
            time.sleep(0.05)
        raise AssertionError(f"no message reached {to}")

    def _follow(self, answer: httpx.Response) -> str | None:
        for _ in range(12):
            self._answer = answer
            location = answer.headers.get("Location")
            if answer.status_code not in (302, 303) or location is None:
                return None
            target = urljoin(str(answer.url), location)
            if not target.startswith(f"{self.provider.issuer}/"):
                return target
            answer = self._http.get(target)
        raise AssertionError("the provider redirects in circles")


def parameters(url: str) -> dict[str, str]:
    """The query of an address."""
    return dict(parse_qsl(urlsplit(url).query))
