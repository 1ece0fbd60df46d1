"""User codes (RFC 8628 §6.1): what a person reads on one device or in a message, and types on a page of ours."""

from __future__ import annotations

import re

from idp.rules.identifiers import Malformed, bare

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""RFC 8628 §6.1: no vowels, so a code is no word; no digits, so none of them looks like a letter."""

LENGTH = 8
"""Of 20 letters: 34.5 bits. One of a thousand open codes is found by a thousand tries with a chance of 1 to 25 000."""

_CODE = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")


def user_code(text: str) -> str:
    """The code without all that does not count. Raises `Malformed` for what can be no code.

    Capitals, white space, invisible characters, hyphens, dashes and full stops make no difference.
    """
    code = bare(text).upper()
    if not code:
        raise Malformed("E-USER-CODE-EMPTY")
    if not _CODE.fullmatch(code):
        raise Malformed("E-USER-CODE-WRONG")
    return code


def written(code: str) -> str:
    """As people read it: two halves with a hyphen between them."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"
