"""The formulas of Smart-ID RP API v3 as its service and its apps compute them, to the byte. Pure."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256

WITHOUT_A_WAY_BACK = ("QR", "Notification")
"""Flows whose payloads hold no callback."""

_LINK = re.compile(
    r"(?P<base>https://[^?#]+)\?deviceLinkType=(?P<kind>QR|Web2App|App2App)(?:&elapsedSeconds=(?P<elapsed>0|[1-9][0-9]{0,4}))?"
    r"&sessionToken=(?P<token>[A-Za-z0-9]{24,})&sessionType=(?P<session>auth|sign|cert)&version=1\.0&lang=(?P<lang>[a-z]{3})"
)
_CODE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the service keeps of a request, each text as it was sent."""

    scheme: str
    protocol: str
    challenge: str = field(repr=False)
    """`rpChallenge` (or the digest to sign), as base64."""
    name: str
    """`relyingPartyName`."""
    brokered: str = ""
    interactions: str = ""
    """As base64."""
    callback: str = field(default="", repr=False)
    """`initialCallbackUrl`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A device link, taken apart."""

    unprotected: str = field(repr=False)
    base: str
    kind: str
    elapsed: int | None
    """Whole seconds; of QR codes alone."""
    token: str = field(repr=False)
    session: str
    code: str = field(repr=False)


def link(content: str) -> Link:
    """A link whose parts stand in their order, with nothing encoded and nothing besides. Raises ValueError."""
    unprotected, _, code = content.partition("&authCode=")
    found = _LINK.fullmatch(unprotected)
    if found is None or not _CODE.fullmatch(code):
        raise ValueError("this is no link of Smart-ID")
    elapsed = found["elapsed"]
    if (found["kind"] == "QR") != (elapsed is not None):
        raise ValueError("elapsedSeconds is for QR codes, and for them alone")
    return Link(
        unprotected=unprotected,
        base=found["base"],
        kind=found["kind"],
        elapsed=None if elapsed is None else int(elapsed),
        token=found["token"],
        session=found["session"],
        code=code,
    )


def link_payload(terms: Terms, unprotected: str, *, kind: str) -> str:
    """What the authCode of a link is made of."""
    return "|".join(
        (
            terms.scheme,
            terms.protocol,
            terms.challenge,
            named(terms.name),
            named(terms.brokered),
            terms.interactions,
            "" if kind in WITHOUT_A_WAY_BACK else terms.callback,
            unprotected,
        )
    )


def auth_code(secret: str, payload: str) -> str:
    """HMAC-SHA-256 under the decoded `sessionSecret`."""
    return url(hmac.digest(b64decode(secret), payload.encode(), "sha256"))


def signed_payload(terms: Terms, *, server_random: str, user_challenge: str, interaction: str, flow: str) -> str:
    """What an ACSP_V2 signature is over."""
    return "|".join(
        (
            terms.scheme,
            terms.protocol,
            server_random,
            terms.challenge,
            user_challenge,
            named(terms.name),
            named(terms.brokered),
            b64encode(sha256(terms.interactions.encode()).digest()).decode(),
            interaction,
            "" if flow in WITHOUT_A_WAY_BACK else terms.callback,
            flow,
        )
    )


def verification_code(challenge: str) -> str:
    """The four digits of a push."""
    return f"{int.from_bytes(sha256(b64decode(challenge)).digest()[-2:], 'big') % 10000:04d}"


def user_challenge(verifier: str) -> str:
    """`userChallenge`: the digest of the verifier's own text."""
    return url(sha256(verifier.encode()).digest())


def callback(initial: str, secret: str, verifier: str | None) -> str:
    """The address that an app opens at the end; without a verifier where nothing was signed to log in."""
    address = f"{initial}&sessionSecretDigest={url(sha256(b64decode(secret)).digest())}"
    return f"{address}&userChallengeVerifier={verifier}" if verifier else address


def named(text: str) -> str:
    """Base64 of a name."""
    return b64encode(text.encode()).decode()


def url(raw: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
