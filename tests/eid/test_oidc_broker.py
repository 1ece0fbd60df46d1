"""eIDs behind a broker: the five tables of the manual as they stand, against a broker that says what a test wants."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from idp.eid.connector import Attempt, Failed, Leave, Outcome, Pending, Person, Verified, View
from idp.eid.oidc_broker import OidcBroker
from idp.eid.oidc_broker_settings import OidcBrokerSettings
from tests.architecture.source import ROOT
from tests.eid.openid_provider import AT, NOW, Provider, parameters, running

PAGE = (ROOT / "docs/how-to/connect-an-eid-broker.md").read_text("utf-8")
TABLES = tomllib.loads("\n".join(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)))["eid"]

INSTANT = AT.strftime("%Y-%m-%dT%H:%M:%S.000Z")
KARI = {"given_name": "Kari Test", "family_name": "Nordmann", "birthdate": "1986-10-15"}
SAID: dict[str, dict[str, Any]] = {
    "signicat": {
        **KARI,
        "idp": "nbid",
        "nin": "15108695088",
        "nin_type": "BIRTH",
        "nin_issuing_country": "NO",
        "idp_id": "9578-5999-4-1765512",
        "nbid_acr": "urn:bankid:bid;LOA=4",
    },
    "idura-no": {
        **KARI,
        "identityscheme": "nobankid-oidc",
        "authenticationtype": "urn:grn:authn:no:bankid:high",
        "authenticationinstant": INSTANT,
        "socialno": "15108695088",
        "uniqueuserid": "9578-5999-4-1765512",
        "country": "NO",
    },
    "id-porten": {"acr": "idporten-loa-high", "amr": ["BankID"], "pid": "15108695088", "auth_time": NOW},
    "mitid": {
        "given_name": "Freja",
        "family_name": "Testesen",
        "birthdate": "1985-02-28",
        "identityscheme": "dkmitid",
        "authenticationinstant": INSTANT,
        "uuid": "4f5b9f2e-0000-4000-8000-000000000001",
        "loA": "SUBSTANTIAL",
        "ial": "SUBSTANTIAL",
        "aal": "HIGH",
    },
    "finland": {
        "given_name": "Väinö",
        "family_name": "Testaaja",
        "birthdate": "1952-10-13",
        "identityscheme": "fitupas",
        "authenticationtype": "urn:grn:authn:fi:bank-id",
        "authenticationinstant": INSTANT,
        "hetu": "131052-308T",
        "country": "FI",
    },
}
"""What each broker says of a person when nothing is wrong."""


@pytest.mark.parametrize(
    ("name", "level", "ids", "birthdate"),
    [
        ("signicat", "high", ("15108695088", "9578-5999-4-1765512"), date(1986, 10, 15)),
        ("idura-no", "high", ("15108695088", "9578-5999-4-1765512"), date(1986, 10, 15)),
        ("id-porten", "high", ("15108695088", None), date(1986, 10, 15)),
        ("mitid", "substantial", (None, "4f5b9f2e-0000-4000-8000-000000000001"), date(1985, 2, 28)),
        ("finland", "substantial", ("131052-308T", None), date(1952, 10, 13)),
    ],
)
def test_each_table_of_the_manual_proves_a_person(
    broker: Broker, name: str, level: str, ids: tuple[str | None, str | None], birthdate: date
) -> None:
    connector = broker.connector(name)

    result = broker.comes_back(connector, name)

    assert isinstance(result, Verified), result
    assert connector.levels[result.claimed_level] == level
    assert (result.number, result.reference) == ids
    assert result.birthdate == birthdate
    assert (result.given_name, result.family_name) == (
        SAID[name].get("given_name", ""),
        SAID[name].get("family_name", ""),
    )
    assert result.amr == ("mfa",)
    assert abs(result.at - AT) < timedelta(seconds=60)
    assert result.evidence["check_details"][0]["check_id"] == "token-1"


@pytest.mark.parametrize("name", TABLES)
def test_each_table_of_the_manual_is_fit_for_production(broker: Broker, name: str) -> None:
    made = OidcBroker(broker.settings(name, issuer=TABLES[name]["issuer"]), name=name)
    assert made.origins[0] in TABLES[name]["issuer"]
    assert (made.name, made.label, made.flows) == (name, TABLES[name]["label"], ("redirect",))


@pytest.mark.parametrize(
    ("name", "level", "words"),
    [
        ("signicat", "high", "idp:nbid"),
        ("idura-no", "high", "urn:grn:authn:no:bankid:high"),
        ("idura-no", "substantial", "urn:grn:authn:no:bankid:substantial"),
        ("id-porten", "substantial", "idporten-loa-substantial"),
    ],
)
def test_the_words_for_a_level_are_those_of_the_settings(broker: Broker, name: str, level: str, words: str) -> None:
    broker.connector(name).start(attempt(level=level, expected=Person(country="NO", number="15108695088")))
    (pushed,) = broker.provider.said("/par")
    assert pushed["acr_values"] == words
    assert pushed["prompt"] == "login"  # SR-106
    assert "login_hint" not in pushed


def test_the_challenge_is_that_of_the_published_vector(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 7636 Appendix B."""
    everything = json.loads((Path(__file__).parent / "vectors.json").read_text("utf-8"))["vectors"]
    vector = next(one for one in everything if one["id"] == "pkce-s256-rfc7636")
    monkeypatch.setattr("idp.eid.openid.secrets.token_urlsafe", lambda _: vector["input"]["code_verifier"])
    broker.connector("signicat").start(attempt())
    assert broker.provider.said("/par")[0]["code_challenge"] == vector["expected"]["code_challenge"]


