"""Authorization details: RFC 9396, clause by clause, for the type `alumni_records`."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from idp.rules.client_metadata import TOKEN_EXCHANGE
from idp.services import consents
from idp.services.clients import Registered
from tests.members import account_id
from tests.people import PAYSLIPS, Person, Provider
from tests.protocol.signed_in import BASE, bearer, code_form, error, gets, posts, refreshes, signed_in, told

ARCHIVE = "https://archive.example/"
KEY = ECKey.generate_key("P-256", parameters={"kid": "k"})


def record(*kinds: str, at: Any = (PAYSLIPS,), **more: Any) -> dict[str, Any]:
    """One detail: to read these records there; a change to None leaves a member out."""
    made = {"type": "alumni_records", "locations": list(at), "actions": ["read"], "datatypes": list(kinds), **more}
    return {name: value for name, value in made.items() if value is not None}


def said(*details: Any) -> str:
    return orjson.dumps(list(details)).decode()


SLIPS, TAX = record("payslips"), record("tax_papers")


@pytest.fixture(scope="module")
def client(provider: Provider) -> Registered:
    return provider.register(
        authorization_details_types=["alumni_records"],
        resources=[PAYSLIPS, ARCHIVE],
        jwks={"keys": [KEY.as_dict(private=False)]},
    )


@pytest.fixture
def kari(provider: Provider) -> Person:
    return signed_in(provider)


def asks(person: Person, client: Registered, *details: Any, **more: str) -> Person:
    return person.comes_from_portal(
        client_id=client.client.client_id, authorization_details=said(*details) if details else "", **more
    )


def tokens(person: Person, client: Registered, *details: Any, form: dict[str, str] | None = None, **more: str) -> Any:
    asks(person, client, *details, **more)
    return posts(person.provider, "/token", code_form(person, **(form or {})), caller=client).get_json()


def held(token: dict[str, Any]) -> Any:
    """What the access token says it is for."""
    return told(token["access_token"]).get("authorization_details")


# What a request may say (§2, §5)


@pytest.mark.parametrize(
    "wrong",
    [
        "no json", "{}", "[]", "null", '"alumni_records"', "[1]", "[[]]", "[{}]",
        said({**SLIPS, "type": "account_information"}),
        said({**SLIPS, "type": 1}),
        said({"type": "alumni_records"}),
        said(record("payslips", locations=None)),
        said(record("payslips", actions=None)),
        said(record("payslips", datatypes=None)),
        said(record()),
        said(record("payslips", at=())),
        said(record("payslips", at=("https://elsewhere.example/",))),
        said(record("payslips", at=(PAYSLIPS, "https://elsewhere.example/"))),
        said(record("payslips", at=(PAYSLIPS,) * 5)),
        said(record("diaries")),
        said(record("payslips", actions=["write"])),
        said(record("payslips", actions="read")),
        said(record("payslips", employer=1)),
        said(record("payslips", employer="")),
        said(record("payslips", employer="x" * 101)),
        said(record("payslips", employer="a\u202eb")),
        said(record("payslips", privileges=["admin"])),
        said(*[record("payslips", employer=str(number)) for number in range(9)]),
        said(SLIPS, {"type": "unknown"}),
        '[{"type":"alumni_records","type":"alumni_records","locations":["a"],"actions":["read"],"datatypes":["payslips"]}]',
        '[{"type":"alumni_records","locations":["\\ud800"],"actions":["read"],"datatypes":["payslips"]}]',
    ],
)  # fmt: skip
def test_what_the_type_does_not_define_is_refused(kari: Person, client: Registered, wrong: str) -> None:
    """§5: an unknown type, unknown members, wrong types, values that are not allowed, members that are missing."""
    kari.comes_from_portal(client_id=client.client.client_id, authorization_details=wrong)

    assert kari.redirected_to()["error"] == "invalid_authorization_details"
    pushed = posts(kari.provider, "/par", kari.request(client_id="", authorization_details=wrong), caller=client)
    assert error(pushed) == (400, "invalid_authorization_details")
    assert "elsewhere" not in pushed.get_data(as_text=True)


def test_a_client_asks_only_for_types_it_is_registered_for(kari: Person, provider: Provider) -> None:
    """§10."""
    told = kari.comes_from_portal(authorization_details=said(SLIPS)).redirected_to()

    assert told["error"] == "invalid_authorization_details"
    with pytest.raises(ValueError, match="authorization_details_types"):
        provider.register(authorization_details_types=["account_information"])


def test_it_comes_once(kari: Person, client: Registered) -> None:
    twice = [("authorization_details", said(SLIPS))] * 2
    kari.goes(f"/authorize?{urlencode([*kari.request(client_id=client.client.client_id).items(), *twice])}")

    assert kari.redirected_to()["error"] == "invalid_request"


# Three ways in, one way out (§3, §7, §9)


def by_query(person: Person, client: Registered, details: list[Any]) -> None:
    asks(person, client, *details)


def by_push(person: Person, client: Registered, details: list[Any]) -> None:
    form = person.request(client_id="", authorization_details=said(*details))
    name = posts(person.provider, "/par", form, caller=client).get_json()["request_uri"]
    person.goes(f"/authorize?{urlencode({'client_id': client.client.client_id, 'request_uri': name})}")


def by_object(person: Person, client: Registered, details: list[Any]) -> None:
    """RFC 9396 §3: in a request object it is JSON, no text."""
    client_id = client.client.client_id
    claims = {**person.request(client_id=client_id), "authorization_details": details, "aud": BASE}
    token = jwt.encode({"alg": "ES256", "kid": "k"}, claims, KEY)
    person.goes(f"/authorize?{urlencode({'client_id': client_id, 'request': token})}")


@pytest.mark.parametrize("way", [by_query, by_push, by_object])
def test_what_was_granted_is_told_and_carried(kari: Person, client: Registered, way: Any) -> None:
    """§7: in the answer; §9.1: in the token, for the APIs that are named in `locations`; §9.2: by introspection."""
    provider, details = kari.provider, [record("payslips", employer="Fjordkraft Verksted AS"), TAX]
    way(kari, client, details)
    given = posts(provider, "/token", code_form(kari), caller=client).get_json()

    assert given["authorization_details"] == details
    assert held(given) == details
    assert told(given["access_token"])["aud"] == PAYSLIPS
    live = posts(provider, "/introspect", {"token": given["access_token"]}, caller=client).get_json()
    assert live["authorization_details"] == details
    again = refreshes(provider, given["refresh_token"], caller=client).get_json()
    assert again["authorization_details"] == held(again) == details


def test_without_details_nothing_is_said_of_any(kari: Person, client: Registered) -> None:
    given = tokens(kari, client, resource=PAYSLIPS)

    assert "authorization_details" not in given
    assert held(given) is None


def test_an_api_hears_of_its_own_details_only(kari: Person, provider: Provider, client: Registered) -> None:
    """§9.1, §9.2: filtered to the audience; a resource named beside them takes nothing from what was granted (§3.2)."""
    both = record("payslips", at=(PAYSLIPS, ARCHIVE))
    given = tokens(kari, client, both, record("employment", at=(ARCHIVE,)), resource=ARCHIVE)
    assert held(given) == [record("payslips", at=(ARCHIVE,)), record("employment", at=(ARCHIVE,))]
    one = refreshes(provider, given["refresh_token"], caller=client, resource=PAYSLIPS).get_json()
    assert held(one) == one["authorization_details"] == [SLIPS]
    wide = tokens(kari, client, both, record("employment", at=(ARCHIVE,)))["access_token"]
    api = provider.register(
        redirect_uris=[], grant_types=[], scope="", resources=[], client_uri=None, resource_server=PAYSLIPS
    )
    assert posts(provider, "/introspect", {"token": wide}, caller=api).get_json()["authorization_details"] == [SLIPS]


# Narrowing at the token endpoint (§6)


def test_a_token_may_be_asked_for_less(kari: Person, client: Registered) -> None:
    """§6: for a code and for a refresh token; the grant itself stays as it was."""
    wide = record("payslips", "tax_papers", "employment")
    given = tokens(kari, client, wide, form={"authorization_details": said(SLIPS)})
    assert held(given) == given["authorization_details"] == [SLIPS]
    less = said(record("tax_papers", employer="Nordlys Rederi AS"))  # within "of every employer"
    again = refreshes(kari.provider, given["refresh_token"], caller=client, authorization_details=less).get_json()
    assert held(again) == orjson.loads(less)
    whole = refreshes(kari.provider, again["refresh_token"], caller=client).get_json()
    assert held(whole) == [wide]


@pytest.mark.parametrize(
    "more",
    [
        record("payslips", "tax_papers"),
        record("employment"),
        record("payslips"),  # of every employer
        record("payslips", employer="Nordlys Rederi AS"),
        record("payslips", at=(ARCHIVE,), employer="Fjordkraft Verksted AS"),
    ],
)
def test_never_for_more(kari: Person, client: Registered, more: dict[str, Any]) -> None:
    """§6: and asking wrongly costs no refresh token."""
    granted = record("payslips", employer="Fjordkraft Verksted AS")
    given = tokens(kari, client, granted)
    answer = refreshes(kari.provider, given["refresh_token"], caller=client, authorization_details=said(more))

    assert error(answer) == (400, "invalid_authorization_details")
    assert refreshes(kari.provider, given["refresh_token"], caller=client).status_code == 200


def test_two_details_together_cover_a_third(kari: Person, client: Registered) -> None:
    given = tokens(kari, client, SLIPS, TAX, form={"authorization_details": said(record("tax_papers", "payslips"))})

    assert held(given) == [record("tax_papers", "payslips")]


def test_leaving_details_out_never_gives_more(kari: Person, client: Registered) -> None:
    """An API takes a token without details at its scope alone, so nobody gets rid of those it was granted."""
    details = (SLIPS, record("employment", at=(ARCHIVE,)))
    given = tokens(kari, client, *details, scope="openid offline_access payslips")
    only_archive = said(record("employment", at=(ARCHIVE,)))
    form = {"resource": PAYSLIPS, "authorization_details": only_archive}

    assert error(refreshes(kari.provider, given["refresh_token"], caller=client, **form)) == (
        400,
        "invalid_authorization_details",
    )
    alone = refreshes(
        kari.provider, given["refresh_token"], caller=client, authorization_details=only_archive
    ).get_json()
    assert told(alone["access_token"])["aud"] == ARCHIVE


def test_a_token_of_a_grant_without_details_gets_none(kari: Person, client: Registered) -> None:
    given = tokens(kari, client, resource=PAYSLIPS)
    answer = refreshes(kari.provider, given["refresh_token"], caller=client, authorization_details=said(SLIPS))

    assert error(answer) == (400, "invalid_authorization_details")


# Machines and APIs that act for a person


def test_a_machine_asks_for_details_itself(provider: Provider) -> None:
    """§6: with client credentials there is no authorization request before."""
    usual = {"redirect_uris": [], "client_uri": None, "grant_types": ["client_credentials"], "scope": "payslips"}
    machine = provider.register(**usual, authorization_details_types=["alumni_records"])
    form = {"grant_type": "client_credentials", "authorization_details": said(TAX)}
    given = posts(provider, "/token", form, caller=machine).get_json()

    assert held(given) == given["authorization_details"] == [TAX]
    other = provider.register(**usual)
    assert error(posts(provider, "/token", form, caller=other)) == (400, "invalid_authorization_details")


def test_an_exchanged_token_carries_what_is_for_the_next_api(
    kari: Person, provider: Provider, client: Registered
) -> None:
    """RFC 8693 §2.1 with RFC 9396: narrower by rule."""
    api = provider.register(
        redirect_uris=[], client_uri=None, grant_types=[TOKEN_EXCHANGE], scope="", resources=[ARCHIVE],
        resource_server=PAYSLIPS, authorization_details_types=["alumni_records"],
    )  # fmt: skip
    granted = record("payslips", "employment", at=(PAYSLIPS, ARCHIVE))
    subject = tokens(kari, client, granted, scope="openid payslips")["access_token"]
    form = {
        "grant_type": TOKEN_EXCHANGE,
        "subject_token": subject,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "resource": ARCHIVE,
    }
    there = record("payslips", "employment", at=(ARCHIVE,))

    assert held(posts(provider, "/token", form, caller=api).get_json()) == [there]
    less = {**form, "authorization_details": said(record("payslips", at=(ARCHIVE,)))}
    assert held(posts(provider, "/token", less, caller=api).get_json()) == [record("payslips", at=(ARCHIVE,))]
    more = {**form, "authorization_details": said(record("tax_papers", at=(ARCHIVE,)))}
    assert error(posts(provider, "/token", more, caller=api)) == (400, "invalid_authorization_details")


# Consent (§4, SR-76)


@pytest.fixture(scope="module")
def pension(provider: Provider) -> Registered:
    return provider.register(
        first_party=False,
        client_name="Pension",
        authorization_details_types=["alumni_records"],
        resources=[PAYSLIPS, ARCHIVE],
    )


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Your payslips (only from Nordlys Rederi AS)", "Where you have worked, and when"]),
        ("nb", ["Lønnsslippene dine (bare fra Nordlys Rederi AS)", "Hvor du har jobbet, og når"]),
    ],
)
def test_the_person_reads_what_it_is_for(
    provider: Provider, pension: Registered, language: str, words: list[str]
) -> None:
    kari = signed_in(provider)
    details = (record("payslips", employer="Nordlys Rederi AS"), record("employment"))
    asks(kari, pension, *details, ui_locales=language)

    assert kari.step == "consent"
    for line in words:
        assert line in kari.page.text
    kari.sends("share")
    assert "code" in kari.redirected_to()


def test_what_was_agreed_to_is_not_asked_again_and_more_is(kari: Person, pension: Registered) -> None:
    asks(kari, pension, record("payslips", "employment")).sends("share")
    assert "code" in kari.redirected_to()
    for within in (SLIPS, record("payslips", employer="Nordlys Rederi AS"), record("employment")):
        assert "code" in asks(kari, pension, within).redirected_to()
    asks(kari, pension, record("payslips", "tax_papers"))
    assert kari.step == "consent"
    assert "tax papers" in kari.page.text
    assert "email" not in kari.page.text  # scopes were agreed to before
    told = asks(kari, pension, TAX, prompt="none").redirected_to()
    assert told["error"] == "consent_required"
    assert asks(kari, pension, record("payslips", at=(ARCHIVE,))).step == "consent"


def test_saying_no_keeps_nothing(kari: Person, pension: Registered) -> None:
    asks(kari, pension, SLIPS).sends("refuse")
    assert kari.redirected_to()["error"] == "access_denied"
    assert asks(kari, pension, SLIPS).step == "consent"


def test_taking_consent_back_takes_details_back(kari: Person, pension: Registered) -> None:
    asks(kari, pension, SLIPS).sends("share")
    with kari.provider.app.app_context():
        assert consents.withdraw(account_id(kari), pension.client.client_id)
        assert not consents.withdraw(account_id(kari), pension.client.client_id)
    assert asks(kari, pension, SLIPS).step == "consent"


def test_an_employers_name_is_text_and_nothing_else(kari: Person, pension: Registered) -> None:
    name = f"<b>{secrets.token_hex(3)}</b>"
    asks(kari, pension, record("payslips", employer=name))

    assert name in kari.page.text
    assert name not in kari.page.html


def test_userinfo_is_no_place_for_such_a_token(kari: Person, client: Registered) -> None:
    """Its audience is the API's."""
    given = tokens(kari, client, SLIPS)

    assert error(gets(kari.provider, "/userinfo", **bearer(given["access_token"]))) == (401, "invalid_token")
