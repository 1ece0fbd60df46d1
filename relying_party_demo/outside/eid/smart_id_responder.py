"""Who says whether a Smart-ID of the simulator is revoked: responders that each authority has named (RFC 6960)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from flask import Flask, Response, request

from . import clock

TYPE, ASKED = "application/ocsp-response", "application/ocsp-request"
STATUSES = {"revoked": ocsp.OCSPCertStatus.REVOKED, "ocsp-unknown": ocsp.OCSPCertStatus.UNKNOWN}
FAULTS = (*STATUSES, "ocsp-stale", "ocsp-other-nonce", "ocsp-away")
LONGEST = 4096
"""Bytes of a question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """The responder of one authority: its certificate is by that authority, for OCSP signing."""

    authority: x509.Certificate
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)


class Responder:
    """Knows the certificates that were issued, each with its fault if it has one. All others are unknown."""

    def __init__(self, signers: Sequence[Signer]) -> None:
        self._signers = {_key_hash(signer.authority): signer for signer in signers}
        self._issued: dict[tuple[bytes, int], str | None] = {}

    def issued(self, certificate: x509.Certificate, *, by: x509.Certificate, fault: str | None) -> None:
        """From now on this certificate is known."""
        self._issued[_key_hash(by), certificate.serial_number] = fault if fault in FAULTS else None

    def app(self) -> Flask:
        """The responder as a web service, at `/ocsp`."""
        app = Flask(__name__)
        app.config["MAX_CONTENT_LENGTH"] = LONGEST
        app.post("/ocsp")(self._ocsp)
        return app

    def _ocsp(self) -> Response:
        if request.mimetype != ASKED:
            return Response("", 415)
        try:
            asked = ocsp.load_der_ocsp_request(request.get_data())
            nonce = _nonce(asked)
        except ValueError:
            return _told(ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.MALFORMED_REQUEST))
        signer = self._signers.get(asked.issuer_key_hash)
        if signer is None or not isinstance(asked.hash_algorithm, SHA1):
            return _told(ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED))
        fault = self._issued.get((asked.issuer_key_hash, asked.serial_number), "ocsp-unknown")
        if fault == "ocsp-away":
            return Response("", 503)
        return _told(_answer(asked, signer, b"\0" * 32 if fault == "ocsp-other-nonce" else nonce, fault))


def _answer(asked: ocsp.OCSPRequest, signer: Signer, nonce: bytes | None, fault: str | None) -> ocsp.OCSPResponse:
    now = clock.now() - (timedelta(hours=2) if fault == "ocsp-stale" else timedelta(0))
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response_by_hash(
            issuer_name_hash=asked.issuer_name_hash,
            issuer_key_hash=asked.issuer_key_hash,
            serial_number=asked.serial_number,
            algorithm=SHA1(),  # noqa: S303 - the algorithm of an id, as everybody asks with it
            cert_status=STATUSES.get(fault or "", ocsp.OCSPCertStatus.GOOD),
            this_update=now,
            next_update=now + timedelta(minutes=10),
            revocation_time=now if fault == "revoked" else None,
            revocation_reason=None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
        .certificates([signer.certificate])
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.sign(signer.key, SHA384())


def _told(answer: ocsp.OCSPResponse) -> Response:
    return Response(answer.public_bytes(Encoding.DER), content_type=TYPE)


def _nonce(asked: ocsp.OCSPRequest) -> bytes | None:
    try:
        return asked.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return None


def _key_hash(certificate: x509.Certificate) -> bytes:
    return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
