"""A television is connected from a phone, in a real browser (RFC 8628)."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import httpx

from tests.browser.conftest import Opens
from tests.browser.inspection import Inspector
from tests.browser.world import ROOT, Newcomer, World

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
TELEVISION = {
    "client_name": "TV-en i stua",
    "grant_types": [DEVICE_CODE],
    "token_endpoint_auth_method": "none",
    "scope": "openid email",
    "id_token_signed_response_alg": "ES256",
}


def test_a_television_is_connected_from_a_phone(opens: Opens, world: World) -> None:
    """The code is in the address, and still it takes a press, a sign-in and a yes; every page is for everybody."""
    client_id = registered(world)
    asked = posted(world, "device-authorization", client_id, scope="openid email").json()
    page = opens()
    inspector = Inspector(page, {world.idp})
    page.goto(asked["verification_uri_complete"])
    assert page.input_value("#user-code") == asked["user_code"]
    inspector.looks("code")
    page.click("button[value=continue]")
    sign_in(page, world)
    inspector.looks("question")
    assert posted(world, "token", client_id, **poll(asked)).json()["error"] == "authorization_pending"
    assert page.locator("h1").inner_text() == "Koble til en enhet"
    page.click("button[value=approve]")
    assert page.locator("h1").inner_text() == "Enheten er koblet til"
    inspector.looks("connected")
    assert posted(world, "token", client_id, **poll(asked)).json()["scope"] == "openid email"
    assert not inspector.problems


def sign_in(page: Any, world: World) -> None:
    """As the first of the demo's people, with password and phone."""
    somebody = world.people[0]
    page.fill("#email", somebody["email"])
    page.fill("#password", somebody["password"])
    page.click("button[value=sign-in]")
    messages = Newcomer(world)
    seen = {str(message["id"]) for message in messages._messages(somebody["phone"])}
    messages._read |= seen
    page.click("button[value=sms]")
    page.fill("#code", messages.code(somebody["phone"]))
    page.click("button[value=verify]")


def registered(world: World) -> str:
    """A client, as an administrator of the demo adds one."""
    command = [sys.executable, "-m", "idp", "--config", str(world.folder / "config.toml"), "client", "add"]
    done = subprocess.run(
        [*command, "--metadata", "-"],
        input=json.dumps(TELEVISION),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return str(json.loads(done.stdout)["client_id"])


def poll(asked: dict[str, Any]) -> dict[str, str]:
    return {"grant_type": DEVICE_CODE, "device_code": asked["device_code"]}


def posted(world: World, endpoint: str, client_id: str, **form: str) -> httpx.Response:
    return httpx.post(f"{world.idp}/{endpoint}", data={"client_id": client_id, **form})
