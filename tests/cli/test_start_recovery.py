"""`idp person start-recovery`: what a human may start, and only the person can finish (SR-62, SR-116, SR-127)."""

from __future__ import annotations

import re

import pytest

from idp.services import accounts, audit, recovery
from idp.stores.durable import credentials
from tests.administration import Shell, set_up, shell

__all__ = ["set_up", "shell"]

CODE = re.compile(r"[2-9A-HJKMNP-TV-Z]{5}(-[2-9A-HJKMNP-TV-Z]{5}){2}")


@pytest.fixture
def kari(shell: Shell) -> str:
    """The id of an account."""
    with shell.stores():
        return accounts.open_account(
            canonical="kari@example.no", typed="kari@example.no", locale="nb", verifier=None, phone=None
        )


def test_it_prints_a_code_once_and_says_until_when(shell: Shell, kari: str) -> None:
    result = shell.run("person", "start-recovery", kari, "--reason", "answered what HR knows")

    assert result.exit_code == 0, result.output
    assert CODE.fullmatch(result.stdout.strip())
    assert "not shown again" in result.stderr


def test_it_prints_json(shell: Shell, kari: str) -> None:
    told = shell.json("person", "start-recovery", kari, "--reason", "met in person")

    assert set(told) == {"id", "support_code", "until"}
    assert told["id"] == kari


def test_it_is_in_the_trail_with_the_reason_and_without_the_code(shell: Shell, kari: str) -> None:
    """SR-119, SR-120."""
    code = shell.json("person", "start-recovery", kari, "--reason", "met in person")["support_code"]
    with shell.stores():
        event = next(one for one in audit.newest(10, account_id=kari) if one.event == "recovery.started")

    assert event.reason == "met in person"
    assert code not in repr(event)


def test_the_owner_hears_of_it(shell: Shell, kari: str) -> None:
    """SR-42: M-26 waits in the outbox."""
    shell.json("person", "start-recovery", kari, "--reason", "met in person")

    assert shell.json("worker", "--once")["handled"] == 1


def test_starting_again_voids_the_code_of_before(shell: Shell, kari: str) -> None:
    first, second = (
        shell.json("person", "start-recovery", kari, "--reason", "met in person")["support_code"] for _ in range(2)
    )
    limits = shell.settings().limits
    with shell.stores():
        assert recovery.spend(kari, first, limits, journey="j") is False
        assert recovery.spend(kari, second, limits, journey="j") is True


def test_it_sets_no_number_and_opens_nothing_by_itself(shell: Shell, kari: str) -> None:
    shell.json("person", "start-recovery", kari, "--reason", "met in person")

    with shell.stores():
        assert credentials.phone_of(kari) is None
        assert credentials.verifier_of(kari) is None
    names = {"set-phone", "set-password", "finish-recovery"}
    assert not names & set(shell.run("person", "--help").output.split())


def test_nobody_and_a_locked_account_are_refused(shell: Shell, kari: str) -> None:
    assert shell.run("person", "start-recovery", "nobody", "--reason", "x").exit_code == 1
    shell.run("person", "lock", kari)
    assert shell.run("person", "start-recovery", kari, "--reason", "x").exit_code == 1


def test_locking_takes_a_code_back(shell: Shell, kari: str) -> None:
    code = shell.json("person", "start-recovery", kari, "--reason", "met in person")["support_code"]
    shell.run("person", "lock", kari)
    limits = shell.settings().limits

    with shell.stores():
        assert recovery.spend(kari, code, limits, journey="j") is False


def test_a_reason_is_asked_for(shell: Shell, kari: str) -> None:
    assert shell.run("person", "start-recovery", kari).exit_code == 2
