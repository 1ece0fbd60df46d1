"""The worker: send what waits, retry, give up; and the chores that need no request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from traceback import extract_tb
from typing import assert_never

from idp import clock
from idp.delivery import outbox as waiting
from idp.delivery.breaker import Breaker
from idp.delivery.channels.contract import Channel, Failed, Sent
from idp.stores import Unavailable
from idp.stores.durable import audit_seals, outbox
from idp.stores.durable.outbox import Claimed
from idp.stores.shortlived.contract import ShortLived

log = logging.getLogger(__name__)

LEASE_MARGIN = 10.0
"""Seconds a message is held beyond the longest send: a worker that holds it longer is dead."""

RETRY_AFTER = (2, 5, 15, 30, 60, 120)
"""Seconds before the second, third … try; the last one stays until the message is worth nothing."""

LOOK_EVERY = 1.0
"""Seconds between two looks into the outbox when nobody wakes the worker."""

CHORES_EVERY = 60.0
"""Seconds between two rounds of chores."""

PATIENT = timedelta(hours=1)
"""What is worth telling for longer than that has nobody waiting for it in front of a page: no code lives so long."""


class Worker:
    """Empties the outbox, each channel in a thread of its own. Any number may run, in any number of processes."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        chores: Sequence[Callable[[], object]],
        context: Callable[[], AbstractContextManager[object]],
        *,
        store: ShortLived | None = None,
    ) -> None:
        """`context` gives the application context that the stores need; through `store` workers share breakers."""
        self._channels = channels
        self._chores = tuple(chores)
        self._context = context
        self._breakers = {name: Breaker(name, store) for name in channels}
        self._stopping = Event()
        self._thread: Thread | None = None
        self._chores_at: float | None = None

    def start(self) -> None:
        """Run beside the server, in threads of this process."""
        self._thread = Thread(target=self.run, name="worker", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Stop after the messages in hand; wait so many seconds for that. What is cut short is sent again later."""
        self._stopping.set()
        waiting.wake()
        if self._thread is not None:
            self._thread.join(timeout)

    def run(self) -> None:
        """Work until `stop`. A store that is down is waited for."""
        # A mail server that hangs must not keep text messages waiting.
        lanes = [
            Thread(target=self._repeat, args=[lambda name=name: self._empty(name)], name=f"worker-{name}", daemon=True)
            for name in self._channels
        ]
        for lane in lanes:
            lane.start()
        self._repeat(self._keep_house)
        for lane in lanes:
            lane.join(2.0 / len(lanes))

    def work_once(self) -> int:
        """Send all that is due now, give up what is late, and seal the audit trail; how many messages were handled.

        Raises `Unavailable`.
        """
        handled = sum(self._empty(name) for name in self._channels)
        outbox.expire(now=clock.now())
        audit_seals.seal_pending()
        return handled

    def do_chores(self) -> None:
        """Delete what has had its time, and all else that needs no request. Raises `Unavailable`."""
        for chore in self._chores:
            chore()

    def channel_is_down(self, channel: str) -> bool:
        """Whether the breaker of a channel is open, as far as this process knows."""
        return self._breakers[channel].is_open

    def _repeat(self, work: Callable[[], object]) -> None:
        while not self._stopping.is_set():
            heard = waiting.bell.rings
            try:
                with self._context():
                    work()
            except Unavailable as problem:
                log.warning("the worker waits: %s is down", problem)
            except Exception as problem:  # noqa: BLE001 - a worker that dies of one fault would send nothing more
                log.error("the worker goes on after %s", _told(problem))  # noqa: TRY400 - a trace may hold an address
            if not self._stopping.is_set():
                waiting.bell.wait(heard, seconds=LOOK_EVERY)

    def _empty(self, name: str) -> int:
        """Send what is due on one channel; how many messages were handled."""
        channel, handled = self._channels[name], 0
        while not self._stopping.is_set() and not (channel.waits and self._breakers[name].is_open):
            now = clock.now()
            lease = timedelta(seconds=channel.longest + LEASE_MARGIN)
            claimed = outbox.claim(name, now=now, lease_until=now + lease)
            if claimed is None:
                break
            self._handle(claimed)
            handled += 1
        return handled

    def _handle(self, claimed: Claimed) -> None:
        breaker = self._breakers[claimed.channel]
        if breaker.is_open:
            self._try_again_or_give_up(claimed)
            return
        outcome = self._sent(claimed)
        match outcome:
            case Sent():
                breaker.succeeded()
                outbox.finish(claimed, "sent")
            case Failed(permanent=True, reason=reason):
                log.warning("message %s by %s failed: %s", claimed.id, claimed.channel, reason)
                outbox.finish(claimed, "failed")
            case Failed(reason=reason, of_channel=of_channel):
                if of_channel:
                    breaker.failed()
                log.warning("message %s by %s was not taken: %s", claimed.id, claimed.channel, reason)
                self._try_again_or_give_up(claimed)
            case _:
                assert_never(outcome)

    def _sent(self, claimed: Claimed) -> Sent | Failed:
        try:
            message = waiting.read(claimed.payload())
            return self._channels[claimed.channel].send(message, message_id=claimed.id)
        except Unavailable:
            raise
        except Exception as problem:  # noqa: BLE001 - one message that cannot be read or written stops no other
            return Failed(permanent=True, reason=_told(problem))

    def _try_again_or_give_up(self, claimed: Claimed) -> None:
        now = clock.now()
        due_at = now + timedelta(seconds=RETRY_AFTER[min(claimed.tries, len(RETRY_AFTER)) - 1])
        patient = self._channels[claimed.channel].waits or claimed.deliver_by - now > PATIENT
        # A code that somebody waits for fails at once, so that the page can offer another way (section Q).
        hopeless = self._breakers[claimed.channel].is_open and not patient
        if hopeless or due_at >= claimed.deliver_by:
            outbox.finish(claimed, "failed")
        else:
            outbox.postpone(claimed, due_at=due_at)

    def _keep_house(self) -> None:
        outbox.expire(now=clock.now())
        audit_seals.seal_pending()
        if self._chores_at is not None and monotonic() - self._chores_at < CHORES_EVERY:
            return
        self._chores_at = monotonic()
        self.do_chores()


def _told(problem: Exception) -> str:
    """What went wrong and where. Not the words of the exception: they may hold an address or a code (SR-120)."""
    place = extract_tb(problem.__traceback__)[-1]
    return f"{type(problem).__name__} at {Path(place.filename).name}:{place.lineno}"
