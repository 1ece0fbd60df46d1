"""Every client hears of a logout: Back-Channel Logout 1.0, Front-Channel Logout 1.0 (SR-109)."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from idp import clock as idp_clock
from idp.services import sessions
from idp.services.clients import Registered
from idp.stores.durable import outbox
from tests.client_site import ClientSite
from tests.conftest import Clock
from tests.members import account_id
from tests.people import Person, Provider
from tests.protocol.signed_in import BASE, code_form, error, gets, part, posts, refreshes, told

EVENT = "http://schemas.openid.net/event/backchannel-logout"
HOME = "https://portal.example/out"
LOOK_AGAIN = "See whether all services have heard of it"
UNREACHED = "We could not reach these services. Sign out there yourself:"


REACHES_SITE = True


@pytest.fixture
def kari(provider: Provider, site: ClientSite) -> Person:
    site.forms.clear()
    site.statuses.clear()
    return provider.person().is_signed_in()


def listening(provider: Provider, site: ClientSite, name: str = "/logout", **metadata: object) -> Registered:
    """A client that wants to hear by the back channel."""
    uris = {"backchannel_logout_uri": f"{site.url}{name}", "post_logout_redirect_uris": [HOME]}
    return provider.register(**{**uris, **metadata})


def visits(person: Person, client: Registered) -> str:
    """Sign in to a client as one does with a live session; the ID token."""
    person.comes_from_portal(client_id=client.client.client_id)
    given = posts(person.provider, "/token", code_form(person), caller=client).get_json()
    token: str = given["id_token"]
    return token


def leaves(person: Person, hint: str, **parameters: str) -> Person:
    return person.goes(f"/logout?{urlencode({'id_token_hint': hint, **parameters})}")


def heard(provider: Provider, site: ClientSite) -> list[dict[str, str]]:
    provider.deliver()
    return [form for _, form in site.forms]


# Back channel


def test_a_logout_token_says_who_and_which_session(kari: Person, provider: Provider, site: ClientSite) -> None:
    """§2.4, §2.5; SR-109: typed, two minutes at most, without a nonce; it verifies with our published keys."""
    client = listening(provider, site)
    hint = visits(kari, client)
    leaves(kari, hint)

    (form,) = heard(provider, site)
    assert set(form) == {"logout_token"}
    keys = KeySet.import_key_set(gets(provider, "/jwks").get_json())
    token = jwt.decode(form["logout_token"], keys, algorithms=["ES256"])
    assert token.header["typ"] == "logout+jwt"
    claims = token.claims
    assert (claims["iss"], claims["aud"]) == (BASE, client.client.client_id)
    assert (claims["sub"], claims["sid"]) == (told(hint)["sub"], told(hint)["sid"])
    assert claims["events"] == {EVENT: {}}
    assert 0 < claims["exp"] - claims["iat"] <= 120
    assert claims["jti"]
    assert "nonce" not in claims


def test_it_is_signed_as_the_client_has_its_id_tokens(kari: Person, provider: Provider, site: ClientSite) -> None:
    """§2.6."""
    hint = visits(kari, listening(provider, site, id_token_signed_response_alg="RS256"))
    leaves(kari, hint)

    assert part(heard(provider, site)[0]["logout_token"], 0)["alg"] == "RS256"


def test_each_client_of_the_session_hears_once(kari: Person, provider: Provider, site: ClientSite) -> None:
    """§2.3: those the person went to, however often, and no others."""
    first, second = listening(provider, site, "/one"), listening(provider, site, "/two")
    listening(provider, site, "/never-visited")
    visits(kari, first)
    visits(kari, first)
    hint = visits(kari, second)
    leaves(kari, hint)
    leaves(kari, hint)
    heard(provider, site)

    assert sorted(path for path, _ in site.forms) == ["/one", "/two"]


def test_what_became_of_the_tokens_does_not_matter(kari: Person, provider: Provider, site: ClientSite) -> None:
    """Driven by the list of clients and not by live tokens."""
    client = listening(provider, site)
    kari.comes_from_portal(client_id=client.client.client_id)
    given = posts(provider, "/token", code_form(kari), caller=client).get_json()
    assert posts(provider, "/revoke", {"token": given["refresh_token"]}, caller=client).status_code == 200
    leaves(kari, given["id_token"])

    assert len(heard(provider, site)) == 1


def test_a_client_is_told_the_name_it_knows(kari: Person, provider: Provider, site: ClientSite) -> None:
    """SR-53 gives the session a new name at each proof; clients keep the one they were told."""
    client = listening(provider, site)
    hint = visits(kari, client)
    with provider.app.app_context():
        old = kari.browser.get_cookie("__Host-session", domain="login.example")
        assert old is not None
        parts = provider.parts
        sessions.start(parts.store, parts.settings.sessions, account_id(kari), [], replaces=old.value)
        sessions.end_all(account_id(kari))

    assert [told(form["logout_token"])["sid"] for form in heard(provider, site)] == [told(hint)["sid"]]


def test_refreshed_id_tokens_keep_the_name(kari: Person, provider: Provider, site: ClientSite) -> None:
    """OIDC Core §12.2."""
    client = listening(provider, site)
    kari.comes_from_portal(client_id=client.client.client_id)
    given = posts(provider, "/token", code_form(kari), caller=client).get_json()
    again = refreshes(provider, given["refresh_token"], caller=client).get_json()

    assert told(again["id_token"])["sid"] == told(given["id_token"])["sid"]


def test_every_end_of_a_session_is_told(kari: Person, provider: Provider, site: ClientSite) -> None:
    """SR-88: being signed out everywhere, by oneself or by support, reaches the clients, too."""
    visits(kari, listening(provider, site))
    with provider.app.app_context():
        assert sessions.end_all(account_id(kari)) == 1

    assert len(heard(provider, site)) == 1


def test_somebody_else_at_the_browser_ends_the_session(kari: Person, provider: Provider, site: ClientSite) -> None:
    visits(kari, listening(provider, site))
    other = provider.person().is_signed_in()
    old = kari.browser.get_cookie("__Host-session", domain="login.example")
    assert old is not None
    with provider.app.app_context():
        parts = provider.parts
        sessions.start(parts.store, parts.settings.sessions, account_id(other), [], replaces=old.value)

    assert [told(form["logout_token"])["sub"] for form in heard(provider, site)] == [kari.sub]


def test_the_person_does_not_wait_for_a_client(kari: Person, provider: Provider, site: ClientSite) -> None:
    """SR-109: the redirect goes out before anybody is called."""
    hint = visits(kari, listening(provider, site))
    leaves(kari, hint, post_logout_redirect_uri=HOME, state="s")

    assert kari.answer is not None
    assert kari.answer.headers["Location"] == f"{HOME}?state=s"
    assert not site.forms
    assert len(heard(provider, site)) == 1


def test_a_client_that_is_away_is_told_later(kari: Person, provider: Provider, site: ClientSite, clock: Clock) -> None:
    """§2.8: tried again, with a token made anew."""
    site.statuses[:] = [503]
    leaves(kari, visits(kari, listening(provider, site)))
    first = heard(provider, site)
    assert len(first) == 1

    clock.advance(3)
    second = heard(provider, site)
    assert len(second) == 2
    assert told(second[1]["logout_token"])["jti"] != told(second[0]["logout_token"])["jti"]
    clock.advance(600)
    assert len(heard(provider, site)) == 2


def test_a_client_that_says_no_is_not_asked_again(
    kari: Person, provider: Provider, site: ClientSite, clock: Clock
) -> None:
    """§2.8: 400 is the client's last word."""
    site.statuses[:] = [400]
    leaves(kari, visits(kari, listening(provider, site)))
    heard(provider, site)
    clock.advance(600)

    assert [told(form["logout_token"])["sub"] for form in heard(provider, site)].count(kari.sub) == 1


