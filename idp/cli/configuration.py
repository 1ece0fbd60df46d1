"""`idp config`: the settings, printed from where they are written: the types and words of `idp.settings`."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import click
import msgspec
from msgspec import Meta, Struct

from idp.cli import Invocation
from idp.cli.wording import words_of
from idp.configuration import sections
from idp.eid.registry import KINDS, settings_of
from idp.settings import Section

HEAD = """\
# Settings of the identity provider: every key with its meaning and its default.
# Paths are relative to this file. A variable IDP_<SECTION>_<KEY> wins over the file: IDP_SERVER_ISSUER.
# Secrets are read from files. `idp check` says what is wrong. Printed by `idp config example`.
"""

EID_HEAD = (
    "One table per eID, `[eid.<name>]`, in the order people see them; `connector` names its kind.",
    "The name stands in the address the provider sends people back to: `<issuer>/eid/<name>/return`.",
)

MANUAL_HEAD = """\
# Settings

`config.toml` has one table per section. A variable `IDP_<SECTION>_<KEY>` in the environment wins over the
file (`IDP_SERVER_ISSUER`; lists with commas). Paths are relative to the file. Secrets are read from files and
never from the environment. An unknown key, a wrong type or an unsafe value stops the start; `idp check` says
the same without starting. This page is printed by `idp config manual`.
"""


@click.group()
def config() -> None:
    """The settings: an example file, the manual, and what is in force."""


@config.command(epilog="Example:  idp config example > config.toml")
@click.option("--json", "as_json", is_flag=True, help="Print the defaults as JSON.")
def example(as_json: bool) -> None:
    """Print a settings file with every key, its meaning and its default."""
    if as_json:
        click.echo(json.dumps({name: dict(_defaults(section)) for name, section in sections().items()}))
    else:
        click.echo(example_file(), nl=False)


@config.command(epilog="Example:  idp config manual > docs/config.md")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def manual(as_json: bool) -> None:
    """Print the manual of the settings."""
    if as_json:
        click.echo(json.dumps({name: words_of(section) for name, section in sections().items()}, ensure_ascii=False))
    else:
        click.echo(manual_page(), nl=False)


@config.command(epilog="Example:  idp --config /etc/idp/config.toml config show")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(invocation: Invocation, as_json: bool) -> None:
    """Print the settings in force: file and environment together. Secrets are not among them."""
    found = msgspec.to_builtins(invocation.settings())
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for name, section in found.items():
        for key, value in section.items():
            click.echo(f"{name}.{key} = {_toml(value)}")


def example_file() -> str:
    """`config.example.toml`. Keys without a default are filled in with an example, keys without a value left out."""
    lines = [HEAD.rstrip()]
    for name, section in sections().items():
        lines += ["", "", f"# {_title(section)}", f"[{name}]"]
        meanings = words_of(section)
        for key in msgspec.structs.fields(section):
            meaning = f"{meanings[key.name]} {_allowed(section, key.name)}".strip()
            lines += ["", *(f"# {line}" for line in meaning.splitlines())]
            if key.required:
                lines.append(f'{key.name} = "https://login.example.com"')
            else:
                lines.append(f'# {key.name} = ""' if key.default is None else f"{key.name} = {_toml(key.default)}")
    return "\n".join([*lines, *_eid_example()]) + "\n"


def _eid_example() -> Iterator[str]:
    """Every kind of eID with its keys, all of it commented out: none is set up without an agreement."""
    yield from ("", "", *(f"# {line}" for line in EID_HEAD))
    for kind in KINDS:
        settings = settings_of(kind)
        yield from ("", f"# {_title(settings)}", f"# [eid.{kind.replace('_', '-')}]", f'# connector = "{kind}"')
        meanings = words_of(settings)
        for key in msgspec.structs.fields(settings):
            yield from ("#", *(f"# # {line}" for line in meanings[key.name].splitlines()))
            yield f"# {key.name} = {_toml_of(key)}"


def _toml_of(key: msgspec.structs.FieldInfo) -> str:
    made = key.default_factory() if key.default_factory is not msgspec.NODEFAULT else key.default
    return '""' if key.required or made is None else _toml(made)


def manual_page() -> str:
    """docs/config.md: a table per section."""
    lines = [MANUAL_HEAD.rstrip()]
    for name, section in sections().items():
        lines += ["", f"## {name}", "", _title(section), "", "| Key | Default | Meaning |", "|---|---|---|"]
        meanings = words_of(section)
        for key in msgspec.structs.fields(section):
            default = "required" if key.required else "none" if key.default is None else f"`{_toml(key.default)}`"
            meaning = f"{meanings[key.name]} {_allowed(section, key.name)}".strip().replace("\n", " ")
            lines.append(f"| `{key.name}` | {default} | {meaning.replace('|', chr(92) + '|')} |")
    return "\n".join([*lines, *_eid_manual()]) + "\n"


def _eid_manual() -> Iterator[str]:
    yield from ("", "## eid", "", *EID_HEAD)
    for kind in KINDS:
        settings = settings_of(kind)
        yield from ("", f'### connector = "{kind}"', "", _title(settings), "")
        yield from ("| Key | Default | Meaning |", "|---|---|---|")
        meanings = words_of(settings)
        for key in msgspec.structs.fields(settings):
            default = "required" if key.required else "none" if _toml_of(key) == '""' else f"`{_toml_of(key)}`"
            meaning = meanings[key.name].replace("\n", " ").replace("|", "\\|")
            yield f"| `{key.name}` | {default} | {meaning} |"


def _title(section: type[Struct]) -> str:
    first = inspect.cleandoc(section.__doc__ or "").splitlines()[0]
    return re.sub(r"^(\[[\w.-]+\]( and )?)+", "", first).strip()


def _allowed(section: type[Section], key: str) -> str:
    """The limits that the type of a key sets, in words."""
    kind = get_type_hints(section, include_extras=True)[key]
    if get_origin(kind) is Literal:
        return f"Allowed: {', '.join(get_args(kind))}."
    limits = [part for part in get_args(kind) if isinstance(part, Meta)] if get_origin(kind) is Annotated else []
    for limit in limits:
        if limit.ge is not None and limit.le is not None:
            return f"Allowed: {limit.ge} to {limit.le}."
        if limit.ge is not None:
            return f"At least {limit.ge}."
    return ""


def _defaults(section: type[Section]) -> Iterator[tuple[str, Any]]:
    for key in msgspec.structs.fields(section):
        yield key.name, None if key.required else key.default


def _toml(value: object) -> str:
    """A value as TOML writes it; JSON writes text, numbers, truth and lists alike."""
    if isinstance(value, tuple):
        value = list(value)
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(key)} = {_toml(inner)}' for key, inner in value.items())} }}"
    return "" if value is None else json.dumps(value, ensure_ascii=False)
