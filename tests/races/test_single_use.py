"""What may be used once is used once, however many try at the very same time; on both pairs of stores."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
import redis

from idp import clock
from idp.app import create_app
from idp.protocol import tokens
from idp.stores.durable import audit, codes, grants
from idp.stores.durable.codes import Verdict
from idp.stores.shortlived import authorization_codes
from tests.people import Outside, Person, Provider, settings_for
from tests.protocol.signed_in import bearer, code_form, error, gets, posts, refreshes, signed_in
from tests.races.together import in_parallel, in_processes

TRIES = 50
AT_ONCE = 10

Heard = TypeVar("Heard")

forked = multiprocessing.get_context("fork")


def all_at_once(use: Callable[[], Heard]) -> Counter[Heard]:
    """What `TRIES` uses heard, `AT_ONCE` of them let go together each time."""
    return Counter(heard for _ in range(TRIES // AT_ONCE) for heard in in_parallel(AT_ONCE, use))


def back_at_the_portal(provider: Provider) -> Person:
    """Somebody who brings the portal a code."""
    return signed_in(provider).comes_from_portal()


def test_one_code_gives_tokens_once(provider: Provider) -> None:
    """SR-80: one conditional write decides; the rest hear `invalid_grant`."""
    form = code_form(back_at_the_portal(provider))
    heard = all_at_once(lambda: error(posts(provider, "/token", form)))
    assert heard == {(200, "None"): 1, (400, "invalid_grant"): TRIES - 1}


def test_one_code_that_the_cache_keeps_giving_gives_tokens_once(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SR-80, SR-87: the row in the database decides when a fail-over of the cache brings codes back."""
    form = code_form(back_at_the_portal(provider))
    store = provider.parts.store
    bound = authorization_codes.take(store, form["code"])
    monkeypatch.setattr(authorization_codes, "take", lambda *_: bound)
    heard = all_at_once(lambda: error(posts(provider, "/token", form)))
    assert heard == {(200, "None"): 1, (400, "invalid_grant"): TRIES - 1}


def test_one_refresh_token_leaves_at_most_one_live_token(provider: Provider) -> None:
    """SR-86: a family never has two live tokens."""
    first = back_at_the_portal(provider).tokens()["refresh_token"]
    got: list[str] = []

    def use() -> tuple[int, str]:
        answer = refreshes(provider, first)
        if answer.status_code == 200:
            got.append(answer.get_json()["refresh_token"])
        return error(answer)

    heard = all_at_once(use)
    assert set(heard) <= {(200, "None"), (400, "invalid_grant")}
    assert 1 <= heard[(200, "None")] <= 2  # the second is the retry of a lost answer, which voids the first
    alive = [token for token in got if refreshes(provider, token).status_code == 200]
    assert len(alive) <= 1


@dataclass
class Chances:
    """What may be used once, one of each kind."""

    code: dict[str, str]
    refresh_token: str
    typed: dict[str, tuple[str, str]]


def chances(provider: Provider) -> Chances:
    """A code and a refresh token of different people, so that the replay of one ends nothing of the other."""
    with provider.app.app_context():
        opened = {purpose: codes.open_challenge(purpose, now=clock.now()) for purpose in ("mail", "sms")}
        until = clock.now() + timedelta(minutes=10)
        typed = {purpose: (id, codes.issue(id, digits=6, expires_at=until)) for purpose, id in opened.items()}
    refresh_token = back_at_the_portal(provider).tokens()["refresh_token"]
    return Chances(code_form(back_at_the_portal(provider)), refresh_token, typed)


def using(
    stores: tuple[str, str], folder: Path, outside: Outside, portal: tuple[str, str], given: Chances
) -> Callable[[], dict[str, list[Any]]]:
    """A provider of one process, which shares nothing but the stores; its threads use everything."""
    patient: dict[str, dict[str, Any]] = {"database": {"timeout": 30}, "shortlived": {"timeout_milliseconds": 5000}}
    app = create_app(settings_for(stores, folder, outside, **patient))  # the queue is long: 503 is not the matter here
    provider = Provider(app, app.extensions["idp"], outside, *portal)

    def refresh() -> tuple[tuple[int, str], str | None]:
        answer = refreshes(provider, given.refresh_token)
        return error(answer), answer.get_json().get("refresh_token")

    def redeem(purpose: str) -> Verdict:
        challenge, code = given.typed[purpose]
        with app.app_context():
            return codes.redeem(challenge, purpose, code, tries=5, now=clock.now())[0]

    uses: dict[str, Callable[[], Any]] = {
        "code": lambda: error(posts(provider, "/token", given.code)),
        "refresh": refresh,
        "mail": partial(redeem, "mail"),
        "sms": partial(redeem, "sms"),
    }
    return lambda: {kind: in_parallel(AT_ONCE, use) for kind, use in uses.items()}


