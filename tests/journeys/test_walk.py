"""The journeys' table, walked: every way through, not the ways we thought of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from idp.interaction import ClientFace, SignIn
from idp.journeys.facts import Facts, Situation, StepProof
from idp.journeys.steps import Journey, Step
from idp.journeys.table import JOURNEYS
from idp.rules.assurance import EID, HIGH, IDENTITY_LEVELS, MFA, REMEMBERED, SUBSTANTIAL, Proof, assess, reaches
from idp.rules.factor_policy import RECOVERY, RECOVERY_AFTER_A_WAIT, SECOND_STEP, SUPPORT_CODE

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WANTED = SignIn(resume_at="/authorize/resume", client=ClientFace(client_id="portal", name="Alumni"), level="mfa")
KARI, PHONES = "kari", ("sms", "voice")
ENROLLED = {
    "none": (),
    "voice": ("voice",),
    "phone": PHONES,
    "app": ("totp",),
    "passkey": ("passkey",),
    "everything": SECOND_STEP,
}
each_enrolment = pytest.mark.parametrize("enrolled", ENROLLED.values(), ids=ENROLLED)
CHANGES = {name: journey for name, journey in JOURNEYS.items() if journey.is_change}
LONG = timedelta(hours=1)
LEVELS_OF = {EID: ("substantial", "high")}


ANSWERS = {
    "email": {"canonical": "kari@example.no", "typed": "kari@example.no"},
    "phone": {"e164": "+4799999999", "takes_sms": "yes"},
    "new-email": {"canonical": "kari.ny@example.no", "typed": "kari.ny@example.no"},
    "new-phone": {"e164": "+4788888888", "takes_sms": "yes"},
}


def beginning(consent: tuple[str, ...], wanted: SignIn) -> Situation:
    """A person about to begin, with or without something to agree to."""
    return Situation(facts=Facts(), wanted=wanted, now=NOW, consent=consent, has_identity=True)


def done(
    journey: Journey, step: Step, at: Situation, *, address_known: bool, enrolled: tuple[str, ...]
) -> list[Situation]:
    """The situations after the person did this step, one per way to do it."""
    facts = at.facts
    if step.kind == "ask":
        return [replace(at, facts=facts.answered(step.name, **ANSWERS.get(step.name, {"said": "yes"})))]
    if not step.factors or step.kind == "offer":
        return without_a_proof(step, at)
    after = []
    made = (*PHONES, "passkey") if step.kind == "enrol" else ()
    at_hand = {*enrolled, "password", "email_code", EID, SUPPORT_CODE, REMEMBERED, *made}
    ways = [(name, level) for name in step.factors if name in at_hand for level in LEVELS_OF.get(name, ("",))]
    for factor, level in ways:
        about = step.about(at) if step.about else None
        if step.name == "login":
            about = f"account:{KARI}"
        until = NOW + timedelta(hours=1)
        proof = StepProof(step=step.name, method=factor, about=about or "", at=NOW, until=until, level=level)
        known = facts.proved(proof)
        if step.kind == "enrol":
            known = known.kept(step.name, method=factor)
        if step.name == "login":
            known = replace(known, account_id=KARI)
        if step.name == "email-code" and address_known:
            known = replace(known, address_account=KARI)
        account = known.address_account if journey.name == "reset" else known.account_id
        after.append(replace(at, facts=known, account_id=account, enrolled=enrolled if account else ()))
    return after


def without_a_proof(step: Step, at: Situation) -> list[Situation]:
    """After what proves nothing: made here, or offered, where no and yes both end it; after a stop, nothing."""
    kept = replace(at, facts=at.facts.kept(step.name, made="yes"))
    declined = at.facts.answered(step.name, said="not-now")
    answers = [replace(at, facts=one) for one in (declined, declined.kept(step.name, made="a passkey"))]
    return {"enrol": [kept], "offer": answers}.get(step.kind, [])


def endings(
    journey: Journey,
    *,
    enrolled: tuple[str, ...],
    consent: tuple[str, ...],
    address_known: bool,
    wanted: SignIn = WANTED,
) -> Iterator[Situation]:
    """Every situation in which this journey is complete."""
    waiting = [beginning(consent, wanted)]
    while waiting:
        at = waiting.pop()
        step = journey.next_step(at)
        if step is None:
            yield at
            continue
        after = done(journey, step, at, address_known=address_known, enrolled=enrolled)
        waiting.extend(one for one in after if not step.due(one))  # what proved too little leads nowhere


def level_of(ending: Situation) -> str:
    """What the proofs of the account's own factors come to."""
    proofs = [
        Proof(method=proof.method, at=proof.at, until=proof.until)
        for proof in ending.facts.proofs
        if proof.method != EID and proof.about in (f"account:{KARI}", "number:+4799999999")
    ]
    assurance = assess(proofs, NOW)
    return assurance.acr if assurance else ""


