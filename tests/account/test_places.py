"""S-DEVICES: about where a sign-in is in use, where the operator supplies a database (page spec §11)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from idp.services.places import Places
from idp.settings import Settings
from idp.settings_checks import CHECKS
from tests.members import member
from tests.people import PASSWORD, Outside, Person, Provider, new_provider, on_sqlite, settings_for

TRONDHEIM = {"city": {"names": {"en": "Trondheim"}}, "country": {"iso_code": "NO", "names": {"en": "Norway"}}}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database that knows where this machine is."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, languages=["en"])
    writer.insert_network(IPSet(["127.0.0.0/8"]), TRONDHEIM)
    path = tmp_path / "places.mmdb"
    writer.to_db_file(str(path))
    return path


@pytest.fixture
def provider(tmp_path: Path, outside: Outside, database: Path) -> Iterator[Provider]:
    settings = settings_for(on_sqlite(tmp_path), tmp_path, outside, location={"database": str(database)})
    with new_provider(settings, outside) as made:
        yield made


def walks_in(person: Person) -> Person:
    """Sign in by the pages, from this machine."""
    person.goes("/account").sends(email=person.email, password=PASSWORD).sends("sms")
    return person.sends("verify", code=person.phoned_code())


def test_a_device_is_about_somewhere(provider: Provider) -> None:
    assert "about Trondheim, Norway" in walks_in(member(provider)).goes("/account/devices").page.text


def test_the_country_is_named_in_the_readers_language(provider: Provider) -> None:
    assert "omtrent Trondheim, Norge" in walks_in(member(provider)).goes("/account/devices?language=nb").page.text


def test_without_a_database_no_place_is_shown(tmp_path: Path, outside: Outside) -> None:
    with new_provider(settings_for(on_sqlite(tmp_path), tmp_path, outside), outside) as plain:
        text = walks_in(member(plain)).goes("/account/devices").page.text

    assert "Last used" in text
    assert "about" not in text


@pytest.mark.parametrize("network", ["192.0.2.0/24", "2001:db8::/48", ""])
def test_a_network_that_is_not_in_it_is_nowhere(database: Path, network: str) -> None:
    assert Places(str(database)).near(network, "en") is None


def test_a_file_that_is_no_database_stops_the_start(database: Path) -> None:
    """SR-115: the key, the file, and what is wanted."""
    for path in (database.with_name("missing.mmdb"), Path(__file__)):
        told = {"server": {"issuer": "https://login.example"}, "location": {"database": str(path)}}
        settings = msgspec.convert(told, Settings)
        found = [one.words for check in CHECKS for one in check(settings) if one.key == "location.database"]
        assert len(found) == 1
        assert "MaxMind" in found[0]
