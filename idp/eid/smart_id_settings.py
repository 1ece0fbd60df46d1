"""What can be set for a Smart-ID connector, and what of it stops the start."""

from __future__ import annotations

from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from msgspec import Meta, Struct, field

from idp.eid import certificates
from idp.eid.connector import Level

QUALIFIED, ADVANCED = "QUALIFIED", "ADVANCED"
POLICIES = ("1.3.6.1.4.1.10015.17.2", "0.4.0.2042.1.2")
"""Both must be in the certificate of a qualified Smart-ID."""

HashAlgorithm = Literal["SHA-256", "SHA-384", "SHA-512", "SHA3-256", "SHA3-384", "SHA3-512"]
_DEMO_NAMES = ("smart-id-demo",)
_DEMO_UUID = "00000000-0000-4000-8000-000000000000"


class SmartIdSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[eid.smart-id] Smart-ID, RP API v3."""

    relying_party_uuid: str
    """UUID from the contract."""
    relying_party_name: Annotated[str, Meta(min_length=1, max_length=32)]
    """Name from the contract, letter for letter: it is part of what is signed."""
    api_roots_file: str
    """PEM file with the roots, or the certificate itself, of the API's TLS. No other one is trusted."""
    person_roots_file: str
    """PEM file with the roots of people's certificates. No other one is trusted."""
    person_authorities_file: str
    """PEM file with the authorities between them and people (EID-Q). They count only under those roots."""
    url: str = "https://rp-api.smart-id.com/v3/"
    """Base address of the RP API."""
    scheme_name: str = "smart-id"
    """`smart-id`; another scheme's signature never fits."""
    hash_algorithm: HashAlgorithm = "SHA3-512"
    """Hash of the signatures that are asked for."""
    policies: tuple[str, ...] = POLICIES
    """Policies (OIDs) that a certificate must have, all of them."""
    levels: dict[str, Level] = field(default_factory=lambda: {QUALIFIED: "substantial"})
    """What each certificate level counts for. `high` is the operator's own word."""
    label: str = "Smart-ID"
    """How people know it."""
    issuer_name: str = "Smart-ID"
    """Whom to ask when the eID is blocked."""
    ocsp_url: str | None = None
    """Responder to ask instead of those that certificates name."""
    timeout: Annotated[float, Meta(gt=0, le=10)] = 5.0
    """Seconds that an answer to a start may take."""


def check(settings: SmartIdSettings, *, loopback: bool) -> None:
    """Raises ValueError with the key and what is allowed, OSError for a file that cannot be read."""
    if urlsplit(settings.url).scheme != "https":
        raise ValueError("url must begin with https://")
    if len(settings.relying_party_name.encode()) > 32:
        raise ValueError("relying_party_name may have 32 bytes as UTF-8")
    if set(settings.levels) != {QUALIFIED} or not set(settings.levels.values()) <= set(get_args(Level)):
        words = ", ".join(get_args(Level))
        raise ValueError(f"levels says what {QUALIFIED} counts for, one of {words}; {ADVANCED} proves nobody")
    if not settings.policies:
        raise ValueError("policies names one object identifier or more")
    if not loopback:
        _check_production(settings)


def _check_production(settings: SmartIdSettings) -> None:
    if settings.scheme_name in _DEMO_NAMES or settings.relying_party_uuid == _DEMO_UUID:
        raise ValueError("scheme_name and relying_party_uuid must not be those of the demo environment")
    if settings.ocsp_url is not None and urlsplit(settings.ocsp_url).hostname in ("localhost", "127.0.0.1"):
        raise ValueError("ocsp_url must not be this machine")
    for key in ("api_roots_file", "person_roots_file", "person_authorities_file"):
        if any(certificates.is_for_tests(one) for one in certificates.read_files([getattr(settings, key)])):
            raise ValueError(f"{key} holds an authority of a test environment; that is for a provider on loopback only")
