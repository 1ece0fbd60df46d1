"""Notices of a logout to clients, by the back channel (OpenID Connect Back-Channel Logout 1.0 §2.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Protocol

from idp.delivery.channels.contract import Failed, Sent
from idp.delivery.outbox import Message
from idp.outgoing.guarded import ANSWER_WITHIN, CONNECT_WITHIN
from idp.outgoing.known import Answer, Unreachable

TRY_AGAIN = (408, 425, 429)
"""4xx answers that speak of now and not of the notice."""

LEFT_ALONE = 20.0
"""Seconds in which a client that could not be reached is not tried again: others wait in the same queue."""

Token = Callable[[str, Mapping[str, str]], tuple[str, str] | None]
"""From a client's id and what the notice is about, where it goes and the logout token. None: nowhere any more."""


class Post(Protocol):
    """The guarded way out."""

    def post_form(self, url: str, form: Mapping[str, str]) -> Answer:
        """POST of a form. Raises `Unreachable`."""


class BackChannelLogout:
    """One POST to one client. The token is made anew for each try, since it lives two minutes."""

    waits = False
    longest = ANSWER_WITHIN + CONNECT_WITHIN + 1.0

    def __init__(self, token: Token, out: Post) -> None:
        self._token = token
        self._out = out
        self._failed_at: dict[str, float] = {}

    def send(self, message: Message, *, message_id: str) -> Sent | Failed:
        """Tell one client. A failure is that client's, and says nothing of the others."""
        if monotonic() - self._failed_at.get(message.to, -LEFT_ALONE) < LEFT_ALONE:
            return Failed(permanent=False, reason="it has just failed", of_channel=False)
        made = self._token(message.to, message.values)
        if made is None:
            return Failed(permanent=True, reason="the client has no address for it any more", of_channel=False)
        uri, token = made
        try:
            status = self._out.post_form(uri, {"logout_token": token}).status
        except Unreachable as problem:
            self._failed_at[message.to] = monotonic()
            return Failed(permanent=False, reason=f"unreachable: {problem}", of_channel=False)
        if 200 <= status < 300:
            return Sent()
        permanent = 400 <= status < 500 and status not in TRY_AGAIN
        return Failed(permanent=permanent, reason=f"the client said {status}", of_channel=False)
