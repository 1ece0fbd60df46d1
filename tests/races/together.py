"""Many at the very same time: threads behind one gate, or processes that share nothing but the stores."""

from __future__ import annotations

import multiprocessing.synchronize
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection, wait
from threading import Barrier
from typing import Any, TypeVar

Heard = TypeVar("Heard")

PATIENCE = 60
"""Seconds until those who wait for each other give up."""


def in_parallel(callers: int, call: Callable[[], Heard]) -> list[Heard]:
    """What each of so many threads heard, all let go at once."""
    gate = Barrier(callers)

    def caller(_: int) -> Heard:
        gate.wait(PATIENCE)
        return call()

    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(caller, range(callers)))


def in_processes(processes: int, prepare: Callable[..., Callable[[], Heard]], *told: object) -> list[Heard]:
    """What each of so many processes heard, all let go at once.

    Each is new, calls `prepare(*told)`, waits until all have, and then makes the call that it was given.
    `prepare` must be a function of a module, and what it is told and what is heard must pickle.
    Raises AssertionError with the traceback of a process that failed, or the signal of one that died.
    """
    new = multiprocessing.get_context("forkserver")  # a fork of ours takes locks along
    new.set_forkserver_preload(["tests.people"])  # so that the provider is read once, not by each
    gate, children, lines = new.Barrier(processes), [], []
    for _ in range(processes):
        line, childs_end = new.Pipe(duplex=False)
        children.append(new.Process(target=_child, args=(gate, childs_end, prepare, told)))
        children[-1].start()
        childs_end.close()  # so that the line closes when the child is gone
        lines.append(line)
    try:
        told_by = _hear(lines, gate)
    finally:
        for child in children:
            child.join(PATIENCE)
            child.kill()
    failures = [answer for worked, answer in told_by if not worked]
    failures += [f"a process ended with {child.exitcode}" for child in children if child.exitcode]
    assert not failures, "\n".join(failures)
    return [answer for _, answer in told_by]


def _hear(lines: list[Connection], gate: multiprocessing.synchronize.Barrier) -> list[tuple[bool, Any]]:
    told, open_lines = [], list(lines)
    while open_lines:
        speaking = wait(open_lines, timeout=2 * PATIENCE)
        assert speaking, "a process says nothing"
        for line in speaking:
            assert isinstance(line, Connection)
            open_lines.remove(line)
            try:
                told.append(line.recv())
            except EOFError:
                gate.abort()  # nobody need wait for it
    return told


def _child(gate: Any, line: Connection, prepare: Callable[..., Callable[[], object]], told: tuple[object, ...]) -> None:
    try:
        call = prepare(*told)
        gate.wait(PATIENCE)
        line.send((True, call()))
    except BaseException:  # noqa: BLE001  (whatever it is, the parent says it)
        gate.abort()
        line.send((False, traceback.format_exc()))
