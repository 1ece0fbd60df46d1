"""E-mail addresses: tidied, judged, one canonical form (SR-48; page spec §4, §9.2)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from idp.rules.identifiers import EmailAddress, Malformed, email_address, likely_slip

ADDRESS_KEYS = {f"E-EMAIL-{cause}" for cause in ("EMPTY", "AT", "BEFORE", "AFTER", "SPACE", "CHARS", "LONG")}


def judged(text: str) -> EmailAddress | str:
    """The address, or the key of its fault."""
    try:
        return email_address(text)
    except Malformed as problem:
        return problem.key


@given(text=st.text(max_size=40) | st.from_regex(r"\A[a-zæøåА-я+.\"'@ ]{1,20}@[a-zæøå.-]{1,20}\Z"))
@example("\ud800@example.no")
@example("a@\ud800.no")
@example("İ@example.no")
@example("@")
def test_any_text_is_an_address_in_one_form_or_a_known_fault(text: str) -> None:
    address = judged(text)
    if isinstance(address, str):
        assert address in ADDRESS_KEYS
        return
    assert email_address(address.canonical).canonical == address.canonical
    assert email_address(address.typed) == address
    assert len(address.canonical.encode()) <= 254
    assert address.canonical.count("@") == 1
    assert address.canonical.partition("@")[2].isascii()
    assert not any(
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp") for character in address.typed
    )
    assert not set('"(),:;<>[\\]\r\n') & set(address.canonical)


@pytest.mark.parametrize(
    ("typed", "tidy", "canonical"),
    [
        ("kari@example.no", "kari@example.no", "kari@example.no"),
        ("  Kari.Nordmann@Example.NO\n", "Kari.Nordmann@Example.NO", "kari.nordmann@example.no"),
        ("mailto:kari@example.no", "kari@example.no", "kari@example.no"),
        (" MAILTO: kari@example.no", "kari@example.no", "kari@example.no"),
        ("kari\u200b@exam\u00adple.no\ufeff", "kari@example.no", "kari@example.no"),
        ("\u202akari@example.no\u202c", "kari@example.no", "kari@example.no"),
        ("post@blåbær.example", "post@blåbær.example", "post@xn--blbr-roah.example"),
        ("kari@example.no.", "kari@example.no", "kari@example.no"),
        ("a\u030ase@example.no", "\u00e5se@example.no", "\u00e5se@example.no"),
        ("kari+lønn@example.no", "kari+lønn@example.no", "kari+lønn@example.no"),
        ("k.a.r.i+x@example.no", "k.a.r.i+x@example.no", "k.a.r.i+x@example.no"),
        ("иван@пример.example", "иван@пример.example", "иван@xn--e1afmkfd.example"),
        ("o'hara@example.no", "o'hara@example.no", "o'hara@example.no"),
    ],
)
def test_what_copying_adds_is_tidied_and_the_rest_is_kept(typed: str, tidy: str, canonical: str) -> None:
    assert email_address(typed) == EmailAddress(tidy, canonical)


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("", "E-EMAIL-EMPTY"),
        (" \u200b\n", "E-EMAIL-EMPTY"),
        ("mailto:", "E-EMAIL-EMPTY"),
        ("kari.example.no", "E-EMAIL-AT"),
        ("@example.no", "E-EMAIL-BEFORE"),
        ("kari@", "E-EMAIL-AFTER"),
        ("kari@example", "E-EMAIL-AFTER"),
        ("kari@example..no", "E-EMAIL-AFTER"),
        ("kari@10.0.0.1", "E-EMAIL-AFTER"),
        ("kari nordmann@example.no", "E-EMAIL-SPACE"),
        ("kari@exam\u00a0ple.no", "E-EMAIL-SPACE"),
        ("k" * 250 + "@example.no", "E-EMAIL-LONG"),
        ("ø" * 125 + "@example.no", "E-EMAIL-LONG"),
        ("kari\r\nBcc:x@example.no", "E-EMAIL-CHARS"),
        ("kari\0@example.no", "E-EMAIL-CHARS"),
        ("ka\u202eri@example.no", "E-EMAIL-CHARS"),
        ("ka\u200dri@example.no", "E-EMAIL-CHARS"),
        ('"kari"@example.no', "E-EMAIL-CHARS"),
        ("kari(x)@example.no", "E-EMAIL-CHARS"),
        ("kari@a@example.no", "E-EMAIL-CHARS"),
        ("kari@a.no,ola@b.no", "E-EMAIL-CHARS"),
        (".kari@example.no", "E-EMAIL-CHARS"),
        ("ka..ri@example.no", "E-EMAIL-CHARS"),
        ("kari@[10.0.0.1]", "E-EMAIL-CHARS"),
        ("kari@-example.no", "E-EMAIL-CHARS"),
        ("k\u0430ri@example.no", "E-EMAIL-CHARS"),  # a Cyrillic letter among Latin ones
    ],
)
def test_each_fault_has_its_own_key(typed: str, key: str) -> None:
    assert judged(typed) == key


def test_japanese_and_korean_mix_scripts_as_their_writers_do() -> None:
    for typed in ("kari山田やまだ@example.no", "kim김@example.no"):
        assert email_address(typed).canonical == typed


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Kari@gmial.com", "Kari@gmail.com"),
        ("kari@gmail.con", "kari@gmail.com"),
        ("kari@gmal.com", "kari@gmail.com"),
        ("kari@hotmaill.no", "kari@hotmail.no"),
        ("kari@gmail.com", None),
        ("kari@email.com", None),
        ("kari@we.com", None),
        ("kari@firma.example", None),
    ],
)
def test_a_slip_in_a_well_known_domain_is_noticed(typed: str, meant: str | None) -> None:
    assert likely_slip(email_address(typed)) == meant


def test_an_address_is_not_printed_by_accident() -> None:  # SR-120
    assert "kari" not in repr(email_address("kari@example.no"))
