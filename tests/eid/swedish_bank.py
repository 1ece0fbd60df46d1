"""A bank that issues BankIDs, and an app that signs with them: made up, true to the format, wrong only on demand."""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from idp.eid.bankid_signature import BANKID, CANONICAL, DIGEST_SHA256, RSA_SHA256, XMLDSIG

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TOLVAN = "191212121212"
MOBILE = "1.2.752.78.1.5"


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """One key for each name: they are slow to make."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Authority:
    """Somebody who issues certificates."""

    name: str
    issuer: Authority | None = None

    @property
    def key(self) -> rsa.RSAPrivateKey:
        return key(self.key_name)

    @property
    def key_name(self) -> str:
        """Two may go by one name, with a key each."""
        return f"{self.name} by {self.issuer.name if self.issuer else 'itself'}"

    @property
    def certificate(self) -> x509.Certificate:
        return _authority(self)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


ROOT = Authority("BankID Root CA v9")
BANK = Authority("Banken CA v1 for BankID", ROOT)
CUSTOMERS = Authority("Banken Customer CA1 v1 for BankID", BANK)
STRANGER = Authority("BankID Root CA v9 of somebody else")
STRANGERS_BANK = Authority("Another CA", STRANGER)
STRANGERS_CUSTOMERS = Authority("Banken Customer CA1 v1 for BankID", STRANGERS_BANK)


@dataclass(frozen=True, kw_only=True)
class BankId:
    """A person's certificate."""

    number: str = TOLVAN
    given_name: str = "Tolvan"
    surname: str = "Tolvansson"
    policy: str | None = MOBILE
    issuer: Authority = CUSTOMERS
    begins: datetime = NOW - timedelta(days=300)
    ends: datetime = NOW + timedelta(days=300)
    for_signatures: bool = True

    @property
    def certificate(self) -> x509.Certificate:
        return _person(self)

    @property
    def chain(self) -> list[x509.Certificate]:
        issuers = [self.issuer, self.issuer.issuer]
        return [self.certificate, *(one.certificate for one in issuers if one is not None)]


@dataclass(frozen=True, kw_only=True)
class Signing:
    """What the app signs."""

    visible: str
    non_visible: str
    bank_id: BankId = field(default_factory=BankId)
    function: str = "Identification"
    algorithm: str = RSA_SHA256

    def data(self) -> str:
        return (
            f'<bankIdSignedData xmlns="{BANKID}" Id="bidSignedData">'
            f'<usrVisibleData charset="UTF-8" visible="wysiwys">{self.visible}</usrVisibleData>'
            f"<usrNonVisibleData>{self.non_visible}</usrNonVisibleData>"
            "<srvInfo><name>Y249QWx1bW5p</name><nonce>txXgPC/CeexkmlzI0/ZPnY5y6lQ=</nonce>"
            "<displayName>QWx1bW5p</displayName></srvInfo>"
            f"<clientInfo><funcId>{self.function}</funcId><version>UGVyc29uYWw9Ny4xMg==</version>"
            "<env><ai><type>SU9T</type><deviceInfo>MTIuNQ==</deviceInfo><fsib>0</fsib><utb>cs1</utb>"
            "<uauth>pw</uauth></ai></env></clientInfo></bankIdSignedData>"
        )

    def keys(self) -> str:
        found = (b64encode(one.public_bytes(Encoding.DER)).decode() for one in self.bank_id.chain)
        listed = "".join(f"<X509Certificate>{one}</X509Certificate>" for one in found)
        return f'<KeyInfo xmlns="{XMLDSIG}" Id="bidKeyInfo"><X509Data>{listed}</X509Data></KeyInfo>'

    def xml(self) -> str:
        data, keys = self.data(), self.keys()
        info = (
            f'<SignedInfo xmlns="{XMLDSIG}">'
            f'<CanonicalizationMethod Algorithm="{CANONICAL}"></CanonicalizationMethod>'
            f'<SignatureMethod Algorithm="{self.algorithm}"></SignatureMethod>'
            + _reference(f'Type="{BANKID}" URI="#bidSignedData"', data)
            + _reference('URI="#bidKeyInfo"', keys)
            + "</SignedInfo>"
        )
        value = b64encode(key("person").sign(info.encode(), PKCS1v15(), SHA256())).decode()
        return (
            '<?xml version="1.0" encoding="UTF-8" standalone="no"?>'
            f'<Signature xmlns="{XMLDSIG}">{info}<SignatureValue>{value}</SignatureValue>{keys}'
            f"<Object>{data}</Object></Signature>"
        )

    def signature(self) -> str:
        return encoded(self.xml())


