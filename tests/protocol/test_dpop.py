"""Proof of possession: RFC 9449, clause by clause (SR-99)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from werkzeug.test import TestResponse

from idp import clock as idp_clock
from idp.services.clients import Registered
from tests.conftest import Clock
from tests.people import PAYSLIPS, Outside, Person, Provider, new_provider, on_sqlite, settings_for
from tests.proofs import dpop_proof
from tests.protocol.signed_in import BASE, code_form, error, gets, part, posts, refreshes, told
from tests.races.together import in_parallel

KEY = ECKey.generate_key("P-256")
OTHER = ECKey.generate_key("P-256")
TOKEN, USERINFO, PAR = f"{BASE}/token", f"{BASE}/userinfo", f"{BASE}/par"


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


def exchanged(person: Person, proof: str | None, **changes: str) -> TestResponse:
    """The portal's exchange, with this proof."""
    return posts(person.provider, "/token", code_form(person, **changes), headers={"DPoP": proof} if proof else {})


def bound(person: Person, key: Any = KEY, **parameters: str) -> str:
    """An access token that is bound to this key."""
    person.comes_from_portal(**parameters)
    answer = exchanged(person, dpop_proof(key, "POST", TOKEN))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    token: str = answer.get_json()["access_token"]
    return token


def asks(provider: Provider, token: str, proof: str | None, *, scheme: str = "DPoP") -> TestResponse:
    headers = {"Authorization": f"{scheme} {token}", **({"DPoP": proof} if proof else {})}
    return gets(provider, "/userinfo", **headers)


# The token endpoint


@pytest.mark.parametrize("parameters", [{}, {"resource": PAYSLIPS}], ids=["opaque", "jwt"])
def test_a_token_is_bound_to_the_key_of_the_proof(kari: Person, parameters: dict[str, str]) -> None:
    """§5, §6.1: token_type DPoP, and the thumbprint in `cnf`; introspection tells it, too (§6.2)."""
    kari.comes_from_portal(**parameters)
    answer = exchanged(kari, dpop_proof(KEY, "POST", TOKEN))

    given = answer.get_json()
    assert (answer.status_code, given["token_type"]) == (200, "DPoP")
    if parameters:
        assert told(given["access_token"])["cnf"] == {"jkt": KEY.thumbprint()}
    live = posts(kari.provider, "/introspect", {"token": given["access_token"]}).get_json()
    assert (live["cnf"], live["token_type"]) == ({"jkt": KEY.thumbprint()}, "DPoP")


def test_without_a_proof_it_is_a_bearer_token(kari: Person) -> None:
    """§5."""
    kari.comes_from_portal(resource=PAYSLIPS)
    given = exchanged(kari, None).get_json()

    assert given["token_type"] == "Bearer"
    assert "cnf" not in told(given["access_token"])


