"""The formulas of Smart-ID RP API v3, to the byte: links, payloads, digests, verification codes. Pure."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256

PROTOCOL = "ACSP_V2"
CALLBACK = re.compile(r"https://([^|#]+)")
LONGEST_CALLBACK = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What we sent: the only values that go into any formula, whatever an answer says."""

    scheme_name: str
    challenge: str = field(repr=False)
    """`rpChallenge`, as base64."""
    relying_party_name: str
    interactions: str
    """As base64."""
    callback: str = field(repr=False)
    """`initialCallbackUrl`."""
    brokered_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What the service gave for a device link."""

    token: str = field(repr=False)
    secret: str = field(repr=False)
    """Base64."""
    base: str
    """`deviceLinkBase`."""


def device_link(asked: Asked, session: Session, *, kind: str, lang: str, elapsed: int | None = None) -> str:
    """The link or QR content, with its authCode. `elapsed` are whole seconds, for QR alone."""
    unprotected = unprotected_link(session, kind=kind, lang=lang, elapsed=elapsed)
    return f"{unprotected}&authCode={auth_code(session.secret, link_payload(asked, unprotected, kind=kind))}"


def unprotected_link(session: Session, *, kind: str, lang: str, elapsed: int | None, session_type: str = "auth") -> str:
    """The link before its authCode; the order is fixed and nothing is percent-encoded."""
    seconds = f"&elapsedSeconds={elapsed}" if kind == "QR" else ""
    return (
        f"{session.base}?deviceLinkType={kind}{seconds}&sessionToken={session.token}"
        f"&sessionType={session_type}&version=1.0&lang={lang}"
    )


def link_payload(asked: Asked, unprotected: str, *, kind: str, protocol: str = PROTOCOL) -> str:
    """What the authCode is made of. A QR code knows no callback."""
    return "|".join(
        (
            asked.scheme_name,
            protocol,
            asked.challenge,
            _named(asked.relying_party_name),
            _named(asked.brokered_name),
            asked.interactions,
            "" if kind == "QR" else asked.callback,
            unprotected,
        )
    )


def auth_code(secret: str, payload: str) -> str:
    """HMAC-SHA-256 under the decoded session secret, base64url without padding."""
    return _url(hmac.digest(b64decode(secret, validate=True), payload.encode(), "sha256"))


def signed_payload(asked: Asked, *, server_random: str, user_challenge: str, interaction: str, flow: str) -> str:
    """What an ACSP_V2 signature is over. Flows without a way back know no callback."""
    return "|".join(
        (
            asked.scheme_name,
            PROTOCOL,
            server_random,
            asked.challenge,
            user_challenge,
            _named(asked.relying_party_name),
            _named(asked.brokered_name),
            b64encode(sha256(asked.interactions.encode()).digest()).decode(),
            interaction,
            "" if flow in ("QR", "Notification") else asked.callback,
            flow,
        )
    )


def verification_code(challenge: str) -> str:
    """Four digits that page and app show alike, in a notification flow."""
    return code_of(sha256(b64decode(challenge, validate=True)).digest())


def code_of(digest: bytes) -> str:
    """The last two bytes, modulo ten thousand."""
    return f"{int.from_bytes(digest[-2:], 'big') % 10000:04d}"


def secret_digest(secret: str) -> str:
    """`sessionSecretDigest`: that the app which calls back knows the session."""
    return _url(sha256(b64decode(secret, validate=True)).digest())


def user_challenge(verifier: str) -> str:
    """`userChallenge` of a `userChallengeVerifier`, which is not decoded first."""
    return _url(sha256(verifier.encode()).digest())


def may_call_back(url: str) -> bool:
    """Whether the service takes this `initialCallbackUrl`."""
    found = CALLBACK.fullmatch(url)
    return found is not None and len(url) <= LONGEST_CALLBACK and not found[1].startswith("/")


def _named(name: str) -> str:
    return b64encode(name.encode()).decode()


def _url(digest: bytes) -> str:
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
