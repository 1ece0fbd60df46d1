"""What can be set for a Swedish BankID connector, and what of it stops the start."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct, field

from idp.eid.connector import Level

ON_FILE, ON_CARD, MOBILE = "1.2.752.78.1.1", "1.2.752.78.1.2", "1.2.752.78.1.5"
"""Policies of the certificates that banks issue to people."""

_OF_TESTS = ("1.2.3.4.", "1.2.752.60.1.6")
"""Policies of certificates that prove nobody."""


class SwedishBankIdSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[eid.<name>] connector = "swedish_bankid": BankID RP API v6."""

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
    levels: dict[Literal["signed"], Level] = field(default_factory=lambda: {"signed": "substantial"})
    """What a verified signature counts for."""
    certificate_policies: tuple[str, ...] = (ON_FILE, ON_CARD, MOBILE)
    """Policies (OIDs) of the certificates that are accepted: on file, on card, mobile."""
    pin_code: bool = False
    """Ask for the security code even where the app would take a fingerprint or a face."""
    identity_document: bool = False
    """Ask people to read their passport or national identity card with the app, too."""
    risk: Literal["low", "moderate", "LOW", "MODERATE"] = "low"
    """The highest risk of an order that is accepted, as BankID judges it."""
    missing_risk: Literal["refuse", "refuse-on-repeat", "accept"] = "refuse-on-repeat"
    """What to do when BankID judges nothing: refuse; refuse repeat proofs of a person known already; or accept."""
    require_same_address: bool = False
    """Refuse who came back from the app on this device, if app and browser had different IP addresses.
    Mobile networks change them at any time."""
    app_address: str = ""
    """Address that starts the app on this device. Empty: BankID's own, as the browser needs it."""
    timeout: Annotated[float, Meta(gt=0, le=10)] = 5.0
    """Seconds that an answer to a start may take."""


def check(settings: SwedishBankIdSettings, *, loopback: bool) -> None:
    """Raises ValueError with the key and what is allowed."""
    scheme = urlsplit(settings.url).scheme
    if scheme != "https":  # the client certificate is what the service knows us by
        raise ValueError("url must begin with https://")
    if not settings.certificate_policies:
        raise ValueError("certificate_policies must name at least one policy")
    if any(not all(part.isdecimal() for part in policy.split(".")) for policy in settings.certificate_policies):
        raise ValueError("certificate_policies are object identifiers, digits and dots only, without *")
    if loopback:
        return
    if any(policy.startswith(_OF_TESTS) for policy in settings.certificate_policies):
        raise ValueError("certificate_policies must not hold a policy of test certificates")
    if (urlsplit(settings.url).hostname or "").endswith(".test.bankid.com"):
        raise ValueError("url must not be the one for test people; that is for a provider on loopback only")
    if settings.app_address and urlsplit(settings.app_address).scheme == "http":
        raise ValueError("app_address must begin with https:// or be an address of the app")
