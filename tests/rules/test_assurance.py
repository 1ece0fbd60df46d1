"""A session claims what was proved, for as long as it counts, and never more (SR-22, SR-51, SR-59)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from idp.eid import registry
from idp.rules.assurance import (
    EID,
    HIGH,
    IDENTITY_LEVELS,
    LEVELS,
    METHODS,
    MFA,
    REMEMBERED,
    SFA,
    SUBSTANTIAL,
    Proof,
    assess,
    identity_level,
    reaches,
    since,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
METHOD_NAMES = (*METHODS, EID, "fortune_teller")
AMR = ("pin", "pop", "mfa")

minutes = st.integers(min_value=-120, max_value=120).map(lambda number: NOON + timedelta(minutes=number))
levels = st.sampled_from(["", "substantial", "high", "astronomical"])
proofs = st.lists(
    st.builds(Proof, method=st.sampled_from(METHOD_NAMES), at=minutes, until=minutes, level=levels, amr=st.just(AMR)),
    max_size=8,
)


def proof(method: str, minute: int = 0, *, lasts: int = 60) -> Proof:
    at = NOON + timedelta(minutes=minute)
    return Proof(method, at, at + timedelta(minutes=lasts))


def kinds_of(factors: list[Proof]) -> set[str]:
    return {kind for one in factors for kind in METHODS[one.method].kinds}


@given(proofs=proofs, now=minutes)
def test_no_session_ever_claims_more_than_was_proved(proofs: list[Proof], now: datetime) -> None:
    claimed = assess(proofs, now)
    live = [one for one in proofs if one.at <= now < one.until]
    factors = [one for one in live if one.method in METHODS]
    proved = kinds_of([one for one in factors if one.method != REMEMBERED])
    identities = {one.level for one in live if one.method == EID and len(proved) > 1} & set(IDENTITY_LEVELS)
    if claimed is None:
        assert not proved
        return
    two_factors = len(kinds_of(factors)) > 1
    reached = max((IDENTITY_LEVELS[level] for level in identities), key=LEVELS.index, default=MFA)
    assert claimed.acr == (reached if two_factors else SFA)  # the eID is never a sign-in by itself
    assert ("mfa" in claimed.amr) == two_factors
    known = {value for one in factors for value in METHODS[one.method].amr} | set(AMR if identities else ())
    assert set(claimed.amr) - {"mfa"} <= known
    carrying = [one for one in live if one.method == EID and IDENTITY_LEVELS.get(one.level) == claimed.acr]
    assert claimed.auth_time in {one.at for one in carrying or factors}


@given(proofs=proofs, now=minutes, later=minutes)
def test_what_is_left_later_is_never_more_than_what_would_be_proved_then(
    proofs: list[Proof], now: datetime, later: datetime
) -> None:
    """SR-106: what a grant keeps of a proof of identity runs out as the proof does, with no job and no write."""
    claimed = assess(proofs, now)
    if claimed is None or later < now:
        return
    left = claimed.at(later)
    assert reaches(claimed.acr, left.acr)
    if left.acr in IDENTITY_LEVELS.values():
        assert any(
            one.method == EID and IDENTITY_LEVELS.get(one.level) == left.acr and one.at <= now and later < one.until
            for one in proofs
        )


@given(proofs=proofs, now=minutes, more=proofs)
def test_a_further_proof_never_lowers_what_is_reached(proofs: list[Proof], now: datetime, more: list[Proof]) -> None:
    before, after = assess(proofs, now), assess([*proofs, *more], now)
    if before is not None:
        assert after is not None
        assert reaches(after.acr, before.acr)


@given(proofs=proofs, now=minutes)
def test_everything_claimed_was_proved_no_earlier_than_auth_time(proofs: list[Proof], now: datetime) -> None:
    """Of a level of identity that is the eID's own proof; the two factors behind it may be older."""
    proofs = [one for one in proofs if one.method != REMEMBERED]  # which answers for no instant: below
    claimed = assess(proofs, now)
    if claimed is not None:
        recent = since(proofs, claimed.auth_time, wanted=claimed.acr)
        again = assess(recent, now)
        assert again is not None
        assert (again.acr, again.auth_time) == (claimed.acr, claimed.auth_time)


@given(proofs=proofs, now=minutes, data=st.data())
def test_the_order_of_proofs_does_not_matter_to_level_and_time(
    proofs: list[Proof], now: datetime, data: st.DataObject
) -> None:
    one, other = assess(proofs, now), assess(data.draw(st.permutations(proofs)), now)
    assert (one and (one.acr, one.auth_time)) == (other and (other.acr, other.auth_time))


@pytest.mark.parametrize(
    ("methods", "acr", "amr"),
    [
        (("password",), SFA, {"pwd"}),
        (("sms",), SFA, {"otp", "sms"}),
        (("sms", "totp"), SFA, {"otp", "sms"}),  # two of a kind are one factor twice
        (("password", "sms"), MFA, {"pwd", "otp", "sms", "mfa"}),
        (("password", "voice"), MFA, {"pwd", "otp", "tel", "mfa"}),
        (("password", "recovery_code"), MFA, {"pwd", "otp", "mfa"}),
        (("passkey",), MFA, {"pop", "user", "mfa"}),
    ],
)
def test_levels_and_methods_are_those_of_the_design(methods: tuple[str, ...], acr: str, amr: set[str]) -> None:
    claimed = assess([proof(method) for method in methods], NOON)
    assert claimed is not None
    assert claimed.acr == acr
    assert set(claimed.amr) <= amr
    assert ("mfa" in claimed.amr) == ("mfa" in amr)


