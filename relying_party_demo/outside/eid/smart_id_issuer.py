"""The issuer of the Smart-ID simulator: its authorities, and people's certificates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from . import clock
from .people import EidPerson
from .serving import Served
from .smart_id_responder import Responder, Signer
from .swedish_bankid_certificates import Extension, addresses, usage

KEY_SIZE = 6144
QUALIFIED = ("1.3.6.1.4.1.10015.17.2", "0.4.0.2042.1.2")
BASIC = ("1.3.6.1.4.1.10015.17.1", "0.4.0.2042.1.1")
SIGNING = ("1.3.6.1.4.1.10015.17.2", "0.4.0.194112.1.2")
AUTHENTICATION = x509.ObjectIdentifier("1.3.6.1.4.1.62306.5.7.0")
SINCE, YEARS = timedelta(days=400), timedelta(days=3650)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Authority:
    """A certificate with its key."""

    certificate: x509.Certificate | None
    """None while it is being made: it signs its own."""
    key: Any = field(repr=False)

    @property
    def made(self) -> x509.Certificate:
        """The certificate, which is there."""
        if self.certificate is None:
            raise LookupError("the authority is not made yet")
        return self.certificate


class Issuer:
    """Keeps its authorities and the one key of everybody's app in the folder; answers OCSP on a port of its own."""

    def __init__(self, folder: Path, *, port: int = 0, host: str = "127.0.0.1") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._now = folder, clock.now()
        self.root = self._kept("root", "TEST of Demo SK ROOT", ec.SECP521R1())
        self.qualified = self._kept("eid-q", "TEST of Demo SK EID-Q", ec.SECP384R1(), by=self.root)
        self.basic = self._kept("eid-nq", "TEST of Demo SK EID-NQ", ec.SECP384R1(), by=self.root)
        self.stranger = self._kept("stranger", "TEST of Demo SK EID-Q", ec.SECP384R1())
        self.server_root = self._kept("server-root", "TEST of Demo SK TLS", ec.SECP384R1())
        self._making = Lock()
        Thread(target=lambda: self.key, daemon=True).start()
        self._responder = Responder([self._signer(one) for one in (self.qualified, self.basic, self.stranger)])
        self._served = Served(self._responder.app(), host=host, port=port)
        self.ocsp_url = f"http://{host}:{self._served.port}/ocsp"
        for name, authorities in (
            ("person-roots", [self.root]),
            ("person-authorities", [self.qualified, self.basic]),
            ("api-roots", [self.server_root]),
        ):
            self.file(name).write_bytes(b"".join(one.made.public_bytes(Encoding.PEM) for one in authorities))

    @property
    def key(self) -> rsa.RSAPrivateKey:
        """The one key of everybody's app. Whoever is early waits: a key of this size takes seconds to make."""
        with self._making:
            return self._key

    def file(self, name: str) -> Path:
        """What a service needs: `person-roots`, `person-authorities`, `api-roots`."""
        return self._folder / f"{name}.pem"

    def start(self) -> None:
        """Begin to answer about revocation."""
        self._served.start()

    def stop(self) -> None:
        """Stop answering."""
        self._served.stop()

    def server(self, host: str) -> Path:
        """A PEM file with certificate and key for the API's TLS."""
        key = ec.generate_private_key(ec.SECP384R1())
        made = self._issue(
            _name((NameOID.COMMON_NAME, host)),
            key.public_key(),
            by=self.server_root,
            extensions=[
                addresses([host, "localhost"]),
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            ],
        )
        path = self._folder / "server.pem"
        path.touch(0o600)
        path.write_bytes(made.public_bytes(Encoding.PEM) + _pem(key))
        return path

    def person(self, person: EidPerson, serial: str, document: str, *, fault: str | None) -> x509.Certificate:
        """This person's authentication certificate, with the fault that was asked for."""
        by = {"nq-as-qualified": self.basic, "wrong-ca": self.stranger}.get(fault or "", self.qualified)
        policies = {"nq-as-qualified": BASIC, "signing-certificate": SIGNING, "wrong-policy": (QUALIFIED[0],)}
        purpose = AUTHENTICATION if fault != "old-profile" else ExtendedKeyUsageOID.CLIENT_AUTH
        extensions: list[Extension] = [
            (x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(oid), None)
                                       for oid in policies.get(fault or "", QUALIFIED)]), False),
            (x509.AuthorityInformationAccess([x509.AccessDescription(
                AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(self.ocsp_url))]), False),
            (x509.SubjectAlternativeName([x509.DirectoryName(_name((NameOID.COMMON_NAME, document)))]), False),
            (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.9"), _born(person)), False),
        ]  # fmt: skip
        if fault == "signing-certificate":
            extensions.append(usage("content_commitment"))
        else:
            old = ("key_encipherment", "data_encipherment") if fault == "old-profile" else ()
            extensions += [usage("digital_signature", *old), (x509.ExtendedKeyUsage([purpose]), False)]
        ends = clock.now() - timedelta(days=1) if fault == "expired" else clock.now() + timedelta(days=900)
        subject = _name(
            (NameOID.COMMON_NAME, f"{person.family_name},{person.given_name}"),
            (NameOID.SURNAME, person.family_name),
            (NameOID.GIVEN_NAME, person.given_name),
            (NameOID.SERIAL_NUMBER, serial),
            country=person.country,
        )
        made = self._issue(subject, self.key.public_key(), by=by, extensions=extensions, ends=ends)
        self._responder.issued(made, by=by.made, fault=fault)
        return made

    # How it is done

    def _signer(self, authority: Authority) -> Signer:
        """A responder that this authority has named (RFC 6960 §4.2.2.2)."""
        key = ec.generate_private_key(ec.SECP384R1())
        made = self._issue(
            _name((NameOID.COMMON_NAME, "TEST of Demo SK OCSP RESPONDER")),
            key.public_key(),
            by=authority,
            extensions=[
                usage("digital_signature"),
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False),
                (x509.OCSPNoCheck(), False),
            ],
        )
        return Signer(authority=authority.made, certificate=made, key=key)

    def _kept(self, name: str, common_name: str, curve: ec.EllipticCurve, *, by: Authority | None = None) -> Authority:
        path = self._folder / f"{name}.key.pem"
        if path.exists():
            raw = path.read_bytes()
            return Authority(x509.load_pem_x509_certificate(raw), load_pem_private_key(raw, None))
        key = ec.generate_private_key(curve)
        made = self._issue(
            _name((NameOID.COMMON_NAME, common_name)),
            key.public_key(),
            by=by or Authority(None, key),
            extensions=[
                (x509.BasicConstraints(ca=True, path_length=None), True),
                usage("key_cert_sign", "crl_sign"),
                (x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("2.5.29.32.0"), None)]), False),
            ],
            begins=self._now - SINCE,
            ends=self._now + YEARS,
        )
        path.touch(0o600)
        path.write_bytes(made.public_bytes(Encoding.PEM) + _pem(key))
        return Authority(made, key)

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        path = self._folder / "app.key.pem"
        if path.exists():
            key = load_pem_private_key(path.read_bytes(), None, unsafe_skip_rsa_key_validation=True)  # made below
            if isinstance(key, rsa.RSAPrivateKey):
                return key
        key = rsa.generate_private_key(65537, KEY_SIZE)
        path.touch(0o600)
        path.write_bytes(_pem(key))
        return key

    def _issue(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
        *,
        by: Authority,
        extensions: Sequence[Extension],
        begins: datetime | None = None,
        ends: datetime | None = None,
    ) -> x509.Certificate:
        issuer = by.certificate.subject if by.certificate is not None else subject
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .serial_number(x509.random_serial_number())
            .public_key(key)
            .not_valid_before(begins or clock.now() - timedelta(days=30))
            .not_valid_after(ends or clock.now() + timedelta(days=900))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(by.key, SHA384())


def _name(*parts: tuple[x509.ObjectIdentifier, str], country: str = "EE") -> x509.Name:
    first = x509.NameAttribute(NameOID.COUNTRY_NAME, country)
    return x509.Name([first, *(x509.NameAttribute(oid, value) for oid, value in parts)])


def _born(person: EidPerson) -> bytes:
    """Subject directory attributes with the date of birth at noon (RFC 3739 §3.2.2), as DER."""
    time = f"{person.birthdate:%Y%m%d}120000Z".encode()
    inner = bytes.fromhex("06082b06010505070901") + bytes([0x31, len(time) + 2, 0x18, len(time)]) + time
    attribute = bytes([0x30, len(inner)]) + inner
    return bytes([0x30, len(attribute)]) + attribute


def _pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
