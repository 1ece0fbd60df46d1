"""The device authorization grant: RFC 8628, clause by clause."""

from __future__ import annotations

import json
import math
import re
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey
from msgspec import structs

from idp import clock as idp_clock
from idp.rules import user_codes
from idp.rules.assurance import MFA
from idp.rules.client_metadata import DEVICE_CODE
from idp.rules.identifiers import Malformed
from idp.rules.limits import Allowed
from idp.services import accounts, clients, consents, decoupled, sessions
from idp.services.clients import InvalidMetadata, Registered
from idp.services.windows import origin_of
from idp.stores.durable import decoupled_requests
from idp.stores.durable.db import transaction
from tests.conftest import Clock
from tests.members import account_id, member
from tests.people import PASSWORD, PAYSLIPS, Person, Provider
from tests.proofs import dpop_proof
from tests.protocol.elsewhere import DEVICE_ENDPOINT, approves, begins, device, polls, says, types
from tests.protocol.signed_in import BASE, bearer, error, gets, posts, session_of, signed_in, told

PENDING, SLOW, EXPIRED = (400, "authorization_pending"), (400, "slow_down"), (400, "expired_token")
DENIED, NO_GRANT = (400, "access_denied"), (400, "invalid_grant")
SETTINGS = {"limits": {"device_requests_per_address_hour": 200, "user_codes_per_address_hour": 200}}


@pytest.fixture(scope="module")
def television(provider: Provider) -> Registered:
    return device(provider)


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


# §3.1, §3.2: the request and its answer


def test_the_answer_has_all_that_a_device_shows(provider: Provider, television: Registered) -> None:
    """§3.2: every member, never kept; the codes as §6.1 recommends them."""
    answer = says(provider, television, DEVICE_ENDPOINT, {"scope": "openid email"})
    given = answer.get_json()
    assert set(given) == {
        "device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval",
    }  # fmt: skip
    assert answer.headers["Cache-Control"] == "no-store"
    assert (given["verification_uri"], given["expires_in"], given["interval"]) == (f"{BASE}/device", 600, 5)
    assert len(given["device_code"]) >= 43  # 256 bits: §5.2
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", given["user_code"])
    complete = urlsplit(given["verification_uri_complete"])
    assert parse_qs(complete.query) == {"user_code": [given["user_code"]]}
    assert complete._replace(query="").geturl() == given["verification_uri"]


def test_the_user_code_is_hard_to_guess_and_easy_to_read() -> None:
    """§5.1, §6.1: 34.5 bits, no vowel, no digit; twenty letters."""
    assert math.log2(len(set(user_codes.ALPHABET)) ** user_codes.LENGTH) > 34.5
    assert not set(user_codes.ALPHABET) & set("AEIOUY0123456789")


def test_neither_code_is_kept_as_it_is(provider: Provider, television: Registered) -> None:
    """SR-20."""
    given = begins(provider, television)
    with provider.app.app_context(), transaction() as connection:
        rows = connection.execute(decoupled_requests.requests.select()).all()
    kept = repr([tuple(row) for row in rows])
    assert given["device_code"] not in kept
    assert given["user_code"] not in kept
    assert given["user_code"].replace("-", "") not in kept


def test_a_confidential_client_authenticates(provider: Provider) -> None:
    """§3.1: as at the token endpoint."""
    client = device(provider, token_endpoint_auth_method="client_secret_basic")
    unproved = {"client_id": client.client.client_id}

    assert error(posts(provider, DEVICE_ENDPOINT, unproved, authenticated=False)) == (401, "invalid_client")
    assert says(provider, client, DEVICE_ENDPOINT, {}).status_code == 200
    code = begins(provider, client)["device_code"]
    form = {**unproved, "grant_type": DEVICE_CODE, "device_code": code}
    assert error(posts(provider, "/token", form, authenticated=False)) == (401, "invalid_client")


def test_an_unknown_client_is_refused(provider: Provider) -> None:
    assert error(posts(provider, DEVICE_ENDPOINT, {"client_id": "c_x"}, authenticated=False)) == (401, "invalid_client")
    assert error(posts(provider, DEVICE_ENDPOINT, {}, authenticated=False)) == (401, "invalid_client")


