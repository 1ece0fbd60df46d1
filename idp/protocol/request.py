"""HTTP to parameters: each once, bounded, from one place only (SR-73, SR-90)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from flask import Request
from werkzeug.datastructures import MultiDict

from idp.protocol.errors import InvalidRequest, OAuthError

LONGEST = 8 * 1024
"""Bytes of one parameter."""

LONGEST_STATE = 2 * 1024
FORM = "application/x-www-form-urlencoded"
MAY_REPEAT = ("resource",)
"""RFC 8707 §2: the only parameter that may come more than once."""


Confirmation = Mapping[str, str]
"""The `cnf` claim of RFC 7800 §3.1, with the thumbprint of a DPoP key as `jkt` (RFC 9449 §6.1)."""


class Parameters(dict[str, str]):
    """The parameters of a request; `resources` are those of RFC 8707.

    A parameter that breaks the rules is left out, and `fault` says what is wrong with the first of them:
    the authorization endpoint must know client and redirect URI before it may tell anybody (SR-69).
    """

    resources: tuple[str, ...] = ()
    pushed_as: str | None = None
    """The `request_uri` of a pushed request; empty while it is being pushed."""
    signed: bool = False
    """Whether they came in a request object."""
    confirmation: Confirmation | None = None
    """The key that the sender has shown to hold: what its tokens are bound to."""
    fault: OAuthError | None = None

    def sound(self) -> Parameters:
        """These, when nothing is wrong with any of them. Raises the `OAuthError` of the first that is wrong."""
        if self.fault is not None:
            raise self.fault
        return self


def of_browser(request: Request) -> Parameters:
    """What a client sends by way of a browser: the query of a GET or the form of a POST, never both.

    Its `fault` is for the caller to look at. Raises `InvalidRequest` for a POST that is no form.
    """
    if request.method == "POST":
        return _of_form(request)
    return _frozen(request.args, request.query_string)


def of_form(request: Request) -> Parameters:
    """The parameters of a form POST; what stands in the URL is not looked at. Raises `InvalidRequest`."""
    return _of_form(request).sound()


def _of_form(request: Request) -> Parameters:
    if request.mimetype != FORM:
        raise InvalidRequest(f"the request must be a form ({FORM})")
    raw = request.get_data(cache=True)
    return _frozen(request.form, raw)


def _frozen(given: MultiDict[str, str], raw: bytes) -> Parameters:
    found = of_values(dict(given.lists()))
    found.fault = _misencoded(raw) or found.fault
    return found


def of_values(given: Mapping[str, list[str]]) -> Parameters:
    """The parameters that these names and values make, wherever they come from."""
    found = Parameters()
    for name, values in given.items():
        try:
            _check(name, values)
        except InvalidRequest as problem:
            found.fault = found.fault or problem
            continue
        if values[-1]:  # an empty value is the same as none: RFC 6749 §3.1
            found[name] = values[-1]
    found.resources = tuple(value for value in given.get("resource", ()) if value)
    return found


def _misencoded(raw: bytes) -> InvalidRequest | None:
    """Werkzeug leaves what is not UTF-8 percent-encoded, so that it would pass for ordinary text."""
    try:
        unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return InvalidRequest("a parameter is not UTF-8")
    return None


def _check(name: str, values: list[str]) -> None:
    if len(values) > 1 and name not in MAY_REPEAT:
        raise InvalidRequest(f"{_named(name)} comes more than once")
    for value in values:
        _check_value(name, value)


def _check_value(name: str, value: str) -> None:
    if len(value.encode()) > (LONGEST_STATE if name == "state" else LONGEST):
        raise InvalidRequest(f"{_named(name)} is too long")
    if "\x00" in value or "\x00" in name:
        raise InvalidRequest("a parameter has NUL")


def _named(name: str) -> str:
    """The name as it may stand in an error description (RFC 6749 §5.2: no quotes, no backslash, ASCII)."""
    return name[:40] if name.isascii() and name.isidentifier() else "a parameter"


def scopes(text: str | None) -> tuple[str, ...]:
    """The words of a scope parameter, each once; some clients repeat them."""
    return tuple(dict.fromkeys((text or "").split()))
