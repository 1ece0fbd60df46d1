"""What is told of a person: by scope, and by the `claims` parameter (OIDC Core §5.4, §5.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from idp import clock
from idp.protocol.errors import InvalidRequest
from idp.rules import verified_claims
from idp.rules.verified_claims import NATIONAL_NUMBER
from idp.services import identities
from idp.services.accounts import Person

SCOPES: Mapping[str, tuple[str, ...]] = {
    "openid": (),
    "profile": ("locale", "updated_at"),
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "offline_access": (),
    NATIONAL_NUMBER: (NATIONAL_NUMBER,),
}
"""The scopes of OpenID Connect that are known here, and the claims each releases."""

OF_VERIFIED = "profile"
"""The scope that names and birth date go with, once an eID has verified them."""

CLAIMS = ("sub", *(name for names in SCOPES.values() for name in names))


class ClaimsRequest(msgspec.Struct, frozen=True):
    """The `claims` parameter, as far as it is understood."""

    userinfo: tuple[str, ...] = ()
    id_token: tuple[str, ...] = ()
    acr_values: tuple[str, ...] = ()
    acr_essential: bool = False
    sub: str | None = None
    userinfo_verified: Any = None
    """The `verified_claims` asked for there (Identity Assurance §5.7)."""
    id_token_verified: Any = None

    @property
    def wants_verified(self) -> bool:
        """Whether it asks who the person really is."""
        return self.userinfo_verified is not None or self.id_token_verified is not None


def read(text: str | None) -> ClaimsRequest:
    """The request; what is not known is ignored (OIDC Core §5.5). Raises `InvalidRequest` for no JSON object."""
    if text is None:
        return ClaimsRequest()
    try:
        given = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise InvalidRequest("claims is not JSON") from problem
    if not isinstance(given, dict):
        raise InvalidRequest("claims is not a JSON object")
    userinfo, id_token = (_member(given, name) for name in ("userinfo", "id_token"))
    acr = _asked(id_token, "acr")
    subject = _asked(id_token, "sub").get("value")
    return ClaimsRequest(
        userinfo=tuple(name for name in userinfo if name in CLAIMS),
        id_token=tuple(name for name in id_token if name in CLAIMS),
        acr_values=_values(acr),
        acr_essential=acr.get("essential") is True,
        sub=subject if isinstance(subject, str) else None,
        userinfo_verified=_verified(userinfo),
        id_token_verified=_verified(id_token),
    )


def of_identity(account_id: str, scopes: Sequence[str], requested: Any) -> dict[str, Any]:
    """Who the person really is, as far as it was proved, asked for, and allowed.

    Names and birth date go with the scope `profile`; the national number only ever with its own (SR-123).
    """
    number = NATIONAL_NUMBER in scopes
    if not number and (requested is None or OF_VERIFIED not in scopes):
        return {}
    proved = identities.verified(account_id)
    if proved is None:
        return {}
    told = {NATIONAL_NUMBER: proved.claims[NATIONAL_NUMBER]} if number and NATIONAL_NUMBER in proved.claims else {}
    if requested is not None:
        allowed = {
            *(verified_claims.CLAIMS if OF_VERIFIED in scopes else ()),
            *((NATIONAL_NUMBER,) if number else ()),
        }
        claims = {name: value for name, value in proved.claims.items() if name in allowed}
        found = verified_claims.select(requested, identities.Proved(proved.verification, claims), now=clock.now())
        told |= {"verified_claims": found} if found is not None else {}
    return told


def of_person(person: Person, scopes: Sequence[str]) -> dict[str, Any]:
    """The claims that these scopes release, and no other (SR-123)."""
    allowed = {name for scope in scopes for name in SCOPES.get(scope, ())}
    known = {
        "email": person.email,
        "email_verified": person.email_verified,
        "phone_number": person.phone_number,
        "phone_number_verified": person.phone_number_verified if person.phone_number else None,
        "locale": person.locale,
        "updated_at": int(person.updated_at.timestamp()),
    }
    return {name: value for name, value in known.items() if name in allowed and value is not None}


def _verified(member: dict[str, Any]) -> Any:
    if "verified_claims" not in member:
        return None
    try:
        verified_claims.check(member["verified_claims"])
    except verified_claims.MalformedRequest as problem:
        raise InvalidRequest(str(problem)) from problem
    return member["verified_claims"]


def _member(given: dict[str, Any], name: str) -> dict[str, Any]:
    member = given.get(name)
    if member is None:
        return {}
    if not isinstance(member, dict):
        raise InvalidRequest(f"claims.{name} is not a JSON object")
    return member


def _asked(member: dict[str, Any], name: str) -> dict[str, Any]:
    asked = member.get(name)
    return asked if isinstance(asked, dict) else {}


def _values(acr: dict[str, Any]) -> tuple[str, ...]:
    values = acr.get("values", [acr["value"]] if "value" in acr else [])
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()
