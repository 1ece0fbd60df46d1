"""Where things are kept: `durable` survives anything, `shortlived` may vanish at any moment.

Both say `Unavailable` when they cannot answer; nobody above may read that as "not found".
"""

from __future__ import annotations


class Unavailable(Exception):
    """The store cannot answer. The edge answers 503 with Retry-After (requirements, section Q)."""