def test_a_client_without_the_grant_is_refused(provider: Provider) -> None:
    """§3.1, §3.4: at both endpoints."""
    assert error(posts(provider, DEVICE_ENDPOINT, {})) == (400, "unauthorized_client")
    form = {"grant_type": DEVICE_CODE, "device_code": "x"}
    assert error(posts(provider, "/token", form)) == (400, "unauthorized_client")


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ({"scope": "openid national_number"}, "invalid_scope"),
        ({"resource": "https://other.example/"}, "invalid_target"),
        ({"scope": ["openid", "email"]}, "invalid_request"),
        ({"scope": "x" * 9000}, "invalid_request"),
    ],
)
def test_what_the_client_may_not_ask_for(
    provider: Provider, television: Registered, form: dict[str, Any], wanted: str
) -> None:
    assert error(says(provider, television, DEVICE_ENDPOINT, form)) == (400, wanted)


def test_it_is_a_form_by_post(provider: Provider) -> None:
    """§3.1."""
    assert gets(provider, DEVICE_ENDPOINT).status_code == 405
    answer = provider.app.test_client().post(DEVICE_ENDPOINT, base_url=BASE, json={"client_id": "x"})
    assert error(answer) == (400, "invalid_request")


# §3.4, §3.5: polling


def test_a_device_waits_until_the_person_has_approved(kari: Person, provider: Provider, television: Registered) -> None:
    """§3.5, §3.4: pending, then tokens of that person and that sign-in; with a refresh token."""
    given = begins(provider, television, scope="openid email offline_access")
    assert error(polls(provider, television, given["device_code"])) == PENDING
    approves(kari, given["user_code"])
    answer = polls(provider, television, given["device_code"])
    tokens = answer.get_json()

    assert answer.headers["Cache-Control"] == "no-store"
    assert (tokens["token_type"], tokens["scope"]) == ("Bearer", "openid email offline_access")
    claims = told(tokens["id_token"])
    assert (claims["sub"], claims["aud"], claims["acr"]) == (kari.sub, television.client.client_id, MFA)
    assert claims["amr"] == ["pwd", "otp", "sms", "mfa"]
    assert abs(claims["auth_time"] - idp_clock.timestamp()) < 60
    assert claims["sid"] == session_of(kari)
    assert "nonce" not in claims
    person = gets(provider, "/userinfo", **bearer(tokens["access_token"])).get_json()
    assert person["email"] == kari.email
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert says(provider, television, "/token", form).status_code == 200


def test_the_sign_in_is_the_sessions_own(provider: Provider, television: Registered) -> None:
    """auth_time and acr are those of the session that approved, however old."""
    ola = signed_in(provider, ago=3000)
    given = begins(provider, television)
    approves(ola, given["user_code"])
    claims = told(polls(provider, television, given["device_code"]).get_json()["id_token"])

    assert abs(claims["auth_time"] - (idp_clock.timestamp() - 3000)) < 60


def test_a_client_with_an_age_of_its_own_wants_a_sign_in_that_young(provider: Provider) -> None:
    """OpenID Connect Registration §2 default_max_age: here, too, and not only on the way in."""
    strict, ola = device(provider, default_max_age=600), signed_in(provider, ago=900)
    assert types(ola, begins(provider, strict)["user_code"]).step == "login"
    per = signed_in(provider, ago=300)
    given = begins(provider, strict)
    approves(per, given["user_code"])
    claims = told(polls(provider, strict, given["device_code"]).get_json()["id_token"])
    assert abs(claims["auth_time"] - (idp_clock.timestamp() - 300)) < 60


def test_a_token_for_an_api(kari: Person, provider: Provider, television: Registered) -> None:
    """RFC 8707, RFC 9068: asked for at the start, or of what the client may reach when it comes for its tokens."""
    given = begins(provider, television, scope="openid payslips", resource=PAYSLIPS)
    approves(kari, given["user_code"])
    refused = polls(provider, television, given["device_code"], resource="https://other.example/")
    assert error(refused) == (400, "invalid_target")
    token = told(polls(provider, television, given["device_code"]).get_json()["access_token"])

    assert (token["aud"], token["scope"], token["sub"]) == (PAYSLIPS, "openid payslips", kari.sub)


