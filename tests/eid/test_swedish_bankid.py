"""Swedish BankID: an order is begun, shown, asked after and stopped, and ends in a proof or in a reason (SR-105)."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from idp.eid.connector import Attempt, Failed, Outcome, Pending, Person, Result, Verified, Waiting
from idp.eid.swedish_bankid import SwedishBankId
from tests.eid.swedish_bank import NOW, ROOT, TOLVAN, BankId, Signing, ocsp_response
from tests.eid.swedish_service import BEGUN, Service, running, tls

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI_ON_IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)
CHROME_ON_IPHONE = SAFARI_ON_IPHONE.replace("Version/18.0", "CriOS/140.0.0.0")
CHROME_ON_ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
)


@pytest.fixture(scope="session")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("bankid")) as service:
        yield service


@pytest.fixture
def service(listening: Service) -> Service:
    listening.forget()
    return listening


@pytest.fixture(scope="session")
def made(listening: Service) -> SwedishBankId:
    return SwedishBankId(listening.settings())


@pytest.fixture
def bankid(service: Service, made: SwedishBankId) -> SwedishBankId:
    """It keeps no state, so one serves all."""
    return made


def attempt(**more: Any) -> Attempt:
    given: dict[str, Any] = {
        "transaction_id": "transaction-1",
        "state": "a-state-of-128-bits",
        "callback": "https://id.example.no/eid/swedish-bankid/callback",
        "level": "substantial",
        "flow": "qr",
        "service": "Alumni",
        "locale": "nb",
        "address": "203.0.113.7",
        "user_agent": FIREFOX,
        "device": "d" * 100,
        "now": NOW,
    }
    return Attempt(**{**given, **more})


def started(bankid: SwedishBankId, **more: Any) -> bytes:
    answer = bankid.start(attempt(**more))
    assert isinstance(answer, Waiting)
    return answer.notes


def pending(answer: Result) -> tuple[str, bytes]:
    """The hint and the notes of an order that is not over."""
    assert isinstance(answer, Pending)
    assert answer.notes is not None
    return answer.hint, answer.notes


def after(seconds: float) -> Any:
    return NOW + timedelta(seconds=seconds)


def test_an_order_says_who_asks_from_where_and_what_for(bankid: SwedishBankId, service: Service) -> None:
    started(bankid)

    method, content_type, body = service.asked[-1]
    assert (method, content_type) == ("auth", "application/json")  # a parameter would give 415
    assert body["endUserIp"] == "203.0.113.7"
    assert body["returnUrl"] == "https://id.example.no/eid/swedish-bankid/callback?state=a-state-of-128-bits"
    assert body["returnRisk"] is True
    assert body["requirement"] == {
        "pinCode": False,
        "risk": "low",
        "certificatePolicies": ["1.2.752.78.1.1", "1.2.752.78.1.2", "1.2.752.78.1.5"],
    }
    assert body["web"]["referringDomain"] == "id.example.no"
    assert body["web"]["userAgent"] == FIREFOX
    assert 1 <= len(body["web"]["deviceIdentifier"]) <= 64
    assert len(b64decode(body["userNonVisibleData"])) == 32
    assert b"transaction-1" not in b64decode(body["userNonVisibleData"])


@pytest.mark.parametrize(
    ("locale", "words"),
    [("nb", "bekrefter"), ("nn-NO", "bekrefter"), ("en", "You confirm"), ("sv_SE", "bekräftar"), ("de", "You confirm")],
)
def test_the_app_shows_for_whom_and_what_for(bankid: SwedishBankId, service: Service, locale: str, words: str) -> None:
    started(bankid, locale=locale, service="Alumni\n\nof  Oslo")

    shown = b64decode(service.body("auth")["userVisibleData"]).decode()
    assert words in shown
    assert "Alumni of Oslo" in shown


def test_a_text_stays_within_the_limit_of_the_app(bankid: SwedishBankId, service: Service) -> None:
    started(bankid, service="Å" * 2000, user_agent="u" * 2000, device="")

    body = service.body("auth")
    assert len(body["userVisibleData"]) <= 1500
    assert len(body["web"]["userAgent"]) == 256
    assert "deviceIdentifier" not in body["web"]


def test_a_repeat_proof_is_asked_of_the_one_person(bankid: SwedishBankId, service: Service) -> None:
    started(bankid, expected=Person(country="SE", number=TOLVAN))
    assert service.body("auth")["requirement"]["personalNumber"] == TOLVAN

    started(bankid, expected=Person(country="NO", number="01018012345"))
    assert "personalNumber" not in service.body("auth")["requirement"]


def test_what_is_required_can_be_set(service: Service) -> None:
    settings = service.settings(
        pin_code=True, identity_document=True, risk="moderate", certificate_policies=("1.2.752.78.1.5",)
    )
    started(SwedishBankId(settings))

    assert service.body("auth")["requirement"] == {
        "pinCode": True,
        "mrtd": True,
        "risk": "moderate",
        "certificatePolicies": ["1.2.752.78.1.5"],
    }


def test_a_level_that_nothing_here_reaches_is_not_even_asked_for(bankid: SwedishBankId, service: Service) -> None:
    assert bankid.start(attempt(level="high")) == Failed(Outcome.LEVEL_TOO_LOW, "levels has nothing for this level")
    assert not service.asked


def test_the_qr_code_is_another_every_second(bankid: SwedishBankId) -> None:
    notes = started(bankid)

    codes = [bankid.view(notes, now=after(second + 0.9), locale="nb").qr for second in range(4)]
    assert [code.split(".")[:3] for code in codes if code] == [
        ["bankid", BEGUN["qrStartToken"], str(second)] for second in range(4)
    ]
    assert all(re.fullmatch("[0-9a-f]{64}", code.split(".")[3]) for code in codes if code)
    assert codes[0].endswith("dc69358e712458a66a7525beef148ae8526b1c71610eff2c16cdffb4cdac9bf8")


def test_a_clock_that_goes_back_shows_no_negative_second(bankid: SwedishBankId) -> None:
    assert bankid.view(started(bankid), now=after(-5), locale="nb").qr.split(".")[2] == "0"


@pytest.mark.parametrize(
    ("user_agent", "base"),
    [
        (FIREFOX, "bankid:///"),
        ("", "bankid:///"),
        (SAFARI_ON_IPHONE, "https://app.bankid.com/"),
        (CHROME_ON_IPHONE, "bankid:///"),
        (CHROME_ON_ANDROID, "https://app.bankid.com/"),
        (f"{CHROME_ON_ANDROID} EdgA/140.0.0.0", "https://app.bankid.com/"),
        (f"{CHROME_ON_ANDROID} OPR/90.0", "bankid:///"),
        ("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "bankid:///"),
    ],
)
def test_the_link_is_the_one_that_the_browser_hands_to_the_app(
    bankid: SwedishBankId, user_agent: str, base: str
) -> None:
    shown = bankid.view(started(bankid, user_agent=user_agent, flow="this-device"), now=NOW, locale="nb")

    assert shown.link == f"{base}?autostarttoken={BEGUN['autoStartToken']}&redirect=null"


def test_the_link_can_lead_to_another_app(service: Service) -> None:
    bankid = SwedishBankId(service.settings(app_address="https://phone.example.no/start"))

    link = bankid.view(started(bankid, flow="this-device"), now=NOW, locale="nb").link
    assert link == f"https://phone.example.no/start?autostarttoken={BEGUN['autoStartToken']}&redirect=null"


def test_the_service_is_asked_every_two_seconds_at_most(bankid: SwedishBankId, service: Service) -> None:
    notes = started(bankid)

    for tenths in range(80):
        hint, notes = pending(bankid.poll(notes, now=after(tenths / 10)))
        assert hint == "start-app"

    assert service.count("collect") == 3
    assert service.body("collect") == {"orderRef": BEGUN["orderRef"]}


@pytest.mark.parametrize(
    ("hint_code", "hint", "qr"),
    [
        ("outstandingTransaction", "start-app", True),
        ("noClient", "start-app", False),
        ("started", "searching", False),
        ("userMrtd", "read-document", False),
        ("userSign", "enter-code", False),
        ("userCallConfirm", "in-progress", False),
        ("processing", "in-progress", False),
        ("somethingNew", "in-progress", False),
    ],
)
def test_the_person_hears_how_it_goes(
    bankid: SwedishBankId, service: Service, hint_code: str, hint: str, qr: bool
) -> None:
    notes = started(bankid)
    service.pending(hint_code)

    said, notes = pending(bankid.poll(notes, now=after(3)))
    shown = bankid.view(notes, now=after(4), locale="nb")
    between, _ = pending(bankid.poll(notes, now=after(4)))
    assert said == shown.hint == between == hint
    assert (shown.qr is not None) is qr
    assert shown.link is None


@pytest.mark.parametrize(
    ("hint_code", "outcome"),
    [
        ("expiredTransaction", Outcome.TIMEOUT),
        ("startFailed", Outcome.TIMEOUT),
        ("certificateErr", Outcome.NO_USABLE_ACCOUNT),
        ("notSupportedByUserApp", Outcome.NO_USABLE_ACCOUNT),
        ("userCancel", Outcome.USER_REFUSED),
        ("userDeclinedCall", Outcome.USER_REFUSED),
        ("cancelled", Outcome.IN_PROGRESS),
        ("transactionRiskBlocked", Outcome.RISK_BLOCKED),
        ("somethingNew", Outcome.PROTOCOL_ERROR),
        ("", Outcome.PROTOCOL_ERROR),
    ],
)
def test_an_order_that_failed_has_a_reason(
    bankid: SwedishBankId, service: Service, hint_code: str, outcome: Outcome
) -> None:
    notes = started(bankid)
    service.failed(hint_code)

    answer = bankid.poll(notes, now=after(3))
    assert isinstance(answer, Failed)
    assert answer.outcome is outcome


REFUSALS = [
    (400, "alreadyInProgress", Outcome.IN_PROGRESS),
    (400, "invalidParameters", Outcome.PROTOCOL_ERROR),
    (401, "unauthorized", Outcome.PROVIDER_REJECTED_US),
    (403, "unauthorized", Outcome.PROVIDER_REJECTED_US),
    (404, "notFound", Outcome.PROTOCOL_ERROR),
    (405, "methodNotAllowed", Outcome.PROTOCOL_ERROR),
    (408, "requestTimeout", Outcome.PROVIDER_UNAVAILABLE),
    (415, "unsupportedMediaType", Outcome.PROTOCOL_ERROR),
    (429, "tooManyRequests", Outcome.PROVIDER_UNAVAILABLE),
    (500, "internalError", Outcome.PROVIDER_UNAVAILABLE),
    (503, "Maintenance", Outcome.PROVIDER_UNAVAILABLE),
    (418, "191212121212", Outcome.PROTOCOL_ERROR),
]


@pytest.mark.parametrize(("status", "code", "outcome"), REFUSALS)
def test_a_start_that_is_refused_has_a_reason_without_a_person(
    bankid: SwedishBankId, service: Service, status: int, code: str, outcome: Outcome
) -> None:
    service.refused("auth", status, code)

    answer = bankid.start(attempt())
    assert isinstance(answer, Failed)
    assert answer.outcome is outcome
    assert TOLVAN not in answer.detail  # SR-120: the service's details are about a person
    assert str(status) in answer.detail


@pytest.mark.parametrize(("status", "code", "outcome"), [one for one in REFUSALS if one[0] not in {429, 503}])
def test_a_question_that_is_refused_ends_it(
    bankid: SwedishBankId, service: Service, status: int, code: str, outcome: Outcome
) -> None:
    notes = started(bankid)
    service.refused("collect", status, code)

    answer = bankid.poll(notes, now=after(3))
    assert isinstance(answer, Failed)
    assert answer.outcome is outcome
    assert TOLVAN not in answer.detail


@pytest.mark.parametrize(("status", "code"), [(429, "tooManyRequests"), (503, "maintenance")])
def test_a_service_that_is_busy_is_asked_again_ever_later_and_three_times_only(
    bankid: SwedishBankId, service: Service, status: int, code: str
) -> None:
    notes = started(bankid)
    service.refused("collect", status, code)

    asked = []
    for tenths in range(200):
        answer = bankid.poll(notes, now=after(tenths / 10))
        asked.append(service.count("collect"))
        if isinstance(answer, Failed):
            break
        _, notes = pending(answer)

    assert answer == Failed(Outcome.PROVIDER_UNAVAILABLE, f"collect: it said {status}")
    moments = [asked.index(count) for count in (1, 2, 3)]
    assert moments[2] - moments[1] > moments[1] - moments[0] >= 20


def test_one_question_without_an_answer_ends_nothing(bankid: SwedishBankId, service: Service) -> None:
    notes = started(bankid)
    service.refused("collect", 503, "maintenance")
    _, notes = pending(bankid.poll(notes, now=after(3)))
    service.pending("userSign")

    assert pending(bankid.poll(notes, now=after(6)))[0] == "enter-code"


@pytest.mark.parametrize(
    "said",
    [
        b"", b"{", b"[]", b"null", b'{"orderRef": 1}', b"[" * 100_000, b"\xff",
        b'{"orderRef": "131daac9-16c6-4618-beb0-365768f37288", "status": "done"}',
        b'{"orderRef": "131daac9-16c6-4618-beb0-365768f37288", "status": "complete"}',
        b'{"orderRef": "131daac9-16c6-4618-beb0-365768f37288", "status": "complete", "completionData": {}}',
        b'{"orderRef": "131daac9-16c6-4618-beb0-365768f37288", "status": "pending", "status": "pending"}',
        b'{"orderRef": "00000000-16c6-4618-beb0-365768f37288", "status": "pending", "hintCode": "userSign"}',
    ],
)  # fmt: skip
def test_an_answer_of_another_form_proves_nothing(bankid: SwedishBankId, service: Service, said: bytes) -> None:
    notes = started(bankid)
    service.will("collect", (200, said))
    service.will("auth", (200, said))

    answers = [bankid.poll(notes, now=after(3)), bankid.start(attempt())]
    assert [answer.outcome for answer in answers if isinstance(answer, Failed)] == [Outcome.PROTOCOL_ERROR] * 2


@pytest.mark.parametrize("name", BEGUN)
@pytest.mark.parametrize("value", ["", "å" * 36, "67df3917&redirect=http://localhost/", "a" * 65, None, 7])
def test_an_order_whose_tokens_are_no_tokens_is_not_shown(
    bankid: SwedishBankId, service: Service, name: str, value: Any
) -> None:
    service.will("auth", (200, {**BEGUN, name: value}))

    assert bankid.start(attempt()) == Failed(Outcome.PROTOCOL_ERROR, "auth: an answer of another form")


def test_members_that_are_new_are_left_aside(bankid: SwedishBankId, service: Service) -> None:
    service.will("auth", (200, {**BEGUN, "new": {"a": 1}}))
    notes = started(bankid)
    said = {"orderRef": BEGUN["orderRef"], "status": "pending", "hintCode": "userSign", "new": [1]}
    service.will("collect", (200, said))

    assert isinstance(bankid.poll(notes, now=after(3)), Pending)


def test_a_return_from_the_app_is_remembered_and_asks_as_ever(bankid: SwedishBankId, service: Service) -> None:
    notes = started(bankid)

    _, early = pending(bankid.returned(notes, {"state": "a-state-of-128-bits"}, now=after(1)))
    assert not service.count("collect")
    assert msgspec.json.decode(early)["returned"] is True
    _, later = pending(bankid.poll(early, now=after(3)))
    assert service.count("collect") == 1
    assert msgspec.json.decode(later)["returned"] is True


def signed_by(service: Service, bank_id: BankId, **more: Any) -> dict[str, Any]:
    """What the service says when the person has signed what we asked for."""
    asked = service.body("auth")
    parts = {"visible": asked["userVisibleData"], "non_visible": asked["userNonVisibleData"], "bank_id": bank_id}
    signature = Signing(**{**parts, **more}).signature()
    return {
        "user": {
            "personalNumber": bank_id.number,
            "name": f"{bank_id.given_name} {bank_id.surname}",
            "givenName": bank_id.given_name,
            "surname": bank_id.surname,
        },
        "device": {"ipAddress": "198.51.100.9", "uhi": "OZvYM9VvyiAmG7NA5jU5zqGcVpo="},
        "bankIdIssueDate": "2026-01-02Z",
        "signature": signature,
        "ocspResponse": ocsp_response(signature, bank_id),
        "risk": "low",
        "new": "member",
    }


def test_a_complete_order_is_a_proof(bankid: SwedishBankId, service: Service) -> None:
    notes = started(bankid, expected=Person(country="SE", number=TOLVAN))
    service.complete(signed_by(service, BankId()), new=1)

    answer = bankid.poll(notes, now=after(20))
    assert isinstance(answer, Verified)
    assert (answer.country, answer.number) == ("SE", TOLVAN)
    assert bankid.levels[answer.claimed_level] == "substantial"


def test_a_return_to_a_complete_order_is_a_proof(bankid: SwedishBankId, service: Service) -> None:
    notes = started(bankid)
    service.complete(signed_by(service, BankId()))

    assert isinstance(bankid.returned(notes, {"state": "a-state-of-128-bits"}, now=after(20)), Verified)


def test_the_order_of_another_attempt_or_person_is_none(bankid: SwedishBankId, service: Service) -> None:
    notes = started(bankid, expected=Person(country="SE", number=TOLVAN))
    other = signed_by(service, BankId(number="197802031232"))
    started(bankid, transaction_id="transaction-2")
    another_attempt = signed_by(service, BankId())

    service.complete(other)
    mismatch = bankid.poll(notes, now=after(20))
    service.complete(another_attempt)
    moved = bankid.poll(notes, now=after(20))
    assert mismatch == Failed(Outcome.PERSON_MISMATCH, "another person")
    assert moved == Failed(Outcome.PROOF_INVALID, "transaction")


def test_an_order_is_stopped_and_nothing_is_raised(bankid: SwedishBankId, service: Service, tmp_path: Path) -> None:
    notes = started(bankid)

    bankid.cancel(notes)
    assert service.body("cancel") == {"orderRef": BEGUN["orderRef"]}
    service.refused("cancel", 400, "invalidParameters")
    bankid.cancel(notes)
    SwedishBankId(service.settings(url="https://127.0.0.1:1/rp/v6.0/")).cancel(notes)


def test_a_service_that_cannot_be_reached_is_unavailable(service: Service) -> None:
    answer = SwedishBankId(service.settings(url="https://127.0.0.1:1/rp/v6.0/")).start(attempt())

    assert answer == Failed(Outcome.PROVIDER_UNAVAILABLE, "auth: ConnectError")


def test_a_service_that_another_root_vouches_for_is_not_spoken_to(service: Service, tmp_path: Path) -> None:
    (tmp_path / "other.pem").write_bytes(ROOT.pem)

    answer = SwedishBankId(service.settings(server_root_file=str(tmp_path / "other.pem"))).start(attempt())
    assert isinstance(answer, Failed)
    assert answer.outcome is Outcome.PROVIDER_UNAVAILABLE
    assert not service.asked


def test_no_secret_of_an_order_is_printed_or_shown(bankid: SwedishBankId) -> None:
    """SR-120, and §3.4 of the protocol: `qrStartSecret` and `orderRef` stay on the server."""
    answer = bankid.start(attempt())
    notes = answer.notes
    shown = bankid.view(notes, now=NOW, locale="nb")

    printed = f"{answer!r} {shown!r} {bankid.poll(notes, now=NOW)!r}"
    assert not any(secret in printed for secret in BEGUN.values())
    assert BEGUN["qrStartSecret"] not in f"{shown.qr} {shown.link}"
    assert BEGUN["orderRef"] not in f"{shown.qr} {shown.link}"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("url", "http://appapi2.bankid.com/rp/v6.0/"),
        ("url", "https://appapi2.test.bankid.com/rp/v6.0/"),
        ("certificate_policies", ()),
        ("certificate_policies", ("1.2.752.78.1.*",)),
        ("certificate_policies", ("1.2.752.78.1.5", "1.2.3.4.25")),
        ("app_address", "http://localhost/start"),
        ("levels", {"signed": "highest"}),
        ("levels", {"QUALIFIED": "high"}),
    ],
)
def test_a_setting_that_cannot_be_right_stops_the_start(service: Service, key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=key):
        SwedishBankId(service.settings(**{key: value}))


def test_what_is_for_test_people_is_for_loopback_only(service: Service, tmp_path: Path) -> None:
    """SR-105: test trust roots are refused in production."""
    name = "Test BankID Root CA v1 Test"
    file = tmp_path / "test-root.pem"
    file.write_bytes(tls(name, issuer=name, authority=True).public_bytes(Encoding.PEM))
    for key in ("person_roots_file", "server_root_file"):
        settings = service.settings(**{key: str(file)})
        with pytest.raises(ValueError, match="test") as refused:
            SwedishBankId(settings)
        assert key in str(refused.value)
        SwedishBankId(settings, loopback=True)
    SwedishBankId(service.settings(certificate_policies=("1.2.3.4.25",)), loopback=True)


def test_a_link_that_was_passed_on_proves_nothing(bankid: SwedishBankId, service: Service) -> None:
    """SR-105: until this very browser has come back from the app, the order is not even asked about."""
    notes = started(bankid, flow="this-device")

    for seconds in range(0, 200, 5):
        _, notes = pending(bankid.poll(notes, now=after(seconds)))
    assert service.count("collect") == 0
    assert bankid.view(notes, now=NOW, locale="nb").qr is None
