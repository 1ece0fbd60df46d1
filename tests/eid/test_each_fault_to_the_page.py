"""Every fault of every simulator, from the wire to the page: what the person reads, what the trail says, and no proof.

What each fault comes to is written down beside each connector's own tests; here it goes the whole way (SR-106).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from idp import clock as provider_clock
from idp.eid import registry
from idp.eid.connector import Outcome
from idp.eid.norwegian_bankid import NorwegianBankId, NorwegianBankIdSettings
from idp.eid.oidc_broker import OidcBroker
from idp.eid.oidc_broker_settings import OidcBrokerSettings
from idp.eid.smart_id import SmartId
from idp.journeys.identifying import ENDS as SAYINGS
from idp.rules.assurance import HIGH, MFA, SUBSTANTIAL, Proof
from idp.services import audit, sessions
from idp.stores.durable import eid_transactions
from idp.stores.durable import identities as kept
from idp.stores.durable.identities import Identity
from relying_party_demo.outside.eid import clock, smart_id
from relying_party_demo.outside.eid import norwegian_bankid as norwegian
from relying_party_demo.outside.eid.oidc_broker import OidcBroker as OidcBrokerSimulator
from relying_party_demo.outside.eid.openid_clients import Client
from relying_party_demo.outside.eid.people import MITID, NORWEGIAN, SMART, SWEDISH, EidPerson
from relying_party_demo.outside.eid.script import Instruction, Script
from relying_party_demo.outside.eid.smart_id_answers import FAULTS as SMART_FAULTS
from relying_party_demo.outside.eid.smart_id_answers import document_of
from relying_party_demo.outside.eid.swedish_bankid import SwedishBankId as SwedishSimulator
from tests.eid import test_norwegian_bankid_faults as of_norwegian
from tests.eid import test_oidc_broker_faults as of_broker
from tests.eid import test_smart_id_faults as of_smart
from tests.eid import test_swedish_bankid_faults as of_swedish
from tests.eid.test_oidc_broker import TABLES
from tests.people import Outside, Person, Provider, new_provider, on_sqlite, settings_for
from tests.protocol.signed_in import told

HOLDERS = {
    NORWEGIAN: of_norwegian.KARI,
    MITID: of_broker.PEOPLE[MITID][0],
    SWEDISH: of_swedish.ASTRID,
    SMART: of_smart.MART,
}
FLOWS = {NORWEGIAN: "redirect", MITID: "redirect", SWEDISH: "qr", SMART: "device-link"}
OUTCOMES = {
    NORWEGIAN: {**of_norwegian.OUTCOMES, "other-person": Outcome.PERSON_MISMATCH},
    MITID: {**of_broker.SHARED, "only-in-userinfo": Outcome.PROOF_INVALID, "other-person": Outcome.PERSON_MISMATCH},
    SWEDISH: of_swedish.ENDS,
    SMART: {
        fault: of_smart.ENDS.get(fault, Outcome.PROOF_INVALID)
        for fault in SMART_FAULTS
        if fault not in (*of_smart.HARMLESS, *of_smart.ON_THE_WAY_BACK)
    },
}
READS = {
    "stopped": "You stopped in ",
    "timeout": "waited too long for an answer.",
    "blocked": "says that your eID is not active.",
    "other-person": "This eID belongs to somebody else than the person confirmed for this account.",
    "down": "is not working right now. Nothing is wrong with your account.",
}


@dataclass
class House:
    """A provider with each kind of eID, each an own service over real sockets, and one known person of each."""

    provider: Provider
    script: Script
    smart: smart_id.SmartId
    browser: httpx.Client
    people: dict[str, Person] = field(default_factory=dict)

    def known(self, eid: str) -> Person:
        """The holder of this eID, confirmed before and signed in just now."""
        if eid not in self.people:
            self.people[eid] = self.provider.person().is_signed_in()
            with self.provider.app.app_context():
                kept.link(self.people[eid].sub, identity(eid, HOLDERS[eid]), now=clock.now())
        person, parts = self.people[eid], self.provider.parts
        now = clock.now()
        proofs = [Proof(method=method, at=now, until=now.replace(year=now.year + 1)) for method in ("password", "sms")]
        with self.provider.app.app_context():
            session_id = sessions.start(parts.store, parts.settings.sessions, person.sub, proofs)
        person.browser.set_cookie("__Host-session", session_id, domain="login.example")
        return person

    def proofs(self, person: Person) -> int:
        with self.provider.app.app_context():
            return len(eid_transactions.successes(person.sub, limit=1000))

    def confirms(self, person: Person, eid: str, said: Instruction, *, level: str = SUBSTANTIAL) -> Person:
        """Press «Bekreft», go through with it as was said, and come back."""
        self.script.say(eid, said)
        person.comes_from_portal(acr_values=level).sends(f"start:{eid}:{FLOWS[eid]}")
        if FLOWS[eid] == "redirect":
            return self._goes_there_and_back(person)
        for count in range(50):
            if 'value="check"' not in person.page.html:
                break
            clock.offset += 2.1 if count < 15 else 15
            person.sends("check")
        return person

    def _goes_there_and_back(self, person: Person) -> Person:
        assert person.answer is not None
        if "Location" not in person.answer.headers:
            return person  # it ended before it began
        answer = self.browser.get(person.answer.headers["Location"])
        if "Location" not in answer.headers:
            return person  # nobody leads them back
        back = urlsplit(answer.headers["Location"])
        return person.goes(f"{back.path}?{back.query}")


def identity(eid: str, holder: EidPerson) -> Identity:
    return Identity(
        country=holder.country,
        number=holder.number,
        given_name=holder.given_name,
        family_name=holder.family_name,
        birthdate=holder.birthdate,
        references={eid: document_of(holder)} if eid == SMART else {},
    )


def mitid(issuer: str, asked: dict[str, Any]) -> OidcBrokerSettings:
    """The manual's table, held to the broker's other two levels, too."""
    ours = ("connector", "signing_key_file", "signing_key_id")
    table = {key: value for key, value in TABLES[MITID].items() if key not in ours}
    told = {"issuer": issuer, "level_claims": ("loA", "ial", "aal"), "token_algorithms": ("RS256",)}
    return msgspec.convert({**table, **asked, **told}, OidcBrokerSettings)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, outside: Outside) -> Iterator[House]:
    folder, script = tmp_path_factory.mktemp("eids"), Script()
    (folder / "secret").write_text("a secret")
    back = tuple(f"https://login.example/eid/{name}/return" for name in (NORWEGIAN, MITID))
    client = Client("alumni", back, secret="a secret")
    bank = norwegian.NorwegianBankId(script, [client])
    broker = OidcBrokerSimulator(script, [client], eid=MITID, people=of_broker.PEOPLE[MITID])
    swedish = SwedishSimulator(script, folder / "swedish")
    smart = smart_id.SmartId(script, folder / "smart")
    for simulator in (bank, broker, swedish, smart):
        simulator.start()
    asked: dict[str, Any] = {"client_id": "alumni", "client_secret_file": str(folder / "secret"), "timeout": 2.0}
    asked["client_authentication"] = "client_secret_basic"
    connectors = {
        NORWEGIAN: NorwegianBankId(NorwegianBankIdSettings(issuer=bank.issuer, **asked), loopback=True),
        MITID: OidcBroker(mitid(broker.issuer, asked), name=MITID, loopback=True),
        SWEDISH: of_swedish.connector(swedish),
        SMART: SmartId(of_smart.settings(smart), loopback=True),
    }
    many = {"eid_starts_per_account_hour": 10**6, "eid_starts_per_network_hour": 10**6}
    more = {"journeys_per_address_hour": 10**6}
    with pytest.MonkeyPatch.context() as patched, httpx.Client(trust_env=False) as browser:
        patched.setattr(registry, "build", lambda *_, **__: connectors)
        settings = settings_for(on_sqlite(folder), folder, outside, limits={**many, **more})
        with new_provider(settings, outside) as provider:
            yield House(provider, script, smart, browser)
    for simulator in (bank, broker, swedish, smart):
        simulator.stop()


@pytest.fixture(autouse=True)
def time() -> Iterator[None]:
    """One clock for the provider and for the world outside."""
    clock.offset = 0.0
    provider_clock.use(clock.now)
    yield
    provider_clock.use(None)
    clock.offset = 0.0


@pytest.mark.parametrize("eid", OUTCOMES)
def test_without_a_fault_it_is_a_proof(house: House, eid: str) -> None:
    kari = house.known(eid)
    before = house.proofs(kari)
    house.confirms(kari, eid, Instruction(HOLDERS[eid].number))

    assert told(kari.tokens()["id_token"])["acr"] != MFA
    assert house.proofs(kari) == before + 1


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")  # the bank may sign with `none`, to be refused
@pytest.mark.parametrize(
    ("eid", "fault", "outcome"),
    [(eid, fault, outcome) for eid, table in OUTCOMES.items() for fault, outcome in table.items()],
)
def test_a_fault_is_said_in_words_kept_in_the_trail_and_proves_nothing(
    house: House, caplog: pytest.LogCaptureFixture, eid: str, fault: str, outcome: Outcome
) -> None:
    kari = house.known(eid)
    before = house.proofs(kari)
    house.confirms(kari, eid, Instruction(HOLDERS[eid].number, fault=fault))

    assert_nothing_is_proved(house, kari, outcome, before=before)
    assert fault not in kari.page.text
    for secret in (HOLDERS[eid].number, HOLDERS[eid].family_name):  # SR-120
        assert secret not in caplog.text


def assert_nothing_is_proved(house: House, kari: Person, outcome: Outcome, *, before: int) -> None:
    assert kari.page.heading == "You are not confirmed yet"
    assert READS[SAYINGS.get(outcome, "down")] in kari.page.text
    with house.provider.app.app_context():
        newest = audit.newest(1)[0]
    assert (newest.event, newest.reason) == ("eid.failed", outcome)
    assert house.proofs(kari) == before
    refused = kari.comes_from_portal(acr_values=SUBSTANTIAL, max_age="0", prompt="none").redirected_to()
    assert refused["error"] == "login_required"


@pytest.mark.parametrize(
    ("eid", "does", "outcome"),
    [
        (NORWEGIAN, "refuse", Outcome.USER_REFUSED),
        (MITID, "refuse", Outcome.USER_REFUSED),
        (SWEDISH, "refuse", Outcome.USER_REFUSED),
        (SWEDISH, "wrong-code", Outcome.NO_USABLE_ACCOUNT),
        (SWEDISH, "timeout", Outcome.TIMEOUT),
        (SMART, "refuse", Outcome.USER_REFUSED),
        (SMART, "wrong-code", Outcome.WRONG_CODE_CHOSEN),
        (SMART, "timeout", Outcome.TIMEOUT),
    ],
)
def test_what_the_person_does_not_do_proves_nothing(house: House, eid: str, does: str, outcome: Outcome) -> None:
    kari = house.known(eid)
    before = house.proofs(kari)
    house.confirms(kari, eid, Instruction(HOLDERS[eid].number, outcome=does))

    assert_nothing_is_proved(house, kari, outcome, before=before)


def test_a_lower_level_than_the_one_asked_for_proves_nothing(house: House) -> None:
    kari = house.known(NORWEGIAN)
    before = house.proofs(kari)
    house.confirms(kari, NORWEGIAN, Instruction(HOLDERS[NORWEGIAN].number, fault="lower-acr"), level=HIGH)

    assert_nothing_is_proved(house, kari, Outcome.LEVEL_TOO_LOW, before=before)


@pytest.mark.parametrize("fault", of_smart.ON_THE_WAY_BACK)
def test_an_app_that_leads_back_with_another_sessions_words_proves_nothing(house: House, fault: str) -> None:
    mart = house.known(SMART)
    before = house.proofs(mart)
    mart.comes_from_portal(acr_values=SUBSTANTIAL).sends(f"start:{SMART}:{FLOWS[SMART]}")
    link = re.search(r'href="(https://[^"]*deviceLinkType=Web2App[^"]*)"', mart.page.html)
    assert link is not None
    session = house.smart.scan(html.unescape(link[1]))
    back = urlsplit(str(house.smart.act(session, HOLDERS[SMART].number, "approve", fault=fault)))
    mart.goes(f"{back.path}?{back.query}")

    assert_nothing_is_proved(house, mart, Outcome.PROOF_INVALID, before=before)


@pytest.mark.parametrize("eid", [NORWEGIAN, MITID])
def test_whoever_is_kept_there_can_start_again(house: House, eid: str) -> None:
    kari = house.known(eid)
    before = house.proofs(kari)
    house.confirms(kari, eid, Instruction(HOLDERS[eid].number, fault="no-return"))
    assert house.proofs(kari) == before

    house.confirms(kari, eid, Instruction(HOLDERS[eid].number))
    assert "code" in kari.redirected_to()
    assert house.proofs(kari) == before + 1


def test_an_answer_with_another_state_finds_no_attempt(house: House) -> None:
    """SR-102: what cannot be tied to an attempt of this browser ends none and proves nothing."""
    kari = house.known(NORWEGIAN)
    before = house.proofs(kari)
    house.confirms(kari, NORWEGIAN, Instruction(HOLDERS[NORWEGIAN].number, fault="wrong-state"))

    assert kari.answer is not None
    assert kari.answer.status_code == 410
    assert house.proofs(kari) == before
