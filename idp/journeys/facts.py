"""What a journey knows: answers, proofs, and what is to be kept. Only ever added to, or cut back.

Every proof is bound to what it was about: `address:…`, `number:…` or `account:…`. A step takes only a
proof about its own subject, so nothing proved of one person, address or number serves for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from idp.interaction import SignIn
from idp.rules.assurance import EID, IDENTITY_LEVELS, REMEMBERED, reaches
from idp.rules.factor_policy import accepts
from idp.services.eids import Transaction


class Begun(Struct, frozen=True, kw_only=True):
    """A factor under way at a step: its challenge, where the code went, how often and when last."""

    factor: str
    about: str
    challenge: str
    sends: int = 1
    last_sent: datetime
    message: str | None = None


class StepProof(Struct, frozen=True, kw_only=True):
    """One successful use of a factor at a step."""

    step: str
    method: str
    about: str
    at: datetime
    until: datetime
    level: str = ""
    amr: tuple[str, ...] = ()
    key: str = ""
    """Which passkey it was: one that is removed before the journey ends takes its proof along."""


class Facts(Struct, frozen=True, kw_only=True):
    """All that the journey's record keeps of what happened."""

    account_id: str | None = None
    address_account: str | None = None
    answers: dict[str, dict[str, str]] = {}
    proofs: tuple[StepProof, ...] = ()
    bound: dict[str, dict[str, str]] = {}
    begun: dict[str, Begun] = {}

    def answered(self, step: str, **answer: str) -> Facts:
        """With this answer to an `ask` step."""
        return replace(self, answers={**self.answers, step: answer})

    def proved(self, proof: StepProof) -> Facts:
        """With one more proof."""
        return replace(self, proofs=(*self.proofs, proof))

    def kept(self, step: str, **bound: str) -> Facts:
        """With something to keep for good once the journey is complete (SR-45)."""
        return replace(self, bound={**self.bound, step: bound})

    def began(self, step: str, begun: Begun) -> Facts:
        """With a factor under way at this step."""
        return replace(self, begun={**self.begun, step: begun})

    def cut(self, steps: Sequence[str]) -> Facts:
        """Without anything that these steps gave: going back makes what came later fall away."""
        gone = set(steps)
        return replace(
            self,
            answers={name: value for name, value in self.answers.items() if name not in gone},
            bound={name: value for name, value in self.bound.items() if name not in gone},
            begun={name: value for name, value in self.begun.items() if name not in gone},
            proofs=tuple(proof for proof in self.proofs if proof.step not in gone),
        )


class Situation(Struct, frozen=True, kw_only=True):
    """The facts, with what is looked up anew each time: what steps and conditions are asked about."""

    facts: Facts
    wanted: SignIn
    now: datetime
    account_id: str | None = None
    enrolled: tuple[str, ...] = ()
    consent: tuple[str, ...] = ()
    factors_since: datetime | None = None
    """Older proofs of the account's own factors do not count here."""
    identity_since: datetime | None = None
    """Nor do older proofs of identity."""
    second_factors: tuple[str, ...] = ()
    """The only ones that count here; none named means all. A reset and a change answer to no client."""
    may_offer: bool = False
    """A passkey may be made for this account, by whoever was proved to be its owner in the last minutes."""
    leaving: bool = False
    """The account will be erased, unless its owner takes that back."""
    eid: Transaction | None = None
    """This journey's newest attempt with an eID."""
    has_identity: bool = False
    """Somebody is linked to the account, and there are eIDs to prove it."""
    phone_waits_until: datetime | None = None
    """Another number was proved already, and counts from then on."""

    @property
    def accepted(self) -> tuple[str, ...]:
        """The account's second factors that count for whoever wants the person."""
        return tuple(name for name in self.enrolled if accepts(self.second_factors, name))

    def live(self, about: str | None, methods: Sequence[str]) -> StepProof | None:
        """The newest proof by one of these methods about this subject that still counts."""
        for proof in reversed(self.facts.proofs):
            if proof.about == about and proof.method in methods and proof.until > self.now and self._serves(proof):
                return proof
        return None

    def _serves(self, proof: StepProof) -> bool:
        """Whether a proof is young enough, and one of identity high enough, for what is wanted."""
        if not proof.about.startswith("account:"):
            return True
        if not accepts(self.second_factors, proof.method):
            return False
        is_identity = proof.method == EID
        if is_identity and not reaches(IDENTITY_LEVELS.get(proof.level, ""), self.wanted.level):
            return False
        since = self.identity_since if is_identity else self.factors_since
        if proof.method == REMEMBERED:  # neither for a lately proved person nor for a level of identity: SR-43
            return since is None and self.wanted.level not in IDENTITY_LEVELS.values()
        return since is None or proof.at >= since


def about_address(situation: Situation) -> str | None:
    """The address the person gave."""
    answer = situation.facts.answers.get("email")
    return f"address:{answer['canonical']}" if answer else None


def about_account(situation: Situation) -> str | None:
    """The account this journey is about, once that is known."""
    return f"account:{situation.account_id}" if situation.account_id else None


def about_own_mailbox(situation: Situation) -> str | None:
    """The address that the account has, whatever was typed anywhere."""
    return f"mailbox:{situation.account_id}" if situation.account_id else None


def about_new_address(situation: Situation) -> str | None:
    """The address that is to take the place of the account's own."""
    answer = situation.facts.answers.get("new-email")
    return f"address:{answer['canonical']}" if answer else None


def about_new_number(situation: Situation) -> str | None:
    """The number that is to take the place of the account's own."""
    answer = situation.facts.answers.get("new-phone")
    return f"number:{answer['e164']}" if answer else None


def about_number(situation: Situation) -> str | None:
    """The phone number the person gave."""
    answer = situation.facts.answers.get("phone")
    return f"number:{answer['e164']}" if answer else None
