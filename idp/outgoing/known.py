"""Calls to servers that the settings name: trusted roots of their own, time-outs, no redirects, small answers."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import finalize

import httpx

CONNECT_TIMEOUT = 3.0
"""Seconds to reach a server."""

LARGEST_ANSWER = 256 * 1024
"""Bytes; whatever is longer is cut off and refused."""


class Unreachable(Exception):
    """No usable answer: no connection, no trusted certificate, too slow, too long, a redirect."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    content_type: str
    """Lower case, without parameters."""
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body as JSON; a name given twice in one object is refused. Raises ValueError."""
        return json.loads(self.body, object_pairs_hook=_unique)


class Caller:
    """A pool of connections to one provider.

    `trusted` is a file of PEM roots; without it the system's store counts, which is never right for an
    API that pins its roots. `identity` is a PEM file of certificate and key for mutual TLS.
    `timeout` are the seconds an answer may take.
    """

    def __init__(
        self, *, trusted: Path | str | None = None, identity: Path | str | None = None, timeout: float = 10.0
    ) -> None:
        context = ssl.create_default_context(cafile=str(trusted) if trusted else None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if trusted is not None:  # what is pinned may be the server's own certificate, whoever issued it
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if identity is not None:
            context.load_cert_chain(str(identity))
        self._client = httpx.Client(
            verify=context,
            timeout=httpx.Timeout(timeout, connect=CONNECT_TIMEOUT),
            follow_redirects=False,
            trust_env=False,
        )
        finalize(self, self._client.close)  # its connections end with whoever holds it

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, timeout: float | None = None) -> Answer:
        """GET. Raises `Unreachable`."""
        return self._ask("GET", url, headers or {}, None, timeout)

    def post_json(self, url: str, value: object, *, timeout: float | None = None) -> Answer:
        """POST of JSON; the content type has no parameter, since some providers refuse one. Raises `Unreachable`."""
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return self._ask("POST", url, {"Content-Type": "application/json"}, body, timeout)

    def post_form(self, url: str, form: Mapping[str, str], *, headers: Mapping[str, str] | None = None) -> Answer:
        """POST of a form. Raises `Unreachable`."""
        body = str(httpx.QueryParams(dict(form))).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", url, {**kind, **(headers or {})}, body, None)

    def post_bytes(self, url: str, body: bytes, *, content_type: str) -> Answer:
        """POST of anything else. Raises `Unreachable`."""
        return self._ask("POST", url, {"Content-Type": content_type}, body, None)

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeout: float | None
    ) -> Answer:
        patience = httpx.Timeout(timeout, connect=CONNECT_TIMEOUT) if timeout else httpx.USE_CLIENT_DEFAULT
        try:
            with self._client.stream(
                method, url, headers={"Accept": "*/*", **headers}, content=content, timeout=patience
            ) as response:
                if response.is_redirect:
                    raise Unreachable("a redirect, where none may be")
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > LARGEST_ANSWER:
                        raise Unreachable("the answer is too long")
                kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                return Answer(response.status_code, kind, bytes(body))
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as problem:
            raise Unreachable(type(problem).__name__) from problem


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found
