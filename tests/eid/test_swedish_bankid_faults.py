"""Swedish BankID against a service that goes wrong in every way it can, over real mutual TLS (SR-105)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from idp.eid.connector import Attempt, Failed, Outcome, Pending, Person, Result, Verified, Waiting
from idp.eid.swedish_bankid import SwedishBankId
from idp.eid.swedish_bankid_settings import SwedishBankIdSettings
from relying_party_demo.outside.eid import clock
from relying_party_demo.outside.eid.people import SWEDISH, holders
from relying_party_demo.outside.eid.script import Instruction, Script
from relying_party_demo.outside.eid.swedish_bankid import SwedishBankId as Simulator
from relying_party_demo.outside.eid.swedish_bankid_faults import FAULTS

ASTRID, BJORN = holders(SWEDISH)[:2]

HARMLESS = ("unknown-hint", "new-fields", "other-address", "no-document", "risk-missing")
"""Faults by which, under the usual settings, a first proof is as good as ever."""

ENDS = {
    "expired-transaction": Outcome.TIMEOUT,
    "start-failed": Outcome.TIMEOUT,
    "certificate-err": Outcome.NO_USABLE_ACCOUNT,
    "not-supported-by-user-app": Outcome.NO_USABLE_ACCOUNT,
    "user-cancel": Outcome.USER_REFUSED,
    "user-declined-call": Outcome.USER_REFUSED,
    "cancelled": Outcome.IN_PROGRESS,
    "transaction-risk-blocked": Outcome.RISK_BLOCKED,
    "unknown-failed-hint": Outcome.PROTOCOL_ERROR,
    "risk-moderate": Outcome.RISK_BLOCKED,
    "risk-high": Outcome.RISK_BLOCKED,
    "risk-missing": Outcome.RISK_BLOCKED,
    "other-person": Outcome.PERSON_MISMATCH,
    "other-number": Outcome.PROOF_INVALID,
    "other-name": Outcome.PROOF_INVALID,
    "bad-digest": Outcome.PROOF_INVALID,
    "bad-signature": Outcome.PROOF_INVALID,
    "wrapped-signature": Outcome.PROOF_INVALID,
    "other-text": Outcome.PROOF_INVALID,
    "other-transaction": Outcome.PROOF_INVALID,
    "signing-function": Outcome.PROOF_INVALID,
    "wrong-chain": Outcome.PROOF_INVALID,
    "expired-certificate": Outcome.PROOF_INVALID,
    "wrong-policy": Outcome.PROOF_INVALID,
    "wrong-usage": Outcome.PROOF_INVALID,
    "ocsp-other-signature": Outcome.PROOF_INVALID,
    "ocsp-other-certificate": Outcome.REVOCATION_UNKNOWN,
    "ocsp-stranger": Outcome.REVOCATION_UNKNOWN,
    "ocsp-revoked": Outcome.REVOKED,
    "ocsp-unknown": Outcome.REVOCATION_UNKNOWN,
    "ocsp-stale": Outcome.REVOCATION_UNKNOWN,
    "another-order": Outcome.PROTOCOL_ERROR,
    **{
        f"{method}-{status}": outcome
        for method in ("auth", "collect")
        for status, outcome in {
            400: Outcome.PROTOCOL_ERROR,
            401: Outcome.PROVIDER_REJECTED_US,
            408: Outcome.PROVIDER_UNAVAILABLE,
            415: Outcome.PROTOCOL_ERROR,
            429: Outcome.PROVIDER_UNAVAILABLE,
            500: Outcome.PROVIDER_UNAVAILABLE,
            503: Outcome.PROVIDER_UNAVAILABLE,
        }.items()
    },
}
"""How a repeat proof ends by each fault; walked in test_each_fault_to_the_page."""


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    made = Simulator(Script(), tmp_path_factory.mktemp("swedish-bankid"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def bankid(simulator: Simulator) -> SwedishBankId:
    return connector(simulator)


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "offset", 0.0)


def connector(simulator: Simulator, **more: Any) -> SwedishBankId:
    given: dict[str, Any] = {
        "url": simulator.url,
        "server_root_file": str(simulator.bank.server_root_file),
        "client_file": str(simulator.bank.client_file),
        "person_roots_file": str(simulator.bank.person_roots_file),
        "certificate_policies": ("1.2.3.4.25", "1.2.3.4.5"),
    }
    return SwedishBankId(SwedishBankIdSettings(**{**given, **more}), loopback=True)


def attempt(*, expected: bool, flow: str = "qr") -> Attempt:
    return Attempt(
        transaction_id="transaction-1",
        state="a-state-of-128-bits",
        callback="https://id.example.no/eid/swedish-bankid/callback",
        level="substantial",
        flow=flow,
        expected=Person(country="SE", number=ASTRID.number) if expected else None,
        service="Alumni",
        locale="nb",
        address="127.0.0.1",
        user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        device="a-device",
        now=clock.now(),
    )


def begun(bankid: SwedishBankId, flow: str = "qr") -> bytes:
    answer = bankid.start(attempt(expected=False, flow=flow))
    assert isinstance(answer, Waiting)
    return answer.notes


def asked_until_over(bankid: SwedishBankId, notes: bytes) -> Result:
    """Ask every two seconds, as the waiting page does, and after half a minute less often."""
    for count in range(50):
        clock.offset += 2.1 if count < 15 else 15
        answer = bankid.poll(notes, now=clock.now())
        if not isinstance(answer, Pending):
            return answer
        notes = answer.notes or notes
    pytest.fail("the order never ends")


def proved(bankid: SwedishBankId, simulator: Simulator, instruction: Instruction, *, expected: bool = True) -> Result:
    """What comes of an order that is answered as was said in advance."""
    simulator.script.say(SWEDISH, instruction)
    began = bankid.start(attempt(expected=expected))
    if isinstance(began, Failed):
        return began
    assert isinstance(began, Waiting)
    return asked_until_over(bankid, began.notes)


def test_what_goes_well_proves_the_person(bankid: SwedishBankId, simulator: Simulator) -> None:
    simulator.requests.clear()
    answer = proved(bankid, simulator, Instruction(ASTRID.number))

    assert {(one.content_type, one.status) for one in simulator.requests} == {("application/json", 200)}
    assert isinstance(answer, Verified)
    assert (answer.country, answer.number) == ("SE", ASTRID.number)
    assert (answer.given_name, answer.family_name) == (ASTRID.given_name, ASTRID.family_name)
    assert answer.birthdate == ASTRID.birthdate


def test_every_fault_has_an_end() -> None:
    """A fault that is new to the service has to be judged here, too."""
    assert set(ENDS) | set(HARMLESS) == set(FAULTS)


@pytest.mark.parametrize("fault", HARMLESS)
def test_what_is_only_unusual_is_a_proof(bankid: SwedishBankId, simulator: Simulator, fault: str) -> None:
    answer = proved(bankid, simulator, Instruction(ASTRID.number, fault=fault), expected=False)

    assert isinstance(answer, Verified)


def test_a_document_that_was_not_read_is_missed(simulator: Simulator) -> None:
    bankid = connector(simulator, identity_document=True)

    assert isinstance(proved(bankid, simulator, Instruction(ASTRID.number)), Verified)
    answer = proved(bankid, simulator, Instruction(ASTRID.number, fault="no-document"))
    assert isinstance(answer, Failed)
    assert answer.outcome is Outcome.LEVEL_TOO_LOW


@pytest.mark.parametrize(
    ("outcome", "ends"),
    [
        ("refuse", Outcome.USER_REFUSED),
        ("wrong-code", Outcome.NO_USABLE_ACCOUNT),
        ("timeout", Outcome.TIMEOUT),
        ("ignore", Outcome.TIMEOUT),
    ],
)
def test_what_the_person_does_not_do_has_a_reason(
    bankid: SwedishBankId, simulator: Simulator, outcome: str, ends: Outcome
) -> None:
    answer = proved(bankid, simulator, Instruction(ASTRID.number, outcome=outcome))

    assert isinstance(answer, Failed)
    assert answer.outcome is ends


def test_the_code_on_the_page_is_read_by_an_app(bankid: SwedishBankId, simulator: Simulator) -> None:
    """Another device: the code of this very second is taken, that of ten seconds ago is not."""
    notes = begun(bankid)
    old = bankid.view(notes, now=clock.now(), locale="nb").qr
    clock.offset += 10

    with pytest.raises(ValueError, match="not of now"):
        simulator.scan(str(old))
    order = simulator.scan(str(bankid.view(notes, now=clock.now(), locale="nb").qr))
    waiting = bankid.poll(notes, now=clock.now())
    assert isinstance(waiting, Pending)
    assert bankid.view(waiting.notes or b"", now=clock.now(), locale="nb").qr is None
    clock.offset += 2.1
    assert simulator.act(order, ASTRID.number, "approve") is None
    assert isinstance(asked_until_over(bankid, waiting.notes or b""), Verified)


@pytest.mark.parametrize("fault", [None, "other-address"])
def test_the_link_on_the_page_opens_an_app_that_leads_back(simulator: Simulator, fault: str | None) -> None:
    """This device: the app comes back to the callback with the state, and the address may have to be the same."""
    bankid = connector(simulator, require_same_address=True)
    notes = begun(bankid, "this-device")
    order = simulator.scan(str(bankid.view(notes, now=clock.now(), locale="nb").link))
    clock.offset += 5
    back = urlsplit(str(simulator.act(order, ASTRID.number, "approve", fault=fault)))

    assert f"{back.scheme}://{back.netloc}{back.path}" == attempt(expected=False).callback
    answer = bankid.returned(notes, dict(parse_qsl(back.query)), now=clock.now())
    if fault is None:
        assert isinstance(answer, Verified)
    else:
        assert answer == Failed(Outcome.BROWSER_MISMATCH, "address")


def test_a_second_order_for_the_same_person_ends_both(bankid: SwedishBankId, simulator: Simulator) -> None:
    first = bankid.start(attempt(expected=True))
    assert isinstance(first, Waiting)

    second = bankid.start(attempt(expected=True))
    assert isinstance(second, Failed)
    assert second.outcome is Outcome.IN_PROGRESS
    ended = asked_until_over(bankid, first.notes)
    assert isinstance(ended, Failed)
    assert ended.outcome is Outcome.IN_PROGRESS


@pytest.mark.parametrize("fault", ["collect-500", "collect-503", "another-order"])
def test_an_order_that_is_given_up_does_not_get_in_the_way_of_the_next(
    bankid: SwedishBankId, simulator: Simulator, fault: str
) -> None:
    assert isinstance(proved(bankid, simulator, Instruction(ASTRID.number, fault=fault)), Failed)
    assert isinstance(proved(bankid, simulator, Instruction(ASTRID.number)), Verified)


def test_a_complete_order_is_told_once(bankid: SwedishBankId, simulator: Simulator) -> None:
    simulator.script.say(SWEDISH, Instruction(ASTRID.number))
    notes = begun(bankid)
    assert isinstance(asked_until_over(bankid, notes), Verified)

    again = bankid.poll(notes, now=clock.now())
    assert isinstance(again, Failed)
    assert again.outcome is Outcome.PROTOCOL_ERROR


def test_an_order_that_was_stopped_is_over(bankid: SwedishBankId, simulator: Simulator) -> None:
    notes = begun(bankid)

    bankid.cancel(notes)
    bankid.cancel(notes)
    assert isinstance(asked_until_over(bankid, notes), Failed)


def test_an_order_belongs_to_whose_certificate_began_it(simulator: Simulator) -> None:
    """The service knows us by our certificate: with another one the order is not there."""
    other = simulator.folder / "another-client.pem"
    simulator.bank.issue_client("Another", other)
    notes = begun(connector(simulator))

    answer = asked_until_over(connector(simulator, client_file=str(other)), notes)
    assert isinstance(answer, Failed)
    assert answer.outcome is Outcome.PROTOCOL_ERROR
