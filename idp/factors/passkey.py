"""A passkey: a key that a device or a password manager keeps, and that signs after a face, a finger or a screen lock.

A challenge is 32 random bytes, kept by us for five minutes, for one step of one journey, and taken at the first
answer, whatever becomes of it (SR-37). The passkey must be of the account the step is about, where that is known, and
the handle of its owner must come back with it (SR-38).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec import Struct
from webauthn import generate_authentication_options, generate_registration_options
from webauthn.helpers import options_to_json_dict
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from idp.factors.contract import Limited, Proved
from idp.rules import ceremonies
from idp.rules.ceremonies import Assertion, Refused, RelyingParty, Signed
from idp.rules.passkeys import NewPasskey
from idp.services import accounts, notices
from idp.settings import Settings
from idp.stores.durable import audit, passkeys
from idp.stores.durable.db import transaction
from idp.stores.durable.passkeys import Passkey as Kept
from idp.stores.durable.passkeys import Use
from idp.stores.shortlived.contract import ShortLived

NAME = "passkey"
WITHOUT_VERIFICATION = "security_key"
"""The method of a passkey that did not ask who used it: possession, and no more (SR-37)."""

LIFETIME = 300
"""Seconds that a challenge waits for its answer."""

MOST_AT_ONCE = 60
"""Challenges of one journey within that time."""


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """It does not count. `unknown` is the credential id of a passkey that no account here has (any more)."""

    unknown: bytes | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """It counts: for this account, by this method; `key` is which of its passkeys it was."""

    account_id: str
    proved: Proved
    key: str


@dataclass(frozen=True, slots=True)
class Ceremony:
    """One exchange with an authenticator: at which step of which journey, and about whose account, if that is known."""

    place: str
    journey: str
    account_id: str | None
    now: datetime


class _Challenge(Struct, frozen=True):
    place: str
    account_id: str | None
    at: datetime


_decode = msgspec.msgpack.Decoder(_Challenge).decode
_encode = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class Passkey:
    """The passkey factor. Without a relying party there is none."""

    store: ShortLived
    party: RelyingParty | None
    name_of_provider: str

    @property
    def is_on(self) -> bool:
        """Whether there are passkeys here at all."""
        return self.party is not None

    def ask(self, ceremony: Ceremony, *, verified: bool) -> dict[str, Any] | Limited:
        """What a browser needs to use a passkey. `verified`: only one that asks who uses it will do."""
        challenge = self._challenge(ceremony)
        if challenge is None:
            return Limited(LIFETIME)
        wanted = UserVerificationRequirement.REQUIRED if verified else UserVerificationRequirement.PREFERRED
        own = passkeys.of_account(ceremony.account_id) if ceremony.account_id else ()
        options = generate_authentication_options(
            rp_id=self._party.id,
            challenge=challenge,
            timeout=LIFETIME * 1000,
            allow_credentials=_described(own),
            user_verification=wanted,
        )
        return options_to_json_dict(options)

    def offer(self, ceremony: Ceremony, *, address: str) -> dict[str, Any] | Limited:
        """What a browser needs to make a passkey for this account, which has this address."""
        challenge = self._challenge(ceremony)
        if challenge is None or ceremony.account_id is None:
            return Limited(LIFETIME)
        told = AttestationConveyancePreference.DIRECT if self._party.roots else AttestationConveyancePreference.NONE
        options = generate_registration_options(
            rp_id=self._party.id,
            rp_name=self.name_of_provider,
            user_id=passkeys.handle_of(ceremony.account_id),
            user_name=address,
            user_display_name=address,
            challenge=challenge,
            timeout=LIFETIME * 1000,
            attestation=told,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                require_resident_key=True,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_described(passkeys.of_account(ceremony.account_id)),
            supported_pub_key_algs=ceremonies.ALGORITHMS,
        )
        return options_to_json_dict(options)

    def made(self, ceremony: Ceremony, answer: str) -> NewPasskey | NotAccepted:
        """The passkey that was made, to be kept when the journey is complete."""
        try:
            challenge = ceremonies.challenge_of_new(answer)
            self._take(ceremony, challenge)
            return ceremonies.made(answer, challenge, self._party)
        except Refused as problem:
            return _refused(ceremony, str(problem), ceremony.account_id)

    def check(self, ceremony: Ceremony, answer: str, *, verified: bool) -> Accepted | NotAccepted:
        """Whose passkey signed, if it counts. `verified` as in `ask`."""
        try:
            given = ceremonies.assertion(answer)
            self._take(ceremony, given.challenge)
        except Refused as problem:
            return _refused(ceremony, str(problem), ceremony.account_id)
        found = passkeys.by_credential(given.credential_id)
        if found is None:
            _refused(ceremony, "unknown passkey", ceremony.account_id)
            return NotAccepted(unknown=given.credential_id)
        known, handle = found
        try:
            _ensure_owner(ceremony, given, known, handle)
            signed = ceremonies.proved(given, known.public_key, self._party, verified=verified)
            _ensure_same_kind(known, signed)
        except Refused as problem:
            return _refused(ceremony, str(problem), known.account_id)
        return _used(ceremony, known, given, signed)

    @property
    def _party(self) -> RelyingParty:
        if self.party is None:
            raise LookupError("there are no passkeys here")
        return self.party

    def _challenge(self, ceremony: Ceremony) -> bytes | None:
        """A new challenge, or None when there were too many: a page that is loaded again and again fills no store."""
        if self.store.count(f"passkey-asked:{ceremony.journey}", window=LIFETIME) > MOST_AT_ONCE:
            return None
        challenge = secrets.token_bytes(32)
        kept = _Challenge(ceremony.place, ceremony.account_id, ceremony.now)
        self.store.put(_key(challenge), _encode(kept), ttl=LIFETIME)
        return challenge

    def _take(self, ceremony: Ceremony, challenge: bytes) -> None:
        raw = self.store.take(_key(challenge))
        if raw is None:
            raise Refused("no such challenge")
        kept = _decode(raw)
        if kept.place != ceremony.place or kept.account_id != ceremony.account_id:
            raise Refused("a challenge for something else")
        if not kept.at <= ceremony.now <= kept.at + timedelta(seconds=LIFETIME):  # whatever the store still had
            raise Refused("the challenge has run out")


def passkey(settings: Settings, store: ShortLived) -> Passkey:
    """The factor, with its settings."""
    domain, own = settings.relying_party_id, settings.passkeys
    party = None
    if domain is not None:
        party = RelyingParty(
            id=domain,
            origins=(settings.server.issuer, *own.origins),
            roots=_certificates(own.attestation_roots) if own.attestation_roots else (),
            makers=own.authenticators,
        )
    return Passkey(store, party, settings.service.provider_name)


def _ensure_owner(ceremony: Ceremony, given: Assertion, known: Kept, handle: bytes) -> None:
    """SR-38, WebAuthn L3 §7.2 step 6: who is not known beforehand must be named by the authenticator."""
    if ceremony.account_id not in (None, known.account_id):
        raise Refused("another account's passkey")
    if given.handle != handle and not (given.handle is None and ceremony.account_id is not None):
        raise Refused("another owner's handle")
    account = accounts.by_id(known.account_id)
    if account is None or not account.active:
        raise Refused("the account is locked")


def _ensure_same_kind(known: Kept, signed: Signed) -> None:
    """A passkey that could not leave its device does not learn to (WebAuthn L3 §7.2 step 19)."""
    if signed.may_be_synced != known.may_be_synced:
        raise Refused("backup eligibility changed")


def _used(ceremony: Ceremony, known: Kept, given: Assertion, signed: Signed) -> Accepted | NotAccepted:
    """The one write that lets a use count; a counter that went back is a copy of the passkey, and its owner hears."""
    with transaction():
        became = passkeys.use(
            known.id,
            sign_count=signed.sign_count,
            is_synced=signed.is_synced,
            challenge=sha256(given.challenge).digest(),
            now=ceremony.now,
        )
        if became is Use.WENT_BACK:
            audit.record("passkey.copied", account_id=known.account_id, journey=ceremony.journey, outcome="refused")
            notices.passkey_copied(known.account_id)
            return NotAccepted()
        if became is not Use.COUNTED:
            return _refused(ceremony, became.value, known.account_id)
        method = NAME if signed.user_verified else WITHOUT_VERIFICATION
        audit.record("passkey.accepted", account_id=known.account_id, journey=ceremony.journey, reason=method)
    return Accepted(known.account_id, Proved(method, ceremony.now), known.id)


def _refused(ceremony: Ceremony, reason: str, account_id: str | None) -> NotAccepted:
    audit.record("passkey.refused", account_id=account_id, journey=ceremony.journey, outcome="failure", reason=reason)
    return NotAccepted()


def _described(known: Iterable[Kept]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=one.credential_id, transports=[AuthenticatorTransport(name) for name in one.transports]
        )
        for one in known
    ]


def _certificates(path: str) -> tuple[bytes, ...]:
    found = x509.load_pem_x509_certificates(Path(path).read_bytes())
    return tuple(one.public_bytes(Encoding.PEM) for one in found)


def _key(challenge: bytes) -> str:
    return f"passkey:{sha256(challenge).hexdigest()}"
