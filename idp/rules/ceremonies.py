"""What a browser brings back from a passkey ceremony, judged (WebAuthn L3 §7.1, §7.2; SR-37, SR-38).

The library compares type, challenge, origin, relying party, flags and signature. Here is what it leaves out: pages
inside other sites, what an attestation must be where one is demanded, and one way to say no.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from cryptography import x509
from msgspec import Struct
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import (
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_registration_credential_json,
)
from webauthn.helpers import parse_client_data_json as read_client_data
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import AttestationFormat, AuthenticationCredential, CredentialDeviceType

from idp.rules.passkeys import NewPasskey

ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
"""ES256, EdDSA and RS256, in this order of preference: what authenticators have, and nothing with SHA-1."""

LONGEST_ID = 1023
"""Bytes of a credential id (§7.1 step 25)."""

TRANSPORTS = ("usb", "nfc", "ble", "smart-card", "hybrid", "internal")

ATTESTED = (
    AttestationFormat.PACKED,
    AttestationFormat.TPM,
    AttestationFormat.ANDROID_KEY,
    AttestationFormat.APPLE,
)
"""Statements that a chain of certificates can stand behind."""

AAGUID_OF_CERTIFICATE = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")


class Refused(Exception):
    """What came back does not count. The words are for the audit trail."""


class RelyingParty(Struct, frozen=True, kw_only=True):
    """Who we are to authenticators."""

    id: str
    origins: tuple[str, ...]
    """Compared as a whole: `https://bad.example` is no `https://d.example`."""
    roots: tuple[bytes, ...] = ()
    """Certificates (PEM) of makers; with any, a new passkey must bring a statement of its maker."""
    makers: tuple[str, ...] = ()
    """AAGUIDs that are taken then."""


class Assertion(Struct, frozen=True, kw_only=True):
    """Which passkey signed, and for whom. Nothing of it is proved before `proved` says so."""

    credential: AuthenticationCredential
    credential_id: bytes
    handle: bytes | None
    challenge: bytes


class Signed(Struct, frozen=True, kw_only=True):
    """A passkey has signed our challenge."""

    sign_count: int
    user_verified: bool
    may_be_synced: bool
    is_synced: bool


def challenge_of_new(text: str) -> bytes:
    """The challenge that a registration answers. Raises `Refused`."""
    with _refusing():
        return _challenge(parse_registration_credential_json(text).response.client_data_json)


def assertion(text: str) -> Assertion:
    """What an authentication says of itself. Raises `Refused`."""
    with _refusing():
        credential = parse_authentication_credential_json(text)
        return Assertion(
            credential=credential,
            credential_id=credential.raw_id,
            handle=credential.response.user_handle,
            challenge=_challenge(credential.response.client_data_json),
        )


def made(text: str, challenge: bytes, party: RelyingParty) -> NewPasskey:
    """The new passkey: present, verified, of an algorithm of ours. Raises `Refused`."""
    with _refusing():
        credential = parse_registration_credential_json(text)
        _at_the_top(credential.response.client_data_json)
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
            pem_root_certs_bytes_by_fmt={kind: list(party.roots) for kind in ATTESTED},
        )
        if len(verified.credential_id) > LONGEST_ID:
            raise Refused("credential id too long")
        if party.roots:
            _of_a_maker(verified.attestation_object, party)
        told = [transport.value for transport in credential.response.transports or ()]
        return NewPasskey(
            credential_id=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            transports=tuple(name for name in TRANSPORTS if name in told),
            aaguid=verified.aaguid,
            may_be_synced=verified.credential_device_type == CredentialDeviceType.MULTI_DEVICE,
            is_synced=verified.credential_backed_up,
        )


def proved(given: Assertion, public_key: bytes, party: RelyingParty, *, verified: bool) -> Signed:
    """The signature of the passkey with this key. `verified`: it must have asked who used it. Raises `Refused`.

    The counter is not judged here: that takes a write (`stores.durable.passkeys.use`), after the signature.
    """
    with _refusing():
        _at_the_top(given.credential.response.client_data_json)
        found = verify_authentication_response(
            credential=given.credential,
            expected_challenge=given.challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=verified,
        )
        return Signed(
            sign_count=found.new_sign_count,
            user_verified=found.user_verified,
            may_be_synced=found.credential_device_type == CredentialDeviceType.MULTI_DEVICE,
            is_synced=found.credential_backed_up,
        )


@contextmanager
def _refusing() -> Iterator[None]:
    """Whatever cannot be read or does not verify is refused: no input of a browser is a fault of ours.

    The library's own decoders raise what Python raises for odd bytes, so nothing narrower would do.
    """
    try:
        yield
    except Refused:
        raise
    except Exception as problem:  # its words may hold what was sent: only its kind is told on
        raise Refused(type(problem).__name__) from problem


def _challenge(client_data: bytes) -> bytes:
    return bytes(read_client_data(client_data).challenge)


def _at_the_top(client_data: bytes) -> None:
    """Our pages are in nobody's frame (§7.1 step 10, §7.2 step 13)."""
    told = json.loads(client_data)
    if told.get("crossOrigin", False) is not False or "topOrigin" in told:
        raise Refused("inside a page of another origin")


def _of_a_maker(attestation_object: bytes, party: RelyingParty) -> None:
    """A statement with certificates of a maker that is on the list. A passkey that vouches for itself is none."""
    found = parse_attestation_object(attestation_object)
    certificates = found.att_stmt.x5c
    if found.fmt not in ATTESTED or not certificates or found.auth_data.attested_credential_data is None:
        raise Refused("no statement of a maker")
    aaguid = str(UUID(bytes=found.auth_data.attested_credential_data.aaguid))
    if aaguid not in party.makers:
        raise Refused("a maker that is not on the list")
    try:
        named = x509.load_der_x509_certificate(certificates[0]).extensions.get_extension_for_oid(AAGUID_OF_CERTIFICATE)
    except x509.ExtensionNotFound:
        return
    if not isinstance(named.value, x509.UnrecognizedExtension) or named.value.value[2:] != UUID(aaguid).bytes:
        raise Refused("a certificate for another kind of authenticator")  # §8.2.1
