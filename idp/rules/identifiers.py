"""What people type to say who they are, in its one canonical form: addresses, numbers, codes.

Everything is tidied before it is judged (page spec §4), and judged before it is looked up (SR-48).
A fault is a key of the error catalogue (page spec §9.2) with its values, one cause per key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import idna

LONGEST_ADDRESS = 254
"""Octets of an e-mail address (RFC 5321 §4.5.3.1.3, SR-48)."""

_NO_VALUES: Mapping[str, str | int] = MappingProxyType({})


class Malformed(ValueError):
    """What a person typed cannot be used: why, as a key of the error catalogue."""

    def __init__(self, key: str, values: Mapping[str, str | int] = _NO_VALUES) -> None:
        super().__init__(key)
        self.key = key
        self.values = dict(values)


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """An address: `typed` (tidied) is where mail goes, `canonical` is what is looked up."""

    typed: str = field(repr=False)
    canonical: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number: in E.164, its country, as typed, and whether text messages reach it."""

    e164: str = field(repr=False)
    country: str
    typed: str = field(repr=False)
    takes_sms: bool


# What copying leaves in a text and nobody sees: soft hyphen, zero-width space, word joiner, byte order mark.
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
_ATOM = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.IGNORECASE)

_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
)
"""Scripts that one word may mix (Unicode Technical Standard 39 §5.2, highly restrictive)."""


def email_address(text: str) -> EmailAddress:
    """The address in a text. Raises `Malformed` with E-EMAIL-EMPTY, -SPACE, -AT, -BEFORE, -AFTER, -CHARS or -LONG.

    Dots and `+tags` stay, since they make another mailbox with some hosts (SR-48).
    """
    typed = _trimmed(text.translate(_INVISIBLE))
    if typed[:7].lower() == "mailto:":
        typed = _trimmed(typed[7:])
    if not typed:
        raise Malformed("E-EMAIL-EMPTY")
    local, domain = _halves(typed)
    canonical = f"{_canonical_local(local)}@{_canonical_domain(domain)}"
    if len(canonical.encode()) > LONGEST_ADDRESS:
        raise Malformed("E-EMAIL-LONG")
    return EmailAddress(typed=unicodedata.normalize("NFC", f"{local}@{domain}"), canonical=canonical)


