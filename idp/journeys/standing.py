"""Where a person stands: whose session speaks for them, what it has proved, which steps are theirs."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from idp import clock
from idp.factors.contract import Proved
from idp.journeys.facts import Facts, Situation, StepProof
from idp.journeys.record import Accepted, Fault, Here, Record, Rejected, Result, Tools
from idp.journeys.steps import Journey, Step
from idp.rules.assurance import EID, IDENTITY_LEVELS, METHODS, Proof
from idp.rules.factor_policy import LOGIN, SECOND_STEP
from idp.services import accounts, credentials, erasure, identities, phones, remembered_devices
from idp.services.eids import Transaction
from idp.stores.shortlived.sessions import Session


def adopts(record: Record, session: Session) -> bool:
    """Whether the browser's live session speaks for this journey's person."""
    if session.sid == record.ignored_session:
        return False
    return record.facts.account_id in (None, session.account_id) and record.wanted.account_id in (
        None,
        session.account_id,
    )


def situation(
    table: Journey, here: str, record: Record, session: Session | None, tools: Tools, *, held: str | None = None
) -> Situation:
    """The facts, with what session and eID have proved of the same person. No way back takes anything from a session.

    `here` is the journey's id, `held` what a remembered device holds: that serves a sign-in alone (SR-43).
    """
    facts = record.facts
    account_id = facts.account_id
    if table.name == "reset":
        account_id = facts.address_account
    elif session is not None and not table.is_recovery:
        account_id = session.account_id
        proofs = [
            _given(proof, account_id) for proof in session.proofs if proof.method in METHODS or proof.method == EID
        ]
        facts = replace(facts, account_id=account_id, proofs=(*proofs, *facts.proofs))
    if table.name == "sign-in" and account_id is not None:
        device = remembered_devices.proof_of(account_id, held, days=tools.settings.sessions.remember_device)
        facts = facts.proved(_given(device, account_id)) if device is not None else facts
    made = Situation(
        facts=facts,
        wanted=record.wanted,
        now=clock.now(),
        account_id=account_id,
        enrolled=_enrolled(account_id, tools) if account_id else (),
        leaving=account_id is not None and erasure.due_at(account_id) is not None,
        consent=record.wanted.consent,
        second_factors=record.wanted.second_factors if table.name == "sign-in" else (),
        factors_since=record.wanted.proofs_since,
    )
    young = replace(made, factors_since=made.now - timedelta(seconds=tools.settings.sessions.recheck))
    if table.is_change:
        return young
    if table.is_recovery:
        return _recovering(made, tools.eids.of_journey(here), tools)
    if "offer" in facts.answers:
        made = replace(made, may_offer=tools.passkey.is_on and _is_owner(young) and "passkey" not in made.enrolled)
    if table.name != "sign-in" or record.wanted.level not in IDENTITY_LEVELS.values():
        return made
    return _with_identity(made, tools.eids.of_journey(here), tools)


def _enrolled(account_id: str, tools: Tools) -> tuple[str, ...]:
    phones.settle(account_id)  # a number whose wait is over counts from now on, not from when a worker comes by
    return tuple(name for name in credentials.enrolled(account_id) if name != "passkey" or tools.passkey.is_on)


def _is_owner(young: Situation) -> bool:
    """Both steps, proved as lately as a change of the account wants them (SR-40)."""
    about = f"account:{young.account_id}"
    return young.live(about, LOGIN) is not None and young.live(about, SECOND_STEP) is not None


def _given(proof: Proof, account_id: str) -> StepProof:
    """A proof from outside this journey."""
    told = {name: getattr(proof, name) for name in proof.__struct_fields__}
    return StepProof(step="", about=f"account:{account_id}", **told)


def _recovering(made: Situation, attempt: Transaction | None, tools: Tools) -> Situation:
    """Proofs of this journey count for an hour; an eID only in an attempt that was made for this (SR-64, SR-104)."""
    account_id = made.account_id
    if account_id is None:
        return made
    attempt = attempt if attempt is not None and attempt.recovers else None
    waiting = phones.waiting(account_id)
    return replace(
        made,
        facts=_with_attempt(made.facts, attempt, timedelta(seconds=tools.settings.sessions.identity_proof)),
        factors_since=made.now - timedelta(seconds=tools.settings.sessions.address_proof),
        eid=attempt,
        has_identity=bool(tools.eids.connectors) and identities.of_account(account_id) is not None,
        phone_waits_until=waiting.until if waiting else None,
    )


def _with_identity(made: Situation, attempt: Transaction | None, tools: Tools) -> Situation:
    """Where a level of identity is wanted, its age is the eID's; tying one to an account wants young factors."""
    attempt = None if attempt is not None and attempt.recovers else attempt
    linked = made.account_id is not None and identities.of_account(made.account_id) is not None
    recheck = timedelta(seconds=tools.settings.sessions.recheck)
    begun = attempt.created_at if attempt is not None and attempt.is_open else made.now
    return replace(
        made,
        facts=_with_attempt(made.facts, attempt, timedelta(seconds=tools.settings.sessions.identity_proof)),
        factors_since=None if linked else begun - recheck,
        identity_since=made.wanted.proofs_since,
        eid=attempt,
    )


def _with_attempt(facts: Facts, attempt: Transaction | None, life: timedelta) -> Facts:
    """The proof that this journey's attempt came to, if it went well."""
    if attempt is None or attempt.proved_at is None or attempt.level is None:
        return facts
    proof = StepProof(
        step="eid",
        method=EID,
        about=f"account:{attempt.account_id}",
        at=attempt.proved_at,
        until=attempt.proved_at + life,
        level=attempt.level,
        amr=attempt.amr,
    )
    return facts.proved(proof)


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


def signed_in(here: Here, account_id: str, proved: Proved, key: str = "") -> Result:
    """It is this account's owner who is here; where one account is to be changed, no other's."""
    if here.record.wanted.change is not None and account_id != here.record.wanted.account_id:
        return Rejected((Fault("email", "E-LOGIN"),))

    def change(facts: Facts) -> Facts:
        cut = facts.cut(("login", "second-step", "consent"))
        known = replace(cut, account_id=account_id).answered("accounts", chosen="signed-in")
        return known.proved(proof_of(here, "login", f"account:{account_id}", proved, key))

    return Accepted(change)


def proof_of(here: Here, step: str, about: str, proved: Proved, key: str = "") -> StepProof:
    """A factor used well at a step, as the journey keeps it."""
    until = proved.at + here.tools.proof_life
    return StepProof(step=step, method=proved.method, about=about, at=proved.at, until=until, key=key)