def test_one_client_that_is_down_holds_up_no_other(kari: Person, provider: Provider, site: ClientSite) -> None:
    """And does not open the breaker of the channel."""
    for number in range(6):
        visits(kari, provider.register(backchannel_logout_uri=f"https://localhost:1/{number}"))
    leaves(kari, visits(kari, listening(provider, site)))

    assert len(heard(provider, site)) == 1


def test_a_client_that_is_removed_meanwhile_is_forgotten(kari: Person, provider: Provider, site: ClientSite) -> None:
    from idp.services import clients

    client = listening(provider, site)
    hint = visits(kari, client)
    with provider.app.app_context():
        clients.remove(client.client.client_id)
    leaves(kari, hint)

    assert not heard(provider, site)


def test_no_logout_token_is_an_id_token(kari: Person, provider: Provider, site: ClientSite) -> None:
    """§2.6, SR-94: it is refused as a hint."""
    leaves(kari, visits(kari, listening(provider, site)))
    token = heard(provider, site)[0]["logout_token"]

    assert kari.comes_from_portal(id_token_hint=token).redirected_to()["error"] == "invalid_request"
    assert error(gets(provider, "/userinfo", Authorization=f"Bearer {token}")) == (401, "invalid_token")


def test_a_notice_is_given_up_after_two_hours(kari: Person, provider: Provider, site: ClientSite, clock: Clock) -> None:
    site.statuses[:] = [503]
    leaves(kari, visits(kari, listening(provider, site)))
    heard(provider, site)
    clock.advance(timedelta(hours=2).total_seconds() + 1)
    heard(provider, site)

    assert len(site.forms) == 1


