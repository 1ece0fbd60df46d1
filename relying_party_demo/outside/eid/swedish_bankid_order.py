"""One order of Swedish BankID: begun, picked up by an app, answered, told, forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from .script import Instruction
from .swedish_bankid_faults import NEW_FIELDS, PENDING_HINT
from .swedish_bankid_requests import MOBILE, ON_FILE, Auth, covers

PICK_UP = timedelta(seconds=30)
"""For the app to be started."""

ANSWER = timedelta(minutes=3)
"""For the person to answer, from the beginning of the order."""

COMPLETE_KEPT, FAILED_KEPT = timedelta(minutes=3), timedelta(minutes=5)
"""How long an ended order can be collected."""

UNTOUCHED_KEPT = timedelta(minutes=3, seconds=10)
"""How long an order can be collected that no app has picked up, from its beginning."""

SEARCHING = timedelta(seconds=1)
"""How long an app looks for a BankID, and as long for reading an identity document."""

MOMENT = timedelta(seconds=1)
"""What a person needs, who answers as was written down before."""

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
        """Be picked up as was written down before. When the written answer was due, if it is by now.

        A code is read once the service has asked how the order goes: one that waits for the browser to come
        back from the app asks nothing before, and its link can still be opened.
        """
        if self.status != "pending" or self.said is None or self.unfit:
            return None
        if self.picked_up is None and self.asked_at is not None and self.said.outcome != "ignore":
            self.pick_up(self.asked_at, same_device=False)
        if self.picked_up is None or now < self._ready(self.picked_up) + MOMENT:
            return None
        return self._ready(self.picked_up) + MOMENT

    def is_known(self, now: datetime) -> bool:
        """Whether the service still speaks of it."""
        if self.ended is None:
            return True
        if self.status == "complete":
            return now < self.ended + COMPLETE_KEPT
        if self.picked_up is None and self.hint_code == "startFailed":
            return now < self.begun + UNTOUCHED_KEPT
        return now < self.ended + FAILED_KEPT

    def _new_fields(self) -> Mapping[str, Any]:
        return NEW_FIELDS if self.fault == "new-fields" else {}

    def _ready(self, picked_up: datetime) -> datetime:
        """When the app asks for the security code."""
        return picked_up + SEARCHING * (2 if self.asked.requirement.mrtd else 1)
