"""How an authorization answer reaches the client: OAuth 2.0 Form Post Response Mode, and JARM."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from idp import clock
from tests.people import PORTAL, Person, Provider


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


def posted(person: Person) -> dict[str, str]:
    """What the page's form would bring to the portal."""
    assert person.answer is not None
    assert person.answer.status_code == 200
    assert f'<form method="post" action="{PORTAL}"' in person.page.html
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', person.page.html)
    return {name: html.unescape(value) for name, value in fields}


def opened(person: Person, answer: dict[str, str], *, algorithm: str = "ES256") -> dict[str, str]:
    """The claims of a signed answer, verified as a client does."""
    assert set(answer) == {"response"}  # JARM §2.3: nothing beside it
    client = person.provider.app.test_client()
    keys = KeySet.import_key_set(client.get("/jwks", base_url="https://login.example").get_json())
    token = jwt.decode(answer["response"], keys, algorithms=[algorithm])
    assert token.header["alg"] == algorithm
    claims: dict[str, str] = token.claims
    return claims


def redeems(person: Person, code: str) -> bool:
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": PORTAL, "code_verifier": person.verifier}
    return "access_token" in person.provider.post("/token", body).get_json()


# Form post


def test_the_answer_is_a_form_that_goes_to_the_redirect_uri(kari: Person) -> None:
    """Form Post §2; RFC 9207 §2: with its issuer."""
    told = posted(kari.comes_from_portal(response_mode="form_post"))

    assert set(told) == {"code", "state", "iss"}
    assert (told["state"], told["iss"]) == ("the-state", "https://login.example")
    assert redeems(kari, told["code"])


def test_the_page_may_send_to_that_origin_only_and_is_kept_by_nobody(kari: Person) -> None:
    """SR-113."""
    kari.comes_from_portal(response_mode="form_post")

    assert kari.answer.headers["Cache-Control"] == "no-store"
    policy = kari.answer.headers["Content-Security-Policy"]
    assert "form-action 'self' https://portal.example;" in policy
    assert "unsafe-inline" not in policy
    assert kari.answer.headers["Referrer-Policy"] == "no-referrer"


def test_an_error_takes_the_same_way(kari: Person) -> None:
    told = posted(kari.comes_from_portal(response_mode="form_post", prompt="none", max_age="0"))

    assert told["error"] == "login_required"
    assert (told["state"], told["iss"]) == ("the-state", "https://login.example")


def test_what_was_given_is_given_back_as_text(kari: Person) -> None:
    state = "\"><script>alert('x')</script>&amp;"
    told = posted(kari.comes_from_portal(response_mode="form_post", state=state))

    assert told["state"] == state
    assert "<script>alert" not in kari.page.html


def test_after_a_journey_the_mode_is_still_known(provider: Provider) -> None:
    kari = provider.person()
    kari.signs_up(response_mode="form_post")

    assert redeems(kari, posted(kari)["code"])


@pytest.mark.parametrize("mode", ["fragment", "fragment.jwt", "web_message", "Query", "query query", "jwt.jwt"])
def test_another_mode_is_refused_in_the_query(kari: Person, mode: str) -> None:
    """OAuth 2.0 Multiple Response Types §2.1: an error the client can read."""
    told = kari.comes_from_portal(response_mode=mode).redirected_to()

    assert told["error"] == "invalid_request"
    assert "response_mode" in told["error_description"]


# Signed answers


@pytest.mark.parametrize("mode", ["jwt", "query.jwt", "form_post.jwt"])
def test_a_signed_answer_says_who_for_whom_and_until_when(kari: Person, mode: str) -> None:
    """JARM §2.1, §2.3; `jwt` is `query.jwt` for a code."""
    kari.comes_from_portal(response_mode=mode)
    told = opened(kari, posted(kari) if mode.startswith("form") else kari.redirected_to())

    assert set(told) == {"iss", "aud", "exp", "code", "state"}
    assert (told["iss"], told["aud"], told["state"]) == ("https://login.example", kari.provider.portal, "the-state")
    assert 0 < int(told["exp"]) - clock.timestamp() <= 600
    assert redeems(kari, told["code"])


def test_a_signed_error(kari: Person) -> None:
    """JARM §2.1."""
    told = opened(kari, kari.comes_from_portal(response_mode="jwt", scope="profile").redirected_to())

    assert told["error"] == "invalid_scope"
    assert told["state"] == "the-state"
    assert "code" not in told


