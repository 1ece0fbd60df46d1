"""Resource indicators (RFC 8707), and what an API decides about tokens for it: their form and their scopes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from idp.rules.client_metadata import TOKEN_EXCHANGE
from idp.services import accounts, clients
from idp.services.clients import InvalidMetadata, Registered
from tests.members import account_id
from tests.people import Person, Provider
from tests.protocol.signed_in import BASE, bearer, code_form, error, gets, posts, refreshes, signed_in, told

PAYROLL, PENSION, VAULT = "https://payroll.example/", "https://pension.example/api", "https://vault.example/"
LISTS, ARCHIVE = "urn:example:lists", "https://archive.example/?part=1"
KEY = ECKey.generate_key("P-256", parameters={"kid": "k"})
SCOPE = "openid email offline_access payslips"


def api(provider: Provider, audience: str, **metadata: Any) -> Registered:
    usual: dict[str, Any] = {"redirect_uris": [], "grant_types": [], "scope": "", "resources": [], "client_uri": None}
    return provider.register(**{**usual, "resource_server": audience, **metadata})


@pytest.fixture(scope="module")
def client(provider: Provider) -> Registered:
    return provider.register(
        resources=[PAYROLL, PENSION, VAULT, LISTS, ARCHIVE, BASE], jwks={"keys": [KEY.as_dict(private=False)]}
    )


@pytest.fixture(scope="module")
def vault(provider: Provider) -> Registered:
    """An API that wants tokens that mean nothing, and takes one scope."""
    return api(provider, VAULT, access_token_format="opaque", accepted_scopes="payslips")


@pytest.fixture
def kari(provider: Provider) -> Person:
    return signed_in(provider)


def asks(person: Person, client: Registered, *resources: str, **more: str) -> Person:
    query = [*person.request(client_id=client.client.client_id, scope=SCOPE, **more).items()]
    return person.goes(f"/authorize?{urlencode([*query, *(('resource', one) for one in resources)])}")


def redeems(person: Person, client: Registered, *resources: str) -> Any:
    form = [*code_form(person).items(), *(("resource", one) for one in resources)]
    return posts(person.provider, "/token", urlencode(form), caller=client)


def tokens(person: Person, client: Registered, *resources: str) -> Any:
    return redeems(asks(person, client, *resources), client).get_json()


def audience(answer: Any) -> Any:
    return told(answer["access_token"])["aud"]


# At the authorization endpoint (§2, §2.1)


@pytest.mark.parametrize(
    "resource",
    [
        "https://elsewhere.example/",
        "payroll",  # no absolute URI
        f"{PAYROLL}#part",  # with a fragment
        PAYROLL.removesuffix("/"),  # compared byte for byte
        f"{PAYROLL}deeper",
        PAYROLL.upper(),
    ],
)
def test_what_the_client_may_not_reach_is_an_invalid_target(kari: Person, client: Registered, resource: str) -> None:
    """§2: an absolute URI without fragment; unknown, malformed or not for this client is `invalid_target`."""
    for resources in ((resource,), (PAYROLL, resource)):
        assert asks(kari, client, *resources).redirected_to()["error"] == "invalid_target"
    given = tokens(kari, client, PAYROLL)
    answer = refreshes(kari.provider, given["refresh_token"], caller=client, resource=resource)
    assert error(answer) == (400, "invalid_target")
    assert error(redeems(asks(kari, client), client, resource)) == (400, "invalid_target")


@pytest.mark.parametrize("resource", [PAYROLL, LISTS, ARCHIVE])
def test_any_absolute_uri_may_name_an_api(kari: Person, client: Registered, resource: str) -> None:
    """§2: also a URN, and one with a query."""
    given = tokens(kari, client, resource)

    assert audience(given) == resource
    assert told(given["access_token"])["iss"] == BASE


def test_several_at_once_are_one_token_for_all(kari: Person, client: Registered) -> None:
    """§2: the parameter may be repeated; naming one twice is naming it once."""
    assert audience(tokens(kari, client, PAYROLL, PENSION, PAYROLL)) == [PAYROLL, PENSION]


def test_a_request_object_and_a_pushed_request_carry_them(kari: Person, client: Registered) -> None:
    """§2.1 by RFC 9101 and RFC 9126: one as text, several as a list."""
    client_id = client.client.client_id
    for named in (PAYROLL, [PAYROLL, PENSION]):
        claims = {**kari.request(client_id=client_id), "resource": named, "aud": BASE}
        token = jwt.encode({"alg": "ES256", "kid": "k"}, claims, KEY)
        kari.goes(f"/authorize?{urlencode({'client_id': client_id, 'request': token})}")
        assert audience(redeems(kari, client).get_json()) == named
    form = urlencode([*kari.request(client_id="").items(), ("resource", PAYROLL), ("resource", PENSION)])
    name = posts(kari.provider, "/par", form, caller=client).get_json()["request_uri"]
    kari.goes(f"/authorize?{urlencode({'client_id': client_id, 'request_uri': name})}")
    assert audience(redeems(kari, client).get_json()) == [PAYROLL, PENSION]


def test_a_bad_target_never_moves_the_person_elsewhere(kari: Person, client: Registered) -> None:
    asks(kari, client, "https://elsewhere.example/", redirect_uri="https://evil.example/")

    assert kari.answer is not None
    assert kari.answer.status_code == 400
    assert "Location" not in kari.answer.headers


# At the token endpoint (§2.2)


def test_a_token_may_be_for_some_of_what_was_granted(kari: Person, client: Registered) -> None:
    """§2.2: a code and a refresh token give tokens for each API by itself; the grant stays for all."""
    asks(kari, client, PAYROLL, PENSION)
    given = redeems(kari, client, PENSION).get_json()
    assert audience(given) == PENSION
    first = refreshes(kari.provider, given["refresh_token"], caller=client, resource=PAYROLL).get_json()
    assert audience(first) == PAYROLL
    both = refreshes(kari.provider, first["refresh_token"], caller=client).get_json()
    assert audience(both) == [PAYROLL, PENSION]


def test_what_was_not_granted_is_refused_though_the_client_may_ask_for_it(kari: Person, client: Registered) -> None:
    """§2.2: and the refresh token is not spent by asking."""
    assert error(redeems(asks(kari, client, PAYROLL), client, PENSION)) == (400, "invalid_target")
    given = tokens(kari, client, PAYROLL)
    wrong = refreshes(kari.provider, given["refresh_token"], caller=client, resource=PENSION)
    assert error(wrong) == (400, "invalid_target")
    assert refreshes(kari.provider, given["refresh_token"], caller=client).status_code == 200


def test_without_a_resource_the_token_is_for_userinfo(kari: Person, client: Registered) -> None:
    """§2: the default is ours to choose; an opaque token that opens no API."""
    given = tokens(kari, client)

    assert given["access_token"].count(".") == 0
    assert gets(kari.provider, "/userinfo", **bearer(given["access_token"])).status_code == 200


def test_a_machine_names_its_api_or_gets_all_of_its_own(provider: Provider) -> None:
    machine = provider.register(
        redirect_uris=[], client_uri=None, grant_types=["client_credentials"], scope="payslips",
        resources=[PAYROLL, PENSION],
    )  # fmt: skip
    form = {"grant_type": "client_credentials"}
    assert audience(posts(provider, "/token", form, caller=machine).get_json()) == [PAYROLL, PENSION]
    assert audience(posts(provider, "/token", {**form, "resource": PENSION}, caller=machine).get_json()) == PENSION
    other = posts(provider, "/token", {**form, "resource": VAULT}, caller=machine)
    assert error(other) == (400, "invalid_target")


# What an API decides: its scopes


def test_a_token_has_the_scopes_that_its_api_takes(kari: Person, provider: Provider, client: Registered) -> None:
    """§2: the scope of a token is for its audience; what is told is what it has (RFC 6749 §5.1)."""
    api(provider, PAYROLL, accepted_scopes="payslips reports")
    for given in (tokens(kari, client, PAYROLL), tokens(kari, client, PAYROLL, BASE)):
        scopes = told(given["access_token"])["scope"]
        assert given["scope"] == scopes
        expected = "payslips" if audience(given) == PAYROLL else SCOPE
        assert scopes == expected
    given = tokens(kari, client, PAYROLL)
    again = refreshes(kari.provider, given["refresh_token"], caller=client).get_json()
    assert (again["scope"], "id_token" in again) == ("payslips", True)
    assert told(tokens(kari, client, PENSION)["access_token"])["scope"] == SCOPE  # nobody there has said anything


def test_a_person_may_have_agreed_to_more_than_one_api_takes(kari: Person, provider: Provider) -> None:
    """Two clients that are the same API: each of their words counts."""
    name = "https://twice.example/"
    api(provider, name, accepted_scopes="payslips email")
    api(provider, name, accepted_scopes="payslips openid")
    client = provider.register(resources=[name])

    assert tokens(kari, client, name)["scope"] == "payslips"


# What an API decides: the form of its tokens


def test_an_opaque_token_is_introspected_by_its_api(
    kari: Person, provider: Provider, client: Registered, vault: Registered
) -> None:
    """RFC 7662 §2.2: it tells what a signed one would say, to that API and to its client, and to nobody else."""
    given = tokens(kari, client, VAULT)
    token = given["access_token"]
    live = posts(provider, "/introspect", {"token": token}, caller=vault).get_json()

    assert "." not in token
    assert (live["active"], live["aud"], live["scope"]) == (True, VAULT, "payslips")
    assert (live["sub"], live["client_id"]) == (account_id(kari), client.client.client_id)
    assert {"acr", "amr", "auth_time", "exp", "iat", "iss", "jti"} <= live.keys()
    assert posts(provider, "/introspect", {"token": token}, caller=client).get_json()["active"] is True
    other = api(provider, "https://other.example/")
    assert posts(provider, "/introspect", {"token": token}, caller=other).get_json() == {"active": False}
    assert error(gets(provider, "/userinfo", **bearer(token))) == (401, "invalid_token")


def test_a_machine_and_an_api_that_acts_get_them_too(
    kari: Person, provider: Provider, client: Registered, vault: Registered
) -> None:
    machine = provider.register(
        redirect_uris=[], client_uri=None, grant_types=["client_credentials"], scope="payslips", resources=[VAULT]
    )
    own = posts(provider, "/token", {"grant_type": "client_credentials"}, caller=machine).get_json()["access_token"]
    live = posts(provider, "/introspect", {"token": own}, caller=vault).get_json()
    assert (live["active"], live["sub"]) == (True, machine.client.client_id)
    assert posts(provider, "/revoke", {"token": own}, caller=machine).status_code == 200
    assert posts(provider, "/introspect", {"token": own}, caller=vault).get_json() == {"active": False}
    acting = api(provider, "https://acting.example/", grant_types=[TOKEN_EXCHANGE], resources=[VAULT])
    asking = provider.register(resources=["https://acting.example/"])
    subject = tokens(kari, asking, "https://acting.example/")["access_token"]
    kind = "urn:ietf:params:oauth:token-type:access_token"
    form = {"grant_type": TOKEN_EXCHANGE, "subject_token": subject, "subject_token_type": kind}
    exchanged = posts(provider, "/token", form, caller=acting).get_json()["access_token"]
    live = posts(provider, "/introspect", {"token": exchanged}, caller=vault).get_json()
    assert (live["sub"], live["act"]["sub"]) == (account_id(kari), acting.client.client_id)


def test_one_token_has_one_form(kari: Person, provider: Provider, client: Registered, vault: Registered) -> None:
    """§2: APIs that want it differently are asked for one at a time; an API that is not registered takes either."""
    api(provider, LISTS)  # signed, as nobody has said otherwise
    asks(kari, client, VAULT, LISTS)
    assert error(redeems(kari, client)) == (400, "invalid_target")
    assert redeems(asks(kari, client, VAULT, LISTS), client, LISTS).get_json()["access_token"].count(".") == 2
    assert tokens(kari, client, VAULT, ARCHIVE)["access_token"].count(".") == 0


@pytest.mark.parametrize(
    "metadata", [{"access_token_format": "opaque"}, {"accepted_scopes": "payslips"}, {"access_token_format": "saml"}]
)
def test_only_an_api_decides(provider: Provider, metadata: dict[str, str]) -> None:
    with pytest.raises(InvalidMetadata):
        provider.register(**metadata)


# How soon the end of a token is seen


def ends_by_revocation(person: Person, client: Registered, token: str) -> None:
    assert posts(person.provider, "/revoke", {"token": token}, caller=client).status_code == 200


def ends_by_sign_out(person: Person, client: Registered, token: str) -> None:
    person.goes("/logout").sends("sign-out")


def ends_by_lock(person: Person, client: Registered, token: str) -> None:
    with person.provider.app.app_context():
        accounts.lock(account_id(person))


@pytest.mark.parametrize("end", [ends_by_revocation, ends_by_sign_out, ends_by_lock])
@pytest.mark.parametrize("resource", [PENSION, VAULT], ids=["jwt", "opaque"])
def test_introspection_sees_the_end_at_once(
    provider: Provider, client: Registered, vault: Registered, resource: str, end: Any
) -> None:
    """SR-60, SR-89, SR-98: whatever form the token has; no cache stands between."""
    kari = signed_in(provider)
    asking = api(provider, resource) if resource != VAULT else vault
    kari.comes_from_portal(client_id=client.client.client_id, resource=resource, scope="openid payslips")
    token = redeems(kari, client).get_json()["access_token"]
    assert posts(provider, "/introspect", {"token": token}, caller=asking).get_json()["active"] is True
    end(kari, client, token)

    assert posts(provider, "/introspect", {"token": token}, caller=asking).get_json() == {"active": False}


def test_a_signed_token_that_nobody_asks_about_ends_by_its_time(
    kari: Person, provider: Provider, client: Registered
) -> None:
    """What RFC 9068 cannot do: its signature stays good after revocation, for ten minutes at most (SR-84)."""
    token = tokens(kari, client, PENSION)["access_token"]
    ends_by_revocation(kari, client, token)
    keys = KeySet.import_key_set(gets(provider, "/jwks").get_json())

    claims = jwt.decode(token, keys, algorithms=["ES256"]).claims
    assert claims["exp"] - claims["iat"] <= 600


def test_a_client_that_is_gone_takes_its_tokens_along(provider: Provider, vault: Registered, kari: Person) -> None:
    gone = provider.register(resources=[VAULT])
    token = tokens(kari, gone, VAULT)["access_token"]
    with provider.app.app_context():
        clients.remove(gone.client.client_id)

    assert posts(provider, "/introspect", {"token": token}, caller=vault).get_json() == {"active": False}
