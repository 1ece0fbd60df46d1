"""Smart-ID to the byte: every published example of a formula or check of ours, and every way to change one (SR-105)."""

from __future__ import annotations

import copy
import json
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from idp.eid import certificates, revocation, smart_id_formulas
from idp.eid.connector import Outcome, Person, Verified
from idp.eid.smart_id_formulas import Asked, Session
from idp.eid.smart_id_proof import Case, Cert, Finished, Proof, Refused, Signature, birthdate
from idp.eid.smart_id_settings import SmartIdSettings

ALL = json.loads((Path(__file__).parent / "vectors.json").read_text("utf-8"))["vectors"]
BY_ID = {vector["id"]: vector for vector in ALL}
EXAMPLE = BY_ID["smartid-acsp-v2-signature-java"]
WHEN = datetime(2026, 6, 1, tzinfo=UTC)


def of(kind: str) -> Callable[..., Any]:
    found = [vector for vector in ALL if vector["kind"] == kind]
    assert found
    return pytest.mark.parametrize("vector", found, ids=lambda vector: vector["id"])


def asked(given: dict[str, Any]) -> Asked:
    return Asked(
        scheme_name=given["schemeName"],
        challenge=given.get("rpChallenge") or given.get("rpChallenge_or_digest") or "",
        relying_party_name=given["relyingPartyName"],
        brokered_name=given.get("brokeredRpName") or "",
        interactions=given.get("interactions") or "",
        callback=given.get("initialCallbackUrl") or "",
    )


@of("smartid_authcode")
def test_device_links(vector: dict[str, Any]) -> None:
    given, expected = vector["input"], vector["expected"]
    session = Session(token=given["sessionToken"], secret=given["sessionSecret"], base=given["deviceLinkBase"])
    kind = given["deviceLinkType"]
    unprotected = smart_id_formulas.unprotected_link(
        session, kind=kind, lang=given["lang"], elapsed=given["elapsedSeconds"], session_type=given["sessionType"]
    )
    payload = smart_id_formulas.link_payload(
        asked(given), unprotected, kind=kind, protocol=given["signatureProtocol"] or ""
    )
    if "unprotectedDeviceLink" in expected:
        assert unprotected == expected["unprotectedDeviceLink"]
    if "payload" in expected:
        assert payload == expected["payload"]
    assert smart_id_formulas.auth_code(session.secret, payload) == expected["authCode"]


@of("smartid_vc")
def test_verification_codes(vector: dict[str, Any]) -> None:
    assert smart_id_formulas.verification_code(vector["input"]["rpChallenge"]) == vector["expected"]["vc"]


@of("smartid_vc_raw")
def test_verification_codes_of_digests(vector: dict[str, Any]) -> None:
    digest = sha256(bytes.fromhex(vector["input"]["data_hex"])).digest()
    assert smart_id_formulas.code_of(digest) == vector["expected"]["vc"]


@of("smartid_session_secret_digest")
def test_digests_of_session_secrets(vector: dict[str, Any]) -> None:
    assert (
        smart_id_formulas.secret_digest(vector["input"]["sessionSecret"]) == vector["expected"]["sessionSecretDigest"]
    )


@of("smartid_user_challenge")
def test_user_challenges(vector: dict[str, Any]) -> None:
    found = smart_id_formulas.user_challenge(vector["input"]["userChallengeVerifier"])
    assert found == vector["expected"]["userChallenge"]
    assert found != vector["expected"]["wrong_if_decoded_first"]


@of("smartid_callback_input")
def test_callbacks_that_may_be_sent(vector: dict[str, Any]) -> None:
    assert smart_id_formulas.may_call_back(vector["input"]["initialCallbackUrl"]) == vector["expected"]["valid"]


@of("smartid_acsp_v2_payload")
def test_signed_payloads(vector: dict[str, Any]) -> None:
    given = vector["input"]
    payload = smart_id_formulas.signed_payload(
        asked(given),
        server_random=given["serverRandom"],
        user_challenge=given["userChallenge"],
        interaction=given["interactionTypeUsed"],
        flow=given["flowType"],
    )
    assert payload == vector["expected"]["payload"]


# The worked example, and its mutations


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    """The checks, with the authorities of the example."""
    folder = tmp_path_factory.mktemp("smart-id")
    for name, vector in (("root", "cert-TEST-ROOT-G1E"), ("ca", "cert-TEST-EID-Q-2024E")):
        made = certificates.parse(b64decode(BY_ID[vector]["input"]["der_b64"]))
        (folder / f"{name}.pem").write_bytes(made.public_bytes(Encoding.PEM))
    settings = SmartIdSettings(
        relying_party_uuid="00000000-0000-4000-8000-000000000000",
        relying_party_name="DEMO",
        api_roots_file=str(folder / "root.pem"),
        person_roots_file=str(folder / "root.pem"),
        person_authorities_file=str(folder / "ca.pem"),
        scheme_name="smart-id-demo",
    )
    return Proof(settings)