def test_records_are_named_and_told(kari: Person, provider: Provider) -> None:
    """RFC 9396: the page names them, the token has them, and agreeing is for these."""
    other = device(provider, first_party=False, authorization_details_types=["alumni_records"])
    asked = [{"type": "alumni_records", "locations": [PAYSLIPS], "actions": ["read"], "datatypes": ["payslips"]}]
    given = begins(provider, other, authorization_details=json.dumps(asked))
    types(kari, given["user_code"])
    assert "Your payslips" in kari.page.text
    kari.sends("approve")
    answer = polls(provider, other, given["device_code"]).get_json()
    assert answer["authorization_details"] == asked
    assert told(answer["access_token"])["authorization_details"] == asked
    refused = says(provider, device(provider), DEVICE_ENDPOINT, {"authorization_details": json.dumps(asked)})
    assert error(refused) == (400, "invalid_authorization_details")


def test_a_scope_without_openid_gives_no_id_token(kari: Person, provider: Provider, television: Registered) -> None:
    """§3.1: the grant is OAuth's."""
    given = begins(provider, television, scope="payslips")
    approves(kari, given["user_code"])

    assert "id_token" not in polls(provider, television, given["device_code"]).get_json()


def test_whoever_asks_too_fast_waits_longer_and_longer(
    provider: Provider, television: Registered, clock: Clock
) -> None:
    """§3.5 slow_down: five seconds more for this and all that follow."""
    code = begins(provider, television)["device_code"]

    def after(seconds: float) -> tuple[int, str]:
        clock.advance(seconds)
        return error(polls(provider, television, code))

    assert after(0) == PENDING
    assert after(5) == PENDING
    assert after(3) == SLOW  # now ten
    assert after(6) == SLOW  # now fifteen
    assert after(12) == SLOW  # now twenty
    assert after(20) == PENDING
    assert after(18) == SLOW
    assert after(25) == PENDING


def test_a_pace_that_is_forgotten_begins_anew(provider: Provider, television: Registered) -> None:
    """DESIGN §4: the short-lived store may lose it; nothing is granted by that."""
    code = begins(provider, television)["device_code"]
    assert [error(polls(provider, television, code)) for _ in range(2)] == [PENDING, SLOW]
    for name in ("", ":begun"):
        provider.parts.store.take(f"poll:{sha256(code.encode()).hexdigest()}{name}")
    assert error(polls(provider, television, code)) == PENDING


def test_a_code_that_ran_out(kari: Person, provider: Provider, television: Registered, clock: Clock) -> None:
    """§3.5 expired_token; the page says so, too, and leads on. On the last second both still count."""
    given = begins(provider, television)
    clock.advance(598)
    assert error(polls(provider, television, given["device_code"])) == PENDING
    types(kari, given["user_code"])
    clock.advance(3)
    assert error(polls(provider, television, given["device_code"])) == EXPIRED
    kari.sends("approve")
    assert kari.page.heading == "The code has run out"
    assert kari.answer.status_code == 410
    assert error(polls(provider, television, given["device_code"])) == EXPIRED
    kari.presses("Try again").sends("continue", user_code=given["user_code"])
    assert kari.answer.status_code == 422


def test_an_approval_that_nobody_came_for_in_time(
    kari: Person, provider: Provider, television: Registered, clock: Clock
) -> None:
    given = begins(provider, television)
    approves(kari, given["user_code"])
    clock.advance(601)

    assert error(polls(provider, television, given["device_code"])) == EXPIRED


def test_the_person_says_no(kari: Person, provider: Provider, television: Registered) -> None:
    """§3.5 access_denied; and no is no."""
    given = begins(provider, television)
    types(kari, given["user_code"]).sends("reject")
    assert kari.page.heading == "You have rejected the request"
    for _ in range(2):
        assert error(polls(provider, television, given["device_code"])) == DENIED
    assert types(kari, given["user_code"]).answer.status_code == 422


def test_tokens_are_given_once(kari: Person, provider: Provider, television: Registered) -> None:
    """SR-80, and the code of the person is used up, too."""
    given = begins(provider, television)
    approves(kari, given["user_code"])
    tokens = polls(provider, television, given["device_code"]).get_json()
    assert error(polls(provider, television, given["device_code"])) == NO_GRANT
    assert gets(provider, "/userinfo", **bearer(tokens["access_token"])).status_code == 200
    assert types(kari, given["user_code"]).answer.status_code == 422


