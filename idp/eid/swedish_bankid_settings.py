"""What can be set for a Swedish BankID connector, and what of it stops the start."""

from __future__ import annotations

from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from msgspec import Meta, Struct, field

from idp.eid import certificates
from idp.eid.connector import Level

ON_FILE, ON_CARD, MOBILE = "1.2.752.78.1.1", "1.2.752.78.1.2", "1.2.752.78.1.5"
"""Policies of the certificates that banks issue to people."""

_OF_TESTS = ("1.2.3.4.", "1.2.752.60.1.6")
"""Policies of certificates that prove nobody."""


SIGNED = "signed"
"""The one level that is claimed: the signature holds, in every part."""

LEVELS = get_args(Level)
"""Lowest first."""


class SwedishBankIdSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[eid.swedish-bankid] Swedish BankID, RP API v6."""

    server_root_file: str
    """PEM file with the root of the service's TLS certificate (BankID SSL Root CA v1). No other one is trusted."""
    client_file: str
    """PEM file with the certificate and the key that the bank issued to the organisation."""
    person_roots_file: str
    """PEM file with the roots of people's certificates (BankID Root CA v1). No other one is trusted."""
    url: str = "https://appapi2.bankid.com/rp/v6.0/"
    """Base address of the RP API."""
    label: str = "BankID (Sverige)"
    """How people know it."""
    issuer_name: str = "BankID"
    """Whom to ask when the eID is blocked."""
    levels: dict[str, Level] = field(default_factory=lambda: {SIGNED: "substantial"})
    """What a verified signature counts for."""
    certificate_policies: tuple[str, ...] = (ON_FILE, ON_CARD, MOBILE)
    """Policies (OIDs) of the certificates that are accepted: on file, on card, mobile."""
    pin_code: bool = False
    """Ask for the security code even where the app would take a fingerprint or a face."""
    identity_document: bool = False
    """Ask people to read their passport or national identity card with the app, too."""
    risk: Literal["low", "moderate", "LOW", "MODERATE"] = "low"
    """The highest risk of an order that is accepted, as BankID judges it: `low` or `moderate`."""
    missing_risk: Literal["refuse", "refuse-on-repeat", "accept"] = "refuse-on-repeat"
    """When BankID judges nothing: `refuse`; `refuse-on-repeat`, for proofs of a person known already; or `accept`."""
    require_same_address: bool = False
    """Refuse who came back from the app on this device, if app and browser had different IP addresses.
    Mobile networks change them at any time."""
    app_address: str = ""
    """Address that starts the app on this device. Empty: BankID's own, as the browser needs it."""
    timeout: Annotated[float, Meta(gt=0, le=10)] = 5.0
    """Seconds that an answer to a start may take."""


def check(settings: SwedishBankIdSettings, *, loopback: bool) -> None:
    """Raises ValueError with the key and what is allowed, OSError for a file that cannot be read."""
    policies, url = settings.certificate_policies, urlsplit(settings.url)
    if url.scheme != "https":  # the client certificate is what the service knows us by
        raise ValueError("url must begin with https://")
    if not set(settings.levels) <= {SIGNED} or not set(settings.levels.values()) <= set(LEVELS):
        raise ValueError(f"levels says what `{SIGNED}` counts for: one of {', '.join(LEVELS)}")
    if not policies or not all(part.isdecimal() for policy in policies for part in policy.split(".")):
        raise ValueError("certificate_policies names one object identifier or more: digits and dots, without *")
    if not loopback:
        _check_production(settings)


def _check_production(settings: SwedishBankIdSettings) -> None:
    if (urlsplit(settings.url).hostname or "").endswith(".test.bankid.com"):
        raise ValueError("url must not be the one for test people; that is for a provider on loopback only")
    if any(policy.startswith(_OF_TESTS) for policy in settings.certificate_policies):
        raise ValueError("certificate_policies must not hold a policy of test certificates")
    if urlsplit(settings.app_address).scheme == "http":
        raise ValueError("app_address must begin with https:// or be an address of the app")
    for key in ("server_root_file", "person_roots_file"):
        if any(certificates.is_for_tests(root) for root in certificates.read_files([getattr(settings, key)])):
            raise ValueError(f"{key} holds a root of a test environment; that is for a provider on loopback only")
