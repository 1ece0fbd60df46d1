"""Norwegian BankID, API version 4: its words for levels, methods and people, and its own faults."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, ClassVar

from flask import Response

from .openid_clients import Client
from .openid_provider import OpenIdProvider
from .openid_tokens import FAULTS, Claims, Proved, about_the_token, changed, names, signed, sub
from .people import NORWEGIAN, EidPerson, holders

HIGH, SUBSTANTIAL = "urn:bankid:bid;LOA=4", "urn:bankid:bis;LOA=3"
METHODS = {
    "app": (HIGH, ["bid", "bid-mfa", "bid-app", "bid-pwd"]),
    "code-device": (HIGH, ["bid", "bid-mfa", "bid-otp", "bid-pwd"]),
    "biometrics": (SUBSTANTIAL, ["bis-mfa", "bis-bid"]),
}
"""How people prove themselves, with the level and the methods that are told of it."""

OWN_FAULTS: Mapping[str, str] = {
    "alg-rs256": "the ID token is signed with RSA, as before version 4",
    "old-iat": "the person proved themselves an hour ago: single sign-on",
    "lower-acr": "the level is lower than the one asked for",
    "unknown-acr": "the level is none that is known",
    "no-acr": "no level is told",
    "no-number": "the national number is missing",
    "wrong-number": "the national number has a wrong check digit",
    "other-birthdate": "the birth date is not that of the number",
    "other-person": "somebody else proved themselves than the one asked for",
}


@dataclass
class NorwegianBankId(OpenIdProvider):
    """The simulator."""

    realm = "/auth/realms/current"
    authorization_path = "/precheck/auth"
    title = "BankID"
    faults: ClassVar = {**FAULTS, **OWN_FAULTS}
    denial = "bankid_error_codes:C12F"
    eid: str = NORWEGIAN
    people: Sequence[EidPerson] = field(default_factory=lambda: holders(NORWEGIAN))
    known_acr: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {"urn:bankid:bid": ("app", "code-device"), "urn:bankid:bis": ("biometrics",)}
    )

    def id_token(self, proved: Proved, *, access_token: str, client: Client) -> str:
        """The ID token, with the fault that was asked for."""
        claims = {**about_the_token(proved, issuer=self.issuer, access_token=access_token), **_claims(proved)}
        change = CHANGES.get(proved.fault or "")
        claims = change(claims, proved) if change else claims
        return signed(changed(claims, proved.fault), proved.fault, self.keys, secret=client.secret)

    def userinfo(self, proved: Proved, client: Client) -> Response:
        """UserInfo, as a signed token."""
        told = {"iss": self.issuer, "aud": client.client_id, "sub": sub(proved.person, client.client_id)}
        token = signed({**told, **names(proved.person)}, None, self.keys, secret="")
        return Response(token, content_type="application/jwt")


def reference(person: EidPerson) -> str:
    """The bank's own id of a person, which stays."""
    digits = int.from_bytes(sha256(person.number.encode()).digest()[:4], "big")
    return f"9578-5999-4-{digits % 10**7:07d}"


def _claims(proved: Proved) -> Claims:
    acr, amr = METHODS[proved.method]
    told = proved.number_allowed and "nnin_altsub" in proved.scopes
    return {
        "typ": "ID",
        "sid": secrets.token_hex(8),
        "acr": acr,
        "amr": amr,
        **names(proved.person),
        "bankid_altsub": reference(proved.person),
        "nnin_altsub": proved.person.number if told else None,
        "updated_at": int(proved.issued_at) - 86400,
    }


def _with(**other: Any) -> Callable[[Claims, Proved], Claims]:
    return lambda claims, _: {**claims, **other}


def _someone_else(claims: Claims, proved: Proved) -> Claims:
    other = next(person for person in holders(NORWEGIAN) if person.number != proved.person.number)
    who = {"sub": sub(other, proved.client_id), "bankid_altsub": reference(other), "nnin_altsub": other.number}
    return {**claims, **names(other), **who}


CHANGES: Mapping[str, Callable[[Claims, Proved], Claims]] = {
    "old-iat": lambda claims, _: {**claims, "iat": claims["iat"] - 3600},
    "lower-acr": _with(acr=SUBSTANTIAL),
    "unknown-acr": _with(acr="urn:bankid:bid;LOA=40"),
    "no-acr": _with(acr=None),
    "no-number": _with(nnin_altsub=None),
    "wrong-number": lambda claims, _: {**claims, "nnin_altsub": claims["nnin_altsub"][:-1] + "x"},
    "other-birthdate": _with(birthdate="1901-01-01"),
    "other-person": _someone_else,
}
"""What each of its own faults changes in the claims."""
