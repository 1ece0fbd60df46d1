"""The service of Swedish BankID (RP API v6): JSON over mutual TLS, and how it says no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from idp.eid.connector import Failed, Outcome
from idp.eid.swedish_bankid_settings import SwedishBankIdSettings
from idp.outgoing.known import Answer, Caller, Unreachable

COLLECT_TIMEOUT = 3.0
"""Seconds that the state of an order may take: somebody waits for the page that asks."""

BUSY = (429, 503)
"""Answers that speak of now: a question may be asked again later."""

_BY_STATUS = {
    401: Outcome.PROVIDER_REJECTED_US,
    403: Outcome.PROVIDER_REJECTED_US,
    408: Outcome.PROVIDER_UNAVAILABLE,
    429: Outcome.PROVIDER_UNAVAILABLE,
}

_OF_AN_ORDER = {
    "expiredTransaction": Outcome.TIMEOUT,
    "startFailed": Outcome.TIMEOUT,
    "certificateErr": Outcome.NO_USABLE_ACCOUNT,
    "notSupportedByUserApp": Outcome.NO_USABLE_ACCOUNT,
    "userCancel": Outcome.USER_REFUSED,
    "userDeclinedCall": Outcome.USER_REFUSED,
    "cancelled": Outcome.IN_PROGRESS,  # most often because the same person began another order
    "transactionRiskBlocked": Outcome.RISK_BLOCKED,
}
"""Hint codes of an order that failed. What is not here ends it all the same."""

_CODES = (
    "alreadyInProgress", "invalidParameters", "unauthorized", "notFound", "methodNotAllowed", "requestTimeout",
    "unsupportedMediaType", "tooManyRequests", "internalError", "maintenance",
)  # fmt: skip

T = TypeVar("T")


class Refused(Exception):
    """The attempt proved nothing: why, and technical words for the log."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.failed = Failed(outcome, detail)


class Busy(Exception):
    """No answer this time; ask again later."""


class Service:
    """The three methods that are used. Raises OSError for files that cannot be read."""

    def __init__(self, settings: SwedishBankIdSettings) -> None:
        self._base = settings.url.rstrip("/")
        self._caller = Caller(
            trusted=settings.server_root_file, identity=settings.client_file, timeout=settings.timeout
        )

    def auth(self, body: Mapping[str, Any], answer: type[T]) -> T:
        """Begin an order. Raises `Refused`."""
        try:
            said = self._caller.post_json(f"{self._base}/auth", body)
        except Unreachable as problem:
            raise Refused(Outcome.PROVIDER_UNAVAILABLE, f"auth: {problem}") from None
        return _read(said, answer, "auth")

    def collect(self, order_ref: str, answer: type[T]) -> T:
        """How an order goes. Raises `Refused`, or `Busy`."""
        try:
            body = {"orderRef": order_ref}
            said = self._caller.post_json(f"{self._base}/collect", body, timeout=COLLECT_TIMEOUT)
        except Unreachable as problem:
            raise Busy(str(problem)) from None
        if said.status in BUSY:
            raise Busy(f"it said {said.status}")
        return _read(said, answer, "collect")

    def cancel(self, order_ref: str) -> None:
        """Stop an order. Raises `Unreachable`; that it cannot be stopped any more is no news."""
        self._caller.post_json(f"{self._base}/cancel", {"orderRef": order_ref}, timeout=COLLECT_TIMEOUT)


def failed(hint_code: str) -> Failed:
    """What an order that failed proved nothing by. Only words that are known get into the log."""
    known = _OF_AN_ORDER.get(hint_code)
    return Failed(known, hint_code) if known else Failed(Outcome.PROTOCOL_ERROR, "unknown hint code")


def _read(answer: Answer, kind: type[T], method: str) -> T:
    """The answer as what it should be; members nobody knows yet are left aside. Raises `Refused`."""
    if answer.status != 200:
        raise _refusal(answer, method)
    if answer.content_type != "application/json":
        raise Refused(Outcome.PROTOCOL_ERROR, f"{method}: an answer of another type")
    try:
        return msgspec.convert(answer.json(), kind)
    except (ValueError, RecursionError):
        raise Refused(Outcome.PROTOCOL_ERROR, f"{method}: an answer of another form") from None


def _refusal(answer: Answer, method: str) -> Refused:
    try:
        said = answer.json()
    except (ValueError, RecursionError):
        said = None
    word = str(said.get("errorCode")) if isinstance(said, Mapping) else ""
    # One service spells it Maintenance. A word that is not known could be about a person.
    code = next((known for known in _CODES if known.lower() == word.lower()), "another error")
    usual = Outcome.PROVIDER_UNAVAILABLE if answer.status >= 500 else Outcome.PROTOCOL_ERROR
    outcome = _BY_STATUS.get(answer.status, usual)
    if answer.status == 400 and code == "alreadyInProgress":
        outcome = Outcome.IN_PROGRESS
    return Refused(outcome, f"{method}: it said {answer.status} {code}")