BAD: dict[str, Callable[[], str]] = {
    "no JWT": lambda: "nothing",
    "two proofs": lambda: f"{dpop_proof(KEY, 'POST', TOKEN)},{dpop_proof(KEY, 'POST', TOKEN)}",
    "no jti": lambda: dpop_proof(KEY, "POST", TOKEN, jti=None),
    "an empty jti": lambda: dpop_proof(KEY, "POST", TOKEN, jti=""),
    "an endless jti": lambda: dpop_proof(KEY, "POST", TOKEN, jti="j" * 257),
    "no htm": lambda: dpop_proof(KEY, "POST", TOKEN, htm=None),
    "another method": lambda: dpop_proof(KEY, "GET", TOKEN),
    "no htu": lambda: dpop_proof(KEY, "POST", TOKEN, htu=None),
    "an htu that is no text": lambda: dpop_proof(KEY, "POST", TOKEN, htu=7),
    "an htu that is no URI": lambda: dpop_proof(KEY, "POST", "https://[login.example/token"),
    "another path": lambda: dpop_proof(KEY, "POST", USERINFO),
    "another host": lambda: dpop_proof(KEY, "POST", "https://login.example.evil/token"),
    "no iat": lambda: dpop_proof(KEY, "POST", TOKEN, iat=None),
    "an iat that is no number": lambda: dpop_proof(KEY, "POST", TOKEN, iat="now"),
    "an iat that is a truth value": lambda: dpop_proof(KEY, "POST", TOKEN, iat=True),
    "no typ": lambda: dpop_proof(KEY, "POST", TOKEN, header={"typ": None}),
    "another typ": lambda: dpop_proof(KEY, "POST", TOKEN, header={"typ": "JWT"}),
    "no key": lambda: dpop_proof(KEY, "POST", TOKEN, header={"jwk": None}),
    "another's key": lambda: dpop_proof(KEY, "POST", TOKEN, header={"jwk": OTHER.as_dict(private=False)}),
    "the private key": lambda: dpop_proof(KEY, "POST", TOKEN, header={"jwk": KEY.as_dict(private=True)}),
    "a secret as key": lambda: dpop_proof(KEY, "POST", TOKEN, header={"jwk": OctKey.generate_key(256).as_dict()}),
    "no signature": lambda: dpop_proof(KEY, "POST", TOKEN).rpartition(".")[0] + ".",
    "alg none": lambda: (
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6Im5vbmUifQ." + dpop_proof(KEY, "POST", TOKEN).split(".")[1] + "."
    ),
    "a header from elsewhere": lambda: dpop_proof(KEY, "POST", TOKEN, header={"jku": "https://evil.example/jwks"}),
}


@pytest.mark.parametrize("case", BAD)
def test_a_proof_that_is_not_good_spends_nothing(kari: Person, case: str) -> None:
    """§4.3, each point; §5: 400 invalid_dpop_proof. It is looked at before the code is."""
    kari.comes_from_portal()

    assert error(exchanged(kari, BAD[case]())) == (400, "invalid_dpop_proof")
    assert exchanged(kari, dpop_proof(KEY, "POST", TOKEN)).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(-3600, 400), (-62, 400), (-10, 200), (8, 200), (62, 400)])
def test_a_proof_counts_for_a_minute_before_and_after(kari: Person, seconds: int, status: int) -> None:
    """§11.1; SR-99: clocks may differ a little."""
    kari.comes_from_portal()
    proof = dpop_proof(KEY, "POST", TOKEN, iat=idp_clock.timestamp() + seconds)

    assert exchanged(kari, proof).status_code == status


@pytest.mark.parametrize(
    "uri", ["HTTPS://LOGIN.example/token", "https://login.example:443/token", f"{TOKEN}?a=b#c"], ids=str
)
def test_one_address_may_be_written_in_several_ways(kari: Person, uri: str) -> None:
    """§4.3 point 9; RFC 3986 §6.2.2, §6.2.3."""
    kari.comes_from_portal()

    assert exchanged(kari, dpop_proof(KEY, "POST", uri)).status_code == 200


def test_what_is_not_known_is_ignored(kari: Person) -> None:
    """§4.2."""
    kari.comes_from_portal()
    proof = dpop_proof(KEY, "POST", TOKEN, header={"colour": "red"}, shape="round")

    assert exchanged(kari, proof).status_code == 200


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSAKey.generate_key(2048), "PS256"),
        (RSAKey.generate_key(2048), "RS256"),
        (OKPKey.generate_key("Ed25519"), "EdDSA"),
    ],
    ids=["PS256", "RS256", "EdDSA"],
)
def test_every_algorithm_that_is_announced_works(kari: Person, key: Any, algorithm: str) -> None:
    """§5.1: `dpop_signing_alg_values_supported`."""
    assert (
        algorithm
        in gets(kari.provider, "/.well-known/openid-configuration").get_json()["dpop_signing_alg_values_supported"]
    )
    kari.comes_from_portal()

    assert exchanged(kari, dpop_proof(key, "POST", TOKEN, header={"alg": algorithm})).status_code == 200


def test_a_proof_counts_once(kari: Person) -> None:
    """§11.1; SR-99."""
    proof = dpop_proof(KEY, "POST", TOKEN)
    kari.comes_from_portal()
    assert exchanged(kari, proof).status_code == 200

    kari.comes_from_portal()
    assert error(exchanged(kari, proof)) == (400, "invalid_dpop_proof")


