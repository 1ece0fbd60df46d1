"""The questions a step may ask of a situation: one line each, at most twelve."""

from __future__ import annotations

from idp.journeys.facts import Situation
from idp.rules.assurance import IDENTITY_LEVELS
from idp.rules.factor_policy import RECOVERY, SECOND_STEP


def address_taken(situation: Situation) -> bool:
    """The proved address belongs to an account."""
    return situation.facts.address_account is not None


def second_factor_due(situation: Situation) -> bool:
    """The account has a second factor to be proved."""
    return any(factor in situation.enrolled for factor in SECOND_STEP)


def second_factor_missing(situation: Situation) -> bool:
    """The account has none: it came from an import (SR-61)."""
    return situation.account_id is not None and not second_factor_due(situation)


def no_accepted_second_factor(situation: Situation) -> bool:
    """The client accepts none of those that the account has."""
    return second_factor_due(situation) and not situation.accepted


def no_way_to_reset(situation: Situation) -> bool:
    """No active account, or one without a second factor: an e-mail alone resets nothing (SR-61)."""
    return not second_factor_due(situation)


def recovery_code_used(situation: Situation) -> bool:
    """A recovery code was given in this very journey: its owner reads how many are left (SR-39)."""
    return any(proof.method == "recovery_code" and proof.step == "second-step" for proof in situation.facts.proofs)


def no_factor_recovers(situation: Situation) -> bool:
    """The account has nothing of its own that may answer for its phone (SR-62)."""
    return not any(factor in situation.enrolled for factor in RECOVERY)


def nobody_linked(situation: Situation) -> bool:
    """No eID may answer for it either: who the owner is was never proved."""
    return not situation.has_identity


def phone_waits(situation: Situation) -> bool:
    """A new number was proved, and waits until its owner has had time to object."""
    return situation.phone_waits_until is not None


def leaving(situation: Situation) -> bool:
    """The account will be erased: its owner may keep it, and do nothing else (SR-126)."""
    return situation.leaving


def identity_wanted(situation: Situation) -> bool:
    """The client asks who the person really is (DESIGN §5)."""
    return situation.wanted.level in IDENTITY_LEVELS.values()


def consent_wanted(situation: Situation) -> bool:
    """The client asks for something this person has not agreed to yet (SR-76)."""
    return bool(situation.consent or situation.wanted.records)


def passkey_offered(situation: Situation) -> bool:
    """The browser can make one, the account has none, and its owner was proved just now."""
    return situation.may_offer and "offer" in situation.facts.answers


def account_choice_wanted(situation: Situation) -> bool:
    """The client asked that the person choose an account."""
    return situation.wanted.choose_account and situation.account_id is not None