@each_enrolment
@pytest.mark.parametrize("consent", [(), ("email",)], ids=["agreed", "consent"])
def test_a_session_never_starts_on_one_kind_of_proof(enrolled: tuple[str, ...], consent: tuple[str, ...]) -> None:
    """SR-51: two kinds of factor, on every way through sign-in."""
    found = list(endings(JOURNEYS["sign-in"], enrolled=enrolled, consent=consent, address_known=True))
    assert found
    assert {level_of(ending) for ending in found} == {MFA}


@each_enrolment
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nothing_of_an_account_changes_without_two_kinds_of_proof(change: Journey, enrolled: tuple[str, ...]) -> None:
    """SR-40: of every way through every change. An account without a second step changes nothing this way."""
    found = list(endings(change, enrolled=enrolled, consent=(), address_known=True))
    assert bool(found) == bool(enrolled)
    assert {level_of(ending) for ending in found} <= {MFA}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_asks_again_for_proofs_that_are_not_of_the_last_minutes(change: Journey) -> None:
    """SR-40: by what time each proof was made, whatever the session still counts."""
    old = tuple(
        StepProof(step="", method=method, about=f"account:{KARI}", at=NOW - timedelta(minutes=11), until=NOW + LONG)
        for method in ("password", "sms")
    )
    at = Situation(
        facts=Facts(account_id=KARI, proofs=old),
        wanted=WANTED,
        now=NOW,
        account_id=KARI,
        enrolled=PHONES,
        factors_since=NOW - timedelta(minutes=10),
    )
    step = change.next_step(at)
    assert step is not None
    assert step.name == "login"


@pytest.mark.parametrize("level", [SUBSTANTIAL, HIGH])
@each_enrolment
def test_a_level_of_identity_is_reached_only_by_both_factors_and_an_eid_of_that_level(
    level: str, enrolled: tuple[str, ...]
) -> None:
    """SR-59, SR-104: the eID is never a sign-in by itself, and a lower one is not enough."""
    found = list(
        endings(
            JOURNEYS["sign-in"],
            enrolled=enrolled,
            consent=(),
            address_known=True,
            wanted=replace(WANTED, level=level),
        )
    )
    assert found
    for ending in found:
        assert level_of(ending) == MFA
        assert any(
            proof.method == EID and reaches(IDENTITY_LEVELS[proof.level], level) for proof in ending.facts.proofs
        )


def test_an_account_opens_only_after_both_codes_and_a_password() -> None:
    """SR-44, SR-45."""
    found = list(endings(JOURNEYS["sign-up"], enrolled=(), consent=(), address_known=False))
    assert found
    for ending in found:
        methods = {proof.method for proof in ending.facts.proofs}
        assert "email_code" in methods
        assert methods & set(PHONES)
        assert {"password", "phone-code"} <= set(ending.facts.bound)


def test_sign_up_with_a_known_address_never_ends_in_an_account() -> None:
    """SR-46, SR-47: the proved address of an account leads to "you already have an account" and no further."""
    assert list(endings(JOURNEYS["sign-up"], enrolled=PHONES, consent=(), address_known=True)) == []


@each_enrolment
def test_reset_takes_the_mailbox_and_a_second_factor(enrolled: tuple[str, ...]) -> None:
    """SR-61: neither alone changes anything; without a second factor there is no reset."""
    found = list(endings(JOURNEYS["reset"], enrolled=enrolled, consent=(), address_known=True))
    assert bool(found) == bool(enrolled)
    for ending in found:
        methods = {proof.method for proof in ending.facts.proofs if proof.about == f"account:{KARI}"}
        assert methods & set(SECOND_STEP)
        assert any(proof.method == "email_code" for proof in ending.facts.proofs)


