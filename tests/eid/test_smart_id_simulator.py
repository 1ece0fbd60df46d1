"""The simulated Smart-ID computes what the published examples say, and is no kinder than the service (SR-105)."""

from __future__ import annotations

import hmac
import json
import ssl
import time
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from relying_party_demo.outside.eid import clock, smart_id_formulas
from relying_party_demo.outside.eid.people import SMART, find
from relying_party_demo.outside.eid.script import Instruction, Script
from relying_party_demo.outside.eid.smart_id import SmartId
from relying_party_demo.outside.eid.smart_id_answers import document_of, serial_of
from relying_party_demo.outside.eid.smart_id_formulas import Terms
from relying_party_demo.outside.eid.smart_id_requests import CALLBACK, NAME, UUID

ALL = json.loads((Path(__file__).parent / "vectors.json").read_text("utf-8"))["vectors"]
ANONYMOUS = "authentication/device-link/anonymous"
CALLED_BACK = "https://id.example.no/eid/smart-id/return?state=a-state-of-128-bits"
PUSH = {"type": "confirmationMessageAndVerificationCodeChoice", "displayText200": "Prove it at Alumni"}
found, other = find("36608300204"), find("32760010006")
assert found is not None
assert other is not None
MART, ILZE = found, other


# To the byte


def of(kind: str) -> Callable[..., Any]:
    vectors = [vector for vector in ALL if vector["kind"] == kind]
    assert vectors
    return pytest.mark.parametrize("vector", vectors, ids=lambda vector: vector["id"])


def terms(given: dict[str, Any]) -> Terms:
    return Terms(
        scheme=given["schemeName"],
        protocol=given["signatureProtocol"] or "",
        challenge=given.get("rpChallenge") or given.get("rpChallenge_or_digest") or "",
        name=given["relyingPartyName"],
        brokered=given.get("brokeredRpName") or "",
        interactions=given.get("interactions") or "",
        callback=given.get("initialCallbackUrl") or "",
    )


@of("smartid_authcode")
def test_links_are_taken_apart_and_their_codes_computed(vector: dict[str, Any]) -> None:
    given, expected = vector["input"], vector["expected"]
    kind, seconds = given["deviceLinkType"], given["elapsedSeconds"]
    elapsed = f"&elapsedSeconds={seconds}" if kind == "QR" else ""
    unprotected = (
        f"{given['deviceLinkBase']}?deviceLinkType={kind}{elapsed}&sessionToken={given['sessionToken']}"
        f"&sessionType={given['sessionType']}&version=1.0&lang={given['lang']}"
    )
    link = smart_id_formulas.link(f"{unprotected}&authCode={expected['authCode']}")
    payload = smart_id_formulas.link_payload(terms(given), link.unprotected, kind=kind)

    assert (link.kind, link.elapsed, link.token) == (kind, seconds, given["sessionToken"])
    assert payload == expected.get("payload", payload)
    assert smart_id_formulas.auth_code(given["sessionSecret"], payload) == link.code == expected["authCode"]


@of("smartid_acsp_v2_payload")
def test_what_is_signed(vector: dict[str, Any]) -> None:
    given = vector["input"]
    payload = smart_id_formulas.signed_payload(
        terms(given),
        server_random=given["serverRandom"],
        user_challenge=given["userChallenge"],
        interaction=given["interactionTypeUsed"],
        flow=given["flowType"],
    )
    assert payload == vector["expected"]["payload"]


@of("smartid_vc")
def test_verification_codes(vector: dict[str, Any]) -> None:
    assert smart_id_formulas.verification_code(vector["input"]["rpChallenge"]) == vector["expected"]["vc"]


@of("smartid_user_challenge")
def test_user_challenges(vector: dict[str, Any]) -> None:
    challenge = smart_id_formulas.user_challenge(vector["input"]["userChallengeVerifier"])
    assert challenge == vector["expected"]["userChallenge"] != vector["expected"]["wrong_if_decoded_first"]


@of("smartid_callback_url")
def test_addresses_that_the_app_opens(vector: dict[str, Any]) -> None:
    given = vector["input"]
    address = smart_id_formulas.callback(
        given["initialCallbackUrl"], given["sessionSecret"], given["userChallengeVerifier"]
    )
    assert address == vector["expected"]["callbackUrl"]


