"""Certificates count only under the configured anchors, and answers about revocation only when they are sound."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from idp.eid import certificates, revocation
from idp.eid.certificates import Untrusted
from idp.eid.revocation import Revoked, Unknown

VECTORS = {
    vector["id"]: vector
    for vector in json.loads((Path(__file__).parent / "vectors.json").read_text("utf-8"))["vectors"]
    if vector["kind"] in ("smartid_certificate", "ocsp_response")
}
ROOT, CA = "cert-TEST-ROOT-G1E", "cert-TEST-EID-Q-2024E"
WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def certificate(name: str) -> x509.Certificate:
    return certificates.parse(b64decode(VECTORS[name]["input"]["der_b64"]))


# The published certificates


@pytest.mark.parametrize("name", [name for name, one in VECTORS.items() if one["kind"] == "smartid_certificate"])
def test_published_certificates_say_what_they_say(name: str) -> None:
    expected, found = VECTORS[name]["expected"], certificate(name)
    assert certificates.policies(found) == frozenset(expected["policies"] or ())
    assert certificates.extended_usages(found) == frozenset(expected["eku"] or ())
    if expected["subject_serialNumber"]:
        assert certificates.subject(found, NameOID.SERIAL_NUMBER) == expected["subject_serialNumber"]
    if expected["role"].startswith(("trust anchor", "intermediate CA", "older intermediate CA", "private test CA")):
        assert certificates.is_for_tests(found)


@pytest.mark.parametrize(
    ("leaf", "between", "good"),
    [
        ("cert-smartid-auth-q-new", [CA], True),
        ("cert-smartid-other-auth-key", [CA], True),
        ("cert-smartid-auth-q-new", [], False),
        ("cert-smartid-auth-nq", [CA], False),
        ("cert-smartid-auth-nq", ["cert-TEST-EID-NQ-2021E"], True),
        ("cert-php-qualified-smartid-ee", ["cert-php-test-ca"], False),
        (CA, [], False),
    ],
)
def test_a_path_leads_to_the_configured_root_or_nowhere(leaf: str, between: list[str], good: bool) -> None:
    def lead() -> tuple[x509.Certificate, ...]:
        anchors = [certificate(ROOT)]
        return certificates.path(
            certificate(leaf), between=[certificate(one) for one in between], anchors=anchors, now=WHEN
        )

    if good:
        assert lead()[-1] == certificate(ROOT)
    else:
        with pytest.raises(Untrusted):
            lead()


@pytest.mark.parametrize("name", ["cert-smartid-expired", "cert-smartid-auth-q-old-lv"])
def test_expired_certificates_do_not_count(name: str) -> None:
    anchors, late = [certificate("cert-TEST-EID-SK-2016")], datetime(2031, 1, 1, tzinfo=UTC)
    with pytest.raises(Untrusted):
        certificates.path(certificate(name), between=[], anchors=anchors, now=late)


def test_sha1_counts_no_more_even_under_its_own_anchor() -> None:
    anchors, when = [certificate("cert-php-test-ca")], datetime(2026, 6, 1, tzinfo=UTC)
    with pytest.raises(Untrusted):
        certificates.path(certificate("cert-php-qualified-smartid-ee"), between=[], anchors=anchors, now=when)


@pytest.mark.parametrize("der", [b"", b"0", b"\x30\x80", b"\x00" * 20_000])
def test_what_is_no_certificate_is_refused(der: bytes) -> None:
    with pytest.raises(Untrusted):
        certificates.parse(der)


def altered(der: bytes, *, wherever: bytes = b"") -> list[bytes]:
    """With one bit of every fifth byte turned, and of each byte of what is named."""
    named = range(der.index(wherever), der.index(wherever) + len(wherever))
    places = sorted({*range(0, len(der), 5), *named})
    return [der[:at] + bytes([der[at] ^ 1]) + der[at + 1 :] for at in places]


VERSION_3, ECDSA_SHA384, RSA_KEY = (
    b"\xa0\x03\x02\x01\x02",
    b"\x2a\x86\x48\xce\x3d\x04\x03\x03",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01",
)


@pytest.mark.parametrize("part", [VERSION_3, ECDSA_SHA384, RSA_KEY], ids=["version", "signature", "key"])
def test_an_altered_certificate_is_refused_in_words_whatever_it_has_become(part: bytes) -> None:
    """It comes from outside: a kind that nobody knows is a refusal like any other, never an error of ours."""
    anchors, between = [certificate(ROOT)], [certificate(CA)]
    for der in altered(b64decode(VECTORS["cert-smartid-auth-q-new"]["input"]["der_b64"]), wherever=part):
        with pytest.raises(Untrusted):
            certificates.path(certificates.parse(der), between=between, anchors=anchors, now=WHEN)


def test_an_altered_authority_vouches_for_nobody() -> None:
    leaf, anchors = certificate("cert-smartid-auth-q-new"), [certificate(ROOT)]
    for der in altered(b64decode(VECTORS[CA]["input"]["der_b64"]), wherever=ECDSA_SHA384):
        with pytest.raises(Untrusted):
            certificates.path(leaf, between=[certificates.parse(der)], anchors=anchors, now=WHEN)


# Hierarchies that were made to be wrong


@cache
def key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def made(
    name: str,
    issuer: str,
    *,
    ca: bool = True,
    length: int | None = None,
    cert_sign: bool = True,
    begins: datetime = WHEN - timedelta(days=1),
    ends: datetime = WHEN + timedelta(days=1),
    more: tuple[x509.ExtensionType, ...] = (),
    critical: bool = False,
    signer: str | None = None,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key(name).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=length), critical=True)
        .add_extension(
            x509.KeyUsage(not ca, False, False, False, False, cert_sign and ca, ca, False, False), critical=True
        )
    )
    for extension in more:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key(signer or issuer), hashes.SHA256())


def leads(leaf: x509.Certificate, *between: x509.Certificate, anchor: x509.Certificate) -> bool:
    try:
        certificates.path(leaf, between=between, anchors=[anchor], now=WHEN)
    except Untrusted:
        return False
    return True


def test_a_sound_hierarchy_leads_to_its_anchor() -> None:
    anchor, middle, leaf = made("root", "root"), made("ca", "root"), made("kari", "ca", ca=False)
    assert leads(leaf, middle, anchor=anchor)
    assert leads(leaf, anchor=middle)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: made("ca", "root", ca=False),
        lambda: made("ca", "root", cert_sign=False),
        lambda: made("ca", "root", ends=WHEN - timedelta(seconds=1)),
        lambda: made("ca", "root", begins=WHEN + timedelta(minutes=2)),
        lambda: made("ca", "root", signer="mallory"),
        lambda: made("ca", "mallory"),
        lambda: made(
            "ca",
            "root",
            more=(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"),),
            critical=True,
        ),
        lambda: made("ca", "root", more=(x509.AuthorityKeyIdentifier(b"other", None, None),)),
    ],
    ids=["no-authority", "no-signing", "expired", "not-yet", "forged", "other-issuer", "critical", "other-key"],
)
def test_an_unsound_authority_leads_nowhere(wrong: Callable[[], x509.Certificate]) -> None:
    anchor = made("root", "root", more=(x509.SubjectKeyIdentifier.from_public_key(key("root").public_key()),))
    assert not leads(made("kari", "ca", ca=False), wrong(), anchor=anchor)


def test_path_length_is_kept() -> None:
    anchor = made("root", "root", length=0)
    assert not leads(made("kari", "ca", ca=False), made("ca", "root"), anchor=anchor)
    assert leads(made("kari", "root", ca=False), anchor=anchor)


def test_an_authority_is_no_person() -> None:
    assert not leads(made("kari", "root"), anchor=made("root", "root"))


# Revocation


@pytest.mark.parametrize("name", [name for name, one in VECTORS.items() if one["kind"] == "ocsp_response"])
def test_published_answers_are_never_good(name: str) -> None:
    """All of them are refusals: revoked, in error, or no DER."""
    given = VECTORS[name]["input"]
    issuer, subject = (certificate(given.get(role, CA)) for role in ("issuer_ref", "cert_ref"))
    with pytest.raises((Revoked, Unknown)):
        revocation.check(b64decode(given["der_b64"]), subject, issuer=issuer, now=WHEN, nonce_fits=lambda _: True)


def answer(**wrong: Any) -> tuple[bytes, x509.Certificate, x509.Certificate]:
    """An answer that is good but for what is said; with the certificate and its authority."""
    issuer, leaf = made("root", "root"), made("kari", "root", ca=False)
    usage = x509.ExtendedKeyUsage([wrong.get("usage", ExtendedKeyUsageOID.OCSP_SIGNING)])
    responder = made("responder", "root", ca=False, more=(usage,), signer=wrong.get("named_by"))
    signer, name = (issuer, "root") if wrong.get("by_authority") else (responder, "responder")
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=wrong.get("about", leaf),
            issuer=issuer,
            algorithm=wrong.get("algorithm", hashes.SHA1()),  # noqa: S303 - part of an id, no signature
            cert_status=wrong.get("status", ocsp.OCSPCertStatus.GOOD),
            this_update=wrong.get("this_update", WHEN),
            next_update=wrong.get("next_update"),
            revocation_time=WHEN if wrong.get("status") is ocsp.OCSPCertStatus.REVOKED else None,
            revocation_reason=None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.NAME, signer)
        .add_extension(x509.OCSPNonce(b"n" * 32), critical=False)
    )
    if signer is responder:
        builder = builder.certificates([responder])
    der = builder.sign(key(name), hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    if wrong.get("forged"):
        der = der.replace(b"n" * 32, b"N" * 32)
    return der, leaf, issuer


def judge(made: tuple[bytes, x509.Certificate, x509.Certificate], *, nonce: bytes = b"n" * 32) -> None:
    der, leaf, issuer = made
    revocation.check(
        der, leaf, issuer=issuer, now=WHEN, nonce_fits=lambda got: got is not None and got.lower() == nonce
    )


@pytest.mark.parametrize("told", [{}, {"algorithm": hashes.SHA256()}], ids=["sha1-id", "sha256-id"])
def test_a_good_answer_is_good(told: dict[str, Any]) -> None:
    judge(answer(**told))


def test_a_revoked_certificate_is_told_apart() -> None:
    with pytest.raises(Revoked):
        judge(answer(status=ocsp.OCSPCertStatus.REVOKED))


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": ocsp.OCSPCertStatus.UNKNOWN},
        {"this_update": WHEN - timedelta(minutes=18)},
        {"this_update": WHEN + timedelta(minutes=3)},
        {"next_update": WHEN - timedelta(minutes=3), "this_update": WHEN - timedelta(minutes=5)},
        {"usage": ExtendedKeyUsageOID.CLIENT_AUTH},
        {"named_by": "mallory"},
        {"forged": True},
        {"about": made("ola", "root", ca=False)},
    ],
    ids=["unknown", "stale", "future", "run-out", "no-responder", "not-named", "forged", "other-certificate"],
)
def test_an_answer_that_does_not_count_is_no_answer(wrong: dict[str, Any]) -> None:
    """SR-105: no word is no proof."""
    with pytest.raises(Unknown):
        judge(answer(**wrong))


def test_an_answer_to_another_question_is_none() -> None:
    with pytest.raises(Unknown):
        judge(answer(), nonce=b"m" * 32)


def test_an_altered_answer_is_none_whatever_it_has_become() -> None:
    """The signatures' unused bits are left alone: they say nothing."""
    der, leaf, issuer = answer()
    for changed in altered(der, wherever=b"\x2a\x86\x48\xce\x3d\x04\x03\x02"):
        if _unused_bits(der, changed):
            continue
        with pytest.raises((Revoked, Unknown)):
            judge((changed, leaf, issuer))


def _unused_bits(der: bytes, changed: bytes) -> bool:
    at = next(at for at in range(len(der)) if der[at] != changed[at])
    return der[at] == 0 and der[at - 2] == 0x03 and der[at + 1] == 0x30


def test_the_authority_may_answer_itself() -> None:
    judge(answer(by_authority=True))
