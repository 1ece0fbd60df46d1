"""Whose address a request has: the peer's, or what trusted proxies say of it (SR-27)."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class TrustedProxies:
    """Puts the client's address in REMOTE_ADDR when the peer is a listed proxy; believes nobody else.

    A header that is missing, too short or unparsable changes nothing: the peer's own address stands.
    """

    def __init__(self, application: WSGIApplication, networks: Iterable[str], hops: int) -> None:
        self._application = application
        self._networks = tuple(ip_network(network) for network in networks)
        self._hops = hops

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve the request with the right address."""
        forwarded = self._forwarded(environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", ""))
        if forwarded is not None:
            environ["REMOTE_ADDR"] = forwarded
        return self._application(environ, start_response)

    def _forwarded(self, peer: str, header: str) -> str | None:
        if not header or not self._trusts(peer):
            return None
        hops = [part.strip() for part in header.split(",")]
        if len(hops) < self._hops:
            return None
        for nearer in hops[len(hops) - self._hops + 1 :]:
            if not self._trusts(nearer):
                return None
        try:
            return str(ip_address(hops[-self._hops]))
        except ValueError:
            return None

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)
