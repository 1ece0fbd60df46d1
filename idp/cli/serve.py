"""`idp serve`: the server, on granian, and the operations address beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from multiprocessing import set_start_method
from pathlib import Path

import click

from idp.cli import Invocation, operations
from idp.cli.check import problems_of
from idp.settings import Server, Settings

FINISH_WITHIN = 20
"""Seconds a process has to finish what it is doing after SIGTERM (SR-129)."""


@click.command(epilog="Example:  idp --config /etc/idp/config.toml serve")
@click.option("--json", "as_json", is_flag=True, help="Say where it listens as one line of JSON.")
@click.pass_obj
def serve(invocation: Invocation, as_json: bool) -> None:
    """Serve until told to stop. Refuses to start when `idp check` finds anything."""
    server = invocation.settings().server
    problems = problems_of(invocation)
    for problem in problems:
        click.echo(f"{invocation.path}: {problem}", err=True)
    if problems:
        raise click.ClickException("Not started.")
    os.environ["IDP_CONFIG"] = str(Path(invocation.path).resolve())  # the workers read it, too
    said = {"issuer": server.issuer, "listen": server.listen, "operations": server.operations_listen}
    own = invocation.settings().mutual_tls
    if own.listen is not None:
        said["mutual_tls"] = own.listen
    try:
        operations.listen(invocation.settings(), invocation.application())
    except OSError as problem:
        raise click.ClickException(f"server.operations_listen {server.operations_listen}: {problem.strerror}") from None
    end = _mutual_tls(invocation.settings()) if own.listen else lambda: None
    click.echo(json.dumps(said) if as_json else f"Serving {server.issuer} on {server.listen}.")
    try:
        _run(server)
    finally:
        end()


def _mutual_tls(settings: Settings) -> Callable[[], None]:
    from idp.app import create_app
    from idp.cli import mutual_tls

    try:
        return mutual_tls.listen(settings, create_app(settings))
    except OSError as problem:
        words = f"mutual_tls.listen {settings.mutual_tls.listen}: {problem.strerror or problem}"
        raise click.ClickException(words) from None


def _run(server: Server) -> None:
    from granian import Granian
    from granian.constants import Interfaces

    set_start_method("spawn", force=True)  # no worker inherits a thread or a connection of this process
    address, port = operations.host_and_port(server.listen)
    Granian(
        "idp.wsgi:app",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=server.workers,
        blocking_threads=server.threads,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=FINISH_WITHIN,
    ).serve()
