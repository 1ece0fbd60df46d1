"""Redirect URIs: byte for byte, and the loopback exception (SR-68, SR-111)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.rules.redirect_uris import matches, problem

REGISTERED = ("https://portal.example/callback?a=1", "http://127.0.0.1/callback", "http://[::1]:7000/callback")


@given(given_uri=st.text(max_size=60) | st.sampled_from(REGISTERED).map(str.upper))
def test_a_web_client_gets_what_was_registered_and_nothing_like_it(given_uri: str) -> None:
    assert matches(REGISTERED, given_uri, native=False) == (given_uri in REGISTERED)


@pytest.mark.parametrize(
    "given_uri",
    [
        "https://portal.example/callback",
        "https://portal.example/callback?a=1&b=2",
        "https://portal.example/callback/?a=1",
        "https://portal.example:443/callback?a=1",
        "https://PORTAL.example/callback?a=1",
        "https://portal.example/%63allback?a=1",
        "https://portal.example/x/../callback?a=1",
        "https://portal.example/callback?a=1#x",
        "https://a@portal.example/callback?a=1",
        "http://127.0.0.1:4000@evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://localhost:4000/callback",
        "http://127.0.0.1:4000/other",
        "http://127.0.0.1:4000/callback?x",
        "https://127.0.0.1:4000/callback",
    ],
)
def test_nothing_is_normalised_for_anybody(given_uri: str) -> None:
    assert not matches(REGISTERED, given_uri, native=True)


@given(port=st.integers(0, 65535))
def test_a_native_app_may_take_any_loopback_port(port: int) -> None:
    for host in ("127.0.0.1", "[::1]"):
        assert matches(REGISTERED, f"http://{host}:{port}/callback", native=True)
        assert matches(REGISTERED, f"http://{host}:{port}/callback", native=False) == (
            f"http://{host}:{port}/callback" in REGISTERED
        )


@pytest.mark.parametrize(
    "uri",
    [
        "", "/callback", "//portal.example/", "https:portal.example", "https:///callback", "HTTPS://portal.example/",
        "javascript:alert(1)", "data:text/html,x", "com.example.app:/callback", "http://portal.example/",
        "https://portal.example/#x", "https://portal.example#", "https://kari@portal.example/", "https://*.example/",
        "https://portal.example\\@evil.example/", "https://portal.example/\r\nX: y", "https://portal.example/\t",
        "https://blåbær.example/", "https://portal.example:99999/", "https://[::1/", "http://127.0.0.1.evil.example/",
    ],
)  # fmt: skip
def test_what_cannot_be_registered_says_why(uri: str) -> None:
    assert problem(uri, native=False)
    assert problem(uri, native=True)


def test_plain_http_is_for_loopback_and_those_who_may() -> None:
    assert problem("https://portal.example/callback?a=1", native=False) is None
    assert problem("http://127.0.0.1/callback", native=True) is None
    assert problem("http://[::1]:7000/callback", native=True) is None
    assert problem("http://localhost/callback", native=True)
    assert problem("http://127.0.0.1/callback", native=False)
    assert problem("http://localhost:8001/callback", native=False, loopback_issuer=True) is None
    assert problem("http://portal.example/callback", native=False, loopback_issuer=True)
