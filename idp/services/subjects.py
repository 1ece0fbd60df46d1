"""Subject identifiers: what a client knows a person by (OpenID Connect Core §8).

`public` is the account's id. A `pairwise` one differs from sector to sector, and only we can tell whose it is:
it is the account's id, encrypted for the sector so that the same always gives the same (§8.1).
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from idp.rules.client_metadata import Client
from idp.services import clients
from idp.stores.durable.sealing import vault


def subject(client: Client, account_id: str) -> str:
    """What this client knows the account as."""
    if client.sector is None:
        return account_id
    return urlsafe_b64encode(_cipher(client.sector).encrypt(account_id.encode(), None)).rstrip(b"=").decode()


def known_as(client_id: str, account_id: str) -> str:
    """What the client of this id knows the account as; one that is gone knew it by its own id."""
    client = clients.find(client_id)
    return subject(client, account_id) if client else account_id


def account_of(client: Client, known_as: str) -> str:
    """The id of the account that the client knows so; what is no subject of its sector is nobody's."""
    if client.sector is None:
        return known_as
    try:
        sealed = urlsafe_b64decode(known_as + "=" * (-len(known_as) % 4))
        return _cipher(client.sector).decrypt(sealed, None).decode()
    except (InvalidTag, ValueError):
        return known_as


def _cipher(sector: str) -> AESSIV:
    return AESSIV(vault().index(sector, purpose="pairwise subjects"))
