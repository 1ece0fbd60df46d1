"""`idp key`: one command each to add, promote and retire (SR-100)."""

from __future__ import annotations

from tests.administration import Clock, Shell, set_up, shell, the_clock

__all__ = ["set_up", "shell", "the_clock"]


def test_a_rotation_takes_two_commands_and_a_day(shell: Shell, the_clock: Clock) -> None:
    [es256, _] = shell.json("key", "list")
    new = shell.json("key", "add", "--algorithm", "ES256")
    assert new["state"] == "published"
    early = shell.run("key", "promote", new["kid"])
    assert early.exit_code == 1
    assert "may sign from" in early.stderr

    the_clock.passes(days=1)
    assert shell.json("key", "promote", new["kid"])["state"] == "active"
    states = {key["kid"]: key["state"] for key in shell.json("key", "list")}
    assert states[es256["kid"]] == "retired"


def test_an_emergency_does_not_wait(shell: Shell, the_clock: Clock) -> None:
    [stolen, _] = shell.json("key", "list")
    shell.json("key", "add", "--algorithm", "ES256", "--now")
    shell.json("key", "retire", stolen["kid"], "--now")
    assert stolen["kid"] not in shell.run("key", "list").stdout
    assert stolen["kid"] in shell.run("key", "list", "--all").stdout


def test_a_key_of_a_new_algorithm_signs_at_once(shell: Shell) -> None:
    assert shell.json("key", "add", "--algorithm", "EdDSA")["state"] == "active"


def test_what_cannot_be_done_is_said(shell: Shell) -> None:
    [active, _] = shell.json("key", "list")
    assert "promote another" in shell.run("key", "retire", active["kid"]).stderr
    assert "only a published key" in shell.run("key", "promote", active["kid"]).stderr
    assert "no key nothing" in shell.run("key", "promote", "nothing").stderr
    assert shell.run("key", "add", "--algorithm", "HS256").exit_code == 2


def test_no_command_prints_a_private_key(shell: Shell) -> None:
    for command in (["list", "--all", "--json"], ["add", "--algorithm", "ES256", "--json"]):
        assert not {"private", "sealed", "public"} & set(shell.run("key", *command).stdout.split('"'))  # SR-116
