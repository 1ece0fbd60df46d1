"""Counts and thresholds to decisions. Who counts, and where, is elsewhere."""

from __future__ import annotations

from msgspec import Struct

Waits = tuple[tuple[int, int], ...]
"""Pairs of (misses in a row, seconds to wait after them), growing; the last holds from there on."""


class Allowed(Struct, frozen=True):
    """Go on."""


class Wait(Struct, frozen=True):
    """Not now; in so many seconds."""

    seconds: int


class SwitchedOff(Struct, frozen=True):
    """Not by this factor any more, until it is set up anew (SR-17, SR-30)."""


Decision = Allowed | Wait | SwitchedOff

LONGEST_WAIT = 15 * 60
"""Seconds; waiting never grows beyond (SR-30)."""

PASSWORD_WAITS_HERE: Waits = ((4, 1), (5, 60), (6, 120), (7, 240), (8, 480), (9, LONGEST_WAIT))
"""After misses in a row on one account from one network: a second from SR-30, then the page spec's §6 minutes."""

PASSWORD_WAITS_ANYWHERE: Waits = (*((4 + step, 2**step) for step in range(10)), (14, LONGEST_WAIT))
"""After misses in a row on one account from anywhere: from 1 s, doubling (SR-30)."""

FEWEST_SENT_TO_JUDGE = 20
"""Codes to a prefix before the share of used ones says anything (SR-29)."""

FEWEST_USED_PERCENT = 20
"""Below this share of used codes a prefix is under attack; healthy is 60 to 80 (SR-29)."""

PROMPTS_UNANSWERED_SOON = 3
"""Messages and calls to one account in ten minutes without an answer (SR-32)."""

PROMPTS_UNANSWERED_DAY = 10
"""The same in a day (SR-32)."""


def wait_after(misses: int, waits: Waits) -> int:
    """Seconds that must have passed since the last of so many misses in a row."""
    return max((seconds for threshold, seconds in waits if misses >= threshold), default=0)


def within(count: int, limit: int, *, left: int) -> Decision:
    """Allowed while `count`, this one included, is within `limit`; else wait the `left` seconds of the window."""
    return Allowed() if count <= limit else Wait(max(1, left))


def half(limit: int) -> int:
    """The limit of calls, where texts have `limit`: half, but never none (SR-28)."""
    return max(1, (limit + 1) // 2)


def is_attacked(sent: int, used: int) -> bool:
    """Whether so few of the codes sent to a phone prefix were used that nobody real is behind it (SR-29)."""
    return sent >= FEWEST_SENT_TO_JUDGE and used * 100 < sent * FEWEST_USED_PERCENT
