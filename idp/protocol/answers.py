"""JSON answers: bytes at once, never cached; and refusals in the RFCs' form."""

from __future__ import annotations

from typing import Any

import orjson
from werkzeug.wrappers import Response

from idp.protocol.errors import InvalidClient, InvalidDPoPProof, OAuthError, Throttled
from idp.signing.jws import ALGORITHMS

JSON = "application/json"
UNAUTHORIZED, FORBIDDEN = 401, 403
RETRY_AFTER = 5
"""Seconds after which a caller may try again what a store could not answer."""


def json_answer(body: dict[str, Any], status: int = 200) -> Response:
    """A JSON object that nobody keeps (RFC 6749 §5.1)."""
    response = Response(orjson.dumps(body), status, content_type=JSON)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response


def jwt_answer(token: str, kind: str = "application/jwt") -> Response:
    """A token as the whole answer."""
    response = Response(token, content_type=kind)
    response.headers["Cache-Control"] = "no-store"
    return response


def empty_answer() -> Response:
    """200 with nothing in it, typed as JSON: a browser client throws on anything else."""
    response = Response(b"", 200, content_type=JSON)
    response.headers["Cache-Control"] = "no-store"
    return response


def refusal(problem: OAuthError) -> Response:
    """The error as the RFC has it: JSON, and a challenge where a token or Basic was tried."""
    body = {"error": problem.error, "error_description": problem.description}
    response = json_answer(body, problem.status)
    if isinstance(problem, InvalidClient) and problem.basic:
        response.headers["WWW-Authenticate"] = 'Basic realm="token"'
    if isinstance(problem, Throttled):
        response.headers["Retry-After"] = str(problem.seconds)
    return response


def challenge(problem: OAuthError, scheme: str) -> Response:
    """The same from a protected resource: with the ways to show a token (RFC 6750 §3, RFC 9449 §7.1).

    `scheme` is the one that was tried: what was wrong is told to it alone, and both to whoever tried none.
    """
    status = UNAUTHORIZED if isinstance(problem, InvalidDPoPProof) else problem.status
    response = json_answer({"error": problem.error, "error_description": problem.description}, status)
    wrong = f'error="{problem.error}", error_description="{problem.description}"' if problem.description else ""
    algorithms = f'algs="{" ".join(ALGORITHMS)}"'
    ways = {"bearer": ("Bearer", wrong), "dpop": ("DPoP", f"{wrong}, {algorithms}" if wrong else algorithms)}
    for name, (word, told) in ways.items():
        if scheme in (name, "") and status in (UNAUTHORIZED, FORBIDDEN):
            response.headers.add("WWW-Authenticate", f"{word} {told}".strip())
    return response


def unavailable() -> Response:
    """A store is down: fail closed, and say when to come back (requirements, section Q)."""
    response = json_answer({"error": "temporarily_unavailable"}, 503)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response
