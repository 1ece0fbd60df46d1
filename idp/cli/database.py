"""`idp db`: the shape of the database."""

from __future__ import annotations

import json

import click

from idp.services import database as service


@click.group()
def database() -> None:
    """The database: bring it to this release, and see where it stands."""


@database.command(epilog="Example:  idp db upgrade")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def upgrade(as_json: bool) -> None:
    """Bring the tables to this release. Safe twice, and twice at once; all or nothing."""
    before, after = service.upgrade()
    if as_json:
        click.echo(json.dumps({"before": before, "after": after}))
    elif before == after:
        click.echo(f"The database stands at {after}: nothing to do.")
    else:
        click.echo(f"Upgraded the database from {before or 'nothing'} to {after}.")


@database.command(epilog="Example:  idp db current")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def current(as_json: bool) -> None:
    """Print the migration the database stands at, and the one this release needs."""
    stands, needed = service.current(), service.newest()
    if as_json:
        click.echo(json.dumps({"current": stands, "needed": needed}))
    else:
        click.echo(f"{stands or 'nothing'} (needed: {needed})")


@database.command(hidden=True, epilog='Example:  idp db draft "Add employers"')
@click.argument("message")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def draft(message: str, as_json: bool) -> None:
    """Draft a migration from the tables in the code, for a developer to review."""
    path = service.draft(message)
    click.echo(json.dumps({"path": path}) if as_json else path)
