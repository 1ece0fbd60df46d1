"""Smart-ID, RP API v3: a device link as QR code or on this device, or a push to a phone that is known already.

Everything that goes into a formula is what was sent and kept in the notes; no answer is believed about it.
What a finished session has to prove is in `smart_id_proof`, the formulas are in `smart_id_formulas`.
"""

from __future__ import annotations

import dataclasses
import json
import os
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from hmac import compare_digest
from time import monotonic
from typing import Any

import msgspec
from msgspec import Struct

from idp.eid import smart_id_formulas as formulas
from idp.eid import smart_id_settings
from idp.eid.connector import Attempt, Failed, Outcome, Pending, Person, Result, Started, View, Waiting
from idp.eid.smart_id_formulas import Asked, Session
from idp.eid.smart_id_proof import Case, Finished, Proof, Refused
from idp.eid.smart_id_service import Busy, Service, Status
from idp.eid.smart_id_settings import QUALIFIED, SmartIdSettings

READING_TIME = 3.0
"""Seconds between showing the verification code and the push, so that people have read it."""

MOST_UNANSWERED = 3
"""Questions in a row that may stay without an answer before the session is given up."""

QR_SECONDS = 60
"""How long a QR code is shown; then the person asks for a new one."""

SAME_DEVICE = ("Web2App", "App2App")
LANGUAGES = {"nb": "eng", "en": "eng", "et": "est", "lv": "lav", "lt": "lit", "ru": "rus"}
"""Languages of the app by ours. It speaks no Norwegian."""

LONGEST = {"displayText200": 200, "displayText60": 60}
TEXTS = {"nb": "Bekreft hvem du er hos {service}", "en": "Confirm who you are to {service}"}

LINK_INTERACTIONS = {"confirmationMessage": "displayText200", "displayTextAndPIN": "displayText60"}
PUSH_INTERACTIONS = {
    "confirmationMessageAndVerificationCodeChoice": "displayText200",
    "displayTextAndPIN": "displayText60",
}
"""What the app shows, best first: type, and the member that holds the text."""

ENDS = {
    "USER_REFUSED": Outcome.USER_REFUSED,
    "USER_REFUSED_INTERACTION": Outcome.USER_REFUSED,
    "USER_REFUSED_CERT_CHOICE": Outcome.USER_REFUSED,
    "TIMEOUT": Outcome.TIMEOUT,
    "WRONG_VC": Outcome.WRONG_CODE_CHOSEN,
    "DOCUMENT_UNUSABLE": Outcome.NO_USABLE_ACCOUNT,
    "ACCOUNT_UNUSABLE": Outcome.NO_USABLE_ACCOUNT,
    "REQUIRED_INTERACTION_NOT_SUPPORTED_BY_APP": Outcome.NO_USABLE_ACCOUNT,
    "SERVER_ERROR": Outcome.PROVIDER_UNAVAILABLE,
}
"""What each `endResult` but OK means; any other is `protocol_error`."""


class Notes(Struct, frozen=True, kw_only=True):
    """What is remembered of one session."""

    asked: Asked
    interactions: tuple[str, ...]
    expected: Person | None
    lang: str
    since: float
    """When the page may begin to show it, in seconds since 1970."""
    session_id: str = ""
    session: Session | None = None
    document: str = ""
    """Whom to push to."""
    returned: bool = False
    verifier: str = ""
    """`userChallengeVerifier` that the app brought back."""
    unanswered: int = 0

    def __repr__(self) -> str:
        return "Notes()"


