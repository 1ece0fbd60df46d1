"""The words below the fields of a class, which Python itself does not keep: read from the source."""

from __future__ import annotations

import ast
import inspect
from textwrap import dedent


def words_of(described: type) -> dict[str, str]:
    """What each field means, in the order of the fields. Raises ValueError for a field without words."""
    found: dict[str, str] = {}
    for part in reversed(described.__mro__):
        if part.__module__.partition(".")[0] == described.__module__.partition(".")[0]:
            found |= _of_one(part)
    return found


def _of_one(described: type) -> dict[str, str]:
    body = ast.parse(dedent(inspect.getsource(described))).body[0]
    if not isinstance(body, ast.ClassDef):
        raise TypeError(f"{described.__name__} is no class")
    after: list[ast.stmt | None] = [*body.body[1:], None]
    return {
        field.target.id: _literal(below, f"{described.__name__}.{field.target.id}")
        for field, below in zip(body.body, after, strict=True)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }


def _literal(node: ast.stmt | None, field: str) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return inspect.cleandoc(node.value.value)
    raise ValueError(f"{field} has no words below it")
