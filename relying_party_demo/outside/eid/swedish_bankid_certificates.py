"""Certificate authorities of the Swedish BankID simulator: made once, kept in a folder, valid nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

Extension = tuple[x509.ExtensionType, bool]
"""With whether it is critical."""

YEARS = timedelta(days=3650)
SINCE = timedelta(days=400)
"""How long ago the authorities began."""


def new_key() -> RSAPrivateKey:
    """A key of the size that people's certificates have."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def name(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    """A Swedish subject."""
    country = x509.NameAttribute(NameOID.COUNTRY_NAME, "SE")
    return x509.Name([country, *(x509.NameAttribute(oid, value) for oid, value in parts)])


def usage(*names: str) -> Extension:
    """Key usage, by the names of RFC 5280 §4.2.1.3 in small letters."""
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{one: one in names for one in every}), True


@dataclass(frozen=True)
class Issuer:
    """A certificate authority."""

    certificate: x509.Certificate
    key: RSAPrivateKey = field(repr=False)

    def issue(
        self,
        subject: x509.Name,
        key: RSAPublicKey,
        *,
        extensions: Iterable[Extension],
        begins: datetime,
        ends: datetime,
    ) -> x509.Certificate:
        """A certificate for this key."""
        return _certificate(
            subject, key, by=self.certificate.subject, with_key=self.key,
            extensions=extensions, begins=begins, ends=ends,
        )  # fmt: skip

    def pem(self) -> bytes:
        """Certificate and key."""
        return self.certificate.public_bytes(Encoding.PEM) + key_pem(self.key)


@dataclass(frozen=True)
class Authorities:
    """All authorities of the simulator, in a folder that keeps them between two starts."""

    folder: Path
    now: datetime

    @cached_property
    def person_root(self) -> Issuer:
        """Root of people's certificates."""
        return self._authority("person-root", "Test BankID Root CA v1 Test")

    @cached_property
    def bank(self) -> Issuer:
        """A bank."""
        return self._authority("bank", "Testbank A CA v1 for BankID Test", by=self.person_root)

    @cached_property
    def customers(self) -> Issuer:
        """The bank's authority for its customers."""
        return self._authority("customers", "Testbank A Customer CA1 v1 for BankID Test", by=self.bank)

    @cached_property
    def companies(self) -> Issuer:
        """The bank's authority for services that use BankID: client certificates are by it."""
        return self._authority("companies", "Testbank A RP CA v1 for BankID Test", by=self.bank)

    @cached_property
    def server_root(self) -> Issuer:
        """Root of the service's own certificate."""
        return self._authority("server-root", "Test BankID SSL Root CA v1 Test")

    @cached_property
    def strangers(self) -> tuple[Issuer, Issuer]:
        """A bank and its authority for customers, of the same names as the real ones, below a root nobody trusts."""
        root = self._authority("stranger-root", "Test BankID Root CA v1 Test")
        bank = self._authority("stranger-bank", "Testbank A CA v1 for BankID Test", by=root)
        return bank, self._authority("stranger-customers", "Testbank A Customer CA1 v1 for BankID Test", by=bank)

    def _authority(self, file: str, common_name: str, *, by: Issuer | None = None) -> Issuer:
        path = self.folder / f"{file}.pem"
        if path.exists():
            raw = path.read_bytes()
            key = load_pem_private_key(raw, None)
            if isinstance(key, RSAPrivateKey):
                return Issuer(x509.load_pem_x509_certificate(raw), key)
        made = self._new(common_name, by)
        self.folder.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
        path.write_bytes(made.pem())
        return made

    def _new(self, common_name: str, by: Issuer | None) -> Issuer:
        organisation = [(NameOID.ORGANIZATION_NAME, "Testbank A AB (publ)"), (NameOID.SERIAL_NUMBER, "111111111111")]
        subject, key = name(*organisation, (NameOID.COMMON_NAME, common_name)), new_key()
        certificate = _certificate(
            subject,
            key.public_key(),
            by=by.certificate.subject if by else subject,
            with_key=by.key if by else key,
            extensions=[(x509.BasicConstraints(ca=True, path_length=None), True), usage("key_cert_sign", "crl_sign")],
            begins=self.now - SINCE,
            ends=self.now + YEARS,
        )
        return Issuer(certificate, key)


def key_pem(key: RSAPrivateKey) -> bytes:
    """A key without a password, as it stays on this machine."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def addresses(hosts: Sequence[str]) -> Extension:
    """What a server is called: IP addresses and names."""
    found: list[x509.GeneralName] = []
    for host in hosts:
        try:
            found.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            found.append(x509.DNSName(host))
    return x509.SubjectAlternativeName(found), False


def _certificate(
    subject: x509.Name,
    key: RSAPublicKey,
    *,
    by: x509.Name,
    with_key: RSAPrivateKey,
    extensions: Iterable[Extension],
    begins: datetime,
    ends: datetime,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .serial_number(x509.random_serial_number())
        .public_key(key)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(with_key.public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(with_key, SHA256())
