"""OpenID Connect brokers: one product, and for each eID behind it the words that broker uses (papers of 2026)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, uuid5

from flask import Response, jsonify
from joserfc import jwe, jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet
from werkzeug.exceptions import BadRequest

from . import clock
from .norwegian_bankid import reference
from .openid_clients import Client
from .openid_provider import OpenIdProvider
from .openid_tokens import FAULTS, Claims, Keys, Proved, about_the_token, changed, names, signed, sub
from .people import EidPerson

OWN_FAULTS: Mapping[str, str] = {
    "other-eid": "another eID was used than the one asked for",
    "no-eid": "nobody says which eID was used",
    "no-level": "no level is told",
    "unknown-level": "the level is none that is known",
    "lower-level": "the level is lower than the one asked for",
    "no-person": "neither national number nor person id is told",
    "other-person": "somebody else proved themselves than the one asked for",
    "old-proof": "the person proved themselves an hour ago: single sign-on",
    "only-in-userinfo": "the ID token says nothing of the person; UserInfo does",
    "userinfo-other-sub": "UserInfo is of somebody else",
    "userinfo-contradicts": "UserInfo tells another level than the ID token",
    "not-encrypted": "the ID token is only signed",
    "refused-jwe-algorithm": "the ID token is encrypted in a way that was not agreed",
    "other-jwe-key": "the ID token is encrypted to somebody else",
}


@dataclass(frozen=True, kw_only=True)
class Flavour:
    """One eID behind one broker, in that broker's words."""

    levels: Mapping[str, str]
    """What may be asked for in `acr_values`, and what the level claim then says."""
    eid_claim: str
    eid_value: Any
    level_claims: tuple[str, ...]
    lower: str
    """The word for a level below."""
    person: Callable[[EidPerson], Claims]
    time_claim: str = "authenticationinstant"
    personal: str = "id_token"
    """Where claims of the person are: `id_token` or `userinfo`."""
    signed_requests: bool = False
    encrypted: bool = False


def _idura(person: EidPerson) -> Claims:
    return {**names(person), "socialno": person.number, "uniqueuserid": reference(person), "country": person.country}


def _mitid(person: EidPerson) -> Claims:
    uuid = str(uuid5(NAMESPACE_URL, f"mitid/{person.number}"))
    return {**names(person), "uuid": uuid, "cprNumberIdentifier": person.number or None}


def _signicat(person: EidPerson) -> Claims:
    told = {"nin": person.number, "nin_type": "BIRTH", "nin_issuing_country": person.country}
    return {**names(person), **told, "idp_id": reference(person)}


FLAVOURS: Mapping[str, Flavour] = {
    "signicat": Flavour(
        levels={"idp:nbid": "urn:bankid:bid;LOA=4"},
        eid_claim="idp", eid_value="nbid", level_claims=("nbid_acr",), lower="urn:bankid:bis;LOA=3",
        person=_signicat, time_claim="auth_time", personal="userinfo",
    ),
    "idura-no": Flavour(
        levels={word: word for word in
                ("urn:grn:authn:no:bankid:high", "urn:grn:authn:no:bankid:substantial")},
        eid_claim="identityscheme", eid_value="nobankid-oidc", level_claims=("authenticationtype",),
        lower="urn:grn:authn:no:bankid:substantial", person=_idura,
    ),
    "id-porten": Flavour(
        levels={word: word for word in ("idporten-loa-high", "idporten-loa-substantial")},
        eid_claim="amr", eid_value=["BankID"], level_claims=("acr",), lower="idporten-loa-substantial",
        person=lambda person: {"pid": person.number}, time_claim="auth_time",
    ),
    "mitid": Flavour(
        levels={"urn:grn:authn:dk:mitid:high": "HIGH", "urn:grn:authn:dk:mitid:substantial": "SUBSTANTIAL"},
        eid_claim="identityscheme", eid_value="dkmitid", level_claims=("loA", "ial", "aal"), lower="LOW",
        person=_mitid,
    ),
    "finland": Flavour(
        levels={"urn:grn:authn:fi:bank-id": "urn:grn:authn:fi:bank-id"},
        eid_claim="identityscheme", eid_value="fitupas", level_claims=("authenticationtype",), lower="urn:grn:authn:fi",
        person=lambda person: {**names(person), "hetu": person.number, "country": "FI"},
        signed_requests=True, encrypted=True,
    ),
}  # fmt: skip


