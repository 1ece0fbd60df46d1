"""Every error is a page with a way on, and a reference (SR-122; page spec §8.6)."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient
from werkzeug.exceptions import BadRequest, ServiceUnavailable

from idp import correlation
from idp.interaction import ClientFace
from idp.stores import Unavailable
from idp.web import errors
from tests.pages.samples import application

SECRET = "kari@example.no has the code 420719"
REFERENCE = re.compile(r"[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}")


def raising(problem: Exception) -> Callable[[], Response]:
    def view() -> Response:
        raise problem

    return view


@pytest.fixture
def client() -> FlaskClient:
    app = application()
    app.config["MAX_CONTENT_LENGTH"] = 1000
    portal = ClientFace(client_id="c_1", name="Portalen", start_uri="https://portal.example/start")
    views: dict[str, Callable[[], object]] = {
        "/journey/abc/broken": raising(RuntimeError(SECRET)),
        "/journey/abc/down": raising(Unavailable(SECRET)),
        "/busy": raising(ServiceUnavailable(SECRET)),
        "/odd": raising(BadRequest(SECRET)),
        "/token": raising(RuntimeError(SECRET)),
        "/userinfo": raising(Unavailable(SECRET)),
        "/known": lambda: errors.draw("bad-link", technical="invalid_request", client=portal),
        "/unknown": lambda: errors.draw("bad-link", technical=request.args.get("why", "")),
        "/closed": lambda: errors.draw("closed", client=portal),
    }
    for url, view in views.items():
        app.add_url_rule(url, url, view)  # type: ignore[arg-type]
    app.add_url_rule("/form", "form", lambda: str(request.form), methods=["POST"])
    return app.test_client()


@pytest.mark.parametrize(
    ("url", "status", "heading", "leads_to"),
    [
        ("/nowhere", 404, "Vi finner ikke siden", "/"),
        ("/odd", 400, "Vi forstod ikke det som ble sendt", "/"),
        ("/journey/abc/broken", 500, "Beklager, noe gikk galt hos oss", "/journey/abc/broken"),
        ("/journey/abc/down", 503, "Beklager, innloggingen virker ikke akkurat nå", "/journey/abc/down"),
        ("/busy", 503, "Beklager, innloggingen virker ikke akkurat nå", "/"),
        ("/known", 400, "Vi kan ikke fortsette herfra", "https://portal.example/start"),
        ("/unknown", 400, "Vi kan ikke fortsette herfra", "/"),
        ("/closed", 403, "Kontoen er stengt", "https://portal.example/start"),
    ],
)
def test_every_error_is_a_page_with_a_way_on(
    client: FlaskClient, url: str, status: int, heading: str, leads_to: str
) -> None:
    answer = client.get(url)
    assert answer.status_code == status
    assert f"<h1>{heading}</h1>" in answer.text
    assert re.search(rf'<a class="button[^"]*" href="{re.escape(leads_to)}">', answer.text)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("url", ["/odd", "/journey/abc/broken", "/journey/abc/down", "/busy", "/token", "/userinfo"])
def test_no_detail_leaves_the_house(client: FlaskClient, url: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get(url)
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    assert SECRET not in caplog.text
    assert "kari@example.no" not in caplog.text


def test_the_reference_on_the_page_is_the_one_in_the_log(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get("/journey/abc/broken", environ_base={"REMOTE_ADDR": "203.0.113.77"})
    found = REFERENCE.search(answer.text)
    assert found
    (line,) = [json.loads(record.message) for record in caplog.records if record.name == "idp.web"]
    assert line["reference"] == found[0]
    assert line["exception"] == "builtins.RuntimeError"
    assert line["status"] == 500
    assert any("test_errors.py" in place for place in line["at"])
    assert "203.0.113.77" not in caplog.text
    assert caplog.records[0].levelno == logging.ERROR


def test_every_request_has_a_reference_of_its_own(client: FlaskClient) -> None:
    seen = []
    client.application.before_request_funcs[None].append(lambda: seen.append(correlation.current()))
    for _ in range(3):
        client.get("/help", environ_base={"REMOTE_ADDR": "203.0.113.77"})
    assert len({one.reference for one in seen}) == 3
    assert all(REFERENCE.fullmatch(one.reference) for one in seen)
    assert {one.network for one in seen} == {"203.0.113.0/24"}
    assert correlation.current().reference == ""


def test_a_store_that_is_down_says_when_to_come_back(client: FlaskClient) -> None:
    assert int(client.get("/journey/abc/down").headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("url", "status", "error"),
    [
        ("/token", 500, "server_error"),
        ("/userinfo", 503, "temporarily_unavailable"),
        ("/jwks/x", 404, "invalid_request"),
    ],
)
def test_programs_are_answered_in_json(client: FlaskClient, url: str, status: int, error: str) -> None:
    answer = client.get(url)
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"] == error
    assert REFERENCE.search(answer.json["error_description"])


def test_a_wrong_method_says_which_are_right(client: FlaskClient) -> None:
    answer = client.get("/form")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert "<h1>" in answer.text


def test_too_long_a_form_is_refused_kindly(client: FlaskClient) -> None:
    answer = client.post("/form", data={"x": "y" * 2000})
    assert answer.status_code == 413
    assert "Det var for mye tekst" in answer.text


def test_what_a_stranger_sent_is_never_a_link(client: FlaskClient) -> None:
    """Nothing of the query is echoed, but for the protocol's own name of the fault, as text."""
    answer = client.get("/unknown?client_id=evil&redirect_uri=https://evil.example/&why=invalid_request<b>")
    assert "evil" not in answer.text
    assert "<b>" not in answer.text
    assert "invalid_request&lt;b&gt;" in answer.text


def test_the_fault_page_itself_may_break() -> None:
    """The last resort: a fault in drawing the page is said in plain words, never with a stack."""
    app: Flask = application()
    app.add_url_rule("/x", "x", raising(RuntimeError(SECRET)))
    app.extensions["pages"].by_page.pop("fault")
    answer = app.test_client().get("/x")
    assert answer.status_code == 500
    assert answer.text.startswith("Beklager, noe gikk galt hos oss.")
    assert REFERENCE.search(answer.text)
    assert SECRET not in answer.text
