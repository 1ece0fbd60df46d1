"""Every journey, on one page."""

from __future__ import annotations

from idp.interaction import SignIn
from idp.journeys import conditions as when
from idp.journeys.facts import (
    about_account,
    about_address,
    about_new_address,
    about_new_number,
    about_number,
    about_own_mailbox,
)
from idp.journeys.steps import Journey, Step, ask, enrol, journey, offer, prove, stop
from idp.rules.assurance import EID, REMEMBERED
from idp.rules.factor_policy import LOGIN, PHONE, RECOVERY, SECOND_STEP, SUPPORT_CODE

SIGN_UP = journey(
    "sign-up",
    ask("email"),
    prove("email-code", "email_code", about=about_address),
    stop("have-account", when=when.address_taken),
    enrol("password", "password"),
    ask("phone"),
    enrol("phone-code", *PHONE, about=about_number),
    then="open_account",
    leads_to=("sign-in", "reset"),
)

SIGN_IN = journey(
    "sign-in",
    ask("accounts", when=when.account_choice_wanted),
    prove("login", *LOGIN, about=about_account),
    stop("other-step-needed", when=when.no_accepted_second_factor),
    prove("second-step", *SECOND_STEP, REMEMBERED, about=about_account, when=when.second_factor_due),
    stop("leaving", when=when.leaving),
    ask("phone", when=when.second_factor_missing),
    enrol("phone-code", *PHONE, about=about_number, when=when.second_factor_missing),
    ask("codes-left", when=when.recovery_code_used),
    prove("eid", "eid", about=about_account, when=when.identity_wanted),
    ask("consent", when=when.consent_wanted),
    offer("new-passkey", "passkey", when=when.passkey_offered),
    then="start_session",
    leads_to=("sign-up", "reset"),
)

RESET = journey(
    "reset",
    ask("email"),
    prove("email-code", "email_code", about=about_address),
    stop("finish-first", when=when.no_way_to_reset),
    prove("second-step", *SECOND_STEP, about=about_account, when=when.second_factor_due),
    stop("leaving", when=when.leaving),
    enrol("new-password", "password"),
    then="replace_password",  # then sign-in goes on with the proofs just given
    leads_to=("sign-in", "sign-up"),
)


def security_change(name: str, *steps: Step, then: str) -> Journey:
    """A change of how an account is signed in to. None can forget that it is the owner who makes it (SR-40).

    Its second step is due for everybody: an account without one changes nothing here.
    """
    owner = (
        prove("login", *LOGIN, about=about_account),
        prove("second-step", *SECOND_STEP, about=about_account),
    )
    return journey(name, *owner, *steps, then=then, is_change=True)


CHANGE_PASSWORD = security_change("change-password", enrol("new-password", "password"), then="change_password")
ADD_PASSKEY = security_change("add-passkey", enrol("new-passkey", "passkey"), then="add_passkey")
REMOVE_PASSKEY = security_change("remove-passkey", then="remove_passkey")

CHANGE_EMAIL = security_change(
    "change-email",
    ask("new-email"),
    prove("new-email-code", "email_code", about=about_new_address),
    then="change_address",
)

CHANGE_PHONE = security_change(
    "change-phone",
    ask("new-phone"),
    enrol("new-phone-code", *PHONE, about=about_new_number),
    then="change_phone",
)

REMOVE_PHONE = security_change("remove-phone", then="remove_phone")

UNDO_CHANGE = security_change("undo-change", then="undo_change")

ADD_APP = security_change("add-app", enrol("set-up-app"), then="keep_app")

REMOVE_APP = security_change("remove-app", then="remove_app")

NEW_RECOVERY_CODES = security_change(
    "new-recovery-codes", ask("make-codes"), enrol("save-codes"), then="keep_recovery_codes"
)


def lost_phone(name: str, *proofs: Step, then: str) -> Journey:
    """The way back to an account whose phone is lost: its password, something beside it, and then a new number.

    An e-mail is never enough (SR-61, SR-62).
    """
    password = prove("login", "password", about=about_account)
    number = (ask("new-phone"), enrol("new-phone-code", *PHONE, about=about_new_number))
    leaving = stop("leaving", when=when.leaving)
    return Journey(name, (password, *proofs, leaving, *number), then, is_recovery=True)


LOST_PHONE = lost_phone(
    "lost-phone",
    stop("no-way", when=when.no_factor_recovers),
    prove("second-step", *RECOVERY, about=about_account),
    then="replace_lost_phone",  # at once; then sign-in goes on with the proofs just given
)

LOST_PHONE_EID = lost_phone(
    "lost-phone-eid",
    stop("no-way", when=when.nobody_linked),
    prove("eid", EID, about=about_account),
    stop("phone-waits", when=when.phone_waits),
    then="replace_lost_phone_later",
)

LOST_PHONE_SUPPORT = lost_phone(
    "lost-phone-support",
    prove("mailbox-code", "email_code", about=about_own_mailbox),
    prove("support-code", SUPPORT_CODE, about=about_account),
    stop("phone-waits", when=when.phone_waits),
    then="replace_lost_phone_later",
)

RECHECK = security_change("recheck", then="prove_owner")

LEAVE = security_change("leave", then="leave")

JOURNEYS = {
    journey.name: journey
    for journey in (
        SIGN_UP, SIGN_IN, RESET, CHANGE_PASSWORD, CHANGE_EMAIL, CHANGE_PHONE, REMOVE_PHONE, UNDO_CHANGE,
        ADD_APP, REMOVE_APP, NEW_RECOVERY_CODES,
        ADD_PASSKEY, REMOVE_PASSKEY,
        LOST_PHONE, LOST_PHONE_EID, LOST_PHONE_SUPPORT, RECHECK, LEAVE,
    )
}  # fmt: skip


def named(name: str | None, wanted: SignIn) -> Journey | None:
    """The journey of that name, or without one the journey that is wanted; a change only where it is the one wanted."""
    found = JOURNEYS.get(name or wanted.change or SIGN_IN.name)
    return None if found is not None and found.is_change and found.name != wanted.change else found