def test_a_level_that_has_no_words_of_its_own_is_asked_for_by_the_next(broker: Broker) -> None:
    broker.connector("idura-no", acr_values={"high": "urn:grn:authn:no:bankid:high"}).start(attempt())
    assert broker.provider.said("/par")[0]["acr_values"] == "urn:grn:authn:no:bankid:high"
    assert outcome(broker.connector("finland").start(attempt(level="high"))) is Outcome.LEVEL_TOO_LOW


def test_finland_gets_a_signed_request_with_nothing_beside_it(broker: Broker) -> None:
    """RFC 9101, as the network's rules want it."""
    broker.provider.metadata = {"pushed_authorization_request_endpoint": None}
    left = broker.new("finland").start(attempt())
    assert isinstance(left, Leave)
    sent = parameters(left.url)
    assert set(sent) == {"client_id", "request"}
    request = jws.deserialize_compact(sent["request"], broker.key, algorithms=["RS256"])
    assert request.headers()["kid"] == "finland-signing-1"
    claims = json.loads(request.payload or b"")
    assert (claims["acr_values"], claims["aud"]) == ("urn:grn:authn:fi:bank-id", broker.provider.url)


@pytest.mark.parametrize(
    ("name", "wrong", "expected"),
    [
        ("signicat", {"idp": "sbid"}, Outcome.PROOF_INVALID),
        ("signicat", {"idp": None}, Outcome.PROOF_INVALID),
        ("signicat", {"idp": ["nbid", "sbid"]}, Outcome.PROOF_INVALID),
        ("signicat", {"idp": []}, Outcome.PROOF_INVALID),
        ("signicat", {"idp": "NBID"}, Outcome.PROOF_INVALID),
        ("signicat", {"nin_issuing_country": "SE"}, Outcome.PROOF_INVALID),
        ("signicat", {"nin_issuing_country": None}, Outcome.PROOF_INVALID),
        ("signicat", {"nbid_acr": None}, Outcome.LEVEL_TOO_LOW),
        ("signicat", {"nbid_acr": "urn:bankid:bid;LOA=3"}, Outcome.LEVEL_TOO_LOW),
        ("signicat", {"nbid_acr": ["urn:bankid:bid;LOA=4"]}, Outcome.LEVEL_TOO_LOW),
        ("signicat", {"nin": None}, Outcome.PROOF_INVALID),
        ("signicat", {"nin": "15108695089"}, Outcome.PROOF_INVALID),
        ("signicat", {"birthdate": "1986-10-16"}, Outcome.PROOF_INVALID),
        ("signicat", {"given_name": None}, Outcome.PROOF_INVALID),
        ("idura-no", {"identityscheme": "sebankid"}, Outcome.PROOF_INVALID),
        ("idura-no", {"authenticationtype": "urn:grn:authn:no:bankid"}, Outcome.LEVEL_TOO_LOW),
        ("idura-no", {"authenticationinstant": None}, Outcome.PROOF_INVALID),
        ("idura-no", {"authenticationinstant": "2021-11-30T12:34:56Z"}, Outcome.PROOF_INVALID),  # signed in before
        ("idura-no", {"authenticationinstant": INSTANT.removesuffix("Z")}, Outcome.PROOF_INVALID),  # of which zone?
        ("idura-no", {"authenticationinstant": "now"}, Outcome.PROOF_INVALID),
        ("id-porten", {"acr": "idporten-loa-low"}, Outcome.LEVEL_TOO_LOW),
        ("id-porten", {"acr": "Level4"}, Outcome.LEVEL_TOO_LOW),
        ("id-porten", {"amr": ["Minid-PIN"]}, Outcome.PROOF_INVALID),
        ("id-porten", {"amr": ["BankID", "eIDAS"]}, Outcome.PROOF_INVALID),
        ("id-porten", {"pid": None}, Outcome.PROOF_INVALID),  # as of a person with a foreign eID
        ("id-porten", {"auth_time": None}, Outcome.PROOF_INVALID),
        ("id-porten", {"auth_time": NOW - 1800}, Outcome.PROOF_INVALID),  # single sign-on over there
        ("mitid", {"loA": "LOW"}, Outcome.LEVEL_TOO_LOW),
        ("mitid", {"loA": "Substantial"}, Outcome.LEVEL_TOO_LOW),
        ("mitid", {"uuid": None}, Outcome.PROOF_INVALID),
        ("finland", {"hetu": None}, Outcome.PROOF_INVALID),
        ("finland", {"identityscheme": "dkmitid"}, Outcome.PROOF_INVALID),
    ],
)
def test_any_other_word_proves_nothing(broker: Broker, name: str, wrong: dict[str, Any], expected: Outcome) -> None:
    """SR-102."""
    result = broker.comes_back(broker.connector(name), name, **wrong)
    assert outcome(result) is expected
    assert "15108695" not in repr(result)


