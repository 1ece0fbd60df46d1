"""Who answers: RFC 9207 (`iss` in every authorization answer), and what metadata say of the same (RFC 8414)."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from tests.people import Person, Provider
from tests.protocol.signed_in import BASE, gets, signed_in, told


@pytest.fixture
def kari(provider: Provider) -> Person:
    return signed_in(provider)


def answer(person: Person, mode: str) -> dict[str, str]:
    """What the client gets, in whichever way; of a signed answer, what is signed."""
    if mode.startswith("form_post"):
        fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', person.page.html)
        found = {name: html.unescape(value) for name, value in fields}
    else:
        found = person.redirected_to()
    return told(found["response"]) if mode.endswith("jwt") else found


MODES = ("query", "form_post", "query.jwt", "form_post.jwt", "jwt")
REQUESTS: dict[str, dict[str, str]] = {
    "success": {},
    "an invalid scope": {"scope": "profile"},
    "no PKCE": {"code_challenge": "", "code_challenge_method": ""},
    "another response type": {"response_type": "token"},
    "an unknown resource": {"resource": "https://elsewhere.example/"},
    "bad details": {"authorization_details": "[]"},
    "an unreachable level": {"acr_values": "http://eidas.europa.eu/LoA/high"},
    "a hint for nobody": {"id_token_hint": "x.y.z"},
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", REQUESTS)
def test_every_answer_names_its_issuer(kari: Person, mode: str, case: str) -> None:
    """RFC 9207 §2: success and error alike, as it stands in metadata; JARM §2.1 has it inside."""
    kari.comes_from_portal(response_mode=mode, **REQUESTS[case])
    found = answer(kari, mode)

    assert found["iss"] == BASE
    assert ("code" in found) is (case == "success")
    assert ("error" in found) is (case != "success")
    assert found["state"] == "the-state"


def test_a_refused_consent_names_it_too(kari: Person, provider: Provider) -> None:
    client = provider.register(first_party=False, client_name="Pension").client.client_id
    kari.comes_from_portal(client_id=client).sends("refuse")

    assert (kari.redirected_to()["error"], kari.redirected_to()["iss"]) == ("access_denied", BASE)


def test_nobody_who_has_to_log_in_is_told_without_it(provider: Provider) -> None:
    stranger = provider.person().comes_from_portal(prompt="none").redirected_to()

    assert (stranger["error"], stranger["iss"]) == ("login_required", BASE)


def test_the_issuer_is_an_origin_without_more(provider: Provider) -> None:
    """RFC 9207 §2, RFC 8414 §2: https, no query, no fragment; and what it says is what tokens say."""
    document = gets(provider, "/.well-known/oauth-authorization-server").get_json()

    assert document["issuer"] == BASE
    assert re.fullmatch(r"https://[a-z0-9.-]+(:\d+)?", document["issuer"])
    assert document["authorization_response_iss_parameter_supported"] is True


@pytest.mark.parametrize("name", ["openid-configuration", "oauth-authorization-server"])
def test_metadata_are_a_json_object_without_nothing(provider: Provider, name: str) -> None:
    """RFC 8414 §3.2: 200, application/json; claims with zero elements and null are left out."""
    found = gets(provider, f"/.well-known/{name}")
    document: dict[str, Any] = found.get_json()

    assert (found.status_code, found.mimetype) == (200, "application/json")
    assert not [member for member, value in document.items() if value is None or value == []]
    assert {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported"} <= set(
        document
    )
    assert {"subject_types_supported", "id_token_signing_alg_values_supported"} <= set(document)  # Discovery §3
    for member in ("token", "introspection", "revocation"):
        assert document[f"{member}_endpoint_auth_signing_alg_values_supported"]  # RFC 8414 §2: with *_jwt methods
        assert "none" not in document[f"{member}_endpoint_auth_signing_alg_values_supported"]


def test_metadata_of_another_name_are_nobodys(provider: Provider) -> None:
    """RFC 8414 §3.1: the well-known place of this issuer, and no other host."""
    client = provider.app.test_client()

    assert client.get("/.well-known/oauth-authorization-server", base_url="https://evil.example").status_code == 400
    assert gets(provider, "/.well-known/oauth-authorization-server/tenant").status_code == 404
