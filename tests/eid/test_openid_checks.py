"""What an ID token, UserInfo and a provider's published addresses and keys must be (SR-92, SR-100, SR-102)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwe, jws
from joserfc.jwk import ECKey, RSAKey

from idp.eid.openid_checks import ID_TOKEN, USERINFO, Wanted, first_failure
from idp.eid.openid_client import Credentials, OpenIdClient, address
from idp.eid.openid_discovery import Discovery, Unusable
from idp.eid.openid_errors import Refused
from idp.eid.openid_person import Numbers
from idp.outgoing.known import Caller, Unreachable
from idp.signing.jws import Untrusted
from tests.eid.openid_provider import Provider, half_hash, running

NOW = 1_760_000_000.0
WANTED = Wanted(
    issuer="https://op.example", client_id="us", nonce="n-1", access_token="at-1", started_at=NOW - 90, now=NOW
)
RIGHT: dict[str, Any] = {
    "iss": "https://op.example", "aud": "us", "sub": "s-1", "exp": NOW + 300, "iat": NOW, "nonce": "n-1",
    "at_hash": half_hash("at-1"),
}  # fmt: skip
MISSING = object()
AT = datetime(2026, 3, 1, 9, 42, tzinfo=UTC)


@pytest.mark.parametrize(
    "also",
    [
        {},
        {"aud": ["us"]},
        {"aud": ["us", "them"], "azp": "us"},
        {"azp": "us"},
        {"at_hash": MISSING},
        {"exp": NOW - 59, "iat": NOW - 149},  # 60 s of skew on either side
        {"iat": NOW + 59},
        {"nbf": NOW + 59},
        {"auth_time": NOW},
        {"sub": "s" * 255},
    ],
)
def test_a_right_token_passes_every_check(also: dict[str, Any]) -> None:
    assert first_failure(ID_TOKEN, _with(also), WANTED) is None


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        ({"iss": "https://op.example/"}, "iss"),  # byte for byte
        ({"iss": MISSING}, "iss"),
        ({"aud": "them"}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": "us2"}, "aud"),
        ({"aud": {"us": 1}}, "aud"),
        ({"azp": "them"}, "azp"),
        ({"aud": ["us", "them"]}, "azp"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "s" * 256}, "sub"),
        ({"exp": NOW - 60}, "exp"),
        ({"exp": MISSING}, "exp"),
        ({"exp": str(NOW + 300)}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": float("inf")}, "exp"),
        ({"exp": 10**400}, "exp"),
        ({"nbf": NOW + 61}, "nbf"),
        ({"nbf": "now"}, "nbf"),
        ({"iat": NOW + 61}, "iat"),
        ({"iat": NOW - 151}, "iat"),  # signed in over there before we asked
        ({"iat": MISSING}, "iat"),
        ({"auth_time": NOW - 151}, "auth_time"),
        ({"auth_time": "now"}, "auth_time"),
        ({"nonce": "n-2"}, "nonce"),
        ({"nonce": MISSING}, "nonce"),
        ({"nonce": ["n-1"]}, "nonce"),
        ({"nonce": "\ud800"}, "nonce"),
        ({"at_hash": half_hash("at-2")}, "at_hash"),
        ({"at_hash": None}, "at_hash"),
    ],
)
def test_a_wrong_token_fails_by_name(wrong: dict[str, Any], check: str) -> None:
    """SR-102."""
    assert first_failure(ID_TOKEN, _with(wrong), WANTED) == check


@pytest.mark.parametrize(
    ("said", "check"),
    [
        ({}, None),
        ({"iss": "https://op.example", "aud": ["us"], "exp": NOW + 1}, None),
        ({"iss": "https://other.example"}, "iss"),
        ({"aud": "them"}, "aud"),
        ({"exp": NOW - 61}, "exp"),
    ],
)
def test_signed_userinfo_may_be_nobody_elses(said: dict[str, Any], check: str | None) -> None:
    assert first_failure(USERINFO, said, WANTED) == check


@pytest.mark.parametrize(
    "url",
    [
        "http://op.example/",
        "http://127.0.0.1.op.example/",
        "ftp://op.example/",
        "//op.example/",
        "https://",
        "https://user@op.example/",
        "https://op.example/#part",
        "https://[op.example/",
        "https://op.example/\n",
        "https://op.example/ x",
        "https://øp.example/",
        "",
        None,
        7,
    ],
)
def test_an_address_of_a_provider_is_https(url: object) -> None:
    with pytest.raises(ValueError, match="issuer must be an https address"):
        address(url, name="issuer", loopback=True)


def test_plain_http_is_for_a_provider_on_this_machine_only() -> None:
    assert address("http://127.0.0.1:8004/realm", name="issuer", loopback=True) == "http://127.0.0.1:8004/realm"
    with pytest.raises(ValueError, match="plain http is for a provider on loopback only"):
        address("http://127.0.0.1:8004/realm", name="issuer", loopback=False)


def test_a_number_made_for_tests_is_nobodys_in_production() -> None:
    """SR-105. Month + 80 marks those of the Norwegian tax authority's test register."""
    made_up, born = "15908695062", date(1986, 10, 15)
    assert Numbers(check_digits=False, synthetic=True).read("NO", made_up, birthdate=born) == (made_up, born)
    with pytest.raises(Refused, match="made for tests"):
        Numbers(check_digits=False, synthetic=False).read("NO", made_up, birthdate=born)


