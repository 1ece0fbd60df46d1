"""Norwegian BankID: what is asked for, what is made of the answer, and which answers prove nothing."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from idp.eid.connector import Attempt, Failed, Leave, Outcome, Pending, Person, Verified, View
from idp.eid.norwegian_bankid import NorwegianBankId, NorwegianBankIdSettings
from tests.eid.openid_provider import AT, NOW, Provider, half_hash, parameters, running

KARI = {
    "acr": "urn:bankid:bid;LOA=4",
    "amr": ["bid", "bid-mfa", "bid-app", "bid-pwd"],
    "given_name": "Kari Test",
    "family_name": "Nordmann",
    "birthdate": "1986-10-15",
    "bankid_altsub": "9578-5999-4-1765512",
    "nnin_altsub": "15108695088",
}
LINKED = Person(country="NO", number="15108695088", reference="9578-5999-4-1765512")


# --- leaving -----------------------------------------------------------------------------------------------------


def test_the_request_is_pushed_and_the_browser_carries_only_its_name(bankid: NorwegianBankId, bank: Provider) -> None:
    """SR-101: PKCE S256, state and nonce of this one attempt."""
    left = leave(bankid)

    assert parameters(left.url) == {"client_id": "our-client", "request_uri": "urn:example:1"}
    (pushed,) = bank.said("/par")
    notes = json.loads(left.notes)
    assert pushed["response_type"] == "code"
    assert pushed["scope"] == "openid profile nnin_altsub"
    assert pushed["acr_values"] == "urn:bankid:bid"
    assert pushed["redirect_uri"] == "https://id.example.no/eid/norwegian-bankid/return"
    assert pushed["code_challenge"] == _encoded(sha256(notes["verifier"].encode()).digest())
    assert (pushed["code_challenge_method"], pushed["state"]) == ("S256", "state-1")
    assert (pushed["prompt"], pushed["max_age"], pushed["ui_locales"]) == ("login", "0", "nb")  # SR-106
    assert pushed["client_assertion"]
    assert "login_hint" not in pushed


def test_two_attempts_share_nothing(bankid: NorwegianBankId, bank: Provider) -> None:
    first, second = json.loads(leave(bankid).notes), json.loads(leave(bankid).notes)
    assert first["nonce"] != second["nonce"]
    assert first["verifier"] != second["verifier"]
    assert len(first["verifier"]) >= 43


def test_whoever_is_known_is_named_only_where_the_browser_cannot_see(bankid: NorwegianBankId, bank: Provider) -> None:
    left = leave(bankid, expected=LINKED)
    assert bank.said("/par")[0]["login_hint"] == ":15108695088"
    assert "15108695088" not in left.url
    assert "15108695088" not in repr(left)


@pytest.mark.parametrize("pushed", ["never", "when-offered"])
def test_without_pushed_requests_nobody_is_named(bank: Provider, settings: dict[str, Any], pushed: str) -> None:
    bank.metadata = {"pushed_authorization_request_endpoint": None} if pushed == "when-offered" else {}
    bankid = connector(settings, pushed_requests=pushed)

    sent = parameters(leave(bankid, expected=LINKED, level="substantial", locale="en").url)

    assert "login_hint" not in sent
    assert sent["acr_values"] == "urn:bankid:bid urn:bankid:bis"
    assert (sent["client_id"], sent["state"], sent["ui_locales"]) == ("our-client", "state-1", "en")
    assert not bank.said("/par")


@pytest.mark.parametrize("always", [True, False])
def test_where_requests_must_be_pushed_and_cannot_nothing_is_sent(
    bank: Provider, settings: dict[str, Any], always: bool
) -> None:
    bank.metadata = {
        "pushed_authorization_request_endpoint": None,
        "require_pushed_authorization_requests": not always,
    }
    bankid = connector(settings, pushed_requests="always" if always else "when-offered")
    assert outcome(bankid.start(attempt())) is Outcome.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((401, "application/json", b'{"error":"invalid_client"}'), Outcome.PROVIDER_REJECTED_US),
        ((400, "application/json", b'{"error":"invalid_scope"}'), Outcome.PROVIDER_REJECTED_US),
        ((400, "application/json", b'{"error":"something"}'), Outcome.PROTOCOL_ERROR),
        ((400, "text/html", b"<html>"), Outcome.PROTOCOL_ERROR),
        ((400, "application/json", b'["error"]'), Outcome.PROTOCOL_ERROR),
        ((403, "text/html", b""), Outcome.PROVIDER_REJECTED_US),
        ((429, "text/html", b""), Outcome.PROVIDER_UNAVAILABLE),
        ((503, "text/html", b""), Outcome.PROVIDER_UNAVAILABLE),
        ((302, "text/html", b""), Outcome.PROVIDER_UNAVAILABLE),
        ((201, "text/html", b'{"request_uri":"urn:a"}'), Outcome.PROTOCOL_ERROR),
        ((201, "application/json", b'{"request_uri":7}'), Outcome.PROTOCOL_ERROR),
        ((201, "application/json", b"{"), Outcome.PROTOCOL_ERROR),
        ((201, "application/json", b'{"request_uri":"a","request_uri":"b"}'), Outcome.PROTOCOL_ERROR),
        ((201, "application/json", b" " * 300_000), Outcome.PROVIDER_UNAVAILABLE),
    ],
)
def test_a_request_that_bankid_does_not_take_starts_nothing(
    bankid: NorwegianBankId, bank: Provider, answer: tuple[int, str, bytes], expected: Outcome
) -> None:
    bank.answers["/par"] = lambda: answer
    assert outcome(bankid.start(attempt())) is expected


def test_a_bank_that_cannot_be_reached_is_no_proof(settings: dict[str, Any]) -> None:
    with running(ECKey.generate_key("P-256"), "ES256") as gone:
        url = gone.url
    bankid = connector({**settings, "issuer": url})
    assert outcome(bankid.start(attempt())) is Outcome.PROVIDER_UNAVAILABLE


def test_the_browser_is_never_sent_to_an_origin_the_settings_do_not_name(
    bank: Provider, bankid: NorwegianBankId, settings: dict[str, Any]
) -> None:
    assert bankid.origins == (bank.url,)
    bank.metadata = {"authorization_endpoint": "https://login.example.no/precheck/auth?realm=prod"}
    assert outcome(connector(settings).start(attempt())) is Outcome.PROTOCOL_ERROR

    named = connector(settings, browser_origins=("https://login.example.no",))
    assert named.origins == (bank.url, "https://login.example.no")
    assert leave(named).url.startswith("https://login.example.no/precheck/auth?realm=prod&client_id=our-client&")


def test_the_request_is_signed_where_the_settings_say_so(bank: Provider, settings: dict[str, Any]) -> None:
    """RFC 9101: only `client_id` stays outside."""
    sent = parameters(leave(connector(settings, signed_requests=True, pushed_requests="never")).url)
    assert set(sent) == {"client_id", "request"}
    header, claims = (json.loads(_decoded(part)) for part in sent["request"].split(".")[:2])
    assert header["typ"] == "oauth-authz-req+jwt"
    assert (claims["iss"], claims["aud"], claims["client_id"]) == ("our-client", bank.url, "our-client")
    assert (claims["max_age"], claims["state"], claims["acr_values"]) == (0, "state-1", "urn:bankid:bid")

    leave(connector(settings, signed_requests=True), expected=LINKED)
    assert "15108695088" not in json.dumps(bank.said("/par"))
    assert not {"state", "scope", "login_hint"} & bank.said("/par")[0].keys()


# --- coming back -------------------------------------------------------------------------------------------------


def test_a_person_is_who_bankid_says(bankid: NorwegianBankId, bank: Provider) -> None:
    result = come_back(bankid, bank)

    assert isinstance(result, Verified)
    assert (result.country, result.number, result.reference) == ("NO", "15108695088", "9578-5999-4-1765512")
    assert (result.given_name, result.family_name) == ("Kari Test", "Nordmann")
    assert result.birthdate == date(1986, 10, 15)
    assert bankid.levels[result.claimed_level] == "high"
    assert result.amr == ("mfa", "swk", "pwd")
    assert abs(result.at - AT) < timedelta(seconds=5)
    assert result.evidence == {
        "type": "electronic_record",
        "check_details": [{"check_method": "data", "organization": "BankID BankAxept AS", "check_id": "token-1"}],
        "record": {"type": "eid", "source": {"name": "BankID", "country_code": "NOR"}},
    }
    assert not {"Kari", "15108695088", "Nordmann"} & set(repr(result).replace("'", " ").split())
    (form,) = bank.said("/token")
    assert (form["grant_type"], form["code"]) == ("authorization_code", "code-1")
    assert form["redirect_uri"] == "https://id.example.no/eid/norwegian-bankid/return"
    assert form["code_verifier"]


@pytest.mark.parametrize(
    ("acr", "amr", "names"),
    [
        ("urn:bankid:bid;LOA=4", ["bid", "bid-mfa", "bid-otp", "bid-pwd"], ("mfa", "otp", "pwd")),
        ("urn:bankid:bis;LOA=3", ["bis-mfa", "bis-bid"], ("mfa", "swk", "user")),
        ("urn:bankid:bid;LOA=4", ["root", "pwd", 7], ("mfa",)),  # never copied unchecked
        ("urn:bankid:bid;LOA=4", "BID", ("mfa",)),  # as older versions wrote it
        ("urn:bankid:bid;LOA=4", None, ("mfa",)),
    ],
)
def test_methods_are_told_in_registered_names(
    bankid: NorwegianBankId, bank: Provider, acr: str, amr: object, names: tuple[str, ...]
) -> None:
    result = come_back(bankid, bank, acr=acr, amr=amr)
    assert isinstance(result, Verified)
    assert result.amr == names


@pytest.mark.parametrize(
    "acr",
    [
        "urn:bankid:bim;LOA=4",
        "urn:bankid:bid;LOA=3",
        "urn:bankid:bid;LOA=44",
        "urn:bankid:bid",
        "URN:BANKID:BID;LOA=4",
        "urn:bankid:bid;LOA=4 ",
        ["urn:bankid:bid;LOA=4"],
        "",
        None,
    ],
)
def test_a_level_counts_by_its_exact_word_only(bankid: NorwegianBankId, bank: Provider, acr: object) -> None:
    """SR-102: a lower or unknown level is a refusal, never a silent downgrade."""
    assert outcome(come_back(bankid, bank, acr=acr)) is Outcome.LEVEL_TOO_LOW


def test_a_lower_level_than_asked_for_is_told_as_what_it_is(bankid: NorwegianBankId, bank: Provider) -> None:
    result = come_back(bankid, bank, acr="urn:bankid:bis;LOA=3")
    assert isinstance(result, Verified)
    assert bankid.levels[result.claimed_level] == "substantial"


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://auth.bankid.no/auth/realms/prod"},
        {"aud": "another-client"},
        {"aud": ["our-client", "another-client"]},
        {"azp": "another-client"},
        {"nonce": "another"},
        {"at_hash": half_hash("another")},
        {"exp": NOW - 61},
        {"iat": NOW + 600},
        {"iat": NOW - 600},
        {"auth_time": NOW - 600},
        {"birthdate": None},
        {"birthdate": "15.10.1986"},
        {"birthdate": "19861015"},
        {"birthdate": "1986-10-16"},  # not what the number says
        {"birthdate": 19861015},
        {"nnin_altsub": None},
        {"nnin_altsub": ""},
        {"nnin_altsub": "15108695089"},
        {"nnin_altsub": 15108695088},
        {"given_name": None},
        {"given_name": "\ud800"},
        {"family_name": "\x00"},
        {"family_name": "N" * 300},
    ],
)
def test_what_is_wrong_proves_nothing(bankid: NorwegianBankId, bank: Provider, wrong: dict[str, Any]) -> None:
    """SR-102."""
    result = come_back(bankid, bank, **wrong)
    assert outcome(result) is Outcome.PROOF_INVALID
    assert "15108695" not in repr(result)


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "another"},
        {"jku": "https://other.example/jwks"},
        {"x5u": "https://other.example/cert"},
        {"jwk": {"kty": "EC"}},
        {"crit": ["exp"]},
        {"zip": "DEF"},
        {"alg": "none"},
        {"alg": "RS256"},
        {"alg": "HS256"},
        {"alg": "es256"},
    ],
)
def test_a_token_may_not_say_how_to_trust_it(
    bankid: NorwegianBankId, bank: Provider, monkeypatch: pytest.MonkeyPatch, header: dict[str, Any]
) -> None:
    """SR-91, SR-92."""
    honest = bank.signed

    def forged(claims: dict[str, Any]) -> str:
        _, payload, signature = honest(claims).split(".")
        said = {"alg": "ES256", "kid": "key-1", **header}
        return f"{_encoded(json.dumps(said).encode())}.{payload}.{signature}"

    monkeypatch.setattr(bank, "signed", forged)
    assert outcome(come_back(bankid, bank)) is Outcome.PROOF_INVALID


@pytest.mark.parametrize("token", [None, "", "a.b.c", 7, "x" * 20_000])
def test_without_an_id_token_there_is_no_proof(bankid: NorwegianBankId, bank: Provider, token: object) -> None:
    said = json.dumps({"access_token": "access-1", "token_type": "Bearer", "id_token": token}).encode()
    bank.answers["/token"] = lambda: (200, "application/json", said)
    assert outcome(come_back(bankid, bank)) is Outcome.PROOF_INVALID


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"error": "access_denied", "error_description": "bankid_error_codes:C131"}, Outcome.USER_REFUSED),
        ({"error": "access_denied", "code": "code-1"}, Outcome.USER_REFUSED),
        ({"error": "temporarily_unavailable"}, Outcome.PROVIDER_UNAVAILABLE),
        ({"error": "server_error"}, Outcome.PROVIDER_UNAVAILABLE),
        ({"error": "invalid_scope"}, Outcome.PROVIDER_REJECTED_US),
        ({"error": "invalid_request"}, Outcome.PROVIDER_REJECTED_US),
        ({"error": "login_required"}, Outcome.PROTOCOL_ERROR),
        ({"error": "15108695088"}, Outcome.PROTOCOL_ERROR),
        ({}, Outcome.PROTOCOL_ERROR),
        ({"code": ""}, Outcome.PROTOCOL_ERROR),
        ({"code": "c" * 10_000}, Outcome.PROTOCOL_ERROR),
        ({"code": "code-1", "iss": "https://other.example"}, Outcome.PROOF_INVALID),  # RFC 9207
        ({"error": "access_denied", "iss": ""}, Outcome.PROOF_INVALID),
    ],
)
def test_an_answer_without_a_code_proves_nothing(
    bankid: NorwegianBankId, bank: Provider, answer: dict[str, str], expected: Outcome
) -> None:
    result = bankid.returned(leave(bankid).notes, answer, now=AT)
    assert outcome(result) is expected
    assert "15108695088" not in repr(result)
    assert not bank.said("/token")


def test_the_banks_own_code_is_told_to_the_log(bankid: NorwegianBankId) -> None:
    answer = {"error": "access_denied", "error_description": "bankid_error_codes:C131"}
    result = bankid.returned(leave(bankid).notes, answer, now=AT)
    assert result == Failed(Outcome.USER_REFUSED, "access_denied, code C131")


def test_a_provider_that_names_itself_must_always_do_so(bank: Provider, settings: dict[str, Any]) -> None:
    """RFC 9207 §2.4, against mix-up."""
    bank.metadata = {"authorization_response_iss_parameter_supported": True}
    bankid = connector(settings)
    assert outcome(come_back(bankid, bank)) is Outcome.PROOF_INVALID
    assert isinstance(come_back(bankid, bank, answer={"code": "code-1", "iss": bank.url}), Verified)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((400, "application/json", b'{"error":"invalid_grant"}'), Outcome.PROOF_INVALID),
        ((401, "application/json", b'{"error":"invalid_client"}'), Outcome.PROVIDER_REJECTED_US),
        ((500, "application/json", b'{"error":"invalid_grant"}'), Outcome.PROVIDER_UNAVAILABLE),
        ((200, "application/json", b"{}"), Outcome.PROTOCOL_ERROR),
        ((200, "application/json", b'{"access_token":""}'), Outcome.PROTOCOL_ERROR),
        ((200, "text/plain", b'{"access_token":"a"}'), Outcome.PROTOCOL_ERROR),
    ],
)
def test_a_code_that_is_not_redeemed_proves_nothing(
    bankid: NorwegianBankId, bank: Provider, answer: tuple[int, str, bytes], expected: Outcome
) -> None:
    bank.answers["/token"] = lambda: answer
    assert outcome(come_back(bankid, bank)) is expected


@pytest.mark.parametrize(
    ("linked", "is_it"),
    [
        (LINKED, True),
        (replace(LINKED, reference=None), True),
        (replace(LINKED, number=None), True),
        (replace(LINKED, reference="9578-6000-4-351726"), True),  # another bank's certificate, the same person
        (replace(LINKED, number="01010050064"), False),
        (replace(LINKED, number=None, reference="9578-6000-4-351726"), False),
        (replace(LINKED, number=None, reference=None), False),
        (replace(LINKED, country="SE"), False),
    ],
)
def test_a_repeat_proof_is_of_the_person_linked(
    bankid: NorwegianBankId, bank: Provider, linked: Person, is_it: bool
) -> None:
    """SR-104."""
    result = come_back(bankid, bank, expected=linked)
    assert isinstance(result, Verified) if is_it else outcome(result) is Outcome.PERSON_MISMATCH


def test_a_deployment_without_the_number_knows_the_person_by_the_banks_id(
    bank: Provider, settings: dict[str, Any]
) -> None:
    bankid = connector(settings, national_number=False)
    result = come_back(bankid, bank)
    assert bank.said("/par")[0]["scope"] == "openid profile"
    assert isinstance(result, Verified)
    assert (result.number, result.reference) == (None, "9578-5999-4-1765512")
    assert outcome(come_back(bankid, bank, bankid_altsub=None)) is Outcome.PROOF_INVALID


def test_new_keys_of_the_bank_are_found_without_a_restart(bank: Provider, settings: dict[str, Any]) -> None:
    """SR-100."""
    bankid = connector(settings)
    assert isinstance(come_back(bankid, bank), Verified)
    bank.key, bank.header = ECKey.generate_key("P-256"), {"kid": "key-2"}
    bank.published = [bank.key.as_dict(private=False, kid="key-2", use="sig")]
    assert isinstance(come_back(bankid, bank), Verified)


@pytest.mark.parametrize("notes", [b"", b"{}", b"\xff"])
def test_notes_of_nobody_prove_nothing(bankid: NorwegianBankId, notes: bytes) -> None:
    assert outcome(bankid.returned(notes, {"code": "code-1"}, now=AT)) is Outcome.PROTOCOL_ERROR


def test_there_is_nothing_to_ask_to_show_or_to_stop(bankid: NorwegianBankId) -> None:
    now = AT
    assert bankid.flows == ("redirect",)
    assert bankid.poll(b"", now=now) == Pending()
    assert bankid.view(b"", now=now, locale="nb") == View()
    bankid.cancel(b"")


# --- settings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"issuer": "http://auth.bankid.no/auth/realms/prod"}, "issuer must be an https address"),
        ({"issuer": "https://auth.current.bankid.no/auth/realms/current"}, "issuer must not be one for test people"),
        ({"levels": {"urn:bankid:bid;LOA=4": "highest"}}, "levels must say substantial or high"),
        ({"levels": {}}, "levels must say"),
        ({"browser_origins": ("http://login.example.no",)}, "browser_origins must be an https address"),
    ],
)
def test_settings_that_are_not_safe_stop_the_start(settings: dict[str, Any], wrong: dict[str, Any], words: str) -> None:
    """SR-105: what is for tests proves nobody."""
    with pytest.raises(ValueError, match=words):
        NorwegianBankId(NorwegianBankIdSettings(**{**settings, "issuer": "https://auth.bankid.no/realm", **wrong}))


def test_a_level_without_words_to_ask_for_it_starts_nothing(settings: dict[str, Any]) -> None:
    bankid = connector(settings, acr_values={"substantial": "urn:bankid:bis"})
    assert outcome(bankid.start(attempt())) is Outcome.LEVEL_TOO_LOW


def attempt(**other: Any) -> Attempt:
    usual: dict[str, Any] = {
        "transaction_id": "transaction-1",
        "state": "state-1",
        "callback": "https://id.example.no/eid/norwegian-bankid/return",
        "level": "high",
        "flow": "redirect",
        "service": "Alumni",
        "locale": "nb",
        "address": "192.0.2.7",
        "now": AT,
    }
    return Attempt(**{**usual, **other})


def leave(bankid: NorwegianBankId, **other: Any) -> Leave:
    left = bankid.start(attempt(**other))
    assert isinstance(left, Leave), left
    return left


def come_back(
    bankid: NorwegianBankId,
    bank: Provider,
    *,
    expected: Person | None = None,
    answer: dict[str, str] | None = None,
    **claims: Any,
) -> object:
    """The person signs in over there; `claims` are what the bank says otherwise than usual."""
    left = leave(bankid, expected=expected)
    bank.nonce = json.loads(left.notes)["nonce"]
    bank.claims = {**KARI, **claims}
    return bankid.returned(left.notes, answer or {"code": "code-1"}, now=AT)


def outcome(result: object) -> Outcome:
    assert isinstance(result, Failed), result
    return result.outcome


def connector(settings: dict[str, Any], **other: Any) -> NorwegianBankId:
    return NorwegianBankId(NorwegianBankIdSettings(**{**settings, **other}), loopback=True)


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.fixture(scope="module")
def key() -> ECKey:
    return ECKey.generate_key("P-256")


@pytest.fixture(scope="module")
def started(key: ECKey) -> Iterator[Provider]:
    with running(key, "ES256") as provider:
        yield provider


@pytest.fixture
def bank(started: Provider, key: ECKey) -> Provider:
    """The bank as it is when nothing is wrong."""
    started.__dict__ = Provider(started.url, key, "ES256").__dict__
    return started


@pytest.fixture(scope="module")
def settings(started: Provider, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path: Path = tmp_path_factory.mktemp("bankid") / "signing.pem"
    path.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    return {"issuer": started.url, "client_id": "our-client", "signing_key_file": str(path), "timeout": 2.0}


@pytest.fixture(scope="module")
def one(settings: dict[str, Any]) -> NorwegianBankId:
    return connector(settings)


@pytest.fixture
def bankid(one: NorwegianBankId, bank: Provider) -> NorwegianBankId:
    """One connector for all: it keeps nothing of an attempt."""
    return one
