"""Compact JWS: signing with a header made once, and checking without trusting the header (SR-92)."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

Key = RSAKey | ECKey | OKPKey

LONGEST = 16 * 1024
"""Characters of the longest token that is looked at (SR-92)."""

ED25519 = ("EdDSA", "Ed25519")
"""One algorithm, two names: RFC 8037 says EdDSA, RFC 9864 Ed25519."""

ALGORITHMS = ("ES256", "RS256", "PS256", *ED25519)
"""Signature algorithms we use and accept. None of them is `none`, none a MAC (SR-91)."""

MACS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
"""MACs that a client may prove itself with by a secret of its own, and the hash of each. Nothing of ours has one."""

_REFUSED = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip"})
"""Header members that would let the token say how to trust it, or that nothing here understands."""

_OF_A_KEY = ("kty", "crv", "x", "y", "n", "e")
"""The members that make a public key; the others only talk about it."""

_MODELS = {name: JWSRegistry.algorithms["EdDSA" if name in ED25519 else name] for name in ALGORITHMS}


class Untrusted(ValueError):
    """The token is not what it should be. The message is for logs, never for callers."""


class NoSuchKey(Untrusted):
    """No key of the set fits."""


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key, the name it goes by, and the algorithms it may be used with."""

    kid: str | None
    algorithms: tuple[str, ...]
    key: Key


def header(*, algorithm: str, kid: str, typ: str) -> bytes:
    """The encoded protected header, with its dot: made once per key and type."""
    return _encoded(orjson.dumps({"alg": algorithm, "kid": kid, "typ": typ})) + b"."


def signed(ready_header: bytes, claims: Mapping[str, Any], *, key: Key, algorithm: str) -> str:
    """The compact JWS of the claims."""
    content = ready_header + _encoded(orjson.dumps(claims))
    return (content + b"." + _encoded(_MODELS[algorithm].sign(content, key))).decode("ascii")


def verify(
    token: str, keys: Sequence[VerifyingKey], *, algorithms: Collection[str], typ: str | tuple[str, ...] | None
) -> dict[str, Any]:
    """The claims of a token signed with one of `keys`. Raises `Untrusted`.

    :param algorithms: the only ones taken, whatever the header says
    :param typ: the type that the header must name, or those it may ("" for none at all); None to leave that open
    """
    parts, said = _parts(token)
    types = (typ,) if isinstance(typ, str) else typ
    algorithm = _checked_header(said, {*algorithms} & _MODELS.keys(), types, refused=_REFUSED)
    chosen = _chosen(keys, said.get("kid"), algorithm)
    if not _fits(chosen, algorithm, parts):
        raise Untrusted("signature does not match")
    return strict_object(_decoded(parts[1]))


def verify_mac(token: str, secret: str, *, algorithms: Collection[str]) -> dict[str, Any]:
    """The claims of a token with a MAC by this secret. Raises `Untrusted`.

    Apart from `verify`, so that no public key is ever taken for a secret, nor the other way round (RFC 8725 §3.1).
    """
    parts, said = _parts(token)
    algorithm = _checked_header(said, {*algorithms} & MACS.keys(), None, refused=_REFUSED)
    made = hmac.digest(secret.encode(), parts[0] + b"." + parts[1], MACS[algorithm])
    if not hmac.compare_digest(made, _decoded(parts[2])):
        raise Untrusted("MAC does not match")
    return strict_object(_decoded(parts[1]))


def verify_possession(token: str, *, algorithms: Collection[str], typ: str) -> tuple[dict[str, Any], str]:
    """The claims of a token signed with the key that its header holds, and that key's thumbprint (RFC 7638).

    It shows that the sender has the key, and nothing else. Raises `Untrusted`.
    """
    parts, said = _parts(token)
    algorithm = _checked_header(said, {*algorithms} & _MODELS.keys(), (typ,), refused=_REFUSED - {"jwk"})
    try:
        chosen = _public_key(0, said.get("jwk"))
    except ValueError as problem:
        raise Untrusted("jwk is no public key that may be used") from problem
    if algorithm not in chosen.algorithms or not _fits(chosen, algorithm, parts):
        raise Untrusted("signature does not match")
    return strict_object(_decoded(parts[1])), chosen.key.thumbprint()


def public_keys(jwks: Mapping[str, Any]) -> tuple[VerifyingKey, ...]:
    """The signature keys of a JWK set, if any. Raises ValueError, saying which key is wrong and why."""
    listed = jwks.get("keys")
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
        raise ValueError("`keys` must be a list with at least one key (RFC 7517 §5)")
    for place, jwk in enumerate(listed):
        _check_public(place, jwk)
    found = [_public_key(place, jwk) for place, jwk in enumerate(listed) if _is_for_signatures(jwk)]
    names = [key.kid for key in found]
    if len(set(names)) != len(names):
        raise ValueError("two keys have the same `kid`, or none")
    return tuple(found)


