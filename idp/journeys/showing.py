"""What each step may show: values for a page, never a word of its text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from idp.journeys import (
    app_setup,
    devices,
    identifying,
    leaving,
    passkeys,
    passwords,
    recovering,
    recovery_codes,
    sending,
    ways,
)
from idp.journeys.record import Here, Notice
from idp.rules.factor_policy import PHONE
from idp.services import accounts, credentials
from idp.stores.durable import codes

Shown = dict[str, Any]

TEMPLATES = {
    ("reset", "email"): "forgot",
    ("reset", "finish-first"): "lost-phone",
    ("change-email", "new-email-code"): "email-code",
}
PAGES = {"new-phone": "phone", "new-phone-code": "phone-code", "mailbox-code": "email-code", "no-way": "lost-phone"}
"""The same in whichever journey."""

"""Where a step's page is not named as the step."""

CHOOSERS = {"second-step": "second-step", "eid": "eid"}
"""Pages on which another way is chosen, by step."""

CHOOSE = "choose"
"""The way to a page on which one chooses a way."""

MISSES_BEFORE_HELP = 3


def template(here: Here) -> str:
    """The page of this step."""
    if here.step == "eid":
        return identifying.template(here)
    if here.step == "second-step":
        return "phone-code" if here.facts.begun.get("second-step") else _first_way(here)
    if here.step == "login" and here.record.wanted.change is not None:
        return "recheck"
    return TEMPLATES.get((here.journey, here.step)) or PAGES.get(here.step, here.step)


def page_of(here: Here, way: str) -> str:
    """The page of another way to do this step; of the step itself when there is no such way."""
    if way == CHOOSE:
        return CHOOSERS.get(here.step, "")
    if way == recovering.PAGE and here.step == "second-step":
        return way
    found = ways.chosen(here, way) if here.step == "second-step" else None
    return found.page if found else ""


def values(here: Here, page: str) -> Shown:
    """What the page may show: what the step has, and what the way has that the page is for."""
    shown = SHOWN[here.step](here) if here.step in SHOWN else {}
    if page == recovering.PAGE:
        shown |= recovering.shown(here)
    own = [way.shown(here) for way in ways.offered(here) if way.page == page]
    return shown | own[0] if own else shown


def login(here: Here) -> Shown:
    """The address as far as it is known; read-only when the person signed in here is asked for again.

    A client's hint alone shows no address: whoever holds an old ID token is not its owner.
    """
    known = here.session.account_id if here.session else None
    switched = here.facts.answers.get("accounts", {}).get("chosen") == "other"
    account = accounts.by_id(known) if known and not switched else None
    return {
        "email": account.email if account else _typed_address(here) or here.record.wanted.login_hint or "",
        "fixed": account is not None,
        "suggest": here.record.misses >= MISSES_BEFORE_HELP,
        "passkey": passkeys.may_be_used(here),
        "state": "",
        "second": False,
    }


def second_step(here: Here) -> Shown:
    """How to get the code; two digits of the number and no more."""
    phone = credentials.phone_of(here.situation.account_id or "")
    return {
        "last_digits": phone.last_digits if phone else "",
        "channels": [name for name in here.situation.accepted if name in PHONE and name in here.factors],
        "ways": [way.factor for way in ways.offered(here)],
        "remember": devices.days(here),
    }


def code(here: Here) -> Shown:
    """A code that was sent: whereto, how long it counts, when another may be asked for."""
    there = sending.at(here, step=here.step)
    shown = _destination(here) | {"state": _state(here), "wait": 0, "minutes": 10}
    if there.begun is None:
        return shown
    factor = here.tools.codes[there.begun.factor]
    challenge = codes.look(there.begun.challenge)
    shown |= {
        "channel": there.begun.factor,
        "other_channel": _other_channel(here, there.begun.factor),
        "minutes": factor.lifetime(here.journey) // 60,
        "until": challenge.expires_at.replace(second=0, microsecond=0) if challenge else None,
        "wait": 0 if there.failed else factor.wait_left(there.begun.sends, here.now - there.begun.last_sent),
    }
    return shown


def phone(here: Here) -> Shown:
    """The number as typed, and the countries codes are sent to."""
    answer = here.facts.answers.get(here.step, {})
    phones = here.tools.settings.phones
    return {
        "country": _rejected(here, "country") or answer.get("country", phones.default_country),
        "number": _rejected(here, "tel") or answer.get("typed", ""),
        "countries": phones.countries,
        "finishing": here.journey == "sign-in",
        "change": here.record.wanted.change is not None,
    }


def email(here: Here) -> Shown:
    """The address as typed before, be it on another page: nothing is asked for twice (WCAG 3.3.7)."""
    return {"email": _typed_address(here), "slip": None, "work_email": False}


