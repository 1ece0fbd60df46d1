"""Smart-ID against a service that says whatever a test wants: only what is wholly right proves anybody (SR-105)."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from idp.eid import smart_id_formulas as formulas
from idp.eid.connector import Attempt, Failed, Outcome, Pending, Person, Result, Verified, Waiting
from idp.eid.smart_id import SmartId
from tests.eid.smart_id_service import (
    AUTHENTICATION,
    CA,
    CLIENT_AUTH,
    DOCUMENT,
    MADE,
    NAMES,
    NOW,
    VERIFIER,
    Service,
    person,
    person_key,
    running,
)

KNOWN = Person(country="EE", number="36608300204", reference=DOCUMENT)
LATER = NOW + timedelta(seconds=5)
OLD = ("digital_signature", "key_encipherment", "data_encipherment")
Q = ("1.3.6.1.4.1.10015.17.2", "0.4.0.2042.1.2")


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("smart-id")) as service:
        yield service


@pytest.fixture
def service(serving: Service) -> Service:
    serving.forget()
    return serving


@pytest.fixture(scope="module")
def smart(serving: Service) -> SmartId:
    return SmartId(serving.settings(), loopback=True)


@pytest.fixture(scope="module")
def mart() -> x509.Certificate:
    return person()


def attempt(**more: Any) -> Attempt:
    given: dict[str, Any] = {
        "transaction_id": "transaction-1",
        "state": "a-state-of-128-bits",
        "callback": "https://id.example.no/eid/smart-id/return",
        "level": "substantial",
        "flow": "device-link",
        "service": "Alumni",
        "locale": "en",
        "address": "127.0.0.1",
        "now": NOW,
    }
    return Attempt(**{**given, **more})


def begun(smart: SmartId, **more: Any) -> bytes:
    answer = smart.start(attempt(**more))
    assert isinstance(answer, Waiting), answer
    return answer.notes


def pushed(smart: SmartId) -> bytes:
    answer = smart.poll(begun(smart, flow="notification", expected=KNOWN), now=LATER)
    assert isinstance(answer, Pending)
    assert answer.notes is not None
    return answer.notes


def ensure_failed(answer: object, outcome: Outcome) -> None:
    assert isinstance(answer, Failed), answer
    assert answer.outcome is outcome
    assert "36608300204" not in answer.detail


def ended(smart: SmartId, service: Service, certificate: x509.Certificate, **changed: Any) -> Result:
    """A QR code was read, and this is what came of it."""
    notes = begun(smart)
    service.ends("QR", certificate, **changed)
    return smart.poll(notes, now=NOW)


# What is asked for


def test_a_device_link_is_asked_for_with_all_that_its_formulas_need(smart: SmartId, service: Service) -> None:
    begun(smart)
    where, body = service.asked[-1]

    assert where == "device-link/anonymous"
    assert set(body) == {"relyingPartyUUID", "relyingPartyName", "certificateLevel", "signatureProtocol",
                         "signatureProtocolParameters", "interactions", "initialCallbackUrl"}  # fmt: skip
    assert (body["certificateLevel"], body["signatureProtocol"]) == ("QUALIFIED", "ACSP_V2")
    assert body["initialCallbackUrl"] == "https://id.example.no/eid/smart-id/return?state=a-state-of-128-bits"
    assert len(b64decode(body["signatureProtocolParameters"]["rpChallenge"])) == 64
    assert b64decode(body["interactions"]).startswith(b'[{"type":"confirmationMessage","displayText200":')


def test_each_attempt_has_a_challenge_of_its_own(smart: SmartId, service: Service) -> None:
    for _ in range(2):
        begun(smart)
    first, second = (body["signatureProtocolParameters"]["rpChallenge"] for _, body in service.asked)
    assert first != second


def test_a_known_person_is_asked_for_by_their_account(smart: SmartId, service: Service) -> None:
    begun(smart, expected=KNOWN)
    assert service.asked[-1][0] == f"device-link/document/{DOCUMENT}"


def test_a_push_has_no_way_back_and_names_its_kind_of_code(smart: SmartId, service: Service) -> None:
    notes = pushed(smart)
    where, body = service.asked[-1]

    assert where == f"notification/document/{DOCUMENT}"
    assert body["vcType"] == "numeric4"
    assert "initialCallbackUrl" not in body
    told = [one["type"] for one in json.loads(b64decode(body["interactions"]))]
    assert told == ["confirmationMessageAndVerificationCodeChoice", "displayTextAndPIN"]
    code = formulas.verification_code(body["signatureProtocolParameters"]["rpChallenge"])
    assert smart.view(notes, now=LATER, locale="en").code == code


def test_a_push_is_sent_once(smart: SmartId, service: Service) -> None:
    notes = pushed(smart)
    for _ in range(3):
        assert isinstance(smart.poll(notes, now=LATER), Pending)
    assert len(service.asked) == 1


def test_a_link_on_this_device_needs_a_callback_that_nobody_can_read(smart: SmartId, service: Service) -> None:
    notes = begun(smart, callback="http://localhost:28750/eid/smart-id/return")
    view = smart.view(notes, now=NOW, locale="en")

    assert "initialCallbackUrl" not in service.asked[-1][1]
    assert view.link is None
    assert view.qr is not None


# A start that is answered wrongly


@pytest.mark.parametrize(
    "change",
    [
        {"sessionID": "../authentication"},
        {"sessionID": 7},
        {"sessionToken": None},
        {"sessionToken": "short"},
        {"sessionToken": "session|Token000000000001"},
        {"sessionToken": "\ud800" * 24},
        {"sessionSecret": ""},
        {"sessionSecret": "no base64, and yet long enough"},
        {"sessionSecret": "A" * 25},
        {"deviceLinkBase": "javascript:alert(1)//smart-id.example"},
        {"deviceLinkBase": "http://smart-id.example/device-link"},
        {"deviceLinkBase": "https://smart-id.example/device\nlink"},
    ],
)
def test_a_session_that_cannot_be_used_is_none(smart: SmartId, service: Service, change: dict[str, Any]) -> None:
    service.starts = [(200, {**MADE, **change})]
    ensure_failed(smart.start(attempt()), Outcome.PROTOCOL_ERROR)


GARBAGE = [b"", b"null", b"[]", b"{", b"\xff", b'{"state":"RUNNING","state":"RUNNING"}', b"[" * 50_000,
           b'{"state":"ELSE"}', b'{"state":"COMPLETE"}', b'{"state":"RUNNING","more":"\\ud800"}']  # fmt: skip


@pytest.mark.parametrize("said", GARBAGE)
def test_what_is_no_answer_ends_it(smart: SmartId, service: Service, said: bytes) -> None:
    notes = begun(smart)
    service.starts = service.sessions = [(200, said)]
    ensure_failed(smart.start(attempt()), Outcome.PROTOCOL_ERROR)
    ensure_failed(smart.poll(notes, now=NOW), Outcome.PROTOCOL_ERROR)


def test_a_page_is_no_answer(smart: SmartId, service: Service) -> None:
    notes = begun(smart)
    service.content_type = "text/html"
    ensure_failed(smart.start(attempt()), Outcome.PROTOCOL_ERROR)
    ensure_failed(smart.poll(notes, now=NOW), Outcome.PROTOCOL_ERROR)


def test_silence_is_borne_for_a_while(smart: SmartId, service: Service) -> None:
    notes = begun(smart)
    service.sessions = [(500, {}), (580, {}), (200, {"state": "RUNNING"}), (500, {}), (500, {}), (500, {})]
    for _ in range(5):
        answer = smart.poll(notes, now=NOW)
        assert isinstance(answer, Pending)
        notes = answer.notes or notes
    ensure_failed(smart.poll(notes, now=NOW), Outcome.PROVIDER_UNAVAILABLE)


# Which flow, and the way back


def test_a_code_that_was_read_proves_its_person(smart: SmartId, service: Service, mart: x509.Certificate) -> None:
    answer = ended(smart, service, mart)

    assert isinstance(answer, Verified)
    assert (answer.country, answer.number, answer.reference) == ("EE", "36608300204", DOCUMENT)
    assert (answer.given_name, answer.family_name, answer.birthdate) == ("Mart", "Tamm", date(1966, 8, 30))
    assert service.vouched == [mart.serial_number]


@pytest.mark.parametrize("flow", ["App2App", "Notification", "qr", "", "\ud800"])
def test_a_flow_that_was_not_offered_proves_nobody_at_once(
    smart: SmartId, service: Service, mart: x509.Certificate, flow: str
) -> None:
    answer = ended(smart, service, mart, **{"signature.flowType": flow})
    ensure_failed(answer, Outcome.PROTOCOL_ERROR if flow == "\ud800" else Outcome.PROOF_INVALID)


@pytest.mark.parametrize("flow", ["Web2App", "App2App", "QR"])
def test_a_push_ends_as_a_push(smart: SmartId, service: Service, mart: x509.Certificate, flow: str) -> None:
    notes = pushed(smart)
    service.ends(flow, mart)
    ensure_failed(smart.poll(notes, now=LATER), Outcome.PROOF_INVALID)
    service.ends("Notification", mart)
    assert isinstance(smart.poll(notes, now=LATER), Verified)


def test_without_a_callback_no_flow_of_this_device_was_offered(
    smart: SmartId, service: Service, mart: x509.Certificate
) -> None:
    notes = begun(smart, callback="http://localhost:28750/eid/smart-id/return")
    service.ends("Web2App", mart)
    ensure_failed(smart.poll(notes, now=NOW), Outcome.PROOF_INVALID)


def back(**changed: str) -> dict[str, str]:
    secret = formulas.secret_digest(str(MADE["sessionSecret"]))
    return {"state": "s", "sessionSecretDigest": secret, "userChallengeVerifier": VERIFIER, **changed}


def test_the_browser_may_be_back_before_the_session_is_over(
    smart: SmartId, service: Service, mart: x509.Certificate
) -> None:
    notes = begun(smart)
    answer = smart.returned(notes, back(), now=NOW)
    assert isinstance(answer, Pending)
    assert answer.notes is not None
    service.ends("Web2App", mart)

    assert isinstance(smart.poll(answer.notes, now=NOW), Verified)
    ensure_failed(smart.returned(answer.notes, back(), now=NOW), Outcome.PROOF_INVALID)  # it counts once


@pytest.mark.parametrize(
    "answer",
    [back(sessionSecretDigest=""), back(sessionSecretDigest=str(MADE["sessionSecret"])),
     back(userChallengeVerifier=""), back(userChallengeVerifier=VERIFIER + "x"), {"state": "s"}],
)  # fmt: skip
def test_a_way_back_that_does_not_fit_proves_nobody(
    smart: SmartId, service: Service, mart: x509.Certificate, answer: dict[str, str]
) -> None:
    notes = begun(smart)
    service.ends("Web2App", mart)
    ensure_failed(smart.returned(notes, answer, now=NOW), Outcome.PROOF_INVALID)


def test_nobody_comes_back_from_a_push(smart: SmartId, service: Service, mart: x509.Certificate) -> None:
    notes = pushed(smart)
    service.ends("Notification", mart)
    ensure_failed(smart.returned(notes, back(), now=LATER), Outcome.PROOF_INVALID)


def test_nobody_comes_back_from_a_code_that_was_read(smart: SmartId, service: Service, mart: x509.Certificate) -> None:
    notes = begun(smart)
    service.ends("QR", mart)
    ensure_failed(smart.returned(notes, back(), now=NOW), Outcome.PROOF_INVALID)


# Everything that was signed


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"signatureProtocol": "RAW_DIGEST_SIGNATURE"}, Outcome.PROOF_INVALID),
        ({"interactionTypeUsed": "displayTextAndPIN"}, Outcome.PROOF_INVALID),  # sent, but not what was signed
        ({"interactionTypeUsed": "verificationCodeChoice"}, Outcome.PROOF_INVALID),
        ({"signature.value": ""}, Outcome.PROOF_INVALID),
        ({"signature.value": "no base64!"}, Outcome.PROOF_INVALID),
        ({"signature.serverRandom": b64encode(b"q" * 18).decode()}, Outcome.PROOF_INVALID),
        ({"signature.serverRandom": "short"}, Outcome.PROOF_INVALID),
        ({"signature.serverRandom": "|" * 24}, Outcome.PROOF_INVALID),
        ({"signature.userChallenge": formulas.user_challenge("another")}, Outcome.PROOF_INVALID),
        ({"signature.userChallenge": "x" * 44}, Outcome.PROOF_INVALID),
        ({"signature.signatureAlgorithm": "sha512WithRSAEncryption"}, Outcome.PROOF_INVALID),
        ({"signature.signatureAlgorithmParameters.hashAlgorithm": "SHA-256"}, Outcome.PROOF_INVALID),
        ({"signature.signatureAlgorithmParameters.saltLength": 63}, Outcome.PROOF_INVALID),
        ({"signature.signatureAlgorithmParameters.saltLength": "64"}, Outcome.PROTOCOL_ERROR),
        ({"signature.signatureAlgorithmParameters.trailerField": "0xBC"}, Outcome.PROOF_INVALID),
        ({"cert.certificateLevel": "ADVANCED"}, Outcome.LEVEL_TOO_LOW),
        ({"cert.certificateLevel": "qualified"}, Outcome.LEVEL_TOO_LOW),
        ({"cert.value": ""}, Outcome.PROOF_INVALID),
        ({"cert.value": "MAMKAQE="}, Outcome.PROOF_INVALID),
        ({"result.documentNumber": "PNOEE-36608300205-K2GN-Q"}, Outcome.PROOF_INVALID),
        ({"result.documentNumber": "PNOEE-36608300204-../../session"}, Outcome.PROOF_INVALID),
        ({"result.documentNumber": "PNOEE-36608300204-"}, Outcome.PROOF_INVALID),
        ({"result.documentNumber": None}, Outcome.PROTOCOL_ERROR),
    ],
)
def test_whatever_is_changed_proves_nobody(
    smart: SmartId, service: Service, mart: x509.Certificate, change: dict[str, Any], outcome: Outcome
) -> None:
    ensure_failed(ended(smart, service, mart, **change), outcome)


@pytest.mark.parametrize("size", [2048, 3072])
def test_keys_of_another_size_are_none_of_a_smart_id(smart: SmartId, service: Service, size: int) -> None:
    private = person_key(size)
    answer = ended(smart, service, person(public=private.public_key()), key=private)
    ensure_failed(answer, Outcome.PROOF_INVALID)


def test_a_key_of_another_kind_is_none_of_a_smart_id(smart: SmartId, service: Service) -> None:
    certificate = person(public=ec.generate_private_key(ec.SECP256R1()).public_key())
    ensure_failed(ended(smart, service, certificate), Outcome.PROOF_INVALID)


def test_an_old_session_proves_nobody_in_a_new_one(smart: SmartId, service: Service, mart: x509.Certificate) -> None:
    begun(smart)
    old = service.ends("QR", mart)
    notes = begun(smart)
    service.sessions = [(200, old)]
    ensure_failed(smart.poll(notes, now=NOW), Outcome.PROOF_INVALID)


# What the certificate is for


@pytest.mark.parametrize(
    "given",
    [
        {"usages": OLD, "extended": (CLIENT_AUTH,)},
        {"extended": (AUTHENTICATION, CLIENT_AUTH)},
        {"held": (*Q, "1.2.3.4")},
    ],
    ids=["old-profile", "both-purposes", "more-policies"],
)
def test_both_profiles_count(smart: SmartId, service: Service, given: dict[str, Any]) -> None:
    assert isinstance(ended(smart, service, person(**given)), Verified)


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ({"extended": (CLIENT_AUTH,)}, Outcome.PROOF_INVALID),
        ({"extended": (CLIENT_AUTH,), "usages": OLD[:2]}, Outcome.PROOF_INVALID),
        ({"extended": (CLIENT_AUTH,), "usages": OLD[1:]}, Outcome.PROOF_INVALID),
        ({"extended": (), "usages": OLD}, Outcome.PROOF_INVALID),
        ({"extended": (AUTHENTICATION + "1",)}, Outcome.PROOF_INVALID),
        ({"usages": ("key_encipherment",)}, Outcome.PROOF_INVALID),
        ({"usages": ("digital_signature", "content_commitment")}, Outcome.PROOF_INVALID),
        ({"is_authority": True}, Outcome.PROOF_INVALID),
        ({"held": ()}, Outcome.LEVEL_TOO_LOW),
        ({"held": Q[:1]}, Outcome.LEVEL_TOO_LOW),
        ({"held": Q[1:]}, Outcome.LEVEL_TOO_LOW),
        ({"held": (Q[0] + "0", Q[1])}, Outcome.LEVEL_TOO_LOW),
        ({"held": (Q[0] + ".1", Q[1])}, Outcome.LEVEL_TOO_LOW),
        ({"held": ("2.5.29.32.0",)}, Outcome.LEVEL_TOO_LOW),
    ],
)
def test_a_certificate_for_something_else_proves_nobody(
    smart: SmartId, service: Service, given: dict[str, Any], outcome: Outcome
) -> None:
    ensure_failed(ended(smart, service, person(**given)), outcome)


def named(serial: str) -> tuple[tuple[x509.ObjectIdentifier, str], ...]:
    return (*NAMES[:3], (NameOID.SERIAL_NUMBER, serial))


@pytest.mark.parametrize(
    "names",
    [
        named("36608300204"),
        named("PASEE-36608300204"),
        named("IDCEE-36608300204"),
        named("pnoee-36608300204"),
        named("PNOEE-36608300205"),
        named("PNOEE-36608300204 "),
        NAMES[:3],
        NAMES[1:2] + NAMES[3:],
        (*NAMES, (NameOID.SERIAL_NUMBER, "PNOLT-36608300204")),
    ],
    ids=["plain", "passport", "card", "small", "check-digit", "space", "none", "no-given-name", "two"],
)
def test_a_subject_that_is_no_person_with_a_number_proves_nobody(
    smart: SmartId, service: Service, names: tuple[tuple[x509.ObjectIdentifier, str], ...]
) -> None:
    ensure_failed(ended(smart, service, person(names=names)), Outcome.PROOF_INVALID)


def told(attribute: str) -> x509.UnrecognizedExtension:
    """Subject directory attributes in DER, from hexadecimal digits."""
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.9"), bytes.fromhex(attribute))


BORN = "301f301d06082b060105050709013111180f"


def test_the_attributes_of_a_birth_date_win_and_others_say_nothing(smart: SmartId, service: Service) -> None:
    for attribute, born in (
        (BORN + b"19901231120000Z".hex(), date(1990, 12, 31)),
        ("3011300f06082b06010505070903310313014d", date(1966, 8, 30)),  # the gender alone
    ):
        answer = ended(smart, service, person(more=(told(attribute),)))
        assert isinstance(answer, Verified)
        assert answer.birthdate == born


@pytest.mark.parametrize("said", [b"19900231120000Z", b"1990-12-31 000Z", b"19901231120000+"])
def test_a_birth_date_that_is_none_proves_nobody(smart: SmartId, service: Service, said: bytes) -> None:
    ensure_failed(ended(smart, service, person(more=(told(BORN + said.hex()),))), Outcome.PROOF_INVALID)


# Whether it was revoked


def test_the_authority_between_must_be_vouched_for_where_it_names_a_responder(
    service: Service, mart: x509.Certificate
) -> None:
    smart = SmartId(service.settings(person_authorities_file=str(service.folder / "vouched.pem")), loopback=True)
    number = service.between["vouched"].serial_number
    assert isinstance(ended(smart, service, mart), Verified)
    assert service.vouched == [mart.serial_number, number]
    for said, outcome in (
        (ocsp.OCSPCertStatus.REVOKED, Outcome.REVOKED),
        (ocsp.OCSPCertStatus.UNKNOWN, Outcome.REVOCATION_UNKNOWN),
    ):
        service.answers = {number: said}
        ensure_failed(ended(smart, service, mart), outcome)


def test_a_certificate_that_nobody_answers_for_proves_nobody(service: Service, mart: x509.Certificate) -> None:
    smart = SmartId(service.settings(ocsp_url=None), loopback=True)
    ensure_failed(ended(smart, service, mart), Outcome.REVOCATION_UNKNOWN)


def test_an_old_word_is_none(smart: SmartId, service: Service, mart: x509.Certificate) -> None:
    notes = begun(smart)
    service.ends("QR", mart)
    ensure_failed(smart.poll(notes, now=NOW + timedelta(minutes=18)), Outcome.REVOCATION_UNKNOWN)


# Nothing of it is told


def test_what_is_remembered_is_never_printed(smart: SmartId, service: Service, mart: x509.Certificate) -> None:
    started = smart.start(attempt(expected=KNOWN))
    answer = ended(smart, service, mart)
    printed = repr((started, answer, attempt(expected=KNOWN)))
    for secret in (MADE["sessionSecret"], MADE["sessionToken"], "36608300204", "Tamm"):
        assert str(secret) not in printed


@pytest.mark.parametrize("levels", [{}, {"QUALIFIED": "highest"}, {"QUALIFIED": "high", "ADVANCED": "substantial"}])
def test_levels_of_other_words_stop_the_start(service: Service, levels: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="levels"):
        SmartId(service.settings(levels=levels), loopback=True)


def test_an_authority_that_is_not_configured_is_nobody(service: Service, mart: x509.Certificate) -> None:
    smart = SmartId(service.settings(person_authorities_file=str(service.folder / "root.pem")), loopback=True)
    ensure_failed(ended(smart, service, mart), Outcome.PROOF_INVALID)
    assert service.between[CA].subject == mart.issuer


def test_the_certificate_of_the_service_itself_can_be_pinned(service: Service) -> None:
    """PROTOCOLS §4.1: whoever issued it; and then no other one is trusted."""
    own = (service.folder / "api.pem").read_bytes().split(b"-----BEGIN PRIVATE KEY-----")[0]
    (service.folder / "api-own.pem").write_bytes(own)
    smart = SmartId(service.settings(api_roots_file=str(service.folder / "api-own.pem")), loopback=True)

    assert isinstance(smart.start(attempt()), Waiting)

    other = SmartId(service.settings(api_roots_file=str(service.folder / "ca.pem")), loopback=True)
    refused = other.start(attempt())
    assert isinstance(refused, Failed)
    assert refused.outcome is Outcome.PROVIDER_UNAVAILABLE
