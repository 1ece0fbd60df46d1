"""The bank of the Swedish BankID simulator: issues BankIDs and client certificates, and vouches for them (OCSP)."""

from __future__ import annotations

import secrets
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha1
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from .people import EidPerson
from .swedish_bankid_certificates import Authorities, Extension, Issuer, addresses, key_pem, name, new_key, usage
from .swedish_bankid_requests import NOWHERE_ELSE

OCSP_ADDRESS = "http://revocation.bankid.invalid"
"""Stands in the certificates. Nobody has to ask there: the responder's word comes with each order."""

YEAR = timedelta(days=365)


@dataclass(frozen=True)
class BankId:
    """A person's certificate with its key. `chain`: the person's, the bank's for customers, the bank's."""

    key: RSAPrivateKey = field(repr=False)
    chain: tuple[x509.Certificate, ...] = field(repr=False)
    issuer: Issuer = field(repr=False)


class Bank:
    """Keeps its authorities in the folder. `files` for who uses the service: roots to trust, client certificate."""

    def __init__(self, folder: Path, now: datetime) -> None:
        self.folder = folder
        self._authorities = Authorities(folder / "authorities", now)
        self._now = now
        self._app_keys: dict[str, RSAPrivateKey] = {}
        self._responders: dict[bool, tuple[RSAPrivateKey, x509.Certificate]] = {}
        self.server_root_file = folder / "server-root.pem"
        self.person_roots_file = folder / "person-roots.pem"
        self.client_file = folder / "client.pem"
        self.server_root_file.write_bytes(_pem(self._authorities.server_root))
        self.person_roots_file.write_bytes(_pem(self._authorities.person_root))
        if not _is_young(self.client_file, now):
            self.issue_client("Alumni", self.client_file)

    def issue_client(self, display_name: str, file: Path) -> None:
        """Write a client certificate and its key for a service that uses BankID."""
        subject = name(
            (NameOID.ORGANIZATION_NAME, "Testbank A AB (publ)"), (NameOID.SERIAL_NUMBER, "5566304928"),
            (NAME, display_name), (NameOID.COMMON_NAME, f"{display_name} AS"),
        )  # fmt: skip
        key, issuer = new_key(), self._authorities.companies
        extensions = [usage("digital_signature"), _purpose(ExtendedKeyUsageOID.CLIENT_AUTH)]
        certificate = issuer.issue(subject, key.public_key(), extensions=extensions, **self._life())
        file.touch(0o600)
        file.write_bytes(certificate.public_bytes(Encoding.PEM) + key_pem(key) + _pem(issuer))

    def tls(self, host: str) -> ssl.SSLContext:
        """TLS of the service: version 1.2 and up, with a client certificate by the bank."""
        key, file, clients = new_key(), self.folder / "server.pem", self.folder / "client-roots.pem"
        certificate = self._authorities.server_root.issue(
            name((NameOID.COMMON_NAME, "appapi2 of the simulator")),
            key.public_key(),
            extensions=[
                addresses([host, "127.0.0.1", "localhost"]), usage("digital_signature", "key_encipherment"),
                _purpose(ExtendedKeyUsageOID.SERVER_AUTH),
            ],
            **self._life(),
        )  # fmt: skip
        file.touch(0o600)
        file.write_bytes(certificate.public_bytes(Encoding.PEM) + key_pem(key))
        trusted = (self._authorities.companies, self._authorities.bank, self._authorities.person_root)
        clients.write_bytes(b"".join(_pem(one) for one in trusted))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(file)
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def bank_id(self, person: EidPerson, policy: str, at: datetime, *, fault: str | None = None) -> BankId:
        """The person's BankID, wrong in the way that was asked for."""
        bank, customers = self._authorities.bank, self._authorities.customers
        if fault == "wrong-chain":
            bank, customers = self._authorities.strangers
        key = self._app_keys.setdefault(person.number, self._app_keys.get(person.number) or new_key())
        ends = at - timedelta(days=1) if fault == "expired-certificate" else at + YEAR
        certificate = customers.issue(
            _person(person, at),
            key.public_key(),
            extensions=_extensions(NOWHERE_ELSE if fault == "wrong-policy" else policy, fault),
            begins=at - timedelta(days=100),
            ends=ends,
        )
        return BankId(key, (certificate, customers.certificate, bank.certificate), customers)

    def vouch(self, bank_id: BankId, signature: str, at: datetime, *, fault: str | None = None) -> str:
        """The responder's word (RFC 6960), base64: this certificate was good when it made this signature."""
        signed = "another signature" if fault == "ocsp-other-signature" else signature
        nonce = sha1(signed.encode(), usedforsecurity=False).digest() + secrets.token_bytes(12)
        key, responder = self._responder(stranger=fault == "ocsp-stranger")
        about = self._authorities.customers if fault == "ocsp-other-certificate" else None
        status = _STATUS.get(fault or "", ocsp.OCSPCertStatus.GOOD)
        since = at - timedelta(days=1) if fault == "ocsp-stale" else at
        revoked = at - timedelta(hours=1) if status is ocsp.OCSPCertStatus.REVOKED else None
        answer = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=about.certificate if about else bank_id.chain[0],
                issuer=bank_id.issuer.certificate,
                algorithm=SHA1(),  # noqa: S303 - names the certificate, as responders do
                cert_status=status,
                this_update=since,
                next_update=since + timedelta(minutes=10),
                revocation_time=revoked,
                revocation_reason=None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, responder)
            .certificates([responder])
            .add_extension(x509.OCSPNonce(nonce), critical=False)
            .sign(key, SHA256())
        )
        return b64encode(answer.public_bytes(Encoding.DER)).decode()

    def _responder(self, *, stranger: bool) -> tuple[RSAPrivateKey, x509.Certificate]:
        if stranger not in self._responders:
            issuer = self._authorities.strangers[1] if stranger else self._authorities.customers
            key = new_key()
            certificate = issuer.issue(
                name((NameOID.COMMON_NAME, "Testbank A Customer CA1 v1 for BankID Test OCSP")),
                key.public_key(),
                extensions=[
                    usage("digital_signature"), _purpose(ExtendedKeyUsageOID.OCSP_SIGNING), (x509.OCSPNoCheck(), False)
                ],
                **self._life(),
            )  # fmt: skip
            self._responders[stranger] = key, certificate
        return self._responders[stranger]

    def _life(self) -> dict[str, datetime]:
        return {"begins": self._now - timedelta(days=1), "ends": self._now + YEAR}


