"""OpenID Connect Client-Initiated Backchannel Authentication, Core 1.0: poll and ping, clause by clause."""

from __future__ import annotations

import logging
import secrets
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from idp import clock as idp_clock
from idp.rules.assurance import MFA
from idp.rules.client_metadata import CIBA
from idp.services import accounts, sessions
from idp.services.clients import InvalidMetadata, Registered
from idp.stores.durable import audit, decoupled_requests
from idp.stores.durable.accounts import accounts as account_table
from idp.stores.durable.db import transaction
from tests.client_site import ClientSite
from tests.conftest import Clock
from tests.members import account_id, member
from tests.people import PASSWORD, PAYSLIPS, Person, Provider
from tests.protocol.elsewhere import BACKCHANNEL_ENDPOINT, call_centre, polls_for, says, texted, types
from tests.protocol.signed_in import (
    BASE,
    assertion,
    bearer,
    code_form,
    error,
    gets,
    posts,
    session_of,
    signed_in,
    told,
)

PENDING, SLOW, EXPIRED = (400, "authorization_pending"), (400, "slow_down"), (400, "expired_token")
DENIED, NO_GRANT = (400, "access_denied"), (400, "invalid_grant")
INVALID, NOT_PLAIN = (400, "invalid_request"), (400, "invalid_binding_message")
KEY = ECKey.generate_key("P-256", parameters={"kid": "k"})
NOTIFIED_BY = "a-token-of-the-clients.0123456789"
REACHES_SITE = True


@pytest.fixture(scope="module")
def centre(provider: Provider) -> Registered:
    return call_centre(provider)


@pytest.fixture
def kari(provider: Provider) -> Person:
    return provider.person().is_signed_in()


def asks(provider: Provider, client: Registered, **changes: Any) -> Any:
    """An authentication request; a change to None leaves a parameter out."""
    form = {"scope": "openid", **changes}
    return says(provider, client, BACKCHANNEL_ENDPOINT, {name: value for name, value in form.items() if value})


def asked(provider: Provider, client: Registered, person: Person, **changes: Any) -> str:
    """One that is taken; its auth_req_id."""
    answer = asks(provider, client, login_hint=person.email, **changes)
    assert answer.status_code == 200, answer.get_json()
    return str(answer.get_json()["auth_req_id"])


def hint(person: Person) -> str:
    """An ID token that the portal was given."""
    person.comes_from_portal()
    return str(posts(person.provider, "/token", code_form(person)).get_json()["id_token"])


# §7.3: the acknowledgement


def test_the_acknowledgement(kari: Person, provider: Provider, centre: Registered) -> None:
    """§7.3: characters and entropy of auth_req_id, expires_in, interval; never kept."""
    answer = asks(provider, centre, login_hint=kari.email)
    given = answer.get_json()
    assert set(given) == {"auth_req_id", "expires_in", "interval"}
    assert (given["expires_in"], given["interval"]) == (300, 5)
    assert len(given["auth_req_id"]) >= 43
    assert set(given["auth_req_id"]) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_client_authenticates(kari: Person, provider: Provider, centre: Registered) -> None:
    """§7.1."""
    form = {"client_id": centre.client.client_id, "scope": "openid", "login_hint": kari.email}
    assert error(posts(provider, BACKCHANNEL_ENDPOINT, form, authenticated=False)) == (401, "invalid_client")


def test_a_client_without_the_grant_is_refused(provider: Provider) -> None:
    """§13 unauthorized_client."""
    form = {"scope": "openid", "login_hint": "kari@example.no"}
    assert error(posts(provider, BACKCHANNEL_ENDPOINT, form)) == (400, "unauthorized_client")
    assert error(posts(provider, "/token", {"grant_type": CIBA, "auth_req_id": "x"})) == (400, "unauthorized_client")


