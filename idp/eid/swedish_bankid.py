"""Swedish BankID, RP API v6: an animated QR code for another device, or a link that starts the app on this one.

Each way has orders of its own. Whoever is shown a link must come back from the app in the same browser before
the order is even asked about: a link that was passed on to somebody else proves nothing here (SR-105).

The order, and with it every secret, stays in the notes; the browser never names one. How a complete order
is checked is in `swedish_bankid_proof`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from time import monotonic
from typing import Literal

import msgspec

from idp.eid import swedish_bankid_order as orders
from idp.eid import swedish_bankid_settings
from idp.eid.connector import Attempt, Failed, Outcome, Pending, Result, Started, View, Waiting
from idp.eid.swedish_bankid_order import QR, THIS_DEVICE, Begun, Order
from idp.eid.swedish_bankid_proof import Completion, Proof
from idp.eid.swedish_bankid_service import Busy, Refused, Service, failed
from idp.eid.swedish_bankid_settings import LEVELS, SwedishBankIdSettings
from idp.outgoing.known import Unreachable

PAUSE = 2.0
"""Seconds between two questions about one order; more often is refused by the service."""

MOST_UNANSWERED = 3
"""Questions in a row that may stay without an answer before the order is given up."""


class Collected(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to `/collect`."""

    order_ref: str
    status: Literal["pending", "failed", "complete"]
    hint_code: str = ""
    completion_data: Completion | None = None

    def __repr__(self) -> str:
        return f"Collected({self.status!r})"


class SwedishBankId:
    """The connector. Raises ValueError for settings that cannot work, naming the key."""

    flows = (QR, THIS_DEVICE)
    origins: tuple[str, ...] = ()

    def __init__(
        self, settings: SwedishBankIdSettings, *, name: str = "swedish-bankid", loopback: bool = False
    ) -> None:
        swedish_bankid_settings.check(settings, loopback=loopback)
        self.name = name
        self.label = settings.label
        self.issuer_name = settings.issuer_name
        self.levels: Mapping[str, str] = settings.levels
        self._settings = settings
        self._service = Service(settings)
        self._proof = Proof(settings)

    def start(self, attempt: Attempt) -> Started:
        """Begin an order."""
        if all(LEVELS.index(level) < LEVELS.index(attempt.level) for level in self.levels.values()):
            return Failed(Outcome.LEVEL_TOO_LOW, "levels has nothing for this level")
        asked = monotonic()
        try:
            begun = self._service.auth(orders.request(attempt, self._settings), Begun)
        except Refused as refusal:
            return refusal.failed
        # The QR code counts from when the answer is here, and a call may well take a second.
        arrived = attempt.now.timestamp() + (monotonic() - asked)
        order = orders.remembered(attempt, begun, started_at=arrived, ask_after=arrived + PAUSE)
        return Waiting(msgspec.json.encode(order))

    def returned(self, notes: bytes, answer: Mapping[str, str], *, now: datetime) -> Result:
        """Back from the app on this device. The state that led here is the nonce; the order is asked as ever."""
        order = _order(notes)
        if (
            not order.returned and order.flow == THIS_DEVICE
        ):  # never asked about before, so there is nothing to pause for
            order = msgspec.structs.replace(order, returned=True, ask_after=0.0)
        return self._result(msgspec.structs.replace(order, returned=True), now)

    def poll(self, notes: bytes, *, now: datetime) -> Result:
        """How the order goes; the service is asked every two seconds at most."""
        return self._result(_order(notes), now)

    def view(self, notes: bytes, *, now: datetime, locale: str) -> View:
        """The QR code of this very second and the start link, until an app has picked the order up."""
        return orders.view(_order(notes), now, app_address=self._settings.app_address)

    def cancel(self, notes: bytes) -> None:
        """Stop the order."""
        self._stop(_order(notes))

    def _result(self, order: Order, now: datetime) -> Result:
        if now.timestamp() < order.ask_after or (order.flow == THIS_DEVICE and not order.returned):
            return _pending(order)
        later = msgspec.structs.replace(order, ask_after=now.timestamp() + PAUSE)
        try:
            said = self._collected(order)
        except Busy as problem:
            return self._unanswered(later, str(problem))
        except Refused as refusal:
            return self._given_up(order, refusal.failed)
        if said.status == "failed":
            return failed(said.hint_code)
        if said.completion_data is None:
            return _pending(msgspec.structs.replace(later, unanswered=0, hint_code=said.hint_code[:64]))
        try:
            return self._proof.verified(order, said.completion_data, now=now)
        except Refused as refusal:
            return refusal.failed

    def _collected(self, order: Order) -> Collected:
        said = self._service.collect(order.order_ref, Collected)
        if said.order_ref != order.order_ref:
            raise Refused(Outcome.PROTOCOL_ERROR, "collect: another order")
        if (said.status == "complete") is (said.completion_data is None):
            raise Refused(Outcome.PROTOCOL_ERROR, "collect: complete without data, or data of what is not")
        return said

    def _unanswered(self, order: Order, detail: str) -> Result:
        """A question without an answer is no verdict on the order; three in a row are one on the service."""
        if order.unanswered + 1 >= MOST_UNANSWERED:
            return self._given_up(order, Failed(Outcome.PROVIDER_UNAVAILABLE, f"collect: {detail}"))
        slower = order.ask_after + PAUSE * order.unanswered
        return _pending(msgspec.structs.replace(order, unanswered=order.unanswered + 1, ask_after=slower))

    def _given_up(self, order: Order, reason: Failed) -> Failed:
        """An order left running would get in the way of the next one for the same person, for minutes."""
        self._stop(order)
        return reason

    def _stop(self, order: Order) -> None:
        # One that cannot be reached dies by itself within minutes.
        with suppress(Unreachable):
            self._service.cancel(order.order_ref)


def _order(notes: bytes) -> Order:
    return msgspec.json.decode(notes, type=Order)


def _pending(order: Order) -> Pending:
    return Pending(order.hint, msgspec.json.encode(order))
