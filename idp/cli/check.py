"""`idp check`: what is wrong, without starting anything."""

from __future__ import annotations

import json
import os

import click
import msgspec

from idp import configuration
from idp.cli import Invocation
from idp.configuration import Problem
from idp.eid import registry
from idp.services import checks


@click.command(epilog="Example:  idp --config /etc/idp/config.toml check")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def check(invocation: Invocation, as_json: bool) -> None:
    """Say what is wrong or unsafe in settings, secrets and stores. Exit code 1 if anything is."""
    found = problems_of(invocation)
    if as_json:
        click.echo(json.dumps({"problems": [msgspec.to_builtins(problem) for problem in found]}))
    elif not found:
        click.echo(f"{invocation.path}: all is well.")
    for problem in () if as_json else found:
        click.echo(f"{invocation.path}: {problem}")
    if found:
        raise click.exceptions.Exit(1)


def problems_of(invocation: Invocation) -> list[Problem]:
    """Everything that is wrong; the stores are looked at once the settings and secrets are right."""
    settings = invocation.settings()
    found = [
        *configuration.problems(settings, os.environ),
        *registry.problems(settings.eid, loopback=settings.is_loopback),
    ]
    if found:
        return found
    with invocation.stores():
        return checks.of_stores(settings)
