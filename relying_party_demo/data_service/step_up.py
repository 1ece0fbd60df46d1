"""Step-up authentication as an API asks for it (RFC 9470): enough proof, or a challenge that says what would be.

Needs nothing but Flask; copy it into your own API. It looks at the claims of an access token that you have
checked already, and at nothing else of the request: neither a portal nor a browser can lower what it asks for.

    PROVED = StepUp(("http://eidas.europa.eu/LoA/substantial", "http://eidas.europa.eu/LoA/high"), max_age=900)

    @app.get("/payslips")
    @PROVED.guard(claims_of_checked_token)
    def payslips() -> Response: ...

The client takes `acr_values` and `max_age` of the challenge to the authorization endpoint and comes back with
a new token, which is checked here again (SR-96).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from werkzeug.exceptions import Unauthorized

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

LEEWAY = 60
"""Seconds that the provider's clock may be ahead of ours."""

ACR_VALUE = re.compile(r"[!#-\[\]-~]+")
"""One word, without what would need escaping in a header (RFC 9110 §5.6.4)."""

ANOTHER_LEVEL = "A different authentication level is required"
MORE_RECENT = "More recent authentication is required"


class InsufficientUserAuthentication(Unauthorized):
    """A good token, but the person has to prove more. Flask answers it with 401 and the challenge by itself.

    `challenge` is the value of WWW-Authenticate, for those who answer in a form of their own.
    """

    def __init__(self, why: str, challenge: str) -> None:
        super().__init__(why)
        self.challenge = challenge

    def get_headers(self, *args: Any, **more: Any) -> list[tuple[str, str]]:
        """Those of a plain answer, and the challenge."""
        return [*super().get_headers(*args, **more), ("WWW-Authenticate", self.challenge)]


@dataclass(frozen=True, slots=True)
class StepUp:
    """How strongly, and how lately, a person must have signed in.

    Any of `acr_values` is enough; they are asked for in this order, the preferred one first. `max_age` is in
    seconds since the person signed in, whatever has been refreshed meanwhile. Raises ValueError for what no
    token could fulfil or no header could say.
    """

    acr_values: tuple[str, ...]
    max_age: int | None = None

    def __post_init__(self) -> None:
        if not self.acr_values or not all(map(ACR_VALUE.fullmatch, self.acr_values)):
            raise ValueError("acr_values must be words without spaces, quotes and backslashes, one at least")
        if self.max_age is not None and self.max_age < 1:
            raise ValueError("max_age must be a second at least: no token is younger when it comes here")

    def check(self, claims: Mapping[str, Any], *, now: float | None = None) -> None:
        """Raise InsufficientUserAuthentication unless `acr` and `auth_time` of a checked token are enough.

        What is missing or of another type is not enough. `now` is in seconds since 1970, else the clock's.
        """
        acr = claims.get("acr")
        if not isinstance(acr, str) or acr not in self.acr_values:
            raise self._refusal(ANOTHER_LEVEL)
        if self.max_age is None:
            return
        signed_in = claims.get("auth_time")
        if isinstance(signed_in, bool) or not isinstance(signed_in, int | float):
            raise self._refusal(MORE_RECENT)
        age = (time.time() if now is None else now) - signed_in
        if not -LEEWAY <= age <= self.max_age:
            raise self._refusal(MORE_RECENT)

    def guard(
        self, claims: Callable[[], Mapping[str, Any]]
    ) -> Callable[[Callable[Given, Answer]], Callable[Given, Answer]]:
        """A decorator for view functions, below the route. `claims` gives those of the request's checked token."""

        def decorate(view: Callable[Given, Answer]) -> Callable[Given, Answer]:
            @wraps(view)
            def guarded(*args: Given.args, **more: Given.kwargs) -> Answer:
                self.check(claims())
                return view(*args, **more)

            return guarded

        return decorate

    def _refusal(self, why: str) -> InsufficientUserAuthentication:
        """RFC 9470 §3. The whole of what is wanted is said, lest the next token fulfil one half only."""
        asked = {"error": "insufficient_user_authentication", "error_description": why}
        asked["acr_values"] = " ".join(self.acr_values)
        if self.max_age is not None:
            asked["max_age"] = str(self.max_age)
        parameters = ", ".join(f'{name}="{value}"' for name, value in asked.items())
        return InsufficientUserAuthentication(why, f"Bearer {parameters}")