def test_fifty_uses_by_five_processes_find_one_success(
    provider: Provider, stores: tuple[str, str], tmp_path: Path, outside: Outside
) -> None:
    """SR-14, SR-80, SR-86: not even a lock in memory could help."""
    told = stores, tmp_path, outside, (provider.portal, provider.secret), chances(provider)
    each = in_processes(TRIES // AT_ONCE, using, *told)
    heard = {kind: [one for answers in each for one in answers[kind]] for kind in each[0]}
    assert Counter(heard["code"]) == {(200, "None"): 1, (400, "invalid_grant"): TRIES - 1}
    assert Counter(heard["mail"]) == Counter(heard["sms"]) == {Verdict.RIGHT: 1, Verdict.USED: TRIES - 1}
    assert {status for status, _ in heard["refresh"]} == {(200, "None"), (400, "invalid_grant")}
    got = [token for _, token in heard["refresh"] if token]
    assert 1 <= len(got) <= 2  # the second is the retry of a lost answer, which voids the first
    assert sum(refreshes(provider, token).status_code == 200 for token in got) <= 1


def killed(stores: tuple[str, str], folder: Path, outside: Outside, form: dict[str, str], moment: str) -> None:
    """A process that dies at one moment of the exchange, without a word."""
    app = create_app(settings_for(stores, folder, outside))
    client_id, secret = form.pop("portal"), form.pop("secret")
    other = Provider(app, app.extensions["idp"], outside, client_id, secret)

    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if moment == "before the row":
        grants.redeem = die  # type: ignore[assignment]
    elif moment == "before the commit":
        audit.record = die
    else:
        tokens.id_token = die  # type: ignore[assignment]
    posts(other, "/token", form)


@pytest.mark.parametrize("moment", ["before the row", "before the commit", "before the answer"])
def test_a_server_killed_in_the_exchange_leaves_nothing_that_is_usable_twice(
    provider: Provider, stores: tuple[str, str], tmp_path: Path, outside: Outside, moment: str
) -> None:
    """Requirements, section Q: the code is spent, and a retry is refused."""
    form = code_form(back_at_the_portal(provider))
    told = {**form, "portal": provider.portal, "secret": provider.secret}
    child = forked.Process(target=killed, args=(stores, tmp_path, outside, told, moment))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert error(posts(provider, "/token", form)) == (400, "invalid_grant")
    assert error(posts(provider, "/token", form)) == (400, "invalid_grant")


def empty(provider: Provider) -> None:
    """Lose everything that may be lost."""
    where = provider.parts.settings.shortlived.url
    if where.startswith("redis"):
        with redis.Redis.from_url(where) as server:
            server.flushall()
    else:
        with sqlite3.connect(where.removeprefix("sqlite:///")) as file:
            file.execute("DELETE FROM records")


def test_a_revoked_token_stays_revoked_when_the_cache_is_emptied(provider: Provider) -> None:
    """SR-87; requirements, section Q: Redis flushed."""
    tokens = back_at_the_portal(provider).tokens()
    posts(provider, "/revoke", {"token": tokens["refresh_token"]})
    empty(provider)
    assert gets(provider, "/userinfo", **bearer(tokens["access_token"])).status_code == 401
    assert error(refreshes(provider, tokens["refresh_token"])) == (400, "invalid_grant")


@pytest.mark.parametrize("purpose", ["mail", "sms"])
def test_one_typed_code_counts_once(provider: Provider, purpose: str) -> None:
    """SR-14, SR-18: however many send the form at once; tries beyond the limit are not even compared."""
    with provider.app.app_context():
        challenge = codes.open_challenge(purpose, now=clock.now())
        code = codes.issue(challenge, digits=6, expires_at=clock.now() + timedelta(minutes=10))

    def use() -> Verdict:
        with provider.app.app_context():
            return codes.redeem(challenge, purpose, code, tries=5, now=clock.now())[0]

    assert all_at_once(use) == {Verdict.RIGHT: 1, Verdict.USED: TRIES - 1}
