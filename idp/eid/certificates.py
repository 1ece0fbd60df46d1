"""Certificates of eIDs: read strictly, and trusted only through the anchors that the settings name.

The operating system's store is never asked, and anchors of test environments are known by their names, so
that a production configuration can refuse them. Path validation is that of RFC 5280 §6.1 as far as these
hierarchies go: signatures, names, key identifiers, validity, basic constraints, path length, key usage.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID, NameOID

SKEW = timedelta(seconds=60)
"""How far in the future a certificate may begin: clocks differ."""

LONGEST = 16 * 1024
"""Bytes of the largest certificate that is looked at."""

DEEPEST = 5
"""Certificates from a person's to the anchor, both included."""

Kind = TypeVar("Kind", bound=x509.ExtensionType)

BROKEN = (hashes.SHA1, hashes.MD5)

UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises for bytes that are no certificate, or one of a kind that is not taken here."""

TEST_NAMES = ("test of ", "test ", "test-", "demo ")
"""How the common names of test authorities begin, in small letters."""


class Untrusted(Exception):
    """Not a certificate, or not one that the anchors vouch for. The text never names the person."""


def parse(der: bytes) -> x509.Certificate:
    """The certificate of strict DER. Raises `Untrusted`."""
    if len(der) > LONGEST:
        raise Untrusted("the certificate is too large")
    try:
        found = x509.load_der_x509_certificate(der)
        # parsed only when asked for
        _ = found.extensions, found.subject, found.issuer, found.signature_hash_algorithm, found.public_key()
    except UNREADABLE as problem:
        raise Untrusted("the certificate is not DER as it should be") from problem
    return found


def read_files(files: Iterable[Path | str]) -> tuple[x509.Certificate, ...]:
    """The certificates in PEM files. Raises OSError, or ValueError that names the file."""
    found: list[x509.Certificate] = []
    for file in files:
        try:
            found += x509.load_pem_x509_certificates(Path(file).read_bytes())
        except ValueError as problem:
            raise ValueError(f"{file} holds no PEM certificates") from problem
    return tuple(found)


def is_for_tests(certificate: x509.Certificate) -> bool:
    """Whether its subject is an authority of a test environment."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return any(str(name.value).lower().startswith(TEST_NAMES) for name in names)


def path(
    leaf: x509.Certificate,
    *,
    between: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    now: datetime,
) -> tuple[x509.Certificate, ...]:
    """The certificates from this one to an anchor. Raises `Untrusted`.

    `between` are authorities that came along or are configured; they count for nothing by themselves.
    """
    if _is_authority(leaf):
        raise Untrusted("an authority is no person")
    _ensure_valid(leaf, now)
    found = _up((leaf,), between, anchors, now)
    if found is None:
        raise Untrusted("no path to a configured anchor")
    return found


def policies(certificate: x509.Certificate) -> frozenset[str]:
    """The policy OIDs of a certificate."""
    found = _extension(certificate, x509.CertificatePolicies)
    return frozenset(policy.policy_identifier.dotted_string for policy in found) if found else frozenset()


def key_usages(certificate: x509.Certificate) -> frozenset[str]:
    """The key usages that are set, by the names of RFC 5280 §4.2.1.3 in small letters."""
    found = _extension(certificate, x509.KeyUsage)
    if found is None:
        return frozenset()
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
    )
    return frozenset(name for name in names if getattr(found, name))


def extended_usages(certificate: x509.Certificate) -> frozenset[str]:
    """The extended key usages, by OID."""
    found = _extension(certificate, x509.ExtendedKeyUsage)
    return frozenset(usage.dotted_string for usage in found) if found else frozenset()


def subject(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    """The one value of a subject attribute. Raises `Untrusted` where there is none, or several."""
    found = certificate.subject.get_attributes_for_oid(oid)
    if len(found) != 1 or not isinstance(found[0].value, str):
        raise Untrusted(f"the subject has no single {oid.dotted_string}")
    return found[0].value


def ocsp_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    """Where its authority answers for its revocation (RFC 5280 §4.2.2.1)."""
    found = _extension(certificate, x509.AuthorityInformationAccess)
    return tuple(
        access.access_location.value
        for access in found or ()
        if access.access_method == AuthorityInformationAccessOID.OCSP
        and isinstance(access.access_location, x509.UniformResourceIdentifier)
    )


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether name, key identifiers and signature say so, by an algorithm that still counts."""
    if certificate.issuer != issuer.subject or isinstance(certificate.signature_hash_algorithm, BROKEN):
        return False
    known = _extension(certificate, x509.AuthorityKeyIdentifier)
    own = _extension(issuer, x509.SubjectKeyIdentifier)
    if (
        known is not None
        and known.key_identifier is not None
        and own is not None
        and known.key_identifier != own.digest
    ):
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, TypeError, *UNREADABLE):
        return False
    return True


def _up(
    so_far: tuple[x509.Certificate, ...],
    between: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    now: datetime,
) -> tuple[x509.Certificate, ...] | None:
    for anchor in anchors:
        if _may_issue(anchor, so_far, now):
            return (*so_far, anchor)
    if len(so_far) + 1 >= DEEPEST:
        return None
    for authority in between:
        if authority not in so_far and _may_issue(authority, so_far, now):
            found = _up((*so_far, authority), between, anchors, now)
            if found is not None:
                return found
    return None


def _may_issue(authority: x509.Certificate, below: tuple[x509.Certificate, ...], now: datetime) -> bool:
    try:
        _ensure_valid(authority, now)
    except Untrusted:
        return False
    usages = _extension(authority, x509.KeyUsage)
    constraints = _extension(authority, x509.BasicConstraints)
    if constraints is None or not constraints.ca or usages is None or not usages.key_cert_sign:
        return False
    authorities_below = len(below) - 1
    if constraints.path_length is not None and authorities_below > constraints.path_length:
        return False
    return is_issued_by(below[-1], authority)


def _ensure_valid(certificate: x509.Certificate, now: datetime) -> None:
    if not certificate.not_valid_before_utc - SKEW <= now <= certificate.not_valid_after_utc:
        raise Untrusted("a certificate is not valid at this time")
    unknown = [one.oid for one in certificate.extensions if one.critical and one.oid not in UNDERSTOOD]
    if unknown:
        raise Untrusted("a critical extension is not understood")


def _is_authority(certificate: x509.Certificate) -> bool:
    found = _extension(certificate, x509.BasicConstraints)
    return found is not None and found.ca


def _extension(certificate: x509.Certificate, kind: type[Kind]) -> Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)
"""Critical extensions that are looked at, here or by the connector (RFC 5280 §4.2)."""
