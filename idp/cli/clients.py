"""`idp client`: register clients, look at them, change them. RFC 7591 JSON in and out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import IO, Any, TypeVar

import click
import msgspec

from idp.cli import Invocation, Offline
from idp.cli.client_options import metadata_options, named_members
from idp.cli.invitations import invitations, invite, uninvite
from idp.cli.wording import words_of
from idp.outgoing.guarded import Guarded
from idp.rules import client_checks
from idp.rules.client_metadata import Metadata
from idp.services import clients
from idp.services.clients import InvalidMetadata, Registered, UnknownClient
from idp.settings import Settings

Done = TypeVar("Done")

METADATA = click.option(
    "--metadata",
    "file",
    type=click.File("r", encoding="utf-8"),
    metavar="FILE",
    help="RFC 7591 metadata as JSON; - reads it from standard input.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def client() -> None:
    """Clients: the portals and services that use this provider.

    Metadata is that of RFC 7591. Members of our own: first_party, pkce_exempt, profile,
    resources, resource_server, claims_in_id_token. A secret is shown once, when it is made.
    """


@client.command(
    epilog="""\b
    Examples:
      idp client add --name Portal --redirect-uri https://portal.example.com/callback
      idp client add --metadata portal.json"""
)
@METADATA
@metadata_options
@AS_JSON
@click.pass_obj
def add(invocation: Invocation, /, file: IO[str] | None, as_json: bool, **options: Any) -> None:
    """Register a client and print its id and, this once, its secret.

    With --metadata the answer is the JSON of RFC 7591, and ID tokens are signed with RS256 if it names
    no algorithm. With options the algorithm is ES256 unless one is named.
    """
    named = named_members(options)
    metadata = _metadata(file, named)
    of_people = metadata.get("redirect_uris") or client_checks.of_people(metadata.get("grant_types", ()))
    if file is None and of_people and "id_token_signed_response_alg" not in metadata:
        metadata["id_token_signed_response_alg"] = "ES256"  # noqa: S105 - the name of an algorithm
        click.echo("ID tokens will be signed with ES256; for others: --signing-algorithm RS256.", err=True)
    settings = invocation.settings()
    registered = _doing(lambda: clients.register(metadata, loopback_issuer=settings.is_loopback, out=_out(settings)))
    _print(registered, as_json=as_json or file is not None)


@client.command(cls=Offline, epilog="Example:  idp client members")
@AS_JSON
def members(as_json: bool) -> None:
    """Print the metadata that a client can be registered with, and what each member means."""
    meanings = words_of(Metadata)
    if as_json:
        click.echo(json.dumps(meanings, ensure_ascii=False))
        return
    for member, words in meanings.items():
        click.echo(f"{member:32} {' '.join(words.split())}")


@client.command("list", epilog="Example:  idp client list --json")
@AS_JSON
def list_command(as_json: bool) -> None:
    """List the clients, oldest first."""
    found = clients.everyone()
    if as_json:
        click.echo(json.dumps([clients.response(Registered(one)) for one in found], ensure_ascii=False))
        return
    for one in found:
        click.echo(f"{one.client_id}  {one.token_endpoint_auth_method:19}  {one.name}")


@client.command(epilog="Example:  idp client show c_0aBcD3f_GhIjKlMnOpQrSt --json")
@click.argument("client_id")
@AS_JSON
def show(client_id: str, as_json: bool) -> None:
    """Print what a client is registered with; never its secret."""
    found = clients.find(client_id)
    if found is None:
        raise _unknown(client_id)
    _print(Registered(found), as_json=as_json)


@client.command(
    epilog="""\b
    Examples:
      idp client show ID --json > portal.json; (edit it); idp client edit ID --metadata portal.json
      idp client edit ID --redirect-uri https://portal.example.com/callback --without logo_uri"""
)
@click.argument("client_id")
@METADATA
@metadata_options
@click.option("--without", multiple=True, metavar="MEMBER", help="Take this member away; may be repeated.")
@AS_JSON
@click.pass_obj
def edit(
    invocation: Invocation,
    /,
    client_id: str,
    file: IO[str] | None,
    without: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Change a client. --metadata replaces all of its metadata, an option only its own member.

    A repeatable option replaces the whole list.
    """
    named = named_members(options)
    if file is not None:
        metadata = _metadata(file, named)
        _drop_what_we_said(metadata, client_id)
    else:
        metadata = _changed(client_id, named, without)
    settings = invocation.settings()
    registered = _doing(
        lambda: clients.edit(client_id, metadata, loopback_issuer=settings.is_loopback, out=_out(settings))
    )
    _print(registered, as_json=as_json or file is not None)


@client.command("rotate-secret", epilog="Example:  idp client rotate-secret c_0aBcD3f_GhIjKlMnOpQrSt")
@click.argument("client_id")
@AS_JSON
def rotate_secret(client_id: str, as_json: bool) -> None:
    """Make a new secret and print it, this once. The old one is refused from now on."""
    registered = _doing(lambda: clients.rotate_secret(client_id))
    if as_json:
        click.echo(json.dumps(clients.response(registered), ensure_ascii=False))
    else:
        click.echo(registered.secret)


@client.command(epilog="Example:  idp client remove c_0aBcD3f_GhIjKlMnOpQrSt --yes")
@click.argument("client_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@AS_JSON
def remove(client_id: str, yes: bool, as_json: bool) -> None:
    """Remove a client. Its codes and tokens are worth nothing from now on."""
    found = clients.find(client_id)
    if found is None:
        raise _unknown(client_id)
    if not yes:
        click.confirm(f"Remove {found.name} ({client_id})?", abort=True, err=True)
    _doing(lambda: clients.remove(client_id))
    click.echo(json.dumps({"client_id": client_id, "removed": True}) if as_json else f"Removed {client_id}.")


for command in (invite, invitations, uninvite):
    client.add_command(command)


def _metadata(file: IO[str] | None, named: dict[str, Any]) -> dict[str, Any]:
    if file is None:
        if not named:
            raise click.UsageError("Say what to register: --metadata FILE, or options such as --redirect-uri.")
        return named
    if named:
        raise click.UsageError("--metadata says everything: no other option about metadata goes with it.")
    try:
        found = json.loads(file.read())
    except (ValueError, RecursionError) as problem:
        raise click.ClickException(f"{file.name}: not JSON: {problem}") from None
    if not isinstance(found, dict):
        raise click.ClickException(f"{file.name}: metadata is one JSON object (RFC 7591)")
    return found


def _drop_what_we_said(metadata: dict[str, Any], client_id: str) -> None:
    """Take members out that `show` prints and the provider alone sets, as RFC 7592 §2.2 wants."""
    if metadata.pop("client_id", client_id) != client_id:
        raise click.ClickException(f"the metadata is of another client than {client_id}")
    metadata.pop("client_id_issued_at", None)


def _changed(client_id: str, named: dict[str, Any], without: tuple[str, ...]) -> dict[str, Any]:
    if not named and not without:
        raise click.UsageError("Say what to change: --metadata FILE, --without, or options such as --redirect-uri.")
    found = clients.find(client_id)
    if found is None:
        raise _unknown(client_id)
    metadata: dict[str, Any] = clients.response(Registered(found))
    _drop_what_we_said(metadata, client_id)
    metadata.pop("response_types")  # follows from the grants
    for member in without:
        if member not in metadata:
            raise click.UsageError(f"the client has no {member}")
        del metadata[member]
    return metadata | named


def _out(settings: Settings) -> Guarded:
    """The way to addresses that a client's metadata names."""
    own = settings.outgoing
    return Guarded(allowed=own.allowed_networks, loopback=settings.is_loopback, trusted=own.trusted_roots)


def _doing(work: Callable[[], Done]) -> Done:
    try:
        return work()
    except UnknownClient as problem:
        raise _unknown(str(problem)) from None
    except InvalidMetadata as problem:
        raise click.ClickException(str(problem)) from None


def _unknown(client_id: str) -> click.ClickException:
    return click.ClickException(f"No client has the id {client_id}: `idp client list` shows them.")


def _print(registered: Registered, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(clients.response(registered), ensure_ascii=False))
        return
    for member, value in clients.response(registered).items():
        click.echo(f"{member:28} {_in_words(value)}")
    if registered.secret is not None:
        click.echo("Keep the secret now: it is not shown again.", err=True)


def _in_words(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return " ".join(str(part) for part in value) or "-"
        case dict():
            return msgspec.json.encode(value).decode()
        case _:
            return str(value)