def test_of_many_uses_at_once_one_counts(kari: Person) -> None:
    token = bound(kari)
    proof = dpop_proof(KEY, "GET", USERINFO, token=token)

    statuses = in_parallel(8, lambda: asks(kari.provider, token, proof).status_code)
    assert sorted(statuses) == [200] + [401] * 7


def test_a_client_may_have_to_prove_possession(kari: Person, provider: Provider) -> None:
    """§5.2: `dpop_bound_access_tokens`."""
    client = provider.register(dpop_bound_access_tokens=True)
    kari.comes_from_portal(client_id=client.client.client_id)
    form = code_form(kari)

    assert error(posts(provider, "/token", form, caller=client)) == (400, "invalid_dpop_proof")
    answer = posts(provider, "/token", form, caller=client, headers={"DPoP": dpop_proof(KEY, "POST", TOKEN)})
    assert answer.get_json()["token_type"] == "DPoP"


def test_a_machines_token_is_bound_too(provider: Provider) -> None:
    machine = provider.register(
        grant_types=["client_credentials"], redirect_uris=[], scope="payslips.read", client_uri=None
    )
    form = {"grant_type": "client_credentials", "resource": PAYSLIPS}
    answer = posts(provider, "/token", form, caller=machine, headers={"DPoP": dpop_proof(KEY, "POST", TOKEN)})

    assert answer.get_json()["token_type"] == "DPoP"
    assert told(answer.get_json()["access_token"])["cnf"] == {"jkt": KEY.thumbprint()}


# Refresh


@pytest.fixture
def public(provider: Provider) -> Registered:
    """A client that cannot authenticate itself."""
    return provider.register(token_endpoint_auth_method="none")


def refreshed(provider: Provider, client: Registered, token: str, proof: str | None) -> TestResponse:
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client.client.client_id}
    return posts(provider, "/token", form, authenticated=False, headers={"DPoP": proof} if proof else {})


def test_a_public_clients_refresh_token_is_bound_to_its_key(
    kari: Person, provider: Provider, public: Registered
) -> None:
    """§5: and asking with another key, or with none, spends nothing."""
    kari.comes_from_portal(client_id=public.client.client_id)
    form = code_form(kari, client_id=public.client.client_id)
    first = posts(provider, "/token", form, authenticated=False, headers={"DPoP": dpop_proof(KEY, "POST", TOKEN)})
    token = first.get_json()["refresh_token"]

    assert error(refreshed(provider, public, token, None)) == (400, "invalid_grant")
    assert error(refreshed(provider, public, token, dpop_proof(OTHER, "POST", TOKEN))) == (400, "invalid_grant")
    again = refreshed(provider, public, token, dpop_proof(KEY, "POST", TOKEN))
    assert again.get_json()["token_type"] == "DPoP"
    assert error(refreshed(provider, public, again.get_json()["refresh_token"], None)) == (400, "invalid_grant")