def test_the_lowest_of_several_level_claims_counts(broker: Broker) -> None:
    connector = broker.connector("mitid", level_claims=["loA", "ial", "aal"])
    result = broker.comes_back(connector, "mitid", loA="HIGH", ial="SUBSTANTIAL")
    assert isinstance(result, Verified)
    assert result.claimed_level == "SUBSTANTIAL"
    assert outcome(broker.comes_back(connector, "mitid", aal=None)) is Outcome.LEVEL_TOO_LOW
    assert outcome(broker.comes_back(connector, "mitid", ial="LOW")) is Outcome.LEVEL_TOO_LOW


@pytest.mark.parametrize("written", [NOW, NOW * 1000, str(NOW), str(NOW * 1000), INSTANT])
def test_a_time_is_read_however_the_broker_writes_it(broker: Broker, written: object) -> None:
    result = broker.comes_back(broker.connector("idura-no"), "idura-no", authenticationinstant=written)
    assert isinstance(result, Verified)
    assert abs(result.at.timestamp() - NOW) < 2


@pytest.mark.parametrize("written", [True, [], {}, 10**400, "9" * 15, "9" * 4000, -NOW, 1e300])
def test_what_is_no_time_of_now_proves_nothing(broker: Broker, written: object) -> None:
    result = broker.comes_back(broker.connector("idura-no"), "idura-no", authenticationinstant=written)
    assert outcome(result) is Outcome.PROOF_INVALID


def test_a_broker_that_tells_no_time_is_taken_at_the_time_of_its_token(broker: Broker) -> None:
    connector = broker.connector("idura-no", time_claim="")
    result = broker.comes_back(connector, "idura-no", authenticationinstant=None)
    assert isinstance(result, Verified)
    assert abs(result.at.timestamp() - NOW) < 5


