"""The short-lived store: one contract, both back ends."""

from __future__ import annotations

import multiprocessing
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.settings import ShortLivedStore
from idp.stores import Unavailable
from idp.stores.shortlived.contract import ShortLived
from idp.stores.shortlived.embedded import EmbeddedStore
from idp.stores.shortlived.opening import open_store
from idp.stores.shortlived.redis import RedisStore

VERBS: dict[str, Callable[[ShortLived], object]] = {
    "put": lambda store: store.put("k", b"v", ttl=60),
    "get": lambda store: store.get("k"),
    "take": lambda store: store.take("k"),
    "swap": lambda store: store.swap("k", b"v", b"w"),
    "claim": lambda store: store.claim("k", ttl=60),
    "count": lambda store: store.count("k", window=60),
}


@pytest.fixture
def url(stores: tuple[str, str]) -> str:
    return stores[1]


@pytest.fixture
def store(url: str) -> Iterator[ShortLived]:
    opened = _opened(url)
    yield opened
    opened.close()  # type: ignore[attr-defined]


def _opened(url: str, milliseconds: int = 5000) -> ShortLived:
    return open_store(ShortLivedStore(url=url, timeout_milliseconds=milliseconds))


def in_parallel(callers: int, call: Callable[[], Any]) -> list[Any]:
    """What each of so many callers got, all let go at once."""
    barrier = threading.Barrier(callers)

    def caller(_: int) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(caller, range(callers)))


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


def _take_in_another_process(url: str, start: Any, answers: Any) -> None:
    opened = _opened(url)
    start.wait()
    answers.put(opened.take("k"))


def test_only_one_of_several_processes_takes_a_record(store: ShortLived, url: str) -> None:
    store.put("k", b"once", ttl=60)
    spawn = multiprocessing.get_context("spawn")
    start, answers = spawn.Barrier(4), spawn.Queue()
    processes = [spawn.Process(target=_take_in_another_process, args=(url, start, answers)) for _ in range(4)]
    for process in processes:
        process.start()
    got = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert sorted(got, key=bool) == [None, None, None, b"once"]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.sampled_from("ab"), st.binary(max_size=8)),
            st.tuples(st.just("take"), st.sampled_from("ab"), st.just(b"")),
            st.tuples(st.just("swap"), st.sampled_from("ab"), st.binary(max_size=8)),
            st.tuples(st.just("get"), st.sampled_from("ab"), st.just(b"")),
        ),
        max_size=20,
    )
)
def test_it_behaves_as_a_dictionary_would(tmp_path_factory: pytest.TempPathFactory, acts: list[Any]) -> None:
    store = EmbeddedStore(tmp_path_factory.mktemp("model") / "store.sqlite", timeout=1)
    model: dict[str, bytes] = {}
    for verb, key, value in acts:
        if verb == "put":
            store.put(key, value, ttl=60)
            model[key] = value
        elif verb == "take":
            assert store.take(key) == model.pop(key, None)
        elif verb == "swap":
            assert store.swap(key, b"x", value) is (model.get(key) == b"x")
            if model.get(key) == b"x":
                model[key] = value
        else:
            assert store.get(key) == model.get(key)
    store.close()


@pytest.mark.parametrize("verb", VERBS)
def test_a_locked_file_is_unavailable_and_never_not_found(tmp_path: Path, verb: str) -> None:
    """Section Q: only reading goes on beside a writer that holds the file."""
    store = EmbeddedStore(tmp_path / "store.sqlite", timeout=0.05)
    store.put("k", b"v", ttl=60)
    with sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        if verb == "get":
            assert VERBS[verb](store) == b"v"
        else:
            with pytest.raises(Unavailable):
                VERBS[verb](store)
        holder.execute("ROLLBACK")
    holder.close()
    VERBS[verb](store)
    store.close()


@pytest.mark.parametrize("verb", VERBS)
def test_a_server_that_is_away_or_silent_is_unavailable(verb: str) -> None:
    """Section Q: nothing listens; or somebody does and never answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        away = RedisStore(f"redis://127.0.0.1:{probe.getsockname()[1]}", timeout=0.1)
        with pytest.raises(Unavailable):
            VERBS[verb](away)
        away.close()
        probe.listen()
        silent = RedisStore(f"redis://127.0.0.1:{probe.getsockname()[1]}", timeout=0.1)
        with pytest.raises(Unavailable):
            VERBS[verb](silent)
        silent.close()


def test_it_comes_back_by_itself(servers: Any) -> None:
    """Section Q: no restart is needed once the server answers again."""
    target = urlsplit(servers.urls()[1])
    with Line(target.port or 0) as line:
        store = RedisStore(f"redis://127.0.0.1:{line.port}", timeout=0.5)
        store.put("k", b"v", ttl=60)
        line.cut()
        with pytest.raises(Unavailable):
            store.get("k")
        line.mend()
        assert store.get("k") == b"v"
        store.close()


class Line:
    """A TCP line to a server on this machine that can be cut."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._open = True
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._socket.close()

    def cut(self) -> None:
        """Drop every connection, and let no new one through."""
        self._open = False
        for end in self._ends:
            end.close()
        self._ends.clear()

    def mend(self) -> None:
        """Let connections through again."""
        self._open = True

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._socket.accept()
            except OSError:
                return
            if not self._open:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        return
    finally:
        source.close()
        sink.close()
