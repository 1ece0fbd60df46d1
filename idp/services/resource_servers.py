"""What an API has registered about tokens for it: how they look, and which scopes it takes (RFC 8707 §2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from idp.services import clients
from idp.services.clients import Client


class Mixed(ValueError):
    """One token cannot be for APIs that want it in two forms."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds of a token for some audiences. `scopes` is None where any may be in it."""

    opaque: bool = False
    scopes: frozenset[str] | None = None

    def of(self, scopes: Sequence[str]) -> tuple[str, ...]:
        """Those of the scopes that some audience takes."""
        return tuple(scope for scope in scopes if self.scopes is None or scope in self.scopes)


def policy(audiences: Collection[str], known: Mapping[str, frozenset[str]]) -> Policy:
    """The policies of all the audiences together; one that nobody has registered takes what it gets. Raises `Mixed`.

    `known`: audiences of our own, and the scopes each takes. Where several clients are registered as the same
    audience, each of their words counts.
    """
    servers = {audience: clients.resource_servers(audience) for audience in audiences}
    opaque = {any(_wants_opaque(one) for one in found) for found in servers.values() if found}
    if len(opaque) > 1:
        raise Mixed("tokens for some of these are signed, and for others opaque")
    accepted = [known.get(audience, _accepted(found)) for audience, found in servers.items()]
    limited = [scopes for scopes in accepted if scopes is not None]
    if not limited or len(limited) < len(accepted):
        return Policy(opaque == {True})
    return Policy(opaque == {True}, frozenset().union(*limited))


def _wants_opaque(server: Client) -> bool:
    return server.access_token_format == "opaque"  # noqa: S105 - the name of a form


def _accepted(servers: Sequence[Client]) -> frozenset[str] | None:
    """What every client that is this audience takes; None for no limit."""
    told = [set(one.accepted_scopes.split()) for one in servers if one.accepted_scopes is not None]
    return frozenset(set.intersection(*told)) if told else None
