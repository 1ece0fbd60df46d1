"""What is printed from the code, and what is said about it, is as the code is."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.architecture.generated import PAGES, audit_events
from tests.architecture.source import ROOT, names_of_tests, tracked

# The sections of the requirements that this release answers for: A-C, E-L, N-R. D (apps, passkeys) is to come.
IN_SCOPE = {*range(1, 35), *range(44, 110), *range(113, 131)}
LATER = {*range(35, 44), 110, 111, 112}


@pytest.mark.parametrize("page", PAGES)
def test_a_printed_page_is_current(page: str) -> None:
    assert (ROOT / page).read_text("utf-8") == PAGES[page](), "make generated prints it anew"


def test_the_message_catalogues_are_current_and_complete() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "idp.translations", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_audit_event_is_explained() -> None:
    page = (ROOT / "docs/reference/audit-events.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([a-z_.-]+)`", page, re.MULTILINE)) == audit_events()


def test_every_security_requirement_is_answered_for() -> None:
    rows = _rows()
    assert set(rows) == IN_SCOPE | LATER
    assert not [number for number, (what, proof) in rows.items() if not what or len(proof) < 3]


def test_every_test_that_is_named_exists() -> None:
    known = names_of_tests()
    missing = [
        f"SR-{number}: {path}::{name}"
        for number, (_, proof) in _rows().items()
        for path, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", proof)
        if path not in known or (name and name not in known[path])
    ]
    assert not missing


def test_every_link_between_our_pages_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in tracked("*.md")
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert not broken


def _rows() -> dict[int, tuple[str, str]]:
    """Number → (what it asks, what holds it) of the table in docs/security.md."""
    page = (ROOT / "docs/security.md").read_text("utf-8")
    found = re.findall(r"^\| (\d+) \| (.*?) \| (.*) \|$", page, re.MULTILINE)
    assert len(found) == len({number for number, _, _ in found}), "a number stands twice"
    return {int(number): (what.strip(), proof.strip()) for number, what, proof in found}
