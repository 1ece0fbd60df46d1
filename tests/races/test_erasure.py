"""An account leaves once, is kept once, and is erased once, however many say so at the same moment (SR-126)."""

from __future__ import annotations

from collections import Counter

import pytest

from idp.services import erasure
from tests.conftest import Clock
from tests.members import account_id, member
from tests.people import Provider
from tests.races.together import in_parallel

AT_ONCE = 8
DAYS = 7


@pytest.fixture
def one(provider: Provider) -> str:
    """An account."""
    return account_id(member(provider))


def test_it_is_asked_for_once(provider: Provider, one: str) -> None:
    def ask() -> bool:
        with provider.app.app_context():
            return erasure.ask(one, days=DAYS) is not None

    assert Counter(in_parallel(AT_ONCE, ask)) == {True: 1, False: AT_ONCE - 1}


def test_it_is_taken_back_once(provider: Provider, one: str) -> None:
    with provider.app.app_context():
        erasure.ask(one, days=DAYS)

    def keep() -> bool:
        with provider.app.app_context():
            return erasure.take_back(one)

    assert Counter(in_parallel(AT_ONCE, keep)) == {True: 1, False: AT_ONCE - 1}


def test_when_its_time_has_come_workers_erase_it_once_and_nobody_keeps_it(
    provider: Provider, one: str, clock: Clock
) -> None:
    with provider.app.app_context():
        erasure.ask(one, days=DAYS)
    clock.advance(DAYS * 86400 + 1)

    def erase_or_keep() -> tuple[int, bool]:
        with provider.app.app_context():
            return erasure.carry_out(provider.parts.store), erasure.take_back(one)

    heard = in_parallel(AT_ONCE, erase_or_keep)

    assert sum(erased for erased, _ in heard) == 1
    assert not any(kept for _, kept in heard)