def test_reset_of_an_account_without_a_second_factor_never_ends() -> None:
    """SR-61, SR-62: an e-mail alone resets nothing."""
    assert list(endings(JOURNEYS["reset"], enrolled=(), consent=(), address_known=True)) == []


def test_a_proof_about_one_subject_never_counts_for_another() -> None:
    """A phone proved while signing up is no second step of somebody's reset (SR-15, SR-64)."""
    strangers = StepProof(
        step="phone-code", method="sms", about="number:+4799999999", at=NOW, until=NOW + timedelta(hours=1)
    )
    mailbox = StepProof(
        step="email-code", method="email_code", about="address:kari@example.no", at=NOW, until=NOW + timedelta(hours=1)
    )
    facts = Facts(address_account=KARI).answered("email", canonical="kari@example.no", typed="kari@example.no")
    at = Situation(
        facts=facts.proved(strangers).proved(mailbox), wanted=WANTED, now=NOW, account_id=KARI, enrolled=PHONES
    )
    step = JOURNEYS["reset"].next_step(at)
    assert step is not None
    assert step.name == "second-step"


def test_a_proof_older_than_wanted_asks_again() -> None:
    """SR-58: prompt=login and max_age ask for proofs made since then."""
    old = tuple(
        StepProof(
            step="",
            method=method,
            about=f"account:{KARI}",
            at=NOW - timedelta(minutes=20),
            until=NOW + timedelta(hours=1),
        )
        for method in ("password", "sms")
    )
    fresh = replace(WANTED, proofs_since=NOW - timedelta(minutes=5))
    at = Situation(
        facts=Facts(account_id=KARI, proofs=old),
        wanted=fresh,
        now=NOW,
        account_id=KARI,
        enrolled=PHONES,
        factors_since=fresh.proofs_since,
    )
    step = JOURNEYS["sign-in"].next_step(at)
    assert step is not None
    assert step.name == "login"


# Remembered devices (SR-43): every walk above has one at hand, too


@pytest.mark.parametrize("name", [name for name in JOURNEYS if name != "sign-in"])
def test_a_remembered_device_serves_in_no_journey_but_sign_in(name: str) -> None:
    assert not [step.name for step in JOURNEYS[name].steps if REMEMBERED in step.factors]


def test_a_remembered_device_shortens_a_sign_in() -> None:
    assert second_step_due(WANTED) is False


@pytest.mark.parametrize("level", [SUBSTANTIAL, HIGH])
def test_it_serves_no_level_of_identity(level: str) -> None:
    assert second_step_due(replace(WANTED, level=level)) is True


def test_it_serves_nobody_who_must_have_been_proved_since_then() -> None:
    """SR-58: prompt=login and max_age, however young its own proof may be."""
    assert second_step_due(replace(WANTED, proofs_since=NOW - timedelta(days=60))) is True


def second_step_due(wanted: SignIn) -> bool:
    """Whether a sign-in asks for the second step when the password is proved and the device is remembered."""
    proofs = tuple(
        StepProof(step="", method=method, about=f"account:{KARI}", at=NOW - timedelta(minutes=age), until=NOW + LONG)
        for method, age in (("password", 0), (REMEMBERED, 1))
    )
    at = Situation(
        facts=Facts(account_id=KARI, proofs=proofs),
        wanted=wanted,
        now=NOW,
        account_id=KARI,
        enrolled=PHONES,
        factors_since=wanted.proofs_since,
    )
    step = JOURNEYS["sign-in"].next_step(at)
    return step is not None and step.name == "second-step"


@pytest.mark.parametrize("made", [True, False])
def test_an_offer_that_is_declined_leaves_the_journey_as_complete_as_one_that_is_taken(made: bool) -> None:
    """Page spec §8.2: a passkey is offered, and nobody has to take it; nor is it offered without being due."""
    offered = Facts().answered("offer", after="reset")
    journey = offered_a_passkey(offered)
    step = JOURNEYS["sign-in"].next_step(journey)
    assert step is not None
    assert step.name == "new-passkey"
    after = done(JOURNEYS["sign-in"], step, journey, address_known=True, enrolled=PHONES)[int(made)]
    assert JOURNEYS["sign-in"].next_step(after) is None
    assert ("new-passkey" in after.facts.bound) is made
    assert JOURNEYS["sign-in"].next_step(replace(journey, may_offer=False)) is None


