"""Smart-ID over real sockets: what proves somebody, and every fault that proves nobody (SR-105)."""

from __future__ import annotations

import json
import ssl
from base64 import b64decode
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from idp.eid.connector import Attempt, Failed, Outcome, Pending, Person, Result, Verified, Waiting
from idp.eid.smart_id import SmartId
from idp.eid.smart_id_settings import SmartIdSettings
from relying_party_demo.outside.eid import clock, smart_id
from relying_party_demo.outside.eid.people import SMART, find
from relying_party_demo.outside.eid.script import Instruction, Script
from relying_party_demo.outside.eid.smart_id_answers import document_of
from relying_party_demo.outside.eid.smart_id_requests import NAME, UUID

found = find("36608300204")
assert found is not None
MART = found
AGAIN = Person(country="EE", number=MART.number, reference=document_of(MART))


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[smart_id.SmartId]:
    """Smart-ID, with its issuer; its keys are made once for all tests."""
    made = smart_id.SmartId(Script(), tmp_path_factory.mktemp("smart-id"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "offset", 0.0)


def settings(simulator: smart_id.SmartId, **more: Any) -> SmartIdSettings:
    files = {f"{name.replace('-', '_')}_file": str(simulator.issuer.file(name))
             for name in ("api-roots", "person-roots", "person-authorities")}  # fmt: skip
    given: dict[str, Any] = {
        "relying_party_uuid": UUID,
        "relying_party_name": NAME,
        "url": simulator.url,
        "scheme_name": "smart-id-demo",
        **files,
    }
    return SmartIdSettings(**{**given, **more})


@pytest.fixture(scope="module")
def smart(simulator: smart_id.SmartId) -> SmartId:
    """The connector. It keeps no state, so one serves all."""
    return SmartId(settings(simulator), loopback=True)


def attempt(**more: Any) -> Attempt:
    given: dict[str, Any] = {
        "transaction_id": "transaction-1",
        "state": "a-state-of-128-bits",
        "callback": "https://id.example.no/eid/smart-id/return",
        "level": "substantial",
        "flow": "device-link",
        "service": "Alumni",
        "locale": "nb",
        "address": "127.0.0.1",
        "now": clock.now(),
    }
    return Attempt(**{**given, **more})


def begun(smart: SmartId, **more: Any) -> bytes:
    answer = smart.start(attempt(**more))
    assert isinstance(answer, Waiting), answer
    return answer.notes


def until_over(smart: SmartId, notes: bytes, *, tries: int = 8) -> Result:
    """Ask as the waiting page does."""
    for _ in range(tries):
        clock.offset += 2
        answer = smart.poll(notes, now=clock.now())
        if not isinstance(answer, Pending):
            return answer
        notes = answer.notes or notes
    return answer


def proved(smart: SmartId, simulator: smart_id.SmartId, said: Instruction, **more: Any) -> Result:
    simulator.script.say(SMART, said)
    answer = smart.start(attempt(**more))
    return until_over(smart, answer.notes) if isinstance(answer, Waiting) else answer  # type: ignore[return-value]


# What proves somebody


def test_a_code_on_the_page_is_read_by_an_app(smart: SmartId, simulator: smart_id.SmartId) -> None:
    notes = begun(smart)
    view = smart.view(notes, now=clock.now(), locale="nb")
    assert view.qr is not None
    session = simulator.scan(view.qr)
    assert simulator.waiting()[-1].text == "Bekreft hvem du er hos Alumni"
    assert simulator.act(session, MART.number, "approve") is None
    answer = until_over(smart, notes)

    assert isinstance(answer, Verified)
    assert (answer.country, answer.number, answer.reference) == ("EE", MART.number, document_of(MART))
    assert (answer.given_name, answer.family_name, answer.birthdate) == ("Mart", "Tamm", MART.birthdate)
    assert (answer.claimed_level, set(answer.amr)) == ("QUALIFIED", {"pin", "pop", "mfa"})


def test_an_old_code_is_dead(smart: SmartId, simulator: smart_id.SmartId) -> None:
    notes = begun(smart)
    old = str(smart.view(notes, now=clock.now(), locale="nb").qr)
    clock.offset += 10
    with pytest.raises(ValueError, match="not of now"):
        simulator.scan(old)
    simulator.scan(str(smart.view(notes, now=clock.now(), locale="nb").qr))
    with pytest.raises(ValueError, match="authCode"):
        simulator.scan(old.replace("elapsedSeconds=0", "elapsedSeconds=10"))
    clock.offset += 60
    assert smart.view(notes, now=clock.now(), locale="nb").qr is None


def on_this_device(smart: SmartId, simulator: smart_id.SmartId, fault: str | None = None) -> tuple[bytes, str]:
    """The link opens the app, the person approves; the notes, and the address the app opens."""
    notes = begun(smart)
    session = simulator.scan(str(smart.view(notes, now=clock.now(), locale="nb").link))
    back = simulator.act(session, MART.number, "approve", fault=fault)
    assert back is not None
    return notes, back


def returned(smart: SmartId, notes: bytes, back: str) -> Result:
    return smart.returned(notes, dict(parse_qsl(urlsplit(back).query)), now=clock.now())


def test_the_link_on_the_page_opens_an_app_that_leads_back(smart: SmartId, simulator: smart_id.SmartId) -> None:
    notes, back = on_this_device(smart, simulator)

    assert isinstance(until_over(smart, notes, tries=2), Pending)  # not before the browser has come back
    assert isinstance(returned(smart, notes, back), Verified)


@pytest.mark.parametrize("fault", ["callback-other-digest", "callback-other-verifier"])
def test_a_callback_that_does_not_know_the_session_proves_nothing(
    smart: SmartId, simulator: smart_id.SmartId, fault: str
) -> None:
    notes, back = on_this_device(smart, simulator, fault)
    answer = returned(smart, notes, back)

    assert isinstance(answer, Failed)
    assert answer.outcome is Outcome.PROOF_INVALID


def test_a_callback_for_a_code_that_was_read_proves_nothing(smart: SmartId, simulator: smart_id.SmartId) -> None:
    notes = begun(smart)
    session = simulator.scan(str(smart.view(notes, now=clock.now(), locale="nb").qr))
    simulator.act(session, MART.number, "approve")
    _, other = on_this_device(smart, simulator)

    assert isinstance(returned(smart, notes, other), Failed)
    assert isinstance(returned(smart, notes, "https://id.example.no/eid/smart-id/return?state=x"), Failed)


def test_a_push_shows_its_code_before_it_is_sent(smart: SmartId, simulator: smart_id.SmartId) -> None:
    sent = len(simulator.requests)
    notes = begun(smart, flow="notification", expected=AGAIN)
    code = smart.view(notes, now=clock.now(), locale="nb").code
    first = smart.poll(notes, now=clock.now())
    assert isinstance(first, Pending)
    assert len(simulator.requests) == sent
    clock.offset += 4
    pushed = smart.poll(notes, now=clock.now())
    assert isinstance(pushed, Pending)
    assert pushed.notes is not None
    waiting = simulator.waiting()[-1]
    assert (waiting.code, waiting.asked_for) == (code, MART.number)
    simulator.act(waiting.id, MART.number, "approve")

    assert isinstance(until_over(smart, pushed.notes), Verified)


def test_a_push_is_never_sent_to_a_stranger(smart: SmartId, simulator: smart_id.SmartId) -> None:
    answer = smart.start(attempt(flow="notification", expected=Person(country="EE", number=MART.number)))

    assert isinstance(answer, Failed)
    assert simulator.waiting() == [] or simulator.waiting()[-1].asked_for != MART.number


@pytest.mark.parametrize("algorithm", ["SHA-256", "SHA-512", "SHA3-384"])
def test_each_hash_that_can_be_asked_for_is_held_to(simulator: smart_id.SmartId, algorithm: str) -> None:
    smart = SmartId(settings(simulator, hash_algorithm=algorithm), loopback=True)

    assert isinstance(proved(smart, simulator, Instruction(MART.number)), Verified)


# What people do not do


@pytest.mark.parametrize(
    ("outcome", "ends"),
    [
        ("refuse", Outcome.USER_REFUSED),
        ("wrong-code", Outcome.WRONG_CODE_CHOSEN),
        ("timeout", Outcome.TIMEOUT),
    ],
)
def test_what_the_person_does_not_do_has_a_reason(
    smart: SmartId, simulator: smart_id.SmartId, outcome: str, ends: Outcome
) -> None:
    answer = proved(smart, simulator, Instruction(MART.number, outcome=outcome))

    assert isinstance(answer, Failed)
    assert answer.outcome is ends


def test_a_session_that_nobody_answers_runs_out(smart: SmartId, simulator: smart_id.SmartId) -> None:
    notes = begun(smart)
    clock.offset += 181
    answer = smart.poll(notes, now=clock.now())
    assert isinstance(answer, Failed)
    assert answer.outcome is Outcome.TIMEOUT


# Every fault

REFUSED, AWAY, WRONG = Outcome.USER_REFUSED, Outcome.PROVIDER_UNAVAILABLE, Outcome.PROOF_INVALID
ENDS = {
    "end-USER_REFUSED_INTERACTION": REFUSED,
    "end-USER_REFUSED_CERT_CHOICE": REFUSED,
    "end-DOCUMENT_UNUSABLE": Outcome.NO_USABLE_ACCOUNT,
    "end-ACCOUNT_UNUSABLE": Outcome.NO_USABLE_ACCOUNT,
    "end-REQUIRED_INTERACTION_NOT_SUPPORTED_BY_APP": Outcome.NO_USABLE_ACCOUNT,
    "end-PROTOCOL_FAILURE": Outcome.PROTOCOL_ERROR,
    "end-SERVER_ERROR": AWAY,
    "end-EXPECTED_LINKED_SESSION": Outcome.PROTOCOL_ERROR,
    "end-SOMETHING_NEW": Outcome.PROTOCOL_ERROR,
    "http-400": Outcome.PROTOCOL_ERROR,
    "http-401": Outcome.PROVIDER_REJECTED_US,
    "http-403": Outcome.PROVIDER_REJECTED_US,
    "http-404": Outcome.NO_USABLE_ACCOUNT,
    "http-471": Outcome.NO_USABLE_ACCOUNT,
    "http-472": Outcome.NO_USABLE_ACCOUNT,
    "http-480": Outcome.PROVIDER_REJECTED_US,
    "http-500": AWAY,
    "http-580": AWAY,
    "start-no-json": Outcome.PROTOCOL_ERROR,
    "session-404": Outcome.TIMEOUT,
    "session-500": AWAY,
    "other-person": Outcome.PERSON_MISMATCH,
    "nq-as-qualified": Outcome.LEVEL_TOO_LOW,
    "wrong-policy": Outcome.LEVEL_TOO_LOW,
    "signing-certificate": Outcome.LEVEL_TOO_LOW,
    "level-advanced": Outcome.LEVEL_TOO_LOW,
    "revoked": Outcome.REVOKED,
    "ocsp-unknown": Outcome.REVOCATION_UNKNOWN,
    "ocsp-stale": Outcome.REVOCATION_UNKNOWN,
    "ocsp-other-nonce": Outcome.REVOCATION_UNKNOWN,
    "ocsp-away": Outcome.REVOCATION_UNKNOWN,
    "no-signature": Outcome.PROTOCOL_ERROR,
}
"""How each fault ends that is not simply a wrong proof; walked in test_each_fault_to_the_page."""

HARMLESS = ("old-profile", "extra-fields")
ON_THE_WAY_BACK = ("callback-other-digest", "callback-other-verifier")


@pytest.mark.parametrize("fault", HARMLESS)
def test_what_is_new_or_old_and_right_is_taken(smart: SmartId, simulator: smart_id.SmartId, fault: str) -> None:
    assert isinstance(proved(smart, simulator, Instruction(MART.number, fault=fault)), Verified)


def test_another_person_is_somebody_else_even_when_nobody_was_asked_for(
    smart: SmartId, simulator: smart_id.SmartId
) -> None:
    answer = proved(smart, simulator, Instruction(MART.number, fault="other-person"))

    assert isinstance(answer, Verified)
    assert answer.number != MART.number


# What stops the start


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({}, "person_roots_file|api_roots_file|scheme_name"),
        ({"scheme_name": "smart-id", "relying_party_uuid": "11111111-0000-4000-8000-000000000001"}, "roots_file"),
        ({"url": "http://rp-api.smart-id.com/v3/"}, "url"),
        ({"levels": {"ADVANCED": "substantial"}}, "levels"),
        ({"policies": ()}, "policies"),
    ],
    ids=["demo", "test-anchors", "http", "advanced", "no-policy"],
)
def test_unsafe_settings_stop_the_start(simulator: smart_id.SmartId, change: dict[str, Any], key: str) -> None:
    with pytest.raises(ValueError, match=key):
        SmartId(settings(simulator, **change), loopback=False)


