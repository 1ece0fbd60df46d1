"""The look, recomputed from the stylesheet that is shipped (page spec §13; checks A16, A17)."""

from __future__ import annotations

import re

import pytest

from idp.web import assets

CSS = (assets.FOLDER / "site.css").read_text("utf-8")
PAIRS = (
    ("ink", "paper", 4.5),
    ("ink", "surface", 4.5),
    ("muted", "paper", 4.5),
    ("muted", "surface", 4.5),
    ("link", "surface", 4.5),
    ("link", "paper", 4.5),
    ("on-primary", "primary", 4.5),
    ("on-primary", "primary-strong", 4.5),
    ("error", "surface", 4.5),
    ("error", "error-bg", 4.5),
    ("ink", "error-bg", 4.5),
    ("link", "error-bg", 4.5),
    ("success", "success-bg", 4.5),
    ("warn", "warn-bg", 4.5),
    ("info", "info-bg", 4.5),
    ("border", "surface", 3),
    ("border", "paper", 3),
    ("primary", "surface", 3),
    ("primary", "paper", 3),
    ("ring", "paper", 3),
    ("ring", "halo", 3),
    ("aurora", "paper", 3),
)
PRINTED = {("light", "ink", "paper"): 14.51, ("dark", "on-primary", "primary"): 8.63, ("dark", "ring", "halo"): 11.55}
"""A few of the numbers that page spec §13.1 prints, so that the formula itself is checked."""


def tokens(mode: str) -> dict[str, str]:
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#[0-9A-F]{6});", blocks[0 if mode == "light" else 1]))


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize(("over", "under", "needed"), PAIRS, ids=[f"{over}-on-{under}" for over, under, _ in PAIRS])
def test_every_pair_has_contrast(mode: str, over: str, under: str, needed: float) -> None:
    known = tokens(mode)
    found = contrast(known[over], known[under])
    assert found >= needed
    assert found == pytest.approx(PRINTED.get((mode, over, under), found), abs=0.01)


def test_every_colour_is_a_token() -> None:
    screen = CSS.partition("@media print")[0]
    after_tokens = screen[screen.index("*, ::before") :]
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", after_tokens)


def test_nothing_has_a_left_or_a_right_or_a_fixed_place() -> None:
    """Page spec §3.2: logical properties only; §7: nothing that could cover the focused field."""
    assert not re.search(r"(margin|padding|border)-(left|right|top|bottom)", CSS)
    assert not re.search(r"[\s{;](left|right|top|bottom|width|height)\s*:|text-align:\s*(left|right)", CSS)
    assert not re.search(r"position:\s*(fixed|sticky)", CSS)


def test_nothing_moves_for_those_who_do_not_want_it() -> None:
    outside = re.sub(r"@media \(prefers-reduced-motion: no-preference\) \{.*?\n\}", "", CSS, flags=re.DOTALL)
    assert "transition" not in outside
    assert "animation" not in CSS


def test_nothing_is_loaded_by_the_stylesheet() -> None:
    assert "url(" not in CSS
    assert "@import" not in CSS
    assert "@font-face" not in CSS


def test_the_script_neither_stores_nor_sends() -> None:
    """Page spec §10, "never". It asks one thing: how it goes at an eID, of our own origin (§8.4)."""
    script = (assets.FOLDER / "site.js").read_text("utf-8")
    asks = 'await fetch(place.dataset.eid, { cache: "no-store" })'
    assert script.count(asks) == 1
    script = script.replace(asks, "")
    forbidden = (
        "localStorage",
        "sessionStorage",
        "fetch(",
        "XMLHttpRequest",
        "sendBeacon",
        ".submit()",
        "requestSubmit",
    )
    assert not [word for word in (*forbidden, "innerHTML", "eval(", "preventPaste") if word in script]
