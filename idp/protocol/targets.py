"""For whom an access token is (RFC 8707), and for exactly what (RFC 9396): within what was granted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from idp.protocol.claims import SCOPES
from idp.protocol.details import asked
from idp.protocol.errors import InvalidDetails, InvalidTarget
from idp.protocol.parts import Parts
from idp.protocol.request import Parameters
from idp.rules.authorization_details import Details, at, lacking, locations
from idp.services import resource_servers
from idp.services.clients import Client
from idp.services.resource_servers import Policy

UNLIMITED = Policy()


@dataclass(frozen=True, slots=True)
class Target:
    """The audiences of a token, the details it carries for them, and what they have registered."""

    audiences: tuple[str, ...] = ()
    details: Details = ()
    policy: Policy = UNLIMITED


def aimed(parts: Parts, audiences: tuple[str, ...], granted: Details, now: Details = ()) -> Target:
    """A token for these audiences, with the details granted there, or those of `now`. Raises as `target` does."""
    ours = {parts.issuer: frozenset(SCOPES)}
    try:
        return Target(audiences, narrowed(granted, now, audiences), resource_servers.policy(audiences, ours))
    except resource_servers.Mixed as problem:
        raise InvalidTarget(f"{problem}: ask for one at a time") from problem


def target(
    parts: Parts, client: Client, resources: tuple[str, ...], granted: Details, parameters: Parameters
) -> Target:
    """What is asked for now, of the resources and details that were granted; else all of them.

    Details name their own APIs; where no resource was named either, the token is for those. Raises `InvalidTarget`
    (RFC 8707 §2.2), `InvalidDetails` (RFC 9396 §6).
    """
    now = asked(client, parameters)
    if lacking(now, granted):
        raise InvalidDetails("authorization_details is more than what was granted")
    named = tuple(dict.fromkeys(parameters.resources))
    if set(named) - set((*resources, *locations(granted)) or client.resources):
        raise InvalidTarget("resource is not one that was granted")
    audiences = named or resources or locations(now or granted)
    return aimed(parts, audiences, granted, now)


def narrowed(granted: Details, now: Details, audiences: Collection[str]) -> Details:
    """What of `now`, or of all that was granted, is for these audiences. Raises `InvalidDetails`.

    An API takes a token that has no details for it at its scope alone: whoever leaves out all that was granted
    there would not get less, but more.
    """
    kept = at(now or granted, audiences)
    if set(locations(kept)) != set(locations(at(granted, audiences))):
        raise InvalidDetails("authorization_details leaves out an API that the token is for")
    return kept
