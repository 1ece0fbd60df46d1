"""`idp person`: find, show, lock, unlock, export, erase, end sessions, bring in."""

from __future__ import annotations

import json
import sys
from typing import IO, Any

import click

from idp.cli import Invocation
from idp.rules.identifiers import Malformed, email_address
from idp.services import accounts, credentials, erasure, recovery, sessions
from idp.services import export as exports
from idp.services.accounts import Account, AddressTaken
from idp.stores.shortlived.opening import open_store


@click.group()
def person() -> None:
    """People's accounts. Every look-up of a person is written to the audit trail."""


@person.command(epilog="Example:  idp person find kari@example.no")
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def find(email: str, as_json: bool) -> None:
    """Print the account id of an e-mail address."""
    try:
        address = email_address(email)
    except Malformed as problem:
        raise click.UsageError(f"{email!r} is not an e-mail address ({problem.key}).") from problem
    account = accounts.looked_up(canonical=address.canonical)
    if account is None:
        raise click.ClickException("No account has this address.")
    click.echo(json.dumps({"id": account.id}) if as_json else account.id)


@person.command(epilog="Example:  idp person show 0aBcD3f_GhIjKlMnOpQrSt --json")
@click.argument("account_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(account_id: str, as_json: bool) -> None:
    """Print what support needs to know of an account; never a number or a secret."""
    account = accounts.looked_up(account_id=account_id)
    if account is None:
        raise click.ClickException(f"No account has the id {account_id}.")
    told = _told(account)
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    for name, value in told.items():
        click.echo(f"{name:12} {value}")


@person.command(epilog="Example:  idp person lock 0aBcD3f_GhIjKlMnOpQrSt")
@click.argument("account_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def lock(account_id: str, as_json: bool) -> None:
    """Lock an account: its sessions and tokens end within seconds, and nobody signs in to it."""
    if not accounts.lock(account_id):
        raise click.ClickException(f"No account has the id {account_id}.")
    _done(as_json, account_id, "locked")


@person.command(epilog="Example:  idp person unlock 0aBcD3f_GhIjKlMnOpQrSt")
@click.argument("account_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def unlock(account_id: str, as_json: bool) -> None:
    """Let the person of an account sign in again."""
    if not accounts.unlock(account_id):
        raise click.ClickException(f"No account has the id {account_id}.")
    _done(as_json, account_id, "active")


@person.command(epilog="Example:  idp person export 0aBcD3f_GhIjKlMnOpQrSt > my-data.json")
@click.argument("account_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: there is no other form.")
def export(account_id: str, as_json: bool) -> None:
    """Print all that is kept about a person, for that person. They read in their activity that it was made."""
    found = exports.of_account(account_id)
    if found is None:
        raise click.ClickException(f"No account has the id {account_id}.")
    exports.recorded(account_id)
    click.echo(json.dumps(found, ensure_ascii=False, indent=None if as_json else 2))


@person.command(epilog="Example:  idp person erase 0aBcD3f_GhIjKlMnOpQrSt")
@click.argument("account_id")
@click.option("--now", is_flag=True, help="Do not wait for the days in which the person may take it back.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def erase(invocation: Invocation, account_id: str, now: bool, as_json: bool) -> None:
    """Delete an account for its owner: closed at once, erased after the days of grace. The person gets a mail."""
    settings = invocation.settings()
    if now:
        done = erasure.erase(open_store(settings.shortlived), account_id)
    else:
        done = erasure.ask(account_id, days=settings.retention.erasure_days) is not None
    if not done:
        raise click.ClickException(f"No open account has the id {account_id}.")
    _done(as_json, account_id, "erased" if now else "leaving")


@person.command(epilog="Example:  idp person keep 0aBcD3f_GhIjKlMnOpQrSt")
@click.argument("account_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def keep(account_id: str, as_json: bool) -> None:
    """Take back, for its owner, that an account is to be deleted."""
    if not erasure.take_back(account_id):
        raise click.ClickException(f"No account with the id {account_id} waits to be deleted.")
    _done(as_json, account_id, "active")


@person.command("end-sessions", epilog="Example:  idp person end-sessions 0aBcD3f_GhIjKlMnOpQrSt")
@click.argument("account_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def end_sessions(account_id: str, as_json: bool) -> None:
    """Sign an account out everywhere; its refresh tokens end, too."""
    if accounts.by_id(account_id) is None:
        raise click.ClickException(f"No account has the id {account_id}.")
    ended = sessions.end_all(account_id, reason="ended by an administrator")
    if as_json:
        click.echo(json.dumps({"id": account_id, "ended": ended}))
    else:
        click.echo(f"Ended {ended} session{'' if ended == 1 else 's'}.")


@person.command(
    "start-recovery", epilog='Example:  idp person start-recovery 0aBcD3f_GhIjKlMn --reason "called, answered HR"'
)
@click.argument("account_id")
@click.option("--reason", required=True, help="What you checked, for the audit trail; no name, number or address.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def start_recovery(invocation: Invocation, account_id: str, reason: str, as_json: bool) -> None:
    """Help somebody who has lost the phone: print a support code, this once, to be told to that person.

    It opens nothing without the password and a code to the account's own address, and the new number counts a day
    later. Any code of before is void. Nobody but the person can finish it.
    """
    started = recovery.start(account_id, reason=reason, settings=invocation.settings().recovery)
    if started is None:
        raise click.ClickException(f"No active account has the id {account_id}.")
    if as_json:
        click.echo(json.dumps({"id": account_id, "support_code": started.code, "until": started.until.isoformat()}))
        return
    click.echo(started.code)
    click.echo(f"Tell it to the person now: it is not shown again. It counts once, until {started.until}.", err=True)


@person.command(
    "import",
    epilog="""Example:  idp person import people.jsonl

    One JSON object a line: {"email": "kari@example.no", "locale": "nb",
    "password_hash": "$argon2id$v=19$m=19456,t=2,p=1$..."}""",
)
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def import_people(file: IO[str], as_json: bool) -> None:
    """Bring in accounts of another system. Each person proves a phone at the first sign-in.

    Lines that cannot be brought in are named and left out; the exit code is then 1.
    """
    failed = 0
    lines = [line for line in file if line.strip()]
    with click.progressbar(lines, label="Bringing in", file=sys.stderr) as progress:
        for number, line in enumerate(progress, start=1):
            problem = _bring_in(line, as_json)
            if problem is not None:
                failed += 1
                click.echo(f"line {number}: {problem}", err=True)
    click.echo(f"{len(lines) - failed} brought in, {failed} left out.", err=True)
    if failed:
        raise click.exceptions.Exit(1)


def _bring_in(line: str, as_json: bool) -> str | None:
    try:
        given = json.loads(line)
        account_id = accounts.bring_in(
            email=given["email"], password_hash=given["password_hash"], locale=given.get("locale", "nb")
        )
    except AddressTaken:
        return "the address has an account already"
    except Malformed as problem:
        return f"email: {problem.key}"
    except KeyError as problem:
        return f"{problem.args[0]} is missing"
    except (ValueError, TypeError, AttributeError) as problem:
        return str(problem)
    if as_json:
        click.echo(json.dumps({"email": given["email"], "id": account_id}, ensure_ascii=False))
    return None


def _told(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "status": "active" if account.active else "leaving" if account.leaves_at else "locked",
        "locale": account.locale,
        "created": account.created_at.isoformat(),
        "factors": ["password", *credentials.enrolled(account.id)],
        "sessions": len(sessions.of_account(account.id)),
    }


def _done(as_json: bool, account_id: str, status: str) -> None:
    click.echo(json.dumps({"id": account_id, "status": status}) if as_json else f"{account_id} is {status}.")
