"""What «Min konto» is made of: pages, acts of one press, and changes that the owner must be proved for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.services.eids import Eids
from idp.services.logout import Party
from idp.services.places import Places
from idp.settings import Settings
from idp.stores.shortlived.contract import ShortLived

HOME = "/account"


@dataclass(frozen=True, slots=True)
class Tools:
    """What the pages work with."""

    settings: Settings
    store: ShortLived
    eids: Eids
    places: Places


@dataclass(frozen=True, slots=True)
class Member:
    """The person in front of a page: signed in with two factors, in this browser, on this device."""

    account_id: str
    sid: str
    """Of the sign-in that is in use."""
    browser: str
    device: str
    route: Mapping[str, str] = field(default_factory=dict)
    """The variable parts of the page's address."""
    query: Mapping[str, str] = field(default_factory=dict)
    proved_anew: bool = False
    """Both factors were proved in the last minutes (P-RECHECK)."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page to look at. `shown` gives what its template may show; None where there is no such thing (404)."""

    path: str
    name: str
    shown: Callable[[Tools, Member], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Went:
    """It is done: on to this page, which says so in a box."""

    path: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """It is not done: the page once more, with these messages (field, key, values)."""

    page: Page
    faults: tuple[tuple[str, str, Mapping[str, str | int]], ...] = ()
    typed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Begin:
    """The owner must be proved first: by the journey of this name; from there back to `path` (P-RECHECK)."""

    change: str
    path: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class SignedOut:
    """The sign-in that pressed has ended, too; these clients hear of it."""

    parties: tuple[Party, ...]


Answer = Went | Rejected | Begin | SignedOut | None
"""None: there is no such thing (404)."""


@dataclass(frozen=True, slots=True)
class Act:
    """One press of a form's button. `done` does it, or says what is to come before."""

    path: str
    done: Callable[[Tools, Member, Mapping[str, str]], Answer]


@dataclass(frozen=True, slots=True)
class Change:
    """A link that leads into a journey which changes something, and back to `back` (S-HOME unless said)."""

    path: str
    journey: str
    back: str = HOME


@dataclass(frozen=True, slots=True)
class Handed:
    """A file for the person to keep."""

    name: str
    mimetype: str
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class File:
    """A link to a file that only the owner may have: proved anew first, then back to `back`, where the link is."""

    path: str
    made: Callable[[Tools, Member], Handed | None]
    back: str


Part = Page | Act | Change | File
