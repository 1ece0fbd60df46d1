"""What a finished Smart-ID session has to prove before it counts: named checks, in order (RP API v3, SR-105)."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from hmac import compare_digest

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from msgspec import Struct

from idp.eid import certificates, revocation, smart_id_formulas
from idp.eid.certificates import Untrusted
from idp.eid.connector import Outcome, Person, Verified
from idp.eid.revocation import Revoked, Unknown
from idp.eid.smart_id_formulas import Asked
from idp.eid.smart_id_settings import QUALIFIED, SmartIdSettings
from idp.outgoing.known import Caller
from idp.rules import national_numbers
from idp.rules.national_numbers import InvalidNumber, NationalNumber

NEW_PURPOSE = "1.3.6.1.4.1.62306.5.7.0"
"""Smart-ID authentication, in certificates since April 2025."""

CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
OLD_USAGES = frozenset({"digital_signature", "key_encipherment", "data_encipherment"})
BIRTHDATE = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x09\x01"
"""The object identifier 1.3.6.1.5.5.7.9.1 in DER."""

SUBJECT_DIRECTORY_ATTRIBUTES = x509.ObjectIdentifier("2.5.29.9")
KEY_SIZES = (4095, 4096, 6143, 6144)

HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "SHA-256": hashes.SHA256,
    "SHA-384": hashes.SHA384,
    "SHA-512": hashes.SHA512,
    "SHA3-256": hashes.SHA3_256,
    "SHA3-384": hashes.SHA3_384,
    "SHA3-512": hashes.SHA3_512,
}


class Refused(Exception):
    """A check does not hold; which, in technical words."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.outcome, self.detail = outcome, detail


class _HashName(Struct, frozen=True, rename="camel"):
    hash_algorithm: str


class _Mask(Struct, frozen=True):
    algorithm: str
    parameters: _HashName


class _Parameters(Struct, frozen=True, rename="camel"):
    hash_algorithm: str
    mask_gen_algorithm: _Mask
    salt_length: int
    trailer_field: str


class Signature(Struct, frozen=True, rename="camel"):
    """The signature as the service hands it over."""

    value: str
    server_random: str
    user_challenge: str
    flow_type: str
    signature_algorithm: str
    signature_algorithm_parameters: _Parameters

    def __repr__(self) -> str:
        return "Signature()"


class Cert(Struct, frozen=True, rename="camel"):
    """The person's certificate, and the level the service says it has."""

    value: str
    certificate_level: str

    def __repr__(self) -> str:
        return "Cert()"


class Finished(Struct, frozen=True, kw_only=True):
    """A session that ended with OK."""

    document: str
    protocol: str
    signature: Signature
    cert: Cert
    interaction: str

    def __repr__(self) -> str:
        return "Finished()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One finished session beside what was asked for."""

    asked: Asked
    finished: Finished = field(repr=False)
    flows: Collection[str]
    """Those that were offered."""
    interactions: Collection[str]
    expected: Person | None
    now: datetime
    path: tuple[x509.Certificate, ...] = field(default=(), repr=False)

    @property
    def certificate(self) -> x509.Certificate:
        """The person's own."""
        return self.path[0]


