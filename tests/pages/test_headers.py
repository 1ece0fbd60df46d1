"""The headers of every response, errors included (SR-113)."""

from __future__ import annotations

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.settings import Server
from idp.web import headers
from tests.pages import samples
from tests.pages.samples import SETTINGS, Sample


@pytest.mark.parametrize("url", ["/show/login", "/show/login-empty", "/show/fault", "/nowhere", "/help", "/token"])
def test_every_response_is_guarded(client: FlaskClient, url: str) -> None:
    got = client.get(url).headers
    assert got["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "object-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert got["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert got["X-Content-Type-Options"] == "nosniff"
    assert got["Referrer-Policy"] == "no-referrer"
    assert got["Cross-Origin-Opener-Policy"] == got["Cross-Origin-Resource-Policy"] == "same-origin"
    assert got["Cache-Control"] == "no-store"
    assert "otp-credentials=(self)" in got["Permissions-Policy"]
    assert "camera=()" in got["Permissions-Policy"]
    assert "Server" not in got


def test_the_last_form_may_end_at_the_client(client: FlaskClient) -> None:
    """SR-113: Chromium holds the redirect after a form to form-action, too."""
    with samples.speaking(client.application, "nb"):
        samples.draw(Sample("x", "login", samples.LOGIN, more=(("client_origin", "https://portal.example"),)))
        answer = client.application.process_response(client.application.make_response("x"))
    assert "form-action 'self' https://portal.example;" in answer.headers["Content-Security-Policy"]
    assert "form-action 'self';" in client.get("/show/login").headers["Content-Security-Policy"]


def test_https_is_demanded_only_where_there_is_https() -> None:
    app = Flask(__name__)
    settings = msgspec.structs.replace(SETTINGS, server=Server(issuer="http://localhost:8000"))
    headers.install(app, settings)
    assert "Strict-Transport-Security" not in app.test_client().get("/").headers


def test_a_page_is_compressed_only_for_those_who_take_it(client: FlaskClient) -> None:
    assert client.get("/help", headers={"Accept-Encoding": "gzip, br"}).headers["Content-Encoding"] == "gzip"
    for refusal in ({}, {"Accept-Encoding": "br"}, {"Accept-Encoding": "gzip;q=0"}):
        answer = client.get("/help", headers=refusal)
        assert "Content-Encoding" not in answer.headers
        assert answer.headers["Vary"] == "Accept-Encoding"
