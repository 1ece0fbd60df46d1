"""The provider's keys: cached, fetched again when a new one signs, kept when the provider is away."""

from __future__ import annotations

import pytest

from relying_party_demo.data_service import provider_keys
from tests.demo.world import Ask, Provider


def test_the_keys_are_fetched_once(data_service: Ask, provider: Provider) -> None:
    for _ in range(5):
        assert data_service("/me", provider.token()).status_code == 200
    assert provider.fetches == 1


def test_unknown_key_ids_fetch_at_most_once_a_minute(
    data_service: Ask, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_service("/me", provider.token())
    for guess in range(5):
        assert data_service("/me", provider.token({"kid": f"guess-{guess}"})).status_code == 401
    assert provider.fetches == 1

    monkeypatch.setattr(provider_keys, "SHORTEST_PAUSE", 0)
    provider.rotate("k2")
    assert data_service("/me", provider.token()).status_code == 200
    assert provider.fetches == 2


def test_a_key_that_is_gone_is_forgotten_within_the_hour(
    data_service: Ask, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = provider.token()
    assert data_service("/me", old).status_code == 200

    provider.rotate("k2")
    monkeypatch.setattr(provider_keys, "LONGEST_KEPT", 0)
    monkeypatch.setattr(provider_keys, "SHORTEST_PAUSE", 0)
    assert data_service("/me", old).status_code == 401


def test_the_old_keys_stay_when_the_provider_is_away(
    data_service: Ask, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert data_service("/me", provider.token()).status_code == 200

    provider.broken = True
    monkeypatch.setattr(provider_keys, "LONGEST_KEPT", 0)
    assert data_service("/me", provider.token()).status_code == 200


def test_without_any_keys_the_answer_is_later_not_no(data_service: Ask, provider: Provider) -> None:
    provider.broken = True
    answer = data_service("/me", provider.token())

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "10"


def test_discovery_of_another_issuer_is_not_believed(data_service: Ask, provider: Provider) -> None:
    """RFC 8414 §3.3."""
    provider.announced_issuer = "https://other.example"
    assert data_service("/me", provider.token()).status_code == 503