@of("smartid_callback_input")
def test_callbacks_that_are_taken(vector: dict[str, Any]) -> None:
    assert bool(CALLBACK.fullmatch(vector["input"]["initialCallbackUrl"])) == vector["expected"]["valid"]


# Over TLS


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmartId]:
    made = SmartId(Script(), tmp_path_factory.mktemp("smart-id"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def http(simulator: SmartId) -> Iterator[httpx.Client]:
    trusted = ssl.create_default_context(cafile=str(simulator.issuer.file("api-roots")))
    with httpx.Client(verify=trusted, base_url=simulator.url, trust_env=False) as client:
        yield client


@pytest.fixture(autouse=True)
def at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "offset", 0.0)


def base64(raw: bytes) -> str:
    return b64encode(raw).decode()


def interactions(*told: Any) -> str:
    return base64(json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode())


def body(**change: Any) -> dict[str, Any]:
    """A request as the service wants it; a member that is changed to None is left out."""
    good: dict[str, Any] = {
        "relyingPartyUUID": UUID,
        "relyingPartyName": NAME,
        "certificateLevel": "QUALIFIED",
        "signatureProtocol": "ACSP_V2",
        "signatureProtocolParameters": parameters(),
        "interactions": interactions({"type": "displayTextAndPIN", "displayText60": "Prove it at Ålesund"}),
        "initialCallbackUrl": CALLED_BACK,
    }
    return {name: value for name, value in {**good, **change}.items() if value is not None}


def parameters(**change: Any) -> dict[str, Any]:
    good = {
        "rpChallenge": base64(bytes(64)),
        "signatureAlgorithm": "rsassa-pss",
        "signatureAlgorithmParameters": {"hashAlgorithm": "SHA-512"},
    }
    return {**good, **change}


def pushed(**change: Any) -> dict[str, Any]:
    return body(**{"vcType": "numeric4", "interactions": interactions(PUSH), "initialCallbackUrl": None, **change})


def link(
    made: dict[str, Any], sent: dict[str, Any], kind: str = "QR", elapsed: Any = 0, *, lang: str = "eng", **change: str
) -> str:
    """What a relying party shows. `change` replaces terms that go into the authCode."""
    seconds = f"&elapsedSeconds={elapsed}" if kind == "QR" else ""
    unprotected = change.pop("unprotected", "") or (
        f"{made['deviceLinkBase']}?deviceLinkType={kind}{seconds}&sessionToken={made['sessionToken']}"
        f"&sessionType=auth&version=1.0&lang={lang}"
    )
    return f"{unprotected}&authCode={code(made, sent, kind, unprotected, **change)}"


def code(made: dict[str, Any], sent: dict[str, Any], kind: str, unprotected: str, **change: str) -> str:
    """Computed here anew, so that the simulator cannot agree with itself alone."""
    given = {
        "scheme": "smart-id-demo",
        "protocol": "ACSP_V2",
        "challenge": sent["signatureProtocolParameters"]["rpChallenge"],
        "name": sent["relyingPartyName"],
        "brokered": "",
        "interactions": sent["interactions"],
        "callback": "" if kind == "QR" else sent.get("initialCallbackUrl", ""),
        **change,
    }
    named = {name: base64(given[name].encode()) for name in ("name", "brokered")}
    payload = "|".join([*{**given, **named}.values(), unprotected])
    mac = hmac.digest(b64decode(made["sessionSecret"]), payload.encode(), "sha256")
    return urlsafe_b64encode(mac).rstrip(b"=").decode()


def begun(http: httpx.Client, sent: dict[str, Any], where: str = ANONYMOUS) -> dict[str, Any]:
    answer = http.post(where, json=sent)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def status(http: httpx.Client, made: dict[str, Any]) -> dict[str, Any]:
    answer = http.get(f"session/{made['sessionID']}?timeoutMs=1000")
    assert answer.status_code == 200
    return dict(answer.json())


def approved(simulator: SmartId, http: httpx.Client, kind: str = "QR", fault: str | None = None) -> Any:
    """What was sent, the status, and the address that the app opens."""
    sent = body()
    made = begun(http, sent)
    back = simulator.act(simulator.scan(link(made, sent, kind)), MART.number, "approve", fault=fault)
    return sent, made, status(http, made), back


# What is asked


def test_a_device_link_and_a_push_are_answered_in_their_forms(simulator: SmartId, http: httpx.Client) -> None:
    made = begun(http, body())
    assert set(made) == {"sessionID", "sessionToken", "sessionSecret", "deviceLinkBase"}
    assert made["sessionToken"].isalnum()
    assert len(made["sessionToken"]) >= 24
    assert len(made["sessionSecret"]) >= 24
    for kind, who in (("etsi", serial_of(MART)), ("document", document_of(MART)), ("etsi", serial_of(ILZE))):
        assert set(begun(http, body(), f"authentication/device-link/{kind}/{who}")) == set(made)
        assert set(begun(http, pushed(), f"authentication/notification/{kind}/{who}")) == {"sessionID"}
    assert simulator.requests[-1] == ("notification/etsi", pushed())


TEXT = {"type": "confirmationMessage", "displayText200": "x"}
SHORT = {"type": "displayTextAndPIN", "displayText60": "x"}
BAD = {
    "no-uuid": (body(relyingPartyUUID=None), 401),
    "another-uuid": (body(relyingPartyUUID="11111111-0000-4000-8000-000000000000"), 401),
    "another-name": (body(relyingPartyName="OTHER"), 401),
    "advanced": (body(certificateLevel="ADVANCED"), 403),
    "sharing-addresses": (body(requestProperties={"shareMdClientIpAddress": True}), 403),
    "capabilities": (body(capabilities=["x"]), 403),
    "unknown-level": (body(certificateLevel="HIGH"), 400),
    "properties": (body(requestProperties=[]), 400),
    "protocol": (body(signatureProtocol="RAW_DIGEST_SIGNATURE"), 400),
    "pkcs1": (body(signatureProtocolParameters=parameters(signatureAlgorithm="sha256WithRSAEncryption")), 400),
    "no-hash": (body(signatureProtocolParameters=parameters(signatureAlgorithmParameters={})), 400),
    "sha-1": (
        body(signatureProtocolParameters=parameters(signatureAlgorithmParameters={"hashAlgorithm": "SHA-1"})),
        400,
    ),
    "short-challenge": (body(signatureProtocolParameters=parameters(rpChallenge=base64(bytes(31)))), 400),
    "long-challenge": (body(signatureProtocolParameters=parameters(rpChallenge=base64(bytes(65)))), 400),
    "unpadded-challenge": (
        body(signatureProtocolParameters=parameters(rpChallenge=base64(bytes(32)).rstrip("="))),
        400,
    ),
    "url-challenge": (body(signatureProtocolParameters=parameters(rpChallenge="_" * 64)), 400),
    "nonce": (body(nonce="x"), 400),
    "http-callback": (body(initialCallbackUrl="http://id.example.no/x"), 400),
    "callback-with-bar": (body(initialCallbackUrl=f"{CALLED_BACK}|"), 400),
    "long-callback": (body(initialCallbackUrl=f"{CALLED_BACK}{'x' * 1800}"), 400),
    "no-interactions": (body(interactions=None), 400),
    "empty-interactions": (body(interactions=interactions()), 400),
    "interactions-as-json": (body(interactions=[SHORT]), 400),
    "interactions-with-space": (body(interactions=base64(json.dumps([SHORT]).encode())), 400),
    "interaction-that-is-none": (body(interactions=interactions("x")), 400),
    "interaction-of-a-strange-type": (body(interactions=interactions({"type": []})), 400),
    "interaction-of-a-push": (body(interactions=interactions(PUSH)), 400),
    "interaction-of-version-2": (
        body(interactions=interactions({"type": "verificationCodeChoice", "displayText60": "x"})),
        400,
    ),
    "interaction-twice": (body(interactions=interactions(SHORT, SHORT)), 400),
    "interaction-with-two-texts": (body(interactions=interactions({**SHORT, **TEXT})), 400),
    "interaction-without-text": (body(interactions=interactions({**TEXT, "displayText200": ""})), 400),
    "interaction-of-201": (body(interactions=interactions({**TEXT, "displayText200": "x" * 201})), 400),
    "interaction-of-61": (body(interactions=interactions({**SHORT, "displayText60": "x" * 61})), 400),
}


@pytest.mark.parametrize(("sent", "expected"), BAD.values(), ids=BAD)
def test_a_request_that_is_not_as_it_should_be_is_a_problem(
    http: httpx.Client, sent: dict[str, Any], expected: int
) -> None:
    answer = http.post(ANONYMOUS, json=sent)
    told = answer.json()

    assert (answer.status_code, answer.headers["content-type"]) == (expected, "application/problem+json")
    assert (told["type"], told["status"], told["instance"]) == ("about:blank", expected, f"/v3/{ANONYMOUS}")
    assert (expected != 400) or told["errors"][0]["paramName"]


@pytest.mark.parametrize(
    ("method", "where", "sent", "expected"),
    [
        ("POST", ANONYMOUS, b"{", 400),
        ("POST", ANONYMOUS, b"[]", 400),
        ("POST", ANONYMOUS, b" " * 70_000, 413),
        ("GET", ANONYMOUS, b"", 405),
        ("POST", "authentication/notification/anonymous", b"{}", 404),
        ("GET", "session/00000000-0000-4000-8000-000000000000", b"", 404),
        ("GET", "session/x?timeoutMs=999", b"", 400),
        ("GET", "session/x?timeoutMs=120001", b"", 400),
        ("GET", "session/x?timeoutMs=١٠٠٠", b"", 400),
    ],
)
def test_whatever_else_is_wrong_is_a_problem_too(
    http: httpx.Client, method: str, where: str, sent: bytes, expected: int
) -> None:
    answer = http.request(method, where, content=sent, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["status"]) == (expected, expected)
    assert answer.headers["content-type"] == "application/problem+json"


def test_people_without_this_account_are_not_found_and_no_identifiers_are_refused(http: httpx.Client) -> None:
    for where, expected in (
        ("etsi/PNOEE-40404040009", 404),
        ("etsi/PNOLV-32760010006", 404),  # a Latvian number without its hyphen
        ("etsi/36608300204", 400),
        ("etsi/pnoee-36608300204", 400),
        ("document/PNOEE-36608300204-MOCK-Q", 404),
        ("document/PNOEE-36608300204", 400),
    ):
        assert http.post(f"authentication/notification/{where}", json=pushed()).status_code == expected, where


def test_a_push_names_its_code(http: httpx.Client) -> None:
    answer = http.post(f"authentication/notification/etsi/{serial_of(MART)}", json=pushed(vcType=None))
    assert (answer.status_code, answer.json()["errors"][0]["paramName"]) == (400, "vcType")


def test_members_that_nobody_knows_are_ignored(http: httpx.Client) -> None:
    begun(http, body(somethingNew=1))


def test_a_stranger_is_known_by_the_address(
    simulator: SmartId, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = begun(http, body())
    monkeypatch.setattr(simulator, "addresses", frozenset({"192.0.2.1"}))
    assert http.post(ANONYMOUS, json=body()).status_code == 401
    assert http.get(f"session/{made['sessionID']}").status_code == 401


# What an app reads


def test_a_true_link_is_read_and_no_other(simulator: SmartId, http: httpx.Client) -> None:
    sent = body()
    made = begun(http, sent)
    true = link(made, sent)
    wrong = (
        {"scheme": "smart-id"},
        {"protocol": ""},
        {"challenge": base64(bytes(32))},
        {"name": "demo"},
        {"brokered": "DEMO"},
        {"interactions": sent["interactions"] + "="},
        {"callback": CALLED_BACK},  # which a QR code does not know
        {"unprotected": true.partition("&authCode=")[0].replace("&version=1.0&lang=eng", "&lang=eng&version=1.0")},
        {"unprotected": true.partition("&authCode=")[0].replace("sessionType=auth", "sessionType=sign")},
        {"unprotected": true.partition("&authCode=")[0] + "&x=1"},
        {"unprotected": true.partition("&authCode=")[0].replace("smart-id.example", "smart-id.test")},
    )
    changed = [link(made, sent, **change) for change in wrong]
    for place in range(len(true)):
        letter = "A" if true[place] != "A" else "B"
        changed.append(true[:place] + letter + true[place + 1 :])
    changed += [
        true + "A",
        true + "=",
        true + "&x=1",
        true[:-1],
        true + "ø",
        "",
        "https://smart-id.example/",
        f" {true}",
    ]
    for content in changed:
        with pytest.raises(ValueError, match=r"Smart-ID|authCode|elapsedSeconds"):
            simulator.scan(content)
    assert not any(one.id == made["sessionID"] for one in simulator.waiting())
    assert simulator.scan(true) == made["sessionID"]


def test_a_link_on_this_device_has_the_callback_in_its_code_and_a_qr_code_has_not(
    simulator: SmartId, http: httpx.Client
) -> None:
    sent = body()
    for kind in ("Web2App", "App2App"):
        made = begun(http, sent)
        with pytest.raises(ValueError, match="authCode"):
            simulator.scan(link(made, sent, kind, callback=""))
        with pytest.raises(ValueError, match="elapsedSeconds"):
            simulator.scan(link(made, sent, kind).replace("&sessionToken", "&elapsedSeconds=0&sessionToken"))
        assert simulator.scan(link(made, sent, kind)) == made["sessionID"]
    made = begun(http, sent)
    with pytest.raises(ValueError, match="elapsedSeconds"):
        simulator.scan(link(made, sent).replace("&elapsedSeconds=0", ""))


def test_a_qr_code_is_of_now(simulator: SmartId, http: httpx.Client) -> None:
    sent = body()
    made = begun(http, sent)
    clock.offset = 20
    for elapsed in (0, 15, 22, 40):
        with pytest.raises(ValueError, match="not of now"):
            simulator.scan(link(made, sent, elapsed=elapsed))
    for written in ("", "020", "20.0", "-1"):
        with pytest.raises(ValueError, match="no link"):
            simulator.scan(link(made, sent, elapsed=written))
    simulator.scan(link(made, sent, elapsed=18))


def test_a_session_is_one_app_s_and_over_when_it_is_over(simulator: SmartId, http: httpx.Client) -> None:
    sent = body()
    made = begun(http, sent)
    session = simulator.scan(link(made, sent))
    with pytest.raises(ValueError, match="another app"):
        simulator.scan(link(made, sent, "Web2App"))
    simulator.act(session, MART.number, "refuse")
    with pytest.raises(ValueError, match="over"):
        simulator.scan(link(made, sent))
    with pytest.raises(LookupError):
        simulator.act(session, MART.number, "approve")


def test_a_link_needs_an_address_to_come_back_to(simulator: SmartId, http: httpx.Client) -> None:
    sent = body(initialCallbackUrl=None)
    made = begun(http, sent)
    with pytest.raises(ValueError, match="no address"):
        simulator.scan(link(made, sent, "Web2App"))
    simulator.scan(link(made, sent))


def test_a_push_shows_its_code_on_the_phone_of_the_person_asked_for(simulator: SmartId, http: httpx.Client) -> None:
    made = begun(http, pushed(), f"authentication/notification/document/{document_of(ILZE)}")
    waiting = next(one for one in simulator.waiting() if one.id == made["sessionID"])
    expected = smart_id_formulas.verification_code(pushed()["signatureProtocolParameters"]["rpChallenge"])
    assert (waiting.code, waiting.asked_for, waiting.text) == (expected, ILZE.number, PUSH["displayText200"])
    with pytest.raises(ValueError, match="somebody else"):
        simulator.act(waiting.id, MART.number, "approve")
    assert simulator.act(waiting.id, ILZE.number, "approve") is None
    assert status(http, made)["signature"]["flowType"] == "Notification"


# What is signed


@pytest.mark.parametrize("kind", ["QR", "Web2App", "App2App"])
def test_the_signature_is_over_the_true_payload(simulator: SmartId, http: httpx.Client, kind: str) -> None:
    sent, _, told, back = approved(simulator, http, kind)
    signature = told["signature"]
    certificate = x509.load_der_x509_certificate(b64decode(told["cert"]["value"]))
    key = certificate.public_key()
    name = base64(NAME.encode())
    payload = "|".join((
        "smart-id-demo", "ACSP_V2", signature["serverRandom"], sent["signatureProtocolParameters"]["rpChallenge"],
        signature["userChallenge"], name, "", base64(sha256(sent["interactions"].encode()).digest()),
        "displayTextAndPIN", "" if kind == "QR" else CALLED_BACK, kind,
    ))  # fmt: skip

    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 6144
    sha = hashes.SHA512()
    key.verify(b64decode(signature["value"]), payload.encode(), padding.PSS(padding.MGF1(sha), 64), sha)
    with pytest.raises(InvalidSignature):
        key.verify(b64decode(signature["value"]), payload.encode(), padding.PSS(padding.MGF1(sha), 63), sha)
    assert signature["signatureAlgorithmParameters"] == {
        "hashAlgorithm": "SHA-512",
        "maskGenAlgorithm": {"algorithm": "id-mgf1", "parameters": {"hashAlgorithm": "SHA-512"}},
        "saltLength": 64,
        "trailerField": "0xbc",
    }
    assert told["result"] == {"endResult": "OK", "documentNumber": document_of(MART)}
    assert (back is None) == (kind == "QR")


def test_the_app_opens_the_callback_with_both_digests(simulator: SmartId, http: httpx.Client) -> None:
    _, made, told, back = approved(simulator, http, "Web2App")
    assert back.startswith(f"{CALLED_BACK}&sessionSecretDigest=")
    came = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    digest = smart_id_formulas.url(sha256(b64decode(made["sessionSecret"])).digest())
    assert came["sessionSecretDigest"] == digest
    challenge = smart_id_formulas.url(sha256(came["userChallengeVerifier"].encode()).digest())
    assert told["signature"]["userChallenge"] == challenge
    assert len(challenge) == 43


def test_the_app_comes_back_when_the_person_refuses_too(simulator: SmartId, http: httpx.Client) -> None:
    sent = body()
    made = begun(http, sent)
    back = simulator.act(simulator.scan(link(made, sent, "Web2App")), MART.number, "refuse")
    assert back is not None
    assert "sessionSecretDigest=" in back
    assert "userChallengeVerifier" not in back
    assert status(http, made) == {"state": "COMPLETE", "result": {"endResult": "USER_REFUSED"}}


def test_a_refusal_names_its_screen(simulator: SmartId, http: httpx.Client) -> None:
    _, _, told, _ = approved(simulator, http, fault="end-USER_REFUSED_INTERACTION")
    assert told["result"] == {
        "endResult": "USER_REFUSED_INTERACTION",
        "details": {"interaction": "displayTextAndPIN"},
    }


# Certificates and revocation


@pytest.mark.parametrize(
    ("fault", "usage"), [(None, "1.3.6.1.4.1.62306.5.7.0"), ("old-profile", "1.3.6.1.5.5.7.3.2")], ids=["new", "old"]
)
def test_certificates_are_of_either_profile(
    simulator: SmartId, http: httpx.Client, fault: str | None, usage: str
) -> None:
    _, _, told, _ = approved(simulator, http, fault=fault)
    made = x509.load_der_x509_certificate(b64decode(told["cert"]["value"]))
    keys = made.extensions.get_extension_for_class(x509.KeyUsage).value
    purposes = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    policies = made.extensions.get_extension_for_class(x509.CertificatePolicies).value
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert [purpose.dotted_string for purpose in purposes] == [usage]
    assert keys.digital_signature
    assert keys.key_encipherment == keys.data_encipherment == (fault == "old-profile")
    assert {one.policy_identifier.dotted_string for one in policies} == {"1.3.6.1.4.1.10015.17.2", "0.4.0.2042.1.2"}
    assert made.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)[0].value == serial_of(MART)
    assert document_of(MART) in names.get_values_for_type(x509.DirectoryName)[0].rfc4514_string()
    made.verify_directly_issued_by(simulator.issuer.qualified.made)
    simulator.issuer.qualified.made.verify_directly_issued_by(simulator.issuer.root.made)
    assert all(
        str(one.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value).startswith("TEST of ")
        for one in (simulator.issuer.root.made, simulator.issuer.qualified.made, simulator.issuer.basic.made)
    )


def asked(simulator: SmartId, certificate: x509.Certificate, nonce: bytes = b"n" * 32) -> ocsp.OCSPResponse:
    """The responder that the certificate names, asked."""
    access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    url = next(one for one in access if one.access_method == AuthorityInformationAccessOID.OCSP).access_location.value
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        certificate, simulator.issuer.qualified.made, hashes.SHA1()  # noqa: S303 - the algorithm of an id
    )  # fmt: skip
    request = builder.add_extension(x509.OCSPNonce(nonce), critical=False).build().public_bytes(Encoding.DER)
    answer = httpx.post(
        url, content=request, headers={"content-type": "application/ocsp-request"}, trust_env=False, timeout=5
    )
    assert answer.headers["content-type"] == "application/ocsp-response"
    return ocsp.load_der_ocsp_response(answer.content)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (None, ocsp.OCSPCertStatus.GOOD),
        ("revoked", ocsp.OCSPCertStatus.REVOKED),
        ("ocsp-unknown", ocsp.OCSPCertStatus.UNKNOWN),
    ],
)
def test_the_responder_that_the_authority_has_named_says_what_is(
    simulator: SmartId, fault: str | None, expected: ocsp.OCSPCertStatus
) -> None:
    person = simulator.issuer.person(MART, serial_of(MART), document_of(MART), fault=fault)
    answer = asked(simulator, person)
    (responder,) = answer.certificates
    purposes = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value

    assert next(iter(answer.responses)).certificate_status is expected
    assert answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 32
    assert list(purposes) == [ExtendedKeyUsageOID.OCSP_SIGNING]
    responder.verify_directly_issued_by(simulator.issuer.qualified.made)