def masked(email: str) -> str:
    """An address that its owner recognises and nobody else can write to."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"


def likely_slip(address: EmailAddress) -> str | None:
    """The address that was probably meant when its domain is one slip away from a well-known one."""
    local, _, _ = address.typed.rpartition("@")
    domain = address.canonical.rpartition("@")[2]
    if domain in WELL_KNOWN_DOMAINS:
        return None
    meant = next((known for known in WELL_KNOWN_DOMAINS if len(known) >= 7 and _one_slip_apart(domain, known)), None)
    return f"{local}@{meant}" if meant else None


def one_time_code(text: str, *, digits: int = 6) -> str:
    """The digits of a code. Raises `Malformed` with E-CODE-EMPTY, -DIGITS, -SHORT or -LONG and what was typed as `n`.

    White space, invisible characters, hyphens, dashes and full stops do not count, and any script's digits do.
    """
    left = bare(text)
    if not left:
        raise Malformed("E-CODE-EMPTY", {"n": digits})
    values = [unicodedata.decimal(character, None) for character in left]
    code = "".join(str(value) for value in values if value is not None)
    if len(code) < len(values):
        raise Malformed("E-CODE-DIGITS")
    if len(code) != digits:
        raise Malformed("E-CODE-SHORT" if len(code) < digits else "E-CODE-LONG", {"n": len(code)})
    return code


def bare(text: str) -> str:
    """What counts of a code (NFKC): no white space, nothing invisible, no hyphen, dash or full stop."""
    return "".join(character for character in unicodedata.normalize("NFKC", text) if not _is_filler(character))


def phone_number(text: str, *, country: str, allowed: Collection[str]) -> PhoneNumber:
    """The number in a text, by the numbering plans of the world (SR-25, page spec §4).

    `country` is the one chosen in the list; a leading plus beats it. Raises `Malformed` with E-TEL-EMPTY, -CHARS,
    -SHORT, -LONG, -UNKNOWN, -COUNTRY or -PREMIUM; `country` in the values is an ISO code, ZZ for none.
    """
    from idp.rules import numbering  # noqa: PLC0415 - a tenth of a second to load, only phone steps pay

    tidy = "".join(_phone_characters(text))
    tidy = "+" + tidy[2:] if tidy.startswith("00") else tidy
    if not tidy:
        raise Malformed("E-TEL-EMPTY")
    if not re.fullmatch(r"\+?[0-9]+", tidy):
        raise Malformed("E-TEL-CHARS")
    found = numbering.found(tidy, country.upper())
    if isinstance(found, numbering.Fault):
        raise Malformed(found.key, {"country": found.country})
    if numbering.home(found.country) not in allowed:
        raise Malformed("E-TEL-COUNTRY", {"country": found.country})
    if found.costs_extra:
        raise Malformed("E-TEL-PREMIUM")
    return PhoneNumber(found.e164, found.country, text.strip(), found.takes_sms)


def _halves(typed: str) -> tuple[str, str]:
    if any(unicodedata.category(character) == "Zs" for character in typed):
        raise Malformed("E-EMAIL-SPACE")
    if "@" not in typed:
        raise Malformed("E-EMAIL-AT")
    local, _, domain = typed.rpartition("@")
    if not local:
        raise Malformed("E-EMAIL-BEFORE")
    if not domain:
        raise Malformed("E-EMAIL-AFTER")
    if len(typed.encode(errors="replace")) > LONGEST_ADDRESS:
        raise Malformed("E-EMAIL-LONG")
    return local, domain.rstrip(".")


def _canonical_local(local: str) -> str:
    lowered = unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).lower())
    if lowered.isascii():
        if not _ATOM.fullmatch(lowered):  # no quotes, comments, control characters or empty atoms
            raise Malformed("E-EMAIL-CHARS")
        return lowered
    foreign = "".join("x" if not character.isascii() else character for character in lowered)
    letters = (character for character in lowered if not character.isascii())
    if not _ATOM.fullmatch(foreign) or any(unicodedata.category(letter)[0] not in "LMN" for letter in letters):
        raise Malformed("E-EMAIL-CHARS")
    if _mixes_scripts(lowered):
        raise Malformed("E-EMAIL-CHARS")
    return lowered


def _canonical_domain(domain: str) -> str:
    try:
        encoded = idna.encode(domain, uts46=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError) as problem:
        raise Malformed("E-EMAIL-AFTER" if re.search(r"(^|[.])([.]|$)", domain) else "E-EMAIL-CHARS") from problem
    if "." not in encoded or encoded.rpartition(".")[2].isdigit():
        raise Malformed("E-EMAIL-AFTER")
    return encoded


def _mixes_scripts(local: str) -> bool:
    letters = (character for character in local if unicodedata.category(character) in ("Ll", "Lo", "Lt", "Lu"))
    scripts = {unicodedata.name(letter, "UNKNOWN").partition(" ")[0] for letter in letters}
    return len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER)


def _trimmed(text: str) -> str:
    """Without white space and marks of direction around it: a copied text brings them along."""
    start, end = 0, len(text)
    while start < end and _is_margin(text[start]):
        start += 1
    while end > start and _is_margin(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_margin(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) == "Cf"


def _is_filler(character: str) -> bool:
    return character.isspace() or character in ".\u2212" or unicodedata.category(character) in ("Cc", "Cf", "Pd")


def _phone_characters(text: str) -> list[str]:
    tidy = unicodedata.normalize("NFKC", text).strip()
    tidy = tidy[4:] if tidy[:4].lower() == "tel:" else tidy
    left = (character for character in tidy if not _is_filler(character) and character not in "/()[]")
    return [str(unicodedata.decimal(character, character)) for character in left]


def _one_slip_apart(typed: str, known: str) -> bool:
    """Whether one letter was left out, added, changed, or swapped with its neighbour."""
    if abs(len(typed) - len(known)) > 1 or typed == known:
        return False
    shared = next((at for at, (one, other) in enumerate(zip(typed, known, strict=False)) if one != other), None)
    if shared is None:
        return True
    left, right = typed[shared:], known[shared:]
    swapped = left[:2] == right[1::-1] and left[2:] == right[2:]
    return swapped or left[1:] == right[1:] or left[1:] == right or left == right[1:]


WELL_KNOWN_DOMAINS = (
    "gmail.com", "hotmail.com", "outlook.com", "icloud.com", "yahoo.com", "live.com", "msn.com", "me.com", "mac.com",
    "proton.me", "protonmail.com", "googlemail.com", "online.no", "hotmail.no", "live.no", "yahoo.no", "outlook.no",
    "broadpark.no", "getmail.no", "lyse.net", "frisurf.no", "altibox.no", "telia.com", "hotmail.se", "live.se",
    "hotmail.dk", "live.dk", "mail.dk", "hotmail.fi", "luukku.com", "suomi24.fi", "gmx.de", "gmx.net", "web.de",
    "t-online.de", "yahoo.de", "hotmail.de", "hotmail.co.uk", "yahoo.co.uk", "live.co.uk", "btinternet.com", "wp.pl",
    "onet.pl", "interia.pl", "o2.pl", "inbox.lv", "mail.ee", "hot.ee", "one.lt", "orange.fr", "free.fr", "hotmail.fr",
    "yahoo.fr", "libero.it", "hotmail.it", "hotmail.es", "mail.com", "email.com", "ymail.com", "aol.com",
)  # fmt: skip
"""Hosts of private mailboxes where our people live."""
