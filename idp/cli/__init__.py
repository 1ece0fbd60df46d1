"""The command line `idp`: one file per service, one command per public function.

A command parses, calls one service, and prints words or, with `--json`, JSON. Exit codes: 0 done,
1 failed, 2 used wrongly. Modules are loaded when their command is called, so that a start is quick.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, wraps
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from flask import Flask

    from idp.correlation import Correlation
    from idp.settings import Settings


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command is, what it is for, and whether it works on the stores."""

    module: str
    name: str
    words: str
    on_stores: bool = True


COMMANDS: dict[str, Place] = {
    "setup": Place("setup", "setup", "Make root secrets, tables and first keys.", on_stores=False),
    "check": Place("check", "check", "Say what is wrong with settings and stores.", on_stores=False),
    "serve": Place("serve", "serve", "Serve people and clients.", on_stores=False),
    "worker": Place("worker", "worker", "Send waiting messages and do timed work.", on_stores=False),
    "config": Place("configuration", "config", "Print the settings and what they mean.", on_stores=False),
    "db": Place("database", "database", "Bring the database to this release."),
    "client": Place("clients", "client", "Register clients, and change them."),
    "key": Place("keys", "key", "Add, promote and retire signing keys."),
    "person": Place("accounts", "person", "Find, show, lock and unlock people's accounts."),
    "audit": Place("audit", "audit", "Read the audit trail and prove it whole."),
}


@dataclass(slots=True)
class Invocation:
    """One call of `idp`: the settings file it was given, read at first use."""

    path: str
    _settings: Settings | None = field(default=None, repr=False)

    def settings(self) -> Settings:
        """The settings. Ends the command with exit code 1 when they cannot be read."""
        from idp import configuration

        if self._settings is None:
            try:
                self._settings = configuration.read(self.path, os.environ)
            except configuration.SettingsError as problem:
                raise click.ClickException(str(problem)) from None
        return self._settings

    def application(self) -> Flask:
        """The stores and the vault, without any page. Ends the command when the root secrets are missing."""
        from idp.foundation import open_durable

        settings = self.settings()
        try:
            return open_durable(settings)
        except (OSError, ValueError) as problem:
            words = f"{problem}. `idp setup` makes what is missing, `idp check` says more."
            raise click.ClickException(words) from None

    @contextmanager
    def stores(self) -> Iterator[None]:
        """The application's context, for as long as the block runs."""
        from idp.stores.durable.db import db

        with self.application().app_context():
            try:
                yield
            finally:
                db.engine.dispose()


class Lazy(click.Group):
    """The group of all commands, which loads a module only when its command is called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Every command, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the command of this name."""
        return _loaded(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print the table without loading anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.words) for name, place in COMMANDS.items()])


class Offline(click.Command):
    """A command that needs neither settings nor stores, in a group whose others do."""


@cache
def _loaded(name: str) -> click.Command:
    place = COMMANDS[name]
    command: click.Command = getattr(import_module(f"idp.cli.{place.module}"), place.name)
    if place.on_stores:
        _put_on_stores(command)
    return command


def _put_on_stores(command: click.Command) -> None:
    """Let every command below run inside the application's context, opened when it runs and not for `--help`."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _put_on_stores(below)
    elif command.callback is not None and not isinstance(command, Offline):
        command.callback = on_stores(command.callback)


def on_stores(callback: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command inside the application's context; a store that does not answer ends it with words."""

    @wraps(callback)
    def inside(*arguments: Any, **options: Any) -> Any:
        from flask import has_app_context

        from idp.correlation import during
        from idp.stores import Unavailable

        invocation = click.get_current_context().find_object(Invocation)
        if invocation is None or has_app_context():
            return callback(*arguments, **options)  # whoever calls has opened the stores
        try:
            with invocation.stores(), during(by_operator()):
                return callback(*arguments, **options)
        except Unavailable as problem:
            raise click.ClickException(f"The {problem} does not answer. `idp check` says more.") from problem

    return inside


def by_operator() -> Correlation:
    """What the audit trail says of an act from the command line: which user of this machine did it (SR-116)."""
    from getpass import getuser

    from idp.correlation import Correlation

    try:
        user = getuser()
    except (OSError, KeyError):  # a container may run under a number without a name
        user = str(os.getuid())
    return Correlation(reference="command", network=f"local user {user}"[:64])


def _version() -> str:
    try:
        return version("alumni-idp")
    except PackageNotFoundError:  # a checkout that was never installed
        return "unreleased"


@click.group(cls=Lazy, context_settings={"help_option_names": ["--help"]})
@click.option(
    "--config",
    "path",
    envvar="IDP_CONFIG",
    default="config.toml",
    show_default=True,
    metavar="FILE",
    help="The settings file; IDP_CONFIG names it, too.",
)
@click.version_option(_version(), prog_name="idp")
@click.pass_context
def main(ctx: click.Context, path: str) -> None:
    """Run and administer the identity provider.

    \b
    A first start:
      idp config example > config.toml
      idp setup
      idp check
      idp serve
    """
    ctx.obj = Invocation(path)
