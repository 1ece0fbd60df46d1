"""eIDs behind brokers over real sockets: each table of the manual with its broker, and every way that may go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from joserfc.jwk import ECKey, RSAKey

from idp.eid.connector import Attempt, Failed, Leave, Outcome, Person, Result, Verified
from idp.eid.oidc_broker import OidcBroker
from idp.eid.oidc_broker_settings import OidcBrokerSettings
from relying_party_demo.outside.eid import oidc_broker as simulator
from relying_party_demo.outside.eid.openid_clients import Client
from relying_party_demo.outside.eid.people import EidPerson
from relying_party_demo.outside.eid.script import Instruction, Script
from tests.eid.openid_provider import parameters
from tests.eid.test_oidc_broker import TABLES

CALLBACK = "https://id.example.no/eid/broker/return"


def people(*told: tuple[str, str, str, date]) -> tuple[EidPerson, ...]:
    return tuple(EidPerson(number, country, name, "Prøve", born, (), "") for number, country, name, born in told)


NORWEGIANS = people(("12846810135", "NO", "Kari", date(1968, 4, 12)), ("03915920127", "NO", "Ola", date(1959, 11, 3)))
PEOPLE = {
    "signicat": NORWEGIANS,
    "idura-no": NORWEGIANS,
    "id-porten": NORWEGIANS,
    "mitid": people(("0209681000", "DK", "Freja", date(1968, 9, 2)), ("0110721000", "DK", "Mads", date(1972, 10, 1))),
    "finland": people(
        ("131052-308T", "FI", "Väinö", date(1952, 10, 13)), ("010170-999R", "FI", "Aino", date(1970, 1, 1))
    ),
}  # fmt: skip
LEVELS = {"mitid": "high", "finland": "substantial"}

AWAY, WRONG, LOW = Outcome.PROVIDER_UNAVAILABLE, Outcome.PROOF_INVALID, Outcome.LEVEL_TOO_LOW
SHARED = {
    **dict.fromkeys(
        ("wrong-iss", "wrong-aud", "wrong-azp", "wrong-nonce", "wrong-at-hash", "expired", "future-iat", "alg-none",
         "alg-hs256", "unknown-kid", "forged", "wrong-iss-parameter", "code-used", "other-eid", "no-eid", "no-person",
         "old-proof"), WRONG),
    "access-denied": Outcome.USER_REFUSED,
    "slow": AWAY,
    "server-error": AWAY,
    "no-json": Outcome.PROTOCOL_ERROR,
    "no-level": LOW,
    "unknown-level": LOW,
}  # fmt: skip
"""What each fault comes to, whatever the broker."""

OWN = {
    ("idura-no", "only-in-userinfo"): WRONG,
    ("mitid", "only-in-userinfo"): WRONG,
    ("mitid", "lower-level"): LOW,
    ("finland", "lower-level"): LOW,
    ("signicat", "userinfo-other-sub"): WRONG,
    ("finland", "not-encrypted"): WRONG,
    ("finland", "refused-jwe-algorithm"): WRONG,
    ("finland", "other-jwe-key"): WRONG,
}
"""Faults that only some can have."""

ELSEWHERE = {"no-return", "wrong-state", "key-change", "other-person", "lower-level", "userinfo-contradicts"}
"""Faults with a test of their own, or, as for `state`, before a connector is asked."""


@dataclass
class House:
    """One broker's simulator, with the connector that the manual's table makes."""

    name: str
    broker: simulator.OidcBroker
    settings: dict[str, Any]
    browser: httpx.Client

    @cached_property
    def usual(self) -> OidcBroker:
        """The connector of the table as it stands. It keeps no state but the broker's keys, so one serves all."""
        return self.connector()

    def connector(self, **other: Any) -> OidcBroker:
        settings = msgspec.convert({**self.settings, **other}, OidcBrokerSettings)
        return OidcBroker(settings, name=self.name, loopback=True)

    def goes(self, said: Instruction, connector: OidcBroker | None = None, **other: Any) -> Result | None:
        """A browser's way to the broker and back; None where it is kept there."""
        used = connector or self.usual
        self.broker.script.say(self.name, said)
        level = other.pop("level", LEVELS.get(self.name, "high"))
        left = used.start(attempt(level=level, **other))
        assert isinstance(left, Leave), left
        page = self.browser.get(left.url)
        assert not page.is_error, page.text
        if not page.is_redirect:
            return None
        return used.returned(left.notes, parameters(page.headers["Location"]), now=datetime.now(UTC))


