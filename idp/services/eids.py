"""Proving who somebody is with an eID: start, come back or ask how it goes, stop. And what each end means.

A transaction belongs to one browser, one journey and one account; the provider's word counts once, for
the level the operator's table gives it, and only for the person already linked to the account, or for
one who has no account yet (SR-102 to SR-106).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest

from idp import clock
from idp.eid.connector import Attempt, Connector, Failed, Leave, Level, Outcome, Pending, Result, Verified, View
from idp.rules.assurance import IDENTITY_LEVELS
from idp.services import identities
from idp.services.windows import Origin
from idp.stores.durable import audit, eid_transactions
from idp.stores.durable.db import transaction
from idp.stores.durable.eid_transactions import Begun, Transaction
from idp.stores.shortlived.contract import ShortLived

__all__ = ["Asked", "Eids", "TooOften", "Transaction", "View"]

LIFE = timedelta(minutes=5)
"""How long an attempt may take. Providers give people about three minutes."""

HOUR = 3600
LEASE = 15
"""Seconds after which a poll that never came back no longer keeps others from asking."""

PATIENCE = 5.0
"""Seconds that a browser which has come back waits for a poll that is under way."""


class TooOften(Exception):
    """Too many attempts that nobody answered (rule 9: a push to a phone can be used to wear people down)."""

    seconds = HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asks for a proof, from where, for which client, at which level."""

    browser: str
    journey_id: str
    account_id: str
    client_id: str
    service: str
    level: Level
    origin: Origin
    user_agent: str
    locale: str
    recovers: bool = False
    """The phone is lost: only whoever is linked to the account already may answer, and nobody is linked by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Eids:
    """The eIDs of this deployment, in the order people see them. Everything else is a function of them."""

    connectors: Mapping[str, Connector]
    store: ShortLived
    issuer: str
    trust_frameworks: Mapping[str, str]
    """Under which rules each eID verifies people."""
    per_account_hour: int
    per_network_hour: int

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels of identity that some eID here can prove, lowest first."""
        offered = {level for connector in self.connectors.values() for level in connector.levels.values()}
        return tuple(acr for level, acr in IDENTITY_LEVELS.items() if level in offered)

    def start(self, name: str, flow: str, asked: Asked) -> Transaction | Leave:
        """Begin with this eID; where the browser goes, or the transaction to wait for.

        Raises `LookupError` for an eID or way that is not offered to this person, and `TooOften`.
        """
        connector = self.connectors[name]
        expected = identities.expected(asked.account_id, name)
        if flow not in self.ways(name, asked.account_id) or (asked.recovers and expected is None):
            raise LookupError(flow)
        self._count(asked)
        begun = self._begin(name, flow, asked, known=expected is not None)
        started = connector.start(
            Attempt(
                transaction_id=begun.id,
                state=begun.state,
                callback=f"{self.issuer}/eid/{name}/return",
                level=asked.level,
                flow=flow,
                expected=expected,
                service=asked.service,
                locale=asked.locale,
                address=asked.origin.address,
                user_agent=asked.user_agent,
                device=sha256(f"eid:{asked.browser}".encode()).hexdigest(),
                now=begun.created_at,
            )
        )
        if isinstance(started, Failed):
            identities.fail(_of(begun), started)
        elif eid_transactions.note(begun.id, started.notes) and isinstance(started, Leave):
            return started
        return _of(begun)

    def ways(self, name: str, account_id: str) -> tuple[str, ...]:
        """The flows open to this person. A push goes only to a device this person has used before (SR-105)."""
        known = identities.expected(account_id, name)
        flows = self.connectors[name].flows
        return tuple(flow for flow in flows if flow != "notification" or (known is not None and known.reference))

    def of_journey(self, journey_id: str) -> Transaction | None:
        """The newest attempt of a journey; one past its time has ended."""
        found = eid_transactions.newest_of_journey(journey_id)
        if found is not None and found.is_open and found.expires_at <= clock.now():
            identities.fail(found, Failed(Outcome.TIMEOUT, "past its time"))
            return eid_transactions.newest_of_journey(journey_id)
        return found

    def poll(self, found: Transaction) -> None:
        """Ask the provider how it goes, unless somebody is asking just now."""
        connector = self.connectors.get(found.eid)
        if connector is None or not found.is_open:
            return
        with self._lease(found.id) as mine:
            if mine:
                notes = self._notes(found)
                if notes is not None:
                    self._settle(found, connector.poll(notes, now=clock.now()))

    def returned(self, name: str, answer: Mapping[str, str], *, browser: str | None) -> Transaction | None:
        """The browser has come back from this provider. None when the state is none of ours.

        The transaction says whether it went well. In another browser than the one that began it fails (rule 2).
        """
        found = eid_transactions.by_state(answer.get("state", ""))
        if found is None or found.eid != name or name not in self.connectors:
            return None
        if browser is None or not compare_digest(found.browser, browser):
            identities.fail(found, Failed(Outcome.BROWSER_MISMATCH, "another browser came back"))
        elif found.is_open and found.expires_at > clock.now():
            self._take(found, answer)
        return eid_transactions.by_state(answer["state"])

    def cancel(self, found: Transaction) -> None:
        """The person stops it here."""
        notes = self._notes(found)
        if identities.fail(found, Failed(Outcome.USER_REFUSED, "stopped on our page")):
            connector = self.connectors.get(found.eid)
            if connector is not None and notes is not None:
                connector.cancel(notes)

    def view(self, found: Transaction, *, locale: str) -> View:
        """What the waiting page may show now."""
        notes, connector = self._notes(found), self.connectors.get(found.eid)
        return connector.view(notes, now=clock.now(), locale=locale) if connector and notes else View()

    # How it is done

    def _take(self, found: Transaction, answer: Mapping[str, str]) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            with self._lease(found.id) as mine:
                if mine or time.monotonic() > until:
                    notes = self._notes(found)
                    if notes is not None:
                        self._settle(found, self.connectors[found.eid].returned(notes, answer, now=clock.now()))
                    return
            time.sleep(0.1)

    @contextmanager
    def _lease(self, transaction_id: str) -> Iterator[bool]:
        """Whether the provider is ours to ask: some give an answer once and never again."""
        key = f"eid-poll:{transaction_id}"
        mine = self.store.claim(key, ttl=LEASE)
        try:
            yield mine
        finally:
            if mine:
                self.store.take(key)

    @staticmethod
    def _notes(found: Transaction) -> bytes | None:
        """As they are now: another request may have changed them, or ended it all."""
        now = eid_transactions.by_id(found.id)
        return now.notes if now is not None and now.is_open else None

    def _count(self, asked: Asked) -> None:
        since = clock.now() - timedelta(seconds=HOUR)
        if eid_transactions.unanswered(asked.account_id, since=since) >= self.per_account_hour:
            raise TooOften
        if self.store.count(f"eid-starts:{asked.origin.network}", window=HOUR) > self.per_network_hour:
            raise TooOften

    @staticmethod
    def _begin(name: str, flow: str, asked: Asked, *, known: bool) -> Begun:
        now = clock.now()
        begun = Begun(
            id=secrets.token_urlsafe(16),
            state=secrets.token_urlsafe(32),
            browser=asked.browser,
            journey_id=asked.journey_id,
            account_id=asked.account_id,
            client_id=asked.client_id,
            purpose="recovery" if asked.recovers else "step_up" if known else "link",
            eid=name,
            flow=flow,
            wanted_level=asked.level,
            created_at=now,
            expires_at=now + LIFE,
        )
        with transaction():
            eid_transactions.begin(begun)
            audit.record(
                "eid.started",
                account_id=asked.account_id,
                client_id=asked.client_id,
                journey=asked.journey_id,
                details={"eid": name, "flow": flow, "level": asked.level, "purpose": begun.purpose},
            )
        return begun

    def _settle(self, found: Transaction, result: Result) -> None:
        match result:
            case Pending(notes=notes):
                if notes is not None:
                    eid_transactions.note(found.id, notes)
            case Failed():
                identities.fail(found, result)
            case Verified():
                framework = self.trust_frameworks.get(found.eid, found.eid)
                identities.prove(found, result, levels=self.connectors[found.eid].levels, trust_framework=framework)


def _of(begun: Begun) -> Transaction:
    found = eid_transactions.by_id(begun.id)
    if found is None:
        raise LookupError(begun.id)
    return found
