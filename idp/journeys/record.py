"""The record of one journey, and what may come of one submission."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from idp.factors.authenticator_app import AuthenticatorApp
from idp.factors.email_code import email_code
from idp.factors.one_time_code import OneTimeCode
from idp.factors.passkey import Passkey, passkey
from idp.factors.password import Password
from idp.factors.recovery_code import RecoveryCode
from idp.factors.sms import sms
from idp.factors.voice import voice
from idp.interaction import SignIn
from idp.journeys.facts import Facts, Situation
from idp.services.eids import Eids
from idp.services.hashing import Hashing
from idp.services.windows import Origin
from idp.settings import Settings
from idp.stores.shortlived.contract import ShortLived
from idp.stores.shortlived.sessions import Session

KEPT = ("email", "tel", "country", "remember")
"""What a rejected form keeps of what was typed; never a password or a code."""


class Fault(Struct, frozen=True):
    """One message beside a field: its key in the error catalogue (page spec §9.2) and its values."""

    field: str
    key: str
    values: dict[str, str | int] = {}


class Notice(Struct, frozen=True):
    """One box above the heading, by key."""

    kind: str
    key: str
    values: dict[str, str | int] = {}


class Answer(Struct, frozen=True):
    """How a submission was answered; kept so that a second press of the same form hears the same."""

    status: int = 303
    url: str = ""
    faults: tuple[Fault, ...] = ()
    notices: tuple[Notice, ...] = ()
    typed: dict[str, str] = {}
    page: str = ""
    shown: dict[str, str | int | bool] = {}


class Record(Struct, frozen=True, kw_only=True):
    """All that is kept of a journey. Its browser is the only one it answers to."""

    browser: str
    wanted: SignIn
    begun_at: datetime
    facts: Facts = Facts()
    misses: int = 0
    ignored_session: str = ""
    finished: bool = False
    last_form: str = ""
    last_answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose request this is: the browser's digest, the session id it holds, its language, what device it is."""

    browser: str
    session_id: str | None = field(repr=False)
    locale: str
    device: str
    origin: Origin
    known: str = field(repr=False)
    """What this browser holds so that it is known again. It opens nothing."""
    remembered: str | None = field(default=None, repr=False)
    """What a remembered device holds, where this browser was one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One form that was sent: what was typed, which button, from where."""

    typed: Mapping[str, str] = field(repr=False)
    do: str
    origin: Origin
    device: str
    user_agent: str = ""
    locale: str
    age: int
    """Seconds since the form was shown."""
    may_offer: bool = False
    """The browser says that it can make passkeys, and nobody has said «Not now» in it lately."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the journeys work with, built once."""

    settings: Settings
    store: ShortLived
    password: Password
    codes: Mapping[str, OneTimeCode]
    authenticator_app: AuthenticatorApp
    passkey: Passkey
    recovery_code: RecoveryCode
    eids: Eids

    @property
    def proof_life(self) -> timedelta:
        """How long a proof may count: as long as a session may last."""
        return timedelta(seconds=self.settings.sessions.absolute)

    @staticmethod
    def build(settings: Settings, store: ShortLived, hashing: Hashing, eids: Eids) -> Tools:
        """Every factor, with its settings."""
        factors = (email_code, sms, voice)
        made = [factor(settings.codes, settings.limits, store) for factor in factors]
        return Tools(
            settings=settings,
            store=store,
            password=Password(settings.passwords, settings.limits, store, hashing),
            codes={factor.name: factor for factor in made},
            authenticator_app=AuthenticatorApp(settings.limits),
            passkey=passkey(settings, store),
            recovery_code=RecoveryCode(settings.limits, hashing),
            eids=eids,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """One person at one step of one journey, now."""

    journey_id: str
    journey: str
    step: str
    record: Record
    situation: Situation
    session: Session | None
    locale: str
    tools: Tools
    factors: tuple[str, ...] = ()
    """Those that serve at this step."""

    @property
    def facts(self) -> Facts:
        """What this journey's record holds."""
        return self.record.facts

    @property
    def now(self) -> datetime:
        """The instant of this request."""
        return self.situation.now


Change = Callable[[Facts], Facts]


@dataclass(frozen=True, slots=True)
class Accepted:
    """Go on, with this change to the facts."""

    change: Change


@dataclass(frozen=True, slots=True)
class Rejected:
    """Stay, with these messages."""

    faults: tuple[Fault, ...] = ()
    notices: tuple[Notice, ...] = ()
    status: int = 422
    shown: Mapping[str, str | int | bool] = field(default_factory=dict)
    page: str = ""
    misses: int | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """The person said no; the client hears it."""


@dataclass(frozen=True, slots=True)
class Left:
    """The person goes on at an eID, and comes back by the address that was given to it."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SwitchedUser:
    """Begin this journey anew as somebody else."""


Result = Accepted | Rejected | Declined | Left | SwitchedUser

decode = msgspec.json.Decoder(Record).decode
encode = msgspec.json.Encoder().encode