class SmartId:
    """The connector. Raises ValueError for settings that cannot work, naming the key."""

    flows = ("device-link", "notification")
    origins: tuple[str, ...] = ()

    def __init__(self, settings: SmartIdSettings, *, name: str = "smart-id", loopback: bool = False) -> None:
        smart_id_settings.check(settings, loopback=loopback)
        self.name = name
        self.label = settings.label
        self.issuer_name = settings.issuer_name
        self.levels: Mapping[str, str] = dict(settings.levels)
        self._settings = settings
        self._service = Service(settings)
        self._proof = Proof(settings)

    def start(self, attempt: Attempt) -> Started:
        """Begin a session; of a push only the code is made, so that the person reads it first."""
        if attempt.flow == "notification":
            return self._announced(attempt)
        notes, began = self._notes(attempt, LINK_INTERACTIONS), monotonic()
        reference = attempt.expected.reference if attempt.expected else None
        where = f"device-link/document/{reference}" if reference else "device-link/anonymous"
        try:
            made = self._service.start(where, self._request(notes))
        except Refused as refusal:
            return Failed(refusal.outcome, refusal.detail)
        if made.session_token is None or made.session_secret is None or made.device_link_base is None:
            return Failed(Outcome.PROTOCOL_ERROR, "start: no device link")
        link = Session(token=made.session_token, secret=made.session_secret, base=made.device_link_base)
        arrived = attempt.now.timestamp() + (monotonic() - began)  # the QR code counts from the answer
        return Waiting(_kept(notes, session_id=made.session_id, session=link, since=arrived))

    def returned(self, notes: bytes, answer: Mapping[str, str], *, now: datetime) -> Result:
        """The app has opened our callback: it must know the session's secret, and is asked for no second time."""
        kept = _notes(notes)
        digest = answer.get("sessionSecretDigest", "")
        if kept.session is None or kept.returned or not kept.asked.callback:
            return Failed(Outcome.PROOF_INVALID, "a callback that was not asked for")
        if not compare_digest(digest.encode(), formulas.secret_digest(kept.session.secret).encode()):
            return Failed(Outcome.PROOF_INVALID, "sessionSecretDigest")
        verifier = answer.get("userChallengeVerifier", "")
        return self._result(msgspec.structs.replace(kept, returned=True, verifier=verifier[:200]), now)

    def poll(self, notes: bytes, *, now: datetime) -> Result:
        """How the session goes; of a push, send it once the person has had time to read the code."""
        kept = _notes(notes)
        if kept.session_id:
            return self._result(kept, now)
        if now.timestamp() < kept.since + READING_TIME:
            return Pending("in-progress")
        try:
            made = self._service.start(f"notification/document/{kept.document}", self._request(kept))
        except Refused as refusal:
            return Failed(refusal.outcome, refusal.detail)
        return Pending("enter-code", _kept(kept, session_id=made.session_id))

    def view(self, notes: bytes, *, now: datetime, locale: str) -> View:
        """The code, or the QR code of this very second and the link that opens the app here."""
        kept = _notes(notes)
        if kept.session is None:
            return View(code=formulas.verification_code(kept.asked.challenge), hint="in-progress")
        elapsed = max(0, int(now.timestamp() - kept.since))
        link = partial(formulas.device_link, kept.asked, kept.session, lang=LANGUAGES.get(locale, kept.lang))
        return View(
            qr=link(kind="QR", elapsed=elapsed) if elapsed <= QR_SECONDS else None,
            link=link(kind="Web2App") if kept.asked.callback else None,
            hint="start-app",
        )

    def cancel(self, notes: bytes) -> None:
        """Nothing to call: a session that nobody answers ends by itself within minutes."""

    # How it is done

    def _announced(self, attempt: Attempt) -> Started:
        document = attempt.expected.reference if attempt.expected else None
        if not document:
            return Failed(Outcome.PROTOCOL_ERROR, "a push is for a known document only")
        notes = self._notes(attempt, PUSH_INTERACTIONS)
        return Waiting(_kept(notes, document=document, asked=dataclasses.replace(notes.asked, callback="")))

    def _notes(self, attempt: Attempt, interactions: Mapping[str, str]) -> Notes:
        text = TEXTS.get(attempt.locale, TEXTS["en"]).format(service=attempt.service)
        told = [{"type": kind, member: text[: LONGEST[member]]} for kind, member in interactions.items()]
        callback = f"{attempt.callback}?state={attempt.state}"
        asked = Asked(
            scheme_name=self._settings.scheme_name,
            challenge=b64encode(os.urandom(64)).decode(),
            relying_party_name=self._settings.relying_party_name,
            interactions=b64encode(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()).decode(),
            callback=callback if formulas.may_call_back(callback) else "",
        )
        return Notes(
            asked=asked,
            interactions=tuple(interactions),
            expected=attempt.expected,
            lang=LANGUAGES.get(attempt.locale, "eng"),
            since=attempt.now.timestamp(),
        )

    def _request(self, notes: Notes) -> dict[str, Any]:
        body: dict[str, Any] = {
            "relyingPartyUUID": self._settings.relying_party_uuid,
            "relyingPartyName": self._settings.relying_party_name,
            "certificateLevel": QUALIFIED,
            "signatureProtocol": formulas.PROTOCOL,
            "signatureProtocolParameters": {
                "rpChallenge": notes.asked.challenge,
                "signatureAlgorithm": "rsassa-pss",
                "signatureAlgorithmParameters": {"hashAlgorithm": self._settings.hash_algorithm},
            },
            "interactions": notes.asked.interactions,
        }
        if notes.document:
            return {**body, "vcType": "numeric4"}
        return {**body, "initialCallbackUrl": notes.asked.callback} if notes.asked.callback else body

    def _result(self, kept: Notes, now: datetime) -> Result:
        try:
            status = self._service.status(kept.session_id)
            return self._read(status, kept, now)
        except Busy as problem:
            if kept.unanswered + 1 >= MOST_UNANSWERED:
                return Failed(Outcome.PROVIDER_UNAVAILABLE, f"session: {problem}")
            return Pending("in-progress", _kept(kept, unanswered=kept.unanswered + 1))
        except Refused as refusal:
            return Failed(refusal.outcome, refusal.detail)

    def _read(self, status: Status, kept: Notes, now: datetime) -> Result:
        if status.state == "RUNNING":
            return Pending(
                "start-app" if kept.session and not kept.returned else "enter-code", _kept(kept, unanswered=0)
            )
        if status.result is None:
            raise Refused(Outcome.PROTOCOL_ERROR, "session: complete without a result")
        if status.result.end_result != "OK":
            raise Refused(ENDS.get(status.result.end_result, Outcome.PROTOCOL_ERROR), "session: no OK")
        if status.signature is None or status.cert is None or status.result.document_number is None:
            raise Refused(Outcome.PROTOCOL_ERROR, "session: OK without a signature")
        flow = status.signature.flow_type
        if kept.returned and flow not in SAME_DEVICE:
            raise Refused(Outcome.PROOF_INVALID, "a callback in a flow that has none")
        if flow in SAME_DEVICE and flow in _offered(kept) and not kept.returned:
            return Pending("in-progress", _kept(kept, unanswered=0))  # the app has yet to bring the browser back
        if kept.returned and not compare_digest(
            formulas.user_challenge(kept.verifier).encode(), status.signature.user_challenge.encode()
        ):
            raise Refused(Outcome.PROOF_INVALID, "userChallengeVerifier")
        finished = Finished(
            document=status.result.document_number,
            protocol=status.signature_protocol,
            signature=status.signature,
            cert=status.cert,
            interaction=status.interaction_type_used,
        )
        case = Case(
            asked=kept.asked,
            finished=finished,
            flows=_offered(kept),
            interactions=kept.interactions,
            expected=kept.expected,
            now=now,
        )
        return self._proof.verified(case)


def _offered(kept: Notes) -> tuple[str, ...]:
    """The flows that a session may end by."""
    if kept.document:
        return ("Notification",)
    return ("QR", "Web2App") if kept.asked.callback else ("QR",)


_decode = msgspec.json.Decoder(Notes).decode


def _notes(notes: bytes) -> Notes:
    return _decode(notes)


def _kept(notes: Notes, **changed: Any) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(notes, **changed))