def test_check_digits_count_until_the_settings_say_otherwise() -> None:
    odd = "15108695089"
    assert Numbers(check_digits=False, synthetic=False).read("NO", odd, birthdate=None) == (odd, date(1986, 10, 15))
    with pytest.raises(Refused, match="not valid"):
        Numbers(check_digits=True, synthetic=False).read("NO", odd, birthdate=None)


# --- what the provider publishes ---------------------------------------------------------------------------------


def test_addresses_and_keys_are_read_once_an_hour(provider: Provider, discovery: Discovery) -> None:
    """SR-100."""
    for minutes in (0, 1, 59):
        discovery.metadata(AT + timedelta(minutes=minutes))
        discovery.keys(AT + timedelta(minutes=minutes))
    assert len(provider.said("/.well-known/openid-configuration")) == len(provider.said("/jwks")) == 1

    discovery.keys(AT + timedelta(minutes=61))
    assert len(provider.said("/.well-known/openid-configuration")) == len(provider.said("/jwks")) == 2


def test_what_was_read_last_stays_while_the_provider_is_away(provider: Provider, discovery: Discovery) -> None:
    """SR-100: and it is asked again a minute later, not at every sign-in."""
    before = discovery.keys(AT), discovery.metadata(AT)
    away = (503, "text/plain", b"")
    provider.answers = {"/jwks": lambda: away, "/.well-known/openid-configuration": lambda: away}

    later = AT + timedelta(hours=2)
    for seconds in (0, 30, 59):
        assert (discovery.keys(later + timedelta(seconds=seconds)), discovery.metadata(later)) == before
    assert len(provider.said("/jwks")) == 2

    provider.answers = {}
    discovery.keys(later + timedelta(seconds=61))
    assert len(provider.said("/jwks")) == 3


def test_keys_are_read_again_for_an_unknown_one_once_a_minute(provider: Provider, discovery: Discovery) -> None:
    """SR-100."""
    discovery.keys(AT)
    assert discovery.newer_keys(AT) is not None
    assert discovery.newer_keys(AT + timedelta(seconds=59)) is None
    assert discovery.newer_keys(AT + timedelta(seconds=60)) is not None
    assert len(provider.said("/jwks")) == 3


@pytest.mark.parametrize("wrong", ["", "/", "x"])
def test_the_issuer_must_be_the_one_configured_byte_for_byte(
    provider: Provider, discovery: Discovery, wrong: str
) -> None:
    provider.metadata = {"issuer": f"{provider.url}{wrong}" if wrong else None}
    with pytest.raises(Unusable, match="issuer"):
        discovery.metadata(AT)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"])
def test_no_published_address_may_be_in_the_clear(provider: Provider, discovery: Discovery, name: str) -> None:
    provider.metadata = {name: "http://op.example/x"}
    with pytest.raises(Unusable, match=name):
        discovery.metadata(AT)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"issuer":"a","issuer":"b"}', b"[" * 100_000])
def test_what_is_no_object_is_refused(provider: Provider, discovery: Discovery, body: bytes) -> None:
    provider.answers = {"/.well-known/openid-configuration": lambda: (200, "application/json", body)}
    with pytest.raises(Unusable):
        discovery.metadata(AT)


