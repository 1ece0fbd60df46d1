"""The worker: send what waits, retry, give up; and the chores that need no request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from threading import Event, Thread
from time import monotonic

from idp import clock
from idp.delivery import outbox as waiting
from idp.delivery.breaker import Breaker
from idp.delivery.channels.contract import Channel, Failed, Sent
from idp.stores import Unavailable
from idp.stores.durable import audit_seals, outbox
from idp.stores.durable.outbox import Claimed

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
"""Longer than any channel's time-out: a worker that holds a message longer is dead."""

RETRY_AFTER = (2, 5, 15, 30, 60, 120)
"""Seconds before the second, third … try; the last one stays until the message is worth nothing."""

LOOK_EVERY = 1.0
"""Seconds between two looks into the outbox when nobody wakes the worker."""

CHORES_EVERY = 60.0
"""Seconds between two rounds of chores."""


class Worker:
    """Empties the outbox. Any number may run, in any number of processes."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        chores: Sequence[Callable[[], None]],
        context: Callable[[], AbstractContextManager[object]],
    ) -> None:
        """`context` gives the application context that the stores need."""
        self._channels = channels
        self._chores = chores
        self._context = context
        self._breakers = {name: Breaker() for name in channels}
        self._stopping = Event()
        self._thread: Thread | None = None
        self._chores_at = 0.0

    def start(self) -> None:
        """Run beside the server, in a thread of this process."""
        self._thread = Thread(target=self.run, name="worker", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Stop after the message in hand; wait so many seconds for that."""
        self._stopping.set()
        waiting.wake()
        if self._thread is not None:
            self._thread.join(timeout)

    def run(self) -> None:
        """Work until `stop`. A store that is down is waited for."""
        while not self._stopping.is_set():
            try:
                with self._context():
                    self.work_once()
                    self._do_chores()
            except Unavailable as problem:
                log.warning("the worker waits: %s is down", problem)
            if not self._stopping.is_set():
                waiting.wait(LOOK_EVERY)

    def work_once(self) -> int:
        """Send all that is due now, and seal the audit trail; how many messages were handled."""
        handled = 0
        while not self._stopping.is_set():
            now = clock.now()
            claimed = outbox.claim(now=now, lease_until=now + LEASE)
            if claimed is None:
                break
            self._handle(claimed)
            handled += 1
        audit_seals.seal_pending()
        return handled

    def channel_is_down(self, channel: str) -> bool:
        """Whether the breaker of a channel is open, in this process."""
        return self._breakers[channel].is_open

    def _handle(self, claimed: Claimed) -> None:
        if claimed.deliver_by <= clock.now():
            outbox.finish(claimed, "failed")
            return
        breaker = self._breakers[claimed.channel]
        if breaker.is_open:
            outcome: Sent | Failed = Failed(permanent=False, reason="breaker is open")
        else:
            message = waiting.read(claimed.payload)
            outcome = self._channels[claimed.channel].send(message, message_id=claimed.id)
        match outcome:
            case Sent():
                breaker.succeeded()
                outbox.finish(claimed, "sent")
            case Failed(permanent=True, reason=reason):
                log.warning("message %s by %s failed: %s", claimed.id, claimed.channel, reason)
                outbox.finish(claimed, "failed")
            case Failed(reason=reason):
                if not breaker.is_open:
                    breaker.failed()
                log.warning("message %s by %s was not taken: %s", claimed.id, claimed.channel, reason)
                seconds = RETRY_AFTER[min(claimed.tries, len(RETRY_AFTER)) - 1]
                outbox.postpone(claimed, due_at=clock.now() + timedelta(seconds=seconds))

    def _do_chores(self) -> None:
        if monotonic() - self._chores_at < CHORES_EVERY:
            return
        self._chores_at = monotonic()
        for chore in self._chores:
            chore()
