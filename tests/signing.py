"""A provider's first keys, without the wait."""

from __future__ import annotations

from functools import cache
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from idp.services import keys
from idp.signing import rotation


def first_keys() -> None:
    """What `idp setup` makes. An RSA key takes a quarter of a second, so the providers of a process share theirs."""
    with patch.object(rotation, "generate_rsa", _rsa_key):
        keys.first_keys()


@cache
def _rsa_key(*, public_exponent: int, key_size: int) -> RSAPrivateKey:
    return generate_private_key(public_exponent=public_exponent, key_size=key_size)
