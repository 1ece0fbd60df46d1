"""Text messages and calls through a gateway that takes JSON over HTTP."""

from __future__ import annotations

from pathlib import Path
from socket import socket
from typing import Any

import httpx

from idp.delivery.channels.contract import Failed, Sent, trusted
from idp.delivery.channels.deadline import cut_after
from idp.delivery.outbox import Message
from idp.delivery.wording import Wording
from idp.settings import Gateway

TRY_AGAIN = (408, 425, 429)
"""4xx answers that speak of now and not of the message."""

DIGIT_PAUSE = 0.6
"""Seconds between two digits of a call (page spec §12.5)."""

# A connection to one gateway per send: the worker sends one message at a time, and an idle one may have died.
LIMITS = httpx.Limits(max_connections=2, max_keepalive_connections=0)


class HttpGateway:
    """POST `{"channel", "to", "text", "language", "id"}`; any 2xx means taken. `kind` is `sms` or `call`.

    A call has `steps`, too: what to say, when to wait for a key, how long to pause between digits.
    """

    waits = False

    def __init__(self, kind: str, settings: Gateway, wording: Wording) -> None:
        self._kind = kind
        self._settings = settings
        self._wording = wording
        self._client = httpx.Client(
            timeout=settings.timeout, verify=trusted(), limits=LIMITS, follow_redirects=False, trust_env=False
        )

    @property
    def longest(self) -> float:
        """Connecting, asking, and an answer, each within the time-out."""
        return 4.0 * self._settings.timeout

    def send(self, message: Message, *, message_id: str) -> Sent | Failed:
        """Hand the message to the gateway. `id` is the same at every try, so that it is sent once."""
        body = self._body(message) | {"to": message.to, "language": message.locale, "id": message_id}
        try:
            status = self._answer(body)
        except (httpx.HTTPError, OSError) as problem:
            return Failed(permanent=False, reason=type(problem).__name__)
        if httpx.codes.is_success(status):
            return Sent()
        permanent = httpx.codes.is_client_error(status) and status not in TRY_AGAIN
        return Failed(permanent=permanent, reason=f"gateway said {status}")

    def _body(self, message: Message) -> dict[str, object]:
        if self._kind == "sms":
            return {"channel": "sms", "text": self._wording.sms(message)}
        lines = self._wording.call(message)
        steps: list[dict[str, object]] = [
            {"say": lines[0], "wait_for_key": "any"},
            *({"say": line, "pause_between_digits": DIGIT_PAUSE} for line in lines[1:-1]),
            {"say": lines[-1], "repeat_on_key": "1"},
        ]
        return {"channel": "call", "text": "\n".join(lines), "steps": steps}

    def _answer(self, body: dict[str, object]) -> int:
        """The status of a whole answer. Raises httpx.HTTPError or OSError when there is none in time."""
        sockets: list[socket] = []

        def follow(event: str, info: dict[str, Any]) -> None:
            if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
                sockets.append(info["return_value"].get_extra_info("socket"))

        with cut_after(self._settings.timeout, lambda: sockets[-1] if sockets else None):
            return self._client.post(
                self._settings.url, json=body, headers=self._authorization(), extensions={"trace": follow}
            ).status_code

    def _authorization(self) -> dict[str, str]:
        if self._settings.token_file is None:
            return {}
        return {"Authorization": f"Bearer {Path(self._settings.token_file).read_text('utf-8').strip()}"}
