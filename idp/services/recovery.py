"""Helping somebody whose phone is lost: support checks who they are, and hands over a code. Only the person goes on.

The code opens nothing without the password and a code to the account's own mailbox, and what comes of it waits, so that
its owner may object (SR-62).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from idp import clock
from idp.rules import spelled_codes
from idp.rules.factor_policy import SUPPORT_CODE
from idp.rules.limits import Allowed, Decision
from idp.services import notices, throttling
from idp.settings import Limits, Recovery
from idp.stores.durable import accounts, audit, guesses, support_codes
from idp.stores.durable.db import transaction


@dataclass(frozen=True, slots=True)
class Started:
    """What support tells the person, this once, and until when it counts."""

    code: str = field(repr=False)
    until: datetime


def start(account_id: str, *, reason: str, settings: Recovery) -> Started | None:
    """Open a recovery of an account, in place of any before. None when there is no such active account.

    Audited with the reason, and told to the account's owner (SR-42, SR-127).
    """
    account, now = accounts.by_id(account_id), clock.now()
    if account is None or not account.active:
        return None
    code, until = spelled_codes.make(), now + timedelta(seconds=settings.support_code)
    with transaction():
        support_codes.open_for(account_id, code, now=now, until=until)
        throttling.factor_replaced(account_id, SUPPORT_CODE)
        audit.record("recovery.started", account_id=account_id, reason=reason)
        notices.support_started(account_id)
    return Started(spelled_codes.spelled(code), until)


def is_open(account_id: str) -> bool:
    """Whether support has opened a recovery of this account that was not used yet."""
    return support_codes.is_open(account_id, now=clock.now())


def spend(account_id: str, typed: str, limits: Limits, *, journey: str) -> bool | Decision:
    """Use the code: True for exactly one. A try counts before it is compared (SR-17, SR-18); too many are refused."""
    decision = throttling.before_code(limits, account_id, SUPPORT_CODE)
    if not isinstance(decision, Allowed):
        return decision
    code = spelled_codes.read(typed)
    with transaction():
        right = code is not None and support_codes.spend(account_id, code, now=clock.now())
        if right:
            guesses.right(account_id, SUPPORT_CODE)
            audit.record("recovery.proved", account_id=account_id, journey=journey)
    if not right:
        audit.record("code.refused", account_id=account_id, journey=journey, outcome="failure", reason=SUPPORT_CODE)
    return right