def test_a_client_that_authenticates_may_change_its_key(kari: Person) -> None:
    """§5: its refresh token is bound to its authentication."""
    kari.comes_from_portal()
    token = exchanged(kari, dpop_proof(KEY, "POST", TOKEN)).get_json()["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token, "resource": PAYSLIPS}
    again = posts(kari.provider, "/token", form, headers={"DPoP": dpop_proof(OTHER, "POST", TOKEN)})

    assert told(again.get_json()["access_token"])["cnf"] == {"jkt": OTHER.thumbprint()}
    assert refreshes(kari.provider, again.get_json()["refresh_token"]).get_json()["token_type"] == "Bearer"


# Protected resources


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
def test_userinfo_takes_a_token_with_its_proof(kari: Person, scheme: str) -> None:
    """§7.1; RFC 9110 §11.1: the name of a scheme has no case."""
    token = bound(kari)
    proof = dpop_proof(KEY, "GET", USERINFO, token=token)

    assert asks(kari.provider, token, proof, scheme=scheme).status_code == 200


def challenges(answer: TestResponse) -> list[str]:
    return answer.headers.getlist("WWW-Authenticate")


def test_a_bound_token_is_no_bearer_token(kari: Person) -> None:
    """§7.2: neither with a proof nor without; §7.1: and the other way round."""
    token = bound(kari)
    for proof in (None, dpop_proof(KEY, "GET", USERINFO, token=token)):
        answer = asks(kari.provider, token, proof, scheme="Bearer")
        assert error(answer) == (401, "invalid_token")
    kari.comes_from_portal()
    free = exchanged(kari, None).get_json()["access_token"]
    refused = asks(kari.provider, free, dpop_proof(KEY, "GET", USERINFO, token=free))
    assert error(refused) == (401, "invalid_token")


def test_a_bound_token_does_not_come_in_a_form(kari: Person) -> None:
    """§7.1: in the Authorization header only."""
    token = bound(kari)
    headers = {"DPoP": dpop_proof(KEY, "POST", USERINFO, token=token)}
    answer = posts(kari.provider, "/userinfo", {"access_token": token}, authenticated=False, headers=headers)

    assert error(answer) == (401, "invalid_token")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ath": None}, "invalid_dpop_proof"),
        ({"ath": "AAAA"}, "invalid_dpop_proof"),
        ({"htm": "PUT"}, "invalid_dpop_proof"),
        ({"iat": 1}, "invalid_dpop_proof"),
        ({"nonce": "made up"}, "use_dpop_nonce"),
    ],
    ids=str,
)
def test_what_is_wrong_is_a_challenge(kari: Person, changes: dict[str, Any], code: str) -> None:
    """§7.1, §9: 401, with the error and the algorithms."""
    token = bound(kari)
    answer = asks(kari.provider, token, dpop_proof(KEY, "GET", USERINFO, **{"token": token, **changes}))

    assert error(answer) == (401, code)
    (challenge,) = challenges(answer)
    assert challenge.startswith(f'DPoP error="{code}"')
    assert 'algs="ES256 ' in challenge


def test_another_key_than_the_tokens_is_refused(kari: Person) -> None:
    """§4.3 point 12."""
    token = bound(kari)

    assert error(asks(kari.provider, token, dpop_proof(OTHER, "GET", USERINFO, token=token))) == (401, "invalid_token")
    assert error(asks(kari.provider, token, None)) == (401, "invalid_dpop_proof")


def test_whoever_shows_nothing_is_told_both_ways(provider: Provider) -> None:
    """§7.2, RFC 6750 §3.1: without an error."""
    answer = gets(provider, "/userinfo")

    assert [challenge.split()[0] for challenge in challenges(answer)] == ["Bearer", "DPoP"]
    assert not any("error" in challenge for challenge in challenges(answer))


# Nonces


def test_a_nonce_is_offered_and_honoured(kari: Person, clock: Clock) -> None:
    """§8.2: the next proof holds it, and is then good however wrong the client's clock is (§11.1)."""
    kari.comes_from_portal()
    first = exchanged(kari, dpop_proof(KEY, "POST", TOKEN))
    nonce = first.headers["DPoP-Nonce"]

    kari.comes_from_portal()
    assert exchanged(kari, dpop_proof(KEY, "POST", TOKEN, nonce=nonce, iat=1)).status_code == 200
    clock.advance(241)
    kari.comes_from_portal()
    late = exchanged(kari, dpop_proof(KEY, "POST", TOKEN, nonce=nonce))
    assert error(late) == (400, "use_dpop_nonce")
    assert late.headers["DPoP-Nonce"] != nonce
    assert late.headers["Cache-Control"] == "no-store"
    again = dpop_proof(KEY, "POST", TOKEN, nonce=late.headers["DPoP-Nonce"])
    assert exchanged(kari, again).status_code == 200


def test_whoever_sends_no_proof_gets_no_nonce(kari: Person) -> None:
    kari.comes_from_portal()

    assert "DPoP-Nonce" not in exchanged(kari, None).headers