def test_another_client_gets_nothing(kari: Person, provider: Provider, television: Registered) -> None:
    """§3.4, §5.2: the code is its client's alone, and a stranger's try changes nothing."""
    given, other = begins(provider, television), device(provider)
    assert error(polls(provider, other, given["device_code"])) == NO_GRANT
    approves(kari, given["user_code"])
    assert error(polls(provider, other, given["device_code"])) == NO_GRANT
    assert polls(provider, television, given["device_code"]).status_code == 200


@pytest.mark.parametrize(("form", "wanted"), [({}, "invalid_request"), ({"device_code": "made-up"}, "invalid_grant")])
def test_a_code_that_is_none(provider: Provider, television: Registered, form: dict[str, str], wanted: str) -> None:
    assert error(says(provider, television, "/token", {"grant_type": DEVICE_CODE, **form})) == (400, wanted)


def test_a_code_of_the_other_grant_is_none_here(provider: Provider, television: Registered) -> None:
    form = {"grant_type": "authorization_code", "code": begins(provider, television)["device_code"]}
    assert error(says(provider, television, "/token", form)) == (400, "unauthorized_client")


# What falls with what (SR-60, SR-108)


def test_a_session_that_ended_gives_no_tokens(kari: Person, provider: Provider, television: Registered) -> None:
    given = begins(provider, television, scope="openid offline_access")
    approves(kari, given["user_code"])
    with provider.app.app_context():
        sessions.end(session_of(kari))

    assert error(polls(provider, television, given["device_code"])) == NO_GRANT


def test_an_account_that_was_locked_gives_no_tokens(kari: Person, provider: Provider, television: Registered) -> None:
    given = begins(provider, television)
    approves(kari, given["user_code"])
    with provider.app.app_context():
        accounts.lock(kari.sub)

    assert error(polls(provider, television, given["device_code"])) == NO_GRANT


def test_a_sign_in_that_was_strengthened_meanwhile_still_counts(
    kari: Person, provider: Provider, television: Registered
) -> None:
    """SR-53: the session has another name then, and is the same sign-in."""
    given = begins(provider, television)
    approves(kari, given["user_code"])
    before = kari.browser.get_cookie("__Host-session", domain="login.example").value
    with provider.app.app_context():
        sessions.start(provider.parts.store, provider.parts.settings.sessions, kari.sub, [], replaces=before)

    claims = told(polls(provider, television, given["device_code"]).get_json()["id_token"])
    assert claims["sid"] == session_of(kari)


def test_without_offline_access_tokens_end_with_the_session(
    kari: Person, provider: Provider, television: Registered
) -> None:
    given = begins(provider, television)
    approves(kari, given["user_code"])
    tokens = polls(provider, television, given["device_code"]).get_json()
    with provider.app.app_context():
        sessions.end(session_of(kari))

    assert gets(provider, "/userinfo", **bearer(tokens["access_token"])).status_code == 401


def test_consent_taken_back_takes_the_approval_along(kari: Person, provider: Provider) -> None:
    """SR-88: also while the device has not come yet."""
    other = device(provider, first_party=False)
    given = begins(provider, other)
    approves(kari, given["user_code"])
    with provider.app.app_context():
        consents.withdraw(kari.sub, other.client.client_id)

    assert error(polls(provider, other, given["device_code"])) == DENIED


# §3.3: the person


def test_approving_is_consent_to_what_the_page_names(kari: Person, provider: Provider) -> None:
    """SR-76: the page names the client and the scopes; kept for third parties, and not before they approve."""
    other = device(provider, first_party=False, client_name="Radio")
    given = begins(provider, other, scope="openid phone")
    types(kari, given["user_code"])
    assert "Radio" in kari.page.text
    assert "Your phone number" in kari.page.text
    with provider.app.app_context():
        assert consents.lacking(kari.sub, other.client.client_id, ["openid", "phone"]) == ("openid", "phone")
    kari.sends("approve")
    with provider.app.app_context():
        assert consents.lacking(kari.sub, other.client.client_id, ["openid", "phone", "email"]) == ("email",)


