"""What a complete order of Swedish BankID has to prove before it counts.

The answer came over a channel that only the service can speak on; all the same nothing in it is believed for
that. The signature, the person's certificate and the responder's word for it are checked, the person is read
from the certificate, and what the service says beside it must be the same.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from ipaddress import IPv6Address, ip_address

from cryptography import x509
from cryptography.x509.oid import NameOID
from msgspec import Struct

from idp.eid import bankid_signature, certificates, revocation
from idp.eid.bankid_signature import Signed
from idp.eid.connector import Outcome, Verified
from idp.eid.swedish_bankid_order import Order
from idp.eid.swedish_bankid_service import Refused
from idp.eid.swedish_bankid_settings import SIGNED, SwedishBankIdSettings
from idp.rules import national_numbers

_RISKS = ("low", "moderate", "high")

NONCE = 32
"""Bytes of the nonce of an OCSP response: 20 of the signature's digest, 12 at random."""

_LONGEST_RESPONSE = 40_000
"""Characters of the longest OCSP response that is looked at."""


class User(Struct, frozen=True, rename="camel"):
    """Whom the service says it was."""

    personal_number: str
    given_name: str
    surname: str

    def __repr__(self) -> str:
        return "User()"


class Device(Struct, frozen=True, rename="camel"):
    """The device with the app."""

    ip_address: str

    def __repr__(self) -> str:
        return "Device()"


class StepUp(Struct, frozen=True):
    """What else was done. `mrtd`: an identity document was read."""

    mrtd: bool = False


class Completion(Struct, frozen=True, rename="camel"):
    """`completionData` of `/collect`, as far as it is looked at."""

    user: User
    device: Device
    signature: str
    ocsp_response: str
    step_up: StepUp | None = None
    risk: str | None = None

    def __repr__(self) -> str:
        return "Completion()"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    settings: SwedishBankIdSettings
    order: Order
    said: Completion = field(repr=False)
    signed: Signed

    @property
    def certificate(self) -> x509.Certificate:
        return self.signed.certificates[0]


class Proof:
    """Checks by these settings. Raises OSError or ValueError without the roots."""

    def __init__(self, settings: SwedishBankIdSettings) -> None:
        self._settings = settings
        self._roots = certificates.read_files([settings.person_roots_file])

    def verified(self, order: Order, said: Completion, *, now: datetime) -> Verified:
        """Who it is. Raises `Refused` with the first check that did not hold."""
        try:
            signed = bankid_signature.read(said.signature)
        except bankid_signature.Untrusted as problem:
            raise Refused(Outcome.PROOF_INVALID, f"signature: {problem}") from None
        issuer = self._issuer(signed, now)
        case = _Case(settings=self._settings, order=order, said=said, signed=signed)
        for name, outcome, holds in CHECKS:
            if not holds(case):
                raise Refused(outcome, name)
        _ensure_not_revoked(case, issuer, now)
        return self._person(case, now)

    def _issuer(self, signed: Signed, now: datetime) -> x509.Certificate:
        """Who issued the person's certificate, on a path to a root of ours. Raises `Refused`."""
        person, *between = signed.certificates
        try:
            return certificates.path(person, between=between, anchors=self._roots, now=now)[1]
        except certificates.Untrusted as problem:
            raise Refused(Outcome.PROOF_INVALID, f"path: {problem}") from None

    def _person(self, case: _Case, now: datetime) -> Verified:
        number = national_numbers.read("SE", case.said.user.personal_number)
        return Verified(
            country="SE",
            number=number.number,
            reference=None,
            given_name=case.said.user.given_name,
            family_name=case.said.user.surname,
            birthdate=number.birthdate,
            claimed_level=SIGNED,
            amr=("swk", "pop", "pin", "mfa") if self._settings.pin_code else ("swk", "pop", "mfa"),
            at=now,
            evidence={
                "type": "electronic_signature",
                "signature_type": "bankid_xmldsig",
                "issuer": _said(case.certificate.issuer, NameOID.COMMON_NAME),
                "serial_number": format(case.certificate.serial_number, "x"),
            },
        )


