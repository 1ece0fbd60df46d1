"""UserInfo, discovery, logout."""

from __future__ import annotations

import pytest

from tests.people import PAYSLIPS, Person, Provider

BASE = "https://login.example"


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


def userinfo(person: Person, token: str, **more):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return person.provider.app.test_client().get("/userinfo", base_url=BASE, headers=headers, **more)


def test_userinfo_tells_what_the_scopes_release(kari: Person) -> None:
    """SR-123, OIDC Core §5.3, §5.4."""
    token = kari.comes_from_portal().tokens()["access_token"]
    told = userinfo(kari, token).get_json()
    assert told == {
        "sub": kari.sub,
        "email": kari.email,
        "email_verified": True,
        "phone_number": kari.number,
        "phone_number_verified": True,
    }
    bare = kari.comes_from_portal(scope="openid").tokens()["access_token"]
    assert userinfo(kari, bare).get_json() == {"sub": kari.sub}
    client = kari.provider.app.test_client()
    posted = client.post("/userinfo", base_url=BASE, data={"access_token": token})
    assert posted.get_json() == told


def test_userinfo_refuses_what_is_no_token_of_ours_for_it(kari: Person, clock) -> None:
    """Section R, RFC 6750 §3.1."""
    tokens = kari.comes_from_portal().tokens()
    for_api = kari.comes_from_portal(resource=PAYSLIPS).tokens()["access_token"]
    missing = userinfo(kari, "")
    assert missing.status_code == 401
    assert missing.headers["WWW-Authenticate"] == "Bearer"
    for wrong in ("x", tokens["id_token"], tokens["refresh_token"], for_api, tokens["access_token"] + "x"):
        answer = userinfo(kari, wrong)
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_token")
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    in_url = kari.provider.app.test_client().get(f"/userinfo?access_token={tokens['access_token']}", base_url=BASE)
    assert in_url.status_code == 401  # SR-95
    clock.advance(601)
    assert userinfo(kari, tokens["access_token"]).status_code == 401


def test_both_discovery_documents_say_the_same_and_the_truth(provider: Provider) -> None:
    """OIDC Discovery §3, RFC 8414 §2."""
    client = provider.app.test_client()
    documents = [
        client.get(f"/.well-known/{name}", base_url=BASE).get_json()
        for name in ("openid-configuration", "oauth-authorization-server")
    ]
    assert documents[0] == documents[1]
    told = documents[0]
    assert told["issuer"] == BASE
    assert told["authorization_response_iss_parameter_supported"] is True
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["response_types_supported"] == ["code"]
    assert {"ES256", "RS256"} <= set(told["id_token_signing_alg_values_supported"])
    for name, url in told.items():
        if name.endswith(("_endpoint", "jwks_uri")):
            assert client.options(url.removeprefix(BASE), base_url=BASE).status_code != 404, name
    keys = client.get("/jwks", base_url=BASE)
    assert all(set(key) & {"d", "p", "q"} == set() for key in keys.get_json()["keys"])
    again = client.get("/jwks", base_url=BASE, headers={"If-None-Match": keys.headers["ETag"]})
    assert again.status_code == 304


def test_logout_with_a_hint_acts_at_once_and_goes_only_where_it_may(provider: Provider) -> None:
    """SR-107, SR-108."""
    home = "https://portal.example/"
    client = provider.register(post_logout_redirect_uris=[home])
    provider.portal, provider.secret = client.client.client_id, client.secret or ""
    kari = provider.person().is_signed_in()
    hint = kari.comes_from_portal().tokens()["id_token"]
    kari.goes(f"/logout?id_token_hint={hint}&post_logout_redirect_uri=https://evil.example/")
    assert kari.answer.status_code == 400
    kari.goes(f"/logout?id_token_hint={hint}&post_logout_redirect_uri={home}&state=s1")
    assert kari.answer.headers["Location"] == f"{home}?state=s1"
    assert kari.comes_from_portal(prompt="none").redirected_to()["error"] == "login_required"


def test_logout_without_a_hint_asks_first(kari: Person) -> None:
    """SR-107: P-LOGOUT; staying signs nobody out."""
    kari.goes("/logout")
    assert kari.page.heading == "Do you want to sign out?"
    kari.sends("stay")
    assert "code" in kari.comes_from_portal(prompt="none").redirected_to()
    kari.goes("/logout").sends("sign-out")
    assert kari.page.heading == "You are signed out"
    assert kari.comes_from_portal(prompt="none").redirected_to()["error"] == "login_required"


def test_a_hint_for_somebody_else_signs_nobody_out(provider: Provider) -> None:
    """SR-107."""
    kari, ola = provider.person().is_signed_in(), provider.person().is_signed_in()
    olas = ola.comes_from_portal().tokens()["id_token"]
    kari.goes(f"/logout?id_token_hint={olas}")
    assert kari.page.heading == "Do you want to sign out?"
    forged = kari.goes("/logout?id_token_hint=x.y.z")
    assert forged.answer.status_code == 400


def test_a_logout_that_another_site_posts_still_ends_the_session(provider: Provider) -> None:
    """SR-108: such a POST brings no SameSite=Lax cookie; the request is asked again as a GET, which does."""
    kari = provider.person().is_signed_in()
    hint = kari.comes_from_portal().tokens()["id_token"]
    answer = provider.app.test_client().post("/logout", base_url=BASE, data={"id_token_hint": hint, "state": "s"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/logout?id_token_hint={hint}&state=s"
    assert not answer.headers.getlist("Set-Cookie")
    kari.goes(answer.headers["Location"])
    assert kari.comes_from_portal(prompt="none").redirected_to()["error"] == "login_required"
