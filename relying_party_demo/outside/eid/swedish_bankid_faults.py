"""Every way the Swedish BankID simulator can go wrong, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ERRORS = {
    400: "invalidParameters",
    401: "unauthorized",
    403: "unauthorized",
    404: "notFound",
    405: "methodNotAllowed",
    408: "requestTimeout",
    415: "unsupportedMediaType",
    429: "tooManyRequests",
    500: "internalError",
    503: "maintenance",
}
"""What the service calls each HTTP status that is an error."""

FAILED_HINTS = {
    "expired-transaction": "expiredTransaction",
    "certificate-err": "certificateErr",
    "user-cancel": "userCancel",
    "cancelled": "cancelled",
    "start-failed": "startFailed",
    "user-declined-call": "userDeclinedCall",
    "not-supported-by-user-app": "notSupportedByUserApp",
    "transaction-risk-blocked": "transactionRiskBlocked",
    "unknown-failed-hint": "somethingNobodyKnowsYet",
}
"""The hint code with which an order fails that has this fault."""

PENDING_HINT = "somethingNewHappens"
"""The hint code of a pending order that has the fault `unknown-hint`."""

NEW_FIELDS: Mapping[str, Any] = {"newField": {"nobody": ["knows", "it", "yet"]}}
"""What answers have beside the rest with the fault `new-fields`."""

_OF_HTTP = (400, 401, 408, 415, 429, 500, 503)

FAULTS: Mapping[str, str] = {
    **{name: f"the order fails with the hint code {hint}" for name, hint in FAILED_HINTS.items()},
    "unknown-hint": "the order is pending with a hint code that nobody knows yet, and goes well in the end",
    "risk-moderate": "the order is judged to be of moderate risk: blocked if only low was to be accepted",
    "risk-high": "the risk is high, whatever was asked for",
    "risk-missing": "no risk is told",
    "other-person": "somebody else proves who they are than the one who was asked for",
    "other-number": "the service names another number than the certificate",
    "other-name": "the service names another name than the certificate",
    "other-address": "the app is at another address than the browser",
    "no-document": "no identity document was read, even if it was asked for",
    "bad-digest": "what was signed was changed afterwards",
    "bad-signature": "the signature is by another key",
    "wrapped-signature": "the signature is real and over another statement, which hides beside a forged one",
    "other-text": "the person saw another text",
    "other-transaction": "the person signed another transaction",
    "signing-function": "the person signed a text instead of identifying themselves",
    "wrong-chain": "the certificate is by a bank that no trusted root vouches for",
    "expired-certificate": "the certificate has run out",
    "wrong-policy": "the certificate is of a policy that nobody asked for",
    "wrong-usage": "the certificate's key is not for identification",
    "ocsp-other-signature": "the responder's word was given for another signature",
    "ocsp-other-certificate": "the responder's word is about another certificate",
    "ocsp-stranger": "the responder is of another authority",
    "ocsp-revoked": "the certificate was revoked",
    "ocsp-unknown": "the responder does not know the certificate",
    "ocsp-stale": "the responder's word is a day old",
    "another-order": "the answer to a collect is about another order",
    "new-fields": "the answers have fields that nobody knows yet",
    **{f"auth-{status}": f"an order cannot begin: {status} {ERRORS[status]}" for status in _OF_HTTP},
    **{
        f"collect-{status}": f"an order is lost, and collecting it is answered {status} {ERRORS[status]}"
        for status in _OF_HTTP
    },
}


def status_of(fault: str | None, method: str) -> int | None:
    """The HTTP status that this fault has for a method, if any."""
    name, _, status = (fault or "").rpartition("-")
    return int(status) if name == method and status.isdecimal() else None
