"""Answers that say why not: `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from flask import Response

TITLES = {
    "no-token": "An access token is needed",
    "invalid-request": "The token was presented in a way that is not allowed",
    "invalid-token": "The access token cannot be used",
    "insufficient-scope": "The access token was not granted for this",
    "proof-needed": "The person has to prove who they are",
    "no-match": "No employee record belongs to this person",
    "not-open-yet": "The access window has not opened yet",
    "window-closed": "The access window has closed",
    "not-found": "There is nothing here",
    "method-not-allowed": "This cannot be done here",
    "keys-unavailable": "The identity provider cannot be reached",
    "fault": "Something went wrong here",
}
"""The last part of every problem's `type`, and its title."""


def problem(
    name: str,
    status: int,
    base: str,
    *,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, str] | None = None,
) -> Response:
    """A problem document. `base` is the resource's own URL, under which the problem types are explained."""
    body = {"type": f"{base}problems/{name}", "title": TITLES[name], "status": status, **(members or {})}
    answer = Response(json.dumps(body, ensure_ascii=False), status, content_type="application/problem+json")
    answer.headers.update(headers or {})
    return answer
