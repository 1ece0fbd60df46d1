"""The authorization endpoint: RFC 6749 §4.1, RFC 9700, RFC 9207, OpenID Connect Core §3.1.2."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.people import PORTAL, Person, Provider


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


def refused(person: Person, **parameters: str) -> dict[str, str]:
    told = person.comes_from_portal(**parameters).redirected_to()
    assert told["state"] == "the-state"  # RFC 6749 §4.1.2.1
    assert told["iss"] == "https://login.example"  # SR-71
    assert "code" not in told
    return told


def test_a_live_session_gets_a_code_at_once_with_303(kari: Person) -> None:
    """SR-71, SR-72."""
    told = kari.comes_from_portal().redirected_to()
    assert kari.answer.status_code == 303
    assert set(told) == {"code", "state", "iss"}
    assert kari.answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "parameters",
    [
        {"client_id": "nobody"},
        {"client_id": ""},
        {"redirect_uri": ""},
        {"redirect_uri": "https://portal.example/callback/"},
        {"redirect_uri": "https://portal.example/callback?x=1"},
        {"redirect_uri": "https://PORTAL.example/callback"},
        {"redirect_uri": "https://portal.example:443/callback"},
        {"redirect_uri": "https://portal.example/%63allback"},
        {"redirect_uri": "https://portal.example/callback#f"},
        {"redirect_uri": "https://portal.example@evil.example/callback"},
        {"client_id": "nobody", "scope": "nonsense", "response_type": "token"},
    ],
)
def test_an_unknown_client_or_redirect_uri_stays_on_our_page(kari: Person, parameters: dict[str, str]) -> None:
    """SR-68, SR-69: 400 on our origin, nothing of the request in a link, whatever else is wrong."""
    kari.comes_from_portal(**parameters)
    assert kari.answer.status_code == 400
    assert "Location" not in kari.answer.headers
    assert not any("evil" in link or "callback" in link for link in kari.page.links.values())


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": ""}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "email"}, "invalid_scope"),
        ({"scope": "openid admin"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "a" * 42}, "invalid_request"),
        ({"code_challenge": "a" * 129}, "invalid_request"),
        ({"code_challenge": "a" * 42 + "="}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1.5"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request_object"),
        ({"request_uri": "https://evil.example/request"}, "request_uri_not_supported"),
        ({"claims": "{"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"id_token_hint": "not.a.token"}, "invalid_request"),
        ({"resource": "https://elsewhere.example/"}, "invalid_target"),
    ],
)
def test_what_is_wrong_goes_back_to_the_client(kari: Person, parameters: dict[str, str], error: str) -> None:
    """SR-67, SR-70, SR-75, SR-58, section R; RFC 8707 §2."""
    assert refused(kari, **parameters)["error"] == error


def test_duplicate_parameters_are_refused_and_unknown_ones_ignored(kari: Person) -> None:
    """SR-73: query and body are never merged."""
    query = urlencode(kari.request())
    assert kari.goes(f"/authorize?{query}&nonce=another").redirected_to()["error"] == "invalid_request"
    assert "code" in kari.goes(f"/authorize?{query}&colour=blue").redirected_to()


@pytest.mark.parametrize("odd", ["%00", "%ff%fe", "x" * 9000])
def test_odd_bytes_and_oversized_parameters_are_refused(kari: Person, odd: str) -> None:
    """SR-90."""
    kari.goes(f"/authorize?{urlencode(kari.request(nonce=''))}&nonce={odd}")
    assert kari.redirected_to()["error"] == "invalid_request"  # requirements, section R


def test_state_comes_back_byte_for_byte(kari: Person) -> None:
    """SR-73."""
    state = "æ ø=å&?#%20+\"'<" + "x" * 900
    assert kari.comes_from_portal(state=state).redirected_to()["state"] == state


def test_a_post_is_as_good_as_a_get(kari: Person) -> None:
    """OIDC Core §3.1.2.1."""
    kari.posts("/authorize", kari.request())
    assert "code" in kari.redirected_to()


def test_prompt_none_never_shows_a_page(provider: Provider) -> None:
    """SR-58, OIDC Core §3.1.2.6."""
    nobody = provider.person()
    assert refused(nobody, prompt="none")["error"] == "login_required"
    kari = provider.person().is_signed_in()
    assert "code" in kari.comes_from_portal(prompt="none").redirected_to()


def test_max_age_asks_again_only_when_the_sign_in_is_older(provider: Provider, clock) -> None:
    """SR-58."""
    kari = provider.person().is_signed_in()
    clock.advance(100)
    assert "code" in kari.comes_from_portal(max_age="101", prompt="none").redirected_to()
    assert refused(kari, max_age="99", prompt="none")["error"] == "login_required"
    assert kari.comes_from_portal(max_age="0").step == "login"


def test_a_hint_for_somebody_else_is_login_required(provider: Provider) -> None:
    """SR-58."""
    kari, ola = provider.person().is_signed_in(), provider.person().is_signed_in()
    olas = ola.comes_from_portal().tokens()["id_token"]
    assert refused(kari, prompt="none", id_token_hint=olas)["error"] == "login_required"
    assert "code" in ola.comes_from_portal(prompt="none", id_token_hint=olas).redirected_to()


@pytest.mark.parametrize(
    "parameters",
    [
        {"acr_values": "http://eidas.europa.eu/LoA/high"},
        {"claims": '{"id_token":{"acr":{"essential":true,"value":"http://eidas.europa.eu/LoA/substantial"}}}'},
        {"claims": '{"id_token":{"acr":{"essential":true,"values":["unknown"]}}}'},
    ],
)
def test_a_level_that_cannot_be_reached_is_an_error(kari: Person, parameters: dict[str, str]) -> None:
    """SR-59: never silently less."""
    assert refused(kari, **parameters)["error"] == "unmet_authentication_requirements"


def test_a_reachable_or_unknown_voluntary_level_is_answered(kari: Person) -> None:
    """DESIGN §5: unknown values are ignored unless essential."""
    both = "http://eidas.europa.eu/LoA/high https://refeds.org/profile/mfa"
    assert "code" in kari.comes_from_portal(acr_values=both).redirected_to()
    assert "code" in kari.comes_from_portal(acr_values="urn:nobody:knows").redirected_to()


def test_a_stranger_client_redirects_nobody_before_sign_in(provider: Provider) -> None:
    """SR-69, RFC 9700 §4.11.2: no open redirector."""
    stranger = provider.register(client_name="Stranger", first_party=False).client.client_id
    nobody = provider.person().comes_from_portal(client_id=stranger, scope="nonsense")
    assert nobody.answer.status_code == 400
    assert "Location" not in nobody.answer.headers


def test_consent_is_asked_once_and_refusing_is_polite(provider: Provider) -> None:
    """SR-76."""
    stranger = provider.register(client_name="Stranger", first_party=False).client.client_id
    kari = provider.person().is_signed_in()
    kari.comes_from_portal(client_id=stranger)
    assert kari.step == "consent"
    assert "Stranger" in kari.page.heading
    assert kari.sends("refuse").redirected_to()["error"] == "access_denied"
    kari.comes_from_portal(client_id=stranger).sends("share")
    assert "code" in kari.redirected_to()
    assert "code" in kari.comes_from_portal(client_id=stranger, prompt="none").redirected_to()


def test_prompt_none_without_consent_is_consent_required(provider: Provider) -> None:
    stranger = provider.register(client_name="Stranger", first_party=False).client.client_id
    kari = provider.person().is_signed_in()
    assert refused(kari, client_id=stranger, prompt="none")["error"] == "consent_required"


def test_an_answer_is_taken_once_and_by_the_same_browser(provider: Provider) -> None:
    """The seam: resuming twice, or elsewhere, gives nothing."""
    kari = provider.person().signs_up()
    stranger = provider.person()
    kari.comes_from_portal(prompt="login")
    journey = kari.answer.request.path.split("/")[2]
    stranger.goes("/").goes(f"/authorize/resume/{journey}")
    assert PORTAL not in (stranger.answer.headers.get("Location") or "")
    kari.goes(f"/authorize/resume/{journey}")
    assert kari.step == "login"


def test_no_cors_on_the_authorization_endpoint(kari: Person) -> None:
    """SR-77."""
    kari.comes_from_portal()
    assert not any(name.startswith("Access-Control") for name, _ in kari.answer.headers)


def test_a_registered_query_string_is_kept(provider: Provider) -> None:
    """CLIENTS: a registered redirect URI may carry a query."""
    uri = f"{PORTAL}?tenant=1"
    client = provider.register(redirect_uris=[uri]).client.client_id
    kari = provider.person().is_signed_in().comes_from_portal(client_id=client, redirect_uri=uri)
    query = parse_qs(urlsplit(kari.answer.headers["Location"]).query)
    assert query["tenant"] == ["1"]
    assert "code" in query


def test_a_native_client_may_use_any_loopback_port(provider: Provider) -> None:
    """SR-68, RFC 8252 §7.3."""
    client = provider.register(
        application_type="native", token_endpoint_auth_method="none", redirect_uris=["http://127.0.0.1/callback"]
    ).client.client_id
    kari = provider.person().is_signed_in()
    kari.comes_from_portal(client_id=client, redirect_uri="http://127.0.0.1:49152/callback")
    assert kari.answer.headers["Location"].startswith("http://127.0.0.1:49152/callback?code=")
    kari.comes_from_portal(client_id=client, redirect_uri="http://localhost:49152/callback")
    assert kari.answer.status_code == 400


@pytest.mark.parametrize("repeated", ["client_id", "redirect_uri"])
def test_a_repeated_client_or_redirect_uri_goes_nowhere(kari: Person, repeated: str) -> None:
    """SR-69, SR-73."""
    given = kari.request()
    kari.goes(f"/authorize?{urlencode([*given.items(), (repeated, given[repeated])])}")
    assert kari.answer is not None
    assert kari.answer.status_code == 400


def test_a_state_that_is_repeated_or_over_2_kib_is_an_error_without_state(kari: Person) -> None:
    """SR-73."""
    for states in (["one", "two"], ["s" * 2049]):
        given = [*kari.request(state="").items(), *(("state", state) for state in states)]
        told = kari.goes(f"/authorize?{urlencode(given)}").redirected_to()
        assert told["error"] == "invalid_request"
        assert "state" not in told


def test_claims_that_are_nested_without_end_are_an_invalid_request(kari: Person) -> None:
    """OIDC Core §5.5; SR-122."""
    assert refused(kari, claims="[" * 8000)["error"] == "invalid_request"


def test_strangers_are_not_sent_on_to_a_client_that_is_not_trusted(provider: Provider) -> None:
    """RFC 9700 §4.11.2; SR-69."""
    other = provider.register(first_party=False).client.client_id
    for parameters in ({"prompt": "none"}, {"scope": "openid admin"}):
        stranger = provider.person().comes_from_portal(client_id=other, **parameters)
        assert stranger.answer is not None
        assert stranger.answer.status_code == 400
    kari = provider.person().is_signed_in()
    assert refused(kari, client_id=other, scope="openid admin")["error"] == "invalid_scope"
    assert refused(kari, client_id=other, prompt="none")["error"] == "consent_required"
