"""Token exchange: RFC 8693, narrowing only, who acts recorded in `act`."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from idp.rules.client_metadata import TOKEN_EXCHANGE
from idp.services.clients import Registered
from tests.conftest import Clock
from tests.people import PAYSLIPS, Person, Provider
from tests.proofs import dpop_proof
from tests.protocol.signed_in import BASE, bearer, code_form, error, gets, posts, refreshes, told

KIND = "urn:ietf:params:oauth:token-type:access_token"
ARCHIVE, VAULT = "https://archive.example/", "https://vault.example/"
KEY = ECKey.generate_key("P-256")


def api(provider: Provider, own: str, *beyond: str, **metadata: Any) -> Registered:
    """An API that may ask the next ones."""
    usual = {"grant_types": [TOKEN_EXCHANGE], "redirect_uris": [], "client_uri": None, "scope": ""}
    return provider.register(**{**usual, "resource_server": own, "resources": list(beyond), **metadata})


@pytest.fixture(scope="module")
def payslips(provider: Provider) -> Registered:
    return api(provider, PAYSLIPS, ARCHIVE, "https://other.example/")


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


def tokens(person: Person, **parameters: str) -> dict[str, Any]:
    """What the portal has, for the API."""
    person.comes_from_portal(**{"resource": PAYSLIPS, "scope": "openid email offline_access payslips", **parameters})
    given: dict[str, Any] = posts(person.provider, "/token", code_form(person)).get_json()
    return given


def exchanges(
    client: Registered, provider: Provider, subject: str, proof: str | None = None, **more: Any
) -> TestResponse:
    form = {
        "grant_type": TOKEN_EXCHANGE,
        "subject_token": subject,
        "subject_token_type": KIND,
        "resource": ARCHIVE,
        **more,
    }
    kept = {name: value for name, value in form.items() if value}
    return posts(provider, "/token", kept, caller=client, headers={"DPoP": proof} if proof else {})


def test_an_api_gets_a_token_for_the_next_one(kari: Person, provider: Provider, payslips: Registered) -> None:
    """§2.2.1, §4.1: the person stays, who acts is told, the audience is the next API's; no refresh token."""
    given = tokens(kari)
    answer = exchanges(payslips, provider, given["access_token"]).get_json()
    made, before = told(answer["access_token"]), told(given["access_token"])

    assert (answer["issued_token_type"], answer["token_type"]) == (KIND, "Bearer")
    assert "refresh_token" not in answer
    assert (made["sub"], made["aud"]) == (before["sub"], ARCHIVE)
    assert made["client_id"] == payslips.client.client_id
    assert made["act"] == {"sub": payslips.client.client_id}
    assert [made[name] for name in ("acr", "amr", "auth_time")] == [
        before[name] for name in ("acr", "amr", "auth_time")
    ]
    assert made["exp"] <= before["exp"]
    assert made["scope"] == "payslips"  # nothing that opens userinfo goes along
    assert error(gets(provider, "/userinfo", **bearer(answer["access_token"]))) == (401, "invalid_token")


def test_the_chain_of_those_who_act_grows(kari: Person, provider: Provider, payslips: Registered) -> None:
    """§4.1."""
    archive = api(provider, ARCHIVE, VAULT)
    first = exchanges(payslips, provider, tokens(kari)["access_token"]).get_json()["access_token"]
    second = exchanges(archive, provider, first, resource=VAULT).get_json()["access_token"]

    assert told(second)["act"] == {"sub": archive.client.client_id, "act": {"sub": payslips.client.client_id}}
    live = posts(provider, "/introspect", {"token": second}, caller=archive).get_json()
    assert live["act"] == told(second)["act"]


def test_the_chain_has_an_end(kari: Person, provider: Provider) -> None:
    ring = api(provider, PAYSLIPS, PAYSLIPS)
    token = tokens(kari)["access_token"]
    for _ in range(4):
        token = exchanges(ring, provider, token, resource=PAYSLIPS).get_json()["access_token"]

    assert error(exchanges(ring, provider, token, resource=PAYSLIPS)) == (400, "invalid_request")