# §7.1, §13: what may be asked for


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"scope": None}, INVALID),
        ({"scope": "email"}, (400, "invalid_scope")),
        ({"scope": "openid national_number"}, (400, "invalid_scope")),
        ({"resource": "https://other.example/"}, (400, "invalid_target")),
        ({"scope": ["openid", "email"]}, INVALID),
        ({"requested_expiry": "0"}, INVALID),
        ({"requested_expiry": "-1"}, INVALID),
        ({"requested_expiry": "soon"}, INVALID),
        ({"acr_values": "http://eidas.europa.eu/LoA/high"}, INVALID),  # no eID here: never silently less (SR-59)
        ({"request": "a.b.c"}, INVALID),
        ({"binding_message": "x" * 81}, NOT_PLAIN),
        ({"binding_message": "a\nb"}, NOT_PLAIN),
        ({"binding_message": "a\u202eb"}, NOT_PLAIN),
        ({"binding_message": "<b>"}, NOT_PLAIN),
        ({"binding_message": "a\u0489"}, NOT_PLAIN),
    ],
)
def test_what_is_wrong_with_a_request(
    kari: Person, provider: Provider, centre: Registered, changes: dict[str, Any], wanted: tuple[int, str]
) -> None:
    assert error(asks(provider, centre, login_hint=kari.email, **changes)) == wanted
    assert texted(kari) == ""


@pytest.mark.parametrize("message", ["x" * 80, "Bestilling 17/4: 1 200,50 kr", "Ærø 7", "42", "日本"])
def test_what_a_binding_message_may_be(kari: Person, provider: Provider, centre: Registered, message: str) -> None:
    asked(provider, centre, kari, binding_message=message)
    types(kari, texted(kari))
    assert message in kari.page.text


def test_an_unknown_level_is_no_reason(kari: Person, provider: Provider, centre: Registered) -> None:
    """§7.1 acr_values is voluntary."""
    assert asked(provider, centre, kari, acr_values=f"https://unknown.example/ {MFA}")


@pytest.mark.parametrize(
    ("wanted", "lives"), [("1", 60), ("59", 60), ("60", 60), ("120", 120), ("600", 600), ("601", 600), ("99999", 600)]
)
def test_how_long_it_may_live(provider: Provider, wanted: str, lives: int, centre: Registered) -> None:
    """§7.1 requested_expiry, within what SR-13 lets a code live that was sent to a phone."""
    answer = asks(provider, centre, login_hint="nobody@example.no", requested_expiry=wanted)
    assert answer.get_json()["expires_in"] == lives


# §7.1: exactly one hint


@pytest.mark.parametrize("named", [(), ("login_hint", "id_token_hint"), ("login_hint", "login_hint_token")])
def test_exactly_one_hint(kari: Person, provider: Provider, centre: Registered, named: tuple[str, ...]) -> None:
    hints = dict.fromkeys(named, kari.email)
    assert error(asks(provider, centre, **hints)) == INVALID


def test_a_login_hint_token_is_not_taken(provider: Provider, centre: Registered) -> None:
    """§13: said in so many words."""
    answer = asks(provider, centre, login_hint_token="a.b.c")
    assert error(answer) == INVALID
    assert "login_hint_token is not taken" in answer.get_json()["error_description"]


def test_an_id_token_is_a_hint(provider: Provider, clock: Clock) -> None:
    """§7.1: one of this client's, expired or not."""
    ola = provider.person().is_signed_in()
    both = provider.register(
        grant_types=["authorization_code", "refresh_token", CIBA], backchannel_token_delivery_mode="poll"
    )
    ola.comes_from_portal(client_id=both.client.client_id)
    token = posts(provider, "/token", code_form(ola), caller=both).get_json()["id_token"]
    clock.advance(1200)
    answer = asks(provider, both, id_token_hint=token)
    assert answer.status_code == 200
    types(ola, texted(ola)).sends("approve")
    assert told(polls_for(provider, both, answer.get_json()["auth_req_id"]).get_json()["id_token"])["sub"] == ola.sub


def test_an_id_token_of_another_client_is_no_hint(kari: Person, provider: Provider, centre: Registered) -> None:
    assert error(asks(provider, centre, id_token_hint=hint(kari))) == INVALID
    assert error(asks(provider, centre, id_token_hint="a.b.c")) == INVALID


def test_a_hint_that_can_be_nobody(provider: Provider, centre: Registered) -> None:
    """§13 unknown_user_id: what is no address at all tells nothing of anybody."""
    assert error(asks(provider, centre, login_hint="kari")) == (400, "unknown_user_id")


