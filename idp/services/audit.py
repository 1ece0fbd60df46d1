"""The audit trail as administrators and auditors use it: read it, follow it, prove it whole."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp import clock
from idp.stores.durable import audit, audit_guards, audit_networks, audit_seals
from idp.stores.durable.audit import Event
from idp.stores.durable.audit_seals import Head, Sealed
from idp.stores.durable.db import transaction
from idp.stores.durable.sealing import Unsealable

BATCH = 1000
OVERLAP = 500
"""Events to look back over when following: numbers are given out before their transactions end."""

KEPT = timedelta(days=31 * audit_guards.KEPT_MONTHS)
"""How long events are kept, never shorter than what the database insists on (SR-125)."""


SHOWN = timedelta(days=90)
"""How long people see what happened to their account (page spec §11, SR-125)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where the trail is not as we wrote it."""

    seal: int | None
    event: int
    words: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What going along the chain has found. The trail is whole when there are no faults."""

    sealed: int
    faults: tuple[Fault, ...]
    head: Head | None


class NoSuchAccount(LookupError):
    """The account appears nowhere in the trail: it never did anything, or its link has been cut."""


def newest(number: int, *, account_id: str | None = None, since: datetime | None = None) -> list[Event]:
    """The newest events, oldest of them first; of one account or since an instant, if asked.

    Reading about one account is itself an event (SR-127). Raises `NoSuchAccount`.
    """
    account = _pseudonym(account_id)
    found = audit.read(account=account, since=since, newest=number)
    if account_id is not None:
        audit.record("audit.read", account_id=account_id)
    return found


def activity(account_id: str, *, events: Collection[str], before: int | None = None, number: int) -> list[Event]:
    """What its owner may read of an account's last days: these events, the newest first, before one of that number."""
    pseudonym = audit.pseudonym_of(account_id)
    if pseudonym is None:
        return []
    return audit.of_account(pseudonym, events=events, since=clock.now() - SHOWN, before=before, number=number)


def newest_number() -> int:
    """The number of the newest event; 0 when there is none."""
    found = audit.read(newest=1)
    return found[0].id if found else 0


def follow(
    *, after: int, account_id: str | None = None, wait: Callable[[], None], going_on: Callable[[], bool] = lambda: True
) -> Iterator[Event]:
    """Events as they come in after a number, for as long as `going_on`; `wait` is called between two looks."""
    account = _pseudonym(account_id)
    begun, last, told = after, after, set[int]()
    while going_on():
        for event in audit.read(after=max(begun, last - OVERLAP), account=account):
            if event.id not in told:
                told.add(event.id)
                last = max(last, event.id)
                yield event
        told = {number for number in told if number > last - OVERLAP}
        wait()


def seal_pending() -> int:
    """Seal what has no seal yet; how many. For the worker, every few seconds."""
    number = 0
    while batch := audit_seals.seal_pending(batch=BATCH):
        number += batch
    return number


def verify(expected: Head | None = None) -> Findings:
    """Seal what is pending, then go along the whole chain: what was changed, taken out or slipped in.

    `expected` is a head noted down earlier: that it still stands shows that no end was cut off since.
    """
    seal_pending()
    chain = _Chain()
    for sealed in _all_sealed():
        chain.add(sealed)
    faults = [*chain.faults(), *(Fault(None, number, "has no seal: slipped in") for number in audit_seals.unsealed())]
    if expected is not None and chain.seals.get(expected.number, expected.seal) != expected.seal:
        faults.append(Fault(expected.number, 0, "is not the seal noted down earlier"))
    head = audit_seals.head()
    if expected is not None and (head is None or head.number < expected.number):
        faults.append(Fault(expected.number, 0, "was there earlier, and the end of the chain is now before it"))
    return Findings(len(chain.seals), tuple(faults), head)


def forget_networks(after: timedelta) -> int:
    """Let nobody tell any more where events came from that are older than that; how many (SR-125)."""
    return audit_networks.forget(before=clock.now() - after)


def forget_old() -> int:
    """Delete events whose time is up, from the beginning of the chain; how many. Leaves an event that says so."""
    with transaction():
        through, number = audit_seals.forget(before=clock.now() - KEPT)
        if number:
            audit.record("audit.forgotten", details={"through": through, "events": number})
    return number


class _Chain:
    """Goes from seal to seal and notes what does not fit."""

    def __init__(self) -> None:
        self.seals: dict[int, str] = {}
        self._found: list[Fault] = []
        self._first: Sealed | None = None
        self._last: Sealed | None = None
        self._forgotten = 0

    def add(self, sealed: Sealed) -> None:
        """Look at the next seal and its event."""
        self._first = self._first or sealed
        if self._last is not None:
            if sealed.number != self._last.number + 1:
                self._found.append(Fault(sealed.number, sealed.event_id, "follows a seal that is gone"))
            elif sealed.previous != self._last.seal:
                self._found.append(Fault(sealed.number, sealed.event_id, "does not follow the seal before it"))
        try:
            self._judge(sealed)
        except Unsealable:
            self._found.append(Fault(sealed.number, sealed.event_id, "bears a mark whose key is gone"))
        self.seals[sealed.number] = sealed.seal.hex()
        self._last = sealed

    def faults(self) -> list[Fault]:
        """All that does not fit, the beginning of the chain included."""
        first = self._first
        if first is not None and first.number != self._forgotten + 1:
            return [Fault(first.number, first.event_id, "is not where the chain began"), *self._found]
        return self._found

    def _judge(self, sealed: Sealed) -> None:
        if sealed.event is None:
            self._found.append(Fault(sealed.number, sealed.event_id, "was sealed and is gone"))
            return
        if not audit.bears_our_mark(sealed.event):
            self._found.append(Fault(sealed.number, sealed.event_id, "was changed or not written by us"))
        elif sealed.event.event == "audit.forgotten":
            self._forgotten = max(self._forgotten, audit_seals.forgotten_through(sealed.event))
        if not audit_seals.bears_our_seal(sealed):
            self._found.append(Fault(sealed.number, sealed.event_id, "does not fit its seal"))


def _all_sealed() -> Iterator[Sealed]:
    after = 0
    while batch := audit_seals.sealed(after=after, limit=BATCH):
        yield from batch
        after = batch[-1].number


def _pseudonym(account_id: str | None) -> str | None:
    if account_id is None:
        return None
    found = audit.pseudonym_of(account_id)
    if found is None:
        raise NoSuchAccount(account_id)
    return found
