"""Signed requests: RFC 9101 and OpenID Connect Core §6, clause by clause (SR-75)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from idp import clock
from idp.services.clients import Registered
from tests.people import PORTAL, Person, Provider
from tests.protocol.signed_in import BASE, assertion

KEY = ECKey.generate_key("P-256", parameters={"kid": "requests"})
OTHER = ECKey.generate_key("P-256", parameters={"kid": "requests"})
TYPE = "oauth-authz-req+jwt"


@pytest.fixture(scope="module")
def signing(provider: Provider) -> Registered:
    """A client that signs."""
    return provider.register(
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [KEY.as_dict(private=False)]},
    )


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


def claims(person: Person, client: Registered, **changes: Any) -> dict[str, Any]:
    """What a careful client signs; a change to None leaves a claim out."""
    now = clock.timestamp()
    told = {
        **person.request(client_id=client.client.client_id),
        "iss": client.client.client_id,
        "aud": BASE,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        **changes,
    }
    return {name: value for name, value in told.items() if value is not None}


def signed(told: dict[str, Any], *, key: Any = KEY, typ: str | None = TYPE, alg: str = "ES256") -> str:
    return jwt.encode({"alg": alg, "kid": "requests", **({"typ": typ} if typ else {})}, told, key)


def comes(person: Person, client: Registered, token: str, **beside: str) -> Person:
    return person.goes(f"/authorize?{urlencode({'client_id': client.client.client_id, 'request': token, **beside})}")


def answer_of(person: Person) -> dict[str, str]:
    """What the client is told, wherever its redirect URI is."""
    assert person.answer is not None
    return {name: values[0] for name, values in parse_qs(urlsplit(person.answer.headers["Location"]).query).items()}


@pytest.mark.parametrize("typ", [TYPE, f"application/{TYPE}", "JWT", None])
def test_a_signed_request_gets_a_code(kari: Person, signing: Registered, typ: str | None) -> None:
    """RFC 9101 §4; §10.8: its own type, or what was usual before there was one."""
    told = comes(kari, signing, signed(claims(kari, signing, state="inside"), typ=typ)).redirected_to()

    assert told["code"]
    assert told["state"] == "inside"


def test_only_what_is_signed_counts(kari: Person, signing: Registered) -> None:
    """RFC 9101 §6.3: nothing beside the object is looked at, neither to add nor to change."""
    token = signed(claims(kari, signing, state=None))
    told = comes(
        kari, signing, token, state="outside", prompt="login", redirect_uri="https://evil.example/"
    ).redirected_to()

    assert told["code"]
    assert "state" not in told


def test_numbers_and_objects_may_be_json(kari: Person, signing: Registered) -> None:
    """OpenID Connect Core §6.1: `max_age` is a number there, `claims` an object."""
    asked = {"id_token": {"email": None}}
    token = signed(claims(kari, signing, max_age=3600, claims=asked, resource=["https://alumni.example/api"]))

    assert comes(kari, signing, token).redirected_to()["code"]


@pytest.mark.parametrize("value", [True, 1.5, {"a": 1}])
def test_a_parameter_of_another_kind_is_refused(kari: Person, signing: Registered, value: Any) -> None:
    told = comes(kari, signing, signed(claims(kari, signing, max_age=value)), redirect_uri=PORTAL).redirected_to()

    assert told["error"] == "invalid_request"


def test_a_value_inside_is_bounded_as_outside(kari: Person, signing: Registered) -> None:
    """SR-73: NUL, and more than 2 KiB of `state`."""
    for state in ("a\x00b", "s" * 2049):
        assert (
            comes(kari, signing, signed(claims(kari, signing, state=state))).redirected_to()["error"]
            == "invalid_request"
        )


BAD: dict[str, dict[str, Any]] = {
    "another client's": {"client_id": "c_somebody"},
    "nobody's": {"client_id": None},
    "of another issuer": {"iss": "c_somebody"},
    "for somebody else": {"aud": "https://other.example"},
    "expired": {"exp": 1},
    "not yet valid": {"nbf": 4_000_000_000},
    "made in the future": {"iat": 4_000_000_000},
    "with a time that is none": {"exp": "soon"},
    "an assertion": {"sub": "the client"},
    "one inside another": {"request": "x"},
    "with a reference inside": {"request_uri": "https://portal.example/r"},
}


@pytest.mark.parametrize("case", BAD)
def test_an_object_that_cannot_be_believed_is_refused(kari: Person, signing: Registered, case: str) -> None:
    """RFC 9101 §4, §6.3, §10.8: `invalid_request_object`, by the address that is registered."""
    changes = {**BAD[case]}
    if changes.get("sub"):
        changes["sub"] = signing.client.client_id
    token = signed(claims(kari, signing, **changes))

    told = comes(kari, signing, token, redirect_uri=PORTAL, state="outside").redirected_to()
    assert (told["error"], told["state"]) == ("invalid_request_object", "outside")
    assert "code" not in told


def test_the_signature_decides(kari: Person, signing: Registered) -> None:
    """RFC 9101 §6.2; SR-75: never `none`, never a MAC, no other key, no other type."""
    told = claims(kari, signing)
    unsigned = "eyJhbGciOiJub25lIn0." + signed(told).split(".")[1] + "."
    rsa = RSAKey.generate_key(2048, parameters={"kid": "requests"})
    for token in (
        signed(told, key=OTHER),
        signed(told, typ="logout+jwt"),
        signed(told, key=rsa, alg="RS256"),
        unsigned,
        signed(told)[:-4],
        "a.b.c",
        "nothing",
    ):
        assert comes(kari, signing, token, redirect_uri=PORTAL).redirected_to()["error"] == "invalid_request_object"


def test_a_clients_one_algorithm_is_the_only_one(kari: Person, provider: Provider) -> None:
    """OpenID Connect Registration §2: `request_object_signing_alg`."""
    rsa = RSAKey.generate_key(2048, parameters={"kid": "rsa"})
    both = {"keys": [KEY.as_dict(private=False), rsa.as_dict(private=False)]}
    client = provider.register(jwks=both, request_object_signing_alg="RS256")
    right = jwt.encode({"alg": "RS256", "kid": "rsa"}, claims(kari, client), rsa)

    assert comes(kari, client, right).redirected_to()["code"]
    assert comes(kari, client, signed(claims(kari, client)), redirect_uri=PORTAL).redirected_to()["error"] == (
        "invalid_request_object"
    )


def test_a_client_without_keys_cannot_sign(kari: Person, provider: Provider) -> None:
    plain = provider.register()

    told = comes(kari, plain, signed(claims(kari, plain)), redirect_uri=PORTAL).redirected_to()
    assert told["error"] == "invalid_request_object"


@pytest.mark.parametrize("redirect_uri", [None, "https://evil.example/", f"{PORTAL}/"])
def test_an_address_inside_is_held_to_the_registered_ones(
    kari: Person, signing: Registered, redirect_uri: str | None
) -> None:
    """SR-69: an error page of ours, whatever stands outside."""
    comes(kari, signing, signed(claims(kari, signing, redirect_uri=redirect_uri)), redirect_uri=PORTAL)

    assert kari.answer is not None
    assert kari.answer.status_code == 400
    assert "Location" not in kari.answer.headers


def test_a_bad_object_with_no_good_address_beside_it_stays_here(kari: Person, signing: Registered) -> None:
    comes(kari, signing, "a.b.c")

    assert kari.answer is not None
    assert kari.answer.status_code == 400


def test_the_client_id_stands_outside_too(kari: Person, signing: Registered) -> None:
    """RFC 9101 §5: nothing in an object is read before it is known whose key it must be signed with."""
    kari.goes(f"/authorize?{urlencode({'request': signed(claims(kari, signing))})}")

    assert kari.answer is not None
    assert kari.answer.status_code == 400


def test_a_client_may_have_to_sign(kari: Person, provider: Provider) -> None:
    """RFC 9101 §10.5."""
    client = provider.register(jwks={"keys": [KEY.as_dict(private=False)]}, require_signed_request_object=True)

    plain = kari.comes_from_portal(client_id=client.client.client_id).redirected_to()
    assert plain["error"] == "invalid_request"
    assert comes(kari, client, signed(claims(kari, client))).redirected_to()["code"]


def test_whoever_must_sign_needs_a_key(provider: Provider) -> None:
    with pytest.raises(ValueError, match="jwks"):
        provider.register(require_signed_request_object=True)


def pushes(provider: Provider, client: Registered, token: str, **beside: str) -> Any:
    proof = assertion(KEY, client.client.client_id)
    form = {
        "request": token,
        "client_assertion": proof,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        **beside,
    }
    return provider.post("/par", form, auth=False)


def test_a_signed_request_may_be_pushed(kari: Person, provider: Provider, signing: Registered) -> None:
    """RFC 9126 §3: and what it held counts when the browser comes with its name."""
    pushed = pushes(provider, signing, signed(claims(kari, signing, state="inside")), state="outside")
    assert pushed.status_code == 201, pushed.get_data(as_text=True)

    name = pushed.get_json()["request_uri"]
    kari.goes(f"/authorize?{urlencode({'client_id': signing.client.client_id, 'request_uri': name})}")
    assert kari.redirected_to()["state"] == "inside"


def test_a_pushed_request_that_is_badly_signed_is_told_at_once(
    kari: Person, provider: Provider, signing: Registered
) -> None:
    """RFC 9126 §3: the signature is checked where it is pushed."""
    answer = pushes(provider, signing, signed(claims(kari, signing), key=OTHER))

    assert answer.status_code == 400
    assert answer.get_json()["error"] == "invalid_request_object"


def test_a_pushed_request_counts_as_signed_later(kari: Person, provider: Provider) -> None:
    client = provider.register(
        jwks={"keys": [KEY.as_dict(private=False)]},
        require_signed_request_object=True,
        token_endpoint_auth_method="private_key_jwt",
    )
    name = pushes(provider, client, signed(claims(kari, client))).get_json()["request_uri"]

    kari.goes(f"/authorize?{urlencode({'client_id': client.client.client_id, 'request_uri': name})}")
    assert kari.redirected_to()["code"]


def test_an_encrypted_request_is_none(kari: Person, signing: Registered) -> None:
    """RFC 9101 §6.1: we have published no key to encrypt for, and open nothing."""
    key = RSAKey.generate_key(2048)
    inner = signed(claims(kari, signing))
    token = jwe.encrypt_compact({"alg": "RSA-OAEP", "enc": "A128GCM", "cty": "JWT"}, inner, key)

    assert comes(kari, signing, token, redirect_uri=PORTAL).redirected_to()["error"] == "invalid_request_object"


@pytest.mark.parametrize("name", ["state", "nonce", "claims", "login_hint", "authorization_details", "x"])
def test_half_a_letter_is_no_text(kari: Person, signing: Registered, name: str) -> None:
    """JSON may hold half of a surrogate pair (RFC 8259 §8.2): no fault of ours comes of it, as name or as value."""
    half: Any = {"id_token": {"\ud800": "\ud800"}} if name == "claims" else "\ud800"
    for changes in ({name: half}, {f"{name}\ud800": "x"}, {"prompt": [half]}):
        token = signed_by_hand(claims(kari, signing, **changes))
        comes(kari, signing, token, redirect_uri=PORTAL)
        assert kari.answer is not None
        assert kari.answer.status_code in (303, 400), changes


def signed_by_hand(told: dict[str, Any]) -> str:
    header, content = (
        urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "ES256", "kid": "requests", "typ": TYPE}, told)
    )
    made = JWSRegistry.algorithms["ES256"].sign(header + b"." + content, KEY)
    return b".".join((header, content, urlsafe_b64encode(made).rstrip(b"="))).decode()