def test_the_code_stands_nowhere_but_in_the_token(kari: Person) -> None:
    kari.comes_from_portal(response_mode="jwt")
    location = kari.answer.headers["Location"]
    code = opened(kari, kari.redirected_to())["code"]

    assert code not in location
    assert set(parse_qs(urlsplit(location).query)) == {"response"}


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_the_client_chooses_the_algorithm(provider: Provider, algorithm: str) -> None:
    """JARM §3."""
    client = provider.register(authorization_signed_response_alg=algorithm).client
    kari = provider.person().is_signed_in()
    answer = kari.comes_from_portal(client_id=client.client_id, response_mode="jwt").redirected_to()

    assert opened(kari, answer, algorithm=algorithm)["aud"] == client.client_id


def test_a_signed_answer_is_no_id_token(kari: Person) -> None:
    """RFC 8725 §3.11: a type of its own, so that no one is taken for the other."""
    answer = kari.comes_from_portal(response_mode="jwt").redirected_to()["response"]
    told = kari.comes_from_portal(id_token_hint=answer).redirected_to()

    assert told["error"] == "invalid_request"
    assert "id_token_hint" in told["error_description"]


def test_discovery_names_the_modes_and_algorithms(provider: Provider) -> None:
    """JARM §4."""
    client = provider.app.test_client()
    told = client.get("/.well-known/openid-configuration", base_url="https://login.example").get_json()

    assert told["response_modes_supported"] == ["query", "form_post", "jwt", "query.jwt", "form_post.jwt"]
    assert told["authorization_signing_alg_values_supported"] == told["id_token_signing_alg_values_supported"]


# Encrypted answers

ENCRYPTION = RSAKey.generate_key(2048, parameters={"kid": "enc", "use": "enc"})


@pytest.mark.parametrize("mode", ["query.jwt", "form_post.jwt"])
@pytest.mark.parametrize(("cipher", "used"), [(None, "A128CBC-HS256"), ("A256GCM", "A256GCM")])
def test_an_encrypted_answer_is_signed_inside(provider: Provider, mode: str, cipher: str | None, used: str) -> None:
    """JARM §2.2: signed, then encrypted; §3: A128CBC-HS256 where no cipher is named."""
    client = encrypting(provider, authorization_encrypted_response_enc=cipher)
    kari = provider.person().is_signed_in().comes_from_portal(client_id=client, response_mode=mode)
    answer = posted(kari) if mode.startswith("form") else kari.redirected_to()
    outer = jwe.decrypt_compact(answer["response"], ENCRYPTION, algorithms=["RSA-OAEP-256", used])

    assert (outer.protected["cty"], outer.protected["kid"], outer.protected["enc"]) == ("JWT", "enc", used)
    assert outer.plaintext is not None
    told = opened(kari, {"response": outer.plaintext.decode()})
    assert (told["aud"], told["state"]) == (client, "the-state")
    assert told["code"]


def test_errors_are_encrypted_too(provider: Provider) -> None:
    """JARM §2.1."""
    client = encrypting(provider)
    kari = provider.person().is_signed_in()
    answer = kari.comes_from_portal(client_id=client, response_mode="jwt", scope="profile").redirected_to()
    outer = jwe.decrypt_compact(answer["response"], ENCRYPTION, algorithms=["RSA-OAEP-256", "A128CBC-HS256"])

    assert outer.plaintext is not None
    assert opened(kari, {"response": outer.plaintext.decode()})["error"] == "invalid_scope"


def test_what_the_client_could_not_read_goes_nowhere(provider: Provider) -> None:
    """No code and no error in the clear: the person is told, on our own page."""
    other = ECKey.generate_key("P-256", parameters={"kid": "sig"})
    client = encrypting(provider, jwks={"keys": [other.as_dict(private=False)]})
    kari = provider.person().is_signed_in()
    for more in ({}, {"scope": "profile"}):
        kari.comes_from_portal(client_id=client, response_mode="jwt", **more)
        assert kari.answer is not None
        assert kari.answer.status_code == 400
        assert "Location" not in kari.answer.headers
        assert kari.page.heading == "We cannot continue from here"


def encrypting(provider: Provider, **metadata: Any) -> str:
    keys = {"keys": [ENCRYPTION.as_dict(private=False)]}
    told = {"jwks": keys, "authorization_encrypted_response_alg": "RSA-OAEP-256", **metadata}
    return provider.register(**told).client.client_id
