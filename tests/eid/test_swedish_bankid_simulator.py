"""The simulated service of Swedish BankID, over real mutual TLS: in nothing kinder than RP API v6 (SR-105)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from relying_party_demo.outside.eid import clock
from relying_party_demo.outside.eid.people import PEOPLE, SWEDISH
from relying_party_demo.outside.eid.script import Instruction
from relying_party_demo.outside.eid.swedish_bankid import SwedishBankId
from relying_party_demo.outside.eid.swedish_bankid_bank import Bank
from relying_party_demo.outside.eid.swedish_bankid_faults import FAULTS
from tests.eid.swedish_simulation import ASTRID, BJORN, TEXT, VECTORS, Service, connected, later, running

KARI = PEOPLE[0]
BACK = "https://id.example.no/eid/swedish-bankid/return?state=abc"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("swedish-bankid")) as made:
        yield made


@pytest.fixture
def service(started: Service) -> Service:
    return later(started)


@pytest.fixture
def simulator(started: Service) -> SwedishBankId:
    return started.simulator


def refused(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["details"]
    return answer.status_code, answer.json()["errorCode"]


# --- who may ask, and how ----------------------------------------------------------------------------------------


def test_without_a_client_certificate_nobody_is_heard(simulator: SwedishBankId) -> None:
    with connected(simulator, None) as nobody, pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        nobody.post("auth", json={})


def test_a_client_certificate_has_to_be_by_the_bank(simulator: SwedishBankId, tmp_path: Path) -> None:
    stranger = Bank(tmp_path, clock.now())
    with (
        connected(simulator, stranger.client_file) as somebody,
        pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)),
    ):
        somebody.post("auth", json={})


def test_no_public_authority_knows_the_service(simulator: SwedishBankId) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.post(f"{simulator.url}auth", json={}, trust_env=False)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/json;", "text/plain", ""])
def test_the_content_type_stands_alone(service: Service, kind: str) -> None:
    answer = service.post("auth", {"endUserIp": "192.0.2.7"}, **{"Content-Type": kind})
    assert refused(answer) == (415, "unsupportedMediaType")


def test_only_its_methods_and_only_by_post(service: Service) -> None:
    assert refused(service.post("identify", {})) == (404, "notFound")
    assert refused(service.client.post("/rp/v5.1/auth")) == (404, "notFound")
    assert refused(service.client.get("auth")) == (405, "methodNotAllowed")
    assert refused(service.post("sign", {"endUserIp": "192.0.2.7"})) == (400, "invalidParameters")


BEYOND: list[Any] = [
    b"", b"endUserIp=192.0.2.7", b"[]", b'{"endUserIp":"192.0.2.7"',
    {}, {"endUserIp": ""}, {"endUserIp": "localhost"}, {"endUserIp": "192.0.2.7:443"}, {"endUserIp": 3221225991},
    {"personalNumber": ASTRID.number}, {"somethingElse": 1},
    {"requirement": {"pinCode": "true"}}, {"requirement": {"tokenStartRequired": True}},
    {"requirement": {"personalNumber": ASTRID.number[2:]}},
    {"requirement": {"personalNumber": f"{ASTRID.number[:8]}-{ASTRID.number[8:]}"}},
    {"requirement": {"personalNumber": f"{ASTRID.number[:-1]}{(int(ASTRID.number[-1]) + 1) % 10}"}},
    {"requirement": {"risk": "high"}}, {"requirement": {"certificatePolicies": []}},
    {"requirement": {"certificatePolicies": ["1.2.3.*"]}}, {"requirement": {"certificatePolicies": "1.2.3.4.5"}},
    {"requirement": {"cardReader": "class1"}},
    {"requirement": {"cardReader": "class1", "certificatePolicies": ["1.2.3.4.10", "1.2.3.4.25"]}},
    {"returnUrl": ""}, {"returnUrl": "https://id.example/" + "a" * 500},
    {"userVisibleData": ""}, {"userVisibleData": "Hello!"}, {"userVisibleData": "/w=="},
    {"userVisibleData": "QUJD" * 376}, {"userVisibleData": TEXT + "\n"}, {"userVisibleDataFormat": "html"},
    {"userNonVisibleData": "QUJD" * 376}, {"userNonVisibleData": "QUI"},
    {"web": {}}, {"web": {"referringDomain": "no"}}, {"web": {"referringDomain": "a" * 254}},
    {"web": {"userAgent": "a" * 257}}, {"web": {"deviceIdentifier": "a" * 65}}, {"web": {"cookie": "a"}},
    {"web": {"userAgent": "a"}, "app": {"deviceOS": "IOS 17"}}, {"app": {}}, {"app": {"deviceOs": "IOS 17"}},
]  # fmt: skip


@pytest.mark.parametrize("body", BEYOND)
def test_what_is_beyond_the_limits_is_refused(service: Service, body: Any) -> None:
    partly = isinstance(body, dict) and body and "endUserIp" not in body
    answer = service.post("auth", {"endUserIp": "192.0.2.7", **body} if partly else body)
    assert refused(answer) == (400, "invalidParameters")


def test_what_is_just_within_them_is_taken(service: Service) -> None:
    answer = service.auth(
        endUserIp="2001:db8::7",
        userVisibleData="QUJD" * 375,
        userVisibleDataFormat="simpleMarkdownV1",
        userNonVisibleData="/////" + "QUJD" * 373 + "QUI",
        returnUrl="https://id.example/" + "a" * 493,
        web={"referringDomain": "a" * 253, "userAgent": "a" * 256, "deviceIdentifier": "a" * 64},
        requirement={"cardReader": "class2", "certificatePolicies": ["1.2.3.4.10"], "risk": "MODERATE"},
    )
    assert answer.status_code == 200, answer.text
    assert service.auth(app={"deviceOS": "IOS 17.4"}).status_code == 200


def test_an_order_has_four_names_that_share_nothing(service: Service) -> None:
    service.begins()
    assert set(service.order) == {"orderRef", "autoStartToken", "qrStartToken", "qrStartSecret"}
    assert len({str(UUID(value)) for value in service.order.values()}) == 4


def test_what_was_asked_can_be_looked_at(service: Service) -> None:
    service.begins(returnRisk=True)
    service.post("collect", b"?")

    auth, collect = service.simulator.requests
    assert (auth.method, auth.content_type, auth.status) == ("auth", "application/json", 200)
    assert auth.body["returnRisk"] is True
    assert (collect.method, collect.body, collect.status) == ("collect", b"?", 400)
    assert "192.0.2.7" not in repr(auth)


# --- the app is started ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "wanted"), [(one["input"], one["expected"]) for one in VECTORS if one["kind"] == "se_bankid_qr"]
)
def test_the_code_of_the_guidelines_is_read(service: Service, given: dict[str, Any], wanted: dict[str, str]) -> None:
    """The published example, put into the place of an order's own token and secret."""
    order = service.simulator._orders._all[service.begins()]
    order.qr_start_token, order.qr_start_secret = given["qrStartToken"], given["qrStartSecret"]

    clock.offset += given["seconds"]
    assert service.simulator.scan(wanted["qrData"]) == order.reference