def _ensure_not_revoked(case: _Case, issuer: x509.Certificate, now: datetime) -> None:
    """By the response that came along, and that was made for this very signature. Raises `Refused`."""
    begins = bankid_signature.binding(case.said.signature)

    def nonce_fits(nonce: bytes | None) -> bool:
        if nonce is None or len(nonce) != NONCE or not compare_digest(nonce[: len(begins)], begins):
            raise Refused(Outcome.PROOF_INVALID, "revocation: the response is for another signature")
        return True

    response = _decoded(case.said.ocsp_response)
    try:
        revocation.check(response, case.certificate, issuer=issuer, now=now, nonce_fits=nonce_fits)
    except revocation.Revoked:
        raise Refused(Outcome.REVOKED, "revocation") from None
    except revocation.Unknown as problem:
        raise Refused(Outcome.REVOCATION_UNKNOWN, f"revocation: {problem}") from None


def _for_identification(case: _Case) -> bool:
    return "digital_signature" in certificates.key_usages(case.certificate)


def _policy(case: _Case) -> bool:
    return not certificates.policies(case.certificate).isdisjoint(case.settings.certificate_policies)


def _same_person(case: _Case) -> bool:
    """What the service says is what the certificate says."""
    subject, user = case.certificate.subject, case.said.user
    pairs = (
        (NameOID.SERIAL_NUMBER, user.personal_number),
        (NameOID.GIVEN_NAME, user.given_name),
        (NameOID.SURNAME, user.surname),
    )
    return all(_same(_said(subject, oid), said) for oid, said in pairs)


def _a_number(case: _Case) -> bool:
    text = case.said.user.personal_number
    try:
        return national_numbers.read("SE", text).number == text and len(text) == 12
    except national_numbers.InvalidNumber:
        return False


def _expected(case: _Case) -> bool:
    if case.order.expected is None:
        return True
    country, number = case.order.expected
    return country == "SE" and _same(number or "", case.said.user.personal_number)


def _risk(case: _Case) -> bool:
    """Within what was asked for. Nothing said, where it was asked for, counts as the settings say."""
    if case.said.risk is None:
        repeat = case.order.expected is not None
        return case.settings.missing_risk == "accept" or (
            case.settings.missing_risk == "refuse-on-repeat" and not repeat
        )
    accepted = _RISKS[: _RISKS.index(case.settings.risk.lower()) + 1]
    return case.said.risk.lower() in accepted


def _address(case: _Case) -> bool:
    """Of who came back from the app on this device. A code is read with another device, at any address."""
    if not (case.settings.require_same_address and case.order.returned):
        return True
    try:
        return _plain(case.said.device.ip_address) == _plain(case.order.address)
    except ValueError:
        return False


def _document(case: _Case) -> bool:
    return not case.settings.identity_document or (case.said.step_up is not None and case.said.step_up.mrtd)


# In this order; the first that fails is the reason that is logged (SR-105).
CHECKS: tuple[tuple[str, Outcome, Callable[[_Case], bool]], ...] = (
    ("certificate: usage", Outcome.PROOF_INVALID, _for_identification),
    ("certificate: policy", Outcome.PROOF_INVALID, _policy),
    ("certificate: person", Outcome.PROOF_INVALID, _same_person),
    ("number", Outcome.PROOF_INVALID, _a_number),
    ("function", Outcome.PROOF_INVALID, lambda case: case.signed.function == "Identification"),
    ("transaction", Outcome.PROOF_INVALID, lambda case: _same(case.signed.non_visible, case.order.non_visible)),
    ("text", Outcome.PROOF_INVALID, lambda case: _same(case.signed.visible, case.order.visible)),
    ("another person", Outcome.PERSON_MISMATCH, _expected),
    ("risk", Outcome.RISK_BLOCKED, _risk),
    ("address", Outcome.BROWSER_MISMATCH, _address),
    ("identity document", Outcome.LEVEL_TOO_LOW, _document),
)


def _said(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    """The one value of an attribute; empty where there is none, or more than one."""
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if len(found) == 1 else ""


def _same(one: str, other: str) -> bool:
    return one != "" and compare_digest(one.encode(), other.encode())


def _plain(address: str) -> object:
    found = ip_address(address)
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def _decoded(text: str) -> bytes:
    """Raises `Refused`."""
    try:
        return b64decode(text[:_LONGEST_RESPONSE], validate=True)  # what is cut off is no response any more
    except ValueError:
        raise Refused(Outcome.PROOF_INVALID, "revocation: base64") from None