def test_a_code_by_mail_counts_for_nothing() -> None:  # SR-22
    assert assess([proof("email_code")], NOON) is None
    with_password = assess([proof("password"), proof("email_code")], NOON)
    assert with_password is not None
    assert with_password.acr == SFA
    assert with_password.amr == ("pwd",)


def test_a_proof_that_has_run_out_takes_its_level_with_it() -> None:  # SR-59
    both = [proof("password", lasts=60), proof("sms", lasts=30)]
    later = [assess(both, NOON + timedelta(minutes=minute)) for minute in (29, 30, 60)]
    assert [one and one.acr for one in later] == [MFA, SFA, None]


def test_auth_time_is_that_of_the_oldest_proof_the_level_rests_on() -> None:  # SR-58: max_age holds for all of them
    claimed = assess([proof("password", 0), proof("sms", 1), proof("password", 20)], NOON + timedelta(minutes=30))
    assert claimed is not None
    assert claimed.auth_time == NOON + timedelta(minutes=1)


def test_a_proof_from_the_future_does_not_count_yet() -> None:
    assert assess([proof("password", 5)], NOON) is None


def test_levels_are_ordered_and_unknown_ones_reach_nothing() -> None:
    assert LEVELS == (SFA, MFA, SUBSTANTIAL, HIGH)
    assert reaches(HIGH, MFA)
    assert reaches(MFA, MFA)
    assert not reaches(MFA, SUBSTANTIAL)
    assert not reaches("urn:unheard-of", SFA)
    assert not reaches(HIGH, "urn:unheard-of")


# Levels of identity

TABLES = {
    "norwegian-bankid": {"urn:bankid:bid;LOA=4": "high", "urn:bankid:bis;LOA=3": "substantial"},
    "swedish-bankid": {"signed": "substantial"},
    "smart-id": {"QUALIFIED": "substantial"},
}
CLAIMED = (
    *(claimed for table in TABLES.values() for claimed in table),
    *(
        "urn:bankid:bid",
        "urn:bankid:bid;LOA=3",
        "urn:bankid:bid;LOA=40",
        "urn:bankid:bim;LOA=4",
        "URN:BANKID:BID;LOA=4",
    ),
    *("ADVANCED", "qualified", "signed ", "high", "substantial", "LOA=4", ""),
)


@pytest.mark.parametrize("eid", TABLES)
@pytest.mark.parametrize("claimed", CLAIMED)
def test_only_a_listed_pair_of_eid_and_level_counts(eid: str, claimed: str) -> None:
    """By exact comparison with the operator's table; all else fails closed."""
    assert identity_level(TABLES[eid], claimed) == TABLES[eid].get(claimed)


def test_the_tables_are_those_that_the_connectors_begin_with() -> None:
    for name, table in TABLES.items():
        field = next(
            one for one in structs.fields(registry.settings_of(name.replace("-", "_"))) if one.name == "levels"
        )
        assert field.default_factory() == table


def test_a_word_that_is_no_level_of_ours_counts_for_nothing() -> None:
    assert identity_level({"gold": "astronomical"}, "gold") is None


def test_a_high_proof_that_runs_out_leaves_a_substantial_one_that_does_not() -> None:
    both = [proof("password"), proof("sms"), identity("high", lasts=10), identity("substantial", 5, lasts=15)]
    claimed = assess(both, NOON + timedelta(minutes=6))
    assert claimed is not None
    later = [claimed.at(NOON + timedelta(minutes=minute)).acr for minute in (6, 9, 10, 19, 20)]
    assert later == [HIGH, HIGH, SUBSTANTIAL, SUBSTANTIAL, MFA]


def identity(level: str, minute: int = 0, *, lasts: int) -> Proof:
    at = NOON + timedelta(minutes=minute)
    return Proof(EID, at, at + timedelta(minutes=lasts), level, AMR)


def test_a_proof_of_identity_alone_is_no_sign_in() -> None:
    assert assess([identity("high", lasts=10)], NOON) is None
    one_factor = assess([proof("password"), identity("high", lasts=10)], NOON)
    assert one_factor is not None
    assert one_factor.acr == SFA


# Remembered devices (SR-43)


def test_a_remembered_device_stands_in_for_the_second_step_and_tells_of_no_phone() -> None:
    claimed = assess([proof("password"), proof(REMEMBERED, -100, lasts=200)], NOON)
    assert claimed is not None
    assert claimed.acr == MFA
    assert claimed.amr == ("pwd", "mfa")
    assert claimed.auth_time == NOON - timedelta(minutes=100)  # when the second step was really proved


def test_it_is_nothing_by_itself_and_no_second_factor_to_a_code() -> None:
    assert assess([proof(REMEMBERED)], NOON) is None
    with_code = assess([proof("sms"), proof(REMEMBERED)], NOON)
    assert with_code is not None
    assert with_code.acr == SFA


def test_it_carries_no_proof_of_identity() -> None:
    """SR-43: never step-up."""
    recalled = [proof("password"), proof(REMEMBERED), identity("high", lasts=10)]
    claimed = assess(recalled, NOON)
    assert claimed is not None
    assert claimed.acr == MFA
    lifted = assess([*recalled, proof("sms")], NOON)
    assert lifted is not None
    assert lifted.acr == HIGH
    assert "otp" in lifted.amr


@given(proofs=proofs, instant=minutes, wanted=st.sampled_from(LEVELS))
def test_it_answers_for_no_instant(proofs: list[Proof], instant: datetime, wanted: str) -> None:
    """SR-43, SR-58: where something must have been proved since then, not even one of a moment ago counts."""
    assert all(one.method != REMEMBERED for one in since(proofs, instant, wanted=wanted))
