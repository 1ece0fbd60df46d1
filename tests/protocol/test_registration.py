"""Clients that register and look after themselves: RFC 7591, RFC 7592, OpenID Connect Registration (SR-110, SR-76)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from idp.rules.client_metadata import CIBA, DEVICE_CODE
from idp.services import registration
from tests.client_site import ClientSite
from tests.conftest import Clock
from tests.people import PORTAL, Outside, Provider, new_provider, on_sqlite, settings_for
from tests.protocol.signed_in import BASE, error, gets, posts
from tests.races.together import in_parallel

REACHES_SITE = True
SETTINGS = {"registration": {"enabled": True}}


def invited(provider: Provider, *, uses: int = 1, days: int = 7, **allowance: Any) -> str:
    """An initial access token."""
    with provider.app.app_context():
        return registration.invite(allowance, uses=uses, days=days).token


def sends(provider: Provider, method: str, path: str, token: str | None, body: Any = None, **more: Any) -> TestResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
    kind = more.pop("content_type", "application/json")
    client = provider.app.test_client()
    return client.open(path, method=method, base_url=BASE, headers=headers, data=data, content_type=kind)


def registers(provider: Provider, token: str | None, **metadata: Any) -> TestResponse:
    return sends(provider, "POST", "/register", token, {"redirect_uris": [PORTAL], **metadata})


def own(provider: Provider, **metadata: Any) -> dict[str, Any]:
    """A client that registered itself."""
    answer = registers(provider, invited(provider), **metadata)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    made: dict[str, Any] = answer.get_json()
    return made


# RFC 7591


def test_whoever_is_invited_may_register(provider: Provider) -> None:
    """§3.2.1: 201, all that was registered, a secret, and how to manage it (RFC 7592 §3)."""
    answer = registers(provider, invited(provider), client_name="Feriehjelpen", contacts=["a@b.example"])
    made = answer.get_json()

    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert made["client_name"] == "Feriehjelpen"
    assert made["redirect_uris"] == [PORTAL]
    assert made["grant_types"] == ["authorization_code"]
    assert made["token_endpoint_auth_method"] == "client_secret_basic"
    assert len(made["client_secret"]) >= 43
    assert made["client_secret_expires_at"] == 0
    assert made["registration_client_uri"] == f"{BASE}/register/{made['client_id']}"
    assert len(made["registration_access_token"]) >= 43


def test_it_works_at_once(provider: Provider) -> None:
    made = own(provider, scope="openid email")
    kari = provider.person().is_signed_in()
    kari.comes_from_portal(client_id=made["client_id"], scope="openid email")
    assert kari.page.heading.startswith("Share information with")
    form = {"token": "x"}

    assert posts(provider, "/revoke", form, headers={}, authenticated=False).status_code == 401
    answer = provider.post("/revoke", form, auth=(made["client_id"], made["client_secret"]))
    assert answer.status_code == 200


def test_its_name_is_marked_as_its_own_word(provider: Provider) -> None:
    """SR-76: unverified, and shown as text; another third party's is not."""
    made = own(provider, client_name="<b>NAV</b>")
    kari = provider.person().is_signed_in().comes_from_portal(client_id=made["client_id"], scope="openid email")
    warning = "Nobody here has checked who is behind this name."
    assert warning in kari.page.text
    assert "<b>NAV</b>" in kari.page.text
    known = provider.register(first_party=False).client.client_id

    assert warning not in kari.comes_from_portal(client_id=known).page.text


@pytest.mark.parametrize("token", [None, "made up", "ÿ"])
def test_nobody_registers_uninvited(provider: Provider, token: str | None) -> None:
    """SR-110; RFC 7591 §3: a Bearer challenge."""
    answer = registers(provider, token)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_invitation_runs_out(provider: Provider, clock: Clock) -> None:
    token = invited(provider, days=1)
    clock.advance(86401)

    assert registers(provider, token).status_code == 401


def test_an_invitation_that_was_taken_back_is_worth_nothing(provider: Provider) -> None:
    with provider.app.app_context():
        made = registration.invite({}, uses=1, days=1)
        assert registration.withdraw(made.id)
        assert not registration.withdraw(made.id)

    assert registers(provider, made.token).status_code == 401


