"""Small enough to be read: files, functions, classes, and no drawers."""

from __future__ import annotations

import ast

from tests.architecture.source import Function, functions, product, trees

LONGEST_FILE = 300
LONGEST_FUNCTION = 40
MOST_METHODS = 7
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base2", "shared"}
TABLES_OF_DATA = {"idp/settings.py"}  # one key a line with its words: it grows with what can be set, not in thought


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    long = {
        name: lines
        for name, tree in product().items()
        if "migrations" not in name and name not in TABLES_OF_DATA and (lines := _last_line(tree)) > LONGEST_FILE
    }
    assert not long


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{name}:{function.lineno} {function.name} has {lines} lines"
        for name, tree in trees().items()
        if "migrations" not in name
        for function in functions(tree)
        if (lines := _lines(function)) > LONGEST_FUNCTION
    ]
    assert not long


def test_no_class_has_more_than_seven_public_methods() -> None:
    wide = [
        f"{name}:{node.lineno} {node.name} has {len(methods)}: {methods}"
        for name, tree in product().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and len(methods := _public_methods(node)) > MOST_METHODS
    ]
    assert not wide


def test_there_is_no_drawer_for_what_has_no_place() -> None:
    drawers = [name for name in trees() if set(name.removesuffix(".py").split("/")) & DRAWERS]
    assert not drawers


def _last_line(tree: ast.Module) -> int:
    return max((node.end_lineno or 0 for node in tree.body), default=0)


def _lines(function: Function) -> int:
    """Lines of code and comment. A text counts as one line, and the docstring is what we want more of."""
    texts = [node for node in ast.walk(function) if isinstance(node, ast.JoinedStr | ast.Constant)]
    inner = {id(part) for text in texts if isinstance(text, ast.JoinedStr) for part in text.values}
    written_out = sum((text.end_lineno or 0) - text.lineno for text in texts if id(text) not in inner)
    return (function.end_lineno or 0) - function.lineno + 1 - written_out


def _public_methods(node: ast.ClassDef) -> list[str]:
    """Methods that a caller may call; a property is a value, and `visit_…`/`do_…` belong to a base class."""
    return [
        item.name
        for item in node.body
        if isinstance(item, Function) and not item.name.startswith("_") and not _is_property(item)
    ]


def _is_property(function: Function) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id.endswith("property") for mark in function.decorator_list)
