"""Redirect URIs: compared byte for byte, with the one exception for native apps on loopback."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

LOOPBACK = re.compile(r"http://(?:127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?(?=[/?]|$)")
"""Address literals only: `localhost` may be resolved by somebody else (RFC 8252 §8.3)."""

FORBIDDEN = ' \\*<>"`^{|}'

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")


def matches(registered: Collection[str], given: str, *, native: bool) -> bool:
    """Whether `given` is registered, byte for byte; a native app may vary the loopback port (SR-68)."""
    if given in registered:
        return True
    if not native or not LOOPBACK.match(given):
        return False
    return any(_portless(uri) == _portless(given) for uri in registered if LOOPBACK.match(uri))


def problem(uri: str, *, native: bool, loopback_issuer: bool = False) -> str | None:
    """Why this URI cannot be registered, in words; None when it can (SR-111).

    Plain http is for native apps on loopback, and for anybody while the issuer itself is on loopback http.
    """
    if not uri.isascii() or not uri.isprintable() or any(character in uri for character in FORBIDDEN):
        return "has a space, a backslash, a wildcard or another character that no URI has"
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URI"
    if "#" in uri:
        return "must not have a fragment"
    if "@" in parts.netloc:
        return "must not have user information"
    if parts.scheme == "https" and host and uri.startswith("https://"):
        return None
    return _plain_http_problem(uri, host, native=native, loopback_issuer=loopback_issuer)


def _plain_http_problem(uri: str, host: str | None, *, native: bool, loopback_issuer: bool) -> str | None:
    if host not in LOOPBACK_HOSTS or not uri.startswith("http://"):
        return "must be an absolute https URI"
    if loopback_issuer or (native and LOOPBACK.match(uri)):
        return None
    return "may be plain http only for a native app, on http://127.0.0.1 or http://[::1]"


def _portless(uri: str) -> str:
    found = LOOPBACK.match(uri)
    return "" if found is None else re.sub(r":[0-9]{1,5}$", "", found[0]) + uri[found.end() :]
