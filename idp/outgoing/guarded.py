"""Calls to addresses that clients name: whoever registers one must not reach into our own networks (SR-112).

A name is looked up once, every address it has is looked at, and the connection goes to one of those: what it
would be the next time does not matter.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from time import monotonic
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpcore
import orjson

from idp.outgoing.known import LARGEST_ANSWER, Answer, Unreachable

CONNECT_WITHIN = 3.0
"""Seconds to reach a server."""

ANSWER_WITHIN = 5.0
"""Seconds from the first packet to the last."""

FORM = "application/x-www-form-urlencoded"
ODD = tuple(ip_network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "192.0.0.0/24"))
"""Not the wide world, whatever this Python's tables say: translated addresses, and protocols' own."""

Network = IPv4Network | IPv6Network


class _Deadline(httpcore.NetworkStream):
    """A stream that ends at an instant, however often it says a little."""

    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self._stream = stream
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Deadline(
            self._stream.start_tls(ssl_context, server_hostname, self._left(httpcore.ConnectTimeout)), self._until
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def _left(self, late: type[Exception]) -> float:
        left = self._until - monotonic()
        if left <= 0:
            raise late
        return left


class _Backend(httpcore.NetworkBackend):
    """Connects to addresses that may be reached, and to no other."""

    def __init__(self, may_reach: Callable[[str], bool], until: float) -> None:
        self._may_reach = may_reach
        self._until = until

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as problem:
            raise httpcore.ConnectError("the name is not known") from problem
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses or not all(self._may_reach(address) for address in addresses):
            raise httpcore.ConnectError("an address that must not be reached")
        until = monotonic() + (timeout or CONNECT_WITHIN)
        for address in dict.fromkeys(addresses):  # one of them may be of a family that leads nowhere from here
            try:
                left = max(0.1, until - monotonic())
                stream = httpcore.SyncBackend().connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
            return _Deadline(stream, self._until)
        raise httpcore.ConnectError("none of the addresses answers")


class Guarded:
    """The one way to addresses that clients name.

    `allowed` are networks of ours that clients may live in, all the same. `loopback`: this machine may be
    reached, and without TLS (the demo). `trusted` is a PEM file of further roots.
    """

    def __init__(self, *, allowed: Iterable[str] = (), loopback: bool = False, trusted: str | None = None) -> None:
        own = ("127.0.0.0/8", "::1/128") if loopback else ()
        self._allowed: tuple[Network, ...] = tuple(ip_network(network) for network in (*allowed, *own))
        self._plain = loopback
        self._context = ssl.create_default_context()
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        if trusted is not None:
            self._context.load_verify_locations(cafile=trusted)

    def get(self, url: str) -> Answer:
        """GET. Raises `Unreachable`, without a word of what the server said."""
        return self._ask("GET", url, {}, None)

    def post_form(self, url: str, form: Mapping[str, str]) -> Answer:
        """POST of a form. Raises `Unreachable`."""
        return self._ask("POST", url, {"Content-Type": FORM}, urlencode(form).encode())

    def post_json(self, url: str, told: Mapping[str, Any], *, bearer: str) -> Answer:
        """POST of a JSON object, with a bearer token. Raises `Unreachable`."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {bearer}"}
        return self._ask("POST", url, headers, orjson.dumps(told))

    def may_reach(self, address: str) -> bool:
        """Whether an IP address is one of the wide world, or of a network that was allowed."""
        found = ip_address(address.partition("%")[0])
        if isinstance(found, IPv6Address):
            found = found.ipv4_mapped or found.sixtofour or found
        if any(found in network for network in self._allowed):
            return True
        return found.is_global and not found.is_multicast and not any(found in network for network in ODD)

    def _ask(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (self._plain and parts.scheme == "http"):
            raise Unreachable("not https")
        sent = {"Host": parts.netloc, "Accept": "*/*", "Accept-Encoding": "identity", **headers}
        patience = {"connect": CONNECT_WITHIN, "read": ANSWER_WITHIN, "write": ANSWER_WITHIN, "pool": CONNECT_WITHIN}
        asked: dict[str, Any] = {"headers": sent, "content": content, "extensions": {"timeout": patience}}
        with _told_as_unreachable(), self._pool() as pool, pool.stream(method, url, **asked) as response:
            if 300 <= response.status < 400:
                raise Unreachable("a redirect, where none may be")
            body = _bounded(response.iter_stream())
            said = {name.lower(): value for name, value in response.headers}
            kind = said.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
            return Answer(response.status, kind, body)

    def _pool(self) -> httpcore.ConnectionPool:
        """One connection for one call: the next may be to anybody."""
        backend = _Backend(self.may_reach, monotonic() + ANSWER_WITHIN)
        return httpcore.ConnectionPool(self._context, max_connections=1, network_backend=backend)


def _bounded(chunks: Iterator[bytes]) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise Unreachable("the answer is too long")
    return bytes(body)


@contextmanager
def _told_as_unreachable() -> Iterator[None]:
    failures = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.UnsupportedProtocol)
    try:
        yield
    except (*failures, ssl.SSLError, OSError, ValueError) as problem:
        raise Unreachable(type(problem).__name__) from problem
