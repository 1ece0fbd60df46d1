"""Making the provider ready through its own command line: secrets, tables, keys, and the two clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .layout import Layout
from .provider_config import config_toml


class Failed(Exception):
    """The demo cannot start. The message says why, in words for whoever typed `make demo`."""


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read, all at once."""
    beside = path.with_name(path.name + ".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    beside.replace(path)


def read_json(path: Path) -> Any:
    """What the file holds, or None when it is not there or was cut off."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def idp_command(layout: Layout, *arguments: str) -> list[str]:
    """The provider's command line, on the demo's settings."""
    return [sys.executable, "-m", "idp", "--config", str(layout.file("config.toml")), *arguments]


def idp_environment() -> dict[str, str]:
    """The environment without settings of another provider on this machine."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("IDP_", "FLASK_"))}


def prepare(layout: Layout) -> dict[str, Any]:
    """Settings, secrets, tables, keys; then the clients, once. Gives the portal's registration.

    The folder is there already. Raises Failed.
    """
    write_private(layout.file("config.toml"), config_toml(layout))
    run_idp(layout, "setup")
    clients = read_json(layout.file("clients.json"))
    if clients is None or clients["base"] != layout.base:  # on other ports they are other clients
        clients = {"base": layout.base, "portal": _registered(layout, _portal(layout))}
        clients["data_service"] = _registered(layout, _data_service(layout))
        write_private(layout.file("clients.json"), json.dumps(clients, indent=2))
    portal: dict[str, Any] = clients["portal"]
    own = {name: clients["data_service"][name] for name in ("client_id", "client_secret")}
    write_private(layout.file("data_service.json"), json.dumps(own))
    write_private(layout.file("portal.json"), json.dumps(_portal_config(layout, portal), indent=2))
    return portal


def _registered(layout: Layout, metadata: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(
        run_idp(layout, "client", "add", "--metadata", "-", "--json", given=json.dumps(metadata))
    )
    return answer


def run_idp(layout: Layout, *arguments: str, given: str | None = None) -> str:
    """What that command of the provider prints. Raises Failed."""
    done = subprocess.run(  # noqa: S603  # our own interpreter, our own arguments
        idp_command(layout, *arguments),
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env=idp_environment(),
    )
    if done.returncode != 0:
        raise Failed(f"`idp {' '.join(arguments)}` failed:\n{done.stderr or done.stdout}")
    return done.stdout


def _portal(layout: Layout) -> dict[str, Any]:
    url = layout.url("portal")
    return {
        "client_name": "Alumniportalen",
        "client_uri": f"{url}/",
        "redirect_uris": [f"{url}/callback"],
        "post_logout_redirect_uris": [f"{url}/signed-out"],
        "backchannel_logout_uri": f"{url}/backchannel-logout",
        "initiate_login_uri": f"{url}/login",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": "openid email phone offline_access payslips profile national_number",
        "token_endpoint_auth_method": "client_secret_basic",
        "id_token_signed_response_alg": "ES256",
        "claims_in_id_token": True,
        "authorization_details_types": ["alumni_records"],
        "first_party": True,
        "resources": [layout.resource, layout.url("idp")],  # the data service asks the provider who somebody is
    }


def _data_service(layout: Layout) -> dict[str, Any]:
    return {"client_name": "Alumnidata", "resource_server": layout.resource}


def _portal_config(layout: Layout, registration: dict[str, Any]) -> dict[str, str]:
    return {
        "url": layout.url("portal"),
        "issuer": layout.url("idp"),
        "client_id": registration["client_id"],
        "client_secret": registration["client_secret"],
        "data_service": layout.resource,
        "state": str(layout.file("portal")),
    }
