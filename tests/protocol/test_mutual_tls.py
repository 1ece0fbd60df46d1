"""Certificates of clients: RFC 8705, behind a proxy that passes them on."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from idp.services.clients import Registered
from tests.people import PAYSLIPS, Outside, Person, Provider, new_provider, on_sqlite, settings_for
from tests.proofs import dpop_proof
from tests.protocol.signed_in import BASE, bearer, code_form, error, gets, posts, told

HEADER = "X-Client-Cert"
ALIAS = "https://mtls.login.example"


@dataclass
class Certified:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def header(self) -> dict[str, str]:
        """As nginx passes it."""
        return {HEADER: quote(self.certificate.public_bytes(Encoding.PEM).decode())}

    @property
    def thumbprint(self) -> str:
        return urlsafe_b64encode(sha256(self.der).digest()).rstrip(b"=").decode()


def certify(
    name: str, *, by: Certified | None = None, sans: Any = (), days: tuple[int, int] = (-1, 1), usage: Any = None
) -> Certified:
    """A certificate; by itself unless somebody else vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName(sans), critical=False)
    return Certified(builder.sign(by.key if by else key, hashes.SHA256()), key)


AUTHORITY = certify("Authority")
IMPOSTOR = certify("Authority")
PORTAL_CERT = certify("portal", by=AUTHORITY, sans=[x509.DNSName("portal.example")])


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory, outside: Outside) -> Iterator[Provider]:
    folder = tmp_path_factory.mktemp("provider")
    issuers = folder / "issuers.pem"
    issuers.write_bytes(AUTHORITY.certificate.public_bytes(Encoding.PEM))
    settings = settings_for(
        on_sqlite(folder),
        folder,
        outside,
        server={"trusted_proxies": ["127.0.0.1/32"]},
        mutual_tls={"header": HEADER, "issuers": str(issuers), "base_url": ALIAS},
    )
    with new_provider(settings, outside) as made:
        yield made


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


def by_certificate(provider: Provider, **metadata: Any) -> Registered:
    told_more = {"tls_client_auth_subject_dn": "CN=portal"} if not any("san_" in name for name in metadata) else {}
    return provider.register(token_endpoint_auth_method="tls_client_auth", **{**told_more, **metadata})


def revokes(provider: Provider, client: Registered, headers: dict[str, str]) -> TestResponse:
    """A call that needs nothing but the client's authentication."""
    form = {"token": "x", "client_id": client.client.client_id}
    return posts(provider, "/revoke", form, authenticated=False, headers=headers)


# Authentication


