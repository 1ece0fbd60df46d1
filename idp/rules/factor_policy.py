"""Which factor serves for what, and which may stand in for which. One table; everything else asks it.

What a method counts for in a level is `assurance.METHODS`; this table is about the steps of journeys: what opens
one, what is a second step, what may answer for a lost phone, and how strong one is beside another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct

from idp.rules.assurance import EID


class Use(Struct, frozen=True, kw_only=True):
    """What one factor may be used for."""

    strength: int
    """Among second steps: a greater number is harder to phish, intercept or copy (63B §3.2.5, SR-23)."""
    signs_in: bool = False
    """May be the first thing that is proved of an account."""
    second_step: bool = False
    """May follow it."""
    recovers: bool = False
    """May answer for a phone that is lost (SR-62)."""


POLICY: dict[str, Use] = {
    "passkey": Use(strength=5, signs_in=True, second_step=True, recovers=True),
    "security_key": Use(strength=4, second_step=True, recovers=True),  # a passkey that did not ask who used it: SR-37
    "totp": Use(strength=3, second_step=True, recovers=True),
    "sms": Use(strength=2, second_step=True),
    "voice": Use(strength=2, second_step=True),
    "recovery_code": Use(strength=1, second_step=True, recovers=True),
    "password": Use(strength=0, signs_in=True),
    "email_code": Use(strength=0),  # proves an address, never a person: SR-22
}
"""Every factor, the strongest first."""

LOGIN = tuple(name for name, use in POLICY.items() if use.signs_in)
"""What a sign-in may begin with."""

SECOND_STEP = tuple(name for name, use in POLICY.items() if use.second_step)
"""What may be its second step, the strongest first."""

PHONE = ("sms", "voice")
"""The two channels of one factor: the phone."""

RECOVERY = tuple(name for name, use in POLICY.items() if use.recovers)
"""What may answer for a lost phone. An e-mail never does (SR-61)."""


SUPPORT_CODE = "support_code"
"""Shows that support has checked who somebody is, and nothing else: it counts for no level."""

RECOVERY_AFTER_A_WAIT = (EID, SUPPORT_CODE)
"""What may answer for it beside them: the owner is told, and the new number counts a day later (DESIGN §6)."""


def accepts(only: Collection[str], method: str) -> bool:
    """Whether a proof by this method counts for somebody who accepts only these second factors; none named means all.

    What is no second factor counts in any case. A method that is not known here counts for nothing.
    """
    return not only or method in only or method == EID or (method in POLICY and not POLICY[method].second_step)


def leaves_a_second_step(remaining: Iterable[str]) -> bool:
    """Whether an account with these factors can still be signed in to for good: recovery codes alone run out."""
    return any(name in SECOND_STEP and name != "recovery_code" for name in remaining)


def is_weaker(used: str, enrolled: Iterable[str]) -> bool:
    """Whether an account has a stronger second step than the one that was used: its owner hears of that (SR-41)."""
    return any(POLICY[used].strength < POLICY[name].strength for name in enrolled if name in SECOND_STEP)