def test_the_responder_vouches_for_nothing_that_was_not_issued(simulator: SmartId) -> None:
    person = simulator.issuer.person(MART, serial_of(MART), document_of(MART), fault=None)
    forgotten = simulator.issuer._responder._issued.popitem()
    assert forgotten[0][1] == person.serial_number
    assert next(iter(asked(simulator, person).responses)).certificate_status is ocsp.OCSPCertStatus.UNKNOWN


def test_the_responder_answers_no_nonsense(simulator: SmartId) -> None:
    answer = httpx.post(
        simulator.issuer.ocsp_url,
        content=b"nonsense",
        headers={"content-type": "application/ocsp-request"},
        trust_env=False,
        timeout=5,
    )
    told = ocsp.load_der_ocsp_response(answer.content)
    assert told.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


# How long


def test_a_question_is_held_until_there_is_an_answer(simulator: SmartId, http: httpx.Client) -> None:
    sent = body()
    made = begun(http, sent)
    session = simulator.scan(link(made, sent))
    began = time.monotonic()
    assert status(http, made) == {"state": "RUNNING"}
    assert 0.9 < time.monotonic() - began < 3
    answering = Timer(0.3, simulator.act, (session, MART.number, "refuse"))
    answering.start()
    began = time.monotonic()
    answer = http.get(f"session/{made['sessionID']}?timeoutMs=30000", timeout=35)
    assert answer.json()["state"] == "COMPLETE"
    assert time.monotonic() - began < 10
    answering.join()