@pytest.mark.parametrize("member", ["backchannel_logout_uri", "frontchannel_logout_uri"])
@pytest.mark.parametrize("uri", ["http://client.example/out", "https://client.example/out#x", "javascript:alert(1)"])
def test_the_address_is_absolute_https(provider: Provider, member: str, uri: str) -> None:
    """§2.2; SR-111."""
    with pytest.raises(ValueError, match=member):
        provider.register(**{member: uri})


def test_discovery_says_so(provider: Provider) -> None:
    """§2.1 and Front-Channel Logout §3."""
    document = gets(provider, "/.well-known/openid-configuration").get_json()
    for channel in ("backchannel", "frontchannel"):
        assert document[f"{channel}_logout_supported"] is True
        assert document[f"{channel}_logout_session_supported"] is True


# What the person sees


def test_a_service_that_could_not_be_reached_is_named(kari: Person, provider: Provider, site: ClientSite) -> None:
    """P-LOGGED-OUT."""
    site.statuses[:] = [503]
    client = listening(provider, site, client_name="Feriehjelpen")
    leaves(kari, visits(kari, client))
    assert kari.answer is not None
    assert "told=" in kari.answer.request.full_path
    assert UNREACHED not in kari.page.text

    provider.deliver()
    kari.presses(LOOK_AGAIN)
    assert f"{UNREACHED} Feriehjelpen" in kari.page.text


def test_nobody_is_named_when_all_have_heard(kari: Person, provider: Provider, site: ClientSite) -> None:
    leaves(kari, visits(kari, listening(provider, site, client_name="Feriehjelpen")))
    provider.deliver()
    assert kari.answer is not None
    kari.goes(kari.answer.request.full_path)

    assert UNREACHED not in kari.page.text
    assert LOOK_AGAIN not in kari.page.links


def test_the_question_leads_to_the_same_page(kari: Person, provider: Provider, site: ClientSite) -> None:
    visits(kari, listening(provider, site))
    kari.goes("/logout").sends("sign-out")

    assert kari.page.heading == "You are signed out"
    assert kari.answer is not None
    assert "told=" in kari.answer.request.full_path
    assert len(heard(provider, site)) == 1


# Front channel


def framed(person: Person) -> list[str]:
    """Where the frames of the page lead."""
    return [unescape(src) for src in re.findall(r'<iframe src="([^"]*)"', person.page.html)]


def test_the_browser_carries_it_to_a_client_of_the_front_channel(kari: Person, provider: Provider) -> None:
    """Front-Channel Logout §2, §3: a frame with issuer and session, which the page's policy lets in."""
    client = provider.register(
        frontchannel_logout_uri="https://portal.example/front?a=b", post_logout_redirect_uris=[HOME]
    )
    hint = visits(kari, client)
    leaves(kari, hint, post_logout_redirect_uri=HOME, state="s 1")

    assert kari.answer is not None
    (frame,) = framed(kari)
    query = {name: values[0] for name, values in parse_qs(urlsplit(frame).query).items()}
    assert frame.startswith("https://portal.example/front?a=b&")
    assert query == {"a": "b", "iss": BASE, "sid": told(hint)["sid"]}
    assert "frame-src https://portal.example;" in kari.answer.headers["Content-Security-Policy"]
    # and then the browser goes where the client wants it, by a press where no script runs
    assert kari.page.links["Continue"] == f"{HOME}?state=s+1"


def test_other_pages_hold_no_frames(kari: Person) -> None:
    assert kari.goes("/signed-out").answer is not None
    assert kari.answer is not None
    assert "frame-src" not in kari.answer.headers["Content-Security-Policy"]
    assert not framed(kari)


def test_a_made_up_name_shows_nothing_of_anybody(kari: Person) -> None:
    kari.goes("/signed-out?told=made-up")

    assert kari.page.heading == "You are signed out"
    assert not framed(kari)


def test_the_outbox_keeps_no_notice_of_a_session_that_did_not_end(kari: Person, provider: Provider) -> None:
    with provider.app.app_context():
        assert sessions.end("no such session") == ()
        assert outbox.claim("logout", now=idp_clock.now(), lease_until=idp_clock.now()) is None
