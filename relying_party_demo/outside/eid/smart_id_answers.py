"""What an app of the Smart-ID simulator signs, and every way to get it wrong."""

from __future__ import annotations

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding

from .people import PEOPLE, SMART, EidPerson
from .smart_id_formulas import Terms, signed_payload, user_challenge
from .smart_id_issuer import Issuer

SCHEME, PROTOCOL = "smart-id-demo", "ACSP_V2"
HASHES: Mapping[str, Callable[[], hashes.HashAlgorithm]] = {
    "SHA-256": hashes.SHA256,
    "SHA-384": hashes.SHA384,
    "SHA-512": hashes.SHA512,
    "SHA3-256": hashes.SHA3_256,
    "SHA3-384": hashes.SHA3_384,
    "SHA3-512": hashes.SHA3_512,
}

ENDS = (
    "USER_REFUSED_INTERACTION", "USER_REFUSED_CERT_CHOICE", "DOCUMENT_UNUSABLE", "ACCOUNT_UNUSABLE",
    "REQUIRED_INTERACTION_NOT_SUPPORTED_BY_APP", "PROTOCOL_FAILURE", "SERVER_ERROR", "EXPECTED_LINKED_SESSION",
    "SOMETHING_NEW",
)  # fmt: skip

FAULTS: Mapping[str, str] = {
    **{f"end-{end}": f"the session ends with {end}" for end in ENDS},
    **{
        f"http-{status}": f"the start is answered with {status}"
        for status in (400, 401, 403, 404, 471, 472, 480, 500, 580)
    },
    "start-no-json": "the start is answered with a page",
    "session-404": "the session is unknown when asked for",
    "session-500": "the session cannot be asked for",
    "other-person": "somebody else answers than the one asked for",
    "wrong-challenge": "the signature is over another challenge",
    "wrong-scheme": "the signature is of another scheme",
    "wrong-name": "the signature names another service",
    "wrong-flow": "the answer names a flow that was not offered",
    "wrong-interaction": "the answer names an interaction that was not sent",
    "wrong-salt": "the salt is shorter",
    "wrong-mask-hash": "the mask is of another hash",
    "wrong-hash": "another hash was used than the one asked for",
    "pkcs1": "the signature is PKCS#1 v1.5",
    "forged": "the signature is broken",
    "signing-certificate": "the certificate is for signing documents",
    "nq-as-qualified": "the certificate is of a basic account, and called qualified",
    "level-advanced": "the level is told as ADVANCED",
    "wrong-policy": "one of the two policies is missing",
    "wrong-ca": "the certificate is by an authority that nobody trusts",
    "expired": "the certificate has run out",
    "revoked": "the certificate is revoked",
    "ocsp-unknown": "the responder does not know the certificate",
    "ocsp-stale": "the responder's word is old",
    "ocsp-other-nonce": "the responder answers another question",
    "ocsp-away": "the responder does not answer",
    "other-document": "the document number is another person's",
    "no-signature": "OK without a signature",
    "callback-other-digest": "the callback does not know the session",
    "callback-other-verifier": "the callback is of another answer",
    "old-profile": "the certificate is of the profile before April 2025: harmless",
    "extra-fields": "the answer has members that nobody knows yet: harmless",
}
"""Every fault, and what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """One answer of an app: the status to tell, and what the callback carries."""

    status: dict[str, Any] = field(repr=False)
    verifier: str = field(repr=False)


def serial_of(person: EidPerson) -> str:
    """`PNOEE-…`; a Latvian number with its hyphen."""
    number = f"{person.number[:6]}-{person.number[6:]}" if person.country == "LV" else person.number
    return f"PNO{person.country}-{number}"


def document_of(person: EidPerson) -> str:
    """The number of the account on this person's phone."""
    return f"{serial_of(person)}-DEMO-Q"


def terms_of(body: Mapping[str, Any]) -> Terms:
    """What a request fixes for every formula, each text as it was sent."""
    return Terms(
        scheme=SCHEME,
        protocol=PROTOCOL,
        challenge=body["signatureProtocolParameters"]["rpChallenge"],
        name=body["relyingPartyName"],
        interactions=body["interactions"],
        callback=body.get("initialCallbackUrl", ""),
    )


