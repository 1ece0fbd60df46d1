"""The operations address: alive, and ready."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from werkzeug.test import Client

from idp.stores import Unavailable
from idp.web.health import Operations


def well() -> None:
    """A store that answers."""


def down() -> None:
    raise Unavailable


def asked(durable: Callable[[], None], shortlived: Callable[[], None]) -> Client:
    return Client(Operations({"durable": durable, "shortlived": shortlived}))


def test_ready_when_both_stores_answer() -> None:
    answer = asked(well, well).get("/ready")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "durable": "ok", "shortlived": "ok"}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("durable", "shortlived"), [(down, well), (well, down), (down, down)])
def test_not_ready_when_a_store_is_down(durable: Callable[[], None], shortlived: Callable[[], None]) -> None:
    answer = asked(durable, shortlived).get("/ready")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["durable"] == ("ok" if durable is well else "unavailable")
    assert answer.json["shortlived"] == ("ok" if shortlived is well else "unavailable")


def test_alive_whatever_the_stores_say() -> None:
    assert asked(down, down).get("/live").status_code == 200


def test_there_is_nothing_else() -> None:
    client = asked(well, well)
    assert client.get("/").status_code == 404
    assert client.get("/help").status_code == 404
    assert client.post("/ready").status_code == 405