def test_an_invitation_counts_for_so_many_and_no_more(provider: Provider) -> None:
    """One conditional write, however many come at once."""
    token = invited(provider, uses=3)

    statuses = in_parallel(8, lambda: registers(provider, token).status_code)
    assert sorted(statuses) == [201] * 3 + [401] * 5


def test_what_is_refused_costs_no_use(provider: Provider) -> None:
    token = invited(provider)

    assert registers(provider, token, redirect_uris=["http://portal.example/"]).status_code == 400
    assert registers(provider, token).status_code == 201


def test_unknown_members_are_passed_over(provider: Provider) -> None:
    """§2."""
    made = own(provider, colour="red", request_uris=["https://portal.example/r"], **{"client_name#nb": "Navn"})

    assert "colour" not in made


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://portal.example/#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": "https://portal.example/"}, "invalid_redirect_uri"),
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"grant_types": [DEVICE_CODE]}, "invalid_client_metadata"),
        ({"grant_types": ["authorization_code", CIBA]}, "invalid_client_metadata"),
        ({"grant_types": []}, "invalid_client_metadata"),
        ({"grant_types": 7}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "magic"}, "invalid_client_metadata"),
        ({"jwks_uri": "http://127.0.0.1/keys"}, "invalid_client_metadata"),
        ({"logo_uri": "data:text/html,x"}, "invalid_client_metadata"),
        ({"subject_type": "secret"}, "invalid_client_metadata"),
        ({"software_statement": "a.b.c"}, "unapproved_software_statement"),
    ],
    ids=str,
)
def test_what_cannot_be_registered_is_told(provider: Provider, metadata: dict[str, Any], code: str) -> None:
    """§3.2.2."""
    assert error(registers(provider, invited(provider), **metadata)) == (400, code)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a": 1, "a": 2}', b"\xff", b"[" * 50_000], ids=range(6))
def test_what_is_no_object_is_told(provider: Provider, body: bytes) -> None:
    assert error(sends(provider, "POST", "/register", invited(provider), body)) == (400, "invalid_request")


def test_a_form_is_not_json(provider: Provider) -> None:
    answer = sends(provider, "POST", "/register", invited(provider), b"{}", content_type="text/plain")

    assert error(answer) == (400, "invalid_request")


def test_nobody_gives_themselves_more(provider: Provider) -> None:
    """SR-70, SR-110: first-party, PKCE exemption and audiences are the administrator's to give."""
    made = own(provider, first_party=True, pkce_exempt=True, resources=["https://a.example/"], claims_in_id_token=True)

    assert not made["first_party"]
    assert not made["pkce_exempt"]
    assert not made["claims_in_id_token"]
    assert made["resources"] == []


def test_an_invitation_may_give_more(provider: Provider) -> None:
    token = invited(provider, first_party=True, resources=["https://a.example/"], scope="openid email payslips")
    made = registers(provider, token, scope="openid payslips").get_json()

    assert made["first_party"]
    assert made["resources"] == ["https://a.example/"]
    assert made["scope"] == "openid payslips"


def test_an_invitation_may_narrow_the_scope(provider: Provider) -> None:
    token = invited(provider, scope="openid email", uses=2)

    assert error(registers(provider, token, scope="openid phone")) == (400, "invalid_client_metadata")
    assert registers(provider, token).get_json()["scope"] == "openid email"


def test_keys_and_sectors_may_lie_at_addresses(provider: Provider, site: ClientSite) -> None:
    """OpenID Connect Registration §5; what lies there is read by the guarded way (SR-112)."""
    site.documents["/sector"] = [PORTAL]
    made = own(
        provider,
        subject_type="pairwise",
        sector_identifier_uri=f"{site.url}/sector",
        jwks_uri=f"{site.url}/jwks",
        token_endpoint_auth_method="private_key_jwt",
    )
    assert "client_secret" not in made
    site.documents["/sector"] = ["https://other.example/"]
    refused = registers(provider, invited(provider), sector_identifier_uri=f"{site.url}/sector")
    assert error(refused) == (400, "invalid_client_metadata")


def test_it_is_off_unless_it_is_switched_on(tmp_path: Any, outside: Outside) -> None:
    """SR-110."""
    with new_provider(settings_for(on_sqlite(tmp_path), tmp_path, outside), outside) as closed:
        assert registers(closed, invited(closed)).status_code == 404
        assert "registration_endpoint" not in gets(closed, "/.well-known/openid-configuration").get_json()


def test_discovery_names_it(provider: Provider) -> None:
    assert gets(provider, "/.well-known/openid-configuration").get_json()["registration_endpoint"] == (
        f"{BASE}/register"
    )


# RFC 7592


def manages(provider: Provider, method: str, made: dict[str, Any], body: Any = None, token: str | None = None) -> Any:
    path = f"/register/{made['client_id']}"
    return sends(provider, method, path, token or made["registration_access_token"], body)


def test_a_client_reads_itself(provider: Provider) -> None:
    """§2.1; the secret is not told again: only its digest is kept (SR-82)."""
    made = own(provider, client_name="A")
    read = manages(provider, "GET", made).get_json()

    assert read["client_name"] == "A"
    assert read["registration_access_token"] == made["registration_access_token"]
    assert "client_secret" not in read


def test_a_client_replaces_its_metadata(provider: Provider) -> None:
    """§2.2: the whole of it."""
    made = own(provider, client_name="A", logo_uri="https://portal.example/logo.png")
    body = {"client_id": made["client_id"], "client_secret": made["client_secret"], "redirect_uris": [PORTAL]}
    changed = manages(provider, "PUT", made, {**body, "client_name": "B"}).get_json()

    assert changed["client_name"] == "B"
    assert "logo_uri" not in changed
    assert provider.post("/revoke", {"token": "x"}, auth=(made["client_id"], made["client_secret"])).status_code == 200


def test_a_change_gives_nobody_more(provider: Provider) -> None:
    token = invited(provider, first_party=True, scope="openid email")
    made = registers(provider, token).get_json()
    body = {"client_id": made["client_id"], "redirect_uris": [PORTAL], "pkce_exempt": True}
    changed = manages(provider, "PUT", made, body).get_json()

    assert changed["first_party"]
    assert not changed["pkce_exempt"]
    wider = manages(provider, "PUT", made, {**body, "scope": "openid phone"})
    assert error(wider) == (400, "invalid_client_metadata")


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "c_somebody"},
        {"client_secret": "my own choice"},
        {"client_secret": 7},
        {"registration_access_token": "x"},
        {"registration_client_uri": "x"},
        {"client_secret_expires_at": 0},
        {"client_id_issued_at": 0},
    ],
    ids=str,
)
def test_what_only_the_provider_says_is_refused(provider: Provider, changes: dict[str, Any]) -> None:
    """§2.2."""
    made = own(provider)
    body = {"client_id": made["client_id"], "redirect_uris": [PORTAL], **changes}

    assert error(manages(provider, "PUT", made, body)) == (400, "invalid_request")


