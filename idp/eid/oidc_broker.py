"""An eID behind a broker that speaks OpenID Connect: one class, and what differs is settings.

A broker stands for many eIDs, so its issuer says nothing about which one was used, nor how strong it is:
the claim for the eID and the one for the level must say so, in the exact words of the settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from idp.eid.connector import Attempt, Failed, Outcome, Pending, Result, Started, Verified, View
from idp.eid.oidc_broker_settings import OidcBrokerSettings, check
from idp.eid.openid import Proved, RelyingParty
from idp.eid.openid_checks import is_fresh, seconds
from idp.eid.openid_errors import Refused
from idp.eid.openid_person import (
    LEVELS,
    Numbers,
    born,
    checked_levels,
    must_be,
    optional,
    record,
    text,
)

TEST_PEOPLE = "TestID"
"""The `amr` of ID-porten for people who do not exist."""

_MILLISECONDS = 1e11
"""Seconds since the epoch do not get that large in three thousand years; some brokers count in thousandths."""


class OidcBroker:
    """The connector. Raises ValueError for settings that cannot work, naming the key."""

    flows = ("redirect",)

    def __init__(self, settings: OidcBrokerSettings, *, name: str = "broker", loopback: bool = False) -> None:
        check(settings)
        self.name = name
        self.label = settings.label
        self.issuer_name = settings.issuer_name
        self.levels = checked_levels(settings.levels)
        self._settings = settings
        self._with_test_people = loopback
        self._numbers = Numbers(check_digits=settings.check_digits, synthetic=loopback)
        self._party = RelyingParty(settings, loopback=loopback)

    @property
    def origins(self) -> tuple[str, ...]:
        """Where the browser goes."""
        return self._party.origins

    def start(self, attempt: Attempt) -> Started:
        """Send the browser to the broker, with the words of the settings for the level and nothing of the request."""
        enough = LEVELS[LEVELS.index(attempt.level) :]
        wanted = next((found for level in enough if (found := self._settings.acr_values.get(level))), None)
        if wanted is None:
            return Failed(Outcome.LEVEL_TOO_LOW, "acr_values has nothing for this level")
        parameters = {"scope": self._settings.scope, "acr_values": wanted, "ui_locales": attempt.locale}
        try:
            return self._party.leave(attempt, parameters, only_pushed={})
        except Refused as refusal:
            return refusal.failed

    def returned(self, notes: bytes, answer: Mapping[str, str], *, now: datetime) -> Result:
        """Redeem the code and check what the broker says."""
        try:
            return self._verified(self._party.came_back(notes, answer, now=now, userinfo=self._settings.userinfo), now)
        except Refused as refusal:
            return refusal.failed

    def poll(self, notes: bytes, *, now: datetime) -> Result:
        """Nothing to ask: the browser brings the answer."""
        return Pending()

    def view(self, notes: bytes, *, now: datetime, locale: str) -> View:
        """Nothing to show: the person is at the broker's page."""
        return View()

    def cancel(self, notes: bytes) -> None:
        """Nothing to stop: a code that is not redeemed ends by itself."""

    def _verified(self, proved: Proved, now: datetime) -> Verified:
        settings, claims = self._settings, self._together(proved)
        self._must_be_this_eid(claims)
        level = self._level(claims)
        national, reference, birthdate = self._person(claims)
        must_be(proved.begun.expected, country=settings.country, ids=(national, reference))
        source = {"name": self.label, "organization": self.issuer_name, "country": settings.country}
        return Verified(
            country=settings.country,
            number=national,
            reference=reference,
            given_name=text(claims, settings.given_name_claim) if settings.given_name_claim else "",
            family_name=text(claims, settings.family_name_claim) if settings.family_name_claim else "",
            birthdate=birthdate,
            claimed_level=level,
            amr=settings.amr,
            at=min(now, self._proved_at(claims, proved)),
            evidence=record(**source, claims=proved.claims),
        )

    def _together(self, proved: Proved) -> Mapping[str, Any]:
        """ID token and UserInfo as one. What both say and we rely on, they must say alike."""
        both = self._settings.relied_on & proved.claims.keys() & proved.userinfo.keys()
        if any(proved.claims[name] != proved.userinfo[name] for name in both):
            raise Refused(Outcome.PROOF_INVALID, "ID token and UserInfo contradict each other")
        return {**proved.userinfo, **proved.claims}

    def _must_be_this_eid(self, claims: Mapping[str, Any]) -> None:
        said = claims.get(self._settings.eid_claim)
        words = said if isinstance(said, list) else [said]
        if not words or not all(word in self._settings.eid_values for word in words):
            raise Refused(Outcome.PROOF_INVALID, f"claim {self._settings.eid_claim}: another eID")
        methods = claims.get("amr")
        if TEST_PEOPLE in (methods if isinstance(methods, list) else [methods]) and not self._with_test_people:
            raise Refused(Outcome.PROOF_INVALID, "claim amr: a person for tests")

    def _level(self, claims: Mapping[str, Any]) -> str:
        """The broker's word for the level: the lowest of those it says."""
        words = [claims.get(name) for name in self._settings.level_claims]
        known = [word for word in words if isinstance(word, str) and word in self.levels]
        if len(known) != len(words):
            raise Refused(Outcome.LEVEL_TOO_LOW, "a level claim is missing or none that counts")
        return min(known, key=lambda word: LEVELS.index(self._settings.levels[word]))

    def _person(self, claims: Mapping[str, Any]) -> tuple[str | None, str | None, date | None]:
        """National number, the eID's own id and date of birth."""
        settings = self._settings
        if settings.country_claim and text(claims, settings.country_claim).upper() != settings.country:
            raise Refused(Outcome.PROOF_INVALID, f"claim {settings.country_claim}: another country")
        birthdate = born(claims, settings.birthdate_claim) if settings.birthdate_claim else None
        reference = optional(claims, settings.reference_claim)
        read = text if settings.national_number else optional
        said = read(claims, settings.number_claim)
        if said is not None:
            national, birthdate = self._numbers.read(settings.country, said, birthdate=birthdate)
            return national, reference, birthdate
        if reference is None:
            raise Refused(Outcome.PROOF_INVALID, "neither a national number nor a person id")
        return None, reference, birthdate

    def _proved_at(self, claims: Mapping[str, Any], proved: Proved) -> datetime:
        """When the person proved it, which must be since they left: a broker may remember them from before."""
        name = self._settings.time_claim
        moment = _moment(claims.get(name)) if name else seconds(claims["iat"])
        if moment is None or not is_fresh(moment, proved.wanted):
            raise Refused(Outcome.PROOF_INVALID, f"claim {name}: missing, or not of now")
        return datetime.fromtimestamp(moment, UTC)


def _moment(said: object) -> float | None:
    """Seconds since the epoch, from what brokers write. None where it is no time, or one without its zone."""
    if isinstance(said, str) and re.fullmatch("[0-9]{1,15}", said):
        said = int(said)
    if isinstance(said, str):
        try:
            written = datetime.fromisoformat(said)
        except ValueError:
            return None
        return written.timestamp() if written.tzinfo else None
    if isinstance(said, int) and _MILLISECONDS <= said < 1000 * _MILLISECONDS:
        return said / 1000
    return seconds(said)
