"""A session claims what was proved, for as long as it counts, and never more (SR-22, SR-51, SR-59)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.rules.assurance import HIGH, LEVELS, METHODS, MFA, SFA, SUBSTANTIAL, Proof, assess, reaches

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
METHOD_NAMES = (*METHODS, "fortune_teller")

minutes = st.integers(min_value=-120, max_value=120).map(lambda number: NOON + timedelta(minutes=number))
proofs = st.lists(st.builds(Proof, method=st.sampled_from(METHOD_NAMES), at=minutes, until=minutes), max_size=8)


def proof(method: str, minute: int = 0, *, lasts: int = 60) -> Proof:
    at = NOON + timedelta(minutes=minute)
    return Proof(method, at, at + timedelta(minutes=lasts))


@given(proofs=proofs, now=minutes)
def test_no_session_ever_claims_more_than_was_proved(proofs: list[Proof], now: datetime) -> None:
    claimed = assess(proofs, now)
    live = [one for one in proofs if one.at <= now < one.until and one.method in METHODS]
    kinds = {kind for one in live for kind in METHODS[one.method].kinds}
    if claimed is None:
        assert not kinds
        return
    assert claimed.acr in (SFA, MFA)
    assert (claimed.acr == MFA) == (len(kinds) > 1)
    assert ("mfa" in claimed.amr) == (claimed.acr == MFA)
    assert set(claimed.amr) - {"mfa"} <= {value for one in live for value in METHODS[one.method].amr}
    assert claimed.auth_time in {one.at for one in live if METHODS[one.method].kinds}


@given(proofs=proofs, now=minutes, more=proofs)
def test_a_further_proof_never_lowers_what_is_reached(proofs: list[Proof], now: datetime, more: list[Proof]) -> None:
    before, after = assess(proofs, now), assess([*proofs, *more], now)
    if before is not None:
        assert after is not None
        assert reaches(after.acr, before.acr)


@given(proofs=proofs, now=minutes)
def test_everything_claimed_was_proved_no_earlier_than_auth_time(proofs: list[Proof], now: datetime) -> None:
    claimed = assess(proofs, now)
    if claimed is not None:
        recent = [one for one in proofs if one.at >= claimed.auth_time]
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
