"""What a clone may and may not hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, tracked

# Put together from pieces, so that this file does not find itself.
_PLACES = ("/" + "root/", "/" + "home/[a-z]", "/" + "farm/", "/" + "work/")
_HOSTS = ("files" + r"\.pythonhosted", r"pypi" + r"\.org", "registry" + r"\.npmjs", r"deb" + r"\.debian")
FORBIDDEN = re.compile("|".join((*_PLACES, *(rf"(?<![a-z.]){host}" for host in _HOSTS))))
LEFT_OVER = re.compile(r"\b(" + "TO" + "DO|FIX" + r"ME)\b")
BINARY = {".mo", ".png", ".ico", ".woff2", ".sqlite", ".jpg", ".webp"}


def test_no_path_of_a_machine_and_no_registry_host_is_in_a_tracked_file() -> None:
    assert not _lines_with(FORBIDDEN)


def test_nothing_is_left_over_to_be_done() -> None:
    """What is missing stands in docs/security.md or the issue list, not as a mark in the code."""
    assert not _lines_with(LEFT_OVER)


def test_no_key_and_no_state_is_tracked() -> None:
    names = {str(path.relative_to(ROOT)) for path in tracked()}
    assert {name for name in names if name.startswith("keys/")} <= {"keys/README.md"}
    assert not {name for name in names if name.startswith((".demo/", "var/", ".venv/")) or name == "config.toml"}
    assert not {name for name in names if name.endswith((".sqlite", ".pem", ".key"))}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_dependency_is_pinned_and_hashed_and_no_index_is_named(lock: str) -> None:
    """SR-117."""
    text = (ROOT / lock).read_text("utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", text.strip()) if not entry.startswith("#")]
    assert len(entries) > 40
    assert all(re.match(r"[a-z0-9.\[\]-]+==\S+ \\\n", entry) and "--hash=sha256:" in entry for entry in entries)
    assert "://" not in text
    assert "--index-url" not in text


def test_what_production_runs_is_what_was_tested() -> None:
    """SR-117: the lock of the service is a part of the lock of development, version by version."""
    assert _pins("requirements.lock") <= _pins("requirements-dev.lock")


def test_the_oldest_python_finds_all_it_needs() -> None:
    """redis asks for async-timeout below Python 3.11.3 only; a lock made with a newer one lacks it."""
    assert "async-timeout" in dict(_pins("requirements.lock"))


def test_the_floors_of_the_security_requirements_hold() -> None:
    """SR-117: Authlib 1.7.2 and Flask 3.1.1 at least."""
    pins = dict(_pins("requirements.lock"))
    assert _version(pins["authlib"]) >= (1, 7, 2)
    assert _version(pins["flask"]) >= (3, 1, 1)


def _pins(lock: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / lock).read_text("utf-8"), re.MULTILINE))


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:3])


def _lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tracked()
        if path.suffix not in BINARY and not _exempt(path)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def _exempt(path: Path) -> bool:
    """The pipeline installs things; a path below the machine's root is its business."""
    return path.relative_to(ROOT).parts[0] == ".ci"