def encoded(xml: str | bytes) -> str:
    return b64encode(xml.encode() if isinstance(xml, str) else xml).decode()


def ocsp_response(
    signature: str,
    bank_id: BankId | None = None,
    *,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    nonce: bytes | None = None,
    responder_issuer: Authority = CUSTOMERS,
    at: datetime = NOW,
) -> str:
    """The answer of the bank's responder, base64; its nonce begins with the digest of the signature."""
    bank_id = bank_id or BankId()
    revoked = at - timedelta(days=1) if status is ocsp.OCSPCertStatus.REVOKED else None
    responder = _responder(responder_issuer)
    bound = hashlib.sha1(signature.encode()).digest() + secrets.token_bytes(12)  # noqa: S324 - the format's own choice
    built = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=bank_id.certificate,
            issuer=bank_id.issuer.certificate,
            algorithm=SHA1(),  # noqa: S303 - names the certificate, as RFC 6960 responders do
            cert_status=status,
            this_update=at,
            next_update=at + timedelta(minutes=10),
            revocation_time=revoked,
            revocation_reason=None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, responder)
        .certificates([responder])
        .add_extension(x509.OCSPNonce(bound if nonce is None else nonce), critical=False)
        .sign(key("responder"), SHA256())
    )
    return b64encode(built.public_bytes(Encoding.DER)).decode()


def _reference(attributes: str, content: str) -> str:
    digest = b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return (
        f'<Reference {attributes}><Transforms><Transform Algorithm="{CANONICAL}"></Transform></Transforms>'
        f'<DigestMethod Algorithm="{DIGEST_SHA256}"></DigestMethod><DigestValue>{digest}</DigestValue></Reference>'
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, "SE"), x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    )


def _usage(*, signs: bool, issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=not signs and not issues,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )


def _identifiers(builder: x509.CertificateBuilder, *, subject: str, issuer: Authority) -> x509.CertificateBuilder:
    return (
        builder.serial_number(x509.random_serial_number())
        .public_key(key(subject).public_key())
        .issuer_name(_name(issuer.name))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key(subject).public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )


@cache
def _authority(one: Authority) -> x509.Certificate:
    issuer = one.issuer or one
    builder = x509.CertificateBuilder().subject_name(_name(one.name))
    return (
        _identifiers(builder, subject=one.key_name, issuer=issuer)
        .not_valid_before(NOW - timedelta(days=3000))
        .not_valid_after(NOW + timedelta(days=3000))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(signs=False, issues=True), critical=True)
        .sign(issuer.key, SHA256())
    )


@cache
def _person(one: BankId) -> x509.Certificate:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "SE"),
            x509.NameAttribute(NameOID.SURNAME, one.surname),
            x509.NameAttribute(NameOID.GIVEN_NAME, one.given_name),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, one.number),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{one.given_name} {one.surname}"),
        ]
    )
    builder = (
        _identifiers(x509.CertificateBuilder().subject_name(subject), subject="person", issuer=one.issuer)
        .not_valid_before(one.begins)
        .not_valid_after(one.ends)
        .add_extension(_usage(signs=one.for_signatures, issues=False), critical=True)
    )
    if one.policy is not None:
        policies = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(one.policy), None)])
        builder = builder.add_extension(policies, critical=False)
    return builder.sign(one.issuer.key, SHA256())


@cache
def _responder(issuer: Authority) -> x509.Certificate:
    builder = x509.CertificateBuilder().subject_name(_name("OCSP of Banken"))
    return (
        _identifiers(builder, subject="responder", issuer=issuer)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=30))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
        .add_extension(x509.OCSPNoCheck(), critical=False)
        .add_extension(_usage(signs=True, issues=False), critical=True)
        .sign(issuer.key, SHA256())
    )
