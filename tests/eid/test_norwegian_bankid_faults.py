"""Norwegian BankID over real sockets: a proof that goes well, and every way that it may not (SR-102, SR-104)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from idp.eid.connector import Attempt, Failed, Leave, Outcome, Person, Result, Verified
from idp.eid.norwegian_bankid import NorwegianBankId, NorwegianBankIdSettings
from relying_party_demo.outside.eid import norwegian_bankid as simulator
from relying_party_demo.outside.eid.openid_clients import Client
from relying_party_demo.outside.eid.people import NORWEGIAN, PEOPLE, EidPerson
from relying_party_demo.outside.eid.script import Instruction, Script
from tests.eid.openid_provider import parameters

KARI, OLA, ANNE, THE_OTHER_ANNE = (one for one in PEOPLE if one.country == "NO" and one.given_name != "Peder")
CALLBACK = "https://id.example.no/eid/norwegian-bankid/return"

OUTCOMES = {
    "wrong-iss": Outcome.PROOF_INVALID,
    "wrong-aud": Outcome.PROOF_INVALID,
    "wrong-azp": Outcome.PROOF_INVALID,
    "wrong-nonce": Outcome.PROOF_INVALID,
    "wrong-at-hash": Outcome.PROOF_INVALID,
    "expired": Outcome.PROOF_INVALID,
    "future-iat": Outcome.PROOF_INVALID,
    "old-iat": Outcome.PROOF_INVALID,
    "alg-none": Outcome.PROOF_INVALID,
    "alg-hs256": Outcome.PROOF_INVALID,
    "alg-rs256": Outcome.PROOF_INVALID,
    "unknown-kid": Outcome.PROOF_INVALID,
    "forged": Outcome.PROOF_INVALID,
    "unknown-acr": Outcome.LEVEL_TOO_LOW,
    "no-acr": Outcome.LEVEL_TOO_LOW,
    "no-number": Outcome.PROOF_INVALID,
    "wrong-number": Outcome.PROOF_INVALID,
    "other-birthdate": Outcome.PROOF_INVALID,
    "access-denied": Outcome.USER_REFUSED,
    "wrong-iss-parameter": Outcome.PROOF_INVALID,
    "code-used": Outcome.PROOF_INVALID,
    "slow": Outcome.PROVIDER_UNAVAILABLE,
    "server-error": Outcome.PROVIDER_UNAVAILABLE,
    "no-json": Outcome.PROTOCOL_ERROR,
}
"""What each fault comes to, whoever it has to be; walked in test_each_fault_to_the_page."""

ELSEWHERE = {"lower-acr", "other-person", "no-return", "wrong-state", "key-change"}
"""Faults with a test of their own, or, as for `state`, before a connector is asked."""


def test_every_fault_of_the_simulator_is_tried() -> None:
    assert set(simulator.NorwegianBankId.faults) == OUTCOMES.keys() | ELSEWHERE


@pytest.mark.parametrize("person", [KARI, OLA], ids=["Kari", "Ola"])
def test_a_person_proves_who_they_are(visit: Visit, person: EidPerson) -> None:
    result = visit.goes(Instruction(person.number))
    assert isinstance(result, Verified), result
    assert (result.country, result.number, result.birthdate) == ("NO", person.number, person.birthdate)
    assert (result.given_name, result.family_name) == (person.given_name, person.family_name)
    assert visit.connector.levels[result.claimed_level] == "high"
    assert result.amr == ("mfa", "swk", "pwd")


def test_two_people_of_one_name_and_birth_date_are_two(visit: Visit) -> None:
    """SR-103."""
    one, other = (visit.goes(Instruction(person.number)) for person in (ANNE, THE_OTHER_ANNE))
    assert isinstance(one, Verified)
    assert isinstance(other, Verified)
    assert (one.given_name, one.family_name, one.birthdate) == (other.given_name, other.family_name, other.birthdate)
    assert one.number != other.number
    assert one.reference != other.reference


def test_a_lower_level_is_never_told_as_the_one_asked_for(visit: Visit) -> None:
    result = visit.goes(Instruction(KARI.number, fault="lower-acr"), level="high")
    assert isinstance(result, Verified)
    assert visit.connector.levels[result.claimed_level] == "substantial"
    assert visit.connector.levels[result.claimed_level] != "high"


@pytest.mark.parametrize("fault", [None, "other-person"])
def test_a_repeat_proof_by_somebody_else_is_refused(visit: Visit, fault: str | None) -> None:
    """SR-104: the hint is convenience, the comparison is the check."""
    who = KARI.number if fault else OLA.number
    result = visit.goes(Instruction(who, fault=fault), expected=Person(country="NO", number=KARI.number))
    assert isinstance(result, Failed)
    assert result.outcome is Outcome.PERSON_MISMATCH


def test_a_repeat_proof_names_the_person_where_the_browser_cannot_see(visit: Visit) -> None:
    result = visit.goes(Instruction(), expected=Person(country="NO", number=OLA.number))
    assert isinstance(result, Verified)
    assert result.number == OLA.number
    assert visit.left is not None
    assert OLA.number not in visit.left.url
    assert visit.bank.requests[-2][1]["login_hint"] == f":{OLA.number}"


def test_a_person_who_cancels_is_heard(visit: Visit) -> None:
    result = visit.goes(Instruction(KARI.number, outcome="refuse"))
    assert result == Failed(Outcome.USER_REFUSED, "access_denied, code C12F")


def test_a_bank_that_keeps_the_person_brings_no_answer(visit: Visit) -> None:
    assert visit.goes(Instruction(KARI.number, fault="no-return")) is None
    assert isinstance(visit.goes(Instruction(KARI.number)), Verified)  # and a new start works at once


def test_an_answer_works_once(visit: Visit) -> None:
    """SR-102. The caller forgets the notes at the first return; the code is spent, too."""
    assert isinstance(visit.goes(Instruction(KARI.number)), Verified)
    again = visit.connector.returned(visit.left.notes, visit.answer, now=datetime.now(UTC))
    assert isinstance(again, Failed)
    assert again.outcome is Outcome.PROOF_INVALID


def test_the_answer_to_one_attempt_is_none_to_another(visit: Visit) -> None:
    """SR-101: verifier and nonce are of one attempt, so a code that was slipped in is worth nothing."""
    mine = visit.connector.start(attempt())
    assert isinstance(mine, Leave)
    visit.leaves(Instruction(OLA.number))
    result = visit.connector.returned(mine.notes, visit.answer, now=datetime.now(UTC))
    assert isinstance(result, Failed)
    assert result.outcome is Outcome.PROOF_INVALID


def test_a_return_after_hours_is_none(visit: Visit) -> None:
    visit.leaves(Instruction(KARI.number))
    result = visit.connector.returned(visit.left.notes, visit.answer, now=datetime.now(UTC) + timedelta(hours=3))
    assert isinstance(result, Failed)


def test_new_keys_of_the_bank_are_found_without_a_restart(visit: Visit) -> None:
    """SR-100: the keys were read before; a token with a key nobody knows makes them be read again."""
    connector = visit.fresh()
    assert isinstance(visit.goes(Instruction(KARI.number), connector=connector), Verified)
    assert isinstance(visit.goes(Instruction(KARI.number, fault="key-change"), connector=connector), Verified)


@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post"])
def test_a_secret_works_where_a_client_has_no_key(visit: Visit, way: str) -> None:
    connector = visit.fresh(client_id="with-secret", client_authentication=way)
    assert isinstance(visit.goes(Instruction(KARI.number), connector=connector), Verified)


def test_a_client_that_the_bank_does_not_know_starts_nothing(visit: Visit) -> None:
    started = visit.fresh(client_id="nobody").start(attempt())
    assert isinstance(started, Failed)
    assert started.outcome is Outcome.PROVIDER_REJECTED_US


def test_a_request_need_not_be_pushed(visit: Visit) -> None:
    connector = visit.fresh(pushed_requests="never")
    expected = Person(country="NO", number=KARI.number)
    assert isinstance(visit.goes(Instruction(KARI.number), connector=connector, expected=expected), Verified)
    assert "login_hint" not in visit.bank.requests[-2][1]


def attempt(**other: Any) -> Attempt:
    usual: dict[str, Any] = {
        "transaction_id": "transaction-1",
        "state": "state-1",
        "callback": CALLBACK,
        "level": "high",
        "flow": "redirect",
        "service": "Alumni",
        "locale": "nb",
        "address": "192.0.2.7",
        "now": datetime.now(UTC),
    }
    return Attempt(**{**usual, **other})


@dataclass
class Visit:
    """A browser's way to the bank and back."""

    bank: simulator.NorwegianBankId
    settings: dict[str, Any]
    connector: NorwegianBankId
    impatient: NorwegianBankId
    browser: httpx.Client
    left: Leave | None = None
    answer: dict[str, str] = field(default_factory=dict)
    """What the browser came back with; empty where it did not."""

    def fresh(self, **other: Any) -> NorwegianBankId:
        """A connector that has read nothing of the bank's yet."""
        return NorwegianBankId(NorwegianBankIdSettings(**{**self.settings, **other}), loopback=True)

    def leaves(self, said: Instruction, *, connector: NorwegianBankId | None = None, **other: Any) -> None:
        """The person does at the bank what was said."""
        self.bank.script.say(NORWEGIAN, said)
        left = (connector or self.connector).start(attempt(**other))
        assert isinstance(left, Leave), left
        page = self.browser.get(left.url)
        self.left = left
        self.answer = parameters(page.headers["Location"]) if page.is_redirect else {}
        assert not page.is_error
        assert not self.answer or page.headers["Location"].startswith(f"{CALLBACK}?")

    def goes(self, said: Instruction, *, connector: NorwegianBankId | None = None, **other: Any) -> Result | None:
        """And comes back; None where the bank does not let them."""
        used = connector or self.connector
        self.leaves(said, connector=used, **other)
        return used.returned(self.left.notes, self.answer, now=datetime.now(UTC)) if self.answer else None


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    key = ECKey.generate_key("P-256", {"kid": "sig-1"})
    folder: Path = tmp_path_factory.mktemp("bankid")
    (folder / "signing.pem").write_bytes(key.as_pem(private=True))
    (folder / "secret").write_text("a secret: 1/2")
    clients = [
        Client("our-client", (CALLBACK,), jwks={"keys": [key.as_dict(private=False)]}),
        Client("with-secret", (CALLBACK,), secret="a secret: 1/2"),
    ]
    bank = simulator.NorwegianBankId(Script(), clients)
    settings = {
        "issuer": bank.issuer,
        "client_id": "our-client",
        "signing_key_file": str(folder / "signing.pem"),
        "signing_key_id": "sig-1",
        "client_secret_file": str(folder / "secret"),
    }

    def connector(**other: Any) -> NorwegianBankId:
        return NorwegianBankId(NorwegianBankIdSettings(**{**settings, **other}), loopback=True)

    bank.start()
    with httpx.Client(trust_env=False) as browser:
        yield Visit(bank, settings, connector(), connector(timeout=0.3), browser)
    bank.stop()