def test_a_proof_with_a_nonce_counts_once_as_long_as_the_nonce_does(kari: Person, clock: Clock) -> None:
    """§11.1."""
    kari.comes_from_portal()
    nonce = exchanged(kari, dpop_proof(KEY, "POST", TOKEN)).headers["DPoP-Nonce"]
    proof = dpop_proof(KEY, "POST", TOKEN, nonce=nonce)
    kari.comes_from_portal()
    assert exchanged(kari, proof).status_code == 200

    clock.advance(100)
    kari.comes_from_portal()
    assert error(exchanged(kari, proof)) == (400, "invalid_dpop_proof")


def test_an_operator_may_demand_nonces(tmp_path: Any, outside: Outside) -> None:
    """§8: `dpop_nonce_required`."""
    settings = settings_for(on_sqlite(tmp_path), tmp_path, outside, tokens={"dpop_nonce_required": True})
    with new_provider(msgspec.structs.replace(settings), outside) as strict:
        kari = strict.person().is_signed_in().comes_from_portal()
        asked = exchanged(kari, dpop_proof(KEY, "POST", TOKEN))
        assert error(asked) == (400, "use_dpop_nonce")

        nonce = asked.headers["DPoP-Nonce"]
        assert exchanged(kari, dpop_proof(KEY, "POST", TOKEN, nonce=nonce)).status_code == 200


# The code, bound to a key


def test_a_code_may_be_bound_to_a_key(kari: Person) -> None:
    """§10: `dpop_jkt`; another key, or none, gets nothing."""
    for proof in (None, dpop_proof(OTHER, "POST", TOKEN)):
        kari.comes_from_portal(dpop_jkt=KEY.thumbprint())
        assert error(exchanged(kari, proof)) == (400, "invalid_grant")
    kari.comes_from_portal(dpop_jkt=KEY.thumbprint())
    assert exchanged(kari, dpop_proof(KEY, "POST", TOKEN)).status_code == 200


@pytest.mark.parametrize("jkt", ["short", "x" * 42 + "=", "x" * 44])
def test_what_is_no_thumbprint_is_refused(kari: Person, jkt: str) -> None:
    assert kari.comes_from_portal(dpop_jkt=jkt).redirected_to()["error"] == "invalid_request"


def pushed(person: Person, proof: str, **parameters: str) -> TestResponse:
    return posts(person.provider, "/par", person.request(**parameters), headers={"DPoP": proof})


def test_pushing_with_a_proof_binds_the_code(kari: Person) -> None:
    """§10.1."""
    name = pushed(kari, dpop_proof(KEY, "POST", PAR)).get_json()["request_uri"]
    where = f"/authorize?{urlencode({'client_id': kari.provider.portal, 'request_uri': name})}"

    assert error(exchanged(kari.goes(where), dpop_proof(OTHER, "POST", TOKEN))) == (400, "invalid_grant")


def test_a_proof_and_a_thumbprint_that_differ_are_refused(kari: Person) -> None:
    """§10.1."""
    answer = pushed(kari, dpop_proof(KEY, "POST", PAR), dpop_jkt=OTHER.thumbprint())

    assert error(answer) == (400, "invalid_dpop_proof")
    assert pushed(kari, dpop_proof(KEY, "POST", PAR), dpop_jkt=KEY.thumbprint()).status_code == 201


def test_a_proof_for_another_endpoint_pushes_nothing(kari: Person) -> None:
    assert error(pushed(kari, dpop_proof(KEY, "POST", TOKEN))) == (400, "invalid_dpop_proof")


def test_a_body_that_is_too_large_is_told_in_json(provider: Provider) -> None:
    """SR-90: the challenge is made without looking into it."""
    answer = posts(provider, "/userinfo", {"access_token": "x" * 70_000}, authenticated=False)

    assert error(answer) == (400, "invalid_request")


def test_the_id_token_is_no_concern_of_the_key(kari: Person) -> None:
    kari.comes_from_portal()
    given = exchanged(kari, dpop_proof(KEY, "POST", TOKEN)).get_json()

    assert "cnf" not in told(given["id_token"])
    assert part(given["id_token"], 0)["typ"] == "JWT"
