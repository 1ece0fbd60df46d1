"""The settings of an eID behind an OpenID Connect broker, and what of them cannot work."""

from __future__ import annotations

from idp.eid.connector import Level
from idp.eid.openid_client import OpenIdClient, SignatureAlgorithm
from idp.eid.openid_person import ALPHA_3

HELD = frozenset(
    ["geo", "hwk", "kba", "mca", "mfa", "otp", "pin", "pop", "pwd", "rba", "sc", "sms", "swk", "tel", "wia"]
)
OF_THE_BODY = frozenset(["face", "fpt", "iris", "retina", "user", "vbm"])
"""Both together are the names of RFC 8176 that `amr` may hold."""


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
    number_claim: str = ""
    """The claim with the national number. Empty: there is none, as for each of the names below."""
    reference_claim: str = ""
    """What the eID itself knows the person by. Never `sub`, which is the broker's own and may change."""
    country_claim: str = ""
    """The country of the number; where named, it must be `country`."""
    given_name_claim: str = "given_name"
    """Given names."""
    family_name_claim: str = "family_name"
    """Family name."""
    birthdate_claim: str = "birthdate"
    """Date of birth, `YYYY-MM-DD`. Where there is none, that of the number counts."""
    time_claim: str = "auth_time"
    """When the person acted: seconds, thousandths of them, or a date and time of ISO 8601. Where it is named it must be
    there and be fresh; empty is only for a broker that tells no time at all."""
    userinfo: bool = False
    """Ask UserInfo, too: for brokers that keep personal claims out of the ID token."""
    national_number: bool = True
    """Take no answer without the national number. Without it the person is known by `reference_claim`."""
    amr: tuple[str, ...] = ("mfa",)
    """What a proof with this eID is, in the names of RFC 8176."""
    token_algorithms: tuple[SignatureAlgorithm, ...] = ("RS256",)
    """The only algorithms taken in ID tokens and signed UserInfo."""

    @property
    def relied_on(self) -> frozenset[str]:
        """The claims that decide who it is and how well that is known."""
        person = (self.number_claim, self.reference_claim, self.country_claim)
        words = (self.given_name_claim, self.family_name_claim, self.birthdate_claim)
        return frozenset({self.eid_claim, *self.level_claims, *person, *words, self.time_claim} - {""})


def check(settings: OidcBrokerSettings) -> None:
    """Raises ValueError, naming the key, for settings that would prove the wrong thing or nothing."""
    if settings.country not in ALPHA_3:
        raise ValueError(f"country must be one of {', '.join(ALPHA_3)}")
    if not settings.eid_claim or not settings.eid_values:
        raise ValueError("eid_claim and eid_values must say which eID it is: the issuer does not")
    if not settings.level_claims:
        raise ValueError("level_claims must name at least one claim")
    if settings.reference_claim == "sub":
        raise ValueError("reference_claim must not be sub: it is the broker's own, and may change")
    if settings.national_number and not settings.number_claim:
        raise ValueError("number_claim is needed while national_number is on")
    if not settings.number_claim and not settings.reference_claim:
        raise ValueError("number_claim or reference_claim is needed: nothing else says who it is")
    if not settings.amr or not set(settings.amr) <= HELD | OF_THE_BODY:
        raise ValueError("amr must hold names of RFC 8176 only")
