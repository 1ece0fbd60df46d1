"""The apps of Swedish BankID: a code is read or a link opened, and a person answers, or cannot."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from .people import SWEDISH, EidPerson, find, holders
from .script import Instruction
from .swedish_bankid_bank import Bank
from .swedish_bankid_completion import completed
from .swedish_bankid_faults import FAILED_HINTS, status_of
from .swedish_bankid_order import Order

QR_AGE, QR_AHEAD = 5, 1
"""Seconds by which the code may be older or newer than the order is. Codes on screenshots are dead soon."""

# The app's own scheme, its universal link, and the page of this outside world that stands for both. The token
# comes first: old apps look for it nowhere else.
_START_LINK = re.compile(
    r"(?:bankid:///|https://app\.bankid\.com/|http://(?:localhost|127\.0\.0\.1)(?::[0-9]+)?/eid/open)"
    r"\?autostarttoken=([0-9a-f-]{36})(?:&(?!autostarttoken=)[^&#]*)*"
)


def read_code(orders: Iterable[Order], content: str, now: datetime) -> Order:
    """Pick an order up by its QR code. Raises ValueError, in words."""
    for order in orders:
        told = _seconds(order, content)
        if told is not None:
            age = (now - order.begun).total_seconds() - told
            if not -QR_AHEAD <= age < QR_AGE + 1:
                raise ValueError("the QR code is not of now: it changes every second")
            order.pick_up(now, same_device=False)
            return order
    raise ValueError("this is no QR code of an order that runs")


def open_link(orders: Iterable[Order], token: str, now: datetime) -> Order:
    """Pick an order up by the link on the browser's own device. Raises ValueError, in words."""
    for order in orders:
        if secrets.compare_digest(order.auto_start_token.encode(), token.encode()):
            order.pick_up(now, same_device=True)
            return order
    raise ValueError("this link starts no order that runs")


def token_of(link: str) -> str:
    """The token in a start link. Raises ValueError, in words."""
    found = _START_LINK.fullmatch(link)
    if found is None:
        raise ValueError("this is neither a QR code nor a start link of BankID")
    return found[1]


def is_shown(order: Order) -> bool:
    """Whether an app shows it, and nobody has spoken for it."""
    return order.status == "pending" and order.picked_up is not None and order.said is None and not order.ignored


def answer(order: Order, said: Instruction, bank: Bank, at: datetime) -> None:
    """What the person does with an order. Raises ValueError, in words, if this one cannot."""
    person = _holder(said.person or order.asked.requirement.person)
    if said.outcome in ("timeout", "ignore"):
        order.ignored = True
        return
    if said.outcome == "refuse":
        order.end("failed", at, hint_code="userCancel")
        return
    _ensure_fits(order, person)
    if order.said is None and status_of(said.fault, "auth") is not None:
        raise ValueError("this order has begun: a fault of beginning has to be said in advance")
    order.fault = said.fault
    failed = FAILED_HINTS.get(said.fault or "") or _blocked(order)
    if said.outcome == "wrong-code":
        failed = "certificateErr"  # entered until the BankID was blocked
    if failed:
        order.end("failed", at, hint_code=failed)
        return
    order.completion = completed(order, person, bank, at)
    order.end("complete", at)


def _seconds(order: Order, content: str) -> int | None:
    """The time in a QR code of this order; None if it is none of this order."""
    parts = content.split(".")
    if len(parts) != 4 or parts[0] != "bankid" or parts[1] != order.qr_start_token:
        return None
    told = parts[2]
    if not (told.isascii() and told.isdecimal() and len(told) < 5 and str(int(told)) == told):
        return None
    code = hmac.new(order.qr_start_secret.encode(), told.encode(), sha256).hexdigest()
    return int(told) if hmac.compare_digest(code.encode(), parts[3].encode()) else None


def _holder(number: str | None) -> EidPerson:
    person = find(number) if number else holders(SWEDISH)[0]
    if person is None or SWEDISH not in person.eids:
        raise ValueError("this person has no Swedish BankID")
    return person


def _ensure_fits(order: Order, person: EidPerson) -> None:
    if order.asked.requirement.person not in (None, person.number):
        raise ValueError("the service asked for another person: this one's app finds no BankID that fits")
    if order.usable is None:
        raise ValueError("the service asked for a kind of BankID that nobody has here")


def _blocked(order: Order) -> str:
    """The hint code if the order is judged to be of a higher risk than was to be accepted."""
    low = (order.asked.requirement.risk or "").lower() == "low"
    return "transactionRiskBlocked" if low and order.fault == "risk-moderate" else ""
