"""Requirements of sections H to M, each as it is worded, where no file about one specification holds it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from idp.rules.client_metadata import TOKEN_EXCHANGE
from idp.services import consents
from idp.stores.durable.db import reading
from tests.members import account_id, member
from tests.people import PAYSLIPS, PORTAL, Person, Provider
from tests.protocol.signed_in import BASE, bearer, code_form, error, gets, part, posts, refreshes, signed_in, told


@pytest.fixture
def kari(provider: Provider) -> Person:
    return signed_in(provider)


def tokens(person: Person, **parameters: str) -> dict[str, Any]:
    person.comes_from_portal(**parameters)
    given: dict[str, Any] = posts(person.provider, "/token", code_form(person)).get_json()
    return given


# H. Authorization endpoint


def test_flow_and_mode_are_fixed_from_the_stored_request(provider: Provider) -> None:
    """SR-67: nothing that is added to the way back changes the answer."""
    kari = member(provider)
    kari.comes_from_portal(response_mode="query")
    interaction = kari.answer.request.path.split("/")[2]
    changes = {"response_mode": "form_post", "response_type": "token", "redirect_uri": "https://evil.example/"}
    kari.goes(f"/journey/{interaction}?{urlencode(changes)}")
    kari.sends(email=kari.email, password="elleve blå elger danser").sends("sms")
    kari.sends("verify", code=kari.phoned_code())

    assert set(kari.redirected_to()) == {"code", "state", "iss"}


@pytest.mark.parametrize("length", [64, 512, 2048])
def test_a_long_nonce_comes_back_whole(kari: Person, length: int) -> None:
    """SR-73."""
    assert told(tokens(kari, nonce="n" * length)["id_token"])["nonce"] == "n" * length


def test_what_was_pushed_reaches_no_cookie_and_no_url(provider: Provider) -> None:
    """SR-74: not even on the way through a sign-in and back."""
    kari = member(provider)
    secrets = {"state": "canary-of-state", "nonce": "canary-of-nonce", "login_hint": "canary@example.no"}
    form = kari.request(**secrets)
    name = posts(provider, "/par", {**form, "client_id": ""}).get_json()["request_uri"]
    asked = urlencode({"client_id": provider.portal, "request_uri": name})
    seen = []
    answer = kari.browser.get(f"/authorize?{asked}", base_url=BASE)
    for _ in range(5):
        seen += [answer.headers.get("Location", ""), *answer.headers.getlist("Set-Cookie")]
        if answer.status_code != 303:
            break
        answer = kari.browser.get(answer.headers["Location"], base_url=BASE)

    assert answer.status_code == 200
    for secret in (*secrets.values(), form["code_challenge"], PORTAL):
        assert not [line for line in seen if secret in line]


# I. Token endpoint


GRANTS_WITH_SCOPE = ("authorization_code", "refresh_token", "client_credentials", TOKEN_EXCHANGE)


@pytest.mark.parametrize("grant", GRANTS_WITH_SCOPE)
def test_a_scope_that_is_not_registered_is_invalid_for_every_grant(
    kari: Person, provider: Provider, grant: str
) -> None:
    """SR-84: registered, or granted, by whichever way somebody asks."""
    usual = {"redirect_uris": [], "client_uri": None, "grant_types": [grant], "scope": "payslips"}
    if grant == "authorization_code":
        assert kari.comes_from_portal(scope="openid admin").redirected_to()["error"] == "invalid_scope"
        return
    if grant == "refresh_token":
        given = tokens(kari, scope="openid offline_access")
        answer = refreshes(provider, given["refresh_token"], scope="openid email")
    elif grant == "client_credentials":
        caller = provider.register(**usual)
        answer = posts(provider, "/token", {"grant_type": grant, "scope": "payslips admin"}, caller=caller)
    else:
        caller = provider.register(**{**usual, "resource_server": PAYSLIPS, "resources": ["https://next.example/"]})
        subject = tokens(kari, scope="openid payslips", resource=PAYSLIPS)["access_token"]
        kind = "urn:ietf:params:oauth:token-type:access_token"
        form = {"grant_type": grant, "subject_token": subject, "subject_token_type": kind, "scope": "payslips admin"}
        answer = posts(provider, "/token", form, caller=caller)
    assert error(answer) == (400, "invalid_scope")


def test_offline_access_is_something_to_agree_to(kari: Person, provider: Provider) -> None:
    """SR-85: nobody's client works on while they are away unless they said so, or the operator answers for it."""
    client = provider.register(first_party=False, client_name="Pension")
    with provider.app.app_context():
        consents.give(account_id(kari), client.client.client_id, ["openid"])
    kari.comes_from_portal(client_id=client.client.client_id, scope="openid offline_access")

    assert kari.step == "consent"
    assert "not signed in" in kari.page.text


