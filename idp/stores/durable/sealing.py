"""The vault: field encryption, look-up hashes, the pepper (SR-8, SR-124).

Three root secrets, each a file of lines `id:base64url`, the first line active. A sealed value is bound
to its place and row, so a ciphertext copied to another row or column does not open.
"""

from __future__ import annotations

import hmac
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app

from idp.configuration import ROOT_SECRETS

KEY_BYTES = 32
NONCE_BYTES = 12


class Tampered(ValueError):
    """A sealed value does not open: it was changed, moved, or sealed under a key that is gone."""


class Vault:
    """Seals, opens and indexes. One per process, made from the root secrets."""

    def __init__(self, encryption: Mapping[str, bytes], lookup: bytes, pepper: Mapping[str, bytes]) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in encryption.items()}
        self._active = next(iter(encryption))
        self._lookup = lookup
        self._peppers = dict(pepper)
        self._active_pepper = next(iter(pepper))

    @classmethod
    def from_directory(cls, directory: Path | str) -> Vault:
        """The vault of a secrets folder. Raises FileNotFoundError or ValueError, naming the file."""
        encryption, lookup, pepper = (_read(Path(directory) / name) for name in ROOT_SECRETS)
        return cls(encryption, next(iter(lookup.values())), pepper)

    def seal(self, text: str, *, place: str, row: str) -> bytes:
        """The text, encrypted for this place and row: `id:nonce+ciphertext`."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._active].encrypt(nonce, text.encode(), _bound(place, row))
        return self._active.encode() + b":" + nonce + sealed

    def open(self, sealed: bytes, *, place: str, row: str) -> str:
        """The text of a sealed value. Raises `Tampered`."""
        key_id, _, rest = bytes(sealed).partition(b":")
        cipher = self._ciphers.get(key_id.decode("ascii", "replace"))
        if cipher is None:
            raise Tampered(place)
        try:
            return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], _bound(place, row)).decode()
        except InvalidTag as problem:
            raise Tampered(place) from problem

    def index(self, text: str, *, purpose: str) -> bytes:
        """The keyed hash (HMAC-SHA-256, 32 bytes) by which a value is looked up for one purpose."""
        return hmac.digest(hmac.digest(self._lookup, purpose.encode(), sha256), text.encode(), sha256)

    def pepper(self, password: str, key_id: str | None = None) -> tuple[str, bytes]:
        """The pepper's id and the peppered password; a named pepper is for verifying an older hash."""
        key_id = key_id or self._active_pepper
        if key_id not in self._peppers:
            raise Tampered("pepper")
        return key_id, hmac.digest(self._peppers[key_id], password.encode(), sha256)


def vault() -> Vault:
    """The vault of the application at work."""
    found: Vault = current_app.extensions["vault"]
    return found


def create_root_secrets(directory: Path | str) -> list[Path]:
    """Make the root secrets that are missing, mode 0600, and say which; what is there is never touched.

    Written whole under another name and linked into place, so that a crash leaves no half a key and of two
    that run at once one wins.
    """
    folder = Path(directory)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [folder / name for name in ROOT_SECRETS if _create(folder / name)]


def _create(path: Path) -> bool:
    if path.exists():
        return False
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    line = f"{secrets.token_hex(4)}:{urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        os.link(made, path)
    except FileExistsError:
        return False
    finally:
        made.unlink()
    return True


def _read(path: Path) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for line in path.read_text("ascii").split():
        key_id, _, encoded = line.partition(":")
        key = urlsafe_b64decode(encoded)
        if not key_id or len(key) != KEY_BYTES:
            raise ValueError(f"{path}: each line is `id:base64url` of {KEY_BYTES} bytes")
        keys[key_id] = key
    if not keys:
        raise ValueError(f"{path}: the file has no key")
    return keys


def _bound(place: str, row: str) -> bytes:
    return f"{place}\x00{row}".encode()
