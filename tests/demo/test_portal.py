"""The portal as a client (SR-101): what it believes, what it keeps, and what it says when things go wrong."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

import httpx
import pytest

from tests.demo.world import MFA, SUBSTANTIAL, PortalVisitor

ELSEWHERE = {"iss": "https://attacker.example"}


def test_the_front_page_is_norwegian_and_can_be_english(portal: PortalVisitor) -> None:
    assert ">Logg inn</a>" in portal.page()
    assert ">Sign in</a>" in portal.page("/?language=en")
    assert ">Sign in</a>" in portal.page(), "the choice is remembered"


def test_the_request_is_bound_to_this_browser_and_this_once(portal: PortalVisitor) -> None:
    asked, again = portal.leaves(), portal.leaves()

    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["resource"] == portal.resource
    assert asked["ui_locales"] == "nb"
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) >= 20
        assert asked[name] != again[name]


def test_signing_in_shows_the_person_and_asks_them_to_confirm(portal: PortalVisitor) -> None:
    asked = portal.leaves()
    answer = portal.returns(asked)

    assert answer.headers["location"] == "/"
    page = portal.page()
    assert "kari@example.org" in page
    assert ">Bekreft</button>" in page
    [exchange] = portal.provider.token_requests
    challenge = urlsafe_b64encode(sha256(exchange["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    assert challenge == asked["code_challenge"]
    assert "resource" not in exchange  # all audiences that were granted: the data service asks the provider who it is


def test_two_tabs_may_sign_in_at_once(portal: PortalVisitor) -> None:
    first, second = portal.leaves(), portal.leaves()
    assert portal.returns(first).headers["location"] == "/"
    portal.returns(second, grant=False)
    assert "kari@example.org" in portal.page()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"state": "another"}, id="a state this browser never had"),
        pytest.param({"state": None}, id="no state"),
        pytest.param(ELSEWHERE, id="another issuer"),
        pytest.param({"iss": None}, id="no issuer"),
    ],
)
def test_an_answer_that_is_not_ours_signs_nobody_in(portal: PortalVisitor, changes: dict[str, Any]) -> None:
    """RFC 9207 and CSRF: the code is not even looked at."""
    portal.returns(portal.leaves(), grant=False, **changes)

    assert portal.provider.token_requests == []
    assert "Logg inn på nytt" in portal.page()


def test_an_answer_counts_once(portal: PortalVisitor) -> None:
    asked = portal.leaves()
    portal.returns(asked)
    portal.http.post("/logout")

    portal.returns(asked, grant=False)
    assert len(portal.provider.token_requests) == 1
    assert "kari@example.org" not in portal.page()


def test_another_browser_cannot_use_the_answer(portal: PortalVisitor) -> None:
    asked = portal.leaves()
    portal.http.cookies.clear()
    portal.returns(asked, grant=False)
    assert portal.provider.token_requests == []


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"nonce": "another"}, id="nonce"),
        pytest.param({"iss": "https://attacker.example"}, id="issuer"),
        pytest.param({"aud": "other"}, id="audience"),
        pytest.param({"aud": ["portal", "other"]}, id="two audiences and no azp"),
        pytest.param({"azp": "other"}, id="authorized party"),
        pytest.param({"exp": 1}, id="expiry"),
        pytest.param({"exp": None}, id="no expiry"),
        pytest.param({"sub": None}, id="no subject"),
        pytest.param({"header": {"kid": "another"}}, id="key"),
        pytest.param({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, id="access token of another answer"),
    ],
)
def test_an_id_token_that_is_wrong_signs_nobody_in(portal: PortalVisitor, claims: dict[str, Any]) -> None:
    asked = portal.leaves()
    portal.provider.token_answers.append((200, portal.tokens(**{"nonce": asked["nonce"], **claims})))
    portal.returns(asked, grant=False)

    assert "kari@example.org" not in portal.page()


def test_an_answer_without_an_id_token_signs_nobody_in(portal: PortalVisitor) -> None:
    asked = portal.leaves()
    tokens = portal.tokens(nonce=asked["nonce"])
    del tokens["id_token"]
    portal.provider.token_answers.append((200, tokens))
    portal.returns(asked, grant=False)

    assert "Noe gikk galt hos innloggingstjenesten" in portal.page()


def test_discovery_of_another_issuer_is_not_believed(portal: PortalVisitor) -> None:
    portal.provider.announced_issuer = "https://attacker.example"
    assert portal.http.get("/login").status_code == 503


def test_the_cookie_is_an_opaque_id_and_changes_with_the_sign_in(portal: PortalVisitor) -> None:
    asked = portal.leaves()
    before = portal.http.cookies["portal_session"]
    answer = portal.returns(asked)
    after = portal.http.cookies["portal_session"]

    assert before != after
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", after)
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=Lax" in answer.headers["set-cookie"]


def test_what_the_server_keeps_opens_no_session(portal: PortalVisitor) -> None:
    portal.signs_in()
    file = portal.state / "sessions.sqlite"

    assert file.stat().st_mode & 0o077 == 0
    assert portal.http.cookies["portal_session"].encode() not in file.read_bytes()


@pytest.mark.parametrize("here", ["https://attacker.example/", "//attacker.example", "/\\attacker.example", ""])
def test_nobody_is_led_away_from_the_portal(portal: PortalVisitor, here: str) -> None:
    portal.signs_in()
    portal.page()
    asked = portal.leaves("/confirm", here=here)
    portal.provider.token_answers.append((200, portal.tokens(nonce=asked["nonce"], acr=SUBSTANTIAL)))
    assert portal.returns(asked, grant=False).headers["location"] == "/"


def test_a_closed_window_is_explained(portal: PortalVisitor) -> None:
    ola: dict[str, Any] = {"sub": "ola", "acr": SUBSTANTIAL}
    portal.signs_in(access=ola, **ola)
    assert "Tilgangen din tok slutt 1. januar 2024" in portal.page()
    assert "Your access ended on 1 January 2024" in portal.page("/?language=en")


def test_an_access_token_near_its_end_is_refreshed(portal: PortalVisitor) -> None:
    portal.signs_in(lives=30)
    portal.provider.token_answers.append((200, portal.tokens(refresh="r2", lives=30, access={"acr": SUBSTANTIAL})))
    assert "Fjordkraft" in portal.page()
    assert portal.provider.token_requests[-1]["refresh_token"] == "r1"

    portal.provider.token_answers.append((200, portal.tokens(refresh=None, access={"acr": SUBSTANTIAL})))
    assert "Fjordkraft" in portal.page()
    assert portal.provider.token_requests[-1]["refresh_token"] == "r2"
    portal.page()
    assert len(portal.provider.token_requests) == 3, "a fresh token is not refreshed"


def test_a_token_that_the_data_service_refuses_is_refreshed_once(portal: PortalVisitor) -> None:
    portal.signs_in(access={"jti": None})
    portal.provider.token_answers.append((200, portal.tokens(access={"acr": SUBSTANTIAL})))
    assert "Fjordkraft" in portal.page()


def test_without_a_good_refresh_token_the_provider_is_asked_silently(portal: PortalVisitor) -> None:
    portal.signs_in(lives=30)
    portal.provider.token_answers.append((400, {"error": "invalid_grant"}))
    asked = portal.leaves("/payslips/fv1001-2026-06")
    assert asked["prompt"] == "none"

    renewed = portal.tokens(nonce=asked["nonce"], access={"acr": SUBSTANTIAL})
    portal.provider.token_answers.append((200, renewed))
    assert portal.returns(asked, grant=False).headers["location"] == "/payslips/fv1001-2026-06"
    assert "Lønnsslipp for juni 2026" in portal.page("/payslips/fv1001-2026-06")


def test_when_the_provider_no_longer_knows_the_person_they_are_told(portal: PortalVisitor) -> None:
    portal.signs_in(lives=30, refresh=None)
    asked = portal.leaves("/")
    portal.returns(asked, grant=False, code=None, error="login_required")

    page = portal.page()
    assert "Innloggingen er over" in page
    assert "kari@example.org" not in page


def test_signing_out_ends_it_here_and_there(portal: PortalVisitor) -> None:
    portal.signs_in()
    cookie = portal.http.cookies["portal_session"]
    answer = portal.http.post("/logout")

    location = httpx.URL(answer.headers["location"])
    assert str(location).startswith(f"{portal.provider.issuer}/logout?")
    assert location.params["id_token_hint"].count(".") == 2
    assert location.params["post_logout_redirect_uri"].endswith("/signed-out")
    portal.http.cookies.set("portal_session", cookie)
    assert "kari@example.org" not in portal.page()
    assert "Du er logget ut." in portal.page(f"/signed-out?state={location.params['state']}")


def test_the_provider_being_away_is_said_in_words(portal: PortalVisitor) -> None:
    portal.provider.broken = True
    answer = portal.http.get("/login")

    assert answer.status_code == 503
    assert "Innloggingstjenesten svarer ikke" in answer.text
    portal.provider.broken = False
    assert portal.leaves()["state"], "and the next try works"


@pytest.mark.parametrize("path", ["/logout", "/confirm"])
def test_a_form_of_another_origin_changes_nothing(portal: PortalVisitor, path: str) -> None:
    """Other ports of this machine are same-site, so SameSite alone would not do."""
    portal.signs_in()
    assert portal.http.post(path, headers={"Origin": portal.provider.issuer}).status_code == 403
    assert "kari@example.org" in portal.page()


def test_pages_need_no_script_and_are_kept_by_nobody(portal: PortalVisitor) -> None:
    portal.signs_in()
    answer = portal.http.get("/profile")

    assert "<script" not in answer.text
    assert "Med to steg" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "script-src" not in answer.headers["content-security-policy"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_unknown_addresses_lead_back(portal: PortalVisitor) -> None:
    answer = portal.http.get("/nowhere")
    assert answer.status_code == 404
    assert "Til forsiden" in answer.text


def test_levels_are_named_once(portal: PortalVisitor) -> None:
    portal.signs_in(acr=MFA)
    assert "Med to steg" in portal.page("/profile")