def have_account(here: Here) -> Shown:
    """The address that was proved."""
    return {"email": here.facts.answers["email"]["typed"]}


def chosen(here: Here) -> Shown:
    """The account to go on with."""
    account = accounts.by_id(here.situation.account_id or "")
    return {"accounts": [("session", account.email)] if account else []}


def consent(here: Here) -> Shown:
    """Who asks, and for what."""
    client = here.record.wanted.client
    return {
        "client_name": client.name,
        "unverified": client.unverified,
        "client_host": (client.origin or "").partition("://")[2],
        "policy_uri": client.policy_uri,
        "tos_uri": client.tos_uri,
        "scopes": here.situation.consent,
        "records": here.record.wanted.records,
    }


SHOWN: dict[str, Callable[[Here], Shown]] = {
    "login": login,
    "second-step": lambda here: second_step(here) | (code(here) if here.facts.begun.get("second-step") else {}),
    "email-code": code,
    **dict.fromkeys(("new-email-code", "mailbox-code", "new-phone-code"), code),
    "new-email": lambda here: {"email": _rejected(here, "email"), "now": _own_address(here)},
    "new-phone": phone,
    "phone-code": lambda here: code(here) | {"offers": passkeys.offers(here)},
    "password": passwords.shown,
    "new-password": lambda here: passwords.shown(here) | {"offers": passkeys.offers(here)},
    "new-passkey": passkeys.made_shown,
    "phone": phone,
    "email": email,
    "have-account": have_account,
    "phone-waits": recovering.waiting,
    "other-step-needed": lambda here: {"accepted": here.situation.second_factors},
    "accounts": chosen,
    "consent": consent,
    "eid": identifying.shown,
    **app_setup.SHOWN,
    **recovery_codes.SHOWN,
    "leaving": leaving.shown,
}


def notices(here: Here) -> tuple[Notice, ...]:
    """The boxes that the facts themselves call for."""
    if here.step == "password" and not here.facts.bound:
        return (Notice("success", "address-verified"),)
    if here.step == "login" and template(here) == "login" and login(here)["fixed"]:
        return (Notice("info", "recheck"),)
    if here.step not in ("second-step", recovery_codes.LEFT) and recovery_codes.used(here.facts):
        return (Notice("info", "codes-left", {"n": recovery_codes.left(here)}),)
    begun = here.facts.begun.get(here.step)
    if begun is not None and begun.sends > 1 and _state(here) == "open":
        return (Notice("info", "new-code"),)
    return ()


def _first_way(here: Here) -> str:
    """The page for whoever has not chosen: that of the strongest factor, so that none is replaced silently (SR-41)."""
    found = ways.offered(here)
    first = next((way.page for way in found if way.comes_first), "")
    if first or any(name in PHONE and name in here.factors for name in here.situation.accepted):
        return first or "second-step"
    return found[0].page if found else "second-step"


def _rejected(here: Here, field: str) -> str:
    """What this field held in a form that was rejected just now; a good form leaves an answer instead."""
    last = here.record.last_answer
    return last.typed.get(field, "") if last else ""


def _typed_address(here: Here) -> str:
    return _rejected(here, "email") or here.facts.answers.get("email", {}).get("typed", "")


def _own_address(here: Here) -> str:
    return accounts.address_of(here.situation.account_id or "").typed


def _destination(here: Here) -> Shown:
    if here.step in sending.ADDRESSES or here.step == "mailbox-code":
        return {
            "email": sending.at(here, step=here.step).destination,
            "purpose": here.journey,
            "sender": here.tools.settings.mail.sender,
        }
    if here.step in sending.NUMBERS:
        answer = here.facts.answers[sending.NUMBERS[here.step]]
        return {"number": answer["e164"], "last_digits": answer["e164"][-2:]}
    return second_step(here)


def _state(here: Here) -> str:
    begun = here.facts.begun.get(here.step)
    challenge = codes.look(begun.challenge) if begun else None
    if begun is None and here.step == "mailbox-code":
        return "unsent"
    if begun is None or challenge is None:
        return "expired"
    if here.situation.live(begun.about, here.factors) is not None:
        return "used"
    if challenge.used or challenge.expires_at <= here.now:
        return "expired"
    if challenge.tries >= here.tools.settings.codes.tries:
        return "spent"
    if sending.at(here, step=here.step).failed:
        return "failed"
    return "open"


def _other_channel(here: Here, factor: str) -> str | None:
    if here.step in sending.NUMBERS:
        number = here.facts.answers[sending.NUMBERS[here.step]]
        enrolled: tuple[str, ...] = ("voice",) if number["takes_sms"] == "no" else ("sms", "voice")
    else:
        enrolled = tuple(name for name in here.situation.accepted if name in PHONE)
    return next((name for name in enrolled if name != factor), None)