def attempt(**other: Any) -> Attempt:
    usual: dict[str, Any] = {
        "transaction_id": "transaction-1",
        "state": "state-1",
        "callback": CALLBACK,
        "flow": "redirect",
        "service": "Alumni",
        "locale": "nb",
        "address": "192.0.2.7",
        "now": datetime.now(UTC),
    }
    return Attempt(**{**usual, **other})


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, House]]:
    folder = tmp_path_factory.mktemp("brokers")
    with httpx.Client(trust_env=False) as browser:
        made = {name: house(name, folder, browser) for name in simulator.FLAVOURS}
        for one in made.values():
            one.broker.start()
        yield made
    for one in made.values():
        one.broker.stop()


def house(name: str, folder: Path, browser: httpx.Client) -> House:
    table = {key: value for key, value in TABLES[name].items() if key != "connector"}
    signing: ECKey | RSAKey = ECKey.generate_key("P-256", {"kid": table["signing_key_id"], "use": "sig"})
    if table.get("signing_algorithm") == "RS256":
        signing = RSAKey.generate_key(2048, {"kid": table["signing_key_id"], "use": "sig"})
    (folder / f"{name}.pem").write_bytes(signing.as_pem(private=True))
    keys = [signing.as_dict(private=False)]
    for kid in table.get("encryption_key_files", {}):
        encryption = RSAKey.generate_key(2048, {"kid": kid, "use": "enc"})
        (folder / f"{kid}.pem").write_bytes(encryption.as_pem(private=True))
        keys.append(encryption.as_dict(private=False))
        table["encryption_key_files"] = {kid: str(folder / f"{kid}.pem")}
    broker = simulator.OidcBroker(
        Script(),
        [Client("our-client", (CALLBACK,), jwks={"keys": keys})],
        eid=name,
        people=PEOPLE[name],
        flavour=simulator.FLAVOURS[name],
    )
    told = {"issuer": broker.issuer, "signing_key_file": str(folder / f"{name}.pem"), "browser_origins": ()}
    return House(name, broker, {**table, **told}, browser)


def test_every_fault_of_the_simulator_is_tried() -> None:
    assert set(simulator.OidcBroker.faults) == SHARED.keys() | {fault for _, fault in OWN} | ELSEWHERE


@pytest.mark.parametrize("name", simulator.FLAVOURS)
def test_a_person_proves_who_they_are(houses: dict[str, House], name: str) -> None:
    house, person = houses[name], PEOPLE[name][0]
    result = house.goes(Instruction(person.number))

    assert isinstance(result, Verified), result
    assert (result.country, result.number, result.birthdate) == (person.country, person.number, person.birthdate)
    assert house.usual.levels[result.claimed_level] == LEVELS.get(name, "high")


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")  # the broker may sign with `none`, to be refused
@pytest.mark.parametrize(
    ("name", "fault", "expected"),
    [
        *((name, fault, outcome) for name in simulator.FLAVOURS for fault, outcome in SHARED.items()),
        *((name, fault, outcome) for (name, fault), outcome in OWN.items()),
    ],
)
def test_a_fault_proves_nothing(houses: dict[str, House], name: str, fault: str, expected: Outcome) -> None:
    """PROTOCOLS §9, the faults of brokers; rule 5: what is missing or unknown is never a level."""
    house, person = houses[name], PEOPLE[name][0]
    connector = house.connector(timeout=0.3) if fault == "slow" else None
    result = house.goes(Instruction(person.number, fault=fault), connector)

    assert isinstance(result, Failed), result
    assert result.outcome is expected, result
    assert person.number not in repr(result)


@pytest.mark.parametrize("name", ["signicat", "idura-no", "id-porten"])
def test_a_lower_level_is_never_told_as_the_one_asked_for(houses: dict[str, House], name: str) -> None:
    house = houses[name]
    result = house.goes(Instruction(PEOPLE[name][0].number, fault="lower-level"))

    assert isinstance(result, Verified), result
    assert house.usual.levels[result.claimed_level] == "substantial"


@pytest.mark.parametrize("name", ["idura-no", "mitid", "finland"])
def test_userinfo_that_contradicts_the_id_token_is_no_proof(houses: dict[str, House], name: str) -> None:
    house = houses[name]
    connector = house.connector(userinfo=True)

    assert isinstance(house.goes(Instruction(PEOPLE[name][0].number), connector), Verified)
    result = house.goes(Instruction(PEOPLE[name][0].number, fault="userinfo-contradicts"), connector)
    assert isinstance(result, Failed)
    assert result.outcome is WRONG