def test_whoever_is_not_signed_in_signs_in_first(provider: Provider, television: Registered) -> None:
    """§3.3: by the ordinary journey, with both factors."""
    ola = member(provider)
    given = begins(provider, television)
    types(ola, given["user_code"])
    assert ola.step == "login"
    assert "Living room TV" in ola.page.text
    ola.sends(email=ola.email, password=PASSWORD).sends("sms")
    ola.sends("verify", code=ola.phoned_code())
    assert ola.page.heading == "Connect a device"
    assert ola.email in ola.page.text
    assert error(polls(provider, television, given["device_code"])) == PENDING  # signing in approves nothing
    ola.sends("approve")
    assert ola.page.heading == "The device is connected"
    claims = told(polls(provider, television, given["device_code"]).get_json()["id_token"])
    assert claims["sub"] == account_id(ola)


def test_a_link_fills_in_and_never_skips(kari: Person, provider: Provider, television: Registered) -> None:
    """§3.3.1, §5.4: whoever follows one presses twice more, and is warned."""
    given = begins(provider, television)
    kari.goes(given["verification_uri_complete"].removeprefix(BASE))
    assert kari.page.form_with("continue").fields["user-code"] == given["user_code"]
    assert "Check that the code is the same as on the device." in kari.page.text
    assert error(polls(provider, television, given["device_code"])) == PENDING
    kari.sends("continue")
    assert "If somebody sent you the code, or asked you to type it, reject." in kari.page.text
    kari.sends("approve")
    assert polls(provider, television, given["device_code"]).status_code == 200


def test_another_language_keeps_the_code(kari: Person) -> None:
    """Page spec §3.1."""
    kari.goes("/device?user_code=WDJB-MJHT")
    kari.goes(f"/device{kari.page.links['Norsk bokmål']}")
    assert kari.page.heading == "Koble til en enhet"
    assert kari.page.form_with("continue").fields["user-code"] == "WDJB-MJHT"


