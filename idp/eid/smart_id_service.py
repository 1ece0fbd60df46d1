"""The RP API of Smart-ID: JSON over TLS with pinned roots, and how it says no."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from idp.eid.connector import Outcome
from idp.eid.smart_id_proof import Cert, Refused, Signature
from idp.eid.smart_id_settings import SmartIdSettings
from idp.outgoing.known import Answer, Caller, Unreachable

Kind = TypeVar("Kind")

LONG_POLL = 1000
"""Milliseconds that the service may hold a question: the shortest it allows, since a page waits for it."""

STATUS_TIMEOUT = 4.0
"""Seconds for such an answer in all."""

_STARTING = {
    400: Outcome.PROTOCOL_ERROR,
    401: Outcome.PROVIDER_REJECTED_US,
    403: Outcome.PROVIDER_REJECTED_US,
    404: Outcome.NO_USABLE_ACCOUNT,
    471: Outcome.NO_USABLE_ACCOUNT,
    472: Outcome.NO_USABLE_ACCOUNT,
    480: Outcome.PROVIDER_REJECTED_US,
    580: Outcome.PROVIDER_UNAVAILABLE,
}
_ASKING = {
    400: Outcome.PROTOCOL_ERROR,
    401: Outcome.PROVIDER_REJECTED_US,
    403: Outcome.PROVIDER_REJECTED_US,
    404: Outcome.TIMEOUT,
    480: Outcome.PROVIDER_REJECTED_US,
}


class Busy(Exception):
    """No answer this time; ask again later."""


_SessionId = Annotated[str, Meta(pattern=r"\A[0-9A-Za-z-]{8,64}\Z")]
_Token = Annotated[str, Meta(pattern=r"\A[0-9A-Za-z]{24,200}\Z")]
_BASE64 = r"\A(?=.{24,200}\Z)(?:[0-9A-Za-z+/]{4})*(?:[0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?\Z"
_Secret = Annotated[str, Meta(pattern=_BASE64)]
_LinkBase = Annotated[str, Meta(pattern=r"\Ahttps://[!-~]+\Z", max_length=500)]
"""What the page makes a link of: never a script, nor an address that can be overheard."""


class Made(Struct, frozen=True, kw_only=True, rename="camel"):
    """A session that was begun. The last three are of device links; all go into links and formulas as they are."""

    session_id: _SessionId = msgspec.field(name="sessionID")
    session_token: _Token | None = None
    session_secret: _Secret | None = None
    device_link_base: _LinkBase | None = None

    def __repr__(self) -> str:
        return "Made()"


class Ended(Struct, frozen=True, rename="camel"):
    """How a session ended."""

    end_result: str
    document_number: str | None = None

    def __repr__(self) -> str:
        return f"Ended({self.end_result!r})"


class Status(Struct, frozen=True, kw_only=True, rename="camel"):
    """A session as it stands. Members that are not known here are ignored, as the API wants."""

    state: Literal["RUNNING", "COMPLETE"]
    result: Ended | None = None
    signature_protocol: str = ""
    signature: Signature | None = None
    cert: Cert | None = None
    interaction_type_used: str = ""

    def __repr__(self) -> str:
        return f"Status({self.state!r})"


class Service:
    """The two methods that are used. Raises OSError for files that cannot be read."""

    def __init__(self, settings: SmartIdSettings) -> None:
        self._base = settings.url.rstrip("/")
        self._caller = Caller(trusted=settings.api_roots_file, timeout=settings.timeout)

    def start(self, where: str, body: Mapping[str, Any]) -> Made:
        """Begin an authentication. Raises `Refused`."""
        try:
            said = self._caller.post_json(f"{self._base}/authentication/{where}", body)
        except Unreachable as problem:
            raise Refused(Outcome.PROVIDER_UNAVAILABLE, f"start: {problem}") from None
        if said.status != 200:
            raise Refused(_STARTING.get(said.status, Outcome.PROVIDER_UNAVAILABLE), f"start: {said.status}")
        return _read(said, Made)

    def status(self, session_id: str) -> Status:
        """How a session goes. Raises `Refused`, or `Busy`."""
        try:
            said = self._caller.get(f"{self._base}/session/{session_id}?timeoutMs={LONG_POLL}", timeout=STATUS_TIMEOUT)
        except Unreachable as problem:
            raise Busy(str(problem)) from None
        if said.status in _ASKING:
            raise Refused(_ASKING[said.status], f"session: {said.status}")
        if said.status != 200:
            raise Busy(str(said.status))
        return _read(said, Status)


def _read(said: Answer, kind: type[Kind]) -> Kind:
    """The answer, strictly read. Raises `Refused`."""
    if said.content_type != "application/json":
        raise Refused(Outcome.PROTOCOL_ERROR, "content type")
    try:
        told = said.json()
        json.dumps(told, ensure_ascii=False).encode()  # half a surrogate pair is no text: nothing could keep it
        return msgspec.convert(told, kind)
    except (ValueError, RecursionError):
        raise Refused(Outcome.PROTOCOL_ERROR, "JSON is not as it should be") from None
