"""The tracked source of this project, read once, for the tests of its shape."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked(*patterns: str) -> tuple[Path, ...]:
    """What version control holds and the work tree still has, by path patterns.

    In a tree without version control (a source archive) everything counts but what is built.
    """
    answer = subprocess.run(["git", "ls-files", "-z", "--", *patterns], cwd=ROOT, capture_output=True, check=False)
    if answer.returncode == 0:
        paths = [ROOT / name for name in answer.stdout.decode().split("\0") if name]
    else:
        paths = [path for pattern in patterns or ("*",) for path in ROOT.rglob(pattern) if not _built(path)]
    return tuple(path for path in paths if path.is_file())


def _built(path: Path) -> bool:
    parts = set(path.relative_to(ROOT).parts)
    return bool(parts & {".venv", ".git", "node_modules", "__pycache__", ".demo", "dist", "var"})


@cache
def trees() -> dict[str, ast.Module]:
    """Every tracked Python file, parsed, by its path from the root."""
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in tracked("*.py")}


def product() -> dict[str, ast.Module]:
    """The files that people run: the provider and the demo, no tests."""
    return {name: tree for name, tree in trees().items() if name.startswith(("idp/", "relying_party_demo/"))}


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function of a file, methods and inner ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def names_of_tests() -> dict[str, set[str]]:
    """The test functions of every test file, by the file's path from the root."""
    return {
        name: {function.name for function in functions(tree) if function.name.startswith("test_")}
        for name, tree in trees().items()
        if name.startswith("tests/")
    }
