"""Norwegian BankID over OpenID Connect, API version 4: the person proves themselves at their bank's page.

The level is what `acr` says, exactly; `amr` is information only. `sub` is not stable and counts for nothing:
the person is known by the national number (`nnin_altsub`) and by the bank's own person id (`bankid_altsub`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from msgspec import field

from idp.eid.connector import Attempt, Failed, Level, Outcome, Pending, Result, Started, Verified, View
from idp.eid.openid import Proved, RelyingParty
from idp.eid.openid_client import OpenIdClient
from idp.eid.openid_errors import Refused
from idp.eid.openid_person import Numbers, born, checked_levels, must_be, optional, record, text

HIGH = "urn:bankid:bid;LOA=4"
"""BankID with the app or a code device, and the password."""

SUBSTANTIAL = "urn:bankid:bis;LOA=3"
"""BankID with biometrics."""

_METHODS = {"bid-otp": ("otp",), "bid-app": ("swk",), "bid-pwd": ("pwd",), "bis-bid": ("swk", "user"), "bis-mfa": ()}
"""What each of the bank's words for a method is by the names of RFC 8176. Words that are not here add nothing."""


class NorwegianBankIdSettings(OpenIdClient, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[eid.norwegian-bankid] Norwegian BankID."""

    issuer: str = "https://auth.bankid.no/auth/realms/prod"
    """The issuer identifier of BankID, byte for byte."""
    national_number: bool = True
    """Ask for the national number (`nnin_altsub`), and take no answer without it. Needs an agreement with BankID."""
    number_as_hint: bool = True
    """Tell BankID whom a repeat proof is asked of, where requests are pushed and so stay out of the browser."""
    acr_values: dict[Level, str] = field(
        default_factory=lambda: {"high": "urn:bankid:bid", "substantial": "urn:bankid:bid urn:bankid:bis"}
    )
    """What to ask for at each level."""
    levels: dict[str, Level] = field(default_factory=lambda: {HIGH: "high", SUBSTANTIAL: "substantial"})
    """What each `acr` counts for, compared exactly. What is not here counts for nothing."""


class NorwegianBankId:
    """The connector. Raises ValueError for settings that cannot work, naming the key."""

    label = "BankID"
    issuer_name = "BankID"
    flows = ("redirect",)

    def __init__(
        self, settings: NorwegianBankIdSettings, *, name: str = "norwegian-bankid", loopback: bool = False
    ) -> None:
        self.name = name
        self.levels = checked_levels(settings.levels)
        self._settings = settings
        self._numbers = Numbers(check_digits=settings.check_digits, synthetic=loopback)
        self._party = RelyingParty(settings, loopback=loopback)

    @property
    def origins(self) -> tuple[str, ...]:
        """Where the browser goes."""
        return self._party.origins

    def start(self, attempt: Attempt) -> Started:
        """Send the browser to the bank."""
        wanted = self._settings.acr_values.get(attempt.level)
        if not wanted:
            return Failed(Outcome.LEVEL_TOO_LOW, "acr_values has nothing for this level")
        parameters = {
            "scope": "openid profile nnin_altsub" if self._settings.national_number else "openid profile",
            "acr_values": wanted,
            "ui_locales": "nb" if attempt.locale[:2] in {"nb", "nn", "no"} else "en",
        }
        try:
            return self._party.leave(attempt, parameters, only_pushed=self._hint(attempt))
        except Refused as refusal:
            return refusal.failed

    def returned(self, notes: bytes, answer: Mapping[str, str], *, now: datetime) -> Result:
        """Redeem the code and check what BankID says."""
        try:
            return self._verified(self._party.came_back(notes, answer, now=now, userinfo=False), now)
        except Refused as refusal:
            return refusal.failed

    def poll(self, notes: bytes, *, now: datetime) -> Result:
        """Nothing to ask: the browser brings the answer."""
        return Pending()

    def view(self, notes: bytes, *, now: datetime, locale: str) -> View:
        """Nothing to show: the person is at the bank's page."""
        return View()

    def cancel(self, notes: bytes) -> None:
        """Nothing to stop: a code that is not redeemed ends by itself."""

    def _hint(self, attempt: Attempt) -> dict[str, str]:
        person = attempt.expected
        if person is None or person.number is None or person.country != "NO" or not self._settings.number_as_hint:
            return {}
        return {"login_hint": f":{person.number}"}  # version 4 refuses it anywhere but in a pushed request

    def _verified(self, proved: Proved, now: datetime) -> Verified:
        claims = proved.claims
        acr = claims.get("acr")
        if not isinstance(acr, str) or acr not in self.levels:
            raise Refused(Outcome.LEVEL_TOO_LOW, "acr is none that counts")
        birthdate = born(claims, "birthdate")
        national, reference = self._known_by(claims, birthdate)
        must_be(proved.begun.expected, country="NO", ids=(national, reference))
        return Verified(
            country="NO",
            number=national,
            reference=reference,
            given_name=text(claims, "given_name"),
            family_name=text(claims, "family_name"),
            birthdate=birthdate,
            claimed_level=acr,
            amr=_methods(claims, acr),
            at=min(now, datetime.fromtimestamp(claims["iat"], UTC)),  # `auth_time` is deprecated for it
            evidence=record(name="BankID", organization="BankID BankAxept AS", country="NO", claims=claims),
        )

    def _known_by(self, claims: Mapping[str, Any], birthdate: date) -> tuple[str | None, str | None]:
        """The national number, where it is asked for, and the bank's own id, which must be there where it is not."""
        if not self._settings.national_number:
            return None, text(claims, "bankid_altsub")
        national, _ = self._numbers.read("NO", text(claims, "nnin_altsub"), birthdate=birthdate)
        return national, optional(claims, "bankid_altsub")


def _methods(claims: Mapping[str, Any], acr: str) -> tuple[str, ...]:
    """The proof in the names of RFC 8176: always several factors, and those that can be told."""
    if acr == SUBSTANTIAL:
        return ("mfa", "swk", "user")
    listed = claims.get("amr")
    words = [word for word in listed if isinstance(word, str)] if isinstance(listed, list) else []
    return tuple(dict.fromkeys(["mfa", *(name for word in words for name in _METHODS.get(word, ()))]))
