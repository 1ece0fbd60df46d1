"""Reading the settings: the file, the environment over it, and words for what is wrong.

`read` refuses what is no setting, or no value of one; `problems` names values that are valid but unsafe
or useless (SR-115). What only the database can tell is in `idp.services.checks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from idp.settings import Section, Settings
from idp.settings_checks import CHECKS, Problem, sections

__all__ = ["Problem", "SettingsError", "problems", "read", "sections"]

DEFAULT_PATH = "config.toml"
"""The settings file when neither `--config` nor IDP_CONFIG names one."""

PREFIX = "IDP_"
PATH_VARIABLE = "IDP_CONFIG"

# Kubernetes puts these into every container beside a service that is called `idp`.
_OF_KUBERNETES = re.compile(r"IDP_(SERVICE_HOST|SERVICE_PORT|PORT)(_[A-Z0-9_]+)?")


class SettingsError(ValueError):
    """The settings cannot be read. The message names file or variable, key, and what is allowed."""


def read(path: Path | str, environ: Mapping[str, str]) -> Settings:
    """The settings of a file, with `IDP_<SECTION>_<KEY>` of the environment over it. Raises `SettingsError`.

    Paths in the file are relative to the file's folder; in the result they are absolute.
    """
    path = Path(path)
    given = _from_file(path)
    variables: dict[str, str] = {}
    for variable, section, key, value in _from_environment(environ):
        given.setdefault(section, {})[key] = value
        variables[f"{section}.{key}"] = variable
    try:
        settings = msgspec.convert(given, Settings)
    except msgspec.ValidationError as problem:
        raise SettingsError(_explained(str(problem), path, variables)) from None
    return _rooted(settings, path.resolve().parent)


def problems(settings: Settings, environ: Mapping[str, str]) -> list[Problem]:
    """What is unsafe or useless in the settings and in the files they name; nothing when all is well."""
    found = [problem for check in CHECKS for problem in check(settings)]
    if environ.get("FLASK_DEBUG", "0").lower() not in ("0", "false", "no", ""):
        found.append(Problem("FLASK_DEBUG", "debug mode shows secrets to anybody; unset it"))
    return found


def _from_file(path: Path) -> dict[str, Any]:
    try:
        raw = path.read_bytes()
    except OSError as problem:
        hint = "; `idp config example` prints one to begin with" if isinstance(problem, FileNotFoundError) else ""
        raise SettingsError(f"{path}: {problem.strerror}{hint}") from None
    try:
        found: dict[str, Any] = msgspec.toml.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{path}: this is not TOML: {problem}") from None
    return found


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str, object]]:
    """Variable, section, key and value of every setting in the environment."""
    known = sections()
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable == PATH_VARIABLE or _OF_KUBERNETES.fullmatch(variable):
            continue
        section, _, key = variable.removeprefix(PREFIX).lower().partition("_")
        if section not in known:
            raise SettingsError(f"{variable}: no section [{section}]; there are {', '.join(known)}")
        kinds = {field.name: field.type for field in msgspec.structs.fields(known[section])}
        if key not in kinds:
            raise SettingsError(f"{variable}: no key `{key}` in [{section}]; there are {', '.join(kinds)}")
        yield variable, section, key, _value(variable, environ[variable], kinds[key])


def _value(variable: str, text: str, kind: Any) -> object:
    given: object = text
    if get_origin(kind) is tuple:
        given = [part.strip() for part in text.split(",") if part.strip()]
    elif text == "" and type(None) in get_args(kind):
        given = None
    try:
        return msgspec.to_builtins(msgspec.convert(given, kind, strict=False))
    except msgspec.ValidationError as problem:
        raise SettingsError(f"{variable}: {str(problem).partition(' - at ')[0]}") from None


def _explained(problem: str, path: Path, variables: Mapping[str, str]) -> str:
    """What msgspec says, with the file or variable, the key, and what would be allowed."""
    words, _, place = problem.partition(" - at `$")
    key = re.sub(r"\[.*", "", place.strip("`.").removeprefix("."))
    unknown = re.search(r"unknown field `(.*)`", words)
    if unknown:
        allowed = (
            [field.name for field in msgspec.structs.fields(sections()[key])]
            if key in sections()
            else [*sections(), "eid"]
        )
        what = f"[{key}] has no key" if key else "there is no section"
        return f"{path}: {what} `{unknown[1]}`; allowed: {', '.join(allowed)}"
    if words.startswith("Invalid enum value"):
        section, _, name = key.partition(".")
        words += f"; allowed: {', '.join(get_args(get_type_hints(sections()[section])[name]))}"
    missing = re.search(r"missing required field `(.*)`", words)
    if missing:
        return f"{path}: {f'{key}.' if key else ''}{missing[1]} is missing: it has no default"
    return f"{variables.get(key, path)}: {key or 'the file'}: {words[:1].lower()}{words[1:]}"


def _rooted(settings: Settings, folder: Path) -> Settings:
    """The same settings with every path made absolute, so that it does not matter where a command starts."""
    changed: dict[str, Section] = {}
    for name in sections():
        section: Section = getattr(settings, name)
        absolute = {}
        for field in section.__struct_fields__:
            value = getattr(section, field)
            if value and (field.endswith("_file") or (name, field) == ("secrets", "directory")):
                absolute[field] = str(folder / value)
            elif field == "url" and value.startswith("sqlite:///"):
                absolute[field] = f"sqlite:///{folder / value.removeprefix('sqlite:///')}"
        changed[name] = msgspec.structs.replace(section, **absolute)
    eid = {
        name: {key: _absolute(folder, key, value) for key, value in table.items()}
        for name, table in settings.eid.items()
    }
    return msgspec.structs.replace(settings, **changed, eid=eid)


def _absolute(folder: Path, key: str, value: Any) -> Any:
    """A path, or a list of them, of an eID's table."""
    if key.endswith("_file") and isinstance(value, str):
        return str(folder / value)
    if key.endswith("_files") and isinstance(value, list):
        return [str(folder / str(one)) for one in value]
    return value
