"""The data service asks whether a token is still good: an end is seen within five seconds, opaque tokens are taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from relying_party_demo.data_service import still_good
from relying_party_demo.data_service.app import Service, create_app
from tests.demo.world import RESOURCE, Ask, Provider, serving


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps({"client_id": "api", "client_secret": "s3cret"}))
    return path


@pytest.fixture
def asking(provider: Provider, credentials: Path, tmp_path: Path) -> Iterator[Ask]:
    """A data service that introspects."""
    with ExitStack() as stack:
        service = Service(provider.issuer, RESOURCE, tmp_path / "links.json", credentials)
        url = stack.enter_context(serving(create_app(service)))
        http = stack.enter_context(httpx.Client(base_url=url, trust_env=False))

        def ask(path: str, token: str | None = None, **more: Any) -> httpx.Response:
            return http.get(path, headers={"Authorization": f"Bearer {token}"}, **more)

        yield ask


def test_the_end_of_a_signed_token_is_seen_within_five_seconds(
    asking: Ask, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = provider.token()
    provider.live[token] = provider.claims()
    assert [asking("/me", token).status_code for _ in range(3)] == [200] * 3
    assert provider.asked_about == [token]  # and not each time
    del provider.live[token]
    assert still_good.KEPT_FOR <= 5
    monkeypatch.setattr(still_good, "KEPT_FOR", 0.0)  # those seconds are over

    assert asking("/me", token).status_code == 401


def test_a_token_that_is_badly_signed_is_not_even_asked_about(asking: Ask, provider: Provider) -> None:
    token = provider.token() + "x"
    provider.live[token] = provider.claims()

    assert asking("/me", token).status_code == 401
    assert provider.asked_about == []


def test_an_opaque_token_says_what_the_provider_says_of_it(asking: Ask, provider: Provider) -> None:
    """RFC 7662 §2.2: and every check of a signed one holds for it, too."""
    provider.live["opaque"] = provider.claims()
    assert asking("/me", "opaque").json()["sub"] == "kari"
    wrong: list[dict[str, Any]] = [
        {"aud": "http://other.test/"}, {"iss": "http://other.test"}, {"exp": 1}, {"acr": None}, {"cnf": {"jkt": "x"}},
    ]  # fmt: skip
    for number, changes in enumerate(wrong):
        provider.live[f"opaque{number}"] = provider.claims(**changes)
        assert asking("/me", f"opaque{number}").status_code == 401, changes
    assert asking("/me", "unknown").status_code == 401


def test_without_credentials_an_opaque_token_is_none(data_service: Ask, provider: Provider) -> None:
    provider.live["opaque"] = provider.claims()

    assert data_service("/me", "opaque").status_code == 401
    assert provider.asked_about == []


def test_when_nobody_can_be_asked_it_is_later_and_not_no(asking: Ask, provider: Provider, credentials: Path) -> None:
    """Fail closed: 503, and nobody gets in."""
    token = provider.token()
    provider.live[token] = provider.claims()
    credentials.write_text(json.dumps({"client_id": "api", "client_secret": "wrong"}))
    assert asking("/me", token).status_code == 503
    credentials.unlink()
    assert asking("/me", token).status_code == 503
    assert asking("/me", "opaque").status_code == 503
