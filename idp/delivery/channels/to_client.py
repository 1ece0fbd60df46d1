"""What clients are told by a call to an address of theirs: a logout, or that their request was decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic

from idp.delivery.channels.contract import Failed, Sent
from idp.delivery.outbox import Message
from idp.outgoing.guarded import ANSWER_WITHIN, CONNECT_WITHIN
from idp.outgoing.known import Unreachable

TRY_AGAIN = (408, 425, 429)
"""4xx answers that speak of now and not of the notice."""

LEFT_ALONE = 20.0
"""Seconds in which a client that could not be reached is not tried again: others wait in the same queue."""

Tell = Callable[[str, Mapping[str, str]], int | None]
"""Tells a client, by its id, about something; the status it answers. None: it has no address for it any more.

Made anew for each try, by the guarded way out. Raises `Unreachable`.
"""


class ToClient:
    """One POST to one client."""

    waits = False
    longest = ANSWER_WITHIN + CONNECT_WITHIN + 1.0

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._failed_at: dict[str, float] = {}

    def send(self, message: Message, *, message_id: str) -> Sent | Failed:
        """Tell one client. A failure is that client's, and says nothing of the others."""
        if monotonic() - self._failed_at.get(message.to, -LEFT_ALONE) < LEFT_ALONE:
            return Failed(permanent=False, reason="it has just failed", of_channel=False)
        try:
            status = self._tell(message.to, message.values)
        except Unreachable as problem:
            self._failed_at[message.to] = monotonic()
            return Failed(permanent=False, reason=f"unreachable: {problem}", of_channel=False)
        if status is None:
            return Failed(permanent=True, reason="the client has no address for it any more", of_channel=False)
        if 200 <= status < 300:
            return Sent()
        permanent = 400 <= status < 500 and status not in TRY_AGAIN
        return Failed(permanent=permanent, reason=f"the client said {status}", of_channel=False)
