"""A sign-in in a browser that the account was never signed in to before is told to its owner (M-6, SR-42)."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from idp import clock
from idp.services import notices
from idp.stores.durable import known_browsers
from idp.stores.durable.db import transaction


def greet(account_id: str, held: str, *, device: str, tell: bool = True) -> None:
    """Know the browser that holds this value from now on, and tell of it if it is new. Joins the transaction.

    The first browser of an account is told of to nobody: there is no other that it could be compared with.
    """
    with transaction():
        is_new = known_browsers.seen(account_id, sha256(held.encode()).digest(), now=clock.now())
        if is_new and tell:
            notices.new_device(account_id, device=device)


def forget(after: timedelta) -> int:
    """Forget browsers in which nobody has signed in for so long; how many."""
    return known_browsers.forget(before=clock.now() - after)