@pytest.mark.parametrize(("after", "told"), [(0, 0), (5, 0), (9, 9), (10, 9), (29, 28)])
def test_the_code_of_this_moment_is_read(service: Service, after: int, told: int) -> None:
    reference = service.begins()
    clock.offset += after
    assert service.simulator.scan(service.code(told)) == reference


@pytest.mark.parametrize(
    ("after", "change"),
    [
        (7, lambda code: code),
        (0, lambda code: code.replace(".0.", ".1.")),
        (0, lambda code: code.rpartition(".")[0] + "." + code.rpartition(".")[2].upper()),
        (0, lambda code: code[:-1] + ("0" if code[-1] != "0" else "1")),
        (0, lambda code: code[:-1] + "ø"),
        (0, lambda code: code.replace(".0.", ".٠.")),
        (0, lambda code: code + ".0"),
    ],
    ids=["screenshot", "other-time", "upper-case", "other-code", "no-hex", "other-digits", "longer"],
)
def test_any_other_code_is_not(service: Service, after: int, change: Any) -> None:
    service.begins()
    clock.offset += after
    with pytest.raises(ValueError, match="QR code"):
        service.simulator.scan(change(service.code()))


@pytest.mark.parametrize("told", ["00", "4"], ids=["leading-zero", "of-the-future"])
def test_nor_is_one_that_was_made_with_the_secret_and_wrong(service: Service, told: str) -> None:
    service.begins()
    with pytest.raises(ValueError, match="QR code"):
        service.simulator.scan(service.code(told))


