"""Apache's mod_auth_openidc, as Debian ships it, with the manual's configuration, before what reads headers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.clients.running import Browser, Running, parameters
from tests.people import ROOT, free_port
from tests.receivers import eventually
from tests.servers import apache

SITE = """
{openid}
<Location "/bye">
    AuthType None
    Require all granted
</Location>
ProxyPass "/" "http://127.0.0.1:{application}/"
"""


class Application(BaseHTTPRequestHandler):
    """What Apache protects: it says which headers reached it."""

    def do_GET(self) -> None:
        body = json.dumps(dict(self.headers)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@dataclass
class Portal:
    """The site of the relying party, and the person's browser as that sees it."""

    url: str
    browser: httpx.Client

    def opens(self, path: str = "/") -> httpx.Response:
        """One request, without following."""
        return self.browser.get(path if "://" in path else f"{self.url}{path}")

    def headers(self) -> dict[str, str]:
        """What the application is told of the person who is signed in."""
        answer = self.opens()
        assert answer.status_code == 200, answer.headers.get("Location")
        found: dict[str, str] = answer.json()
        return found

    def signs_in(self, person: Browser) -> dict[str, str]:
        """From the first page to the provider, through sign-up, and back to where the person wanted to go."""
        asked = self.opens().headers["Location"]
        assert parameters(asked)["code_challenge_method"] == "S256"
        back = self.opens(person.signs_up(asked))
        assert back.headers["Location"] == f"{self.url}/"
        return self.headers()


@pytest.fixture(scope="module")
def portal_url(provider: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An Apache with the configuration of the manual, an application behind it, registered at the provider."""
    folder, port = tmp_path_factory.mktemp("apache"), free_port()
    url = f"http://localhost:{port}"
    client = provider.register(
        client_name="A portal behind Apache",
        redirect_uris=[f"{url}/oidc/callback"],
        post_logout_redirect_uris=[f"{url}/bye"],
        backchannel_logout_uri=f"{url}/oidc/callback?logout=backchannel",
        grant_types=["authorization_code", "refresh_token"],
        scope="openid profile email offline_access",
        id_token_signed_response_alg="ES256",
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    told = {
        "https://login.example.com": provider.issuer,
        "https://portal.example.com": url,
        "the id": client["client_id"],
        "the secret": client["client_secret"],
    }
    site = SITE.format(openid=_manual(told), application=server.server_address[1])
    with apache(folder, port=port, site=site):
        yield url
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def _at(url: str) -> Iterator[Portal]:
    with httpx.Client(timeout=20) as browser:
        yield Portal(url, browser)


@pytest.fixture
def portal(portal_url: str) -> Iterator[Portal]:
    """The portal as a fresh browser sees it."""
    with _at(portal_url) as opened:
        yield opened


@pytest.fixture
def ola(provider: Running) -> Iterator[Browser]:
    """Somebody else."""
    browser = Browser(provider)
    yield browser
    browser.close()


def _manual(told: dict[str, str]) -> str:
    """The configuration that docs/how-to/connect-a-client.md gives, for the places of this test."""
    page = (ROOT / "docs/how-to/connect-a-client.md").read_text("utf-8")
    found = re.search(r"```apache\n(.*?)```", page, re.DOTALL)
    assert found is not None
    configuration = found[1]
    for example, real in told.items():
        assert example in configuration
        configuration = configuration.replace(example, real)
    return configuration


def test_people_sign_in_renew_and_sign_out_through_apache(portal: Portal, kari: Browser) -> None:
    """Discovery, code with PKCE, claims in headers, refresh, and logout that the client starts."""
    told = portal.signs_in(kari)
    assert told["OIDC_CLAIM_email"] == kari.email
    assert told["OIDC_CLAIM_iss"] == kari.provider.issuer

    renewing = f"/oidc/callback?refresh={quote(portal.url + '/', safe='')}&access_token={told['OIDC_access_token']}"
    assert portal.opens(renewing).headers["Location"] == f"{portal.url}/"
    renewed = portal.headers()
    assert renewed["OIDC_access_token"] != told["OIDC_access_token"]
    assert renewed["OIDC_CLAIM_sub"] == told["OIDC_CLAIM_sub"]

    leaving = portal.opens(f"/oidc/callback?logout={quote(portal.url + '/bye', safe='')}").headers["Location"]
    assert leaving.startswith(f"{kari.provider.issuer}/logout?")
    assert kari.signs_out(leaving) == f"{portal.url}/bye"
    assert "OIDC_CLAIM_sub" not in portal.opens("/bye").json()
    assert _asks_to_sign_in(portal)


def test_apache_hears_by_the_back_channel_that_a_person_signed_out_elsewhere(
    portal: Portal, kari: Browser, ola: Browser
) -> None:
    """SR-109: the session that ended is gone; another person's stays."""
    portal.signs_in(kari)
    with _at(portal.url) as elsewhere:
        elsewhere.signs_in(ola)

        kari.opens(f"{kari.provider.issuer}/logout")
        kari.sends("sign-out")

        eventually(lambda: _asks_to_sign_in(portal))
        assert elsewhere.headers()["OIDC_CLAIM_email"] == ola.email


def _asks_to_sign_in(portal: Portal) -> bool:
    answer = portal.opens()
    return answer.status_code == 302 and urlsplit(answer.headers["Location"]).path == "/authorize"
