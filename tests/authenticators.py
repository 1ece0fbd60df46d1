"""Authenticators in software: what a phone or a security key does in a passkey ceremony, honestly or not."""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

ORIGIN = "https://login.example"
PRESENT, VERIFIED, ELIGIBLE, SYNCED, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40


def encoded(raw: bytes) -> str:
    """Base64url without padding, as browsers write it."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """What base64url stands for."""
    return urlsafe_b64decode(f"{text}==")


@dataclass
class Key:
    """One passkey, as its authenticator keeps it."""

    id: bytes
    private: Any
    handle: bytes
    count: int = 0


@dataclass
class Authenticator:
    """Makes and uses passkeys. `counts`: it has a counter; `synced`: it keeps them in somebody's cloud."""

    algorithm: str = "ES256"
    counts: bool = False
    synced: bool = False
    aaguid: bytes = bytes(16)
    keys: list[Key] = field(default_factory=list)

    def copy(self) -> Authenticator:
        """Another with the very same keys, counters as they stand."""
        return replace(self, keys=[replace(key) for key in self.keys])

    def new_key(self, handle: bytes) -> Key:
        """A new key for whoever has this handle."""
        key = Key(secrets.token_bytes(32), self._private(), handle)
        self.keys.append(key)
        return key

    def create(self, options: dict[str, Any], *, origin: str = ORIGIN, **odd: Any) -> str:
        """`navigator.credentials.create()`: the answer as JSON."""
        key = self.new_key(decoded(options["user"]["id"]))
        public = cbor2.dumps(odd.get("public", self.public(key)))
        kept = self.aaguid + len(key.id).to_bytes(2, "big") + key.id + public
        data = self._data(odd.get("rp", options["rp"]["id"]), key, odd, attested=kept)
        client_data = self._client_data("webauthn.create", options["challenge"], origin, odd)
        statement = odd.get("statement", {})
        statement = statement(data, client_data) if callable(statement) else statement
        made = {"fmt": odd.get("fmt", "none"), "attStmt": statement, "authData": data}
        response = {
            "clientDataJSON": encoded(client_data),
            "attestationObject": encoded(cbor2.dumps(made)),
            "transports": ["internal", "hybrid"],
        }
        return self._answer(key, response)

    def get(self, options: dict[str, Any], *, origin: str = ORIGIN, key: Key | None = None, **odd: Any) -> str:
        """`navigator.credentials.get()`: the answer as JSON, by this key or the one that is allowed."""
        key = key or self._allowed(options)
        key.count += 1 if self.counts else 0
        data = self._data(odd.get("rp", options["rpId"]), key, odd)
        client_data = self._client_data("webauthn.get", options["challenge"], origin, odd)
        signed = odd.get("signed", data) + sha256(client_data).digest()
        response = {
            "clientDataJSON": encoded(client_data),
            "authenticatorData": encoded(data),
            "signature": encoded(self.sign(key, signed)),
        }
        handle = odd.get("handle", key.handle)
        if handle is not None:
            response["userHandle"] = encoded(handle)
        return self._answer(key, response)

    def sign(self, key: Key, data: bytes) -> bytes:
        """The key's signature of these bytes."""
        match key.private:
            case ec.EllipticCurvePrivateKey():
                return key.private.sign(data, ec.ECDSA(hashes.SHA256()))
            case ed25519.Ed25519PrivateKey():
                return key.private.sign(data)
            case _:
                signature: bytes = key.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
                return signature

    def _allowed(self, options: dict[str, Any]) -> Key:
        allowed = [decoded(one["id"]) for one in options.get("allowCredentials", ())]
        return next(key for key in self.keys if not allowed or key.id in allowed)

    def _private(self) -> Any:
        match self.algorithm:
            case "ES256":
                return ec.generate_private_key(ec.SECP256R1())
            case "EdDSA":
                return ed25519.Ed25519PrivateKey.generate()
            case _:
                return rsa.generate_private_key(65537, 2048)

    def public(self, key: Key) -> dict[int, Any]:
        """The key in COSE (RFC 9053)."""
        public = key.private.public_key()
        match public:
            case ec.EllipticCurvePublicKey():
                numbers = public.public_numbers()
                return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
            case ed25519.Ed25519PublicKey():
                return {1: 1, 3: -8, -1: 6, -2: public.public_bytes_raw()}
            case _:
                numbers = public.public_numbers()
                return {1: 3, 3: -257, -1: numbers.n.to_bytes(256, "big"), -2: numbers.e.to_bytes(3, "big")}

    def _data(self, rp: str, key: Key, odd: dict[str, Any], *, attested: bytes = b"") -> bytes:
        flags = PRESENT if odd.get("present", True) else 0
        flags |= VERIFIED if odd.get("verified", True) else 0
        flags |= (ELIGIBLE | SYNCED) if odd.get("synced", self.synced) else 0
        flags |= ATTESTED if attested else 0
        return sha256(rp.encode()).digest() + bytes([flags]) + key.count.to_bytes(4, "big") + attested

    @staticmethod
    def _client_data(kind: str, challenge: str, origin: str, odd: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}
        return json.dumps({**told, **odd.get("client_data", {})}).encode()

    @staticmethod
    def _answer(key: Key, response: dict[str, Any]) -> str:
        named = {"id": encoded(key.id), "rawId": encoded(key.id), "type": "public-key"}
        return json.dumps({**named, "response": response, "clientExtensionResults": {}})
