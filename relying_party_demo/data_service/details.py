"""What a token is for, to the letter: authorization details of RFC 9396, of the type `alumni_records`.

A token that has details for this API opens what they say and nothing else, whatever its scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

TYPE = "alumni_records"
READ = "read"


def allow(details: Sequence[Any], *, resource: str, kind: str, employer: str | None = None) -> bool:
    """Whether one of the details lets records of this kind be read here.

    `employer` is whose they are, once that is known. A detail that is not understood opens nothing.
    """
    return any(_allows(one, resource, kind, employer) for one in details)


def _allows(detail: Any, resource: str, kind: str, employer: str | None) -> bool:
    if not isinstance(detail, dict) or not detail.keys() <= {"type", "locations", "actions", "datatypes", "employer"}:
        return False
    listed = {name: detail.get(name) for name in ("locations", "actions", "datatypes")}
    if detail.get("type") != TYPE or not all(isinstance(value, list) for value in listed.values()):
        return False
    wanted = {"locations": resource, "actions": READ, "datatypes": kind}
    if not all(wanted[name] in (value or ()) for name, value in listed.items()):
        return False
    return "employer" not in detail or employer is None or detail["employer"] == employer
