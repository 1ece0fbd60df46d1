"""A short-lived store that cannot answer says so, and is never read as "not found" (requirements, section Q)."""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from idp.stores import Unavailable
from idp.stores.shortlived.contract import ShortLived
from idp.stores.shortlived.embedded import SWEEP_EVERY, EmbeddedStore
from idp.stores.shortlived.redis import PREFIX, RedisStore
from tests.conftest import Clock, Servers
from tests.line import Line

VERBS: dict[str, Callable[[ShortLived], object]] = {
    "put": lambda store: store.put("k", b"v", ttl=60),
    "get": lambda store: store.get("k"),
    "take": lambda store: store.take("k"),
    "swap": lambda store: store.swap("k", b"v", b"w"),
    "claim": lambda store: store.claim("c", ttl=60),
    "count": lambda store: store.count("n", window=60),
}

HEARD: dict[str, object] = {"put": None, "get": b"v", "take": b"v", "swap": True, "claim": True, "count": 1}

every_verb = pytest.mark.parametrize("verb", VERBS)


@dataclass
class Remote:
    """A store on Redis, the line between the two, and somebody beside it who sees what Redis holds."""

    store: RedisStore
    line: Line
    server: redis.Redis


@pytest.fixture
def remote(servers: Servers) -> Iterator[Remote]:
    url = servers.urls()[1]
    with redis.Redis.from_url(url) as server, Line(urlsplit(url).port or 0) as line:
        server.flushall()
        store = RedisStore(f"redis://127.0.0.1:{line.port}", timeout=0.5)
        store.put("k", b"v", ttl=60)
        yield Remote(store, line, server)
        store.close()


@every_verb
def test_a_locked_file_is_unavailable(tmp_path: Path, verb: str) -> None:
    """Only reading goes on beside a writer that holds the file."""
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
    assert VERBS[verb](store) == HEARD[verb]
    store.close()


def test_a_sweep_that_fails_takes_no_record_along(tmp_path: Path, clock: Clock) -> None:
    """Sweeping comes first: a record must not be gone when its only taker hears "unavailable"."""
    store = EmbeddedStore(tmp_path / "store.sqlite", timeout=0.05)
    store.put("stuck", b"", ttl=1)
    with sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None) as broken:
        when = "BEFORE DELETE ON records WHEN old.key = 'stuck'"
        broken.execute(f"CREATE TRIGGER bad {when} BEGIN SELECT RAISE(FAIL, 'disk'); END")
    broken.close()
    clock.advance(2)
    for _ in range(SWEEP_EVERY - 2):
        store.put("k", b"v", ttl=60)
    with pytest.raises(Unavailable):
        store.take("k")
    assert store.take("k") == b"v"
    store.close()


def test_a_folder_that_is_no_folder_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").mkdir()
    with pytest.raises(Unavailable):
        EmbeddedStore(tmp_path / "store.sqlite", timeout=0.05)


@every_verb
def test_a_server_that_is_away_is_unavailable(verb: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        store = RedisStore(f"redis://127.0.0.1:{probe.getsockname()[1]}", timeout=0.1)
        with pytest.raises(Unavailable):
            VERBS[verb](store)
        store.close()


@every_verb
def test_a_server_that_is_silent_is_unavailable_in_time(remote: Remote, verb: str) -> None:
    remote.line.freeze()
    began = time.monotonic()
    with pytest.raises(Unavailable):
        VERBS[verb](remote.store)
    assert time.monotonic() - began < 2


@every_verb
def test_a_lost_answer_is_unavailable_and_the_verb_was_done_once(remote: Remote, verb: str) -> None:
    """Asked again by itself, `take` would find nothing, and `claim` would say that somebody else had been first."""
    VERBS["swap"](remote.store)  # both scripts are known to the server from here on
    VERBS["count"](remote.store)
    remote.store.put("k", b"v", ttl=60)
    remote.line.lose_an_answer()
    with pytest.raises(Unavailable):
        VERBS[verb](remote.store)
    held = [remote.server.get(PREFIX + key) for key in ("k", "c", "n")]
    done = {"take": [None, None, b"1"], "swap": [b"w", None, b"1"], "claim": [b"v", b"", b"1"]}
    assert held == {**done, "count": [b"v", None, b"2"]}.get(verb, [b"v", None, b"1"])


@every_verb
def test_a_line_that_was_cut_and_mended_costs_no_verb(remote: Remote, verb: str) -> None:
    """A server that restarted between two requests is found again by itself."""
    remote.line.mend()
    assert VERBS[verb](remote.store) == HEARD[verb]


def test_it_comes_back_by_itself(remote: Remote) -> None:
    remote.line.cut()
    with pytest.raises(Unavailable):
        remote.store.get("k")
    remote.line.mend()
    assert remote.store.get("k") == b"v"


@pytest.mark.parametrize("verb", ["put", "claim", "count", "swap"])
def test_a_server_that_takes_no_writes_is_unavailable(remote: Remote, verb: str) -> None:
    """A replica that was left behind by a fail-over, or a memory that is full."""
    remote.server.config_set("maxmemory", "1")
    try:
        with pytest.raises(Unavailable):
            VERBS[verb](remote.store)
        assert remote.store.get("k") == b"v"
    finally:
        remote.server.config_set("maxmemory", "0")