def ended(end: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The status of a session that ended without a signature."""
    result: dict[str, Any] = {"endResult": end}
    if end == "USER_REFUSED_INTERACTION":
        result["details"] = {"interaction": _interaction(body)}
    return {"state": "COMPLETE", "result": result}


def signed(
    body: Mapping[str, Any], person: EidPerson, issuer: Issuer, *, flow: str, fault: str | None, now: datetime
) -> Signed:
    """The answer of this person's app to a request, with the fault that was asked for."""
    if fault == "other-person":
        person = next(one for one in PEOPLE if SMART in one.eids and one.number != person.number)
    wanted = body["signatureProtocolParameters"]["signatureAlgorithmParameters"]["hashAlgorithm"]
    used = "SHA-256" if fault == "wrong-hash" else wanted
    flow_told = flow if fault != "wrong-flow" else "Web2App" if flow == "App2App" else "App2App"
    verifier, server_random = secrets.token_urlsafe(32), b64encode(secrets.token_bytes(18)).decode()
    challenge = user_challenge(verifier)
    interaction = "verificationCodeChoice" if fault == "wrong-interaction" else _interaction(body)
    parts = {"server_random": server_random, "user_challenge": challenge, "interaction": interaction}
    payload = signed_payload(_terms(body, fault), flow=flow_told, **parts)
    certificate = issuer.person(person, serial_of(person), document_of(person), fault=fault)
    document = "PNOEE-40404040009-MOCK-Q" if fault == "other-document" else document_of(person)
    status: dict[str, Any] = {
        "state": "COMPLETE",
        "result": {"endResult": "OK", "documentNumber": document},
        "signatureProtocol": PROTOCOL,
        "signature": {
            "value": b64encode(_sign(payload, issuer, used, fault)).decode(),
            "serverRandom": server_random,
            "userChallenge": challenge,
            "flowType": flow_told,
            "signatureAlgorithm": "rsassa-pss",
            "signatureAlgorithmParameters": _parameters(used, fault),
        },
        "cert": {
            "value": b64encode(certificate.public_bytes(Encoding.DER)).decode(),
            "certificateLevel": "ADVANCED" if fault == "level-advanced" else "QUALIFIED",
        },
        "interactionTypeUsed": interaction,
    }
    if fault == "no-signature":
        status = {name: value for name, value in status.items() if name not in ("signature", "cert")}
    if fault == "extra-fields":
        status = {**status, "somethingNew": {"at": now.isoformat()}, "deviceIpAddress": "127.0.0.1"}
    return Signed(status=status, verifier=secrets.token_urlsafe(32) if fault == "callback-other-verifier" else verifier)


def _terms(body: Mapping[str, Any], fault: str | None) -> Terms:
    """What the app believes to sign."""
    true = terms_of(body)
    wrong = {
        "wrong-scheme": {"scheme": "smart-id"},
        "wrong-challenge": {"challenge": b64encode(secrets.token_bytes(64)).decode()},
        "wrong-name": {"name": "OTHER"},
    }
    return replace(true, **wrong.get(fault or "", {}))


def _parameters(used: str, fault: str | None) -> dict[str, Any]:
    mask = "SHA-256" if fault == "wrong-mask-hash" else used
    return {
        "hashAlgorithm": used,
        "maskGenAlgorithm": {"algorithm": "id-mgf1", "parameters": {"hashAlgorithm": mask}},
        "saltLength": HASHES[used]().digest_size,
        "trailerField": "0xbc",
    }


def _interaction(body: Mapping[str, Any]) -> str:
    told = json.loads(b64decode(body["interactions"]))
    return str(told[0]["type"])


def _sign(payload: str, issuer: Issuer, used: str, fault: str | None) -> bytes:
    algorithm = HASHES[used]()
    if fault == "pkcs1":
        return issuer.key.sign(payload.encode(), padding.PKCS1v15(), hashes.SHA512())
    salt = algorithm.digest_size - 1 if fault == "wrong-salt" else algorithm.digest_size
    value = issuer.key.sign(payload.encode(), padding.PSS(padding.MGF1(algorithm), salt), algorithm)
    return value[:-1] + bytes([value[-1] ^ 1]) if fault == "forged" else value
