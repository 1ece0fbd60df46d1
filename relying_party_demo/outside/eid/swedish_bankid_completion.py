"""What a complete order of Swedish BankID tells: who it was, with the signature and the responder's word for it."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from .people import SWEDISH, EidPerson, holders
from .swedish_bankid_bank import Bank
from .swedish_bankid_faults import NEW_FIELDS
from .swedish_bankid_order import Order
from .swedish_bankid_signature import Statement, sign

PHONE_ADDRESS = "198.51.100.23"
"""Of a phone that has read a code; one on the browser's own device has the browser's address."""

ELSEWHERE = "203.0.113.66"


def completed(order: Order, person: EidPerson, bank: Bank, at: datetime) -> dict[str, Any]:
    """`completionData`. Wrong in the way of the order's fault."""
    fault, asked = order.fault, order.asked
    if fault == "other-person":
        person = next(one for one in holders(SWEDISH) if one.number != person.number)
    device, policy = _device(person), order.usable or ""
    bank_id = bank.bank_id(person, policy, at, fault=fault)
    statement = Statement(
        visible=asked.user_visible_data or None,
        non_visible=asked.user_non_visible_data or None,
        service=order.service,
        display_name=order.service_name,
        policies=asked.requirement.policies,
        device=device,
        how="pw" if asked.requirement.pin_code else "bio",
    )
    signature = sign(statement, bank_id, fault=fault)
    told: dict[str, Any] = {
        "user": _user(person, fault),
        "device": {"ipAddress": _address(order), "uhi": device},
        "bankIdIssueDate": f"{at - timedelta(days=100):%Y-%m-%d}Z",
        "stepUp": {"mrtd": True} if asked.requirement.mrtd and fault != "no-document" else None,
        "signature": signature,
        "ocspResponse": bank.vouch(bank_id, signature, at, fault=fault),
    }
    if asked.return_risk and fault != "risk-missing":
        told["risk"] = {"risk-high": "high", "risk-moderate": "moderate"}.get(fault or "", "low")
    return {**told, **NEW_FIELDS} if fault == "new-fields" else told


def _user(person: EidPerson, fault: str | None) -> dict[str, str]:
    told = {
        "personalNumber": person.number,
        "name": person.name,
        "givenName": person.given_name,
        "surname": person.family_name,
    }
    if fault == "other-number":
        told["personalNumber"] = next(one.number for one in holders(SWEDISH) if one.number != person.number)
    if fault == "other-name":
        told |= {"name": "Sven Svensson", "givenName": "Sven", "surname": "Svensson"}
    return told


def _address(order: Order) -> str:
    if order.fault == "other-address":
        return ELSEWHERE
    return order.asked.end_user_ip if order.same_device else PHONE_ADDRESS


def _device(person: EidPerson) -> str:
    """What the app calls the device of this person, always the same: base64."""
    return b64encode(sha256(person.number.encode()).digest()[:21]).decode()
