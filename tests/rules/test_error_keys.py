"""Every fault that the rules find has its words (page spec §9.2)."""

from __future__ import annotations

import re
from pathlib import Path

from idp import rules
from idp.web.texts import TEXTS


def test_every_key_the_rules_raise_is_in_the_catalogue() -> None:
    sources = (path.read_text() for path in Path(rules.__path__[0]).glob("*.py"))
    raised = {key for source in sources for key in re.findall(r"\"(E-[A-Z]+(?:-[A-Z]+)+)\"", source)}
    assert len(raised) > 15
    assert raised <= set(TEXTS)