@pytest.mark.parametrize(
    "link",
    [
        "bankid:///?autostarttoken={}&redirect=null",
        "https://app.bankid.com/?autostarttoken={}&redirect=null",
        "http://127.0.0.1:8003/eid/open?autostarttoken={}",
    ],
)
def test_a_link_opens_the_app_and_the_app_leads_back(service: Service, link: str) -> None:
    service.begins(returnUrl=BACK)
    order = service.simulator.scan(link.format(service.order["autoStartToken"]))

    assert service.simulator.returns_to(order) == BACK
    assert service.simulator.act(order, ASTRID.number, "approve") == BACK
    assert service.collect().json()["completionData"]["device"]["ipAddress"] == "192.0.2.7"


def test_a_code_leads_nowhere_back(service: Service) -> None:
    """The phone's browser is not the one that began."""
    service.begins(returnUrl=BACK)
    order = service.simulator.scan(service.code())

    assert service.simulator.returns_to(order) is None
    assert service.simulator.act(order, ASTRID.number, "approve") is None
    assert service.collect().json()["completionData"]["device"]["ipAddress"] != "192.0.2.7"


@pytest.mark.parametrize(
    "link",
    [
        "", "hello", "bankid:///?autostarttoken=x", "bankid:///?autostarttoken=00000000-0000-4000-8000-000000000000",
        "bankid:///?autoStartToken={}", "bankid:///?redirect=null&autostarttoken={}", "bankid://host/?autostarttoken={}",
        "bankid:///?autostarttoken={}&autostarttoken={}", "bankid:///?autostarttoken={}#a", " bankid:///?autostarttoken={}",
        "http://app.bankid.com/?autostarttoken={}", "https://app.bankid.com?autostarttoken={}",
        "https://app.bankid.com.example/?autostarttoken={}", "https://app.bankid.com/start?autostarttoken={}",
        "http://127.0.0.1.example/eid/open?autostarttoken={}",
    ],
)  # fmt: skip
def test_any_other_link_starts_nothing(service: Service, link: str) -> None:
    """Links of another form would open no app of the real service, even with the right token in them."""
    service.begins()
    with pytest.raises(ValueError, match="link"):
        service.simulator.scan(link.replace("{}", service.order["autoStartToken"]))
    assert service.hint() == "pending outstandingTransaction"


def test_an_order_is_picked_up_once(service: Service) -> None:
    service.begins()
    service.simulator.scan(service.code())
    with pytest.raises(ValueError, match="before"):
        service.simulator.scan(service.code())
    with pytest.raises(ValueError, match="before"):
        service.simulator.start_link(service.order["autoStartToken"])


# --- the life of an order ----------------------------------------------------------------------------------------


def test_the_hints_come_in_their_order(service: Service) -> None:
    service.begins()
    assert service.hint() == "pending outstandingTransaction"
    clock.offset += 1
    order = service.simulator.scan(service.code(2))
    assert service.hint(0) == "pending started"
    assert service.hint() == "pending userSign"
    service.simulator.act(order, ASTRID.number, "approve")
    clock.offset += 1
    assert service.collect().json()["status"] == "complete"


def test_an_identity_document_is_read_in_between(service: Service) -> None:
    service.begins(requirement={"mrtd": True})
    order = service.simulator.scan(service.code())
    assert [service.hint(0), service.hint(), service.hint()] == [
        "pending started",
        "pending userMrtd",
        "pending userSign",
    ]
    service.simulator.act(order, ASTRID.number, "approve")
    clock.offset += 1
    assert service.collect().json()["completionData"]["stepUp"] == {"mrtd": True}


def test_the_app_has_to_be_started_within_thirty_seconds(service: Service) -> None:
    service.begins()
    assert service.hint(29) == "pending outstandingTransaction"
    clock.offset += 1
    with pytest.raises(ValueError, match="30 seconds"):
        service.simulator.scan(service.code(30))
    assert service.hint(1) == "failed startFailed"


def test_the_person_has_to_answer_within_three_minutes(service: Service) -> None:
    service.begins()
    service.simulator.scan(service.code())
    assert service.hint(179) == "pending userSign"
    assert service.hint(1.5) == "failed expiredTransaction"


