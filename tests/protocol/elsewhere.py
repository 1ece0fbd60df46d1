"""Clients whose requests are decided on another device, and people who decide them."""

from __future__ import annotations

import re
from typing import Any

from werkzeug.test import TestResponse

from idp.rules.client_metadata import CIBA, DEVICE_CODE
from idp.services.clients import Registered
from tests.people import Person, Provider
from tests.protocol.signed_in import basic, posts

DEVICE_ENDPOINT, BACKCHANNEL_ENDPOINT = "/device-authorization", "/backchannel-authentication"
NO_ADDRESS: dict[str, Any] = {"redirect_uris": [], "client_uri": None}


def device(provider: Provider, **metadata: Any) -> Registered:
    """A television: it cannot keep a secret."""
    usual = {
        "client_name": "Living room TV",
        "grant_types": [DEVICE_CODE, "refresh_token"],
        "token_endpoint_auth_method": "none",
    }
    return provider.register(**{**NO_ADDRESS, **usual, **metadata})


def call_centre(provider: Provider, **metadata: Any) -> Registered:
    """A client that asks for people by their address."""
    usual = {
        "client_name": "Call centre",
        "grant_types": [CIBA, "refresh_token"],
        "backchannel_token_delivery_mode": "poll",
    }
    return provider.register(**{**NO_ADDRESS, **usual, **metadata})


def says(provider: Provider, client: Registered, path: str, form: dict[str, Any]) -> TestResponse:
    """A POST of this client, with its id or its secret."""
    if client.secret is None:
        return posts(provider, path, {"client_id": client.client.client_id, **form}, authenticated=False)
    return posts(provider, path, form, headers=basic(client.client.client_id, client.secret), authenticated=False)


def begins(provider: Provider, client: Registered, **form: Any) -> dict[str, Any]:
    """What a device is told when it asks."""
    answer = says(provider, client, DEVICE_ENDPOINT, form)
    assert answer.status_code == 200, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def polls(provider: Provider, client: Registered, device_code: str, **more: Any) -> TestResponse:
    """One poll of a device."""
    return says(provider, client, "/token", {"grant_type": DEVICE_CODE, "device_code": device_code, **more})


def polls_for(provider: Provider, client: Registered, auth_req_id: str, **more: Any) -> TestResponse:
    """One poll for a CIBA request."""
    return says(provider, client, "/token", {"grant_type": CIBA, "auth_req_id": auth_req_id, **more})


def types(person: Person, code: str) -> Person:
    """Open the page and type the code; whoever is signed in stands at the question."""
    return person.goes("/device").sends("continue", user_code=code)


def approves(person: Person, code: str) -> Person:
    """The whole way, for somebody who is signed in."""
    types(person, code).sends("approve")
    assert person.answer.status_code == 200
    return person


def texted(person: Person) -> str:
    """The code in the newest text message."""
    person.provider.deliver()
    messages = person.provider.outside.messages(person.number)
    found = re.findall(r"#([A-Z]{4}-[A-Z]{4})\Z", messages[-1]["text"]) if messages else []
    return str(found[0]) if found else ""
