"""How an authorization answer reaches the client: in the query, by a form, or in a signed token in either of them.

RFC 6749 §4.1.2; OAuth 2.0 Form Post Response Mode; JWT Secured Authorization Response Mode (JARM).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from flask import redirect
from werkzeug.wrappers import Response

from idp import clock
from idp.protocol.encryption import only_for
from idp.protocol.errors import InvalidRequest, PageError
from idp.protocol.parts import Parts
from idp.services.clients import Client

MODES = ("query", "form_post", "jwt", "query.jwt", "form_post.jwt")
"""`fragment` is for answers that hold tokens, and none of ours does. `jwt` is `query.jwt` (JARM §2.3.4)."""

SEE_OTHER = 303
"""After a POST a 302 may be repeated as a POST, a 307 is (RFC 9700 §4.12)."""

SIGNED_FOR = 300
"""Seconds that a signed answer counts; JARM §2.1 recommends ten minutes at most."""

TYPE = "oauth-authz-resp+jwt"
"""A type of its own: nobody takes an answer for an ID token, not even as a hint."""


def answered(
    parts: Parts, client: Client, redirect_uri: str, told: Mapping[str, str], *, state: str | None, mode: str
) -> Response:
    """Bring this to the client. Every answer names its issuer (RFC 9207 §2)."""
    whole = {**told, **({"state": state} if state is not None else {}), "iss": parts.issuer}
    if mode.endswith("jwt"):
        whole = {"response": _signed(parts, client, whole)}
    if mode.startswith("form_post"):
        return parts.form_post(redirect_uri, whole)
    return _redirected(redirect_uri, whole)


def mode_of(asked: str | None) -> str:
    """The mode in which a request that is refused is answered: as it asked, where that can be done."""
    return asked if asked in MODES else "query"


def _signed(parts: Parts, client: Client, told: Mapping[str, str]) -> str:
    """JARM §2.1, §2.2: the answer, who it is from, whom it is for, and until when; encrypted where it is registered so.

    What the client could not read is told to nobody but the person: there is no other way to the client.
    """
    algorithm = client.authorization_signed_response_alg or client.id_token_signed_response_alg
    claims = {**told, "iss": parts.issuer, "aud": client.client_id, "exp": clock.timestamp() + SIGNED_FOR}
    signed = parts.keyring.sign(claims, algorithm=algorithm, typ=TYPE)
    try:
        return only_for(parts, client, signed, what="authorization")
    except InvalidRequest as problem:
        raise PageError("bad-link", problem.description) from problem


def _redirected(redirect_uri: str, told: Mapping[str, str]) -> Response:
    """A registered query stays."""
    joint = "&" if urlsplit(redirect_uri).query else "" if redirect_uri.endswith("?") else "?"
    response = redirect("/", SEE_OTHER)
    response.autocorrect_location_header = False
    response.headers["Location"] = f"{redirect_uri}{joint}{urlencode(told)}"
    response.headers["Cache-Control"] = "no-store"
    return response