def test_a_certificate_of_a_known_authority_authenticates(provider: Provider) -> None:
    """§2.1: by its subject."""
    client = by_certificate(provider)

    assert revokes(provider, client, PORTAL_CERT.header).status_code == 200
    for_clients = certify("portal", by=AUTHORITY, usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    assert revokes(provider, client, for_clients.header).status_code == 200
    assert client.secret is None


@pytest.mark.parametrize(
    ("member", "value", "name"),
    [
        ("tls_client_auth_san_dns", "portal.example", x509.DNSName("portal.example")),
        (
            "tls_client_auth_san_uri",
            "https://portal.example/",
            x509.UniformResourceIdentifier("https://portal.example/"),
        ),
        ("tls_client_auth_san_ip", "192.0.2.1", x509.IPAddress(ip_address("192.0.2.1"))),
        ("tls_client_auth_san_email", "a@portal.example", x509.RFC822Name("a@portal.example")),
    ],
    ids=["dns", "uri", "ip", "email"],
)
def test_or_by_one_other_name(provider: Provider, member: str, value: str, name: Any) -> None:
    """§2.1.2."""
    client = by_certificate(provider, **{member: value})
    right = certify("any", by=AUTHORITY, sans=[name])

    assert revokes(provider, client, right.header).status_code == 200
    assert revokes(provider, client, certify("any", by=AUTHORITY).header).status_code == 401


WRONG: dict[str, Callable[[], dict[str, str]]] = {
    "none": dict,
    "another name": lambda: certify("other", by=AUTHORITY).header,
    "a name that begins alike": lambda: certify("portal2", by=AUTHORITY).header,
    "another authority": lambda: certify("portal", by=certify("Other")).header,
    "an authority of the same name": lambda: certify("portal", by=IMPOSTOR).header,
    "its own word": lambda: certify("portal").header,
    "expired": lambda: certify("portal", by=AUTHORITY, days=(-3, -1)).header,
    "not yet": lambda: certify("portal", by=AUTHORITY, days=(1, 3)).header,
    "a server's": lambda: certify("portal", by=AUTHORITY, usage=ExtendedKeyUsageOID.SERVER_AUTH).header,
    "nonsense": lambda: {HEADER: "nonsense"},
    "nonsense in PEM": lambda: {HEADER: quote("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")},
    "no base64": lambda: {HEADER: ":!!!:"},
}


@pytest.mark.parametrize("case", WRONG)
def test_no_other_certificate_does(provider: Provider, case: str) -> None:
    assert error(revokes(provider, by_certificate(provider), WRONG[case]())) == (401, "invalid_client")


def test_the_header_of_rfc_9440_is_understood(provider: Provider) -> None:
    header = {HEADER: f":{b64encode(PORTAL_CERT.der).decode()}:"}

    assert revokes(provider, by_certificate(provider), header).status_code == 200


def test_a_header_from_elsewhere_is_thrown_away(provider: Provider) -> None:
    """From listed addresses only."""
    client = by_certificate(provider)
    answer = provider.app.test_client().post(
        "/revoke",
        base_url=BASE,
        data={"token": "x", "client_id": client.client.client_id},
        headers=PORTAL_CERT.header,
        environ_base={"REMOTE_ADDR": "192.0.2.9"},
    )

    assert error(answer) == (401, "invalid_client")


def self_signed(provider: Provider, *certified: Certified) -> Registered:
    jwks = []
    for place, one in enumerate(certified):
        jwk = ECKey.import_key(one.key).as_dict(private=False)
        jwks.append({**jwk, "kid": str(place), "x5c": [b64encode(one.der).decode()]})
    return provider.register(token_endpoint_auth_method="self_signed_tls_client_auth", jwks={"keys": jwks})


def test_a_self_signed_certificate_is_one_of_the_clients_own(provider: Provider) -> None:
    """§2.2: the very certificate, of any of its keys."""
    one, two = certify("a"), certify("b", days=(-3, -1))
    client = self_signed(provider, one, two)

    assert revokes(provider, client, one.header).status_code == 200
    assert revokes(provider, client, two.header).status_code == 200
    for wrong in (certify("a"), PORTAL_CERT):
        assert error(revokes(provider, client, wrong.header)) == (401, "invalid_client")


def test_a_certificate_is_no_way_in_for_other_clients(provider: Provider) -> None:
    """SR-82: the registered method, and no other."""
    plain = provider.register()

    assert error(revokes(provider, plain, PORTAL_CERT.header)) == (401, "invalid_client")
    secret = by_certificate(provider)
    form = {"token": "x", "client_id": secret.client.client_id, "client_secret": "x"}
    assert error(posts(provider, "/revoke", form, authenticated=False, headers=PORTAL_CERT.header)) == (
        401,
        "invalid_client",
    )


@pytest.mark.parametrize(
    "metadata",
    [
        {"token_endpoint_auth_method": "tls_client_auth"},
        {
            "token_endpoint_auth_method": "tls_client_auth",
            "tls_client_auth_subject_dn": "CN=a",
            "tls_client_auth_san_dns": "a.example",
        },
        {"tls_client_auth_san_dns": "a.example"},
        {"token_endpoint_auth_method": "self_signed_tls_client_auth"},
    ],
    ids=["no name", "two names", "a name for nothing", "no keys"],
)
def test_metadata_names_the_certificate_once(provider: Provider, metadata: dict[str, Any]) -> None:
    """§2.1.2, §2.2.2."""
    with pytest.raises(ValueError, match=r"tls_client_auth|jwks"):
        provider.register(**metadata)


# Bound tokens


def given(person: Person, client: Registered, headers: dict[str, str], **parameters: str) -> TestResponse:
    person.comes_from_portal(client_id=client.client.client_id, **parameters)
    return posts(person.provider, "/token", code_form(person), caller=client, headers=headers)


@pytest.mark.parametrize("parameters", [{}, {"resource": PAYSLIPS}], ids=["opaque", "jwt"])
def test_a_token_is_bound_to_the_certificate(kari: Person, provider: Provider, parameters: dict[str, str]) -> None:
    """§3, §3.1, §3.2: `x5t#S256`; it remains a Bearer token by name."""
    client = provider.register(tls_client_certificate_bound_access_tokens=True)
    tokens = given(kari, client, PORTAL_CERT.header, **parameters).get_json()
    bound = {"x5t#S256": PORTAL_CERT.thumbprint}

    assert tokens["token_type"] == "Bearer"
    if parameters:
        assert told(tokens["access_token"])["cnf"] == bound
    live = posts(provider, "/introspect", {"token": tokens["access_token"]}, caller=client).get_json()
    assert live["cnf"] == bound


def test_such_a_token_needs_its_certificate(kari: Person, provider: Provider) -> None:
    """§3: 401 invalid_token with another, or with none."""
    client = provider.register(tls_client_certificate_bound_access_tokens=True)
    token = given(kari, client, PORTAL_CERT.header).get_json()["access_token"]

    assert gets(provider, "/userinfo", **bearer(token), **PORTAL_CERT.header).status_code == 200
    assert error(gets(provider, "/userinfo", **bearer(token))) == (401, "invalid_token")
    other = certify("portal", by=AUTHORITY)
    assert error(gets(provider, "/userinfo", **bearer(token), **other.header)) == (401, "invalid_token")


def test_such_a_client_gets_no_other_tokens(kari: Person, provider: Provider) -> None:
    """§3.4: and the code is not spent by asking wrongly."""
    client = provider.register(tls_client_certificate_bound_access_tokens=True)

    assert error(given(kari, client, {})) == (400, "invalid_request")
    assert posts(provider, "/token", code_form(kari), caller=client, headers=PORTAL_CERT.header).status_code == 200


def test_a_public_clients_refresh_token_is_bound_too(kari: Person, provider: Provider) -> None:
    """§4."""
    client = provider.register(token_endpoint_auth_method="none", tls_client_certificate_bound_access_tokens=True)
    client_id = client.client.client_id
    kari.comes_from_portal(client_id=client_id)
    form = code_form(kari, client_id=client_id)
    first = posts(provider, "/token", form, authenticated=False, headers=PORTAL_CERT.header).get_json()
    again = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], "client_id": client_id}
    other = certify("portal", by=AUTHORITY).header

    assert error(posts(provider, "/token", again, authenticated=False, headers=other)) == (400, "invalid_grant")
    assert posts(provider, "/token", again, authenticated=False, headers=PORTAL_CERT.header).status_code == 200