def test_a_session_times_out_and_is_forgotten_whether_anybody_asked_or_not(http: httpx.Client) -> None:
    looked_at, left_alone = begun(http, body()), begun(http, body())
    clock.offset = timedelta(minutes=3, seconds=1).total_seconds()
    assert status(http, looked_at)["result"] == {"endResult": "TIMEOUT"}
    clock.offset = timedelta(minutes=7, seconds=50).total_seconds()
    assert status(http, looked_at)["result"] == {"endResult": "TIMEOUT"}
    clock.offset = timedelta(minutes=8, seconds=5).total_seconds()
    for made in (looked_at, left_alone):
        assert http.get(f"session/{made['sessionID']}").status_code == 404


# What was said in advance


def test_what_was_said_in_advance_is_answered_by_itself(simulator: SmartId, http: httpx.Client) -> None:
    simulator.script.say(SMART, Instruction(MART.number, "refuse"))
    made = begun(http, body())
    clock.offset = 2
    assert status(http, made)["result"] == {"endResult": "USER_REFUSED"}


def test_who_cannot_answer_leaves_it_to_the_phone(simulator: SmartId, http: httpx.Client) -> None:
    simulator.script.say(SMART, Instruction(ILZE.number))
    made = begun(http, pushed(), f"authentication/notification/etsi/{serial_of(MART)}")
    clock.offset = 2
    assert any(one.id == made["sessionID"] for one in simulator.waiting())
    simulator.act(made["sessionID"], MART.number, "approve")
    assert status(http, made)["result"]["endResult"] == "OK"


def test_a_fault_at_the_start_is_a_problem(simulator: SmartId, http: httpx.Client) -> None:
    for fault in ("http-471", "http-480", "http-580"):
        simulator.script.say(SMART, Instruction(fault=fault))
        assert http.post(ANONYMOUS, json=body()).json()["title"]


def test_the_keys_of_the_apps_are_made_once(simulator: SmartId) -> None:
    again = SmartId(Script(), simulator.folder)
    assert again.issuer.key.private_numbers() == simulator.issuer.key.private_numbers()
    assert again.issuer.root.made == simulator.issuer.root.made
    again.start()
    again.stop()
