"""An eID behind a broker that speaks OpenID Connect: one class, and what differs is settings.

A broker stands for many eIDs, so its issuer says nothing about which one was used, nor how strong it is:
the claim for the eID and the one for the level must say so, in the exact words of the settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from msgspec import Struct, field

from idp.eid.connector import Attempt, Failed, Level, Outcome, Pending, Result, Started, Verified, View
from idp.eid.openid import Proved, RelyingParty
from idp.eid.openid_checks import is_fresh, seconds
from idp.eid.openid_client import OpenIdClient, SignatureAlgorithm
from idp.eid.openid_errors import Refused
from idp.eid.openid_person import (
    ALPHA_3,
    LEVELS,
    born,
    checked_levels,
    must_be,
    number,
    optional,
    record,
    text,
)

TEST_PEOPLE = "TestID"
"""The `amr` of ID-porten for people who do not exist."""

_KNOWN_AND_HELD = (
    "geo",
    "hwk",
    "kba",
    "mca",
    "mfa",
    "otp",
    "pin",
    "pop",
    "pwd",
    "rba",
    "sc",
    "sms",
    "swk",
    "tel",
    "wia",
)
_OF_THE_BODY = ("face", "fpt", "iris", "retina", "user", "vbm")
RFC_8176 = frozenset({*_KNOWN_AND_HELD, *_OF_THE_BODY})
"""The names that `amr` may hold."""

_MILLISECONDS = 1e11
"""Seconds since the epoch do not get that large in three thousand years; some brokers count in thousandths."""


class ClaimNames(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The broker's names for what we need. Empty: it has none."""

    number: str = ""
    """The national number."""
    reference: str = ""
    """What the eID itself knows the person by. Never `sub`, which is the broker's own and may change."""
    country: str = ""
    """The country of the number; where named, it must be `country`."""
    given_name: str = "given_name"
    """Given names."""
    family_name: str = "family_name"
    """Family name."""
    birthdate: str = "birthdate"
    """Date of birth, `YYYY-MM-DD`. Where there is none, that of the number counts."""
    proved_at: str = "auth_time"
    """When the person proved themselves: seconds, thousandths of them, or a date and time of ISO 8601. Where it is
    named it must be there and be fresh; empty is only for a broker that tells no time at all."""


class OidcBrokerSettings(OpenIdClient, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[eid.NAME] An eID behind an OpenID Connect broker."""

    label: str
    """The eID's name, as people know it."""
    issuer_name: str
    """Whom people ask when their eID is blocked."""
    country: str
    """Country of the national numbers (ISO 3166-1 alpha-2)."""
    scope: str = "openid profile"
    """Scopes to ask for."""
    acr_values: dict[Level, str]
    """What to ask for at each level, sent as it stands."""
    eid_claim: str
    """The claim that says which eID was used."""
    eid_values: tuple[str, ...]
    """The words it may have. Where the claim is a list, each of its words must be one of these."""
    level_claims: tuple[str, ...]
    """The claims that say how strong the proof is. Each must be there; the lowest counts."""
    levels: dict[str, Level]
    """What each word of a level claim counts for, compared exactly. What is not here counts for nothing."""
    claims: ClaimNames = field(default_factory=ClaimNames)
    """The names of the claims."""
    userinfo: bool = False
    """Ask UserInfo, too: for brokers that keep personal claims out of the ID token."""
    national_number: bool = True
    """Take no answer without the national number. Without it the person is known by `claims.reference`."""
    amr: tuple[str, ...] = ("mfa",)
    """What a proof with this eID is, in the names of RFC 8176."""
    token_algorithms: tuple[SignatureAlgorithm, ...] = ("RS256",)
    """The only algorithms taken in ID tokens and signed UserInfo."""


class OidcBroker:
    """The connector. Raises ValueError for settings that cannot work, naming the key."""

    flows = ("redirect",)

    def __init__(self, settings: OidcBrokerSettings, *, name: str = "broker", loopback: bool = False) -> None:
        _check(settings)
        self.name = name
        self.label = settings.label
        self.issuer_name = settings.issuer_name
        self.levels = checked_levels(settings.levels)
        self._settings = settings
        self._with_test_people = loopback
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
        claims = self._together(proved)
        self._must_be_this_eid(claims)
        level = self._level(claims)
        names = self._settings.claims
        national, reference, birthdate = self._person(claims)
        must_be(proved.begun.expected, country=self._settings.country, ids=(national, reference))
        return Verified(
            country=self._settings.country,
            number=national,
            reference=reference,
            given_name=text(claims, names.given_name) if names.given_name else "",
            family_name=text(claims, names.family_name) if names.family_name else "",
            birthdate=birthdate,
            claimed_level=level,
            amr=self._settings.amr,
            at=min(now, self._proved_at(claims, proved)),
            evidence=record(
                name=self.label, organization=self.issuer_name, country=self._settings.country, claims=proved.claims
            ),
        )

    def _together(self, proved: Proved) -> Mapping[str, Any]:
        """ID token and UserInfo as one. What both say and we rely on, they must say alike."""
        settings, names = self._settings, self._settings.claims
        relied_on = {
            *(settings.eid_claim, *settings.level_claims),
            *(names.number, names.reference, names.country, names.given_name, names.family_name, names.birthdate),
        }
        both = relied_on & proved.claims.keys() & proved.userinfo.keys()
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
        settings, names = self._settings, self._settings.claims
        if names.country and text(claims, names.country).upper() != settings.country:
            raise Refused(Outcome.PROOF_INVALID, f"claim {names.country}: another country")
        birthdate = born(claims, names.birthdate) if names.birthdate else None
        reference = optional(claims, names.reference)
        said = text(claims, names.number) if settings.national_number else optional(claims, names.number)
        if said is not None:
            national, birthdate = number(settings.country, said, birthdate=birthdate)
            return national, reference, birthdate
        if reference is None:
            raise Refused(Outcome.PROOF_INVALID, "neither a national number nor a person id")
        return None, reference, birthdate

    def _proved_at(self, claims: Mapping[str, Any], proved: Proved) -> datetime:
        """When the person proved it, which must be since they left: a broker may remember them from before."""
        name = self._settings.claims.proved_at
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


def _check(settings: OidcBrokerSettings) -> None:
    names = settings.claims
    if settings.country not in ALPHA_3:
        raise ValueError(f"country must be one of {', '.join(ALPHA_3)}")
    if not settings.eid_claim or not settings.eid_values:
        raise ValueError("eid_claim and eid_values must say which eID it is: the issuer does not")
    if not settings.level_claims:
        raise ValueError("level_claims must name at least one claim")
    if names.reference == "sub":
        raise ValueError("claims.reference must not be sub: it is the broker's own, and may change")
    if settings.national_number and not names.number:
        raise ValueError("claims.number is needed while national_number is on")
    if not names.number and not names.reference:
        raise ValueError("claims must name number or reference: nothing else says who it is")
    if not settings.amr or not set(settings.amr) <= RFC_8176:
        raise ValueError("amr must hold names of RFC 8176 only")
