"""SR-118: what a well-known library does by default and we must not do. One test for each default on that list."""

from __future__ import annotations

import logging
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from joserfc.jwk import ECKey

from idp.services.clients import Registered
from tests.people import PAYSLIPS, Person, Provider
from tests.protocol.signed_in import BASE, bearer, code_form, error, gets, part, posts, refreshes, signed_in, told

KEY = ECKey.generate_key("P-256", parameters={"kid": "k"})


@pytest.fixture
def kari(provider: Provider) -> Person:
    return signed_in(provider)


def tokens(person: Person, **parameters: str) -> dict[str, Any]:
    person.comes_from_portal(**parameters)
    given: dict[str, Any] = posts(person.provider, "/token", code_form(person)).get_json()
    return given


def test_an_access_token_of_a_code_lives_ten_minutes_and_not_ten_days(kari: Person) -> None:
    given = tokens(kari, resource=PAYSLIPS)
    claims = told(given["access_token"])

    assert given["expires_in"] <= 600
    assert claims["exp"] - claims["iat"] <= 600


def test_pkce_plain_is_not_taken(kari: Person) -> None:
    for method in ("plain", ""):
        answer = kari.comes_from_portal(code_challenge=kari.verifier, code_challenge_method=method).redirected_to()
        assert answer["error"] == "invalid_request"


def test_pkce_is_not_optional_for_confidential_clients(kari: Person) -> None:
    answer = kari.comes_from_portal(code_challenge="", code_challenge_method="").redirected_to()

    assert answer["error"] == "invalid_request"


def test_a_code_that_is_used_again_ends_what_came_of_it(kari: Person) -> None:
    kari.comes_from_portal()
    form = code_form(kari)
    given = posts(kari.provider, "/token", form).get_json()

    assert error(posts(kari.provider, "/token", form)) == (400, "invalid_grant")
    assert error(refreshes(kari.provider, given["refresh_token"])) == (400, "invalid_grant")


def test_refresh_tokens_rotate(kari: Person) -> None:
    given = tokens(kari)
    new = refreshes(kari.provider, given["refresh_token"]).get_json()["refresh_token"]

    assert new != given["refresh_token"]
    assert refreshes(kari.provider, new).status_code == 200


def test_nothing_that_is_issued_is_logged(kari: Person, caplog: pytest.LogCaptureFixture) -> None:
    """At any level, by any library, in any form."""
    with caplog.at_level(logging.DEBUG):
        kari.comes_from_portal()
        form = code_form(kari)
        given = posts(kari.provider, "/token", form).get_json()
        again = refreshes(kari.provider, given["refresh_token"]).get_json()
    written = "\n".join(f"{record.getMessage()} {record.args!r} {record.__dict__!r}" for record in caplog.records)

    issued = [form["code"], *(one[name] for one in (given, again) for name in ("access_token", "refresh_token"))]
    for secret in [*issued, given["id_token"], kari.verifier]:
        assert secret not in written
        assert sha256(secret.encode()).hexdigest() not in written


def test_an_access_token_without_a_type_is_none(kari: Person) -> None:
    """RFC 9068 §4: our own keys, the right claims, but no `at+jwt` in the header."""
    provider = kari.provider
    own = provider.register(resources=[BASE])
    kari.comes_from_portal(client_id=own.client.client_id, resource=BASE)
    good = posts(provider, "/token", code_form(kari), caller=own).get_json()["access_token"]
    assert gets(provider, "/userinfo", **bearer(good)).status_code == 200
    with provider.app.app_context():
        for typ in ("", "JWT", "logout+jwt", "token-introspection+jwt"):
            bad = provider.parts.keyring.sign(told(good), algorithm="ES256", typ=typ)
            assert error(gets(provider, "/userinfo", **bearer(bad))) == (401, "invalid_token")


@pytest.fixture(scope="module")
def signing(provider: Provider) -> Registered:
    return provider.register(jwks={"keys": [KEY.as_dict(private=False)]})


def test_a_request_object_without_signature_is_none(kari: Person, signing: Registered) -> None:
    client_id = signing.client.client_id
    for algorithm in ("none", "None", "NONE", ""):
        header, claims = (
            urlsafe_b64encode(orjson.dumps(one)).rstrip(b"=").decode()
            for one in ({"alg": algorithm}, {**kari.request(client_id=client_id), "aud": BASE})
        )
        asked = {**kari.request(client_id=client_id), "request": f"{header}.{claims}."}
        assert kari.goes(f"/authorize?{urlencode(asked)}").redirected_to()["error"] == "invalid_request_object"


def test_query_and_body_are_not_merged(kari: Person) -> None:
    kari.comes_from_portal()
    form = code_form(kari)
    verifier = form.pop("code_verifier")

    assert error(posts(kari.provider, f"/token?code_verifier={verifier}", form)) == (400, "invalid_grant")


def test_revoking_a_strangers_token_says_nothing_and_does_nothing(kari: Person) -> None:
    given = tokens(kari)
    other = kari.provider.register()
    answer = posts(kari.provider, "/revoke", {"token": given["refresh_token"]}, caller=other)

    assert (answer.status_code, answer.data) == (200, b"")
    assert refreshes(kari.provider, given["refresh_token"]).status_code == 200


def test_nothing_a_person_is_called_overwrites_the_protocol(kari: Person, provider: Provider) -> None:
    """Every claim of the protocol asked for as a claim of the person, with a value of the client's own choice."""
    names = ("iss", "sub", "aud", "exp", "iat", "nonce", "acr", "amr", "auth_time", "azp", "sid", "at_hash", "cnf")
    wanted = {"id_token": {name: {"value": "forged"} for name in names if name not in ("sub", "acr")}}
    client = provider.register(claims_in_id_token=True)
    kari.comes_from_portal(client_id=client.client.client_id, claims=orjson.dumps(wanted).decode())
    claims = told(posts(provider, "/token", code_form(kari), caller=client).get_json()["id_token"])

    assert claims["iss"] == BASE
    assert claims["aud"] == client.client.client_id
    assert claims["nonce"] == "the-nonce"
    assert "forged" not in [claims.get(name) for name in names]


def test_redirects_are_303(kari: Person) -> None:
    """RFC 9700 §4.12: after a POST a 302 may be repeated as one, a 307 is."""
    form = kari.request()
    answer = kari.browser.post("/authorize", base_url=BASE, data=form, headers={"Sec-Fetch-Site": "same-origin"})
    for _ in range(3):
        assert answer.status_code == 303
        if "code=" in answer.headers["Location"]:
            break
        answer = kari.browser.get(answer.headers["Location"], base_url=BASE)
    assert "code=" in answer.headers["Location"]


def test_a_missing_redirect_uri_falls_back_to_nothing(kari: Person) -> None:
    kari.comes_from_portal(redirect_uri="")

    assert kari.answer is not None
    assert kari.answer.status_code == 400
    assert "Location" not in kari.answer.headers


def test_types_are_there_on_what_we_issue(kari: Person) -> None:
    given = tokens(kari, resource=PAYSLIPS)

    assert part(given["access_token"], 0)["typ"] == "at+jwt"
    assert part(given["id_token"], 0)["typ"] == "JWT"
