"""Many at the very same time: threads behind one gate, or processes that share nothing but the stores."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
    Raises AssertionError with the traceback of a process that failed.
    """
    new = multiprocessing.get_context("spawn")  # a fork takes the threads' locks along, and warns from Python 3.12 on
    gate, heard = new.Barrier(processes), new.Queue()
    children = [new.Process(target=_child, args=(gate, heard, prepare, told)) for _ in range(processes)]
    for child in children:
        child.start()
    try:
        answers = [heard.get(timeout=2 * PATIENCE) for _ in children]
    finally:
        for child in children:
            child.join(PATIENCE)
            child.kill()
    failures = [answer for worked, answer in answers if not worked]
    assert not failures, "\n".join(failures)
    return [answer for _, answer in answers]


def _child(gate: Any, heard: Any, prepare: Callable[..., Callable[[], object]], told: tuple[object, ...]) -> None:
    try:
        call = prepare(*told)
        gate.wait(PATIENCE)
        heard.put((True, call()))
    except BaseException:  # noqa: BLE001  (whatever it is, the parent says it)
        gate.abort()
        heard.put((False, traceback.format_exc()))
