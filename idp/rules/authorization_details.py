"""Authorization details (RFC 9396): exactly what a token is for, where a scope would say too much.

One type is known: `alumni_records`, the papers that a former employer keeps of a person. Everything else about
details is set arithmetic on what they come to, one right at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import product
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

Action = Literal["read"]
DataType = Literal["payslips", "tax_papers", "employment"]
Location = Annotated[str, Meta(min_length=1, max_length=500)]
Employer = Annotated[str, Meta(min_length=1, max_length=100)]

Right = tuple[str, str, str, str | None]
"""Where, what may be done, with which records, and of which employer; None is every one."""


class InvalidDetails(ValueError):
    """Details that the definition of their type does not allow (RFC 9396 §5); the text says why."""


class AlumniRecords(Struct, frozen=True, tag_field="type", tag="alumni_records", forbid_unknown_fields=True):
    """What a client may do with the records of a person."""

    locations: Annotated[tuple[Location, ...], Meta(min_length=1, max_length=4)]
    """Resource indicators of the APIs that keep them."""
    actions: Annotated[tuple[Action, ...], Meta(min_length=1, max_length=4)]
    """What may be done: `read`."""
    datatypes: Annotated[tuple[DataType, ...], Meta(min_length=1, max_length=8)]
    """Which: `payslips`, `tax_papers`, `employment`."""
    employer: Employer | msgspec.UnsetType = msgspec.UNSET
    """Those of this employer only. Left out: of every one."""


Details = tuple[AlumniRecords, ...]

TYPES = ("alumni_records",)
MOST = 8
"""Objects in one request."""


def read(given: Any) -> Details:
    """The details of a request, each of a known type and as that type has it. Raises `InvalidDetails`."""
    try:
        details = msgspec.convert(given, Details)
    except msgspec.ValidationError as problem:
        raise InvalidDetails(_plain(str(problem))) from None
    if not 1 <= len(details) <= MOST:
        raise InvalidDetails(f"there must be 1 to {MOST} authorization details")
    for detail in details:
        if detail.employer and not detail.employer.isprintable():  # people read it when they are asked to agree
            raise InvalidDetails("employer has characters that it must not have")
    return tuple(dict.fromkeys(details))


def told(details: Details) -> list[dict[str, Any]]:
    """The same as JSON has it."""
    return [msgspec.to_builtins(detail) for detail in details]


def locations(details: Details) -> tuple[str, ...]:
    """Every API that the details are for, in order."""
    return tuple(dict.fromkeys(where for detail in details for where in detail.locations))


def at(details: Details, audiences: Collection[str]) -> Details:
    """What of the details is for these APIs (§9.1): nobody is told of another's."""
    here = [
        msgspec.structs.replace(detail, locations=tuple(where for where in detail.locations if where in audiences))
        for detail in details
    ]
    return tuple(detail for detail in here if detail.locations)


def lacking(asked: Details, given: Sequence[AlumniRecords]) -> Details:
    """Those of `asked` that are not wholly within what was given."""
    rights = {right for detail in given for right in _rights(detail)}
    return tuple(detail for detail in asked if not all(_is_within(right, rights) for right in _rights(detail)))


def _rights(detail: AlumniRecords) -> Iterator[Right]:
    """What the detail comes to, one right at a time."""
    employer = detail.employer or None
    for where, action, kind in product(detail.locations, detail.actions, detail.datatypes):
        yield where, action, kind, employer


def _is_within(right: Right, rights: Collection[Right]) -> bool:
    """A right about every employer holds for each."""
    return right in rights or (*right[:-1], None) in rights


def _plain(words: str) -> str:
    """The words of msgspec as an error description may have them (RFC 6749 §5.2: no quotes, no backslash)."""
    return "".join(letter for letter in words if " " <= letter <= "~" and letter not in "`'\"\\")[:200]
