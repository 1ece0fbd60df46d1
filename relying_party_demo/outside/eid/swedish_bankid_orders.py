"""All orders of Swedish BankID that the service still speaks of.

Nothing happens by itself: whoever asks about an order first lets happen what was due by now.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from .swedish_bankid_order import Order
from .swedish_bankid_requests import Refused

COLLECT_PAUSE = timedelta(seconds=1)
"""Between two collects of one order, at least."""


class Orders:
    """The orders. Not for several threads at once; whoever goes through them may change each."""

    def __init__(self, answer: Callable[[Order, datetime], None]) -> None:
        self._all: dict[str, Order] = {}
        self._answer = answer
        """Answers an order as was written down before, at that instant."""

    def settle(self, now: datetime) -> None:
        """Answer what is due, let run out what nobody answered, forget what was kept long enough."""
        for order in list(self._all.values()):
            due = order.follow_script(now)
            if due is not None:
                self._answer(order, due)
            order.run_out(now)
            if not order.is_known(now):
                del self._all[order.reference]

    def make_way(self, number: str | None, now: datetime) -> None:
        """For a new order. Raises `Refused` if one for the same person runs, which ends both."""
        pending = (order for order in self._all.values() if order.status == "pending")
        running = [order for order in pending if number is not None and order.asked.requirement.person == number]
        for order in running:
            order.end("failed", now, hint_code="cancelled")
        if running:
            raise Refused(400, "Order already in progress for personalNumber", code="alreadyInProgress")

    def add(self, order: Order) -> None:
        """Take an order in."""
        self._all[order.reference] = order

    def of(self, reference: str, client: str) -> Order:
        """An order of this client. Raises `Refused`."""
        order = self._all.get(reference)
        if order is None or not secrets.compare_digest(order.client, client):
            raise Refused(400, "No such order")
        return order

    def cancel(self, reference: str, client: str, now: datetime) -> None:
        """Stop an order. Raises `Refused`, also for one that is over."""
        order = self.of(reference, client)
        if order.status != "pending":
            raise Refused(400, "No such order")
        order.end("failed", now, hint_code="cancelled")

    def collect(self, reference: str, client: str, now: datetime) -> Order:
        """An order of this client, for the last time if it is over. Raises `Refused`."""
        order = self.of(reference, client)
        if order.asked_at is not None and now - order.asked_at < COLLECT_PAUSE:
            raise Refused(429, "Too many requests")
        order.asked_at = now
        if order.status != "pending":
            del self._all[reference]
        return order

    def __iter__(self) -> Iterator[Order]:
        return iter(list(self._all.values()))
