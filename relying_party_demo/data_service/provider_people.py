"""Who a caller really is, by the provider's word: asked once, with the caller's own token."""

from __future__ import annotations

import logging
from typing import Any

import httpx

from .matching import Identity
from .provider_keys import json_object

log = logging.getLogger(__name__)


class PeopleUnavailable(Exception):
    """The provider cannot be asked now. Answer 503: later, not no."""


class ProviderPeople:
    """The UserInfo of one issuer (OpenID Connect Core §5.3, Identity Assurance 1.0)."""

    def __init__(self, issuer: str, *, timeout: float = 3.0) -> None:
        """`timeout` is in seconds."""
        self._issuer = issuer
        self._timeout = timeout

    def identity(self, access_token: str, subject: str) -> Identity | None:
        """The verified identity behind the token; None where the provider tells none. Raises PeopleUnavailable."""
        try:
            with httpx.Client(timeout=self._timeout, follow_redirects=False, trust_env=False) as http:
                document = json_object(http.get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"))
                headers = {"Authorization": f"Bearer {access_token}"}
                answer = http.get(str(document.get("userinfo_endpoint")), headers=headers)
                if answer.status_code in (401, 403):
                    return None
                told = json_object(answer)
        except (httpx.HTTPError, ValueError) as problem:
            log.warning("the provider's userinfo: %s", type(problem).__name__)
            raise PeopleUnavailable from problem
        return _identity(told) if told.get("sub") == subject else None  # OpenID Connect Core §5.3.4


def _identity(told: dict[str, Any]) -> Identity | None:
    verified, number = told.get("verified_claims"), told.get("national_number")
    claims = verified.get("claims") if isinstance(verified, dict) else None
    if not isinstance(claims, dict) or not isinstance(number, dict):
        return None
    names = [claims.get(name) for name in ("given_name", "family_name")]
    code, country = number.get("number"), number.get("country")
    if not all(isinstance(value, str) for value in (*names, code, country)):
        return None
    born = claims.get("birthdate")
    return Identity(
        country=str(country),
        number=str(code),
        given_name=str(names[0]),
        family_name=str(names[1]),
        birthdate=born if isinstance(born, str) else None,
    )
