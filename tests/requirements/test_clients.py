"""Clients: what may be registered, what is kept of a secret, how soon a change holds (SR-68, 70, 82, 110, 111)."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.rules import client_checks, client_metadata
from idp.services import clients
from idp.services.clients import InvalidMetadata, UnknownClient
from idp.stores.durable import clients as rows
from tests.administration import Shell, set_up, shell

__all__ = ["set_up", "shell"]

TEXTS = st.text() | st.sampled_from(["https://a.example/", "http://[", "code", "openid", "none", "authorization_code"])
VALUES = st.recursive(st.none() | st.booleans() | st.integers() | TEXTS, st.lists) | st.lists(TEXTS)
CALLBACK = "https://portal.example.com/callback"
EC = {
    "kty": "EC",
    "crv": "P-256",
    "kid": "one",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}


@pytest.fixture(autouse=True)
def provider(shell: Shell) -> Iterator[Shell]:
    with shell.stores():
        yield shell


def registered(**metadata: Any) -> clients.Registered:
    return clients.register({"redirect_uris": [CALLBACK], **metadata})


def refusal(**metadata: Any) -> InvalidMetadata:
    with pytest.raises(InvalidMetadata) as caught:
        registered(**metadata)
    assert clients.everyone() == []
    return caught.value


def test_metadata_that_names_little_gets_the_defaults_of_the_standards() -> None:
    client = registered().client

    assert client.grant_types == ("authorization_code",)
    assert client.response_types == ("code",)
    assert client.token_endpoint_auth_method == "client_secret_basic"
    assert client.application_type == "web"
    assert client.id_token_signed_response_alg == "RS256"  # OpenID Connect Registration §2
    assert client.scope == "openid profile email"
    assert not client.first_party
    assert not client.pkce_exempt
    assert clients.find(client.client_id) == client


def test_ids_and_secrets_survive_any_encoding() -> None:
    """Clients encode Basic credentials in different ways: only A-Z a-z 0-9 - _ come through all of them."""
    for _ in range(20):
        made = registered()
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", made.secret or "")  # 256 bits: SR-82
        assert re.fullmatch(r"c_[A-Za-z0-9_-]{22}", made.client.client_id)


def test_no_client_has_an_id_that_an_account_could_have() -> None:
    assert len(registered().client.client_id) != 22  # SR-110


def test_only_a_digest_of_the_secret_is_kept(provider: Shell) -> None:
    made = registered()  # SR-82
    assert made.secret is not None
    dump = "\n".join(sqlite3.connect(provider.folder / "var" / "idp.sqlite").iterdump())

    assert made.client.client_id in dump
    assert made.secret not in dump
    assert made.secret not in repr(made)


def test_only_the_right_secret_is_right() -> None:
    made, other = registered(), registered()
    assert made.secret is not None

    assert clients.verify_secret(made.client, made.secret)
    for wrong in (other.secret or "", "", made.secret + "A", made.secret[:-1], "å", "\udcff"):
        assert not clients.verify_secret(made.client, wrong)


def test_a_client_without_a_secret_never_has_the_right_one() -> None:
    made = registered(token_endpoint_auth_method="none")
    assert made.secret is None
    for guess in ("", "None", "\0" * 32):
        assert not clients.verify_secret(made.client, guess)


def test_a_new_secret_ends_the_old_one_at_once() -> None:
    made = registered()
    new = clients.rotate_secret(made.client.client_id).secret

    assert not clients.verify_secret(made.client, made.secret or "")
    assert clients.verify_secret(made.client, new or "")


def test_a_removed_client_is_unknown_at_once() -> None:
    made = registered()
    clients.remove(made.client.client_id)

    assert clients.find(made.client.client_id) is None
    assert not clients.verify_secret(made.client, made.secret or "")
    with pytest.raises(UnknownClient):
        clients.remove(made.client.client_id)


def test_another_process_learns_of_a_removal_within_a_second(provider: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    made = registered()
    assert clients.find(made.client.client_id) is not None
    rows.remove(made.client.client_id)  # as another process does it: this one is not told
    ahead = monotonic() + clients.REREAD

    monkeypatch.setattr("idp.stores.durable.changes.monotonic", lambda: ahead)
    assert clients.find(made.client.client_id) is None


def test_an_unknown_id_is_unknown_even_when_odd() -> None:
    for odd in ("", "c_", "' or 1=1 --", "å", "\0", "x" * 10_000):
        assert clients.find(odd) is None


@pytest.mark.parametrize(
    ("metadata", "member", "words"),
    [
        ({"redirect_urs": []}, "redirect_urs", "unknown member; allowed: client_name, "),
        ({"client_id": "portal"}, "client_id", "chosen by the provider"),
        ({"client_secret": "x"}, "client_secret", "made by the provider"),
        ({"jwks_uri": "http://a.example/jwks"}, "jwks_uri", "https"),
        ({"redirect_uris": []}, "redirect_uris", "at least one"),
        ({"redirect_uris": CALLBACK}, "redirect_uris", "expected `array`"),
        ({"redirect_uris": [1]}, "redirect_uris", "expected `str`"),
        ({"response_types": ["token"]}, "response_types", "invalid enum value"),
        ({"response_types": ["code id_token"]}, "response_types", "invalid enum value"),
        ({"response_types": []}, "response_types", "goes with the authorization_code grant"),
        ({"grant_types": ["implicit"]}, "grant_types", "invalid enum value"),
        ({"grant_types": ["password"]}, "grant_types", "allowed: authorization_code, refresh_token, client_cred"),
        ({"grant_types": ["client_credentials"]}, "grant_types", "redirect URIs are for"),
        ({"grant_types": ["refresh_token"], "redirect_uris": []}, "grant_types", "needs authorization_code"),
        ({"grant_types": [], "redirect_uris": []}, "grant_types", "resource_server"),
        ({"scope": "profile"}, "scope", "openid is missing"),
        ({"scope": "openid offline_access"}, "scope", "refresh_token"),
        ({"scope": 'openid "'}, "scope", "characters"),
        ({"scope": "openid\nemail"}, "scope", "characters"),
        ({"token_endpoint_auth_method": "secret_handshake"}, "token_endpoint_auth_method", "invalid enum value"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "jwks", "needs the client's public keys"),
        ({"token_endpoint_auth_method": "none", "pkce_exempt": True}, "token_endpoint_auth_method", "pkce_exempt"),
        (
            {"id_token_signed_response_alg": "none"},
            "id_token_signed_response_alg",
            "allowed: ES256, RS256, PS256, EdDSA, Ed25519",
        ),
        ({"id_token_signed_response_alg": "HS256"}, "id_token_signed_response_alg", "invalid enum value"),
        ({"id_token_signed_response_alg": "PS256"}, "id_token_signed_response_alg", "idp key add --algorithm PS256"),
        ({"subject_type": "secret"}, "subject_type", "invalid enum value"),
        ({"client_name": "a\x1b[31m"}, "client_name", "characters"),
        ({"client_name": ""}, "client_name", "length >= 1"),
        ({"first_party": "yes"}, "first_party", "expected `bool`"),
        ({"resources": ["payslips"]}, "resources", "absolute URI"),
        ({"resources": ["https://api.example.com/#a"]}, "resources", "without a fragment"),
        ({"jwks": {"keys": []}}, "jwks", "at least one key"),
        ({"jwks": {"keys": [{**EC, "d": "AAAA"}]}}, "jwks", "secret"),
        ({"jwks": {"keys": [EC]}, "token_endpoint_auth_signing_alg": "RS256"}, "token_endpoint_auth_signing_alg", "RS"),
        (
            {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{**EC, "use": "enc"}]}},
            "jwks",
            "none of the keys is for signatures",
        ),
        ({"jwks": [EC]}, "jwks", "expected `object"),
    ],
)
def test_what_cannot_be_registered_is_named_with_what_can(metadata: dict[str, Any], member: str, words: str) -> None:
    found = refusal(**metadata)

    assert found.member.startswith(member)
    assert words in str(found)


@pytest.mark.parametrize(
    "uri",
    [
        "http://portal.example.com/callback",
        "https://portal.example.com/#fragment",
        "https://anna@portal.example.com/",
        "https://*.example.com/",
        "https://portal.example.com\\@evil.example/",
        "https://portal.example.com/\n",
        "//portal.example.com/",
        "/callback",
        "javascript:alert(1)",
        "data:text/html,x",
        "http://localhost/callback",
        "urn:ietf:wg:oauth:2.0:oob",
        "https:///callback",
    ],
)
@pytest.mark.parametrize(
    "member",
    [
        "redirect_uris",
        "post_logout_redirect_uris",
        "client_uri",
        "logo_uri",
        "policy_uri",
        "tos_uri",
        "initiate_login_uri",
    ],
)
def test_a_uri_is_absolute_https_and_nothing_odd(member: str, uri: str) -> None:
    """SR-111."""
    found = refusal(**{member: [uri] if member.endswith("uris") else uri})

    assert found.member == member
    assert found.error == ("invalid_redirect_uri" if member == "redirect_uris" else "invalid_client_metadata")


@given(st.dictionaries(st.sampled_from(client_metadata.MEMBERS) | st.text(), VALUES))
def test_whatever_metadata_is_given_is_settled_or_refused(metadata: dict[str, Any]) -> None:
    with contextlib.suppress(InvalidMetadata):
        settled = client_checks.read(metadata, loopback_issuer=False)
        assert None not in (settled.grant_types, settled.response_types, settled.scope)


def test_loopback_is_for_native_clients_and_for_a_provider_on_loopback() -> None:
    native = registered(redirect_uris=["http://127.0.0.1/callback"], application_type="native")
    assert native.client.native
    clients.register({"redirect_uris": ["http://localhost:8001/callback"]}, loopback_issuer=True)


def test_a_query_in_a_registered_uri_is_kept() -> None:
    assert registered(redirect_uris=[CALLBACK + "?a=b&c"]).client.redirect_uris == (CALLBACK + "?a=b&c",)


def test_a_resource_server_needs_no_grant() -> None:
    made = clients.register({"resource_server": "https://api.example.com"})

    assert made.client.grant_types == ()
    assert made.client.scope == ""
    assert made.secret is not None


def test_a_machine_needs_no_redirect_uri() -> None:
    made = clients.register({"grant_types": ["client_credentials"], "scope": "payslips.read"})
    assert made.client.response_types == ()
    assert made.client.scopes == ("payslips.read",)


def test_a_client_proves_itself_with_its_own_keys() -> None:
    made = registered(token_endpoint_auth_method="private_key_jwt", jwks={"keys": [EC]})

    assert made.secret is None
    assert made.client.has_keys


def test_words_in_scope_are_folded_and_null_means_not_named() -> None:
    client = registered(scope="openid email openid", logo_uri=None).client
    assert client.scope == "openid email"


def test_an_edit_replaces_everything_and_keeps_the_secret() -> None:
    made = registered(client_name="Portal", contacts=["drift@example.com"])
    changed = clients.edit(made.client.client_id, {"redirect_uris": [CALLBACK + "2"]})

    assert changed.secret is None
    assert changed.client.client_name is None
    assert clients.find(made.client.client_id) == changed.client
    assert clients.verify_secret(changed.client, made.secret or "")


def test_an_edit_to_another_method_makes_or_drops_the_secret() -> None:
    made = registered(token_endpoint_auth_method="none")
    secret = clients.edit(made.client.client_id, {"redirect_uris": [CALLBACK]}).secret
    assert secret is not None
    public = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    assert clients.edit(made.client.client_id, public).secret is None
    assert not clients.verify_secret(made.client, secret)


def test_a_bad_edit_changes_nothing() -> None:
    made = registered(client_name="Portal")
    with pytest.raises(InvalidMetadata):
        clients.edit(made.client.client_id, {"redirect_uris": []})
    assert clients.find(made.client.client_id) == made.client


def test_the_answer_is_that_of_rfc_7591() -> None:
    made = registered(client_name="Portal")
    told = clients.response(made)

    assert told["client_id"] == made.client.client_id
    assert told["client_secret"] == made.secret
    assert told["client_secret_expires_at"] == 0  # REQUIRED with a secret: RFC 7591 §3.2.1
    assert told["client_id_issued_at"] == made.client.client_id_issued_at
    assert None not in told.values()
    assert "client_secret" not in clients.response(clients.Registered(made.client))  # SR-116
