"""New passwords (SR-1 to SR-5; page spec §9.2)."""

from __future__ import annotations

import unicodedata
from itertools import product
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from idp.rules.common_passwords import is_common
from idp.rules.passwords import LONGEST, faults, normalise

KARI = ("Kari.Nordmann@example.no", "kari.nordmann@example.no", "+4790123456", "Alumni", "Alumni ID")
GOOD = (
    "elleve blå elger danser",
    "correct horse battery staple",
    "tre sure drops i lomma",
    "Kx7#mQ9!vTz2",
    "839201748210",  # digits only is no fault: no composition rules (SR-3)
    "🐘🦒🐘🦓 på vei hjem",
    "ひらがなで書いた長い言葉",
)


def keys(password: str, *, minimum: int = 12) -> list[str]:
    return [fault.key for fault in faults(password, minimum=minimum, personal=KARI)]


@pytest.mark.parametrize("password", GOOD)
def test_a_password_that_is_long_and_nobodys_is_taken(password: str) -> None:  # SR-3
    assert keys(password) == []


@given(text=st.text(max_size=200))
def test_nothing_but_the_normal_form_is_changed(text: str) -> None:  # SR-4
    assert normalise(text) == unicodedata.normalize("NFC", text)
    assert normalise(normalise(text)) == normalise(text)
    decomposed = unicodedata.normalize("NFD", text)
    assert normalise(decomposed) == normalise(text)
    assert keys(decomposed) == keys(text)


@given(text=st.text(max_size=160), minimum=st.integers(8, 64))
def test_length_is_counted_in_code_points_after_normalising(text: str, minimum: int) -> None:  # SR-1, SR-2
    normal = normalise(text)
    found = keys(text, minimum=minimum)
    too_long = len(normal) > LONGEST or len(normal.encode(errors="surrogatepass")) > 512
    assert (found == ["E-PW-LONG"]) == too_long
    assert ("E-PW-SHORT" in found) == (len(normal) < minimum and not too_long)


def test_lengths_at_the_edge() -> None:
    assert keys("kjøpt tolv ", minimum=12) == ["E-PW-SHORT"]
    assert keys("kjøpt tolv g", minimum=12) == []
    assert keys("a\u030a" * 5 + "blåmeis", minimum=12) == []  # twelve letters å from any keyboard
    assert keys(("blå elg " * 16).ljust(129, "x")) == ["E-PW-LONG"]
    assert keys("🐘" * 129) == ["E-PW-LONG"]
    assert faults("x", minimum=15, personal=())[0].values == {"n": 15}
    assert faults("x" * 200, minimum=15, personal=())[0].values == {"n": LONGEST}


@pytest.mark.parametrize(
    "password",
    [
        "password1234", "Passord123456", "P@ssw0rd1234", "passordpassord", "Passord!2024Passord", "qwertyuiop12",
        "123456789012", "12345678910111213", "1q2w3e4r5t6y", "qazwsxedcrfv", "zaq12wsxcde3", "1234qwerasdf",
        "aaaaaaaaaaaa", "abababababab", "abcdabcdabcd", "iloveyou2026", "dragonmonkey", "letmein12345", "Sommer2026!!!",
        "høsten2024!!", "januar202412", "jegelskerdeg", "hemmelighemmelig", "velkommen123!", "test test test",
        "fotball12345", "willkommen2024", "salasana1234", "asdfghjkløæ1", "0987654321098",
    ],
)  # fmt: skip
def test_what_everybody_tries_first_is_refused(password: str) -> None:  # SR-5
    assert keys(password) == ["E-PW-COMMON"]


def test_a_hundred_thousand_common_passwords_that_meet_the_policy_are_refused() -> None:  # SR-5
    listed = [word for word in FREQUENCY_LISTS["passwords"] if len(word) >= 12]
    together = {one + other for one, other in product(FREQUENCY_LISTS["passwords"][:320], repeat=2)}
    dated = {f"{word}{year}" for word in FREQUENCY_LISTS["passwords"][:2000] for year in range(1990, 2027)}
    long_enough = [word for word in (*listed, *sorted(together | dated)) if len(word) >= 12]
    assert len(long_enough) > 100_000
    assert [word for word in long_enough if not is_common(word)] == []


@pytest.mark.parametrize(
    "password",
    [
        "Kari.Nordmann@example.no",
        "kari.nordmann 2026",
        "karinordmann!x!y",
        "nordmann er best i test",
        "mitt nummer 90123456",
        "Alumni er best i test",
        "kari liker å danse mye",
    ],
)
def test_what_everybody_knows_of_this_person_is_refused(password: str) -> None:  # SR-5
    assert "E-PW-PERSONAL" in keys(password)


def test_a_short_name_inside_another_word_is_no_name() -> None:
    assert keys("hikari lys over fjell") == []


@given(text=st.text(alphabet="ab1!qwertyæpassword ", max_size=128))
def test_judging_is_quick_whatever_is_typed(text: str) -> None:
    is_common("warm")
    began = perf_counter()
    keys(text)
    assert perf_counter() - began < 0.5
