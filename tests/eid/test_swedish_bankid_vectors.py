"""The formulas of Swedish BankID, against published and recomputed values (SR-105)."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from idp.eid import bankid_signature
from idp.eid.swedish_bankid_order import qr_code

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text("utf-8"))["vectors"]


def vectors(kind: str) -> list[Any]:
    found = [pytest.param(one["input"], one["expected"], id=one["id"]) for one in VECTORS if one["kind"] == kind]
    assert found
    return found


PUBLISHED = next(one for one in VECTORS if one["kind"] == "se_bankid_signature")


@pytest.mark.parametrize(("given", "wanted"), vectors("se_bankid_qr"))
def test_the_qr_code_is_the_same_to_the_byte(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    content = qr_code(given["qrStartToken"], given["qrStartSecret"], given["seconds"])

    assert content == wanted["qrData"]
    assert content.endswith(wanted["qrAuthCode"])


@pytest.mark.parametrize(("given", "wanted"), vectors("se_bankid_qr_negative"))
def test_no_second_gives_a_code_that_the_service_refuses(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    secret = next(one["input"]["qrStartSecret"] for one in VECTORS if one["kind"] == "se_bankid_qr")
    token = given["qrData"].split(".")[1]

    assert wanted["accept"] is False
    assert given["qrData"] not in {qr_code(token, secret, second) for second in range(60)}


@pytest.mark.parametrize(("given", "wanted"), vectors("se_bankid_signature"))
def test_a_published_signature_is_read(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    signed = bankid_signature.read(given["signature_b64"])

    assert _text(signed.visible) == wanted["usrVisibleData_text"]
    assert _text(signed.non_visible) == wanted["usrNonVisibleData_text"]
    assert signed.function == wanted["funcId"]
    subjects = [certificate.subject.rfc4514_string() for certificate in signed.certificates]
    assert [_common_name(subject) for subject in subjects] == [
        _common_name(subject) for subject in wanted["included_certificates"]
    ]
    assert signed.certificates[0].not_valid_after_utc == datetime.fromisoformat(wanted["user_cert_not_after"])
    assert signed.certificates[0].not_valid_after_utc < datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("given", "wanted"), vectors("se_bankid_ocsp_nonce"))
def test_the_nonce_of_an_ocsp_response_begins_with_the_signature(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert given["signature_b64_ref"] == PUBLISHED["id"]

    assert bankid_signature.binding(PUBLISHED["input"]["signature_b64"]).hex() == wanted["sha1_of_signature_string_hex"]


def _text(base64: str) -> str:
    return b64decode(base64).decode()


def _common_name(subject: str) -> str:
    return next(part for part in subject.split(",") if part.startswith("CN="))
