"""Sessions and their cookies: what they hold, how long they last, when they end (SR-52 to SR-60)."""

from __future__ import annotations

import sqlite3

import pytest
import redis

from idp.services import accounts, sessions
from tests.conftest import Clock
from tests.members import account_id, member, same_browser, sessions_of
from tests.people import Person, Provider

SESSION = "__Host-session"


def session_cookie(person: Person) -> str:
    cookie = person.browser.get_cookie(SESSION, domain="login.example")
    assert cookie
    return cookie.value


def holds(provider: Provider, session_id: str) -> bool:
    """Whether somebody who holds this cookie, and nothing else, is signed in."""
    somebody = provider.person()
    somebody.browser.set_cookie(SESSION, session_id, domain="login.example", secure=True)
    return "code" in somebody.comes_from_portal(prompt="none").redirected_to()


def test_a_session_id_is_long_random_and_kept_as_a_digest(provider: Provider) -> None:
    """SR-52: 256 random bits; the stores know a digest only."""
    first, second = member(provider).signs_in(), member(provider).signs_in()
    ids = {session_cookie(first), session_cookie(second)}
    assert len(ids) == 2
    assert all(len(each) == 43 for each in ids)

    url = provider.parts.settings.shortlived.url
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            rows = connection.execute("SELECT key, value FROM records").fetchall()
        connection.close()
        kept = b"".join(part if isinstance(part, bytes) else str(part).encode() for row in rows for part in row)
    else:
        with redis.Redis.from_url(url) as client:
            kept = b"".join(part for key in client.scan_iter() for part in (key, client.get(key) or b""))
    assert not [each for each in ids if each.encode() in kept]


def test_every_cookie_is_host_bound_and_out_of_reach(provider: Provider) -> None:
    """SR-54: `__Host-`, Secure, HttpOnly, SameSite=Lax, no Domain; the session's ends with the browser."""
    kari = member(provider)
    set_cookies: list[str] = []
    follow = kari.browser.open

    def opened(*args, **kwargs):
        answer = follow(*args, **kwargs)
        set_cookies.extend(answer.headers.getlist("Set-Cookie"))
        return answer

    kari.browser.open = opened  # type: ignore[method-assign]
    kari.goes("/?language=en").signs_in()

    names = {each.partition("=")[0] for each in set_cookies}
    assert names == {SESSION, "__Host-browser", "__Host-language", "__Host-known"}
    for each in set_cookies:
        name, *attributes = (part.strip() for part in each.split(";"))
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes), each
        assert not any(attribute.startswith("Domain") for attribute in attributes)
        if name.startswith(SESSION):
            assert not any(attribute.startswith(("Expires", "Max-Age")) for attribute in attributes)


def test_a_new_sign_in_brings_a_new_id_and_kills_the_old_one(provider: Provider) -> None:
    """SR-53: also when the same person only proves more."""
    kari = member(provider).signs_in()
    before = session_cookie(kari)
    kari.comes_from_portal(prompt="login").sends(password="elleve blå elger danser").sends("voice")
    kari.sends("verify", code=kari.phoned_code())

    assert session_cookie(kari) != before
    assert not holds(provider, before)
    assert holds(provider, session_cookie(kari))
    assert sessions_of(kari) == 1


def test_an_id_that_the_browser_brought_is_never_adopted(provider: Provider) -> None:
    """SR-53: session fixation."""
    kari = member(provider)
    planted = "A" * 43
    kari.browser.set_cookie(SESSION, planted, domain="login.example", secure=True)
    kari.signs_in()

    assert session_cookie(kari) != planted
    assert not holds(provider, planted)


def test_signing_out_kills_the_id(provider: Provider) -> None:
    """SR-108: an old cookie gets nothing."""
    kari = member(provider).signs_in()
    hint, before = kari.tokens()["id_token"], session_cookie(kari)
    kari.goes(f"/logout?id_token_hint={hint}")

    assert kari.browser.get_cookie(SESSION, domain="login.example") is None
    assert not holds(provider, before)


def test_a_session_ends_when_nobody_uses_it_and_in_any_case(provider: Provider, clock: Clock) -> None:
    """SR-55: idle half an hour, overall twelve; by the server's clock."""
    if not provider.parts.settings.shortlived.url.startswith("sqlite"):
        pytest.skip("Redis keeps its own time")
    kari = member(provider).signs_in()
    for _ in range(24):
        clock.advance(29 * 60)
        assert "code" in kari.comes_from_portal(prompt="none").redirected_to()
    clock.advance(25 * 60)
    assert kari.comes_from_portal(prompt="none").redirected_to()["error"] == "login_required"

    ola = member(provider).signs_in()
    clock.advance(31 * 60)
    assert ola.comes_from_portal(prompt="none").redirected_to()["error"] == "login_required"


def test_an_account_has_ten_live_sessions_and_the_oldest_ends(provider: Provider) -> None:
    """SR-56."""
    kari = member(provider).signs_in()
    identity = account_id(kari)
    with provider.app.app_context():
        for _ in range(11):
            sessions.start(provider.parts.store, provider.parts.settings.sessions, identity, [])

    assert sessions_of(kari) == 10
    assert kari.comes_from_portal(prompt="none").redirected_to()["error"] == "login_required"


def test_a_locked_account_is_out_at_once_and_stays_out_when_unlocked(provider: Provider) -> None:
    """SR-60: within five seconds; here at the very next request. Sessions that ended stay ended."""
    kari = member(provider).signs_in()
    with provider.app.app_context():
        accounts.lock(account_id(kari))
    assert kari.comes_from_portal(prompt="none").redirected_to()["error"] == "login_required"
    with provider.app.app_context():
        accounts.unlock(account_id(kari))
    assert kari.comes_from_portal(prompt="none").redirected_to()["error"] == "login_required"


def test_what_was_typed_before_the_proof_makes_no_account(provider: Provider) -> None:
    """SR-45: until both codes are proved nothing can be signed in to, reset or found."""
    kari = provider.person().comes_from_portal().presses("Sign up now")
    kari.sends(email=kari.email).sends("verify", code=kari.mailed_code())
    kari.sends(new_password="elleve blå elger danser", confirm_password="elleve blå elger danser")
    kari.sends("sms", country="NO", tel=kari.number)
    with provider.app.app_context():
        assert accounts.by_address(kari.email) is None

    other = provider.person(email=kari.email).comes_from_portal()
    assert other.sends(email=kari.email, password="elleve blå elger danser").answer.status_code == 422
    assert provider.person(email=kari.email).signs_up().redirected_to()["code"]


def test_a_reset_ends_every_session_but_the_new_one(provider: Provider) -> None:
    """SR-46, SR-63: whoever was in with the old password is out."""
    kari = member(provider).signs_in()
    thief = provider.person(email=kari.email, number=kari.number).signs_in()
    tab = same_browser(kari).comes_from_portal(prompt="login")
    tab.goes("/".join(tab.answer.request.path.split("/")[:3]) + "/reset").sends(email=kari.email)
    tab.sends("verify", code=tab.mailed_code()).sends("sms").sends("verify", code=tab.phoned_code())
    tab.sends(new_password="fire grønne hester synger", confirm_password="fire grønne hester synger")

    assert "code" in tab.redirected_to()
    assert thief.comes_from_portal(prompt="none").redirected_to()["error"] == "login_required"
    assert sessions_of(kari) == 1
