"""Sealed fields, look-up hashes, the pepper, and the files they come from (SR-8, SR-100, SR-115, SR-124)."""

from __future__ import annotations

import stat
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from os import urandom
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.stores.durable.sealing import FILES, RootSecret, Unsealable, Vault, create_root_secrets

VAULT = Vault(*(RootSecret({"a": urandom(32)}) for _ in FILES))


def rotated(vault_folder: Path, name: str) -> None:
    path = vault_folder / name
    path.write_text(f"new:{urlsafe_b64encode(urandom(32)).decode()}\n{path.read_text()}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_root_secrets(tmp_path / "keys")
    return tmp_path / "keys"


@given(text=st.text(), row=st.text())
def test_a_field_opens_in_its_place_and_row(text: str, row: str) -> None:
    sealed = VAULT.seal(text, place="accounts.email", row=row)
    assert VAULT.open(sealed, place="accounts.email", row=row) == text
    assert VAULT.seal(text, place="accounts.email", row=row) != sealed


@given(at=st.integers(0, 60), bit=st.integers(0, 7))
def test_a_field_changed_by_one_bit_does_not_open(at: int, bit: int) -> None:
    sealed = bytearray(VAULT.seal("kari@example.no" * 3, place="accounts.email", row="kari"))
    sealed[at] ^= 1 << bit
    with pytest.raises(Unsealable):
        VAULT.open(bytes(sealed), place="accounts.email", row="kari")


@given(sealed=st.binary(max_size=80))
def test_what_was_never_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(Unsealable):
        VAULT.open(sealed, place="accounts.email", row="kari")


def test_a_field_copied_elsewhere_does_not_open() -> None:  # SR-124
    sealed = VAULT.seal("kari@example.no", place="accounts.email", row="kari")
    for place, row in (("accounts.email", "ola"), ("phones.number", "kari"), ("accounts", "email\0kari")):
        with pytest.raises(Unsealable):
            VAULT.open(sealed, place=place, row=row)


def test_an_index_is_the_same_for_the_same_and_differs_by_purpose_and_provider(folder: Path) -> None:
    ours, others = Vault.from_directory(folder), VAULT
    email = ours.index("kari@example.no", purpose="email")
    assert email == Vault.from_directory(folder).index("kari@example.no", purpose="email")
    assert len(email) == 32
    assert email != ours.index("kari@example.no", purpose="phone")
    assert email != others.index("kari@example.no", purpose="email")


def test_what_an_older_secret_made_still_opens_after_a_rotation(folder: Path) -> None:
    before = Vault.from_directory(folder)
    sealed = before.seal("kari@example.no", place="accounts.email", row="kari")
    kid, peppered = before.pepper("elleve blå elger danser")
    for name in ("encryption.key", "pepper.key"):
        rotated(folder, name)
    after = Vault.from_directory(folder)
    assert after.open(sealed, place="accounts.email", row="kari") == "kari@example.no"
    assert after.pepper("elleve blå elger danser", kid) == (kid, peppered)
    assert after.pepper("elleve blå elger danser")[0] == "new"
    with pytest.raises(Unsealable):
        after.pepper("elleve blå elger danser", "gone")
    fresh = after.seal("kari@example.no", place="accounts.email", row="kari")
    with pytest.raises(Unsealable):
        before.open(fresh, place="accounts.email", row="kari")


def test_root_secrets_are_made_once_and_for_the_owner_only(folder: Path) -> None:  # SR-100
    made = {name: (folder / name).read_text() for name in FILES}
    create_root_secrets(folder)
    assert {name: (folder / name).read_text() for name in FILES} == made
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in FILES} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(set(made.values())) == 3


def test_two_set_ups_at_once_make_one_set_of_secrets(tmp_path: Path) -> None:
    barrier = Barrier(8)

    def set_up() -> bytes:
        barrier.wait()
        create_root_secrets(tmp_path / "keys")
        return Vault.from_directory(tmp_path / "keys").index("x", purpose="email")

    with ThreadPoolExecutor(8) as threads:
        assert len({done.result() for done in [threads.submit(set_up) for _ in range(8)]}) == 1


@pytest.mark.parametrize(
    "content", ["", "a:\n", "a:c2hvcnQ\n", "no separator\n", f"a:{'A' * 43}\n", ":" + "x" * 43, "a:\u00e5\n"]
)
def test_a_weak_or_broken_secret_stops_the_start_and_names_the_file(folder: Path, content: str) -> None:  # SR-115
    (folder / "lookup.key").write_text(content)
    with pytest.raises(ValueError, match=r"lookup\.key|ascii"):
        Vault.from_directory(folder)


def test_a_secret_that_others_can_read_stops_the_start(folder: Path) -> None:  # SR-115
    (folder / "pepper.key").chmod(0o644)
    with pytest.raises(ValueError, match=r"pepper\.key is open to other users"):
        Vault.from_directory(folder)


def test_a_vault_prints_no_secret(folder: Path) -> None:  # SR-120
    vault = Vault.from_directory(folder)
    lines = [(folder / name).read_text().strip().partition(":")[2] for name in FILES]
    assert not any(line in repr(vault) + str(vars(vault)) for line in lines)
