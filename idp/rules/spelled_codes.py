"""Codes that people copy by hand: long enough that nobody guesses one, spelled so that nobody misreads it.

For undoing a change, and for support to hand to a person (DESIGN §6: an alphabet without 0 O 1 I L U).
"""

from __future__ import annotations

import secrets

from idp.rules.identifiers import bare

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 15
"""Characters of one code: 73 bits (SR-39 asks for 64)."""

GROUP = 5


def make() -> str:
    """A fresh code, without hyphens: what is kept of it is a digest."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def spelled(code: str) -> str:
    """A code as people see it: `XXXXX-XXXXX-XXXXX`."""
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def read(text: str) -> str | None:
    """The code in what a person typed, whatever the hyphens, spaces and capitals; None when it can be none."""
    code = bare(text).upper()
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None
