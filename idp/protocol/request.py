"""HTTP to parameters: each once, bounded, from one place only (SR-73, SR-90)."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from flask import Request
from werkzeug.datastructures import MultiDict

from idp.protocol.errors import InvalidRequest

LONGEST = 8 * 1024
"""Bytes of one parameter."""

LONGEST_STATE = 2 * 1024
FORM = "application/x-www-form-urlencoded"
MAY_REPEAT = ("resource",)
"""RFC 8707 §2: the only parameter that may come more than once."""


class Parameters(dict[str, str]):
    """The parameters of a request; `resources` are those of RFC 8707."""

    resources: tuple[str, ...] = ()


def of_query(request: Request) -> Parameters:
    """The parameters of a GET. Raises `InvalidRequest`."""
    _check_encoding(request.query_string)
    return _frozen(request.args)


def of_form(request: Request) -> Parameters:
    """The parameters of a form POST; what stands in the URL is not looked at. Raises `InvalidRequest`."""
    if request.mimetype != FORM:
        raise InvalidRequest(f"the request must be a form ({FORM})")
    _check_encoding(request.get_data(cache=True))
    return _frozen(request.form)


def _frozen(given: MultiDict[str, str]) -> Parameters:
    found = Parameters()
    for name, values in given.lists():
        if len(values) > 1 and name not in MAY_REPEAT:
            raise InvalidRequest(f"{_named(name)} comes more than once")
        for value in values:
            _check(name, value)
        if values[-1]:  # an empty value is the same as none: RFC 6749 §3.1
            found[name] = values[-1]
    found.resources = tuple(value for value in given.getlist("resource") if value)
    return found


def _check_encoding(raw: bytes) -> None:
    """Werkzeug leaves what is not UTF-8 percent-encoded, so that it would pass for ordinary text."""
    try:
        unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as problem:
        raise InvalidRequest("a parameter is not UTF-8") from problem


def _check(name: str, value: str) -> None:
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
