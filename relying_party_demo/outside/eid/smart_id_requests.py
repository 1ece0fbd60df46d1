"""What the Smart-ID simulator takes for a request, and how it refuses: no kinder than RP API v3 (RFC 9457 problems)."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

UUID = "00000000-0000-4000-8000-000000000000"
NAME = "DEMO"
HASHES = ("SHA-256", "SHA-384", "SHA-512", "SHA3-256", "SHA3-384", "SHA3-512")
TEXTS = {
    "displayTextAndPIN": ("displayText60", 60),
    "confirmationMessage": ("displayText200", 200),
    "confirmationMessageAndVerificationCodeChoice": ("displayText200", 200),
}
OF_FLOW = {
    "device-link": ("displayTextAndPIN", "confirmationMessage"),
    "notification": ("displayTextAndPIN", "confirmationMessage", "confirmationMessageAndVerificationCodeChoice"),
}
CALLBACK = re.compile(r"https://(?!/)[^|#]+")
IDENTIFIERS = {
    "etsi": re.compile(r"(?:PNO|PAS|IDC)[A-Z]{2}-[0-9A-Za-z-]{1,30}"),
    "document": re.compile(r"(?:PNO|PAS|IDC)[A-Z]{2}-[0-9A-Za-z-]{1,30}-[0-9A-Z]{4}-(?:Q|NQ)"),
}
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    415: "Unsupported Media Type",
    471: "No suitable account of requested type found, but user has some other accounts",
    472: "Person should view Smart-ID app or Smart-ID self-service portal now",
    480: "The client is too old and not supported any more",
    500: "Internal Server Error",
    580: "System is under maintenance, retry again later",
}


class Problem(Exception):
    """A refusal: its HTTP status and the parameter that is wrong."""

    def __init__(self, status: int, parameter: str = "") -> None:
        super().__init__(parameter)
        self.status, self.parameter = status, parameter

    def body(self, instance: str) -> dict[str, Any]:
        """The problem document (RFC 9457 §3.1) of a request to this path."""
        title = TITLES.get(self.status, "Refused")
        told: dict[str, Any] = {"type": "about:blank", "status": self.status, "title": title, "instance": instance}
        if not self.parameter:
            return told
        error = {"code": "INVALID_PARAMETER", "detail": "value is not allowed", "paramName": self.parameter}
        return {**told, "detail": f"{self.parameter} is wrong", "errors": [error]}


def checked(raw: bytes, flow: str) -> dict[str, Any]:
    """The request, every member of it looked at. Raises Problem. Members that are not known are ignored."""
    try:
        body = json.loads(raw)
    except ValueError:
        raise Problem(400) from None
    if not isinstance(body, dict):
        raise Problem(400)
    _agreed(body)
    _permitted(body)
    _signature(body)
    _interactions(body, flow)
    if "nonce" in body:
        raise Problem(400, "nonce")
    if flow == "notification" and body.get("vcType") != "numeric4":
        raise Problem(400, "vcType")
    callback = body.get("initialCallbackUrl")
    if callback is not None and not (
        isinstance(callback, str) and len(callback) <= 1800 and CALLBACK.fullmatch(callback)
    ):
        raise Problem(400, "initialCallbackUrl")
    return body


def _agreed(body: Mapping[str, Any]) -> None:
    """By whom, and for which accounts: as the contract says."""
    if body.get("relyingPartyUUID") != UUID or str(body.get("relyingPartyName", "")).upper() != NAME:
        raise Problem(401)
    if body.get("certificateLevel", "QUALIFIED") != "QUALIFIED":
        raise Problem(403 if body.get("certificateLevel") == "ADVANCED" else 400, "certificateLevel")


def ensure_identifier(kind: str, who: str) -> None:
    """Refuse an identifier in the path that is none. Raises Problem."""
    if not IDENTIFIERS[kind].fullmatch(who):
        raise Problem(400, "semanticsIdentifier" if kind == "etsi" else "documentNumber")


def _permitted(body: Mapping[str, Any]) -> None:
    """Nothing that wants an agreement of its own: this contract has none."""
    wanted = body.get("requestProperties", {})
    if not isinstance(wanted, dict) or not isinstance(wanted.get("shareMdClientIpAddress", False), bool):
        raise Problem(400, "requestProperties")
    if wanted.get("shareMdClientIpAddress"):
        raise Problem(403, "requestProperties")
    if body.get("capabilities"):
        raise Problem(403, "capabilities")


def _signature(body: Mapping[str, Any]) -> None:
    if body.get("signatureProtocol") != "ACSP_V2":
        raise Problem(400, "signatureProtocol")
    given = body.get("signatureProtocolParameters")
    if not isinstance(given, dict) or given.get("signatureAlgorithm") != "rsassa-pss":
        raise Problem(400, "signatureAlgorithm")
    algorithm = given.get("signatureAlgorithmParameters")
    if not isinstance(algorithm, dict) or algorithm.get("hashAlgorithm") not in HASHES:
        raise Problem(400, "hashAlgorithm")
    challenge = given.get("rpChallenge")
    if not isinstance(challenge, str) or not 44 <= len(challenge) <= 88 or not 32 <= len(_decoded(challenge)) <= 64:
        raise Problem(400, "rpChallenge")


def _interactions(body: Mapping[str, Any], flow: str) -> None:
    text = _decoded(str(body.get("interactions", "")))
    try:
        told = json.loads(text)
    except ValueError:
        raise Problem(400, "interactions") from None
    if not isinstance(told, list) or not told or not _is_minified(text, told):
        raise Problem(400, "interactions")
    kinds = [one.get("type") if isinstance(one, dict) else None for one in told]
    if any(kind not in OF_FLOW[flow] or kinds.count(kind) > 1 for kind in kinds):
        raise Problem(400, "interactions")
    for one in told:
        member, longest = TEXTS[one["type"]]
        shown = one.get(member)
        if set(one) != {"type", member} or not isinstance(shown, str) or not 0 < len(shown) <= longest:
            raise Problem(400, "interactions")


def _is_minified(text: bytes, told: Any) -> bool:
    written = (json.dumps(told, separators=(",", ":"), ensure_ascii=ascii) for ascii in (True, False))
    return text in (one.encode() for one in written)


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""