@pytest.mark.parametrize("name", simulator.FLAVOURS)
@pytest.mark.parametrize("fault", [None, "other-person"])
def test_a_repeat_proof_by_somebody_else_is_refused(houses: dict[str, House], name: str, fault: str | None) -> None:
    """SR-104."""
    known, other = PEOPLE[name]
    said = Instruction(known.number if fault else other.number, fault=fault)
    result = houses[name].goes(said, expected=Person(country=known.country, number=known.number))

    assert isinstance(result, Failed)
    assert result.outcome is Outcome.PERSON_MISMATCH


@pytest.mark.parametrize("name", simulator.FLAVOURS)
def test_new_keys_are_found_without_a_restart(houses: dict[str, House], name: str) -> None:
    """SR-100."""
    house, connector = houses[name], houses[name].connector()
    for fault in (None, "key-change"):
        result = house.goes(Instruction(PEOPLE[name][0].number, fault=fault), connector)
        assert isinstance(result, Verified), result


def test_a_broker_that_keeps_the_person_brings_no_answer(houses: dict[str, House]) -> None:
    assert houses["mitid"].goes(Instruction(PEOPLE["mitid"][0].number, fault="no-return")) is None


@pytest.mark.parametrize("name", simulator.FLAVOURS)
def test_who_cancels_is_heard(houses: dict[str, House], name: str) -> None:
    result = houses[name].goes(Instruction(PEOPLE[name][0].number, outcome="refuse"))

    assert isinstance(result, Failed)
    assert result.outcome is Outcome.USER_REFUSED


def test_an_answer_of_one_broker_is_none_of_another(houses: dict[str, House]) -> None:
    """RFC 9700 §4.4: mix-up. The issuer of the answer, the code and the keys are all the other's."""
    mine, other = houses["idura-no"], houses["signicat"]
    left = mine.connector().start(attempt(level="high"))
    assert isinstance(left, Leave)
    other.broker.script.say(other.name, Instruction(PEOPLE["signicat"][0].number))
    sent = other.connector().start(attempt(level="high"))
    assert isinstance(sent, Leave)
    answer = parameters(other.browser.get(sent.url).headers["Location"])

    for changed in ({}, {"iss": mine.broker.issuer}):
        result = mine.connector().returned(left.notes, {**answer, **changed}, now=datetime.now(UTC))
        assert isinstance(result, Failed)
        assert result.outcome is WRONG


# No kinder than the real ones


@pytest.mark.parametrize(
    "change",
    [{"code_challenge": ""}, {"code_challenge_method": "plain"}, {"state": ""}, {"nonce": ""},
     {"response_type": "token"}, {"scope": "profile"}, {"redirect_uri": f"{CALLBACK}/x"}, {"acr_values": "a:b"},
     {"login_hint": "0209681000"}],
)  # fmt: skip
def test_the_simulator_refuses_what_brokers_refuse(houses: dict[str, House], change: dict[str, str]) -> None:
    house = houses["mitid"]
    left = house.connector(pushed_requests="never").start(attempt(level="high"))
    assert isinstance(left, Leave)
    address, given = left.url.partition("?")[0], parameters(left.url)

    assert house.browser.get(address, params={**given, **change}).status_code == 400
    assert house.browser.get(address, params=given).status_code == 200


def test_finland_wants_a_signed_request_with_nothing_beside_it(houses: dict[str, House]) -> None:
    """PROTOCOLS §5.5."""
    house = houses["finland"]
    left = house.connector().start(attempt(level="substantial"))
    assert isinstance(left, Leave)
    address, given = left.url.partition("?")[0], parameters(left.url)
    assert set(given) == {"client_id", "request"}

    assert house.browser.get(address, params=given).status_code == 200
    assert house.browser.get(address, params={**given, "state": "x"}).status_code == 400
    head, body, signature = given["request"].split(".")
    forged = ".".join((head, body, signature[::-1]))
    assert house.browser.get(address, params={**given, "request": forged}).status_code == 400
    other = house.connector(signing_key_file=house.settings["encryption_key_files"]["finland-encryption-1"])
    left = other.start(attempt(level="substantial"))
    assert isinstance(left, Leave)
    assert house.browser.get(left.url).status_code == 400