def test_nobody_asks_more_than_once_a_second(service: Service) -> None:
    first, second = service.begins(), service.begins()
    assert service.collect(first).status_code == 200
    assert service.collect(second).status_code == 200
    answer = service.collect(first)

    assert refused(answer) == (429, "tooManyRequests")
    assert answer.headers["RateLimit-Remaining"] == "0"
    clock.offset += 1
    assert service.collect(first).status_code == 200


def answered(service: Service, action: str) -> None:
    service.begins()
    service.simulator.act(service.simulator.scan(service.code()), ASTRID.number, action)


@pytest.mark.parametrize(("action", "status"), [("approve", "complete"), ("refuse", "failed")])
def test_what_is_over_is_told_once(service: Service, action: str, status: str) -> None:
    answered(service, action)
    assert service.collect().json()["status"] == status
    clock.offset += 2
    assert refused(service.collect()) == (400, "invalidParameters")


@pytest.mark.parametrize(("action", "kept"), [("approve", 180), ("refuse", 300)])
def test_what_is_over_is_kept_for_minutes(service: Service, action: str, kept: int) -> None:
    answered(service, action)
    clock.offset += kept - 5
    assert service.collect().status_code == 200

    answered(service, action)
    clock.offset += kept + 1
    assert refused(service.collect()) == (400, "invalidParameters")


def test_an_order_that_nobody_picked_up_is_kept_for_a_little_more_than_three_minutes(service: Service) -> None:
    service.begins()
    assert service.hint(185) == "failed startFailed"
    service.begins()
    clock.offset += 191
    assert refused(service.collect()) == (400, "invalidParameters")


def test_an_order_can_be_cancelled_once_and_only_while_it_runs(service: Service) -> None:
    service.begins()
    assert service.cancel().json() == {}
    assert refused(service.cancel()) == (400, "invalidParameters")
    assert service.hint() == "failed cancelled"

    answered(service, "approve")
    assert refused(service.cancel()) == (400, "invalidParameters")