def test_people_for_tests_are_nobody_in_production(broker: Broker) -> None:
    """SR-105: even where the settings accept the eID's name."""
    for place in ({"amr": ["TestID"]}, {"amr": "TestID"}):
        connector = broker.new("id-porten", eid_values=["BankID", "TestID"])
        assert isinstance(broker.comes_back(connector, "id-porten", **place), Verified)
        connector._with_test_people = False  # what `loopback=False` sets; the broker of this test has no https
        assert outcome(broker.comes_back(connector, "id-porten", **place)) is Outcome.PROOF_INVALID


# --- UserInfo ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signed", [True, False])
def test_userinfo_is_taken_signed_or_plain(broker: Broker, signed: bool) -> None:
    result = broker.comes_back(broker.connector("signicat"), "signicat", signed=signed)
    assert isinstance(result, Verified)
    (headers,) = [headers for path, _, headers in broker.provider.asked if path == "/userinfo"]
    assert headers["Authorization"] == "Bearer access-1"


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(
    "wrong", [{"sub": "subject-2"}, {"sub": None}, {"iss": "https://other.example"}, {"aud": "another-client"}]
)
def test_userinfo_about_somebody_else_proves_nothing(broker: Broker, signed: bool, wrong: dict[str, Any]) -> None:
    """SR-102; OpenID Connect Core §5.3.2."""
    result = broker.comes_back(broker.connector("signicat"), "signicat", signed=signed, in_userinfo=wrong)
    assert outcome(result) is Outcome.PROOF_INVALID


def test_userinfo_with_another_signature_proves_nothing(broker: Broker) -> None:
    stranger = Provider("", RSAKey.generate_key(2048), "RS256")
    forged = stranger.signed({**SAID["signicat"], "sub": "subject-1"}).encode()
    broker.provider.userinfo = lambda: (200, "application/jwt", forged)
    left = broker.leaves(broker.connector("signicat"))
    broker.provider.claims = {"idp": "nbid", "auth_time": NOW}
    assert outcome(broker.returns(left)) is Outcome.PROOF_INVALID


def test_claims_that_contradict_each_other_prove_nothing(broker: Broker) -> None:
    connector = broker.connector("signicat")
    result = broker.comes_back(connector, "signicat", in_id_token={"nin": "01010050064"})
    assert outcome(result) is Outcome.PROOF_INVALID
    assert isinstance(broker.comes_back(connector, "signicat", in_id_token={"nin": "15108695088"}), Verified)


def test_claims_in_userinfo_are_not_found_where_it_is_not_asked(broker: Broker) -> None:
    connector = broker.connector("signicat", userinfo=False)
    assert outcome(broker.comes_back(connector, "signicat")) is Outcome.LEVEL_TOO_LOW
    assert not broker.provider.said("/userinfo")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((401, "application/json", b"{}"), Outcome.PROVIDER_REJECTED_US),
        ((503, "text/html", b""), Outcome.PROVIDER_UNAVAILABLE),
        ((200, "text/html", b"{}"), Outcome.PROTOCOL_ERROR),
        ((200, "application/json", b"[]"), Outcome.PROTOCOL_ERROR),
        ((200, "application/jwt", b"\xff\xfe"), Outcome.PROOF_INVALID),
    ],
)
def test_without_userinfo_there_is_no_proof(broker: Broker, answer: tuple[int, str, bytes], expected: Outcome) -> None:
    left = broker.leaves(broker.connector("signicat"))
    broker.provider.claims = {"idp": "nbid", "auth_time": NOW}
    broker.provider.userinfo = lambda: answer
    assert outcome(broker.returns(left)) is expected


def test_a_broker_without_userinfo_cannot_be_asked(broker: Broker) -> None:
    broker.provider.metadata = {"userinfo_endpoint": None}
    assert outcome(broker.comes_back(broker.new("signicat"), "signicat")) is Outcome.PROTOCOL_ERROR


# --- encrypted tokens --------------------------------------------------------------------------------------------


def test_where_tokens_are_encrypted_a_plain_one_proves_nothing(broker: Broker) -> None:
    connector = broker.connector("finland")
    assert outcome(broker.comes_back(connector, "finland", encrypted=False)) is Outcome.PROOF_INVALID


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize(
    "header", [{"alg": "RSA1_5"}, {"alg": "RSA-OAEP"}, {"enc": "A192GCM"}, {"zip": "DEF"}, {"kid": "another"}]
)
def test_a_token_that_is_encrypted_otherwise_proves_nothing(broker: Broker, header: dict[str, str]) -> None:
    result = broker.comes_back(broker.connector("finland"), "finland", jwe_header=header)
    assert outcome(result) is Outcome.PROOF_INVALID


