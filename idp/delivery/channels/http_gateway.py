"""Text messages and calls through a gateway that takes JSON over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import httpx

from idp.delivery.channels.contract import Failed, Sent
from idp.delivery.outbox import Message
from idp.delivery.wording import Wording
from idp.settings import Gateway

TRY_AGAIN = (408, 425, 429)
"""4xx answers that speak of now and not of the message."""


@dataclass(frozen=True, slots=True)
class HttpGateway:
    """POST `{"channel", "to", "text", "language", "id"}`; any 2xx means taken. `kind` is `sms` or `call`."""

    kind: str
    settings: Gateway
    wording: Wording

    def send(self, message: Message, *, message_id: str) -> Sent | Failed:
        """Hand the message to the gateway. `id` is the same at every try, so that it is sent once."""
        words = self.wording.sms(message) if self.kind == "sms" else self.wording.call(message)
        body = {"channel": self.kind, "to": message.to, "text": words, "language": message.locale, "id": message_id}
        try:
            answer = httpx.post(
                self.settings.url,
                json=body,
                headers=self._authorization(),
                timeout=self.settings.timeout,
                follow_redirects=False,
                trust_env=False,
            )
        except httpx.HTTPError as problem:
            return Failed(permanent=False, reason=type(problem).__name__)
        if answer.is_success:
            return Sent()
        permanent = answer.is_client_error and answer.status_code not in TRY_AGAIN
        return Failed(permanent=permanent, reason=f"gateway said {answer.status_code}")

    def _authorization(self) -> dict[str, str]:
        if self.settings.token_file is None:
            return {}
        return {"Authorization": f"Bearer {Path(self.settings.token_file).read_text('utf-8').strip()}"}
