"""Waits and thresholds (SR-28 to SR-30; page spec §6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.rules.limits import (
    PASSWORD_WAITS_ANYWHERE,
    PASSWORD_WAITS_HERE,
    Allowed,
    Wait,
    half,
    is_attacked,
    wait_after,
    within,
)


@pytest.mark.parametrize("waits", [PASSWORD_WAITS_HERE, PASSWORD_WAITS_ANYWHERE])
@given(misses=st.integers(0, 200))
def test_waits_begin_at_the_fourth_miss_grow_and_never_exceed_a_quarter_of_an_hour(
    waits: tuple[tuple[int, int], ...], misses: int
) -> None:
    wait = wait_after(misses, waits)
    assert (wait == 0) == (misses < 4)
    assert wait <= wait_after(misses + 1, waits) <= 15 * 60


def test_waits_are_those_of_the_papers() -> None:
    here = [wait_after(misses, PASSWORD_WAITS_HERE) for misses in range(3, 12)]
    anywhere = [wait_after(misses, PASSWORD_WAITS_ANYWHERE) for misses in range(3, 16)]
    assert here == [0, 1, 60, 120, 240, 480, 900, 900, 900]
    assert anywhere == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


@given(count=st.integers(0, 100), limit=st.integers(1, 100), left=st.integers(0, 3600))
def test_a_window_is_full_after_its_limit(count: int, limit: int, left: int) -> None:
    decision = within(count, limit, left=left)
    assert decision == (Allowed() if count <= limit else Wait(max(1, left)))


@given(limit=st.integers(1, 1000))
def test_calls_have_half_but_never_none(limit: int) -> None:
    assert 1 <= half(limit) <= limit
    assert half(limit) * 2 in (limit, limit + 1)


@pytest.mark.parametrize(
    ("sent", "used", "attacked"), [(19, 0, False), (20, 3, True), (20, 4, False), (100, 19, True), (100, 60, False)]
)
def test_a_prefix_that_uses_few_codes_is_under_attack(sent: int, used: int, attacked: bool) -> None:
    assert is_attacked(sent, used) is attacked
