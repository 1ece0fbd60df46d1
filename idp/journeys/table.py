"""Every journey, on one page."""

from __future__ import annotations

from idp.journeys import conditions as when
from idp.journeys.facts import about_account, about_address, about_number
from idp.journeys.steps import ask, enrol, journey, prove, stop

PHONE = ("sms", "voice")

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
    prove("login", "password", about=about_account),
    prove("second-step", *PHONE, about=about_account, when=when.second_factor_due),
    ask("phone", when=when.second_factor_missing),
    enrol("phone-code", *PHONE, about=about_number, when=when.second_factor_missing),
    prove("eid", "eid", about=about_account, when=when.identity_wanted),
    ask("consent", when=when.consent_wanted),
    then="start_session",
    leads_to=("sign-up", "reset"),
)

RESET = journey(
    "reset",
    ask("email"),
    prove("email-code", "email_code", about=about_address),
    stop("finish-first", when=when.no_way_to_reset),
    prove("second-step", *PHONE, about=about_account, when=when.second_factor_due),
    enrol("new-password", "password"),
    then="replace_password",  # then sign-in goes on with the proofs just given
    leads_to=("sign-in", "sign-up"),
)

JOURNEYS = {journey.name: journey for journey in (SIGN_UP, SIGN_IN, RESET)}