def test_an_id_token_of_somebody_who_is_gone(provider: Provider) -> None:
    """§13 unknown_user_id: the client knew them."""
    ola = provider.person().is_signed_in()
    both = provider.register(
        grant_types=["authorization_code", "refresh_token", CIBA], backchannel_token_delivery_mode="poll"
    )
    ola.comes_from_portal(client_id=both.client.client_id)
    token = posts(provider, "/token", code_form(ola), caller=both).get_json()["id_token"]
    with provider.app.app_context(), transaction() as connection:
        connection.execute(account_table.delete().where(account_table.c.id == ola.sub))
    assert error(asks(provider, both, id_token_hint=token)) == (400, "unknown_user_id")


def test_nobody_is_told_who_has_an_account(kari: Person, provider: Provider, centre: Registered, clock: Clock) -> None:
    """SR-47: an address without one, a locked one and one whose number takes no texts are answered alike."""
    ola, per = provider.person().is_signed_in(), provider.person().is_signed_in()
    with provider.app.app_context():
        accounts.lock(ola.sub)
        accounts.set_phone(per.sub, {"e164": per.number, "takes_sms": "no"})
    answers = [asks(provider, centre, login_hint=address) for address in
               (kari.email, "nobody@example.no", ola.email, per.email)]  # fmt: skip
    assert {answer.status_code for answer in answers} == {200}
    assert {len(answer.data) for answer in answers} == {len(answers[0].data)}
    ids = [answer.get_json()["auth_req_id"] for answer in answers]
    assert {error(polls_for(provider, centre, auth_req_id)) for auth_req_id in ids} == {PENDING}
    assert (bool(texted(kari)), texted(ola), texted(per)) == (True, "", "")
    clock.advance(301)
    assert {error(polls_for(provider, centre, auth_req_id)) for auth_req_id in ids} == {EXPIRED}


# §10.1, §11: poll


def test_the_person_approves_with_the_code_from_the_phone(provider: Provider, centre: Registered) -> None:
    """§8, §10.1.1: pending, then tokens of the person and of the sign-in that approved."""
    ola = member(provider)
    auth_req_id = asked(provider, centre, ola, scope="openid email offline_access", binding_message="Sak 4711")
    assert error(polls_for(provider, centre, auth_req_id)) == PENDING
    types(ola, texted(ola))
    assert ola.step == "login"
    assert "Sak 4711" not in ola.page.text  # shown to its account alone
    ola.sends(email=ola.email, password=PASSWORD).sends("sms")
    ola.sends("verify", code=ola.phoned_code())
    assert ola.page.heading == "Approve a request"
    for words in ("Call centre", "Sak 4711", "Your email address", "If somebody else asked you to, reject."):
        assert words in ola.page.text
    ola.sends("approve")
    assert ola.page.heading == "You have approved the request"
    tokens = polls_for(provider, centre, auth_req_id).get_json()
    claims = told(tokens["id_token"])
    assert (claims["sub"], claims["aud"], claims["acr"]) == (account_id(ola), centre.client.client_id, MFA)
    assert claims["sid"] == session_of(ola)
    assert claims["at_hash"]
    assert "urn:openid:params:jwt:claim:auth_req_id" not in claims  # §10.3.1: for push only
    assert gets(provider, "/userinfo", **bearer(tokens["access_token"])).get_json()["email"] == ola.email
    again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert says(provider, centre, "/token", again).status_code == 200


def test_the_text_message(kari: Person, provider: Provider, centre: Registered) -> None:
    """SR-24: service and action, bound to the host; no link, and nothing that the client said."""
    asked(provider, centre, kari, binding_message="Ring 815 00 000", requested_expiry="60")
    code = texted(kari)
    text = provider.outside.messages(kari.number)[-1]["text"]
    assert text == (
        f"{code} approves a request with Alumni, under Connect a device. Valid for 1 minute. Do not share it."
        f"\n\n@login.example #{code}"
    )


