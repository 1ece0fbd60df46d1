"""What is told of a person: by scope, and by the `claims` parameter (OIDC Core §5.4, §5.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from idp.protocol.errors import InvalidRequest
from idp.services.accounts import Person

SCOPES: Mapping[str, tuple[str, ...]] = {
    "openid": (),
    "profile": ("locale", "updated_at"),
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "offline_access": (),
}
"""The scopes of OpenID Connect that are known here, and the claims each releases."""

CLAIMS = ("sub", *(name for names in SCOPES.values() for name in names))


class ClaimsRequest(msgspec.Struct, frozen=True):
    """The `claims` parameter, as far as it is understood."""

    userinfo: tuple[str, ...] = ()
    id_token: tuple[str, ...] = ()
    acr_values: tuple[str, ...] = ()
    acr_essential: bool = False
    sub: str | None = None


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
    )


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


def _member(given: dict[str, Any], name: str) -> dict[str, Any]:
    member = given.get(name) or {}
    if not isinstance(member, dict):
        raise InvalidRequest(f"claims.{name} is not a JSON object")
    return member


def _asked(member: dict[str, Any], name: str) -> dict[str, Any]:
    asked = member.get(name)
    return asked if isinstance(asked, dict) else {}


def _values(acr: dict[str, Any]) -> tuple[str, ...]:
    values = acr.get("values", [acr["value"]] if "value" in acr else [])
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()