def test_a_redirect_is_not_followed(provider: Provider, discovery: Discovery) -> None:
    provider.answers = {"/.well-known/openid-configuration": lambda: (302, "text/plain", b"")}
    with pytest.raises(Unreachable):
        discovery.metadata(AT)


def test_keys_that_mean_nothing_to_us_are_passed_by(
    provider: Provider, discovery: Discovery, provider_key: ECKey
) -> None:
    """RFC 7517 §5. A secret key among them is passed by, too: nobody's signature is checked with one."""
    own = provider_key.as_dict(private=False, kid="key-1", use="sig")
    others: list[Any] = [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "AKP"},
        {**own, "use": "enc", "kid": "2"},
        "key",
        None,
    ]
    provider.published = [*others, own]
    assert [key.kid for key in discovery.keys(AT)] == ["key-1"]


@pytest.mark.parametrize("published", [[], [{"kty": "oct", "k": "c2VjcmV0"}]])
def test_a_set_without_a_usable_key_is_refused(
    provider: Provider, discovery: Discovery, published: list[dict[str, Any]]
) -> None:
    provider.published = published
    with pytest.raises(Unusable, match="jwks_uri"):
        discovery.keys(AT)


# --- how we prove ourselves, and what we can open ----------------------------------------------------------------


def test_an_assertion_is_short_lived_and_for_one_audience(files: dict[str, str], signing_key: ECKey) -> None:
    credentials = Credentials(_client(signing_key_file=files["signing"], signing_key_id="sig-1"))

    form, headers = credentials.authenticated({"code": "c"}, audience="https://op.example", now=AT)

    token = jws.deserialize_compact(form["client_assertion"], signing_key, algorithms=["ES256"])
    claims = json.loads(token.payload or b"")
    assert token.headers()["kid"] == "sig-1"
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("us", "us", "https://op.example")
    assert claims["exp"] - claims["iat"] == 60
    assert len(claims["jti"]) >= 16
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert not headers
    again, _ = credentials.authenticated({}, audience="https://op.example", now=AT)
    assert again["client_assertion"] != form["client_assertion"]


def test_a_secret_goes_into_the_header_or_the_form(tmp_path: Path) -> None:
    """RFC 6749 §2.3.1: in the header both halves are form-encoded first."""
    (tmp_path / "secret").write_text("s:3/é\n")
    secret = {"client_secret_file": str(tmp_path / "secret")}

    basic = Credentials(_client(client_authentication="client_secret_basic", **secret))
    assert basic.authenticated({}, audience="", now=AT)[1] == {"Authorization": "Basic dXM6cyUzQTMlMkYlQzMlQTk="}

    post = Credentials(_client(client_authentication="client_secret_post", **secret))
    assert post.authenticated({}, audience="", now=AT) == ({"client_id": "us", "client_secret": "s:3/é"}, {})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "signing_key_file is needed"),
        ({"client_authentication": "client_secret_post"}, "client_secret_file is needed"),
        ({"signing_key_file": "rsa"}, "signing_algorithm does not fit"),
        ({"signing_key_file": "signing", "signing_algorithm": "RS256"}, "signing_algorithm does not fit"),
        ({"signing_key_file": "public"}, "must hold a private key"),
        ({"signing_key_file": "p384"}, "must hold a private key"),
        ({"signing_key_file": "text"}, "must hold a private key"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(files: dict[str, str], settings: dict[str, str], words: str) -> None:
    found = {name: files.get(value, value) for name, value in settings.items()}
    with pytest.raises(ValueError, match=words):
        Credentials(_client(**found))


@pytest.mark.parametrize("alg", ["RSA-OAEP-256"])
@pytest.mark.parametrize("enc", ["A256GCM", "A128CBC-HS256"])
def test_a_token_that_is_encrypted_to_us_is_opened(receiving: Credentials, rsa_key: RSAKey, alg: str, enc: str) -> None:
    assert receiving.decrypted(_encrypted(rsa_key, alg=alg, enc=enc, kid="enc-1", cty="JWT")) == "a.b.c"
    assert receiving.decrypted(_encrypted(rsa_key, alg=alg, enc=enc)) == "a.b.c"  # the one key there is


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")  # one of them is made here to be refused
@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RSA-OAEP", "enc": "A256GCM"},  # SHA-1: only where the settings say so
        {"alg": "RSA1_5", "enc": "A256GCM"},
        {"alg": "RSA-OAEP-256", "enc": "A192GCM"},
        {"alg": "RSA-OAEP-256", "enc": "A256GCM", "zip": "DEF"},
        {"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": "enc-2"},
        {"alg": "RSA-OAEP-256", "enc": "A256GCM", "jku": "https://other.example/"},
    ],
)
def test_an_encrypted_token_with_a_header_nobody_agreed_on_is_refused(
    receiving: Credentials, rsa_key: RSAKey, header: dict[str, str]
) -> None:
    with pytest.raises(Untrusted):
        receiving.decrypted(_encrypted(rsa_key, **header))