def test_the_person_says_no(kari: Person, provider: Provider, centre: Registered) -> None:
    """§11 access_denied."""
    auth_req_id = asked(provider, centre, kari)
    types(kari, texted(kari)).sends("reject")
    assert kari.page.heading == "You have rejected the request"
    assert error(polls_for(provider, centre, auth_req_id)) == DENIED


def test_whoever_asks_too_fast(kari: Person, provider: Provider, centre: Registered, clock: Clock) -> None:
    """§11 slow_down: five seconds more from then on."""
    auth_req_id = asked(provider, centre, kari)
    heard = []
    for seconds in (0, 2, 7, 15):
        clock.advance(seconds)
        heard.append(error(polls_for(provider, centre, auth_req_id)))
    assert heard == [PENDING, SLOW, SLOW, PENDING]


def test_one_that_nobody_answered(kari: Person, provider: Provider, centre: Registered, clock: Clock) -> None:
    """§11 expired_token; and its code is worth nothing."""
    auth_req_id = asked(provider, centre, kari)
    code = texted(kari)
    clock.advance(301)
    assert error(polls_for(provider, centre, auth_req_id)) == EXPIRED
    assert types(kari, code).answer.status_code == 422


def test_tokens_are_given_once_and_to_the_one_who_asked(kari: Person, provider: Provider, centre: Registered) -> None:
    """§11 invalid_grant: used, another client's, made up."""
    auth_req_id = asked(provider, centre, kari)
    types(kari, texted(kari)).sends("approve")
    assert error(polls_for(provider, call_centre(provider), auth_req_id)) == NO_GRANT
    assert polls_for(provider, centre, auth_req_id).status_code == 200
    assert error(polls_for(provider, centre, auth_req_id)) == NO_GRANT
    assert error(polls_for(provider, centre, "made-up")) == NO_GRANT
    assert error(says(provider, centre, "/token", {"grant_type": CIBA})) == INVALID


def test_a_token_for_an_api(kari: Person, provider: Provider, centre: Registered) -> None:
    auth_req_id = asked(provider, centre, kari, scope="openid payslips", resource=PAYSLIPS)
    types(kari, texted(kari)).sends("approve")
    token = told(polls_for(provider, centre, auth_req_id).get_json()["access_token"])
    assert (token["aud"], token["sub"]) == (PAYSLIPS, kari.sub)


def test_session_and_account_count_when_the_client_comes(kari: Person, provider: Provider, centre: Registered) -> None:
    """SR-60."""
    auth_req_id = asked(provider, centre, kari)
    types(kari, texted(kari)).sends("approve")
    with provider.app.app_context():
        sessions.end_all(kari.sub)
    assert error(polls_for(provider, centre, auth_req_id)) == NO_GRANT


# Only the account that the request is about


def test_another_account_cannot_approve(kari: Person, provider: Provider, centre: Registered) -> None:
    """Refused, without a word of whose it was."""
    auth_req_id, ola = asked(provider, centre, kari, binding_message="Sak 4711"), member(provider)
    types(ola, texted(kari))
    ola.sends(email=ola.email, password=PASSWORD).sends("sms")
    ola.sends("verify", code=ola.phoned_code())
    assert (ola.answer.status_code, ola.page.heading) == (403, "The code is for another account")
    for secret in (kari.email, kari.number[-2:] + ".", "Sak 4711"):
        assert secret not in ola.page.text
    assert error(polls_for(provider, centre, auth_req_id)) == PENDING
    types(kari, texted(kari)).sends("approve")
    assert polls_for(provider, centre, auth_req_id).status_code == 200


def test_whoever_is_signed_in_as_somebody_else_is_asked_to_sign_in(
    kari: Person, provider: Provider, centre: Registered
) -> None:
    asked(provider, centre, kari)
    ola = signed_in(provider)
    types(ola, texted(kari))
    assert ola.step == "login"
    assert kari.email not in ola.page.html


def test_the_store_itself_holds_to_the_account(kari: Person, provider: Provider, centre: Registered) -> None:
    """One conditional write decides it, whatever the pages did."""
    auth_req_id = asked(provider, centre, kari)
    from idp.services import decoupled

    with provider.app.app_context():
        found = decoupled_requests.of_handle(decoupled.digest(auth_req_id), centre.client.client_id, "backchannel")
        assert found
        assert not decoupled_requests.reject(found.id, account_id(member(provider)), now=idp_clock.now())
    assert error(polls_for(provider, centre, auth_req_id)) == PENDING


