"""What trusted proxies say of a request: whose address it has (SR-27), and which certificate (RFC 8705)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


class TrustedProxies:
    """Puts the client's address in REMOTE_ADDR when the peer is a listed proxy; believes nobody else.

    A header that is missing, too short or unparsable changes nothing: the peer's own address stands. A certificate
    in the header `certificate` is put where `found_at` says, as DER; from anybody else the header is thrown away.
    """

    def __init__(
        self,
        application: WSGIApplication,
        networks: Iterable[str],
        hops: int,
        *,
        certificate: str | None = None,
        found_at: str = "",
    ) -> None:
        self._application = application
        self._networks = tuple(ip_network(network) for network in networks)
        self._hops = hops
        self._certificate = f"HTTP_{certificate.upper().replace('-', '_')}" if certificate else None
        self._found_at = found_at

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve the request with the right address."""
        if self._certificate is not None:
            passed = environ.pop(self._certificate, "")
            if passed and self._trusts(environ.get("REMOTE_ADDR", "")):
                environ[self._found_at] = _der(passed)
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


def _der(passed: str) -> bytes | None:
    """A certificate as nginx passes it (PEM, percent-encoded), or as RFC 9440 §2.1 does (base64 between colons)."""
    try:
        if passed.startswith(":") and passed.endswith(":") and len(passed) > 2:
            return b64decode(passed[1:-1], validate=True)
        lines = unquote(passed).strip().splitlines()
        if len(lines) < 3 or lines[0] != BEGIN or lines[-1] != END:
            return None
        return b64decode("".join(line.strip() for line in lines[1:-1]), validate=True)
    except ValueError:
        return None