def test_encryption_does_not_stand_for_a_signature(broker: Broker) -> None:
    """Anybody can encrypt to us: what is inside must be signed by the broker."""
    connector = broker.connector("finland")
    genuine = broker.provider.signed
    stranger = Provider("", RSAKey.generate_key(2048), "RS256")
    broker.provider.__dict__["signed"] = stranger.signed
    assert outcome(broker.comes_back(connector, "finland")) is Outcome.PROOF_INVALID
    broker.provider.__dict__["signed"] = genuine
    assert isinstance(broker.comes_back(connector, "finland"), Verified)


# --- who it has to be --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "reference", "is_it"),
    [
        (None, "4f5b9f2e-0000-4000-8000-000000000001", True),
        ("280285-0001", "4f5b9f2e-0000-4000-8000-000000000001", True),  # the number is not told this time
        ("280285-0001", None, False),
        (None, "another", False),
    ],
)
def test_a_repeat_proof_is_of_the_person_linked(
    broker: Broker, number: str | None, reference: str | None, is_it: bool
) -> None:
    """SR-104."""
    linked = Person(country="DK", number=number, reference=reference)
    result = broker.comes_back(broker.connector("mitid"), "mitid", expected=linked)
    assert isinstance(result, Verified) if is_it else outcome(result) is Outcome.PERSON_MISMATCH


def test_a_person_who_cancels_is_heard(broker: Broker) -> None:
    left = broker.leaves(broker.connector("idura-no"))
    assert outcome(broker.returns(left, {"error": "access_denied"})) is Outcome.USER_REFUSED


def test_there_is_nothing_to_ask_to_show_or_to_stop(broker: Broker) -> None:
    connector, now = broker.connector("mitid"), AT
    assert connector.poll(b"", now=now) == Pending()
    assert connector.view(b"", now=now, locale="nb") == View()
    connector.cancel(b"")


