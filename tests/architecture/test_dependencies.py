"""What the code imports is declared, and what is declared is imported (SR-117)."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from tests.architecture.source import ROOT, product

PARTS_OF_FLASK = {"werkzeug", "jinja2", "itsdangerous", "markupsafe"}
# Used without an import: drivers and accelerators that another library loads by name.
BEHIND_OTHERS = {"psycopg", "hiredis"}


def test_every_import_of_the_provider_is_declared() -> None:
    assert not _imported("idp/") - _declared() - PARTS_OF_FLASK


def test_every_import_of_the_demo_is_declared() -> None:
    assert not _imported("relying_party_demo/") - _declared("demo") - PARTS_OF_FLASK


def test_nothing_is_declared_that_nothing_uses() -> None:
    assert not _declared() - _imported("idp/") - BEHIND_OTHERS


def _imported(folder: str) -> set[str]:
    """The distributions that the files below a folder import."""
    known = packages_distributions()
    modules = {module for name, tree in product().items() if name.startswith(folder) for module in _modules(tree)}
    theirs = modules - sys.stdlib_module_names - {"idp", "relying_party_demo", "_typeshed"}
    return {_plain(known.get(module, [module])[0]) for module in theirs}


def _modules(tree: ast.Module) -> set[str]:
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    found |= {node.module for node in froms if node.module and node.level == 0}
    return {name.partition(".")[0] for name in found}


def _declared(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in extras for one in project["optional-dependencies"][extra])]
    return {_plain(re.split(r"[\[<>=!~; ]", one)[0]) for one in wanted}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