def test_only_the_pinned_roots_are_trusted(simulator: smart_id.SmartId) -> None:
    other = SmartId(settings(simulator, api_roots_file=str(simulator.issuer.file("person-roots"))), loopback=True)
    answer = other.start(attempt())

    assert isinstance(answer, Failed)
    assert answer.outcome is AWAY


# No kinder than the real service


def test_the_simulator_refuses_what_the_service_refuses(smart: SmartId, simulator: smart_id.SmartId) -> None:
    begun(smart)
    good = simulator.requests[-1][1]
    told = json.loads(b64decode(good["interactions"]))
    assert [set(one) for one in told] == [{"type", "displayText200"}, {"type", "displayText60"}]
    bad: list[tuple[dict[str, Any], int]] = [
        ({"relyingPartyUUID": "x"}, 401),
        ({"relyingPartyName": "OTHER"}, 401),
        ({"certificateLevel": "ADVANCED"}, 403),
        ({"signatureProtocol": "ACSP_V1"}, 400),
        ({"interactions": ""}, 400),
        ({"nonce": "x"}, 400),
        ({"initialCallbackUrl": "http://id.example.no/x"}, 400),
        ({"signatureProtocolParameters": {**good["signatureProtocolParameters"], "rpChallenge": "short"}}, 400),
    ]
    verify = str(simulator.issuer.file("api-roots"))
    with httpx.Client(verify=ssl.create_default_context(cafile=verify), base_url=simulator.url) as http:
        for change, status in bad:
            assert http.post("authentication/device-link/anonymous", json={**good, **change}).status_code == status
        assert http.post("authentication/notification/document/PNOEE-1-X-Q", json=good).status_code == 400
        assert http.get("session/unknown?timeoutMs=1000").status_code == 404
        assert http.get("session/unknown?timeoutMs=10").status_code == 400
