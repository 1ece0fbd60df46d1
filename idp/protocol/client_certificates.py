"""Certificates of clients (RFC 8705): to authenticate with, and to bind tokens to.

TLS ends at a proxy, which passes the certificate on in a header; who may do so, `idp.web.proxies` decides.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID
from flask import Request

from idp import clock
from idp.services.client_keys import ClientKeys
from idp.services.clients import Client

ENVIRON = "idp.client_certificate"
"""Where the request has it, as DER."""

_Kind = type[x509.DNSName] | type[x509.UniformResourceIdentifier] | type[x509.RFC822Name]
_NAMES: dict[str, _Kind] = {
    "tls_client_auth_san_dns": x509.DNSName,
    "tls_client_auth_san_uri": x509.UniformResourceIdentifier,
    "tls_client_auth_san_email": x509.RFC822Name,
}


@dataclass(frozen=True, slots=True)
class ClientCertificates:
    """Checks certificates. `issuers` are those whose word counts for `tls_client_auth`."""

    issuers: tuple[x509.Certificate, ...]
    keys: ClientKeys

    @staticmethod
    def presented(request: Request) -> bytes | None:
        """The certificate of the connection, as DER; None where there is none."""
        found: bytes | None = request.environ.get(ENVIRON)
        return found

    @classmethod
    def thumbprint(cls, request: Request) -> str | None:
        """What tokens are bound to: `x5t#S256` (§3.1)."""
        found = cls.presented(request)
        return urlsafe_b64encode(sha256(found).digest()).rstrip(b"=").decode() if found else None

    def authenticates(self, client: Client, request: Request) -> bool:
        """Whether the connection's certificate is this client's, by the method it is registered for (§2)."""
        found = self.presented(request)
        if found is None:
            return False
        if client.token_endpoint_auth_method == "self_signed_tls_client_auth":  # noqa: S105 - a method's name
            return found in self.keys.certificates(client)  # §2.2.1: the very certificate; its dates do not matter
        try:
            certificate = x509.load_der_x509_certificate(found)
            return self._is_issued(certificate) and _is_named(certificate, client)
        except ValueError:
            return False

    def _is_issued(self, certificate: x509.Certificate) -> bool:
        now = clock.now()
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc or not _for_clients(
            certificate
        ):
            return False
        return any(_issued(certificate, issuer) for issuer in self.issuers)


def _for_clients(certificate: x509.Certificate) -> bool:
    """A certificate that says what it is for is for clients: a server's own is no client (RFC 5280 §4.2.1.12)."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in usage


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return issuer.not_valid_after_utc > clock.now()


def _is_named(certificate: x509.Certificate, client: Client) -> bool:
    """§2.1.2: the one name that the client is registered with, whole."""
    if client.tls_client_auth_subject_dn is not None:
        return certificate.subject == x509.Name.from_rfc4514_string(client.tls_client_auth_subject_dn)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    if client.tls_client_auth_san_ip is not None:
        return ip_address(client.tls_client_auth_san_ip) in names.get_values_for_type(x509.IPAddress)
    return any(
        wanted is not None and wanted in names.get_values_for_type(kind)
        for member, kind in _NAMES.items()
        if (wanted := getattr(client, member)) is not None
    )


def read_issuers(path: str | None) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file. Raises OSError, ValueError."""
    if path is None:
        return ()
    return tuple(x509.load_pem_x509_certificates(Path(path).read_bytes()))
