"""Is this deployment fit to serve? What `idp check` says, and what `idp serve` refuses to start with (SR-115)."""

from __future__ import annotations

from idp.configuration import Problem
from idp.rules import client_checks
from idp.services import clients
from idp.settings import Settings
from idp.signing import jws
from idp.stores import Unavailable
from idp.stores.durable import keys, schema
from idp.stores.shortlived.opening import open_store


def of_stores(settings: Settings) -> list[Problem]:
    """What is wrong in the stores: unreachable, behind, without keys. Nothing when all is well."""
    return [*_durable(settings), *_shortlived(settings)]


def ping() -> None:
    """Ask the database something small. Raises `Unavailable`."""
    keys.version()


def _durable(settings: Settings) -> list[Problem]:
    try:
        return _schema() or _signing_keys()
    except Unavailable:
        return [Problem("database.url", f"the database at {_place(settings.database.url)} does not answer")]


def _shortlived(settings: Settings) -> list[Problem]:
    try:
        open_store(settings.shortlived).get("readiness")
    except Unavailable:
        return [Problem("shortlived.url", f"the store at {_place(settings.shortlived.url)} does not answer")]
    return []


def _place(url: str) -> str:
    """A store's address without user name and password (SR-120)."""
    return url.rpartition("@")[2]


def _schema() -> list[Problem]:
    stands, wanted = schema.current(), schema.newest()
    if stands is None:
        return [Problem("database", "has no tables yet: `idp setup` makes them")]
    if not schema.is_behind():  # one that is ahead belongs to a release being rolled out beside this one
        return []
    return [Problem("database", f"stands at migration {stands}, this release needs {wanted}: `idp db upgrade`")]


def _signing_keys() -> list[Problem]:
    active = keys.signing_algorithms()
    if not active:
        return [Problem("keys", "there is no signing key: `idp setup` makes the first")]
    found = []
    for client in clients.everyone():
        for wanted in {client.id_token_signed_response_alg, client.authorization_signed_response_alg} - {None}:
            stored = "EdDSA" if wanted in jws.ED25519 else wanted
            if client_checks.of_people(client.grant_types) and stored not in active:
                words = f"client {client.client_id} wants {wanted}: `idp key add --algorithm {stored}` makes one"
                found.append(Problem("keys", words))
    return found
