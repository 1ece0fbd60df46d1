"""Faults of the outside world, switched on by a test: how a channel misbehaves until told otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

CHANNELS = ("email", "sms", "call")
MODES = {
    "none": "delivers at once",
    "refuse": "says no for good (SMTP 550, HTTP 422)",
    "busy": "says not now (SMTP 451, HTTP 503)",
    "slow": "delivers, but answers only after `seconds`",
    "silent": "never delivers, and answers only after `seconds`, with not now",
    "cut": "closes the connection in the middle of its answer, undelivered",
    "lose": "says yes and never delivers",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """How one channel behaves. `times` counts down; None is until changed."""

    mode: str = "none"
    seconds: float = 30.0
    times: int | None = None


@dataclass(slots=True)
class Faults:
    """The fault of each channel."""

    _by_channel: dict[str, Fault] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def set(self, channel: str, fault: Fault) -> None:
        """Misbehave like this from now on. Raises ValueError for an unknown channel or mode."""
        if channel not in CHANNELS or fault.mode not in MODES:
            raise ValueError(f"channel is one of {', '.join(CHANNELS)}; mode is one of {', '.join(MODES)}")
        with self._lock:
            self._by_channel[channel] = fault

    def next(self, channel: str) -> Fault:
        """The fault that this delivery meets."""
        with self._lock:
            fault = self._by_channel.get(channel, Fault())
            if fault.times is not None:
                left = fault.times - 1
                self._by_channel[channel] = Fault(fault.mode, fault.seconds, left) if left > 0 else Fault()
            return fault

    def shown(self) -> dict[str, Fault]:
        """The present fault of every channel."""
        return {channel: self._by_channel.get(channel, Fault()) for channel in CHANNELS}