def test_a_link_with_something_else_fills_in_nothing(kari: Person) -> None:
    kari.goes("/device?user_code=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert kari.page.form_with("continue").fields["user-code"] == ""
    assert "<script>alert" not in kari.page.html


@pytest.mark.parametrize(
    "spelled",
    ["{0}{1}", "{0}-{1}", " {0} {1}\n", "{0}\u2013{1}", "{0}.{1}", "{0}\u200b\u00ad{1}", "\ufeff{0}\u2060-\u2060{1}"],
)
def test_how_a_code_is_typed_does_not_matter(spelled: str) -> None:
    """§6.1; page spec §4."""
    assert user_codes.user_code(spelled.format("WDJB", "MJHT")) == "WDJBMJHT"
    assert user_codes.user_code(spelled.format("wdjb", "mjht")) == "WDJBMJHT"
    assert user_codes.user_code(spelled.format("ｗｄｊｂ", "ＭＪＨＴ")) == "WDJBMJHT"


@pytest.mark.parametrize(
    ("typed", "key"),
    [("", "E-USER-CODE-EMPTY"), (" - ", "E-USER-CODE-EMPTY"), *((text, "E-USER-CODE-WRONG") for text in (
        "WDJBMJH", "WDJBMJHTT", "WDJBMJH1", "WDJBMJHA", "12345678", "WDJB/MJHT"))],
)  # fmt: skip
def test_what_is_no_code(typed: str, key: str) -> None:
    with pytest.raises(Malformed) as raised:
        user_codes.user_code(typed)
    assert raised.value.key == key


def test_a_wrong_code_is_said_at_the_field_and_stays(kari: Person) -> None:
    types(kari, "BCDF-GHJK")
    assert kari.answer.status_code == 422
    assert "That code is not right, or it has run out." in kari.page.text
    assert kari.page.form_with("continue").fields["user-code"] == "BCDF-GHJK"


def test_codes_are_tried_so_often_from_one_place_and_no_more(provider: Provider, clock: Clock) -> None:
    """§5.1, SR-33, SR-34: counted before it is looked up; the right one, too, has to wait."""
    clock.advance(3601 - clock.now().timestamp() % 3600)  # just after the hour began by which they are counted
    ola, given = signed_in(provider), begins(provider, device(provider))
    ola.browser.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    limits = provider.parts.settings.limits
    for _ in range(limits.user_codes_per_address_hour):
        decoupled.may_type(provider.parts.store, limits, origin_of("198.51.100.7"))
    types(ola, given["user_code"])
    assert ola.answer.status_code == 429
    assert 0 < int(ola.answer.headers["Retry-After"]) <= 3600
    assert "You need to wait" in ola.page.text
    clock.advance(3600)
    assert types(ola, given["user_code"]).answer.status_code == 422  # looked up again, and past its time by now


# Nothing changes by a GET; CSRF


def test_looking_changes_nothing(kari: Person, provider: Provider, television: Registered) -> None:
    """SR-57: not even at the question, however often."""
    given = begins(provider, television)
    types(kari, given["user_code"])
    here = kari.answer.request.path
    for _ in range(3):
        kari.goes(f"{here}?do=approve")
    assert error(polls(provider, television, given["device_code"])) == PENDING
    assert kari.goes(f"/device?user_code={given['user_code']}&do=approve").page.heading == "Connect a device"


def test_a_form_of_another_site_counts_for_nothing(kari: Person, provider: Provider, television: Registered) -> None:
    """SR-57: neither without our token, nor sent from elsewhere."""
    given = begins(provider, television)
    types(kari, given["user_code"])
    here, form = kari.answer.request.path, kari.page.form_with("approve")
    kari.posts(here, {"do": "approve", "form": "made-up"})
    kari.headers["Sec-Fetch-Site"] = "cross-site"
    assert (
        kari.browser.post(here, base_url=BASE, data={**form.fields, "do": "approve"}, headers=kari.headers).status_code
        == 403
    )
    code_form = {"user-code": given["user_code"]}
    assert kari.browser.post("/device", base_url=BASE, data=code_form, headers=kari.headers).status_code == 403
    assert error(polls(provider, television, given["device_code"])) == PENDING


def test_another_browser_cannot_answer(kari: Person, provider: Provider, television: Registered) -> None:
    given = begins(provider, television)
    types(kari, given["user_code"])
    ola = signed_in(provider)
    ola.goes("/device")
    assert ola.goes(kari.answer.request.path).page.form_with("continue")
    ola.posts(kari.answer.request.path, {**kari.page.form_with("approve").fields, "do": "approve"})
    assert error(polls(provider, television, given["device_code"])) == PENDING


def test_whoever_signed_in_meanwhile_as_somebody_else_decides_nothing(
    kari: Person, provider: Provider, television: Registered
) -> None:
    """The question was put to one account."""
    given = begins(provider, television)
    types(kari, given["user_code"])
    signed_in(provider, person=Person(provider, kari.browser, email=member(provider).email))
    kari.sends("approve")
    assert kari.page.form_with("continue")
    assert error(polls(provider, television, given["device_code"])) == PENDING


def test_pressing_twice_is_pressing_once(kari: Person, provider: Provider, television: Registered) -> None:
    given = begins(provider, television)
    types(kari, given["user_code"])
    here, form = kari.answer.request.path, kari.page.form_with("approve").fields
    kari.posts(here, {**form, "do": "approve"}).posts(here, {**form, "do": "reject"})
    assert kari.page.heading == "The device is connected"
    assert polls(provider, television, given["device_code"]).status_code == 200


def test_a_browser_without_cookies_is_told_so(provider: Provider) -> None:
    browser = provider.app.test_client(use_cookies=False)
    first = browser.get("/device?user_code=WDJB-MJHT", base_url=BASE)
    assert first.status_code == 303
    assert first.headers["Location"] == "/device?cookies=1&user_code=WDJB-MJHT"
    page = browser.get(first.headers["Location"], base_url=BASE, headers={"Accept-Language": "en"})
    assert "cookies" in page.get_data(as_text=True)


# Bound tokens, metadata


def test_tokens_may_be_bound_to_a_key(kari: Person, provider: Provider, television: Registered) -> None:
    """RFC 9449 §5: a public client's refresh token is, too."""
    key, endpoint = ECKey.generate_key("P-256"), f"{BASE}/token"
    given = begins(provider, television, scope="openid offline_access")
    approves(kari, given["user_code"])
    form = {
        "grant_type": DEVICE_CODE,
        "device_code": given["device_code"],
        "client_id": television.client.client_id,
    }
    headers = {"DPoP": dpop_proof(key, "POST", endpoint)}
    tokens = posts(provider, "/token", form, headers=headers, authenticated=False).get_json()
    assert tokens["token_type"] == "DPoP"
    again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert error(says(provider, television, "/token", again)) == NO_GRANT


def test_metadata_of_a_device(provider: Provider) -> None:
    """§4: registered per client; without redirect URIs; refresh tokens go with it."""
    client = device(provider, scope=None, grant_types=[DEVICE_CODE]).client
    assert (client.redirect_uris, client.response_types, client.scope) == ((), (), "openid profile email")
    both = provider.register(grant_types=["authorization_code", DEVICE_CODE], scope=None).client
    assert both.response_types == ("code",)


@pytest.mark.parametrize(
    ("metadata", "member"),
    [
        ({"profile": "fapi2", "token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}}, "grant_types"),
        ({"scope": "email"}, "scope"),
        ({"redirect_uris": ["https://tv.example/"]}, "grant_types"),
        ({"subject_type": "pairwise"}, "sector_identifier_uri"),
    ],
)
def test_metadata_that_cannot_be(provider: Provider, metadata: dict[str, Any], member: str) -> None:
    """A client held to FAPI 2.0 has no requests that are neither pushed nor bound to a browser."""
    with pytest.raises(InvalidMetadata) as raised:
        device(provider, **metadata)
    assert raised.value.member == member


def test_a_client_that_lost_the_grant_gets_nothing(kari: Person, provider: Provider) -> None:
    client = device(
        provider,
        grant_types=[DEVICE_CODE, "client_credentials"],
        scope="openid",
        token_endpoint_auth_method="client_secret_basic",
    )
    given = begins(provider, client)
    approves(kari, given["user_code"])
    with provider.app.app_context():
        clients.edit(client.client.client_id, {"grant_types": ["client_credentials"]})

    assert error(polls(provider, client, given["device_code"])) == (400, "unauthorized_client")


# SR-125


def test_what_is_over_is_forgotten_after_a_day(provider: Provider, television: Registered, clock: Clock) -> None:
    given = begins(provider, television)

    def chores() -> None:
        with provider.app.app_context():
            for chore in provider.parts.chores:
                chore()

    clock.advance(600 + 24 * 3600 - 10)
    chores()
    assert error(polls(provider, television, given["device_code"])) == EXPIRED
    clock.advance(20)
    chores()
    assert error(polls(provider, television, given["device_code"])) == NO_GRANT


def test_strangers_cannot_fill_the_store(provider: Provider, clock: Clock) -> None:
    """SR-33, SR-34: in the protocol's words; whoever authenticates is not counted with strangers."""
    clock.advance(3601 - clock.now().timestamp() % 3600)
    television, box = device(provider), device(provider, token_endpoint_auth_method="client_secret_basic")
    limits = provider.parts.settings.limits
    for _ in range(limits.device_requests_per_address_hour):
        decoupled.may_ask(provider.parts.store, limits, origin_of("127.0.0.1"))
    refused = says(provider, television, DEVICE_ENDPOINT, {})
    assert error(refused) == (429, "temporarily_unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    assert says(provider, box, DEVICE_ENDPOINT, {}).status_code == 200
    clock.advance(3600)
    assert says(provider, television, DEVICE_ENDPOINT, {}).status_code == 200


def test_many_places_together_are_held_to_a_pace_too(provider: Provider, clock: Clock) -> None:
    """§5.1, SR-34: whoever has many networks has no more tries than all have together."""
    clock.advance(4 * 3600 + 1 - clock.now().timestamp() % 3600)  # an hour in which nobody was here
    few = structs.replace(provider.parts.settings.limits, user_codes_total_hour=3, device_requests_total_minute=3)
    for may in (decoupled.may_type, decoupled.may_ask):
        heard = [may(provider.parts.store, few, origin_of(f"203.0.{number}.1")) for number in range(113, 118)]
        assert [isinstance(decision, Allowed) for decision in heard] == [True, True, True, False, False]
