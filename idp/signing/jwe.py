"""Compact JWE: what only one client can read (RFC 7516)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from idp.signing.jws import NoSuchKey

KEY_ALGORITHMS = ("RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW")
"""How the content's key is brought to the client. RSA1_5 is not among them (RFC 8725 §3.2)."""

CONTENT_ALGORITHMS = ("A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM")

_KINDS: dict[str, type[RSAKey | ECKey]] = {"RSA": RSAKey, "EC": ECKey}


def encrypted(content: str, jwks: Mapping[str, Any], *, algorithm: str, encryption: str, kind: str) -> str:
    """The content for the holder of a key of this set. `kind`: its media type, `JWT` for a nested token.

    Raises `NoSuchKey` where no key of the set fits.
    """
    key, kid = _chosen(jwks, algorithm)
    header = {"alg": algorithm, "enc": encryption, "cty": kind, **({"kid": kid} if kid else {})}
    return jwe.encrypt_compact(header, content.encode(), key, algorithms=[algorithm, encryption])


def _chosen(jwks: Mapping[str, Any], algorithm: str) -> tuple[RSAKey | ECKey, str | None]:
    """The first key that fits; one that says it is for encryption comes before one that says nothing."""
    wanted = "RSA" if algorithm.startswith("RSA") else "EC"
    fitting = [
        jwk
        for jwk in jwks.get("keys", ())
        if isinstance(jwk, Mapping)
        and (jwk.get("kty"), jwk.get("alg", algorithm)) == (wanted, algorithm)
        and jwk.get("use", "enc") == "enc"
    ]
    for jwk in sorted(fitting, key=lambda jwk: "use" not in jwk):
        try:
            return _KINDS[wanted].import_key({name: jwk[name] for name in jwk if name in _OF_A_KEY}), jwk.get("kid")
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    raise NoSuchKey("no key to encrypt with")


_OF_A_KEY = ("kty", "crv", "x", "y", "n", "e")
