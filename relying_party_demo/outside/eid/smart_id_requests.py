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
CALLBACK = re.compile(r"https://([^|#]+)")


class Problem(Exception):
    """A refusal: its HTTP status and the parameter that is wrong."""

    def __init__(self, status: int, parameter: str = "") -> None:
        super().__init__(parameter)
        self.status, self.parameter = status, parameter

    def body(self) -> dict[str, Any]:
        """The problem document."""
        told: dict[str, Any] = {"type": "about:blank", "status": self.status, "title": "Refused"}
        return {**told, "errors": [{"paramName": self.parameter}]} if self.parameter else told


def checked(raw: bytes, flow: str) -> dict[str, Any]:
    """The request, every member of it looked at. Raises Problem. Members that are not known are ignored."""
    try:
        body = json.loads(raw)
    except ValueError:
        raise Problem(400) from None
    if not isinstance(body, dict):
        raise Problem(400)
    _agreed(body)
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
    try:
        told = json.loads(_decoded(str(body.get("interactions", ""))))
        kinds = [one["type"] for one in told]
        texts = [(one["type"], {name: text for name, text in one.items() if name != "type"}) for one in told]
    except (ValueError, TypeError, KeyError):
        raise Problem(400, "interactions") from None
    if not kinds or len(set(kinds)) != len(kinds) or set(kinds) - set(OF_FLOW[flow]):
        raise Problem(400, "interactions")
    for kind, members in texts:
        member, longest = TEXTS[kind]
        text = members.get(member)
        if set(members) != {member} or not isinstance(text, str) or not 0 < len(text) <= longest:
            raise Problem(400, "interactions")


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""