@pytest.fixture(autouse=True)
def _unrevoked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority of the published example cannot be reached from a test; that check has tests of its own."""
    monkeypatch.setattr(revocation, "ask", lambda *_, **__: None)


def case(example: dict[str, Any], *, expected: Person | None = None, now: datetime = WHEN) -> Case:
    status, ours = example["session_status"], example["rp_side"]
    signature = {**status["signature"]}
    finished = Finished(
        document=status["result"]["documentNumber"],
        protocol=status["signatureProtocol"],
        signature=msgspec.convert(signature, Signature),
        cert=msgspec.convert(status["cert"], Cert),
        interaction=status["interactionTypeUsed"],
    )
    return Case(
        asked=asked(ours),
        finished=finished,
        flows=("Notification",),
        interactions=("displayTextAndPIN",),
        expected=expected,
        now=now,
    )


def test_the_worked_example_proves_its_person(proof: Proof) -> None:
    found = proof.verified(case(EXAMPLE["input"]))

    assert isinstance(found, Verified)
    assert (found.country, found.number) == ("EE", "40504040001")
    assert (found.given_name, found.family_name) == ("OK", "TEST")
    assert found.birthdate == date(1999, 1, 1)  # the certificate's own word wins over the number's
    assert found.reference == "PNOEE-40504040001-DEMO-Q"


MUTATIONS = EXAMPLE["expected"]["mutations_that_must_fail"]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation["where"])
def test_whatever_is_changed_proves_nothing(proof: Proof, mutation: dict[str, Any]) -> None:
    changed = copy.deepcopy(EXAMPLE["input"])
    *path, last = mutation["where"].split(".")
    place = changed
    for name in path:
        place = place[name]
    value = mutation["value"] if "value" in mutation else BY_ID[mutation["value_ref"]]["input"]["der_b64"]
    assert place[last] != value
    place[last] = value
    with pytest.raises(Refused) as refused:
        proof.verified(case(changed))
    assert refused.value.outcome in (Outcome.PROOF_INVALID, Outcome.LEVEL_TOO_LOW)


def test_there_are_fifteen_mutations() -> None:
    assert len(MUTATIONS) == 15


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("cert-smartid-other-auth-key", Outcome.PROOF_INVALID),
        ("cert-smartid-sign-q", Outcome.LEVEL_TOO_LOW),
        ("cert-smartid-auth-nq", Outcome.PROOF_INVALID),
        ("cert-smartid-auth-q-old-lv", Outcome.PROOF_INVALID),
        ("cert-smartid-expired", Outcome.PROOF_INVALID),
        ("cert-php-qualified-smartid-ee", Outcome.PROOF_INVALID),
        ("cert-TEST-EID-Q-2024E", Outcome.PROOF_INVALID),
    ],
)
def test_another_certificate_proves_nothing(proof: Proof, name: str, outcome: Outcome) -> None:
    changed = copy.deepcopy(EXAMPLE["input"])
    changed["session_status"]["cert"]["value"] = BY_ID[name]["input"]["der_b64"]
    with pytest.raises(Refused) as refused:
        proof.verified(case(changed))
    assert refused.value.outcome is outcome


def test_the_certificate_counts_only_while_it_is_valid(proof: Proof) -> None:
    for now in (datetime(2025, 9, 8, 12, tzinfo=UTC), datetime(2028, 9, 8, tzinfo=UTC)):
        with pytest.raises(Refused):
            proof.verified(case(EXAMPLE["input"], now=now))


@pytest.mark.parametrize(
    "person", [("EE", "40404040009"), ("LT", "40504040001")], ids=["other-number", "other-country"]
)
def test_somebody_else_than_the_one_asked_for_is_refused(proof: Proof, person: tuple[str, str]) -> None:
    """An Estonian and a Lithuanian code may be equal: the country belongs to it."""
    with pytest.raises(Refused) as refused:
        proof.verified(case(EXAMPLE["input"], expected=Person(country=person[0], number=person[1])))
    assert refused.value.outcome is Outcome.PERSON_MISMATCH


@pytest.mark.parametrize("name", ["cert-php-dob-ee", "cert-php-dob-lv"])
def test_birth_dates_are_read_from_certificates(name: str) -> None:
    found = certificates.parse(b64decode(BY_ID[name]["input"]["der_b64"]))
    assert birthdate(found) == date.fromisoformat(BY_ID[name]["expected"]["date_of_birth_from_certificate"])