# SR-32: prompts


def test_nobody_is_bombed_with_messages(provider: Provider, centre: Registered, clock: Clock) -> None:
    """SR-32: two unanswered in ten minutes; the client hears nothing of it. An answer lets the next one through."""
    clock.advance(3601 - clock.now().timestamp() % 3600)  # just after the windows began
    kari = provider.person().is_signed_in()
    for _ in range(5):
        asked(provider, centre, kari)
    provider.deliver()
    assert len(provider.outside.messages(kari.number)) == 2
    types(kari, texted(kari)).sends("approve")
    asked(provider, centre, kari)
    provider.deliver()
    assert len(provider.outside.messages(kari.number)) == 3
    with provider.app.app_context():
        assert "code.limited" in {event.event for event in audit.read(newest=40)}


def test_no_client_keeps_a_person_from_their_own_sign_in(provider: Provider, clock: Clock) -> None:
    """SR-31: whoever makes one ask uses up half of what may be sent, and no more."""
    clock.advance(3601 - clock.now().timestamp() % 3600)
    ola = member(provider)
    for _ in range(20):
        asked(provider, call_centre(provider), ola)
    provider.deliver()
    ola.comes_from_portal().sends(email=ola.email, password=PASSWORD).sends("sms")
    assert ola.sends("verify", code=ola.phoned_code()).redirected_to()["code"]


