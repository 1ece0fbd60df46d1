"""The life of a signing key: published, then active, then retired (SR-100).

A relying party may keep our key set for a while, so a key is published a day before it signs and
stays a day longer than anything it signed.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey, OKPKey, RSAKey

PUBLISH_BEFORE = timedelta(hours=24)
"""How long a key is published before it signs, except the first of its algorithm."""

KEEP_AFTER = timedelta(hours=24)
"""How long a retired key stays published after the last thing it signed has expired."""

RSA_BITS = 3072
"""Bits of our RSA keys (SR-91)."""

KINDS = ("ES256", "RS256", "PS256", "EdDSA")
"""Algorithms a key can be made for: one key serves one algorithm."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: its name, its JWK as JSON, its private part as PKCS #8 in base64."""

    kid: str
    public: str
    private: str = field(repr=False)


def make(algorithm: str) -> NewKey:
    """Make a key for one of `KINDS`."""
    kid = secrets.token_hex(8)  # never begins with a hyphen, which a command would take for an option
    private: EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey
    match algorithm:
        case "ES256":
            private = generate_ec(SECP256R1())
            jwk = ECKey.import_key(private.public_key()).as_dict()
        case "RS256" | "PS256":
            private = generate_rsa(public_exponent=65537, key_size=RSA_BITS)
            jwk = RSAKey.import_key(private.public_key()).as_dict()
        case "EdDSA":
            private = Ed25519PrivateKey.generate()
            jwk = OKPKey.import_key(private.public_key()).as_dict()
        case _:
            raise ValueError(f"algorithm must be one of {', '.join(KINDS)}")
    named = {**jwk, "kid": kid, "use": "sig"}
    if algorithm != "EdDSA":  # which of its two names a client knows is the client's affair
        named["alg"] = algorithm
    pkcs8 = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return NewKey(kid, orjson.dumps(named).decode(), b64encode(pkcs8).decode("ascii"))


def may_sign_from(published_at: datetime) -> datetime:
    """The instant from which a published key may become the active one."""
    return published_at + PUBLISH_BEFORE


def withdraw_at(retired_at: datetime, *, longest_token_life: timedelta) -> datetime:
    """The instant at which a retired key leaves the published set."""
    return retired_at + longest_token_life + KEEP_AFTER
