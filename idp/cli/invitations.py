"""`idp client invite` and its kin: tokens with which clients may register themselves (RFC 7591 §3)."""

from __future__ import annotations

import json
from typing import Any

import click

from idp.services import registration

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command(
    epilog="""\b
    Examples:
      idp client invite
      idp client invite --uses 20 --days 30 --scope "openid email" """
)
@click.option("--uses", type=click.IntRange(1, 1000), default=1, show_default=True, help="How many clients.")
@click.option("--days", type=click.IntRange(1, 365), default=7, show_default=True, help="How long it counts.")
@click.option("--scope", help="Scopes such clients may ask for at most, in quotes.")
@click.option("--resource", "resources", multiple=True, help="Audience they may ask tokens for; may be repeated.")
@click.option("--first-party", is_flag=True, help="They count as ours: people are not asked to consent.")
@click.option("--pkce-exempt", is_flag=True, help="They may leave PKCE out: for certification only.")
@AS_JSON
def invite(as_json: bool, uses: int, days: int, **allowance: Any) -> None:
    """Make a token with which clients may register themselves, and print it, this once.

    [registration] enabled opens the endpoint.
    """
    named = {member: value for member, value in allowance.items() if value}
    made = registration.invite(named, uses=uses, days=days)
    if as_json:
        click.echo(json.dumps({"id": made.id, "initial_access_token": made.token}))
        return
    click.echo(made.token)
    click.echo(f"Keep the token now: it is not shown again. `idp client uninvite {made.id}` takes it back.", err=True)


@click.command(epilog="Example:  idp client invitations --json")
@AS_JSON
def invitations(as_json: bool) -> None:
    """List the tokens for registering that were made, oldest first; never the tokens themselves."""
    found = [
        {"id": one.id, "uses_left": one.uses_left, "expires_at": one.expires_at.isoformat(), **one.allowed}
        for one in registration.invitations()
    ]
    if as_json:
        click.echo(json.dumps(found))
        return
    for one in found:
        click.echo(f"{one['id']}  {one['uses_left']:4} left  until {one['expires_at']}")


@click.command(epilog="Example:  idp client uninvite A1b2C3d4E5f6")
@click.argument("token_id")
@AS_JSON
def uninvite(token_id: str, as_json: bool) -> None:
    """Take a token for registering back. Clients that it has registered stay."""
    if not registration.withdraw(token_id):
        raise click.ClickException(f"No token has the id {token_id}: `idp client invitations` shows them.")
    click.echo(json.dumps({"id": token_id, "withdrawn": True}) if as_json else f"Withdrew {token_id}.")
