"""The data service, as the portal sees it: payslips, or the reason why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import requests
from werkzeug.datastructures import WWWAuthenticate

TIMEOUT = 5
REASONS = ("no-match", "not-open-yet", "window-closed", "not-found")


@dataclass(frozen=True, slots=True)
class Found:
    """What was asked for."""

    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ProofNeeded:
    """The service wants the person to prove more first (RFC 9470 §3)."""

    acr_values: str
    max_age: int | None


@dataclass(frozen=True, slots=True)
class Closed:
    """There is nothing to show: one of REASONS, and the instant that matters to it."""

    reason: str
    when: datetime | None


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """The service does not take this access token any more."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The service does not answer, or not in a way we understand."""


Answer = Found | ProofNeeded | Closed | TokenRefused | Unavailable


class DataService:
    """The alumni data service at one address."""

    def __init__(self, url: str) -> None:
        """`url` ends with a slash."""
        self._url = url

    def payslips(self, access_token: str) -> Answer:
        """All payslips of the person."""
        return self._get("payslips", access_token)

    def payslip(self, access_token: str, payslip_id: str) -> Answer:
        """One payslip of the person."""
        return self._get(f"payslips/{quote(payslip_id, safe='')}", access_token)

    def me(self, access_token: str) -> Answer:
        """What the service knows about who is signed in."""
        return self._get("me", access_token)

    def _get(self, path: str, access_token: str) -> Answer:
        headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
        try:
            answer = requests.get(self._url + path, headers=headers, timeout=TIMEOUT, allow_redirects=False)
            body = answer.json()
        except (requests.RequestException, ValueError):
            return Unavailable()
        if answer.status_code == 200 and isinstance(body, dict):
            return Found(body)
        if answer.status_code == 401:
            return _challenge(answer.headers.get("WWW-Authenticate", ""))
        return _closed(body) if answer.status_code in {403, 404} and isinstance(body, dict) else Unavailable()


def _challenge(header: str) -> ProofNeeded | TokenRefused:
    challenge = WWWAuthenticate.from_header(header)
    if challenge is None or challenge.get("error") != "insufficient_user_authentication":
        return TokenRefused()
    max_age = challenge.get("max_age") or ""
    return ProofNeeded(challenge.get("acr_values") or "", int(max_age) if max_age.isdecimal() else None)


def _closed(body: dict[str, Any]) -> Closed | Unavailable:
    reason = str(body.get("type")).rpartition("/")[2]
    if reason not in REASONS:
        return Unavailable()
    try:
        when = datetime.fromisoformat(body.get("opens") or body.get("closed") or "")
    except ValueError:
        when = None
    return Closed(reason, when)