def test_refresh_tokens_and_codes_lie_as_digests(kari: Person, provider: Provider) -> None:
    """SR-79, SR-85: whoever reads the database holds none; each has 256 random bits."""
    kari.comes_from_portal()
    form = code_form(kari)
    given = posts(provider, "/token", form).get_json()
    with provider.app.app_context(), reading() as connection:
        rows = [str(row) for row in connection.execute(text("SELECT * FROM grants"))]
    secret = given["refresh_token"].partition(".")[2]

    for value in (form["code"], secret):
        assert len(value) >= 43
        assert not [row for row in rows if value in row]


# J. Tokens


def test_our_rsa_keys_have_3072_bits(provider: Provider) -> None:
    """SR-91: as published, and as used."""
    keys = {key["kid"]: key for key in gets(provider, "/jwks").get_json()["keys"]}
    rsa = [key for key in keys.values() if key["kty"] == "RSA"]

    assert rsa
    assert all(len(key["n"]) * 6 // 8 >= 3072 // 8 for key in rsa)
    assert not [key for key in keys.values() if key["kty"] == "oct" or {"d", "k"} & key.keys()]


def test_an_access_token_says_what_rfc_9068_wants_and_nothing_of_the_person(kari: Person) -> None:
    """SR-93: exactly these claims."""
    given = tokens(kari, scope="openid profile email phone", resource=PAYSLIPS)
    claims = told(given["access_token"])

    assert part(given["access_token"], 0)["typ"] == "at+jwt"
    assert set(claims) == {
        "iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope", "auth_time", "acr", "amr",
    }  # fmt: skip
    assert kari.email not in str(claims)
    assert kari.number not in str(claims)


def test_a_token_from_a_url_is_not_looked_at(kari: Person, provider: Provider) -> None:
    """SR-95, RFC 6750 §2.3 is not offered: URLs are logged."""
    token = tokens(kari)["access_token"]

    assert gets(provider, f"/userinfo?access_token={token}").status_code == 401


def test_what_is_no_access_token_is_refused_as_one(kari: Person, provider: Provider) -> None:
    """SR-94, SR-98: an ID token, and a signed introspection answer, at userinfo and introspection."""
    given = tokens(kari)
    accepts = {"Accept": "application/token-introspection+jwt"}
    answer = posts(provider, "/introspect", {"token": given["access_token"]}, headers=accepts).get_data(as_text=True)
    for no_token in (given["id_token"], answer, given["refresh_token"]):
        assert error(gets(provider, "/userinfo", **bearer(no_token))) == (401, "invalid_token")
        assert posts(provider, "/introspect", {"token": no_token}).get_json() == {"active": False}


# L. Logout


def test_after_signing_out_the_browser_keeps_nothing(kari: Person, provider: Provider) -> None:
    """SR-108: Clear-Site-Data and no-store; and the old cookie, put back, gets nothing."""
    cookie = next(one for one in kari.browser._cookies.values() if one.key == "__Host-session")
    hint = tokens(kari)["id_token"]
    answer = kari.browser.get(f"/logout?id_token_hint={hint}", base_url=BASE)
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "no-store" in answer.headers["Cache-Control"]
    kari.browser.set_cookie(cookie.key, cookie.value, domain="login.example", secure=True, httponly=True)

    assert kari.comes_from_portal(prompt="none").redirected_to()["error"] == "login_required"