def offered_a_passkey(facts: Facts) -> Situation:
    """Somebody who has just done both steps, in a browser that can make passkeys."""
    proofs = tuple(
        StepProof(step=step, method=method, about=f"account:{KARI}", at=NOW, until=NOW + LONG)
        for step, method in (("login", "password"), ("second-step", "sms"))
    )
    known = replace(facts, account_id=KARI, proofs=proofs)
    return Situation(facts=known, wanted=WANTED, now=NOW, account_id=KARI, enrolled=PHONES, may_offer=True)


def by(ending: Situation, about: str) -> set[str]:
    """What was proved about a subject on the way."""
    return {proof.method for proof in ending.facts.proofs if proof.about == about}


def owner(ending: Situation) -> bool:
    return level_of(ending) == MFA


def new_number(ending: Situation) -> bool:
    return bool(by(ending, "number:+4788888888") & set(PHONES))


def lost(ending: Situation, *beside: str) -> bool:
    """The password, and one of these beside it."""
    proved = by(ending, f"account:{KARI}")
    return "password" in proved and bool(proved & set(beside))


def mailbox_or_eid(ending: Situation) -> bool:
    """Support's word counts with the mailbox alone; an eID by itself."""
    proved = by(ending, f"account:{KARI}")
    return EID in proved or (SUPPORT_CODE in proved and "email_code" in by(ending, f"mailbox:{KARI}"))


NEEDS = {
    "start_session": owner,
    "open_account": lambda ending: (
        "email_code" in by(ending, "address:kari@example.no") and bool(by(ending, "number:+4799999999") & set(PHONES))
    ),
    "replace_password": lambda ending: (
        "email_code" in by(ending, "address:kari@example.no") and bool(by(ending, f"account:{KARI}") & set(SECOND_STEP))
    ),
    "change_address": lambda ending: owner(ending) and "email_code" in by(ending, "address:kari.ny@example.no"),
    "change_phone": lambda ending: owner(ending) and new_number(ending),
    "replace_lost_phone": lambda ending: lost(ending, *RECOVERY) and new_number(ending),
    "replace_lost_phone_later": lambda ending: (
        lost(ending, *RECOVERY_AFTER_A_WAIT) and mailbox_or_eid(ending) and new_number(ending)
    ),
}
"""What each end rests on, said here once more and not read from the table: both must agree."""


@each_enrolment
@pytest.mark.parametrize("journey", JOURNEYS.values(), ids=JOURNEYS)
def test_no_way_through_any_journey_ends_without_its_proofs(journey: Journey, enrolled: tuple[str, ...]) -> None:
    """SR-40, SR-61, SR-62: from every state, by every way; whatever else changes something takes its owner."""
    needs = NEEDS.get(journey.then, owner)
    wanted = replace(WANTED, level=MFA)
    for known in (True, False):
        for ending in endings(journey, enrolled=enrolled, consent=(), address_known=known, wanted=wanted):
            assert needs(ending), ending.facts


@pytest.mark.parametrize("journey", JOURNEYS.values(), ids=JOURNEYS)
def test_every_journey_can_be_walked_to_its_end(journey: Journey) -> None:
    """So that the tests above judge something."""
    wanted, known = replace(WANTED, level=MFA), journey.name != "sign-up"
    assert list(endings(journey, enrolled=SECOND_STEP, consent=(), address_known=known, wanted=wanted))


@each_enrolment
def test_a_lost_phone_never_answers_for_itself(enrolled: tuple[str, ...]) -> None:
    """SR-62: nor an e-mail, nor a password twice."""
    found = list(endings(JOURNEYS["lost-phone"], enrolled=enrolled, consent=(), address_known=True))
    assert bool(found) == bool(set(enrolled) & set(RECOVERY))
    for ending in found:
        assert not by(ending, f"account:{KARI}") & set(PHONES)


@pytest.mark.parametrize("name", ["lost-phone-eid", "lost-phone-support"])
def test_while_a_number_waits_no_other_takes_its_place(name: str) -> None:
    journey, at = JOURNEYS[name], replace(beginning((), replace(WANTED, level=MFA)), phone_waits_until=NOW + LONG)
    for step in journey.steps[: [step.name for step in journey.steps].index("phone-waits")]:
        if step.due(at):
            at = done(journey, step, at, address_known=True, enrolled=PHONES)[0]

    stands = journey.next_step(at)
    assert stands is not None
    assert stands.name == "phone-waits"
