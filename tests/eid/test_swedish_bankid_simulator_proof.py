"""What the simulated Swedish BankID signs, in the published form and by the word of other libraries (SR-105)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha1
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from lxml import etree  # type: ignore[import-untyped]
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidDigest, InvalidSignature
from signxml.verifier import SignatureConfiguration, XMLVerifier

from relying_party_demo.outside.eid import clock
from relying_party_demo.outside.eid.swedish_bankid_bank import Bank
from tests.eid.swedish_simulation import ASTRID, BJORN, TEXT, VECTORS, Service, later, running

BINDING = b64encode(b"this transaction").decode()
BANKID = "{http://www.bankid.com/signature/v1.0.0/types}"
XMLDSIG = "{http://www.w3.org/2000/09/xmldsig#}"
PUBLISHED: str = next(one for one in VECTORS if one["id"] == "se-bankid-xmldsig-1")["input"]["signature_b64"]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("swedish-bankid")) as made:
        yield made


@pytest.fixture
def service(started: Service) -> Service:
    return later(started)


# --- what was signed ---------------------------------------------------------------------------------------------


def parsed(signature: str) -> Any:
    return etree.fromstring(b64decode(signature, validate=True))


def certificates(root: Any) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(b64decode(one.text)) for one in root.iter(f"{XMLDSIG}X509Certificate")]


def person_of(root: Any) -> x509.Certificate:
    return certificates(root)[0]


def verified(signature: str, at: datetime | None = None) -> dict[str, Any]:
    """What an independent library takes for signed, by id."""
    verifier = XMLVerifier()
    # libxml2 writes an empty xmlns for elements below a repeated declaration, as the real signatures have them.
    verifier.excise_empty_xmlns_declarations = True
    found = verifier.verify(
        b64decode(signature),
        x509_cert=person_of(parsed(signature)),
        id_attribute="Id",
        expect_config=SignatureConfiguration(
            expect_references=2,
            signature_methods=frozenset({SignatureMethod.RSA_SHA256}),
            digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
            verification_time=at or clock.now(),
        ),
    )
    assert isinstance(found, list)
    return {one.signed_xml.get("Id"): one.signed_xml for one in found if one.signed_xml is not None}


def said(data: Any, *path: str) -> str:
    return cast("str", data.findtext("/".join(f"{BANKID}{name}" for name in path)))


def skeleton(element: Any) -> tuple[Any, ...]:
    """Names and attributes, without the texts."""
    return element.tag, sorted(element.attrib.items()), [skeleton(one) for one in element]


def test_an_independent_library_verifies_the_signature(service: Service) -> None:
    told = service.approves(userNonVisibleData=BINDING, requirement={"certificatePolicies": ["1.2.3.4.25"]})

    data = verified(told["signature"])["bidSignedData"]
    assert said(data, "usrVisibleData") == TEXT
    assert said(data, "usrNonVisibleData") == BINDING
    assert b64decode(said(data, "srvInfo", "displayName")) == b"Alumni"
    assert b64decode(said(data, "srvInfo", "name")).startswith(b"cn=Alumni AS,name=Alumni,serialNumber=")
    assert said(data, "clientInfo", "funcId") == "Identification"
    assert said(data, "clientInfo", "env", "ai", "uhi") == told["device"]["uhi"]
    assert said(data, "clientInfo", "env", "ai", "requirement", "condition", "value") == "1.2.3.4.25"


def test_the_library_verifies_the_published_signature_alike() -> None:
    assert set(verified(PUBLISHED, datetime(2022, 12, 1, tzinfo=UTC))) == {"bidSignedData", "bidKeyInfo"}


def test_its_shape_is_that_of_the_published_one(service: Service) -> None:
    ours = service.approves(userNonVisibleData=BINDING, requirement={"certificatePolicies": ["1.2.3.4.5"]})["signature"]

    assert skeleton(parsed(ours)) == skeleton(parsed(PUBLISHED))
    start = b'<?xml version="1.0" encoding="UTF-8" standalone="no"?><Signature xmlns='
    assert b64decode(ours).startswith(start)
    assert b64decode(PUBLISHED).startswith(start)


def test_the_code_can_be_asked_for(service: Service) -> None:
    for asked, how in ((True, "pw"), (False, "bio")):
        data = verified(service.approves(requirement={"pinCode": asked})["signature"])["bidSignedData"]
        assert said(data, "clientInfo", "env", "ai", "uauth") == how


def test_three_certificates_lead_to_a_root_that_is_not_among_them(service: Service) -> None:
    person, customers, bank = certificates(parsed(service.approves()["signature"]))
    (root,) = x509.load_pem_x509_certificates(service.simulator.bank.person_roots_file.read_bytes())

    for below, above in ((person, customers), (customers, bank), (bank, root)):
        below.verify_directly_issued_by(above)
    subject = {one.oid: one.value for one in person.subject}
    assert subject[NameOID.SERIAL_NUMBER] == ASTRID.number
    assert (subject[NameOID.GIVEN_NAME], subject[NameOID.SURNAME]) == ("Astrid", "Lindqvist")
    assert person.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature


@pytest.mark.parametrize(
    ("asked", "policy"),
    [
        ({}, "1.2.3.4.25"),
        ({"certificatePolicies": ["1.2.3.4.5"]}, "1.2.3.4.5"),
        ({"certificatePolicies": ["1.2.3.4.10", "1.2.3.4.25"]}, "1.2.3.4.25"),
        ({"certificatePolicies": ["1.2.3.4.*"]}, "1.2.3.4.25"),
    ],
)
def test_the_certificate_is_of_a_policy_that_was_asked_for(service: Service, asked: Any, policy: str) -> None:
    certificate = person_of(parsed(service.approves(requirement=asked)["signature"]))
    found = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert [one.policy_identifier.dotted_string for one in found] == [policy]


def test_the_person_is_told_as_in_the_certificate(service: Service) -> None:
    told = service.approves()
    assert told["user"] == {
        "personalNumber": ASTRID.number,
        "name": "Astrid Lindqvist",
        "givenName": "Astrid",
        "surname": "Lindqvist",
    }
    assert told["stepUp"] is None
    assert told["bankIdIssueDate"].endswith("Z")


def test_the_responder_vouches_for_this_signature_alone(service: Service) -> None:
    """RFC 6960; its nonce begins with the digest of the signature as it was sent."""
    told = service.approves()
    answer = ocsp.load_der_ocsp_response(b64decode(told["ocspResponse"], validate=True))
    person, customers, _ = certificates(parsed(told["signature"]))
    (responder,) = answer.certificates
    responder.verify_directly_issued_by(customers)
    usages = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    algorithm = cast("HashAlgorithm", answer.signature_hash_algorithm)
    key = cast("RSAPublicKey", responder.public_key())
    key.verify(answer.signature, answer.tbs_response_bytes, PKCS1v15(), algorithm)

    assert list(usages) == [ExtendedKeyUsageOID.OCSP_SIGNING]
    assert answer.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert answer.serial_number == person.serial_number
    nonce = answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    assert len(nonce) == 32
    assert nonce[:20] == sha1(told["signature"].encode()).digest()  # noqa: S324 - the format's own choice


@pytest.mark.parametrize("fault", ["bad-digest", "bad-signature"])
def test_a_signature_that_is_to_be_bad_is_bad(service: Service, fault: str) -> None:
    with pytest.raises((InvalidSignature, InvalidDigest)):
        verified(service.approves(fault=fault)["signature"])


def test_a_wrapped_signature_is_good_and_over_something_else(service: Service) -> None:
    """What a text search finds first is not what was signed."""
    signature = service.approves(userNonVisibleData=BINDING, fault="wrapped-signature")["signature"]

    assert said(verified(signature)["bidSignedData"], "usrNonVisibleData") != BINDING
    assert next(parsed(signature).iter(f"{BANKID}usrNonVisibleData")).text == BINDING


def test_somebody_else_s_proof_is_whole(service: Service) -> None:
    told = service.approves(requirement={"personalNumber": ASTRID.number}, fault="other-person")
    subject = person_of(parsed(told["signature"])).subject
    assert verified(told["signature"])
    assert subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)[0].value == BJORN.number
    assert told["user"]["personalNumber"] == BJORN.number


# --- its authorities ---------------------------------------------------------------------------------------------


def test_authorities_outlive_a_restart_and_are_shared_with_nobody(service: Service, tmp_path: Path) -> None:
    bank = service.simulator.bank
    before = bank.person_roots_file.read_bytes(), bank.server_root_file.read_bytes()
    again = Bank(bank.folder, clock.now())

    assert (again.person_roots_file.read_bytes(), again.server_root_file.read_bytes()) == before
    assert load_pem_private_key((bank.folder / "client.pem").read_bytes(), None)
    keys = [bank.folder / "client.pem", bank.folder / "server.pem", *(bank.folder / "authorities").iterdir()]
    assert {file.stat().st_mode & 0o777 for file in keys} == {0o600}


def test_its_names_say_that_it_proves_nobody(service: Service) -> None:
    """A provider that is no demo refuses these roots by their names."""
    for file in (service.simulator.bank.person_roots_file, service.simulator.bank.server_root_file):
        (root,) = x509.load_pem_x509_certificates(file.read_bytes())
        assert str(root.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value).startswith("Test BankID")
