"""What any resource server owes to RFC 9470. One contract; each server brings its client and its tokens.

To hold your own API to it, add a `ResourceServer` of yours to `SERVERS`.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask, abort, request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.test import TestResponse

from relying_party_demo.data_service.app import Service, create_app
from relying_party_demo.data_service.step_up import InsufficientUserAuthentication, StepUp
from tests.demo.world import HIGH, MFA, RESOURCE, SUBSTANTIAL, Provider

SFA = "https://refeds.org/profile/sfa"

Ask = Callable[..., TestResponse]


@dataclass(frozen=True)
class ResourceServer:
    """One guarded endpoint of a resource server."""

    ask: Ask
    """Asks it: `ask(token, query)`, without a token for None."""
    token: Callable[..., str]
    """A good token, but for these claims; None takes one away."""
    acr_values: tuple[str, ...]
    """What the endpoint takes, the preferred one first."""
    max_age: int | None = None
    """Seconds since the sign-in that it allows."""

    def opens(self, **claims: Any) -> bool:
        """Whether a token with these claims gets past the step-up. What comes after that is the server's business."""
        return self.ask(self.token(**claims)).status_code != 401


@contextmanager
def data_service(folder: Path, path: str, needs: StepUp) -> Iterator[ResourceServer]:
    """One endpoint of the demo's own: JWTs of RFC 9068, refusals as problem documents."""
    provider = Provider()
    thread = Thread(target=provider.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    client = create_app(Service(provider.issuer, RESOURCE, folder / "links.json")).test_client()

    def ask(token: str | None, query: dict[str, str] | None = None) -> TestResponse:
        return client.get(path, query_string=query, headers={"Authorization": f"Bearer {token}"} if token else {})

    # A stranger, who stays one: a known employee needs less.
    token = partial(provider.token, sub="stranger")
    yield ResourceServer(ask, token, needs.acr_values, needs.max_age)
    provider.server.shutdown()
    provider.server.server_close()
    thread.join(5)


def who_is_here(folder: Path) -> AbstractContextManager[ResourceServer]:
    """Two factors are enough."""
    return data_service(folder, "/me", StepUp((MFA, SUBSTANTIAL, HIGH)))


def first_payslips(folder: Path) -> AbstractContextManager[ResourceServer]:
    """Somebody whom the service does not know yet has to prove freshly who they are."""
    return data_service(folder, "/payslips", StepUp((SUBSTANTIAL, HIGH), max_age=900))


@contextmanager
def small_api(_: Path) -> Iterator[ResourceServer]:
    """As small as it gets: opaque tokens, the guard, and no word of its own about refusals."""
    app, known = Flask("small_api"), dict[str, dict[str, Any]]()
    proved = StepUp((SUBSTANTIAL, HIGH), max_age=300)

    def claims() -> dict[str, Any]:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in known:
            abort(401, www_authenticate=WWWAuthenticate("bearer", {"error": "invalid_token"} if token else {}))
        return known[token]

    @app.get("/tax")
    @proved.guard(claims)
    def tax() -> str:
        return "taxed"

    def ask(token: str | None, query: dict[str, str] | None = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return app.test_client().get("/tax", query_string=query, headers=headers)

    def token(**changes: Any) -> str:
        made = {"acr": HIGH, "auth_time": int(time.time())} | changes
        known[name := secrets.token_hex(8)] = {claim: value for claim, value in made.items() if value is not None}
        return name

    yield ResourceServer(ask, token, (SUBSTANTIAL, HIGH), max_age=300)


SERVERS = (who_is_here, first_payslips, small_api)
WITH_AN_AGE = (first_payslips, small_api)


def started(request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> Iterator[ResourceServer]:
    with request.param(folders.mktemp("server")) as made:
        yield made


@pytest.fixture(scope="module", params=SERVERS, ids=lambda make: make.__name__)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResourceServer]:
    yield from started(request, tmp_path_factory)


@pytest.fixture(scope="module", params=WITH_AN_AGE, ids=lambda make: make.__name__)
def aged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResourceServer]:
    """Those that ask for an age, too."""
    yield from started(request, tmp_path_factory)


def challenge(answer: TestResponse) -> WWWAuthenticate:
    """The one challenge of an answer that asks for more."""
    assert answer.status_code == 401
    [header] = answer.headers.getlist("WWW-Authenticate")
    found = WWWAuthenticate.from_header(header)
    assert found is not None
    assert found.type == "bearer"
    assert found["error"] == "insufficient_user_authentication", header
    return found


def test_every_level_that_is_asked_for_is_enough(server: ResourceServer) -> None:
    assert all(server.opens(acr=acr) for acr in server.acr_values)


def test_too_little_gets_a_challenge_that_says_all_that_is_wanted(server: ResourceServer) -> None:
    """RFC 9470 §3, SR-96."""
    asked = challenge(server.ask(server.token(acr=SFA)))

    assert asked["acr_values"].split() == list(server.acr_values)
    assert asked.get("max_age") == (str(server.max_age) if server.max_age else None)
    assert asked["error_description"]


def test_a_token_made_to_the_challenge_comes_in(server: ResourceServer) -> None:
    """RFC 9470 §5: else the client would be sent round for ever."""
    asked = challenge(server.ask(server.token(acr=SFA)))

    assert server.opens(acr=asked["acr_values"].split()[0], auth_time=int(time.time()))


@pytest.mark.parametrize("acr", ["", "http://eidas.europa.eu/LoA/", f"{HIGH}er", HIGH.upper(), f"{SUBSTANTIAL} {HIGH}"])
def test_a_level_that_only_looks_like_one_is_too_little(server: ResourceServer, acr: str) -> None:
    assert not server.opens(acr=acr)


@pytest.mark.parametrize("acr", [None, [HIGH], {"value": HIGH}, True])
def test_no_level_and_none_that_is_text_are_too_little(server: ResourceServer, acr: object) -> None:
    assert not server.opens(acr=acr)


def test_an_old_sign_in_is_too_little_however_new_the_token(aged: ResourceServer) -> None:
    """SR-96: refreshing makes a token new, and its sign-in no younger."""
    now, allowed = int(time.time()), aged.max_age or 0
    proved = {"acr": aged.acr_values[-1], "iat": now, "exp": now + 600}
    asked = challenge(aged.ask(aged.token(**proved, auth_time=now - allowed - 5)))

    assert asked["max_age"] == str(allowed)
    assert asked["acr_values"].split() == list(aged.acr_values)
    assert aged.opens(**proved, auth_time=now - allowed + 30)


@pytest.mark.parametrize("auth_time", [None, "now", True, 2**40, [0]])
def test_a_sign_in_at_no_time_at_all_is_too_little(aged: ResourceServer, auth_time: object) -> None:
    assert not aged.opens(acr=aged.acr_values[-1], auth_time=auth_time)


def test_nothing_else_of_a_request_lowers_what_is_asked_for(server: ResourceServer) -> None:
    """SR-96."""
    wishes = {"acr_values": SFA, "max_age": "99999999", "acr": HIGH, "claims": json.dumps({"acr": HIGH})}

    challenge(server.ask(server.token(acr=SFA), wishes))


@pytest.mark.parametrize("token", [None, "forged"])
def test_nobody_is_asked_to_step_up_for_a_token_that_is_none(server: ResourceServer, token: str | None) -> None:
    """RFC 6750 §3.1: a client that follows such a challenge would trouble a person for nothing."""
    answer = server.ask(token)

    assert answer.status_code == 401
    assert "insufficient_user_authentication" not in answer.headers["WWW-Authenticate"]


@given(
    acr=st.sampled_from([SFA, MFA, SUBSTANTIAL, HIGH, "", None]),
    age=st.integers(-10_000, 10_000) | st.floats(),
    max_age=st.none() | st.integers(1, 5000),
)
def test_only_an_accepted_level_of_an_accepted_age_passes(acr: str | None, age: float, max_age: int | None) -> None:
    enough = acr in (SUBSTANTIAL, HIGH) and (max_age is None or -60 <= age <= max_age)
    refused = nullcontext() if enough else pytest.raises(InsufficientUserAuthentication)

    with refused:
        StepUp((SUBSTANTIAL, HIGH), max_age=max_age).check({"acr": acr, "auth_time": -age}, now=0)


@pytest.mark.parametrize("acr_values", [(), ("",), ("two words",), ('a"b',), ("a\\b",), ("a\r\nSet-Cookie:x",), ("é",)])
def test_what_no_header_can_say_is_refused_at_the_start(acr_values: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="acr_values"):
        StepUp(acr_values)


@pytest.mark.parametrize("max_age", [0, -1])
def test_an_age_that_no_token_can_have_is_refused_at_the_start(max_age: int) -> None:
    with pytest.raises(ValueError, match="max_age"):
        StepUp((HIGH,), max_age)
