"""A complete order of Swedish BankID counts only when every check holds (SR-105)."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.x509 import ocsp

from idp.eid.connector import Outcome, Verified
from idp.eid.swedish_bankid_order import OUTSTANDING, Order, non_visible, visible
from idp.eid.swedish_bankid_proof import Completion, Proof
from idp.eid.swedish_bankid_service import Refused
from idp.eid.swedish_bankid_settings import SwedishBankIdSettings
from tests.eid.swedish_bank import (
    CUSTOMERS,
    NOW,
    ROOT,
    STRANGER,
    STRANGERS_BANK,
    STRANGERS_CUSTOMERS,
    TOLVAN,
    BankId,
    Signing,
    ocsp_response,
)

ANOTHER = "197802031232"
ORDER = Order(
    order_ref="131daac9-16c6-4618-beb0-365768f37288",
    auto_start_token="7c40b5c9-fa74-49cf-b98c-bfe651f9a7c6",
    qr_start_token="67df3917-fa0d-44e5-b327-edcc928297f8",
    qr_start_secret="d28db9a7-4cde-429e-a983-359be676944c",
    started_at=NOW.timestamp(),
    visible=visible("Alumni", "nb"),
    non_visible=non_visible("transaction-1"),
    expected=None,
    address="203.0.113.7",
    universal=False,
    flow="qr",
    ask_after=NOW.timestamp(),
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> SwedishBankIdSettings:
    file = tmp_path_factory.mktemp("roots") / "roots.pem"
    file.write_bytes(ROOT.pem)
    return SwedishBankIdSettings(server_root_file="", client_file="", person_roots_file=str(file))


@dataclass
class Case:
    """A good order, until a test changes a part of it."""

    settings: SwedishBankIdSettings
    bank_id: BankId = field(default_factory=BankId)
    order: Order = ORDER
    signing: Mapping[str, Any] = field(default_factory=dict)
    response: Mapping[str, Any] = field(default_factory=dict)
    said: Mapping[str, Any] = field(default_factory=dict)
    user: Mapping[str, Any] = field(default_factory=dict)
    now: datetime = NOW

    def with_settings(self, **more: Any) -> Case:
        self.settings = msgspec.structs.replace(self.settings, **more)
        return self

    def expecting(self, country: str, number: str | None) -> Case:
        self.order = msgspec.structs.replace(self.order, expected=(country, number))
        return self

    def completion(self) -> Completion:
        parts = {"visible": ORDER.visible, "non_visible": ORDER.non_visible, "bank_id": self.bank_id, **self.signing}
        signature = Signing(**parts).signature()
        data = {
            "user": {
                "personalNumber": self.bank_id.number,
                "name": "Tolvan Tolvansson",
                "givenName": self.bank_id.given_name,
                "surname": self.bank_id.surname,
                **self.user,
            },
            "device": {"ipAddress": "198.51.100.9", "uhi": "OZvYM9VvyiAmG7NA5jU5zqGcVpo="},
            "bankIdIssueDate": "2026-01-02Z",
            "stepUp": None,
            "signature": signature,
            "risk": "low",
            "ocspResponse": ocsp_response(signature, self.bank_id, **{"at": self.now, **self.response}),
            **self.said,
        }
        return msgspec.convert({name: value for name, value in data.items() if value != "missing"}, Completion)

    def verified(self) -> Verified:
        return Proof(self.settings).verified(self.order, self.completion(), now=self.now)

    def refusal(self) -> tuple[Outcome, str]:
        with pytest.raises(Refused) as refused:
            self.verified()
        failed = refused.value.failed
        assert self.bank_id.number not in failed.detail  # SR-120
        return failed.outcome, failed.detail


@pytest.fixture
def case(settings: SwedishBankIdSettings) -> Case:
    return Case(settings)


def test_a_good_order_says_who_it_is(case: Case) -> None:
    said = case.verified()

    assert (said.country, said.number, said.reference) == ("SE", TOLVAN, None)
    assert (said.given_name, said.family_name) == ("Tolvan", "Tolvansson")
    assert said.birthdate == date(1912, 12, 12)
    assert said.claimed_level == "signed"
    assert said.amr == ("swk", "pop", "mfa")
    assert said.at == NOW
    assert said.evidence["type"] == "electronic_signature"
    assert said.evidence["signature_type"] == "bankid_xmldsig"
    assert said.evidence["issuer"] == CUSTOMERS.name
    assert int(said.evidence["serial_number"], 16) == case.bank_id.certificate.serial_number


def test_a_code_that_was_required_is_named(case: Case) -> None:
    assert case.with_settings(pin_code=True).verified().amr == ("swk", "pop", "pin", "mfa")


def test_no_person_is_printed(case: Case) -> None:
    printed = f"{case.verified()!r} {case.completion()!r} {case.completion().user!r} {case.order!r}"

    assert not any(word in printed for word in (TOLVAN, "Tolvan", "198.51.100.9", ORDER.qr_start_secret))


def test_the_repeat_proof_of_the_same_person_counts(case: Case) -> None:
    assert case.expecting("SE", TOLVAN).verified().number == TOLVAN


@pytest.mark.parametrize(("country", "number"), [("SE", ANOTHER), ("NO", TOLVAN), ("SE", None), ("SE", "")])
def test_the_repeat_proof_of_another_person_does_not(case: Case, country: str, number: str | None) -> None:
    assert case.expecting(country, number).refusal() == (Outcome.PERSON_MISMATCH, "another person")


@pytest.mark.parametrize(
    ("bank_id", "check"),
    [
        (BankId(policy="1.2.3.4.5"), "certificate: policy"),
        (BankId(policy="1.2.752.78.1.55"), "certificate: policy"),
        (BankId(policy=None), "certificate: policy"),
        (BankId(for_signatures=False), "certificate: usage"),
        (BankId(number="191212121213"), "number"),
        (BankId(number="1212121212"), "number"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_certificate_that_is_not_for_this_is_refused(case: Case, bank_id: BankId, check: str) -> None:
    case.bank_id = bank_id
    assert case.refusal() == (Outcome.PROOF_INVALID, check)


@pytest.mark.parametrize(
    "bank_id",
    [
        BankId(ends=NOW - timedelta(minutes=2)),
        BankId(begins=NOW + timedelta(minutes=2)),
        BankId(issuer=STRANGERS_CUSTOMERS),
        BankId(issuer=STRANGERS_BANK),
        BankId(issuer=STRANGER),
    ],
    ids=["expired", "not yet", "another root, same names", "a shorter path", "straight from another root"],
)
def test_a_certificate_without_a_good_path_to_our_root_is_refused(case: Case, bank_id: BankId) -> None:
    case.bank_id = bank_id
    case.response = {"responder_issuer": bank_id.issuer}
    outcome, detail = case.refusal()
    assert outcome is Outcome.PROOF_INVALID
    assert detail.startswith("path")


@pytest.mark.parametrize("name", ["personalNumber", "givenName", "surname"])
def test_what_the_service_says_must_be_what_the_certificate_says(case: Case, name: str) -> None:
    case.user = {name: ANOTHER}
    assert case.refusal() == (Outcome.PROOF_INVALID, "certificate: person")


@pytest.mark.parametrize(
    ("signing", "check"),
    [
        ({"function": "Signing"}, "function"),
        ({"non_visible": non_visible("transaction-2")}, "transaction"),
        ({"non_visible": ""}, "transaction"),
        ({"visible": visible("Another", "nb")}, "text"),
        ({"visible": ""}, "text"),
    ],
)
def test_a_signature_over_something_else_is_refused(case: Case, signing: dict[str, str], check: str) -> None:
    case.signing = signing
    assert case.refusal() == (Outcome.PROOF_INVALID, check)


@pytest.mark.parametrize("change", ["A", "*", "\n"])
def test_a_broken_signature_is_refused(case: Case, change: str) -> None:
    good = case.completion().signature
    middle = len(good) // 2
    case.said = {"signature": f"{good[:middle]}{change}{good[middle + 1 :]}"}
    outcome, detail = case.refusal()
    assert outcome is Outcome.PROOF_INVALID
    assert detail.startswith("signature: ")


def _bound(signature: str, more: bytes) -> bytes:
    return hashlib.sha1(signature.encode()).digest() + more  # noqa: S324 - the format's own choice


def test_the_responder_must_speak_of_this_signature(case: Case) -> None:
    good = case.completion().signature
    nonces = (
        b"\x00" * 32,
        _bound(good, b""),
        _bound(good, b"\x00" * 11),
        _bound("another", b"\x00" * 12),
        b"\x00" * 12 + _bound(good, b""),
    )
    for nonce in nonces:
        case.response = {"nonce": nonce}
        outcome, detail = case.refusal()
        assert outcome is Outcome.PROOF_INVALID
        assert detail.startswith("revocation")


def test_the_responder_must_speak_of_this_certificate(case: Case) -> None:
    good = case.completion()
    other = BankId(number=ANOTHER, given_name="Another")
    case.said = {"signature": good.signature, "ocspResponse": ocsp_response(good.signature, other)}
    assert case.refusal()[0] is Outcome.REVOCATION_UNKNOWN


def test_a_responder_of_somebody_else_is_not_believed(case: Case) -> None:
    case.response = {"responder_issuer": STRANGERS_CUSTOMERS}
    assert case.refusal()[0] is Outcome.REVOCATION_UNKNOWN


@pytest.mark.parametrize("text", ["", "*", b64encode(b"no DER").decode(), "A" * 100_000])
def test_what_is_no_response_is_refused(case: Case, text: str) -> None:
    case.said = {"ocspResponse": text}
    outcome, _ = case.refusal()
    assert outcome in {Outcome.PROOF_INVALID, Outcome.REVOCATION_UNKNOWN}


def test_a_revoked_certificate_is_refused(case: Case) -> None:
    case.response = {"status": ocsp.OCSPCertStatus.REVOKED}
    assert case.refusal()[0] is Outcome.REVOKED


def test_a_certificate_nobody_knows_is_refused(case: Case) -> None:
    case.response = {"status": ocsp.OCSPCertStatus.UNKNOWN}
    assert case.refusal()[0] is Outcome.REVOCATION_UNKNOWN


def test_an_old_response_is_refused(case: Case) -> None:
    case.response = {"at": NOW - timedelta(days=1)}
    assert case.refusal()[0] is Outcome.REVOCATION_UNKNOWN


@pytest.mark.parametrize(
    ("risk", "accepted", "counts"),
    [
        ("low", "low", True),
        ("LOW", "low", True),
        ("moderate", "low", False),
        ("moderate", "moderate", True),
        ("low", "MODERATE", True),
        ("high", "moderate", False),
        ("unheard", "moderate", False),
        ("", "moderate", False),
    ],
)
def test_the_risk_must_be_one_that_is_accepted(case: Case, risk: str, accepted: str, counts: bool) -> None:
    case.with_settings(risk=accepted).said = {"risk": risk}
    if counts:
        case.verified()
    else:
        assert case.refusal() == (Outcome.RISK_BLOCKED, "risk")


@pytest.mark.parametrize("said", [None, "missing"])
@pytest.mark.parametrize(
    ("setting", "first", "repeat"),
    [("refuse", False, False), ("refuse-on-repeat", True, False), ("accept", True, True)],
)
def test_an_order_without_a_risk_counts_as_the_settings_say(
    case: Case, said: Any, setting: str, first: bool, repeat: bool
) -> None:
    case.with_settings(missing_risk=setting).said = {"risk": said}
    for counts in (first, repeat):
        if counts:
            case.verified()
        else:
            assert case.refusal() == (Outcome.RISK_BLOCKED, "risk")
        case.expecting("SE", TOLVAN)


@pytest.mark.parametrize(
    ("address", "returned", "required", "counts"),
    [
        ("198.51.100.9", True, True, False),
        ("198.51.100.9", True, False, True),
        ("198.51.100.9", False, True, True),
        ("203.0.113.7", True, True, True),
        ("::ffff:203.0.113.7", True, True, True),
        ("2001:db8::7", True, True, False),
        ("nowhere", True, True, False),
    ],
)
def test_who_comes_back_from_the_app_may_have_to_be_where_they_started(
    case: Case, address: str, returned: bool, required: bool, counts: bool
) -> None:
    case.with_settings(require_same_address=required).said = {"device": {"ipAddress": address}}
    case.order = msgspec.structs.replace(case.order, returned=returned, hint_code=OUTSTANDING)
    if counts:
        case.verified()
    else:
        assert case.refusal() == (Outcome.BROWSER_MISMATCH, "address")


@pytest.mark.parametrize(("step_up", "counts"), [({"mrtd": True}, True), ({"mrtd": False}, False), (None, False)])
def test_an_identity_document_that_was_required_must_have_been_read(case: Case, step_up: Any, counts: bool) -> None:
    case.with_settings(identity_document=True).said = {"stepUp": step_up}
    if counts:
        case.verified()
    else:
        assert case.refusal() == (Outcome.LEVEL_TOO_LOW, "identity document")


def test_the_published_signature_counts_for_nothing_today(case: Case) -> None:
    """It is well-formed and its certificate expired: the path ends it, long before the person is looked at."""
    vectors = msgspec.json.decode((Path(__file__).parent / "vectors.json").read_bytes())["vectors"]
    published = next(one for one in vectors if one["kind"] == "se_bankid_signature")["input"]["signature_b64"]
    assert b64decode(published)
    case.said = {"signature": published}
    outcome, detail = case.refusal()
    assert outcome is Outcome.PROOF_INVALID
    assert detail.startswith("path")
