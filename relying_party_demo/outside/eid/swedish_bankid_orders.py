"""The life of an order of Swedish BankID: begun, picked up by an app, answered, collected once, forgotten.

Nothing happens by itself: whoever asks about an order first learns what has become of it by now.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal
from uuid import uuid4

from .people import EidPerson
from .script import Instruction
from .swedish_bankid_faults import NEW_FIELDS, PENDING_HINT
from .swedish_bankid_requests import MOBILE, ON_FILE, Auth, Refused, covers

PICK_UP = timedelta(seconds=30)
"""For the app to be started."""

ANSWER = timedelta(minutes=3)
"""For the person to answer, from the beginning of the order."""

COMPLETE_KEPT, FAILED_KEPT = timedelta(minutes=3), timedelta(minutes=5)
"""How long an ended order can be collected."""

UNTOUCHED_KEPT = timedelta(minutes=3, seconds=10)
"""How long an order can be collected that no app has picked up, from its beginning."""

COLLECT_PAUSE = timedelta(seconds=1)
"""Between two collects of one order, at least."""

SEARCHING = timedelta(seconds=1)
"""How long an app looks for a BankID, and as long for reading an identity document."""

MOMENT = timedelta(seconds=1)
"""What a person needs, who answers as was written down before."""

QR_AGE, QR_AHEAD = 5, 1
"""Seconds by which the code may be older or newer than the order is. Codes on screenshots are dead soon."""

HELD = (MOBILE, ON_FILE)
"""Policies of the BankIDs that everybody has, the usual one first. Nobody has one on a card."""

Status = Literal["pending", "failed", "complete"]


def _uuid() -> str:
    return str(uuid4())


@dataclass(kw_only=True)
class Order:
    """One order. All instants are of `clock`."""

    asked: Auth = field(repr=False)
    client: str
    """Fingerprint of the client certificate that began it."""
    service: str = field(repr=False)
    """Subject of that certificate."""
    service_name: str
    """What the app calls the service."""
    begun: datetime
    said: Instruction | None = None
    """How it is answered, if that was written down before."""
    fault: str | None = None
    reference: str = field(default_factory=_uuid, repr=False)
    auto_start_token: str = field(default_factory=_uuid, repr=False)
    qr_start_token: str = field(default_factory=_uuid, repr=False)
    qr_start_secret: str = field(default_factory=_uuid, repr=False)
    picked_up: datetime | None = None
    same_device: bool = False
    ignored: bool = False
    """Somebody has decided to let it run out."""
    unfit: bool = False
    """Who was to answer as written down before has no BankID that fits."""
    ended: datetime | None = None
    status: Status = "pending"
    hint_code: str = ""
    """Of an order that failed."""
    completion: dict[str, Any] | None = field(default=None, repr=False)
    asked_at: datetime | None = None
    """When it was collected last."""

    def started(self) -> dict[str, Any]:
        """The answer to `/auth`."""
        told = {
            "orderRef": self.reference,
            "autoStartToken": self.auto_start_token,
            "qrStartToken": self.qr_start_token,
            "qrStartSecret": self.qr_start_secret,
        }
        return {**told, **self._new_fields()}

    def told(self, now: datetime) -> dict[str, Any]:
        """The answer to `/collect`."""
        told: dict[str, Any] = {"orderRef": _uuid() if self.fault == "another-order" else self.reference}
        told["status"] = self.status
        if self.completion is not None:
            told["completionData"] = self.completion
        else:
            told["hintCode"] = self.hint_code or self._pending_hint(now)
        return {**told, **self._new_fields()}

    def end(self, status: Status, at: datetime, *, hint_code: str = "") -> None:
        """It is over."""
        self.status, self.ended, self.hint_code = status, at, hint_code

    def run_out(self, now: datetime) -> None:
        """Fail, if nobody was in time."""
        if self.status != "pending":
            return
        if self.picked_up is None and now >= self.begun + PICK_UP:
            self.end("failed", self.begun + PICK_UP, hint_code="startFailed")
        elif now >= self.begun + ANSWER:
            self.end("failed", self.begun + ANSWER, hint_code="expiredTransaction")

    def pick_up(self, at: datetime, *, same_device: bool) -> None:
        """An app has read the code or was opened by the link. Raises ValueError, in words."""
        if self.status != "pending":
            raise ValueError("the order is over: it has to be picked up within 30 seconds")
        if self.picked_up is not None:
            raise ValueError("an app has picked this order up before")
        self.picked_up, self.same_device = at, same_device

    @property
    def usable(self) -> str | None:
        """The policy of the BankID that people can answer with; None if none of theirs is asked for."""
        asked = self.asked.requirement.policies
        return next((policy for policy in HELD if not asked or covers(asked, policy)), None)

    def _pending_hint(self, now: datetime) -> str:
        """What the order is waiting for."""
        if self.picked_up is None:
            return "outstandingTransaction"
        if self.fault == "unknown-hint":
            return PENDING_HINT
        if now < self.picked_up + SEARCHING or self.unfit or self.usable is None:
            return "started"
        return "userMrtd" if now < self._ready(self.picked_up) else "userSign"

    def follow_script(self, now: datetime) -> datetime | None:
        """Be picked up as was written down before. When the written answer was due, if it is by now."""
        if self.status != "pending" or self.said is None or self.unfit:
            return None
        if self.picked_up is None and self.said.outcome != "ignore" and now >= self.begun + MOMENT:
            self.pick_up(self.begun + MOMENT, same_device=False)
        if self.picked_up is None or now < self._ready(self.picked_up) + MOMENT:
            return None
        return self._ready(self.picked_up) + MOMENT

    def is_waiting(self) -> bool:
        """Whether the app shows it, and nobody has spoken for it."""
        return self.status == "pending" and self.picked_up is not None and self.said is None and not self.ignored

    def is_known(self, now: datetime) -> bool:
        """Whether the service still speaks of it."""
        if self.ended is None:
            return True
        if self.status == "complete":
            return now < self.ended + COMPLETE_KEPT
        if self.picked_up is None and self.hint_code == "startFailed":
            return now < self.begun + UNTOUCHED_KEPT
        return now < self.ended + FAILED_KEPT

    def may_be_answered_by(self, person: EidPerson) -> None:
        """Raises ValueError, in words, if the app of this person has no BankID that fits."""
        wanted = self.asked.requirement.person
        if wanted not in (None, person.number):
            raise ValueError("the service asked for another person: this one's app finds no BankID that fits")
        if self.usable is None:
            raise ValueError("the service asked for a kind of BankID that nobody has here")

    def qr_time(self, content: str) -> int | None:
        """The seconds in the content of a QR code of this order; None if it is none of this order."""
        parts = content.split(".")
        if len(parts) != 4 or parts[0] != "bankid" or parts[1] != self.qr_start_token:
            return None
        told = parts[2]
        if not (told.isascii() and told.isdecimal() and len(told) < 5 and str(int(told)) == told):
            return None
        code = hmac.new(self.qr_start_secret.encode(), told.encode(), sha256).hexdigest()
        return int(told) if hmac.compare_digest(code, parts[3]) else None

    def _new_fields(self) -> Mapping[str, Any]:
        return NEW_FIELDS if self.fault == "new-fields" else {}

    def _ready(self, picked_up: datetime) -> datetime:
        """When the app asks for the security code."""
        return picked_up + SEARCHING * (2 if self.asked.requirement.mrtd else 1)


class Orders:
    """All orders that the service still speaks of. Not for several threads at once."""

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

    def begin(self, order: Order) -> None:
        """Take an order in. Raises `Refused` if one for the same person runs, which ends both."""
        number = order.asked.requirement.person
        running = [one for one in self._pending() if number is not None and one.asked.requirement.person == number]
        for one in running:
            one.end("failed", order.begun, hint_code="cancelled")
        if running:
            raise Refused(400, "Order already in progress for personalNumber", code="alreadyInProgress")
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

    def with_code(self, content: str, now: datetime) -> Order:
        """Read a QR code. Raises ValueError, in words."""
        for order in self._all.values():
            told = order.qr_time(content)
            if told is not None:
                age = (now - order.begun).total_seconds() - told
                if not -QR_AHEAD <= age < QR_AGE + 1:
                    raise ValueError("the QR code is not of now: it changes every second")
                order.pick_up(now, same_device=False)
                return order
        raise ValueError("this is no QR code of an order that runs")

    def with_link(self, token: str, now: datetime) -> Order:
        """Open the app by the link on the same device. Raises ValueError, in words."""
        for order in self._all.values():
            if secrets.compare_digest(order.auto_start_token.encode(), token.encode()):
                order.pick_up(now, same_device=True)
                return order
        raise ValueError("this link starts no order that runs")

    def waiting(self) -> list[Order]:
        """Those that wait for somebody at a phone."""
        return [order for order in self._all.values() if order.is_waiting()]

    def find(self, reference: str) -> Order | None:
        """An order by its reference."""
        return self._all.get(reference)

    def _pending(self) -> list[Order]:
        return [order for order in self._all.values() if order.status == "pending"]
