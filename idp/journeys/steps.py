"""The words a journey is written in, and the one line that finds the next step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from idp.journeys.facts import Situation

Condition = Callable[[Situation], bool]
Subject = Callable[[Situation], str | None]


def always(_: Situation) -> bool:
    """Due for everybody."""
    return True


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a person does. It is due while its condition holds and its fact is missing."""

    name: str
    kind: Literal["ask", "prove", "enrol", "offer", "stop"]
    factors: tuple[str, ...] = ()
    about: Subject | None = None
    when: Condition = always

    def due(self, situation: Situation) -> bool:
        """Whether the person stands here, all earlier steps being done."""
        return self.when(situation) and not self._done(situation)

    def _done(self, situation: Situation) -> bool:
        match self.kind:
            case "ask" | "offer":  # to an offer, no is an answer
                return self.name in situation.facts.answers
            case "prove":
                return self._proved(situation)
            case "enrol":  # what is kept counts only for the subject that is named now
                kept = self.name in situation.facts.bound
                return kept and (self.about is None or self._proved(situation))
            case "stop":
                return False

    def _proved(self, situation: Situation) -> bool:
        about = self.about(situation) if self.about else None
        return about is not None and situation.live(about, self.factors) is not None


@dataclass(frozen=True, slots=True)
class Journey:
    """An ordered table of steps, the word for what follows, and the journeys it may lead to."""

    name: str
    steps: tuple[Step, ...]
    then: str
    leads_to: tuple[str, ...] = ()
    is_change: bool = False
    """It changes how an account is signed in to, so it begins with proofs of the last minutes (SR-40)."""
    is_recovery: bool = False
    """It is for whoever cannot sign in: what a session has proved does not count here."""

    def next_step(self, situation: Situation) -> Step | None:
        """The step this person stands at, or None when the journey is complete."""
        return next((step for step in self.steps if step.due(situation)), None)

    def step(self, name: str) -> Step | None:
        """The step of that name."""
        return next((step for step in self.steps if step.name == name), None)

    def after(self, name: str) -> tuple[str, ...]:
        """The names of the steps from this one on."""
        names = [step.name for step in self.steps]
        return tuple(names[names.index(name) :])


def journey(name: str, *steps: Step, then: str, leads_to: tuple[str, ...] = (), is_change: bool = False) -> Journey:
    """A journey, as the table writes it."""
    return Journey(name, steps, then, leads_to, is_change)


def ask(name: str, *, when: Condition = always) -> Step:
    """Something to be told."""
    return Step(name, "ask", when=when)


def prove(name: str, *factors: str, about: Subject, when: Condition = always) -> Step:
    """Something to be proved about a subject, by one of these factors."""
    return Step(name, "prove", factors, about, when)


def enrol(name: str, *factors: str, about: Subject | None = None, when: Condition = always) -> Step:
    """Something to be kept for good once the whole journey is done."""
    return Step(name, "enrol", factors, about, when)


def offer(name: str, *factors: str, when: Condition) -> Step:
    """Something that may be kept for good, or not: both end the step."""
    return Step(name, "offer", factors, when=when)


def stop(name: str, *, when: Condition) -> Step:
    """A page with ways on, past which this journey does not go."""
    return Step(name, "stop", when=when)