def test_another_service_knows_nothing_of_the_order(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "another.pem"
    service.simulator.bank.issue_client("Another", file)
    service.begins()
    with connected(service.simulator, file) as client:
        another = Service(service.simulator, client, service.order)
        assert refused(another.collect()) == (400, "invalidParameters")
        assert refused(another.cancel()) == (400, "invalidParameters")
    assert service.hint() == "pending outstandingTransaction"


def test_two_orders_for_one_person_end_both(service: Service) -> None:
    first = service.begins(requirement={"personalNumber": ASTRID.number})
    assert service.auth(requirement={"personalNumber": BJORN.number}).status_code == 200

    assert refused(service.auth(requirement={"personalNumber": ASTRID.number})) == (400, "alreadyInProgress")
    assert service.collect(first).json()["hintCode"] == "cancelled"
    assert service.auth(requirement={"personalNumber": ASTRID.number}).status_code == 200


def test_without_a_number_orders_do_not_know_each_other(service: Service) -> None:
    assert len({service.begins() for _ in range(3)}) == 3


# --- who may answer, and how -------------------------------------------------------------------------------------


def test_the_app_shows_what_is_asked_and_who_is_meant(service: Service) -> None:
    assert service.simulator.waiting() == []
    service.begins(requirement={"personalNumber": ASTRID.number})
    assert service.simulator.waiting() == [], "nobody has read the code"
    order = service.simulator.scan(service.code())

    (waiting,) = service.simulator.waiting()
    assert (waiting.id, waiting.eid, waiting.text) == (order, SWEDISH, "Du bekräftar vem du är.")
    assert waiting.asked_for == ASTRID.number
    service.simulator.act(order, ASTRID.number, "approve")
    assert service.simulator.waiting() == []
    with pytest.raises(LookupError):
        service.simulator.act(order, ASTRID.number, "approve")


@pytest.mark.parametrize(
    ("requirement", "person", "why"),
    [
        ({"personalNumber": ASTRID.number}, BJORN.number, "another person"),
        ({"certificatePolicies": ["1.2.3.4.10"]}, ASTRID.number, "kind of BankID"),
        ({"certificatePolicies": ["1.2.752.78.1.5"]}, ASTRID.number, "kind of BankID"),
        ({}, KARI.number, "no Swedish BankID"),
        ({}, "197109052387", "no Swedish BankID"),
    ],
    ids=["other-person", "card", "production", "other-country", "unknown"],
)
def test_who_does_not_fit_cannot_answer(service: Service, requirement: Any, person: str, why: str) -> None:
    service.begins(requirement=requirement)
    order = service.simulator.scan(service.code())
    with pytest.raises(ValueError, match=why):
        service.simulator.act(order, person, "approve")
    assert service.hint().startswith("pending ")


@pytest.mark.parametrize(("risk", "blocked"), [("low", True), ("LOW", True), ("moderate", False), (None, False)])
def test_an_order_above_the_accepted_risk_is_blocked(service: Service, risk: str | None, blocked: bool) -> None:
    service.begins(returnRisk=True, requirement={"risk": risk} if risk else {})
    service.simulator.act(service.simulator.scan(service.code()), ASTRID.number, "approve", fault="risk-moderate")
    said = service.collect().json()
    assert said.get("hintCode") == ("transactionRiskBlocked" if blocked else None)
    assert blocked or said["completionData"]["risk"] == "moderate"


def test_the_risk_is_told_only_if_asked_for(service: Service) -> None:
    assert "risk" not in service.approves()
    assert service.approves(returnRisk=True)["risk"] == "low"
    assert service.approves(returnRisk=True, fault="risk-high")["risk"] == "high"
    assert "risk" not in service.approves(returnRisk=True, fault="risk-missing")


@pytest.mark.parametrize(
    ("action", "ends"),
    [("refuse", "failed userCancel"), ("wrong-code", "failed certificateErr"), ("timeout", "pending userSign")],
)
def test_what_the_person_does_instead(service: Service, action: str, ends: str) -> None:
    answered(service, action)
    assert service.simulator.waiting() == []
    assert service.hint() == ends


def test_a_button_or_a_fault_that_is_none_is_told(service: Service) -> None:
    service.begins()
    order = service.simulator.scan(service.code())
    for action, fault in (("shout", None), ("approve", "shout"), ("approve", "auth-503")):
        with pytest.raises(ValueError, match="fault"):
            service.simulator.act(order, ASTRID.number, action, fault=fault)
    assert all(FAULTS.values())


# --- what was said in advance ------------------------------------------------------------------------------------


def test_who_was_spoken_for_answers_alone(service: Service) -> None:
    service.simulator.script.say(SWEDISH, Instruction(BJORN.number))
    service.begins()
    assert service.hint() == "pending outstandingTransaction"
    assert service.hint() == "pending userSign"
    clock.offset += 1
    assert service.collect().json()["completionData"]["user"]["personalNumber"] == BJORN.number
    assert service.simulator.waiting() == []


def test_a_link_can_be_opened_before_the_service_asks(service: Service) -> None:
    service.simulator.script.say(SWEDISH, Instruction(ASTRID.number))
    service.begins(returnUrl=BACK)
    clock.offset += 20
    order = service.simulator.start_link(service.order["autoStartToken"])

    assert service.simulator.returns_to(order) == BACK
    clock.offset += 3
    assert service.collect().json()["status"] == "complete"


@pytest.mark.parametrize(
    ("outcome", "ends"),
    [
        ("refuse", "failed userCancel"),
        ("wrong-code", "failed certificateErr"),
        ("timeout", "failed expiredTransaction"),
        ("ignore", "failed startFailed"),
    ],
)
def test_every_outcome_can_be_said(service: Service, outcome: str, ends: str) -> None:
    service.simulator.script.say(SWEDISH, Instruction(None, outcome))
    service.begins()
    assert service.hint() == "pending outstandingTransaction"
    assert service.hint(180) == ends


def test_who_was_spoken_for_and_does_not_fit_finds_no_bankid(service: Service) -> None:
    """The app looks for one until the order runs out."""
    service.simulator.script.say(SWEDISH, Instruction(BJORN.number))
    service.begins(requirement={"personalNumber": ASTRID.number})
    service.hint()
    assert [service.hint(10), service.hint(150), service.hint(20)] == [
        "pending started",
        "pending started",
        "failed expiredTransaction",
    ]


def test_a_fault_of_the_beginning_keeps_the_order_from_beginning(service: Service) -> None:
    service.simulator.script.say(SWEDISH, Instruction(None, fault="auth-503"))
    assert refused(service.auth()) == (503, "maintenance")
    assert service.auth().status_code == 200