NAME = x509.ObjectIdentifier("2.5.4.41")
"""The attribute `name`."""

_STATUS: Mapping[str, ocsp.OCSPCertStatus] = {
    "ocsp-revoked": ocsp.OCSPCertStatus.REVOKED,
    "ocsp-unknown": ocsp.OCSPCertStatus.UNKNOWN,
}


def _person(person: EidPerson, at: datetime) -> x509.Name:
    return name(
        (NameOID.ORGANIZATION_NAME, "Testbank A AB (publ)"),
        (NameOID.SURNAME, person.family_name),
        (NameOID.GIVEN_NAME, person.given_name),
        (NameOID.SERIAL_NUMBER, person.number),
        (NAME, f"({at:%y%m%d %H.%M}) {person.name} - Mobilt BankID"),
        (NameOID.COMMON_NAME, person.name),
    )


def _extensions(policy: str, fault: str | None) -> list[Extension]:
    address = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(OCSP_ADDRESS))
    policies = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(policy), None)])
    return [
        (x509.AuthorityInformationAccess([address]), False),
        (policies, False),
        usage("content_commitment" if fault == "wrong-usage" else "digital_signature"),
    ]


def _purpose(oid: x509.ObjectIdentifier) -> Extension:
    return x509.ExtendedKeyUsage([oid]), False


def _pem(issuer: Issuer) -> bytes:
    return issuer.certificate.public_bytes(Encoding.PEM)


def _is_young(file: Path, now: datetime) -> bool:
    """Whether a certificate that was issued before has half of its life left: a new key takes its time."""
    if not file.exists():
        return False
    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc - now > YEAR / 2
