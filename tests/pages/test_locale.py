"""Which language a page speaks (page spec §3.1; check A44)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from idp.stores import Unavailable
from idp.web import locale, pages
from tests.pages.samples import LINKS, LOGIN, application

JOURNEY = "/journey/abc/sign-in/login"


def language_of(client: FlaskClient, url: str = "/help", **headers: str) -> str:
    answer = client.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    tag = answer.text.partition('<html lang="')[2].partition('"')[0]
    assert answer.headers["Content-Language"] == tag
    return tag


@pytest.fixture
def journey_app() -> Flask:
    """With a journey whose client asked for English."""
    app = application()

    def show(journey_id: str, journey: str, step: str) -> Response:
        return pages.render({"page": "login", "journey": journey, "shown": LOGIN, "links": LINKS})

    app.add_url_rule("/journey/<journey_id>/<journey>/<step>", "step", show)
    app.extensions["idp"].interactions.look = lambda *_, **__: SimpleNamespace(ui_locales=("xx", "en-GB"))
    return app


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("nb", "nb"),
        ("no", "nb"),
        ("nn", "nb"),
        ("nb-NO", "nb"),
        ("nn-NO", "nb"),
        ("en-US", "en"),
        ("xx", "nb"),
        ("sv-FI, en;q=0.5", "en"),
        ("en;q=0.2, nb;q=0.8", "nb"),
        ("*", "nb"),
        ("", "nb"),
        ("de-AT;q=abc, %%%, en-x-private", "en"),
    ],
)
def test_a_browser_is_answered_in_its_language(client: FlaskClient, wanted: str, found: str) -> None:
    assert language_of(client, Accept_Language=wanted) == found


@pytest.mark.parametrize(
    ("asked", "found"), [("no", "nb"), ("nn", "nb"), ("nb-NO", "nb"), ("sv-FI", "en"), ("xx en", "en")]
)
def test_the_client_comes_before_the_browser(client: FlaskClient, asked: str, found: str) -> None:
    assert language_of(client, f"/nowhere?ui_locales={asked}", Accept_Language="en") == found


def test_what_the_client_asked_for_holds_on_every_page_of_the_journey(journey_app: Flask) -> None:
    client = journey_app.test_client()
    client.set_cookie("browser", "somebody")
    client.set_cookie("language", "nb")
    assert language_of(client, JOURNEY, Accept_Language="nb") == "en"
    assert language_of(client, "/help", Accept_Language="nb") == "nb"


def test_a_choice_made_in_the_journey_comes_before_the_client(journey_app: Flask) -> None:
    client = journey_app.test_client()
    client.set_cookie("browser", "somebody")
    assert language_of(client, f"{JOURNEY}?language=nb") == "nb"
    assert language_of(client, JOURNEY) == "nb"
    assert language_of(client, JOURNEY.replace("abc", "def")) == "en", "the next client is heard again"


def test_a_choice_is_remembered_for_a_year(client: FlaskClient) -> None:
    answer = client.get("/help?language=en", headers={"Accept-Language": "nb"})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("language=en;")
    assert "Max-Age=31536000" in cookie
    assert "HttpOnly" in cookie
    assert language_of(client, Accept_Language="nb") == "en"


@pytest.mark.parametrize("odd", ["xx", "", "../nb", "<b>", "nb-NO"])
def test_only_an_offered_language_can_be_chosen(client: FlaskClient, odd: str) -> None:
    answer = client.get("/help", query_string={"language": odd}, headers={"Accept-Language": "en"})
    assert "Set-Cookie" not in answer.headers
    assert '<html lang="en"' in answer.text


def test_a_cookie_that_somebody_wrote_is_not_believed(client: FlaskClient) -> None:
    client.set_cookie("language", "xx.<script>")
    assert language_of(client, Accept_Language="en") == "en"


def test_the_page_that_says_a_store_is_down_has_a_language(journey_app: Flask) -> None:
    def down(*_: object, **__: object) -> None:
        raise Unavailable

    journey_app.extensions["idp"].interactions.look = down
    client = journey_app.test_client()
    client.set_cookie("browser", "somebody")
    assert language_of(client, JOURNEY, Accept_Language="en") == "en"


def test_there_is_nothing_to_choose_with_one_language() -> None:
    client = application(languages=("en",), default_language="en").test_client()
    html = client.get("/help").text
    assert '<html lang="en"' in html
    assert "Language" not in html


def test_a_language_is_called_what_it_calls_itself() -> None:
    assert locale.own_name("nb") == "Norsk bokmål"
    assert locale.own_name("en") == "English"
