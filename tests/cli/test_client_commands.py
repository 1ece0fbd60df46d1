"""`idp client`: RFC 7591 JSON in and out, secrets shown once and never taken (SR-116)."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

from idp.rules.client_metadata import DEVICE_CODE, MEMBERS
from tests.administration import Shell, set_up, shell

__all__ = ["set_up", "shell"]

CALLBACK = "https://portal.example.com/callback"


def added(shell: Shell, **metadata: Any) -> Any:
    result = shell.run("client", "add", "--metadata", "-", given=json.dumps({"redirect_uris": [CALLBACK], **metadata}))
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def audited(shell: Shell) -> list[tuple[str, str | None, str]]:
    database = sqlite3.connect(shell.folder / "var" / "idp.sqlite")
    rows = database.execute("select event, client, details from audit_events order by id").fetchall()
    database.close()
    return rows


def test_metadata_goes_in_and_the_response_comes_out(shell: Shell) -> None:
    told = added(shell, client_name="Portalen", scope="openid email")

    assert told["client_name"] == "Portalen"
    assert len(told["client_secret"]) == 43
    assert told["client_secret_expires_at"] == 0
    assert told["id_token_signed_response_alg"] == "RS256"  # metadata that names none: OpenID Connect Registration §2


def test_metadata_is_read_from_a_file_too(shell: Shell) -> None:
    (shell.folder / "portal.json").write_text(json.dumps({"redirect_uris": [CALLBACK]}))
    assert shell.json("client", "add", "--metadata", str(shell.folder / "portal.json"))["redirect_uris"] == [CALLBACK]


def test_options_say_the_same_and_choose_es256_aloud(shell: Shell) -> None:
    result = shell.run("client", "add", "--name", "Portal", "--redirect-uri", CALLBACK)

    assert result.exit_code == 0, result.output
    assert "id_token_signed_response_alg ES256" in result.stdout
    assert "--signing-algorithm RS256" in result.stderr
    assert "not shown again" in result.stderr


def test_a_secret_is_shown_once(shell: Shell) -> None:
    """SR-116."""
    told = added(shell)
    for command in (["show", told["client_id"]], ["list"]):
        result = shell.run("client", *command, "--json")
        assert told["client_id"] in result.stdout
        assert told["client_secret"] not in result.output
        assert '"client_secret"' not in result.output

    new = shell.run("client", "rotate-secret", told["client_id"]).stdout.strip()
    assert len(new) == 43
    assert new != told["client_secret"]
    assert new not in json.dumps(audited(shell))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{", "not JSON"),
        ("[]", "one JSON object"),
        ('{"redirect_urs": []}', "redirect_urs: unknown member; allowed: client_name, "),
        ('{"redirect_uris": ["https://a.example/#b"]}', "'https://a.example/#b': must not have a fragment"),
        ('{"redirect_uris": ["https://a.example/"], "client_secret": "a"}', "client_secret: is made by the provider"),
    ],
)
def test_bad_metadata_is_refused_with_what_is_allowed(shell: Shell, given: str, words: str) -> None:
    result = shell.run("client", "add", "--metadata", "-", given=given)

    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stdout == ""
    assert shell.json("client", "list") == []


def test_nothing_to_register_is_wrong_use(shell: Shell) -> None:
    assert shell.run("client", "add").exit_code == 2
    assert shell.run("client", "add", "--metadata", "-", "--name", "a", given="{}").exit_code == 2
    assert shell.run("client", "add", "--client-secret", "mine").exit_code == 2


def test_show_then_edit_then_metadata_round(shell: Shell) -> None:
    """RFC 7592 §2.2: what `show` prints can be changed and given back."""
    made = added(shell, client_name="Portal", contacts=["drift@example.com"])
    shown = shell.json("client", "show", made["client_id"])
    shown["client_name"] = "Ny portal"
    del shown["contacts"]
    changed = shell.json("client", "edit", made["client_id"], "--metadata", "-", given=json.dumps(shown))

    assert changed["client_name"] == "Ny portal"
    assert changed["contacts"] == []
    assert "client_secret" not in changed


def test_an_option_changes_only_its_member(shell: Shell) -> None:
    made = added(shell, client_name="Portal", logo_uri="https://portal.example.com/logo.svg")
    changed = shell.json("client", "edit", made["client_id"], "--first-party", "--without", "logo_uri")

    assert changed["first_party"] is True
    assert "logo_uri" not in changed
    assert changed["client_name"] == "Portal"
    assert shell.run("client", "edit", made["client_id"]).exit_code == 2
    assert shell.run("client", "edit", made["client_id"], "--without", "nothing").exit_code == 2


def test_metadata_of_another_client_is_refused(shell: Shell) -> None:
    one, other = added(shell), added(shell)
    shown = shell.json("client", "show", other["client_id"])
    result = shell.run("client", "edit", one["client_id"], "--metadata", "-", given=json.dumps(shown))
    assert result.exit_code == 1
    assert "of another client" in result.stderr


def test_a_client_is_removed_only_when_that_is_certain(shell: Shell) -> None:
    made = added(shell)
    assert shell.run("client", "remove", made["client_id"], given="n\n").exit_code == 1
    assert shell.json("client", "list") != []
    told = shell.json("client", "remove", made["client_id"], "--yes")
    assert told == {"client_id": made["client_id"], "removed": True}
    assert shell.json("client", "list") == []


@pytest.mark.parametrize("command", ["show", "edit", "rotate-secret", "remove"])
def test_an_unknown_client_is_said_to_be_unknown(shell: Shell, command: str) -> None:
    more = {"edit": ["--name", "a"], "remove": ["--yes"]}.get(command, [])
    result = shell.run("client", command, "c_unknown", *more)
    assert result.exit_code == 1
    assert "No client has the id c_unknown" in result.stderr


def test_every_change_is_in_the_audit_trail(shell: Shell) -> None:
    """SR-70, SR-116, SR-119."""
    before = len(audited(shell))
    made = added(shell, pkce_exempt=True)
    shell.run("client", "edit", made["client_id"], "--pkce")
    shell.run("client", "rotate-secret", made["client_id"])
    shell.run("client", "remove", made["client_id"], "--yes")
    found = audited(shell)[before:]

    names = ["client.registered", "client.changed", "client.secret-rotated", "client.removed"]
    assert [event for event, _, _ in found] == names
    assert {client_id for _, client_id, _ in found} == {made["client_id"]}
    assert json.loads(found[0][2])["pkce_exempt"] is True


def test_every_member_is_explained(shell: Shell) -> None:
    assert set(shell.json("client", "members")) == set(MEMBERS)


def test_an_exemption_from_pkce_is_visible(shell: Shell) -> None:
    made = added(shell, pkce_exempt=True)
    assert "pkce_exempt                  yes" in shell.run("client", "show", made["client_id"]).stdout  # SR-70


def test_keys_of_a_client_come_from_a_file(shell: Shell) -> None:
    (shell.folder / "bad.json").write_text("{")
    result = shell.run("client", "add", "--redirect-uri", CALLBACK, "--jwks", str(shell.folder / "bad.json"))
    assert result.exit_code == 2
    assert "not JSON" in result.stderr


def test_a_device_needs_no_redirect_uri(shell: Shell) -> None:
    """RFC 8628: by options or as metadata; its ID tokens are as those of others."""
    by_options = shell.json("client", "add", "--name", "TV", "--auth", "none", "--grant", DEVICE_CODE)
    assert (by_options["redirect_uris"], by_options["id_token_signed_response_alg"]) == ([], "ES256")
    told = {"grant_types": [DEVICE_CODE], "token_endpoint_auth_method": "none", "scope": "openid"}
    result = shell.run("client", "add", "--metadata", "-", given=json.dumps(told))
    assert json.loads(result.stdout)["grant_types"] == [DEVICE_CODE]
