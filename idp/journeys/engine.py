"""The machine that runs every journey: load, check, save once.

The step a person stands at is derived from the facts on every request. A page of an earlier step may
be looked at and answered anew; a later one leads back to where the person stands (SR-44).
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from idp import clock
from idp.interaction import Done, Interactions, Refused, SignIn
from idp.journeys import closing, handlers, showing, standing
from idp.journeys.facts import Facts
from idp.journeys.finish import FINISHES
from idp.journeys.record import (
    KEPT,
    Accepted,
    Answer,
    Declined,
    Fault,
    Here,
    Left,
    Notice,
    Record,
    Rejected,
    Submission,
    SwitchedUser,
    Tools,
    Visitor,
    decode,
    encode,
)
from idp.journeys.replies import Gone, Over, Reply, Shown, Stand, TooManyJourneys
from idp.journeys.steps import Journey
from idp.journeys.table import JOURNEYS, RESET, SIGN_IN, SIGN_UP, named
from idp.rules.limits import Wait
from idp.services import sessions, throttling
from idp.stores.shortlived.journeys import JourneyRecords

PATIENCE = 3.0
"""Seconds that a second press of the same form waits for the answer to the first."""


class Engine:
    """Shows steps and takes what is sent, for every journey alike."""

    def __init__(self, tools: Tools, interactions: Interactions, records: JourneyRecords) -> None:
        self._tools = tools
        self._interactions = interactions
        self._records = records

    def wanted(self, journey_id: str, visitor: Visitor) -> SignIn | None:
        """What the journey is for, if it lives and is this browser's own."""
        loaded = self._load(journey_id, visitor)
        return loaded[1].wanted if loaded else None

    def enter(self, journey_id: str, journey: str | None, visitor: Visitor) -> Reply:
        """Lead to the step this person stands at."""
        loaded = self._load(journey_id, visitor)
        if loaded is None:
            return Gone(self._interactions.start_of(journey_id))
        if loaded[1].finished:
            return Over(loaded[1].wanted)
        table = named(journey, loaded[1].wanted) or named(None, loaded[1].wanted)
        return self._advance(journey_id, table or SIGN_IN, loaded[1], visitor)

    def show(self, journey_id: str, journey: str, step: str, visitor: Visitor, *, way: str = "") -> Reply:
        """The page of a step: the one the person stands at, or an earlier one. `way` is another way to do it."""
        found = self.stand(journey_id, journey, step, visitor)
        if not isinstance(found, Here):
            return found
        return self._page(found, page=showing.page_of(found, way))

    def submit(
        self, journey_id: str, journey: str, step: str, visitor: Visitor, *, form: str, sent: Submission
    ) -> Reply:
        """Take what was sent. `form` is the one-time id of the rendered form."""
        found = self.stand(journey_id, journey, step, visitor)
        if not isinstance(found, Here):
            return found
        if not self._records.claim_form(form):
            return self._again(found, form, visitor)
        match handlers.answered(found, sent):
            case Rejected() as rejected:
                return self._reject(found, rejected, form, sent)
            case Declined():
                self._interactions.answer(journey_id, Refused(), browser=visitor.browser)
                return Stand(found.record.wanted.resume(journey_id))
            case SwitchedUser():
                return self._switch_user(found, form)
            case Left(url=url):
                self._remember(journey_id, form, Stand(url))
                return Stand(url)
            case Accepted(change=change):
                record = self._save(journey_id, lambda record: replace(record, facts=change(record.facts), misses=0))
                reply = self._advance(journey_id, JOURNEYS[journey], record, visitor)
                self._remember(journey_id, form, reply)
                return reply

    def stale(self, journey_id: str, journey: str, step: str, visitor: Visitor, typed: Mapping[str, str]) -> Reply:
        """The form was too old: the same page again, with everything kept (page spec §7)."""
        found = self.stand(journey_id, journey, step, visitor)
        if not isinstance(found, Here):
            return found
        return self._page(found, notices=(Notice("info", "stale"),), typed=typed)

    # How it is done

    def _load(self, journey_id: str, visitor: Visitor) -> tuple[bytes, Record] | None:
        loaded = self._records.load(journey_id)
        if loaded is None:
            wanted = self._interactions.look(journey_id, browser=visitor.browser)
            if not isinstance(wanted, SignIn):
                return None
            decision = throttling.new_journey(self._tools.store, self._tools.settings.limits, visitor.origin)
            if isinstance(decision, Wait):
                raise TooManyJourneys(decision.seconds)
            self._records.begin(
                journey_id, encode(Record(browser=visitor.browser, wanted=wanted, begun_at=clock.now())).decode()
            )
            loaded = self._records.load(journey_id)
        if loaded is None:
            return None
        record = decode(loaded[1])
        return (loaded[0], record) if record.browser == visitor.browser else None

    def _save(self, journey_id: str, change: Callable[[Record], Record]) -> Record:
        """Apply the change to the record as it is now; again, if another tab was quicker."""
        while True:
            loaded = self._records.load(journey_id)
            if loaded is None:
                raise LookupError(journey_id)
            record = change(decode(loaded[1]))
            if self._records.replace(journey_id, loaded[0], encode(record).decode()):
                return record

    def _here(self, journey_id: str, table: Journey, step: str, record: Record, visitor: Visitor) -> Here:
        session = sessions.find(self._tools.store, self._tools.settings.sessions, visitor.session_id)
        if session is not None and not standing.adopts(record, session):
            session = None
        known = table.step(step)
        return Here(
            journey_id=journey_id,
            journey=table.name,
            step=step,
            record=record,
            situation=standing.situation(table, journey_id, record, session, self._tools, held=visitor.remembered),
            session=session,
            locale=visitor.locale,
            tools=self._tools,
            factors=known.factors if known else (),
        )

    def stand(self, journey_id: str, journey: str, step: str, visitor: Visitor) -> Here | Reply:
        """The person at this step, or where they stand if it is later than that."""
        loaded = self._load(journey_id, visitor)
        if loaded is None:
            return Gone(self._interactions.start_of(journey_id))
        record = loaded[1]
        table = named(journey, record.wanted)
        if record.finished:
            return Over(record.wanted)
        if table is None:
            return Stand(f"/journey/{journey_id}")
        if table in (SIGN_UP, RESET) and self._signed_in_elsewhere(journey_id, record, visitor):
            return self._advance(journey_id, SIGN_IN, record, visitor)
        here = self._here(journey_id, table, step, record, visitor)
        current = table.next_step(here.situation)
        if current is None or not standing.reached(table, step, current, here.situation):
            return self._advance(journey_id, table, record, visitor)
        return here

    def _signed_in_elsewhere(self, journey_id: str, record: Record, visitor: Visitor) -> bool:
        here = self._here(journey_id, SIGN_IN, "", record, visitor)
        return standing.signed_in_elsewhere(record, here.session, SIGN_IN.next_step(here.situation))

    def _advance(self, journey_id: str, table: Journey, record: Record, visitor: Visitor) -> Stand:
        here = self._here(journey_id, table, "", record, visitor)
        current = table.next_step(here.situation)
        if current is not None:
            return Stand(f"/journey/{journey_id}/{table.name}/{current.name}")
        if not self._records.claim_end(journey_id):
            return self._ended(journey_id, table, record, visitor)
        try:
            finished = FINISHES[table.then](here, visitor)
        except Exception:  # whatever it was is raised again: the end must not stay taken
            self._records.release_end(journey_id)
            raise
        if isinstance(finished, closing.GoOn):
            record = self._save(journey_id, lambda now: replace(now, facts=finished.facts))
            self._records.release_end(journey_id)
            return self._advance(journey_id, named(finished.journey, record.wanted) or SIGN_IN, record, visitor)
        self._save(journey_id, lambda now: replace(now, finished=True, facts=Facts(), last_form="", last_answer=None))
        self._interactions.answer(journey_id, Done(finished.said), browser=visitor.browser)
        onward = finished.onward or record.wanted.resume(journey_id)
        return Stand(onward, finished.session_id, finished.remembered)

    def _ended(self, journey_id: str, table: Journey, record: Record, visitor: Visitor) -> Stand:
        """Another tab is bringing the same journey to its end: one account, one session."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            loaded = self._load(journey_id, visitor)
            if loaded is None or loaded[1].finished:
                return Stand(record.wanted.resume(journey_id))
            time.sleep(0.05)
        return Stand(f"/journey/{journey_id}/{table.name}")

    def _page(
        self,
        here: Here,
        *,
        page: str = "",
        status: int = 200,
        faults: tuple[Fault, ...] = (),
        notices: tuple[Notice, ...] = (),
        typed: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> Shown:
        own = showing.template(here)
        shown = showing.values(here, page or own)
        if not notices and not faults and page in ("", own):  # P-WAIT beside "a new code was sent" would puzzle
            notices = showing.notices(here)
        return Shown(
            page=page or own,
            journey_id=here.journey_id,
            journey=here.journey,
            step=here.step,
            wanted=here.record.wanted,
            status=status,
            faults=faults,
            notices=notices,
            typed=typed or {},
            values={**shown, **(values or {})},
        )

    def _reject(self, here: Here, rejected: Rejected, form: str, sent: Submission) -> Shown:
        answer = Answer(
            status=rejected.status,
            faults=rejected.faults,
            notices=rejected.notices,
            typed={name: value for name, value in sent.typed.items() if name in KEPT},
            page=rejected.page,
            shown=dict(rejected.shown),
        )
        misses = here.record.misses if rejected.misses is None else rejected.misses
        record = self._save(
            here.journey_id, lambda now: replace(now, last_form=form, last_answer=answer, misses=misses)
        )
        return self._draw(_with(here, record), answer)

    def _draw(self, here: Here, answer: Answer) -> Shown:
        return self._page(
            here,
            page=answer.page,
            status=answer.status,
            faults=answer.faults,
            notices=answer.notices,
            typed=answer.typed,
            values=answer.shown,
        )

    def _again(self, here: Here, form: str, visitor: Visitor) -> Reply:
        """A second press of the same form hears what the first one heard: one message, one try."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            loaded = self._load(here.journey_id, visitor)
            if loaded is None:
                break
            record = loaded[1]
            if record.finished:
                return Stand(record.wanted.resume(here.journey_id))
            if record.last_form == form and record.last_answer is not None:
                answer = record.last_answer
                return Stand(answer.url) if answer.url else self._draw(_with(here, record), answer)
            time.sleep(0.05)
        return Stand(f"/journey/{here.journey_id}/{here.journey}")

    def _remember(self, journey_id: str, form: str, reply: Stand) -> None:
        if reply.session_id is None:
            answer = Answer(url=reply.url)
            self._save(journey_id, lambda now: replace(now, last_form=form, last_answer=answer))

    def _switch_user(self, here: Here, form: str) -> Stand:
        ignored = here.session.sid if here.session else ""
        facts = Facts().answered("accounts", chosen="other")
        self._save(here.journey_id, lambda now: replace(now, facts=facts, ignored_session=ignored))
        stand = Stand(f"/journey/{here.journey_id}/{SIGN_IN.name}/login")
        self._remember(here.journey_id, form, stand)
        return stand


def _with(here: Here, record: Record) -> Here:
    return dataclasses.replace(here, record=record)
