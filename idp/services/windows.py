"""Windows of the short-lived store in which things are counted: who is counted together, and when one is full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from idp import clock
from idp.rules.limits import Allowed, Decision, within
from idp.stores.shortlived.contract import ShortLived

MINUTE, HOUR, DAY = 60, 3600, 24 * 3600
WIDER = 10
"""A wide network (IPv6 /48) may do so many times what one of its networks may."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: its address, the network that usually is one household, and a wide one.

    IPv4: address, /24, nothing wider. IPv6: address, /64, /48 (SR-26).
    """

    address: str
    network: str
    wide: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """One count: what is counted, how often it may be, in how many seconds."""

    key: str
    limit: int
    seconds: int


def origin_of(address: str) -> Origin:
    """The origin of an IP address as the listening socket or a trusted proxy gave it (SR-27).

    Text that is no address is counted together, as one place: it never gets a counter of its own.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return Origin("unknown", "unknown")
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if isinstance(parsed, IPv4Address):
        return Origin(str(parsed), _network(parsed, 24))
    return Origin(str(parsed), _network(parsed, 64), _network(parsed, 48))


def places(what: str, origin: Origin, per_address: int, per_network: int, seconds: int) -> Iterator[Window]:
    """The windows of an origin, narrowest first."""
    yield Window(f"{what}:address:{origin.address}", per_address, seconds)
    yield Window(f"{what}:network:{origin.network}", per_network, seconds)
    if origin.wide:
        yield Window(f"{what}:network:{origin.wide}", per_network * WIDER, seconds)


def first_refusal(store: ShortLived, windows: Iterable[Window]) -> Decision:
    """Count in each window in turn and stop at the first that is full."""
    for window in windows:
        count, left = in_window(store, window, by=1)
        decision = within(count, window.limit, left=left)
        if not isinstance(decision, Allowed):
            return decision
    return Allowed()


def in_window(store: ShortLived, window: Window, *, by: int) -> tuple[int, int]:
    """The count, and the seconds until its window ends. Windows are cut by our clock, so that the end is known."""
    at = clock.timestamp()
    key = f"{window.key}:{window.seconds}:{at // window.seconds}"
    return store.count(key, window=window.seconds, by=by), window.seconds - at % window.seconds


def _network(address: IPv4Address | IPv6Address, bits: int) -> str:
    return str(ip_network((address, bits), strict=False))
