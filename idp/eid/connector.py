"""The contract of a connector: start, then come back or be asked, and what may come of it.

A connector speaks one provider's protocol and nothing else. It keeps no state: what it must remember
between two calls are its `notes`, which the caller seals, hands back, and erases at the end. It fails
closed: whatever it cannot prove is a `Failed`, never a `Verified`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, Protocol

Level = Literal["substantial", "high"]
"""Levels of identity proofing (eIDAS), lowest first."""


class Outcome(StrEnum):
    """Why an attempt proved nothing. People hear one of four sentences; this is for the audit trail."""

    USER_REFUSED = "user_refused"
    TIMEOUT = "timeout"
    WRONG_CODE_CHOSEN = "wrong_code_chosen"
    NO_USABLE_ACCOUNT = "no_usable_account"
    LEVEL_TOO_LOW = "level_too_low"
    PERSON_MISMATCH = "person_mismatch"
    LINKED_ELSEWHERE = "linked_elsewhere"
    """The person has another account here. Said by the provider itself, never by a connector."""
    BROWSER_MISMATCH = "browser_mismatch"
    PROOF_INVALID = "proof_invalid"
    REVOKED = "revoked"
    REVOCATION_UNKNOWN = "revocation_unknown"
    IN_PROGRESS = "in_progress"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    PROVIDER_REJECTED_US = "provider_rejected_us"
    PROTOCOL_ERROR = "protocol_error"
    RISK_BLOCKED = "risk_blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The person already linked to the account: whom a repeat proof is asked of."""

    country: str
    """ISO 3166-1 alpha-2."""
    number: str | None = field(repr=False)
    """National number, without separators; None where the provider gives none."""
    reference: str | None = field(default=None, repr=False)
    """What this provider knows them by: a document number, a person id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt, as the server fixed it. Nothing here comes from a parameter of the request."""

    transaction_id: str
    state: str = field(repr=False)
    """Random, 128 bits and more; comes back as the parameter `state` and finds the transaction again."""
    callback: str
    """Our address the browser comes back to, without `state`. One per connector, against mix-up."""
    level: Level
    """The lowest that will do. To be asked for here; compared again by the caller."""
    flow: str
    """One of the connector's `flows`."""
    expected: Person | None = None
    service: str
    """Whom the person proves themselves to, as they know it."""
    locale: str
    address: str
    """IP address of the browser."""
    user_agent: str = ""
    device: str = ""
    """Opaque, longer-lived than a session: for the provider's own risk engine."""
    now: datetime


@dataclass(frozen=True, slots=True)
class Leave:
    """The browser goes to the provider (303) and comes back to the callback."""

    url: str = field(repr=False)
    notes: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The person acts in their app; the provider is asked how it goes."""

    notes: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """It proved nothing. `detail` is for the log: technical words, never of a person (rule 8)."""

    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """Not over yet. `notes`, where given, replace the ones before. `hint` names what to tell the person."""

    hint: str = ""
    notes: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Who it is: every check of the fact sheet held."""

    country: str
    number: str | None = field(repr=False)
    """National number, checked and without separators."""
    reference: str | None = field(repr=False)
    """What this provider knows the person by, stable: never an unstable `sub`."""
    given_name: str = field(repr=False)
    family_name: str = field(repr=False)
    birthdate: date | None = field(repr=False)
    claimed_level: str
    """The provider's own words for the level (`urn:bankid:bid;LOA=4`). What they count for says `Connector.levels`."""
    amr: tuple[str, ...]
    """Names of RFC 8176 only."""
    at: datetime
    """When the person proved it."""
    evidence: Mapping[str, Any] = field(repr=False)
    """The `evidence` entry of OpenID Connect for Identity Assurance 1.0 for this proof, without `time`."""


Started = Leave | Waiting | Failed
Result = Pending | Verified | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the waiting page may show at this very second. None of it is kept."""

    qr: str | None = field(default=None, repr=False)
    """Content of the QR code."""
    link: str | None = field(default=None, repr=False)
    """Opens the app on this device."""
    code: str | None = None
    """The code that the app must show, too."""
    hint: str = ""


class Connector(Protocol):
    """One eID. Names, flows and levels are data; three calls and a view are the protocol."""

    @property
    def name(self) -> str:
        """Its name in the settings, in addresses and in the audit trail: `smart-id`."""

    @property
    def label(self) -> str:
        """Its own name, as people know it: «Smart-ID»."""

    @property
    def issuer_name(self) -> str:
        """Whom to ask when the eID is blocked."""

    @property
    def flows(self) -> tuple[str, ...]:
        """Its ways, the default first. A way called `notification` is only for a person already known."""

    @property
    def levels(self) -> Mapping[str, str]:
        """What each level that the provider claims counts for here. What is not in it counts for nothing."""

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins that the browser is sent to from our form (CSP `form-action`)."""

    def start(self, attempt: Attempt) -> Started:
        """Begin. One or more calls to the provider."""

    def returned(self, notes: bytes, answer: Mapping[str, str], *, now: datetime) -> Result:
        """The browser that started has come back to the callback, with these parameters."""

    def poll(self, notes: bytes, *, now: datetime) -> Result:
        """Ask the provider how it goes. Called every second or two at most; must not block longer than that."""

    def view(self, notes: bytes, *, now: datetime, locale: str) -> View:
        """What to show while it is pending. No call to the provider."""

    def cancel(self, notes: bytes) -> None:
        """Stop it at the provider, as far as that is possible. Raises nothing."""