def test_a_client_removes_itself(provider: Provider) -> None:
    """§2.3: 204, and nothing of it counts any more."""
    made = own(provider)
    assert manages(provider, "DELETE", made).status_code == 204

    for method in ("GET", "DELETE"):
        assert error(manages(provider, method, made)) == (401, "invalid_token")
    assert provider.post("/revoke", {"token": "x"}, auth=(made["client_id"], made["client_secret"])).status_code == 401


def test_one_clients_token_is_for_no_other(provider: Provider) -> None:
    """§2: nor for one that an administrator registered, nor is an invitation one."""
    one, two = own(provider), own(provider)
    byhand = provider.register().client.client_id

    for path, token in (
        (one["client_id"], two["registration_access_token"]),
        (byhand, one["registration_access_token"]),
        (one["client_id"], invited(provider)),
        ("c_nobody", one["registration_access_token"]),
    ):
        for method in ("GET", "PUT", "DELETE"):
            body = {"client_id": path, "redirect_uris": [PORTAL]} if method == "PUT" else None
            assert error(sends(provider, method, f"/register/{path}", token, body)) == (401, "invalid_token")


def test_an_administrators_rotation_keeps_the_token(provider: Provider) -> None:
    from idp.services import clients

    made = own(provider)
    with provider.app.app_context():
        clients.rotate_secret(made["client_id"])

    assert manages(provider, "GET", made).status_code == 200