def test_a_client_may_ask_so_often_an_hour(provider: Provider, clock: Clock) -> None:
    """SR-26, SR-33: by client, wherever its servers are."""
    from idp.services import backchannel

    clock.advance(3601 - clock.now().timestamp() % 3600)
    client, limits = call_centre(provider), provider.parts.settings.limits
    for _ in range(limits.backchannel_requests_per_client_hour):
        backchannel.may_ask(provider.parts.store, limits, client.client)
    refused = asks(provider, client, login_hint="nobody@example.no")
    assert error(refused) == (429, "temporarily_unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    assert asks(provider, call_centre(provider), login_hint="nobody@example.no").status_code == 200


# §10.2: ping


def pinging(provider: Provider, site: ClientSite, path: str = "/ping", **metadata: Any) -> Registered:
    site.objects.clear()
    site.statuses.clear()
    told_at = {"backchannel_client_notification_endpoint": f"{site.url}{path}"}
    return call_centre(provider, backchannel_token_delivery_mode="ping", **told_at, **metadata)


@pytest.mark.parametrize("do", ["approve", "reject"])
def test_a_client_is_told_when_it_is_decided(kari: Person, provider: Provider, site: ClientSite, do: str) -> None:
    """§10.2: a POST of the auth_req_id with the client's own token, of either decision."""
    client = pinging(provider, site)
    auth_req_id = asked(provider, client, kari, client_notification_token=NOTIFIED_BY)
    code = texted(kari)
    assert not site.objects
    types(kari, code).sends(do)
    provider.deliver()
    ((path, body, headers),) = site.objects
    assert (path, body) == ("/ping", {"auth_req_id": auth_req_id})
    assert headers["authorization"] == f"Bearer {NOTIFIED_BY}"
    assert headers["content-type"] == "application/json"
    answer = polls_for(provider, client, auth_req_id)
    assert answer.status_code == 200 if do == "approve" else error(answer) == DENIED


def test_a_client_that_is_told_may_ask_as_well(kari: Person, provider: Provider, site: ClientSite) -> None:
    """§10.1: with the same errors."""
    client = pinging(provider, site)
    auth_req_id = asked(provider, client, kari, client_notification_token=NOTIFIED_BY)
    assert [error(polls_for(provider, client, auth_req_id)) for _ in range(2)] == [PENDING, SLOW]


def test_a_ping_that_did_not_arrive_is_tried_again(
    kari: Person, provider: Provider, site: ClientSite, clock: Clock
) -> None:
    """Through the outbox: the page waits for nobody, and 5xx is not the end."""
    client = pinging(provider, site)
    site.statuses[:] = [500]
    auth_req_id = asked(provider, client, kari, client_notification_token=NOTIFIED_BY)
    types(kari, texted(kari)).sends("approve")
    provider.deliver()
    clock.advance(5)
    provider.deliver()
    assert [said for _, said, _ in site.objects].count({"auth_req_id": auth_req_id}) == 2


def test_a_redirect_is_not_followed(kari: Person, provider: Provider, site: ClientSite) -> None:
    """§10.2: the OP must not follow it; SR-112."""
    client = pinging(provider, site)
    site.statuses[:] = [302]
    asked(provider, client, kari, client_notification_token=NOTIFIED_BY)
    types(kari, texted(kari)).sends("approve")
    provider.deliver()
    assert [path for path, *_ in site.objects] == ["/ping"]
    assert not site.asked or site.asked[-1] != "/elsewhere"


@pytest.mark.parametrize("token", [None, "short", "x" * 21, "x" * 1025, "with a space in between it all"])
def test_the_token_to_be_told_with(kari: Person, provider: Provider, site: ClientSite, token: str | None) -> None:
    """§7.1 client_notification_token: needed in ping mode; 128 bits at least, 1024 characters at most."""
    client = pinging(provider, site)
    assert error(asks(provider, client, login_hint=kari.email, client_notification_token=token)) == INVALID


@pytest.mark.parametrize("length", [22, 1024])
def test_tokens_at_the_edge(provider: Provider, site: ClientSite, length: int) -> None:
    client = pinging(provider, site)
    token = "x" * length
    assert asks(provider, client, login_hint="a@example.no", client_notification_token=token).status_code == 200


def test_the_token_is_kept_sealed(kari: Person, provider: Provider, site: ClientSite) -> None:
    """SR-20: neither it nor the binding message nor the auth_req_id can be read from the table."""
    auth_req_id = asked(
        provider, pinging(provider, site), kari, client_notification_token=NOTIFIED_BY, binding_message="Sak 4711"
    )
    with provider.app.app_context(), transaction() as connection:
        kept = repr([tuple(row) for row in connection.execute(decoupled_requests.requests.select())])
    assert not [secret for secret in (auth_req_id, NOTIFIED_BY, "Sak 4711", kari.email) if secret in kept]


def test_nothing_of_it_is_in_a_log(
    kari: Person, provider: Provider, site: ClientSite, caplog: pytest.LogCaptureFixture
) -> None:
    """SR-120: at no level, of no library, nor in the audit trail; a ping that fails is told without what it held."""
    caplog.set_level(logging.DEBUG)
    client = pinging(provider, site)
    site.statuses[:] = [500]
    said = {"client_notification_token": NOTIFIED_BY, "binding_message": "Sak 4711"}
    auth_req_id = asked(provider, client, kari, **said)
    code = texted(kari)
    types(kari, code).sends("approve")
    provider.deliver()
    polls_for(provider, client, auth_req_id)
    with provider.app.app_context():
        trail = repr(audit.read(newest=40))
    for written in (caplog.text, trail):
        secrets_of_it = (auth_req_id, NOTIFIED_BY, "Sak 4711", code, code.replace("-", ""), kari.number, kari.email)
        assert not [secret for secret in secrets_of_it if secret in written]


# §7.1.1: signed requests


def signing(provider: Provider, **metadata: Any) -> Registered:
    return call_centre(
        provider,
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [KEY.as_dict(private=False)]},
        backchannel_authentication_request_signing_alg="ES256",
        **metadata,
    )


def signed(client: Registered, *, key: ECKey = KEY, **changes: Any) -> str:
    now = idp_clock.timestamp()
    claims = {
        "iss": client.client.client_id,
        "aud": BASE,
        "iat": now,
        "nbf": now,
        "exp": now + 60,
        "jti": secrets.token_urlsafe(9),
        "scope": "openid",
        **changes,
    }
    return jwt.encode({"alg": "ES256", "kid": "k"}, {k: v for k, v in claims.items() if v is not None}, key)


