"""Where a person stands: whose session speaks for them, what it has proved, which steps are theirs."""

from __future__ import annotations

from msgspec.structs import replace

from idp import clock
from idp.journeys.facts import Situation, StepProof
from idp.journeys.record import Record
from idp.journeys.steps import Journey, Step
from idp.rules.assurance import METHODS
from idp.services import accounts, credentials
from idp.stores.shortlived.sessions import Session


def adopts(record: Record, session: Session) -> bool:
    """Whether the browser's live session speaks for this journey's person."""
    if session.sid == record.ignored_session:
        return False
    return record.facts.account_id in (None, session.account_id) and record.wanted.account_id in (
        None,
        session.account_id,
    )


def situation(table: Journey, record: Record, session: Session | None) -> Situation:
    """The facts, with what the session has proved of the same person. A reset takes nothing from a session."""
    facts = record.facts
    account_id = facts.account_id
    if table.name == "reset":
        account_id = facts.address_account
    elif session is not None:
        about = f"account:{session.account_id}"
        proofs = [
            StepProof(step="", method=proof.method, about=about, at=proof.at, until=proof.until)
            for proof in session.proofs
            if proof.method in METHODS
        ]
        account_id = session.account_id
        facts = replace(facts, account_id=account_id, proofs=(*proofs, *facts.proofs))
    return Situation(
        facts=facts,
        wanted=record.wanted,
        now=clock.now(),
        account_id=account_id,
        enrolled=credentials.enrolled(account_id) if account_id else (),
        consent=record.wanted.consent,
    )


def signed_in_elsewhere(record: Record, session: Session | None, due: Step | None) -> bool:
    """Whether another tab has signed in the person of this sign-up or reset meanwhile (page spec §7).

    `due` is what a sign-in would still ask for. An address that was given here and is not that person's
    own is somebody else's: that journey goes on.
    """
    if session is None or (due is not None and due.name != "consent"):
        return False
    address = record.facts.answers.get("email")
    owner = accounts.by_address(address["canonical"]) if address else None
    return address is None or (owner is not None and owner.id == session.account_id)


def reached(table: Journey, name: str, current: Step, situation: Situation) -> bool:
    """Whether this step is the current one, or an earlier one that the person has been at."""
    step = table.step(name)
    if step is None:
        return False
    names = [known.name for known in table.steps]
    if names.index(name) > names.index(current.name):
        return False
    return step is current or (step.kind != "stop" and step.when(situation))
