"""The short-lived store: one contract, both back ends."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.stores.shortlived.contract import ShortLived
from idp.stores.shortlived.embedded import SWEEP_EVERY, EmbeddedStore
from tests.conftest import Clock
from tests.contracts.shortlived_users import counting, opened_at, taking
from tests.races.together import in_parallel, in_processes


@pytest.fixture
def url(stores: tuple[str, str]) -> str:
    return stores[1]


@pytest.fixture
def store(url: str) -> Iterator[ShortLived]:
    opened = opened_at(url)
    yield opened
    opened.close()  # type: ignore[attr-defined]


def test_a_record_is_there_until_it_is_taken(store: ShortLived) -> None:
    store.put("k", b"\x00\xff binary", ttl=60)
    assert store.get("k") == b"\x00\xff binary"
    assert store.take("k") == b"\x00\xff binary"
    assert store.get("k") is None
    assert store.take("k") is None


def test_a_later_put_takes_the_place_of_an_earlier(store: ShortLived) -> None:
    store.put("k", b"old", ttl=60)
    store.put("k", b"new", ttl=60)
    assert store.get("k") == b"new"


def test_records_marks_and_counts_expire(store: ShortLived) -> None:
    store.put("k", b"v", ttl=1)
    assert store.claim("c", ttl=1)
    assert store.count("n", window=1) == 1
    sleep(1.2)
    assert store.get("k") is None
    assert store.take("k") is None
    assert not store.swap("k", b"v", b"w")
    assert store.claim("c", ttl=1)
    assert store.count("n", window=60) == 1


def test_a_count_does_not_lengthen_its_window(store: ShortLived) -> None:
    for _ in range(3):
        store.count("n", window=1)
        sleep(0.45)
    assert store.count("n", window=1) < 4


def test_swap_needs_the_record_as_it_was(store: ShortLived) -> None:
    assert not store.swap("k", b"", b"new")
    store.put("k", b"one", ttl=60)
    assert not store.swap("k", b"two", b"three")
    assert store.swap("k", b"one", b"two")
    assert store.get("k") == b"two"


def test_a_swap_keeps_the_time_to_live_unless_told(store: ShortLived) -> None:
    store.put("kept", b"a", ttl=1)
    store.put("longer", b"a", ttl=1)
    assert store.swap("kept", b"a", b"b")
    assert store.swap("longer", b"a", b"b", ttl=60)
    sleep(1.2)
    assert store.get("kept") is None
    assert store.get("longer") == b"b"


def test_counting_nothing_reads(store: ShortLived) -> None:
    assert store.count("n", window=60, by=0) == 0
    assert store.count("n", window=60, by=3) == 3
    assert store.count("n", window=60, by=0) == 3


def test_only_one_of_fifty_takes_a_record(store: ShortLived) -> None:
    store.put("k", b"once", ttl=60)
    got = in_parallel(50, lambda: store.take("k"))
    assert sorted(got, key=bool) == [None] * 49 + [b"once"]


def test_only_one_of_fifty_claims(store: ShortLived) -> None:
    assert sum(in_parallel(50, lambda: store.claim("k", ttl=60))) == 1


def test_only_one_of_fifty_swaps(store: ShortLived) -> None:
    store.put("k", b"old", ttl=60)
    assert sum(in_parallel(50, lambda: store.swap("k", b"old", b"new"))) == 1


def test_no_count_is_lost_in_a_race(store: ShortLived) -> None:
    sums = in_parallel(50, lambda: store.count("n", window=60))
    assert sorted(sums) == list(range(1, 51))


def test_only_one_of_several_processes_takes_a_record(store: ShortLived, url: str) -> None:
    store.put("k", b"once", ttl=60)
    got = [found for each in in_processes(3, taking, url) for found in each]
    assert sorted(got, key=bool) == [None] * 29 + [b"once"]


def test_no_count_of_several_processes_is_lost(store: ShortLived, url: str) -> None:
    sums = [found for each in in_processes(3, counting, url) for found in each]
    assert sorted(sums) == list(range(1, 31))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_parent_and_child_of_a_fork_keep_one_store(store: ShortLived, url: str) -> None:
    """A server that loads the application and then forks: what either writes, all read."""
    forking = get_context("fork")
    early, closed = forking.Event(), forking.Event()
    store.put("before", b"parent", ttl=60)

    def child(early: Event, closed: Event) -> None:
        store.put("early", b"child", ttl=60)
        early.set()
        closed.wait(10)
        store.put("late", b"child", ttl=60)
        os._exit(0)

    process = forking.Process(target=child, args=(early, closed))
    process.start()
    assert early.wait(10)
    store.close()  # type: ignore[attr-defined]
    closed.set()
    process.join(10)
    assert process.exitcode == 0
    other = opened_at(url)
    assert [other.get(key) for key in ("before", "early", "late")] == [b"parent", b"child", b"child"]
    other.close()  # type: ignore[attr-defined]


def test_a_time_to_live_under_one_second_is_one_second(store: ShortLived) -> None:
    """What was computed from two clocks may come out as nothing; that is no failure of the store."""
    store.put("k", b"v", ttl=0)
    assert store.get("k") == b"v"
    assert store.swap("k", b"v", b"w", ttl=-1)
    assert store.get("k") == b"w"
    assert store.claim("c", ttl=0)
    assert not store.claim("c", ttl=0)
    assert store.count("n", window=0) == 1


def test_the_file_goes_by_the_clock_of_the_provider(tmp_path: Path, clock: Clock) -> None:
    """Redis goes by its own: tests that move the clock must not lean on its expiry."""
    store = EmbeddedStore(tmp_path / "store.sqlite", timeout=1)
    store.put("k", b"v", ttl=3600)
    assert store.claim("c", ttl=3600)
    store.count("n", window=3600, by=7)
    clock.advance(3599)
    assert store.get("k") == b"v"
    assert not store.claim("c", ttl=3600)
    assert store.count("n", window=3600) == 8
    clock.advance(2)
    assert store.take("k") is None
    assert store.claim("c", ttl=3600)
    assert store.count("n", window=3600) == 1
    store.close()


def test_the_file_forgets_what_nobody_asks_for(tmp_path: Path, clock: Clock) -> None:
    store = EmbeddedStore(tmp_path / "store.sqlite", timeout=1)
    for number in range(SWEEP_EVERY):
        store.put(f"abandoned:{number}", b"v" * 1000, ttl=60)
    clock.advance(61)
    for _ in range(SWEEP_EVERY):
        store.put("k", b"v", ttl=60)
    with sqlite3.connect(tmp_path / "store.sqlite") as file:
        assert file.execute("SELECT count(*) FROM records").fetchone() == (1,)
    file.close()
    store.close()


class Model:
    """What the contract says, in a dictionary."""

    def __init__(self) -> None:
        self.records: dict[str, bytes] = {}

    def put(self, key: str, value: bytes) -> None:
        self.records[key] = value

    def get(self, key: str) -> bytes | None:
        return self.records.get(key)

    def take(self, key: str) -> bytes | None:
        return self.records.pop(key, None)

    def swap(self, key: str, old: bytes, new: bytes) -> bool:
        fits = key in self.records and self.records[key] == old
        if fits:
            self.records[key] = new
        return fits

    def claim(self, key: str) -> bool:
        first = key not in self.records
        self.records.setdefault(key, b"")
        return first

    def count(self, key: str, by: int) -> int:
        total = int(self.records.get(key, 0)) + by
        if by:
            self.records[key] = str(total).encode()
        return total


LIVES = {"put": {"ttl": 60}, "claim": {"ttl": 60}, "count": {"window": 60}}
KEYS, COUNTERS = st.sampled_from("ab"), st.sampled_from("mn")
VALUES = st.sampled_from([b"", b"x", b"\x00\xff\r\n", b"7"]) | st.binary(max_size=40)
ACTS = st.one_of(
    st.tuples(st.just("put"), KEYS, VALUES),
    st.tuples(st.sampled_from(["get", "take"]), KEYS | COUNTERS),
    st.tuples(st.just("swap"), KEYS, VALUES, VALUES),
    st.tuples(st.just("claim"), KEYS),
    st.tuples(st.just("count"), COUNTERS, st.integers(0, 10**12)),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(ACTS, max_size=25))
def test_every_verb_does_what_a_dictionary_would(store: ShortLived, acts: list[tuple[Any, ...]]) -> None:
    model, name = Model(), secrets.token_hex(8)  # the store is one for all examples, its keys are not
    for verb, key, *values in acts:
        told = {"by": values.pop()} if verb == "count" else {}
        heard = getattr(store, verb)(f"{name}:{key}", *values, **told, **LIVES.get(verb, {}))
        assert heard == getattr(model, verb)(key, *values, **told), (verb, key)