def test_it_falls_with_the_grant(kari: Person, provider: Provider, payslips: Registered) -> None:
    """Revocation is visible everywhere."""
    given = tokens(kari)
    made = exchanges(payslips, provider, given["access_token"]).get_json()["access_token"]
    archive = api(provider, ARCHIVE, VAULT)
    assert posts(provider, "/introspect", {"token": made}, caller=archive).get_json()["active"]

    posts(provider, "/revoke", {"token": given["refresh_token"]})
    assert posts(provider, "/introspect", {"token": made}, caller=archive).get_json() == {"active": False}
    assert error(exchanges(payslips, provider, given["access_token"])) == (400, "invalid_request")


def test_it_lives_no_longer_than_what_it_came_from(
    kari: Person, provider: Provider, payslips: Registered, clock: Clock
) -> None:
    given = tokens(kari)
    clock.advance(590)

    assert exchanges(payslips, provider, given["access_token"]).get_json()["expires_in"] <= 10
    clock.advance(20)
    assert error(exchanges(payslips, provider, given["access_token"])) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token_type": ""}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"actor_token": "x", "actor_token_type": KIND}, "invalid_request"),
        ({"resource": VAULT}, "invalid_target"),
        ({"resource": "", "audience": VAULT}, "invalid_target"),
        ({"scope": "payslips write"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"scope": "email"}, "invalid_scope"),
    ],
    ids=str,
)
def test_nothing_grows(
    kari: Person, provider: Provider, payslips: Registered, changes: dict[str, str], code: str
) -> None:
    """§2.1, §2.2.2."""
    assert error(exchanges(payslips, provider, tokens(kari)["access_token"], **changes)) == (400, code)


def test_only_who_it_is_for_may_exchange_it(kari: Person, provider: Provider, payslips: Registered) -> None:
    """Neither another API, nor a token of another kind, nor a machine's."""
    given = tokens(kari)
    other = api(provider, VAULT, ARCHIVE)
    machine = provider.register(grant_types=["client_credentials"], redirect_uris=[], client_uri=None, scope="payslips")
    form = {"grant_type": "client_credentials", "resource": PAYSLIPS}
    machines = posts(provider, "/token", form, caller=machine).get_json()["access_token"]

    assert error(exchanges(other, provider, given["access_token"])) == (400, "invalid_request")
    for token in (
        given["id_token"],
        given["refresh_token"],
        machines,
        tokens(kari, resource="")["access_token"],
        "x.y.z",
    ):
        assert error(exchanges(payslips, provider, token)) == (400, "invalid_request")


def test_a_client_must_be_registered_for_it(kari: Person, provider: Provider) -> None:
    form = {"grant_type": TOKEN_EXCHANGE, "subject_token": tokens(kari)["access_token"], "subject_token_type": KIND}

    assert error(posts(provider, "/token", form)) == (400, "unauthorized_client")
    wrong: list[dict[str, Any]] = [{"resource_server": None}, {"resources": []}, {"token_endpoint_auth_method": "none"}]
    for metadata in wrong:
        with pytest.raises(ValueError, match=r"grant_types|token_endpoint_auth_method"):
            api(provider, PAYSLIPS, ARCHIVE, **metadata)


def test_the_new_token_may_be_bound_to_the_apis_key(kari: Person, provider: Provider, payslips: Registered) -> None:
    """RFC 9449: to the key of who acts, not of who acted before."""
    proof = dpop_proof(KEY, "POST", f"{BASE}/token")
    answer = exchanges(payslips, provider, tokens(kari)["access_token"], proof).get_json()

    assert answer["token_type"] == "DPoP"
    assert told(answer["access_token"])["cnf"] == {"jkt": KEY.thumbprint()}


def test_the_person_goes_on_as_before(kari: Person, provider: Provider, payslips: Registered) -> None:
    given = tokens(kari)
    exchanges(payslips, provider, given["access_token"])

    assert refreshes(provider, given["refresh_token"]).status_code == 200
