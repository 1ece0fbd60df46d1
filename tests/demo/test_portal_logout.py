"""The portal hears of a logout by the back channel: Back-Channel Logout 1.0 §2.6 (SR-109, SR-101)."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from tests.demo.world import PortalVisitor
from tests.races.together import in_parallel

EVENT = "http://schemas.openid.net/event/backchannel-logout"
SIGNED_IN = "kari@example.org"


def notice(portal: PortalVisitor, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """A good logout token, but for the changes."""
    now = int(time.time())
    told = {
        "iss": portal.provider.issuer,
        "aud": "portal",
        "sub": "kari",
        "sid": "s1",
        "iat": now,
        "exp": now + 120,
        "jti": f"n{time.monotonic_ns()}",
        "events": {EVENT: {}},
        **changes,
    }
    kept = {name: value for name, value in told.items() if value is not None}
    return portal.provider.signed(json.dumps(kept).encode(), **{"typ": "logout+jwt", **(header or {})})


def hears(portal: PortalVisitor, token: str) -> httpx.Response:
    """The provider's call: without any cookie of the browser."""
    with httpx.Client(base_url=portal.http.base_url, trust_env=False) as provider:
        return provider.post("/backchannel-logout", data={"logout_token": token})


@pytest.mark.parametrize("changes", [{}, {"sub": None}, {"sid": None}], ids=["both", "sid alone", "sub alone"])
def test_a_notice_ends_the_session(portal: PortalVisitor, changes: dict[str, Any]) -> None:
    portal.signs_in(sid="s1")
    assert SIGNED_IN in portal.page()
    answer = hears(portal, notice(portal, **changes))

    assert answer.status_code == 200
    assert SIGNED_IN not in portal.page()


def test_another_session_goes_on(portal: PortalVisitor) -> None:
    portal.signs_in(sid="s1")
    assert hears(portal, notice(portal, sid="s2")).status_code == 200
    assert hears(portal, notice(portal, sid=None, sub="ola")).status_code == 200

    assert SIGNED_IN in portal.page()


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"aud": "somebody"},
        {"aud": None},
        {"iat": None},
        {"iat": 1},
        {"exp": None},
        {"exp": 1},
        {"exp": 4_000_000_000},
        {"jti": None},
        {"events": None},
        {"events": {}},
        {"events": {EVENT: None}},
        {"events": [EVENT]},
        {"nonce": "n"},
        {"sid": None, "sub": None},
        {"sid": 7},
        {"header": {"typ": "JWT"}},
        {"header": {"typ": None}},
        {"header": {"typ": "at+jwt"}},
    ],
    ids=lambda changes: json.dumps(changes)[:60],
)
def test_what_is_no_logout_token_ends_nothing(portal: PortalVisitor, changes: dict[str, Any]) -> None:
    portal.signs_in(sid="s1")
    answer = hears(portal, notice(portal, **changes))

    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})
    assert SIGNED_IN in portal.page()


def test_a_forged_one_and_nonsense_end_nothing(portal: PortalVisitor) -> None:
    portal.signs_in(sid="s1")
    good = notice(portal)
    for token in ("", "x", "a.b.c", good[:-4] + "AAAA", "eyJhbGciOiJub25lIn0." + good.split(".")[1] + "."):
        assert hears(portal, token).status_code == 400

    assert SIGNED_IN in portal.page()


def test_a_notice_counts_once(portal: PortalVisitor) -> None:
    """Replays are refused, however many come at once."""
    token = notice(portal)

    assert sorted(in_parallel(4, lambda: hears(portal, token).status_code)) == [200, 400, 400, 400]


def test_the_provider_may_have_a_new_key(portal: PortalVisitor) -> None:
    portal.signs_in(sid="s1")
    portal.provider.rotate("k2")

    assert hears(portal, notice(portal)).status_code == 200
