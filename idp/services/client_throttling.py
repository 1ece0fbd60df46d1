"""How often clients may ask (SR-33, SR-98), counted in windows of the short-lived store; never skipped."""

from __future__ import annotations

from idp.rules import limits as rules
from idp.rules.limits import Allowed, Decision
from idp.services.clients import Client
from idp.services.windows import HOUR, MINUTE, Origin, Window, first_refusal, in_window, places
from idp.settings import Limits
from idp.stores.durable import audit
from idp.stores.shortlived.contract import ShortLived


def before_introspection(store: ShortLived, limits: Limits, client: Client) -> Decision:
    """May this client ask about a token? Not after too many that were none: it may be trying them out (RFC 7662 §4)."""
    window = _misses(limits, client)
    count, left = in_window(store, window, by=0)
    return _noted(store, client, "introspection", rules.within(count + 1, window.limit, left=left))


def found_nothing(store: ShortLived, limits: Limits, client: Client) -> None:
    """Count one token that was none, or none of this client's business."""
    in_window(store, _misses(limits, client), by=1)


def before_push(store: ShortLived, limits: Limits, client: Client, origin: Origin) -> Decision:
    """May this request be left here? Anybody can be a public client: there the place counts, too (SR-34)."""
    windows = [Window(f"pushed:{client.client_id}", limits.journeys_total_minute, MINUTE)]
    if not client.is_confidential:
        each = limits.journeys_per_address_hour
        windows = [*places("pushed", origin, each, each * 3, HOUR), *windows]
    return _noted(store, client, "pushed requests", first_refusal(store, windows))


def _misses(limits: Limits, client: Client) -> Window:
    return Window(f"introspection-misses:{client.client_id}", limits.introspection_misses_minute, MINUTE)


def _noted(store: ShortLived, client: Client, what: str, decision: Decision) -> Decision:
    if not isinstance(decision, Allowed) and store.claim(f"limited:{what}:{client.client_id}", ttl=MINUTE):
        audit.record("client.limited", client_id=client.client_id, outcome="refused", reason=what)
    return decision