def test_the_profile_may_rest_on_certificates(kari: Person, provider: Provider) -> None:
    """FAPI 2.0 §5.3.2.1: mutual TLS instead of private_key_jwt and DPoP."""
    client = by_certificate(provider, profile="fapi2", tls_client_certificate_bound_access_tokens=True)
    assert not client.client.dpop_bound_access_tokens
    client_id = client.client.client_id
    request = kari.request(client_id=client_id)
    pushed = posts(provider, "/par", request, authenticated=False, headers=PORTAL_CERT.header).get_json()
    kari.goes(f"/authorize?client_id={client_id}&request_uri={pushed['request_uri']}")
    form = code_form(kari, client_id=client_id)

    answer = posts(provider, "/token", form, authenticated=False, headers=PORTAL_CERT.header)
    assert answer.status_code == 200, answer.get_data(as_text=True)


def test_a_token_may_be_bound_to_both(kari: Person, provider: Provider) -> None:
    """A proof does not take the certificate's place where that is demanded."""
    client = provider.register(tls_client_certificate_bound_access_tokens=True)
    key = ECKey.generate_key("P-256")
    assert error(given(kari, client, proof_for_token(key))) == (400, "invalid_request")
    token = given(kari, client, {**PORTAL_CERT.header, **proof_for_token(key)}).get_json()["access_token"]

    def asks(headers: dict[str, str]) -> TestResponse:
        shown = {"DPoP": dpop_proof(key, "GET", f"{BASE}/userinfo", token=token)}
        return gets(provider, "/userinfo", Authorization=f"DPoP {token}", **shown, **headers)

    assert asks(PORTAL_CERT.header).status_code == 200
    assert error(asks({})) == (401, "invalid_token")


def proof_for_token(key: ECKey) -> dict[str, str]:
    return {"DPoP": dpop_proof(key, "POST", f"{BASE}/token")}


# The addresses


def test_discovery_names_where_certificates_are_asked_for(provider: Provider) -> None:
    """§3.3, §5."""
    document = gets(provider, "/.well-known/openid-configuration").get_json()

    assert document["tls_client_certificate_bound_access_tokens"] is True
    assert document["mtls_endpoint_aliases"]["token_endpoint"] == f"{ALIAS}/token"
    assert set(document["token_endpoint_auth_methods_supported"]) >= {"tls_client_auth", "self_signed_tls_client_auth"}


def test_only_clients_have_business_there(provider: Provider) -> None:
    """SR-65: no page of people's is drawn under another name."""
    browser = provider.app.test_client()

    assert browser.post("/token", base_url=ALIAS).status_code == 400
    assert "form" in browser.post("/token", base_url=ALIAS).get_json()["error_description"]
    for path in ("/", "/authorize", "/account", "/.well-known/openid-configuration"):
        assert browser.get(path, base_url=ALIAS).status_code == 400
    elsewhere = browser.post("/token", base_url="https://evil.example").get_json()
    assert elsewhere["error_description"].startswith("reference ")  # not even looked at


def test_without_the_setting_there_is_none_of_it(tmp_path: Path, outside: Outside) -> None:
    with new_provider(settings_for(on_sqlite(tmp_path), tmp_path, outside), outside) as plain:
        document = gets(plain, "/.well-known/openid-configuration").get_json()
        assert not {"mtls_endpoint_aliases", "tls_client_certificate_bound_access_tokens"} & document.keys()
        assert "tls_client_auth" not in document["token_endpoint_auth_methods_supported"]
        client = by_certificate(plain)
        assert error(revokes(plain, client, PORTAL_CERT.header)) == (401, "invalid_client")
