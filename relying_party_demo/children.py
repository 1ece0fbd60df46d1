"""The demo's processes: started together, ended together, whatever happens to whoever started them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
GENTLE = 5.0


def _die_with_parent() -> Callable[[], None] | None:
    """A call for the child that has the kernel end it when this process is gone, even by kill -9 (Linux)."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # gone before the kernel was asked
            os._exit(1)

    return ask_kernel


@dataclass(slots=True)
class Children:
    """Processes, each the head of a group of its own, so that what they start ends with them."""

    logs: Path
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str], *, environment: dict[str, str] | None = None) -> None:
        """Start a process; what it says goes to `logs`."""
        self.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.log(name).open("ab") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603  # our own interpreter, our own arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal comes to the launcher alone
                preexec_fn=_die_with_parent(),  # noqa: PLW1509  # the launcher has one thread
                env=environment,
            )

    def log(self, name: str) -> Path:
        """The file with what that process says."""
        return self.logs / f"{name}.log"

    def ended(self) -> str | None:
        """The name of a process that has ended by itself, if any."""
        return next((name for name, child in self._running.items() if child.poll() is not None), None)

    def end(self) -> None:
        """End all of them: gently, and after a few seconds by force."""
        for child in self._running.values():
            _signal_group(child, signal.SIGTERM)
        deadline = time.monotonic() + GENTLE
        for child in self._running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, deadline - time.monotonic()))
        for child in self._running.values():
            _signal_group(child, signal.SIGKILL)  # also whatever its head left behind
            child.wait()


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # the group is empty already
        os.killpg(child.pid, number)