# --- settings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"country": "XX"}, "country must be one of"),
        ({"eid_claim": ""}, "eid_claim and eid_values must say"),
        ({"eid_values": []}, "eid_claim and eid_values must say"),
        ({"level_claims": []}, "level_claims must name"),
        ({"levels": {}}, "levels must say"),
        ({"reference_claim": "sub"}, "reference_claim must not be sub"),
        ({"number_claim": ""}, "number_claim is needed"),
        ({"number_claim": "", "reference_claim": "", "national_number": False}, "or reference_claim is needed"),
        ({"amr": []}, "amr must hold names of RFC 8176"),
        ({"amr": ["bid"]}, "amr must hold names of RFC 8176"),
        ({"issuer": "http://example.com"}, "issuer must be an https address"),
        ({"issuer": "https://test.idporten.no"}, "issuer must not be one for test people"),
    ],
)
def test_settings_that_are_not_safe_stop_the_start(broker: Broker, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        OidcBroker(broker.settings("signicat", **{"issuer": "https://example.com", **wrong}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"levels": {"a": "low"}},
        {"token_algorithms": ["HS256"]},
        {"token_algorithms": ["none"]},
        {"key_algorithms": ["RSA1_5"]},
        {"acr_value": "idp:nbid"},
    ],
)
def test_a_slip_in_the_table_is_told(broker: Broker, wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        broker.settings("signicat", **wrong)


class Broker:
    """A broker, our keys there, and a person who goes there and comes back."""

    def __init__(self, provider: Provider, key: RSAKey, files: dict[str, str], made: dict[str, OidcBroker]) -> None:
        self.provider = provider
        self.key = key
        self._files = files
        self._made = made
        self._left: OidcBroker | None = None

    def settings(self, name: str, **other: Any) -> OidcBrokerSettings:
        """A table of the manual, with the files of this test."""
        table = {key: value for key, value in TABLES[name].items() if key != "connector"}
        own: dict[str, Any] = {"signing_key_file": self._files[table.get("signing_algorithm", "ES256")]}
        if "encryption_key_files" in table:
            own["encryption_key_files"] = dict.fromkeys(table["encryption_key_files"], self._files["RS256"])
        return msgspec.convert({**table, **own, "timeout": 2.0, **other}, OidcBrokerSettings)

    def connector(self, name: str, **other: Any) -> OidcBroker:
        """One for all tests with these settings: it keeps nothing of an attempt."""
        key = json.dumps([name, other])
        if key not in self._made:
            self._made[key] = self.new(name, **other)
        return self._made[key]

    def new(self, name: str, **other: Any) -> OidcBroker:
        """One that has not read what the broker publishes yet."""
        settings = self.settings(name, **{"issuer": self.provider.url, "browser_origins": [], **other})
        return OidcBroker(settings, name=name, loopback=True)

    def leaves(self, connector: OidcBroker, expected: Person | None = None) -> Leave:
        left = connector.start(attempt(expected=expected))
        assert isinstance(left, Leave), left
        self._left = connector
        self.provider.nonce = json.loads(left.notes)["nonce"]
        return left

    def returns(self, left: Leave, answer: dict[str, str] | None = None) -> object:
        return self._left.returned(left.notes, answer or {"code": "code-1"}, now=AT)

    def comes_back(
        self,
        connector: OidcBroker,
        name: str,
        *,
        expected: Person | None = None,
        signed: bool = True,
        encrypted: bool | None = None,
        in_userinfo: dict[str, Any] | None = None,
        in_id_token: dict[str, Any] | None = None,
        jwe_header: dict[str, str] | None = None,
        **other: Any,
    ) -> object:
        """`other` is what the broker says otherwise than usual; None takes a claim away."""
        left, said = self.leaves(connector, expected), {**SAID[name], **other}
        said = {claim: value for claim, value in said.items() if value is not None}
        if name == "signicat":
            self._in_userinfo({"sub": "subject-1", **said, **(in_userinfo or {})}, signed=signed)
            said = {"amr": ["external"], "auth_time": NOW, **({"idp": said["idp"]} if "idp" in said else {})}
        self.provider.claims = {**said, **(in_id_token or {})}
        if encrypted if encrypted is not None else name == "finland":
            usual = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": "finland-encryption-1"}
            self.provider.encrypted_to(self.key, **{**usual, **(jwe_header or {})})
        return self.returns(left)

    def _in_userinfo(self, said: dict[str, Any], *, signed: bool) -> None:
        said = {claim: value for claim, value in said.items() if value is not None}
        if signed:
            self.provider.userinfo = lambda: (200, "application/jwt", self.provider.signed(said).encode())
        else:
            self.provider.userinfo = lambda: (200, "application/json", json.dumps(said).encode())


def attempt(**other: Any) -> Attempt:
    usual: dict[str, Any] = {
        "transaction_id": "transaction-1",
        "state": "state-1",
        "callback": "https://id.example.no/eid/broker/return",
        "level": "substantial",
        "flow": "redirect",
        "service": "Alumni",
        "locale": "nb",
        "address": "192.0.2.7",
        "now": AT,
    }
    return Attempt(**{**usual, **other})


def outcome(result: object) -> Outcome:
    assert isinstance(result, Failed), result
    return result.outcome


@pytest.fixture(scope="module")
def key() -> RSAKey:
    return RSAKey.generate_key(2048)


@pytest.fixture(scope="module")
def started(key: RSAKey) -> Iterator[Provider]:
    with running(key, "RS256") as provider:
        yield provider


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, key: RSAKey) -> dict[str, str]:
    """One RSA key for the broker and for both of ours: only the making of it is slow."""
    folder: Path = tmp_path_factory.mktemp("broker")
    (folder / "ec.pem").write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    (folder / "rsa.pem").write_bytes(key.as_pem(private=True))
    return {"ES256": str(folder / "ec.pem"), "RS256": str(folder / "rsa.pem")}


@pytest.fixture(scope="module")
def made() -> dict[str, OidcBroker]:
    return {}


@pytest.fixture
def broker(started: Provider, key: RSAKey, files: dict[str, str], made: dict[str, OidcBroker]) -> Broker:
    started.__dict__ = Provider(started.url, key, "RS256").__dict__
    return Broker(started, key, files, made)