def sends(provider: Provider, client: Registered, **form: Any) -> Any:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    proved = {"client_assertion_type": kind, "client_assertion": assertion(KEY, client.client.client_id)}
    return posts(provider, BACKCHANNEL_ENDPOINT, {**proved, **form}, authenticated=False)


def test_a_signed_request(kari: Person, provider: Provider) -> None:
    """§7.1.1: what is signed counts; a number may be a number."""
    client = signing(provider)
    token = signed(client, login_hint=kari.email, requested_expiry=120, binding_message="Sak 9")
    answer = sends(provider, client, request=token)
    assert answer.get_json()["expires_in"] == 120
    types(kari, texted(kari))
    assert "Sak 9" in kari.page.text


@pytest.mark.parametrize(
    "changes",
    [
        *({name: None} for name in ("iss", "aud", "exp", "iat", "nbf", "jti")),
        {"iss": "c_other"}, {"aud": "https://other.example"}, {"exp": 1}, {"exp": 9_999_999_999},
        {"nbf": 9_999_999_999}, {"sub": "x"}, {"jti": 7}, {"key": ECKey.generate_key("P-256")},
    ],
)  # fmt: skip
def test_a_signed_request_that_is_not_good(kari: Person, provider: Provider, changes: dict[str, Any]) -> None:
    client = signing(provider)
    assert error(sends(provider, client, request=signed(client, login_hint=kari.email, **changes))) == INVALID
    assert texted(kari) == ""


def test_a_signed_request_counts_once(kari: Person, provider: Provider) -> None:
    client = signing(provider)
    token = signed(client, login_hint=kari.email)
    assert [sends(provider, client, request=token).status_code for _ in range(2)] == [200, 400]


def test_whoever_signs_sends_nothing_beside_it(kari: Person, provider: Provider) -> None:
    """§7.1.1; §4: and nothing unsigned."""
    client = signing(provider)
    assert error(sends(provider, client, request=signed(client), login_hint=kari.email)) == INVALID
    assert error(sends(provider, client, scope="openid", login_hint=kari.email)) == INVALID


# §4: metadata


@pytest.mark.parametrize(
    ("metadata", "member"),
    [
        ({"token_endpoint_auth_method": "none"}, "token_endpoint_auth_method"),
        ({"backchannel_token_delivery_mode": None}, "backchannel_token_delivery_mode"),
        ({"backchannel_token_delivery_mode": "push"}, "backchannel_token_delivery_mode"),
        ({"backchannel_token_delivery_mode": "ping"}, "backchannel_client_notification_endpoint"),
        (
            {"backchannel_client_notification_endpoint": "https://a.example/"},
            "backchannel_client_notification_endpoint",
        ),
        ({"backchannel_user_code_parameter": True}, "backchannel_user_code_parameter"),
        ({"backchannel_authentication_request_signing_alg": "ES256"}, "jwks"),
        ({"backchannel_authentication_request_signing_alg": "HS256"}, "backchannel_authentication_request_signing_alg"),
        ({"grant_types": ["client_credentials"], "scope": ""}, "backchannel_token_delivery_mode"),
        (
            {
                "backchannel_token_delivery_mode": "ping",
                "backchannel_client_notification_endpoint": "http://a.example/",
            },
            "backchannel_client_notification_endpoint",
        ),
    ],
)
def test_metadata_that_cannot_be(provider: Provider, metadata: dict[str, Any], member: str) -> None:
    with pytest.raises(InvalidMetadata) as raised:
        call_centre(provider, **metadata)
    assert raised.value.member == member


def test_a_client_held_to_fapi_signs_and_says_what_it_is_for(kari: Person, provider: Provider) -> None:
    """FAPI-CIBA §5.2.2."""
    keys = {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [KEY.as_dict(private=False)]}}
    with pytest.raises(InvalidMetadata) as raised:
        call_centre(provider, profile="fapi2", **keys)
    assert raised.value.member == "backchannel_authentication_request_signing_alg"
    client = signing(provider, profile="fapi2")
    assert error(sends(provider, client, request=signed(client, login_hint=kari.email))) == NOT_PLAIN
    good = signed(client, login_hint=kari.email, binding_message="Sak 1")
    assert sends(provider, client, request=good).status_code == 200
