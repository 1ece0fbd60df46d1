"""Which eIDs there are: the kinds that are built in, and those that a deployment has set up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import msgspec

from idp.configuration import Problem, SettingsError
from idp.eid.connector import Connector

KINDS = {
    "norwegian_bankid": "NorwegianBankId",
    "swedish_bankid": "SwedishBankId",
    "smart_id": "SmartId",
    "oidc_broker": "OidcBroker",
}
"""File and class of each kind of connector; its settings are the class of the same name with `Settings`."""

Tables = Mapping[str, Mapping[str, Any]]
"""`[eid.<name>]` of the settings, in the order people see them."""


FRAMEWORKS = {"norwegian_bankid": "no_bankid", "swedish_bankid": "se_bankid", "smart_id": "ee_smartid"}
"""The `trust_framework` of what each kind verifies, where the table names none (Identity Assurance §5.4)."""

EVIDENCE = {
    "norwegian_bankid": "electronic_record",
    "oidc_broker": "electronic_record",
    "swedish_bankid": "electronic_signature",
    "smart_id": "electronic_signature",
}
"""The type of evidence that each kind brings (Identity Assurance Schema §5.4.4)."""

COMMON = ("connector", "trust_framework")
"""Keys that every table may have beside those of its connector."""


def trust_frameworks(tables: Tables) -> dict[str, str]:
    """Under which rules each eID verifies people: as its table says, or the name of its kind, or its own."""
    return {
        name: str(table.get("trust_framework") or FRAMEWORKS.get(str(table.get("connector")), name.replace("-", "_")))
        for name, table in tables.items()
    }


def evidence(tables: Tables) -> tuple[str, ...]:
    """The types of evidence that these eIDs bring, each once."""
    return tuple(sorted({EVIDENCE[str(table.get("connector"))] for table in tables.values()}))


def settings_of(kind: str) -> type[msgspec.Struct]:
    """The settings of a kind of connector, without `connector` itself."""
    found: type[msgspec.Struct] = getattr(import_module(f"idp.eid.{kind}"), f"{KINDS[kind]}Settings")
    return found


def build(tables: Tables, *, loopback: bool) -> dict[str, Connector]:
    """Every connector by its name. Raises `SettingsError` with table, key and what is allowed.

    A kind that nobody set up is not even imported: XML and certificates take their time.
    """
    return {name: _one(name, table, loopback=loopback) for name, table in tables.items()}


def problems(tables: Tables, *, loopback: bool) -> Iterator[Problem]:
    """What is wrong with the tables; nothing when every connector can be built."""
    for name, table in tables.items():
        try:
            _one(name, table, loopback=loopback)
        except SettingsError as problem:
            yield Problem(f"eid.{name}", str(problem).partition("] ")[2])


def _one(name: str, table: Mapping[str, Any], *, loopback: bool) -> Connector:
    kind = table.get("connector")
    if kind not in KINDS:
        raise SettingsError(f"[eid.{name}] connector: {kind!r} is none; there are {', '.join(KINDS)}")
    given = {key: value for key, value in table.items() if key not in COMMON}
    try:
        settings = msgspec.convert(given, settings_of(kind))
        made: Connector = getattr(import_module(f"idp.eid.{kind}"), KINDS[kind])(settings, name=name, loopback=loopback)
    except (ValueError, OSError) as problem:  # msgspec's ValidationError is a ValueError, too
        raise SettingsError(f"[eid.{name}] {problem}") from None
    return made
