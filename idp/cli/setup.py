"""`idp setup`: everything a new provider needs before it can serve."""

from __future__ import annotations

import json
from pathlib import Path

import click

from idp.cli import Invocation, on_stores
from idp.services import database, keys
from idp.stores.durable.sealing import create_root_secrets


@click.command(epilog="Example:  idp --config /etc/idp/config.toml setup")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def setup(invocation: Invocation, as_json: bool) -> None:
    """Make root secrets, tables and first signing keys, where they are missing.

    Safe when run twice, or twice at once. Nothing that exists is changed.
    """
    folder = Path(invocation.settings().secrets.directory)
    create_root_secrets(folder)
    told = _stores()
    if as_json:
        click.echo(json.dumps({"secrets": str(folder), **told}))
        return
    click.echo(f"Root secrets are in {folder}. Keep a copy apart from copies of the database.")
    click.echo(f"The database stands at migration {told['migration']}.")
    click.echo(f"New signing keys: {', '.join(told['new_keys']) or 'none, there were some'}.")


@on_stores
def _stores() -> dict[str, object]:
    _, after = database.upgrade()
    return {"migration": after, "new_keys": [f"{key.algorithm} {key.kid}" for key in keys.first_keys()]}
