"""How an OpenID provider says no, and what that counts for here.

RFC 6749 §4.1.2.1 for what the browser brings, §5.2 for the token endpoint; RFC 9126 §2.3 for pushed requests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from idp.eid.connector import Failed, Outcome
from idp.outgoing.known import Answer

_CODE_OF_THE_BANK = re.compile(r"bankid_error_codes:([A-Za-z0-9-]{1,8})\b")
"""The one thing in a description that is surely not about a person."""

_OF_THE_ANSWER = {
    "access_denied": Outcome.USER_REFUSED,
    "unmet_authentication_requirements": Outcome.LEVEL_TOO_LOW,
    "temporarily_unavailable": Outcome.PROVIDER_UNAVAILABLE,
    "server_error": Outcome.PROVIDER_UNAVAILABLE,
    "invalid_request": Outcome.PROVIDER_REJECTED_US,
    "invalid_scope": Outcome.PROVIDER_REJECTED_US,
    "invalid_request_object": Outcome.PROVIDER_REJECTED_US,
    "unauthorized_client": Outcome.PROVIDER_REJECTED_US,
    "unsupported_response_type": Outcome.PROVIDER_REJECTED_US,
}
"""`error` of the authorization endpoint (RFC 6749 §4.1.2.1). What is not here broke the protocol."""

_OF_AN_ENDPOINT = {
    **_OF_THE_ANSWER,
    "invalid_client": Outcome.PROVIDER_REJECTED_US,
    "unsupported_grant_type": Outcome.PROVIDER_REJECTED_US,
    "invalid_grant": Outcome.PROOF_INVALID,
}
"""`error` of the token endpoint and of the one for pushed requests (RFC 6749 §5.2, RFC 9126 §2.3)."""


class Refused(Exception):
    """The attempt proved nothing: why, and technical words for the log."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.failed = Failed(outcome, detail)


def refused(error: str, description: str) -> Refused:
    """Why the browser came back with an error."""
    bank = _CODE_OF_THE_BANK.search(description)
    detail = f"{_error(error)}, code {bank[1]}" if bank else _error(error)
    return Refused(_OF_THE_ANSWER.get(error, Outcome.PROTOCOL_ERROR), detail)


def refusal(answer: Answer) -> Refused:
    """Why an endpoint said no (RFC 6749 §5.2)."""
    usual = by_status(answer.status)
    if usual is Outcome.PROVIDER_UNAVAILABLE:
        return Refused(usual, f"it said {answer.status}")
    try:
        said = answer.json()
    except (ValueError, RecursionError):
        said = None
    error = said.get("error") if isinstance(said, Mapping) else None
    word = error if isinstance(error, str) else ""
    return Refused(_OF_AN_ENDPOINT.get(word, usual), f"it said {answer.status} {_error(word)}")


def by_status(status: int) -> Outcome:
    """What a status says where nothing says more."""
    if status >= 500 or status == 429:
        return Outcome.PROVIDER_UNAVAILABLE
    return Outcome.PROVIDER_REJECTED_US if status in {401, 403} else Outcome.PROTOCOL_ERROR


def _error(word: str) -> str:
    """The error's name for the log, where it is one we know; anything else could be about a person."""
    return word if word in _OF_AN_ENDPOINT else "another error"


def object_of(answer: Answer) -> Mapping[str, Any]:
    """The JSON object that an endpoint answered. Raises `Refused`."""
    try:
        said = answer.json() if answer.content_type == "application/json" else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, Mapping):
        raise Refused(Outcome.PROTOCOL_ERROR, "no JSON object where one must be")
    return said
