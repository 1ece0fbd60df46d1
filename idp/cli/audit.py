"""`idp audit`: read the audit trail, follow it, prove it whole."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta

import click
import msgspec

from idp import clock
from idp.services import audit as trail
from idp.services.audit import Findings, NoSuchAccount
from idp.stores.durable.audit import Event
from idp.stores.durable.audit_seals import Head

NAMED = ("account", "client", "session", "journey", "network", "reference", "reason")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _since(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    """An instant (ISO 8601, UTC where no zone is given), or how long ago: 30m, 12h, 7d."""
    if value is None:
        return None
    if ago := re.fullmatch(r"([0-9]{1,4})([mhd])", value):
        return clock.now() - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        words = f"{value!r} is neither a time such as 2026-11-23T12:00 nor an age such as 30m, 12h or 7d."
        raise click.BadParameter(words) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _noted(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Head | None:
    """A head as `audit verify` printed it: NUMBER:SEAL."""
    if value is None:
        return None
    number, _, seal = value.partition(":")
    if not re.fullmatch(r"[0-9]{1,18}", number) or not re.fullmatch(r"[0-9a-f]{64}", seal):
        raise click.BadParameter(f"{value!r} is not NUMBER:SEAL as `idp audit verify` prints it.")
    return Head(int(number), seal)


@click.group()
def audit() -> None:
    """The audit trail: who did what, when. Events are only ever added, and chained."""


@audit.command(
    epilog="Examples:  idp audit tail --since 2h   |   idp audit tail --follow --json   |   "
    "idp audit tail --account 0aBcD3f_GhIjKlMnOpQrSt"
)
@click.option("--lines", "-n", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many events.")
@click.option("--follow", "-f", "following", is_flag=True, help="Go on with new events until Ctrl-C.")
@click.option("--account", "account_id", help="Only events of this account id. Looking is itself recorded.")
@click.option(
    "--since", metavar="TIME", callback=_since, help="Only events since a time, or an age: 30m, 12h, 7d. All of them."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one event a line.")
def tail(lines: int, following: bool, account_id: str | None, since: datetime | None, as_json: bool) -> None:
    """Print the newest events, oldest first."""
    try:
        found = trail.newest(lines if since is None else 100_000, account_id=account_id, since=since)
    except NoSuchAccount as problem:
        raise click.ClickException(f"The trail knows no account with the id {problem}.") from None
    for event in found:
        _print(event, as_json)
    if not following:
        return
    after = found[-1].id if found else trail.newest_number()
    for event in trail.follow(after=after, account_id=account_id, wait=lambda: time.sleep(1)):
        _print(event, as_json)


@audit.command(epilog="Example:  idp audit verify --expect 1042:9f2c...   with the head of last week's run")
@click.option(
    "--expect",
    metavar="NUMBER:SEAL",
    callback=_noted,
    help="A head noted down earlier; shows that no end was cut off since.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def verify(ctx: click.Context, expect: Head | None, as_json: bool) -> None:
    """Go along the whole chain. Exit code 0: whole; 1: something was changed, taken out or slipped in."""
    found = trail.verify(expect)
    click.echo(json.dumps(msgspec.to_builtins(found)) if as_json else _in_words(found))
    if found.faults:
        ctx.exit(1)


def _in_words(found: Findings) -> str:
    lines = [
        f"Event {fault.event} " + (f"(seal {fault.seal}) " if fault.seal else "") + fault.words
        if fault.event
        else f"Seal {fault.seal} {fault.words}"
        for fault in found.faults
    ]
    lines.append(f"{found.sealed} events, {'whole' if not lines else f'{len(lines)} faults'}.")
    if found.head is not None:
        lines.append(f"Head, to be noted down elsewhere: {found.head.number}:{found.head.seal}")
    return "\n".join(lines)


def _print(event: Event, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(event)))  # ASCII only: nothing can forge a line (SR-121)
        return
    told = [event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), event.event, event.outcome]
    named = ((name, getattr(event, name)) for name in NAMED)
    told.extend(f"{name}={_quoted(value)}" for name, value in named if value)
    told.extend(f"{_quoted(key)}={_quoted(str(value))}" for key, value in event.details.items())
    click.echo("  ".join(told))


def _quoted(value: str) -> str:
    """As it is when plain; else as a JSON string, so that no line break or escape sequence gets through."""
    return value if re.fullmatch(r"[A-Za-z0-9._:/@+,\[\]-]+", value) else json.dumps(value)