class Proof:
    """The checks of one configuration."""

    def __init__(self, settings: SmartIdSettings) -> None:
        self._settings = settings
        self._anchors = certificates.read_files([settings.person_roots_file])
        self._between = certificates.read_files([settings.person_authorities_file])
        self._responders = Caller(trusted=None, timeout=settings.timeout)

    def verified(self, case: Case) -> Verified:
        """Who it is. Raises `Refused` with the first check that does not hold."""
        for check in (self._protocol, self._offered):
            check(case)
        case = self._trusted(case)
        for check in (self._policies, self._purpose, self._level, self._signature, self._revocation):
            check(case)
        return self._person(case)

    def _protocol(self, case: Case) -> None:
        _ensure(case.finished.protocol == smart_id_formulas.PROTOCOL, "signatureProtocol")

    def _offered(self, case: Case) -> None:
        _ensure(case.finished.signature.flow_type in case.flows, "flowType is none that was offered")
        _ensure(case.finished.interaction in case.interactions, "interactionTypeUsed is none that was sent")
        pushed = case.finished.signature.flow_type == "Notification"
        _ensure(not (pushed and case.asked.callback), "a push that was sent has no way back")

    def _trusted(self, case: Case) -> Case:
        try:
            leaf = certificates.parse(_decoded(case.finished.cert.value, "certificate"))
            path = certificates.path(leaf, between=self._between, anchors=self._anchors, now=case.now)
        except Untrusted as problem:
            raise Refused(Outcome.PROOF_INVALID, f"certificate: {problem}") from None
        fields = {name: getattr(case, name) for name in Case.__slots__ if name != "path"}
        return Case(**fields, path=path)

    def _policies(self, case: Case) -> None:
        held = certificates.policies(case.certificate)
        if not set(self._settings.policies) <= held:
            raise Refused(Outcome.LEVEL_TOO_LOW, "certificate policies are not those of a qualified Smart-ID")

    def _purpose(self, case: Case) -> None:
        """For authentication, by the new profile or wholly by the old one."""
        usages, extended = certificates.key_usages(case.certificate), certificates.extended_usages(case.certificate)
        new = NEW_PURPOSE in extended and "digital_signature" in usages
        old = CLIENT_AUTH in extended and usages >= OLD_USAGES
        _ensure((new or old) and "content_commitment" not in usages, "the certificate is for another purpose")

    def _level(self, case: Case) -> None:
        if case.finished.cert.certificate_level != QUALIFIED:
            raise Refused(Outcome.LEVEL_TOO_LOW, "certificateLevel is not QUALIFIED")

    def _signature(self, case: Case) -> None:
        signature, wanted = case.finished.signature, self._settings.hash_algorithm
        told, algorithm = signature.signature_algorithm_parameters, HASHES[wanted]()
        agrees = (
            signature.signature_algorithm == "rsassa-pss"
            and told.hash_algorithm == wanted
            and told.mask_gen_algorithm.algorithm == "id-mgf1"
            and told.mask_gen_algorithm.parameters.hash_algorithm == wanted
            and told.salt_length == algorithm.digest_size
            and told.trailer_field == "0xbc"
        )
        _ensure(agrees, "signature parameters are not those that were asked for")
        _ensure(re.fullmatch(r"[A-Za-z0-9+/=]{24,}", signature.server_random) is not None, "serverRandom")
        _ensure(re.fullmatch(r"[A-Za-z0-9_-]{43}", signature.user_challenge) is not None, "userChallenge")
        payload = smart_id_formulas.signed_payload(
            case.asked,
            server_random=signature.server_random,
            user_challenge=signature.user_challenge,
            interaction=case.finished.interaction,
            flow=signature.flow_type,
        )
        key = case.certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size not in KEY_SIZES:
            raise Refused(Outcome.PROOF_INVALID, "key is none of a Smart-ID")
        # The exact salt length: finding it automatically takes weaker forms, too (RFC 8017 §9.1.2).
        scheme = padding.PSS(mgf=padding.MGF1(algorithm), salt_length=algorithm.digest_size)
        try:
            key.verify(_decoded(signature.value, "signature"), payload.encode(), scheme, algorithm)
        except InvalidSignature:
            raise Refused(Outcome.PROOF_INVALID, "signature") from None

    def _revocation(self, case: Case) -> None:
        """The person's certificate must be vouched for, and each authority's that names a responder."""
        for at, (certificate, issuer) in enumerate(zip(case.path, case.path[1:], strict=False)):
            urls = certificates.ocsp_urls(certificate)
            if self._settings.ocsp_url is not None and at == 0:
                urls = (self._settings.ocsp_url,)
            if at > 0 and not urls:
                continue
            try:
                revocation.ask(self._responders, urls, certificate, issuer=issuer, now=case.now)
            except Revoked:
                raise Refused(Outcome.REVOKED, "certificate is revoked") from None
            except Unknown as problem:
                raise Refused(Outcome.REVOCATION_UNKNOWN, str(problem)) from None

    def _person(self, case: Case) -> Verified:
        try:
            serial = certificates.subject(case.certificate, NameOID.SERIAL_NUMBER)
            number = national_numbers.of_semantics_identifier(serial)
            given, family = (
                certificates.subject(case.certificate, oid) for oid in (NameOID.GIVEN_NAME, NameOID.SURNAME)
            )
        except (Untrusted, InvalidNumber) as problem:
            raise Refused(Outcome.PROOF_INVALID, f"subject: {problem}") from None
        own = re.fullmatch(rf"{re.escape(serial)}-[0-9A-Za-z-]{{1,40}}", case.finished.document)
        _ensure(own is not None, "documentNumber is another person's")
        _ensure_expected(case.expected, number)
        return Verified(
            country=number.country,
            number=number.number,
            reference=case.finished.document,
            given_name=given,
            family_name=family,
            birthdate=birthdate(case.certificate) or number.birthdate,
            claimed_level=QUALIFIED,
            amr=("pin", "pop", "mfa"),
            at=case.now,
            evidence={
                "type": "electronic_signature",
                "signature_type": "smartid_acsp_v2",
                "issuer": _common_name(case.path[1]),
                "serial_number": f"{case.certificate.serial_number:x}",
                "created_at": case.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        )


def birthdate(certificate: x509.Certificate) -> date | None:
    """The date of birth among the subject directory attributes (RFC 3739 §3.2.2). It wins over the number's."""
    for extension in certificate.extensions:
        if extension.oid == SUBJECT_DIRECTORY_ATTRIBUTES and isinstance(extension.value, x509.UnrecognizedExtension):
            if BIRTHDATE not in extension.value.value:
                return None
            found = re.search(re.escape(BIRTHDATE) + rb"\x31\x11\x18\x0f(\d{8})\d{6}Z", extension.value.value)
            try:
                return date.fromisoformat(found[1].decode() if found else "")
            except ValueError:
                raise Refused(Outcome.PROOF_INVALID, "date of birth") from None
    return None


def _ensure_expected(expected: Person | None, number: NationalNumber) -> None:
    if expected is None:
        return
    same = expected.country == number.country and compare_digest(
        (expected.number or "").encode(), number.number.encode()
    )
    if not same:
        raise Refused(Outcome.PERSON_MISMATCH, "another person than the one asked for")


def _common_name(certificate: x509.Certificate) -> str:
    return certificates.subject(certificate, NameOID.COMMON_NAME)


def _decoded(text: str, what: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise Refused(Outcome.PROOF_INVALID, f"{what}: base64") from None


def _ensure(holds: object, what: str) -> None:
    if not holds:
        raise Refused(Outcome.PROOF_INVALID, what)