def usable_keys(jwks: Mapping[str, Any]) -> tuple[VerifyingKey, ...]:
    """The signature keys of a set that we can use; the others are passed over (RFC 7517 §5)."""
    found = []
    for place, jwk in enumerate(jwks.get("keys", ())):
        if _is_for_signatures(jwk):
            with suppress(ValueError):
                found.append(_public_key(place, jwk))
    return tuple(found)


def _parts(token: str) -> tuple[list[bytes], dict[str, Any]]:
    """The three parts as they came, and the header."""
    if len(token) > LONGEST:
        raise Untrusted("too long")
    parts = token.encode("utf-8", "replace").split(b".")
    if len(parts) != 3:
        raise Untrusted("not a compact JWS")
    return parts, strict_object(_decoded(parts[0]))


def _checked_header(
    said: Mapping[str, Any], algorithms: Collection[str], types: tuple[str, ...] | None, *, refused: Collection[str]
) -> str:
    """The algorithm, once nothing else in the header is in the way."""
    algorithm = said.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise Untrusted("algorithm is not allowed")
    if any(member in refused for member in said):
        raise Untrusted("header has a member that is refused")
    if types is not None and _media_type(said.get("typ", "")) not in {name.lower() for name in types}:
        raise Untrusted("of another type")
    return algorithm


def _is_for_signatures(jwk: object) -> bool:
    if not isinstance(jwk, Mapping):
        return True  # and refused for what it is
    operations = jwk.get("key_ops", ["verify"])
    return jwk.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations


def _check_public(place: int, jwk: object) -> Mapping[str, Any]:
    """Whatever a key is for: nobody's secret is kept here."""
    if not isinstance(jwk, Mapping):
        raise ValueError(f"keys[{place}] is not an object")  # noqa: TRY004 - what was given is bad, not the call
    if jwk.get("kty") == "oct" or not {"d", "k", "p", "q"}.isdisjoint(jwk):
        raise ValueError(f"keys[{place}] holds a secret: only public keys belong here")
    return jwk


def _public_key(place: int, given: object) -> VerifyingKey:
    jwk = _check_public(place, given)
    kid = jwk.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise ValueError(f"keys[{place}].kid is not text")
    try:
        key, algorithms = _imported({name: jwk[name] for name in _OF_A_KEY if name in jwk})
    except (JoseError, ValueError, TypeError, KeyError) as problem:
        raise ValueError(f"keys[{place}] cannot be used: {problem}") from None
    alg = jwk.get("alg")
    if alg is not None and alg not in algorithms:
        raise ValueError(f"keys[{place}].alg must be one of {', '.join(algorithms)}")
    if alg is not None and alg not in ED25519:
        algorithms = (alg,)
    return VerifyingKey(kid, algorithms, key)


def _imported(jwk: dict[str, Any]) -> tuple[Key, tuple[str, ...]]:
    match jwk.get("kty"):
        case "EC":
            curve = ECKey.import_key(jwk)
            if curve.curve_name != "P-256":
                raise ValueError("the curve must be P-256")
            return curve, ("ES256",)
        case "RSA":
            rsa = RSAKey.import_key(jwk)
            if rsa.raw_value.key_size < 2048:
                raise ValueError("an RSA key has at least 2048 bits")
            return rsa, ("RS256", "PS256")
        case "OKP":
            edwards = OKPKey.import_key(jwk)
            if edwards.curve_name != "Ed25519":
                raise ValueError("the curve must be Ed25519")
            return edwards, ED25519
        case _:
            raise ValueError("kty must be EC, RSA or OKP")


def _chosen(keys: Sequence[VerifyingKey], kid: object, algorithm: str) -> VerifyingKey:
    """The key by its name; without a name, the only one that fits. The name is opaque (SR-92)."""
    usable = [key for key in keys if algorithm in key.algorithms and (kid is None or key.kid == kid)]
    if len(usable) != 1:
        raise NoSuchKey("no such key")
    return usable[0]


def _fits(chosen: VerifyingKey, algorithm: str, parts: Sequence[bytes]) -> bool:
    return _MODELS[algorithm].verify(parts[0] + b"." + parts[1], _decoded(parts[2]), chosen.key)


def _media_type(said: object) -> str:
    return said.lower().removeprefix("application/") if isinstance(said, str) else "not text"


def _encoded(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


def _decoded(part: bytes) -> bytes:
    """Base64url without padding, in its one canonical form (RFC 7515 §2)."""
    try:
        raw = urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except ValueError:
        raise Untrusted("not base64url") from None
    if _encoded(raw) != part:
        raise Untrusted("not base64url")
    return raw


def strict_json(raw: bytes) -> Any:
    """JSON in which every name of an object is there once, and every text is whole. Raises `Untrusted`."""
    try:
        found = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
        if b"\\u" in raw:  # an escape may name half of a surrogate pair, which nothing can write (RFC 7493 §2.1)
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Untrusted("not JSON") from None
    return found


def strict_object(raw: bytes) -> dict[str, Any]:
    """A JSON object in which every name is there once (RFC 7515 §4, RFC 7519 §4). Raises `Untrusted`."""
    found = strict_json(raw)
    if not isinstance(found, dict):
        raise Untrusted("not a JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
