"""The options that stand for members of a client's metadata, for `client add` and `client edit`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar, get_args

import click

from idp.rules.client_metadata import GrantType, Method, SigningAlgorithm

Command = TypeVar("Command", bound=Callable[..., Any])

_ALGORITHMS = click.Choice(get_args(SigningAlgorithm))
_METHODS = click.Choice(get_args(Method))
_GRANTS = click.Choice(get_args(GrantType))


class _JsonFile(click.File):
    """A file that holds a JSON object."""

    name = "json file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the object."""
        try:
            with super().convert(value, param, ctx) as file:
                found = json.loads(file.read())
        except ValueError as problem:
            self.fail(f"{value}: not JSON: {problem}", param, ctx)
        if not isinstance(found, dict):
            self.fail(f"{value}: not a JSON object", param, ctx)
        return found


OPTIONS = (
    click.option("--name", "client_name", help="Name shown to people."),
    click.option("--redirect-uri", "redirect_uris", multiple=True, help="Where answers may go; may be repeated."),
    click.option(
        "--post-logout-redirect-uri",
        "post_logout_redirect_uris",
        multiple=True,
        help="Where people may go after signing out; may be repeated.",
    ),
    click.option("--start-uri", "initiate_login_uri", help="Where people start signing in at the client."),
    click.option("--home-uri", "client_uri", help="Home page of the client."),
    click.option("--type", "application_type", type=click.Choice(["web", "native"]), help="Default: web."),
    click.option("--grant", "grant_types", multiple=True, type=_GRANTS, help="Default: authorization_code."),
    click.option("--scope", help="Scopes it may ask for, in quotes. Default: openid profile email."),
    click.option("--auth", "token_endpoint_auth_method", type=_METHODS, help="Default: client_secret_basic."),
    click.option("--jwks", type=_JsonFile("r", encoding="utf-8"), help="File with its public keys, as a JWK set."),
    click.option("--signing-algorithm", "id_token_signed_response_alg", type=_ALGORITHMS, help="For its ID tokens."),
    click.option("--resource", "resources", multiple=True, help="Audience it may ask tokens for; may be repeated."),
    click.option("--resource-server", help="The audience it is itself, and may introspect tokens for."),
    click.option("--first-party/--third-party", default=None, help="Ours: people are not asked to consent."),
    click.option("--pkce-exempt/--pkce", default=None, help="May leave PKCE out: old confidential clients only."),
    click.option(
        "--claims-in-id-token/--claims-from-userinfo",
        "claims_in_id_token",
        default=None,
        help="For clients that never call userinfo.",
    ),
)


def metadata_options(command: Command) -> Command:
    """Give a command the options for metadata."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def named_members(options: dict[str, Any]) -> dict[str, Any]:
    """The members that were named on the command line."""
    return {
        member: list(value) if isinstance(value, tuple) else value
        for member, value in options.items()
        if value is not None and value != ()
    }
