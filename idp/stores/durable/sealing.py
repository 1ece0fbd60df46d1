"""Root secrets, and what is done with them: sealed fields, blind indexes, the pepper, marks of authorship.

A root secret is a file of lines `id:base64url`, 32 random bytes each, mode 0600, the first line active.
Older lines still open what they sealed, so a secret is rotated by a new first line (SR-8, SR-124).
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app

FILES = ("encryption.key", "lookup.key", "pepper.key")
"""One purpose each: a secret that leaks opens no other door (SR-100)."""

LENGTH = 32
_NONCE = 12
_VERSION = b"\x01"


class Unsealable(ValueError):
    """Not sealed by us, for another place or row, changed since, or by a secret that is no longer here."""


class RootSecret:
    """The keys of one file, the active one first."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise ValueError("a root secret needs at least one key")
        self._keys = dict(keys)
        self.active = next(iter(self._keys))

    def key(self, key_id: str | None = None) -> bytes:
        """The key of this id, or the active one. Raises `Unsealable`."""
        try:
            return self._keys[key_id or self.active]
        except KeyError:
            raise Unsealable(f"no root secret has the id {key_id!r}") from None

    def derived(self, purpose: str, key_id: str | None = None) -> bytes:
        """A key of its own for one purpose (HMAC-SHA-256 as the key derivation function)."""
        return hmac.digest(self.key(key_id), purpose.encode(), "sha256")


class Vault:
    """Seals fields, makes indexes and the pepper. Holds keys in memory and never prints them."""

    def __init__(self, encryption: RootSecret, lookup: RootSecret, pepper: RootSecret) -> None:
        self._encryption = encryption
        self._lookup = lookup
        self._pepper = pepper
        self._ciphers: dict[tuple[str, str], AESGCM] = {}
        self._index_keys: dict[str, bytes] = {}

    @classmethod
    def from_directory(cls, directory: Path) -> Vault:
        """Read the three root secrets. Raises OSError or ValueError with words that name the file."""
        return cls(*(read_root_secret(directory / name) for name in FILES))

    def seal(self, text: str, *, place: str, row: str) -> bytes:
        """Encrypt a field for this place (`table.column`) and this row only: AES-256-GCM, random nonce."""
        key_id = self._encryption.active
        nonce = os.urandom(_NONCE)
        sealed = self._cipher(place, key_id).encrypt(nonce, text.encode(), _bound(place, row))
        name = key_id.encode()
        return b"".join((_VERSION, bytes((len(name),)), name, nonce, sealed))

    def open(self, sealed: bytes, *, place: str, row: str) -> str:
        """The text of a sealed field. Raises `Unsealable`."""
        sealed = bytes(sealed)
        if len(sealed) < 2 or sealed[:1] != _VERSION:
            raise Unsealable("not a sealed field")
        start = 2 + sealed[1]
        try:
            key_id = sealed[2:start].decode()
            nonce, rest = sealed[start : start + _NONCE], sealed[start + _NONCE :]
            return self._cipher(place, key_id).decrypt(nonce, rest, _bound(place, row)).decode()
        except (InvalidTag, UnicodeDecodeError, ValueError) as problem:
            raise Unsealable(f"{place} does not open") from problem

    def index(self, text: str, *, purpose: str) -> bytes:
        """A keyed hash (HMAC-SHA-256, 32 bytes) by which a sealed field is looked up."""
        key = self._index_keys.get(purpose)
        if key is None:
            key = self._index_keys[purpose] = self._lookup.derived(purpose)
        return hmac.digest(key, text.encode(), "sha256")

    def mark(self, text: str, *, purpose: str, key_id: str | None = None) -> tuple[str, bytes]:
        """Key id and keyed hash that show later that we wrote `text`. Raises `Unsealable` for an unknown id."""
        key = self._lookup.derived(purpose, key_id)
        return key_id or self._lookup.active, hmac.digest(key, text.encode(), "sha256")

    def pepper(self, password: str, key_id: str | None = None) -> tuple[str, bytes]:
        """Key id and HMAC-SHA-256 of a password, to be hashed (SR-8). Raises `Unsealable` for an unknown id."""
        key = self._pepper.key(key_id)
        return key_id or self._pepper.active, hmac.digest(key, password.encode(errors="surrogatepass"), "sha256")

    def _cipher(self, place: str, key_id: str) -> AESGCM:
        cipher = self._ciphers.get((place, key_id))
        if cipher is None:
            cipher = self._ciphers[place, key_id] = AESGCM(self._encryption.derived(place, key_id))
        return cipher


def vault() -> Vault:
    """The vault of the application being served."""
    return cast("Vault", current_app.extensions["vault"])


def read_root_secret(path: Path) -> RootSecret:
    """One file of root secrets. Raises OSError, or ValueError with words that say what is wrong (SR-115)."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ValueError(f"{path} is open to other users; make it 0600")
    keys: dict[str, bytes] = {}
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), start=1):
        if not line.strip():
            continue
        key_id, _, encoded = line.strip().partition(":")
        try:
            key = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        except ValueError as problem:
            raise ValueError(f"{path}, line {number}: not `id:base64url`") from problem
        if not key_id or len(key_id) > 64 or key_id in keys or len(key) != LENGTH or len(set(key)) < 8:
            raise ValueError(f"{path}, line {number}: wants an id of its own and {LENGTH} random bytes as base64url")
        keys[key_id] = key
    if not keys:
        raise ValueError(f"{path} is empty")
    return RootSecret(keys)


def create_root_secrets(directory: Path) -> None:
    """Make the root secrets that are missing: 0600, whole or not at all, never over one that exists."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in FILES:
        target = directory / name
        if target.exists():
            continue
        fresh = directory / f".{name}.{secrets.token_hex(8)}"
        try:
            _write(fresh, f"{secrets.token_hex(4)}:{urlsafe_b64encode(os.urandom(LENGTH)).decode().rstrip('=')}\n")
            os.link(fresh, target)  # fails where a parallel set-up came first
        except FileExistsError:
            continue
        finally:
            fresh.unlink(missing_ok=True)
    _sync(directory)


def _write(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _bound(place: str, row: str) -> bytes:
    return f"{place}\0{row}".encode()
