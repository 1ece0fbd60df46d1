"""`idp worker`: send what waits and do the chores, apart from the server."""

from __future__ import annotations

import json
import signal

import click

from idp.cli import Invocation


@click.command(epilog="Example:  idp worker --once")
@click.option("--once", is_flag=True, help="Send what is due now, then stop.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON (with --once).")
@click.pass_obj
def worker(invocation: Invocation, once: bool, as_json: bool) -> None:
    """Empty the outbox, seal the audit trail, erase what is past its time. Any number may run."""
    from idp.app import create_app, worker_of
    from idp.stores import Unavailable

    try:
        application = create_app(invocation.settings())
    except (OSError, ValueError) as problem:
        words = f"{problem}. `idp setup` makes what is missing, `idp check` says more."
        raise click.ClickException(words) from None
    working = worker_of(application)
    if once:
        try:
            with application.app_context():
                handled = working.work_once()
        except Unavailable as problem:
            raise click.ClickException(f"The {problem} does not answer. `idp check` says more.") from problem
        click.echo(json.dumps({"handled": handled}) if as_json else f"Handled {handled} messages.")
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: working.stop(0))
    click.echo("Working. Stop with Ctrl-C.")
    working.run()
