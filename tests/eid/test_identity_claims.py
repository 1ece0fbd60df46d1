"""Who somebody is, told to whom it may concern: verified claims, and the national number (SR-123)."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from idp.eid import registry
from idp.protocol.metadata import Metadata
from idp.rules.assurance import HIGH
from tests.eid.scripted import KARI, Scripted
from tests.eid.test_proving import confirms
from tests.people import Person, Provider
from tests.protocol.signed_in import told

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)
"""Which claims are told to whom has nothing to do with where they are kept."""

ASKED = {
    "verification": {"trust_framework": None, "assurance_level": {"value": "high"}, "evidence": [{"type": None}]},
    "claims": {"family_name": None, "national_number": None},
}
ALL = "openid profile national_number"


@pytest.fixture
def portal(provider: Provider) -> Provider:
    """The portal may ask for more than it usually does."""
    registered = provider.register(scope=f"{ALL} email offline_access payslips")
    provider.portal, provider.secret = registered.client.client_id, registered.secret or ""
    return provider


def proved(provider: Provider, eid: Scripted, **parameters: str) -> Person:
    """Somebody who has just proved who they are, back at the portal."""
    return confirms(
        provider.person().is_signed_in().comes_from_portal(acr_values=HIGH, **{"scope": ALL, **parameters}), eid
    )


def userinfo(provider: Provider, token: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    answer = provider.app.test_client().get("/userinfo", base_url="https://login.example", headers=headers)
    found: dict[str, Any] = answer.get_json()
    return found


def asking(where: str, requested: Any = ASKED) -> str:
    return json.dumps({where: {"verified_claims": requested}})


def test_userinfo_tells_what_was_verified_and_asked_for(portal: Provider, eid: Scripted) -> None:
    tokens = proved(portal, eid, claims=asking("userinfo")).tokens()
    found = userinfo(portal, tokens["access_token"])

    assert found["verified_claims"] == {
        "verification": {
            "trust_framework": "test-eid",
            "assurance_level": "high",
            "evidence": [{"type": "electronic_record"}],
        },
        "claims": {"family_name": "Nordmann", "national_number": {"country": "NO", "number": KARI["number"]}},
    }
    assert found["national_number"] == {"country": "NO", "number": KARI["number"]}
    assert "verified_claims" not in told(tokens["id_token"])


def test_the_id_token_tells_it_where_it_was_asked_to(portal: Provider, eid: Scripted) -> None:
    claims = told(proved(portal, eid, claims=asking("id_token")).tokens()["id_token"])

    assert claims["verified_claims"]["claims"]["family_name"] == "Nordmann"


def test_the_national_number_goes_with_its_own_scope_only(portal: Provider, eid: Scripted) -> None:
    tokens = proved(portal, eid, scope="openid profile", claims=asking("userinfo")).tokens()
    found = userinfo(portal, tokens["access_token"])

    assert found["verified_claims"]["claims"] == {"family_name": "Nordmann"}
    assert "national_number" not in found
    assert KARI["number"] not in json.dumps(told(tokens["id_token"]))


def test_to_ask_for_verified_claims_is_to_ask_for_their_scope(portal: Provider, eid: Scripted) -> None:
    """Identity Assurance §5: the `claims` parameter alone asks; the client hears what it got (RFC 6749 §3.3)."""
    tokens = proved(portal, eid, scope="openid", claims=asking("userinfo")).tokens()

    assert tokens["scope"].split() == ["openid", "profile"]
    assert userinfo(portal, tokens["access_token"])["verified_claims"]["claims"]["family_name"] == "Nordmann"


def test_a_client_that_is_not_registered_for_the_scope_is_told_nothing_verified(
    provider: Provider, eid: Scripted
) -> None:
    """SR-123."""
    registered = provider.register(scope="openid email payslips")
    provider.portal, provider.secret = registered.client.client_id, registered.secret or ""
    tokens = proved(provider, eid, scope="openid", claims=asking("userinfo")).tokens()

    assert tokens["scope"] == "openid"
    assert "verified_claims" not in userinfo(provider, tokens["access_token"])


def test_the_person_is_asked_whether_to_share_what_was_verified(portal: Provider) -> None:
    """SR-76: also where the client named no scope for it."""
    registered = portal.register(first_party=False, client_name="Feriehjelpen")
    portal.portal, portal.secret = registered.client.client_id, registered.secret or ""
    kari = portal.person().is_signed_in().comes_from_portal(scope="openid", claims=asking("userinfo"))

    assert kari.page.heading == "Share information with Feriehjelpen?"
    assert "your name and date of birth if you have confirmed who you are" in kari.page.text


def test_a_client_that_is_not_registered_for_the_number_cannot_ask_for_it(provider: Provider, eid: Scripted) -> None:
    kari = provider.person().is_signed_in().comes_from_portal(acr_values=HIGH, scope=ALL)

    assert kari.redirected_to()["error"] == "invalid_scope"


def test_a_constraint_that_does_not_hold_leaves_all_of_it_out(portal: Provider, eid: Scripted) -> None:
    asked = {"verification": {"trust_framework": {"value": "de_aml"}}, "claims": {"family_name": None}}
    tokens = proved(portal, eid, claims=asking("userinfo", asked)).tokens()

    assert "verified_claims" not in userinfo(portal, tokens["access_token"])


def test_a_request_that_is_none_is_refused(portal: Provider) -> None:
    kari = portal.person().is_signed_in().comes_from_portal(scope=ALL, claims=asking("userinfo", {"claims": {}}))

    assert kari.redirected_to()["error"] == "invalid_request"


def test_nothing_is_told_of_who_has_proved_nothing(portal: Provider) -> None:
    tokens = portal.person().is_signed_in().comes_from_portal(scope=ALL, claims=asking("userinfo")).tokens()

    assert set(userinfo(portal, tokens["access_token"])) <= {"sub", "locale", "updated_at"}


def test_an_access_token_for_an_api_holds_nothing_of_the_person(portal: Provider, eid: Scripted) -> None:
    """SR-93."""
    kari = proved(portal, eid, resource="https://alumni.example/api")
    claims = told(kari.tokens(resource="https://alumni.example/api")["access_token"])

    assert not {"national_number", "verified_claims", "given_name", "birthdate"} & set(claims)
    assert claims["acr"] == HIGH


def test_discovery_says_what_can_be_verified(provider: Provider) -> None:
    document = provider.app.test_client().get("/.well-known/openid-configuration", base_url="https://login.example")

    assert "verified_claims_supported" not in document.get_json()  # no eID is in these settings


@pytest.mark.parametrize(
    ("kind", "evidence", "records"),
    [("norwegian_bankid", ["electronic_record"], ["eid"]), ("smart_id", ["electronic_signature"], None)],
)
def test_metadata_tell_what_the_eids_here_bring(kind: str, evidence: list[str], records: Any, stores: object) -> None:
    """Identity Assurance §8: evidence_supported, electronic_records_supported, documents_check_methods_supported."""
    parts = SimpleNamespace(trust_frameworks=("x",), evidence=registry.evidence({"one": {"connector": kind}}))
    told_clients = Metadata(parts)._assured()  # type: ignore[arg-type]

    assert told_clients["evidence_supported"] == evidence
    assert told_clients.get("electronic_records_supported") == records
    assert told_clients.get("documents_check_methods_supported") == (["data"] if records else None)
    assert set(registry.EVIDENCE) == set(registry.KINDS)