def test_an_encrypted_token_that_was_tampered_with_is_refused(receiving: Credentials, rsa_key: RSAKey) -> None:
    parts = _encrypted(rsa_key, alg="RSA-OAEP-256", enc="A256GCM").split(".")
    for place in range(5):
        for other in ("", "AAAA", "!", "é", parts[place][:-4] + "AAAA", parts[place] + "AA"):
            broken = ".".join([*parts[:place], other, *parts[place + 1 :]])
            if broken != ".".join(parts):
                with pytest.raises(Untrusted):
                    receiving.decrypted(broken)
    header = _part(b'{"alg":"RSA-OAEP-256","alg":"RSA-OAEP-256","enc":"A256GCM"}')
    for wrong in ("a.b.c", ".".join([header, *parts[1:]]), "....", "x" * 25_000 + "....", _part(b"[" * 9000) + "...."):
        with pytest.raises(Untrusted):
            receiving.decrypted(wrong)


def test_a_token_on_an_elliptic_curve_is_opened(files: dict[str, str], signing_key: ECKey) -> None:
    own = Credentials(_client(signing_key_file=files["signing"], encryption_key_files={"ec-1": files["signing"]}))
    for alg in ("ECDH-ES", "ECDH-ES+A256KW"):
        assert own.decrypted(_encrypted(signing_key, alg=alg, enc="A256GCM", kid="ec-1")) == "a.b.c"
    for wrong in ({}, {"epk": "x"}, {"epk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}):
        header = _part(json.dumps({"alg": "ECDH-ES", "enc": "A256GCM", **wrong}).encode())
        with pytest.raises(Untrusted):
            own.decrypted(f"{header}..AAAA.AAAA.AAAA")
    with pytest.raises(Untrusted):  # a kind of key that is not the algorithm's
        own.decrypted(_part(b'{"alg":"RSA-OAEP-256","enc":"A256GCM"}') + ".AAAA.AAAA.AAAA.AAAA")


def _with(other: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**RIGHT, **other}.items() if value is not MISSING}


def _client(**settings: Any) -> OpenIdClient:
    return OpenIdClient(issuer="https://op.example", client_id="us", **settings)


def _encrypted(key: RSAKey | ECKey, **header: str) -> str:
    registry = jwe.JWERegistry(algorithms=[header["alg"], header["enc"], "DEF"], strict_check_header=False)
    return jwe.encrypt_compact(dict(header), "a.b.c", key, registry=registry)


def _part(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def provider_key() -> ECKey:
    return ECKey.generate_key("P-256")


@pytest.fixture
def provider(provider_key: ECKey) -> Iterator[Provider]:
    with running(provider_key, "ES256") as provider:
        yield provider


@pytest.fixture(scope="module")
def caller() -> Caller:
    return Caller(timeout=2.0)


@pytest.fixture
def discovery(provider: Provider, caller: Caller) -> Discovery:
    return Discovery(caller, provider.url, loopback=True)


@pytest.fixture(scope="module")
def signing_key() -> ECKey:
    return ECKey.generate_key("P-256")


@pytest.fixture(scope="module")
def rsa_key() -> RSAKey:
    return RSAKey.generate_key(2048)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, signing_key: ECKey, rsa_key: RSAKey) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("keys")
    contents = {
        "signing": signing_key.as_pem(private=True),
        "rsa": rsa_key.as_pem(private=True),
        "public": signing_key.as_pem(private=False),
        "p384": ECKey.generate_key("P-384").as_pem(private=True),
        "text": b"no key",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: str(folder / name) for name in contents}


@pytest.fixture(scope="module")
def receiving(files: dict[str, str]) -> Credentials:
    return Credentials(_client(signing_key_file=files["signing"], encryption_key_files={"enc-1": files["rsa"]}))
