"""Password hashing on dedicated threads: bounded, first come first served (SR-7 to SR-10).

One thread per core hashes; a bounded queue waits; beyond it the caller hears `Overloaded` at once.
The password meets the pepper before argon2id, so a stolen database alone is worth nothing.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from secrets import token_bytes
from threading import BoundedSemaphore
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from idp.rules.passwords import normalise
from idp.settings import Passwords
from idp.stores import Unavailable
from idp.stores.durable.sealing import Vault

Result = TypeVar("Result")


IMPORTED = "imported"
"""Stands where the pepper's id stands in a verifier that another system made: made anew at the first sign-in."""


class Overloaded(Unavailable):
    """The queue of waiting hashes is full: 503 with Retry-After, within the second."""


class Hashing:
    """Makes and checks password verifiers: `pepper-id$argon2id-string`."""

    def __init__(self, settings: Passwords, vault: Vault) -> None:
        self._vault = vault
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_passes, memory_cost=settings.argon2_memory_kib, parallelism=1
        )
        threads = settings.hashing_threads or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hashing")
        self._places = BoundedSemaphore(threads + settings.hashing_queue)
        self._dummy = self._unmatched()

    def make(self, password: str) -> str:
        """A verifier for the password, with a fresh salt and the current parameters."""
        return self._queued(lambda: self._make(password))

    def matches(self, verifier: str | None, password: str) -> bool:
        """Whether the password is right. With no verifier the same work is done in vain (SR-10)."""
        right = self._queued(lambda: self._verify(verifier or self._dummy, password))
        return right and verifier is not None

    def is_outdated(self, verifier: str) -> bool:
        """Whether the verifier was made with other parameters or an older pepper."""
        pepper_id, _, encoded = verifier.partition("$")
        return pepper_id != self._vault.pepper("")[0] or self._hasher.check_needs_rehash(encoded)

    def _make(self, password: str) -> str:
        pepper_id, peppered = self._vault.pepper(normalise(password))
        return f"{pepper_id}${self._hasher.hash(peppered)}"

    def _unmatched(self) -> str:
        """A verifier with the current parameters that no password matches: chance stands where the hash would."""
        pepper_id, _ = self._vault.pepper("")
        of = self._hasher
        parameters = f"m={of.memory_cost},t={of.time_cost},p={of.parallelism}"
        salt, hashed = (b64encode(token_bytes(size)).rstrip(b"=").decode() for size in (of.salt_len, of.hash_len))
        return f"{pepper_id}$$argon2id$v={ARGON2_VERSION}${parameters}${salt}${hashed}"

    def _verify(self, verifier: str, password: str) -> bool:
        pepper_id, _, encoded = verifier.partition("$")
        peppered: str | bytes = normalise(password)
        if pepper_id != IMPORTED:
            _, peppered = self._vault.pepper(normalise(password), pepper_id)
        try:
            return self._hasher.verify(encoded, peppered)
        except (VerificationError, InvalidHashError):
            return False

    def _queued(self, work: Callable[[], Result]) -> Result:
        if not self._places.acquire(blocking=False):
            raise Overloaded("hashing")
        try:
            return self._pool.submit(work).result()
        finally:
            self._places.release()
