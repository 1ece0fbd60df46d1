"""Credentials: replace a password, and end what must end with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from idp import clock
from idp.rules.factor_policy import SECOND_STEP, is_weaker
from idp.services import notices, remembered_devices, sessions, throttling
from idp.stores.durable import accounts, audit, authenticator_apps, credentials, passkeys, recovery_codes
from idp.stores.durable.credentials import Phone
from idp.stores.durable.db import transaction


def replace_password(account_id: str, verifier: str, *, keep_sessions: bool = False) -> None:
    """Keep the new verifier; every session and refresh family of the account ends (SR-63, SR-88).

    `keep_sessions` is for owners who changed it while signed in, and want their other devices to stay so (SR-11).
    """
    with transaction():
        credentials.set_password(account_id, verifier, now=clock.now())
        remembered_devices.forget_all(account_id)
        if not keep_sessions:
            sessions.end_all(account_id, reason="password replaced")
        audit.record("password.replaced", account_id=account_id)


def factor_changed(account_id: str, factor: str) -> None:
    """A factor was added, replaced or removed: guesses at the old one and every remembered device are forgotten.

    Joins the transaction of that change, which none may do without this (SR-17, SR-43).
    """
    with transaction():
        throttling.factor_replaced(account_id, factor)
        remembered_devices.forget_all(account_id)


def still_stand(account_id: str, proved: Iterable[datetime]) -> bool:
    """Whether what was proved at these instants still counts: the account is active, its password the same (SR-63).

    Inside a transaction the answer holds until its end: a replacement under way waits.
    """
    account = accounts.by_id(account_id)
    if account is None or not account.active:
        return False
    set_at = credentials.hold_password(account_id)
    return set_at is None or all(at >= set_at for at in proved)


def phone_of(account_id: str) -> Phone | None:
    """The proved number of an account."""
    return credentials.phone_of(account_id)


def password_set_at(account_id: str) -> datetime | None:
    """When the password of an account was last changed."""
    return credentials.password_set_at(account_id)


def enrolled(account_id: str) -> tuple[str, ...]:
    """The names of the factors that can be a second step for this account, the strongest first."""
    phone = credentials.phone_of(account_id)
    codes = recovery_codes.left(account_id)
    found = {
        "passkey": passkeys.count(account_id) > 0,
        "totp": authenticator_apps.added_at(account_id) is not None,
        "sms": phone is not None and phone.takes_sms,
        "voice": phone is not None,
        "recovery_code": codes is not None and codes.count > 0,
    }
    return tuple(name for name in SECOND_STEP if found.get(name))


TOLD_OF = ("totp", "sms", "voice")
"""Second steps that may be weaker than another. A recovery code has a notice of its own."""


def tell_if_weaker(account_id: str, used: Sequence[str], *, device: str) -> None:
    """Tell the owner when a sign-in's second step was weaker than one the account has (SR-41)."""
    step = next((name for name in SECOND_STEP if name in used), None)
    if step in TOLD_OF and is_weaker(step, enrolled(account_id)):
        audit.record("second-step.weaker", account_id=account_id, reason=step)
        notices.weaker_step(account_id, used=step, device=device)
