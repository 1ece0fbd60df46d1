"""Whether a certificate was revoked, by its authority's word (OCSP, RFC 6960). No word is no proof."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from hashlib import new as new_hash
from hmac import compare_digest

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from idp.eid.certificates import BROKEN, UNREADABLE, Untrusted, extended_usages, is_issued_by, parse
from idp.outgoing.known import Caller, Unreachable

OLDEST = timedelta(minutes=15)
"""How old a responder's word may be."""

SKEW = timedelta(seconds=120)
"""How far its clock may be from ours."""

NONCE = 32
"""Bytes of the nonce in our own requests (RFC 9654 §2.1)."""

LONGEST = 32 * 1024
"""Bytes of the longest answer that is looked at."""


class Revoked(Exception):
    """The authority has revoked the certificate."""


class Unknown(Exception):
    """Nobody vouches for the certificate: no answer, one that does not count, or "unknown"."""


def ask(
    caller: Caller, urls: Sequence[str], certificate: x509.Certificate, *, issuer: x509.Certificate, now: datetime
) -> None:
    """Ask the responders of a certificate in turn. Raises `Revoked` or `Unknown`; returns when it is good."""
    problem: Exception | None = None
    for url in urls:
        nonce = os.urandom(NONCE)
        builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1())  # noqa: S303 - an id
        request = builder.add_extension(x509.OCSPNonce(nonce), critical=False).build()
        body = request.public_bytes(serialization.Encoding.DER)
        try:
            answer = caller.post_bytes(url, body, content_type="application/ocsp-request")
        except Unreachable as fault:
            problem = fault
            continue
        if answer.status != 200 or answer.content_type != "application/ocsp-response":
            problem = None
            continue
        check(answer.body, certificate, issuer=issuer, now=now, nonce_fits=partial(_same, nonce))
        return
    raise Unknown("no responder answers") from problem


def check(
    der: bytes,
    certificate: x509.Certificate,
    *,
    issuer: x509.Certificate,
    now: datetime,
    nonce_fits: Callable[[bytes | None], bool],
) -> None:
    """Judge an answer in strict DER. Raises `Revoked` or `Unknown`; returns when the certificate is good."""
    answer = _parsed(der)
    if not nonce_fits(_nonce(answer)):
        raise Unknown("the answer is to another question")
    _ensure_signed(answer, issuer, now)
    single = _only(answer)
    if single.serial_number != certificate.serial_number or not _is_about(single, issuer):
        raise Unknown("the answer is about another certificate")
    if single.certificate_status is ocsp.OCSPCertStatus.REVOKED:
        raise Revoked
    if single.certificate_status is not ocsp.OCSPCertStatus.GOOD:
        raise Unknown("the responder does not know the certificate")
    if not now - OLDEST - SKEW <= single.this_update_utc <= now + SKEW:
        raise Unknown("the answer is not of now")
    if single.next_update_utc is not None and single.next_update_utc + SKEW < now:
        raise Unknown("the answer has run out")


def _same(sent: bytes, got: bytes | None) -> bool:
    return got is not None and compare_digest(got, sent)


def _parsed(der: bytes) -> ocsp.OCSPResponse:
    if len(der) > LONGEST:
        raise Unknown("the answer is too long")
    try:
        answer = ocsp.load_der_ocsp_response(der)
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise Unknown(f"the responder says {answer.response_status.name}")
        _ = answer.extensions, answer.signature_hash_algorithm, [one.hash_algorithm for one in answer.responses]
        _ = [parse(one.public_bytes(serialization.Encoding.DER)) for one in answer.certificates]
    except (Untrusted, *UNREADABLE) as problem:
        raise Unknown("the answer is not DER as it should be") from problem
    return answer


def _nonce(answer: ocsp.OCSPResponse) -> bytes | None:
    try:
        return answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return None


def _only(answer: ocsp.OCSPResponse) -> ocsp.OCSPSingleResponse:
    found = list(answer.responses)
    if len(found) != 1:
        raise Unknown("not exactly one answer")
    return found[0]


def _is_about(single: ocsp.OCSPSingleResponse, issuer: x509.Certificate) -> bool:
    name = issuer.subject.public_bytes(serialization.Encoding.DER)
    hashed = [new_hash(single.hash_algorithm.name, part).digest() for part in (name, _key_bits(issuer))]
    return compare_digest(single.issuer_name_hash, hashed[0]) and compare_digest(single.issuer_key_hash, hashed[1])


def _key_bits(issuer: x509.Certificate) -> bytes:
    """The public key as a certificate id hashes it: without its algorithm (RFC 6960 §4.1.1)."""
    key = issuer.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    raise Unknown("the authority's key is of no kind that is taken here")


def _ensure_signed(answer: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> None:
    """By the authority itself, or by a responder it has named for this (RFC 6960 §4.2.2.2)."""
    if isinstance(answer.signature_hash_algorithm, BROKEN):
        raise Unknown("the signature's algorithm counts no more")
    for candidate in (issuer, *answer.certificates):
        if (candidate == issuer or _is_named(candidate, issuer, now)) and _is_signed_by(answer, candidate):
            return
    raise Unknown("nobody who may has signed the answer")


def _is_named(responder: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
    return (
        ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string in extended_usages(responder)
        and responder.not_valid_before_utc <= now <= responder.not_valid_after_utc
        and is_issued_by(responder, issuer)
    )


def _is_signed_by(answer: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, algorithm = signer.public_key(), answer.signature_hash_algorithm
    if algorithm is None:
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(answer.signature, answer.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(algorithm))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