@dataclass
class OidcBroker(OpenIdProvider):
    """The simulator of one eID behind a broker."""

    keys: Keys = field(default_factory=lambda: Keys("RS256"))
    eid: str = "mitid"
    people: Sequence[EidPerson] = ()
    flavour: Flavour = field(default_factory=lambda: FLAVOURS["mitid"])
    title = "MitID"
    faults: ClassVar = {**FAULTS, **OWN_FAULTS}

    def __post_init__(self) -> None:
        super().__post_init__()
        self.known_acr = dict.fromkeys(self.flavour.levels, ("app",))  # nobody has a choice of methods here
        if self.flavour.signed_requests:  # which go to the authorization endpoint itself
            self.metadata = {"request_parameter_supported": True, "pushed_authorization_request_endpoint": None}

    def opened(self, given: dict[str, str]) -> dict[str, str]:
        """A signed request with nothing but the client's id beside it, where the network wants that (RFC 9101)."""
        if not self.flavour.signed_requests:
            return given
        client = next((one for one in self.clients if one.client_id == given.get("client_id")), None)
        if client is None or set(given) != {"client_id", "request"}:
            raise BadRequest("a signed request is needed, and only client_id beside it")
        try:
            keys = KeySet([JWKRegistry.import_key(key) for key in (client.jwks or {"keys": []})["keys"]])
            claims = jwt.decode(given["request"], keys, algorithms=["RS256", "ES256"]).claims
        except (JoseError, ValueError) as problem:
            raise BadRequest("the request is not signed by the client") from problem
        now = clock.now().timestamp()
        if claims.get("iss") != client.client_id or claims.get("aud") not in (self.issuer, [self.issuer]):
            raise BadRequest("the signed request is not for this broker")
        if not now < claims.get("exp", 0) <= now + 120:
            raise BadRequest("the signed request is too old, or lives too long")
        return {name: str(value) for name, value in claims.items() if name not in ("iss", "aud", "exp", "iat", "jti")}

    def id_token(self, proved: Proved, *, access_token: str, client: Client) -> str:
        """The ID token, with the fault that was asked for; encrypted where that was agreed."""
        claims = about_the_token(proved, issuer=self.issuer, access_token=access_token)
        if self.flavour.personal == "id_token" and proved.fault != "only-in-userinfo":
            claims |= self._personal(proved)
        claims = changed(claims | self._time(proved), proved.fault)
        token = signed(claims, proved.fault, self.keys, secret=client.secret)
        return self._encrypted(token, client, proved.fault) if self.flavour.encrypted else token

    def userinfo(self, proved: Proved, client: Client) -> Response:
        """UserInfo as JSON, or as the network wants it: signed and encrypted."""
        told = {"sub": sub(proved.person, client.client_id), **self._personal(proved), **self._time(proved)}
        if proved.fault == "userinfo-other-sub":
            told["sub"] = "somebody-else"
        if proved.fault == "userinfo-contradicts":
            told |= dict.fromkeys(self.flavour.level_claims, self.flavour.lower)
        told = {name: value for name, value in told.items() if value is not None}
        if not self.flavour.encrypted:
            return jsonify(told)
        token = signed({**told, "iss": self.issuer, "aud": client.client_id}, None, self.keys, secret="")
        return Response(self._encrypted(token, client, None), content_type="application/jwt")

    def _personal(self, proved: Proved) -> Claims:
        flavour, fault = self.flavour, proved.fault
        person = proved.person
        if fault == "other-person":
            person = next(one for one in self.people if one.number != person.number)
        level = {"no-level": None, "unknown-level": "the-best", "lower-level": flavour.lower}.get(
            fault or "", flavour.levels[proved.acr]
        )
        about = flavour.person(person)
        if fault == "no-person":
            about = {name: about[name] for name in names(person) if name in about}
        other = ["MinID"] if isinstance(flavour.eid_value, list) else "another"
        eid = {"no-eid": None, "other-eid": other}.get(fault or "", flavour.eid_value)
        return {**about, flavour.eid_claim: eid, **dict.fromkeys(flavour.level_claims, level)}

    def _time(self, proved: Proved) -> Claims:
        moment = proved.issued_at - (3600 if proved.fault == "old-proof" else 0)
        if self.flavour.time_claim == "auth_time":
            return {"auth_time": int(moment)}
        instant = clock.instant(moment).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return {self.flavour.time_claim: instant}

    def _encrypted(self, token: str, client: Client, fault: str | None) -> str:
        if fault == "not-encrypted":
            return token
        keys = KeySet([JWKRegistry.import_key(key) for key in (client.jwks or {"keys": []})["keys"]])
        key = next(key for key in keys.keys if key.get("use") == "enc")
        algorithm = "RSA-OAEP" if fault == "refused-jwe-algorithm" else "RSA-OAEP-256"
        header = {"alg": algorithm, "enc": "A256GCM", "kid": key.kid, "cty": "JWT"}
        if fault == "other-jwe-key":
            key = Keys("RS256").rsa
        return jwe.encrypt_compact(header, token.encode(), key, algorithms=[algorithm, "A256GCM"])
