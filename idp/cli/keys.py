"""`idp key`: the signing keys."""

from __future__ import annotations

import json

import click
import msgspec

from idp.cli import Invocation
from idp.services import keys
from idp.services.keys import Key, KeyProblem

AT_ONCE = "Without the day of waiting: for an emergency."


@click.group()
def key() -> None:
    """Signing keys: published for a day, then promoted to sign, then retired.

    \b
    A rotation, without downtime:
      idp key add --algorithm ES256
      (a day later) idp key promote KID
    The key before it is retired then, and stays published until nothing that it signed is valid.
    """


@key.command("list", epilog="Example:  idp key list --json")
@click.option("--all", "withdrawn", is_flag=True, help="Also those that are published no longer.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(withdrawn: bool, as_json: bool) -> None:
    """List the published keys, oldest first."""
    found = keys.everyone(withdrawn=withdrawn)
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(one) for one in found]))
        return
    for one in found:
        click.echo(f"{one.kid}  {one.algorithm:6} {one.state:10} {_when(one)}")


@key.command(epilog="Example:  idp key add --algorithm ES256")
@click.option("--algorithm", type=click.Choice(["ES256", "RS256", "PS256", "EdDSA"]), required=True)
@click.option("--now", "at_once", is_flag=True, help=AT_ONCE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def add(invocation: Invocation, algorithm: str, at_once: bool, as_json: bool) -> None:
    """Make a key and publish it. The first of its algorithm signs at once."""
    try:
        _print(keys.add(algorithm, at_once=at_once, tokens=invocation.settings().tokens), as_json)
    except KeyProblem as problem:
        raise click.ClickException(str(problem)) from None


@key.command(epilog="Example:  idp key promote kYz0aB1cD2eF3gH4")
@click.argument("kid")
@click.option("--now", "at_once", is_flag=True, help=AT_ONCE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def promote(invocation: Invocation, kid: str, at_once: bool, as_json: bool) -> None:
    """Sign with this key from now on, and retire the one before it."""
    try:
        _print(keys.promote(kid, at_once=at_once, tokens=invocation.settings().tokens), as_json)
    except KeyProblem as problem:
        raise click.ClickException(str(problem)) from None


@key.command(epilog="Example:  idp key retire kYz0aB1cD2eF3gH4")
@click.argument("kid")
@click.option("--now", "at_once", is_flag=True, help="It may be in wrong hands: what it signed is refused at once.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def retire(invocation: Invocation, kid: str, at_once: bool, as_json: bool) -> None:
    """Give up a key that does not sign. One that signs is retired by promoting another, or with --now."""
    try:
        _print(keys.retire(kid, at_once=at_once, tokens=invocation.settings().tokens), as_json)
    except KeyProblem as problem:
        raise click.ClickException(str(problem)) from None


def _print(one: Key, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(one)))
    else:
        click.echo(f"{one.kid}  {one.algorithm}  {one.state}  {_when(one)}")


def _when(one: Key) -> str:
    match one.state:
        case "published":
            return f"may be promoted from {one.may_sign_from:%Y-%m-%d %H:%M} UTC on"
        case "active":
            return f"signs since {one.active_at:%Y-%m-%d %H:%M} UTC"
        case _:
            return f"published until {one.withdraw_at:%Y-%m-%d %H:%M} UTC"
