"""What stands for the second step is used once, and removed for good, however many try at once (SR-36, SR-39)."""

from __future__ import annotations

from collections import Counter

import pyotp

from idp import clock
from idp.factors.authenticator_app import AuthenticatorApp
from idp.factors.contract import Limited, NotProved, Proved, SwitchedOff
from idp.factors.recovery_code import RecoveryCode
from idp.services import credentials, phones, second_factors
from idp.stores.durable import authenticator_apps, recovery_codes
from idp.stores.durable.codes import Verdict
from tests.members import account_id, member, with_app, with_recovery_codes
from tests.people import Provider
from tests.races.together import in_parallel

AT_ONCE = 8
Heard = Proved | NotProved | Limited | SwitchedOff


def verdict(heard: Heard) -> str:
    return heard.verdict.value if isinstance(heard, NotProved) else type(heard).__name__


def test_one_code_of_an_app_counts_once(provider: Provider) -> None:
    """SR-36: the time step is spent by one write."""
    kari = member(provider)
    one, app = account_id(kari), with_app(kari)
    code, factor = app.at(clock.now()), AuthenticatorApp(provider.parts.settings.limits)

    def use() -> str:
        with provider.app.app_context():
            return verdict(factor.check(one, code, journey="x", now=clock.now()))

    assert Counter(in_parallel(AT_ONCE, use)) == {"Proved": 1, Verdict.USED.value: AT_ONCE - 1}


def test_one_recovery_code_counts_once_and_is_told_once(provider: Provider) -> None:
    """SR-39."""
    kari = member(provider)
    one, code = account_id(kari), with_recovery_codes(kari)[0].replace("-", "")
    factor = RecoveryCode(provider.parts.settings.limits, provider.parts.hashing)

    def use() -> str:
        with provider.app.app_context():
            return verdict(factor.check(one, code, journey="x", now=clock.now(), device=""))

    assert Counter(in_parallel(AT_ONCE, use)) == {"Proved": 1, Verdict.USED.value: AT_ONCE - 1}
    provider.deliver()
    told = [mail["subject"] for mail in provider.outside.messages(kari.email)]
    assert told.count("A recovery code was used at Alumni") == 1


def test_lists_made_at_once_leave_one_whole_list(provider: Provider) -> None:
    """SR-39: voiding and making are one."""
    kari = member(provider)
    one = account_id(kari)
    factor = RecoveryCode(provider.parts.settings.limits, provider.parts.hashing)
    with provider.app.app_context():
        lists = [[fresh.kept for fresh in factor.make(one)] for _ in range(2)]
    waiting = list(lists)

    def keep() -> bool:
        with provider.app.app_context():
            second_factors.keep_codes(one, waiting.pop(), device="")
        return True

    assert in_parallel(2, keep) == [True, True]
    with provider.app.app_context():
        there = [[recovery_codes.find(one, kept.found_by) == kept for kept in made] for made in lists]
    assert sorted(map(all, there)) == sorted(map(any, there)) == [False, True]


def test_an_app_that_is_removed_is_used_no_more(provider: Provider) -> None:
    """Removal against use: whatever was proved was proved before it, and one code once."""
    kari = member(provider)
    one, app = account_id(kari), with_app(kari)
    code, factor = app.at(clock.now()), AuthenticatorApp(provider.parts.settings.limits)
    turns = iter(range(AT_ONCE))

    def act() -> str:
        with provider.app.app_context():
            if next(turns) == AT_ONCE // 2:
                return f"removed: {second_factors.remove_app(one, device='')}"
            return verdict(factor.check(one, code, journey="x", now=clock.now()))

    heard = Counter(in_parallel(AT_ONCE, act))
    assert heard["removed: True"] == 1
    assert heard["Proved"] <= 1
    with provider.app.app_context():
        assert verdict(factor.check(one, app.at(clock.now()), journey="x", now=clock.now())) == Verdict.WRONG.value
        assert "totp" not in credentials.enrolled(one)


def test_the_two_last_second_steps_are_not_both_removed(provider: Provider) -> None:
    """SR-62: each is the reason why the other may go."""
    kari = member(provider)
    one = account_id(kari)
    with_app(kari)
    removals = [lambda: second_factors.remove_app(one, device=""), lambda: phones.remove(one)]

    def remove() -> bool:
        with provider.app.app_context():
            return removals.pop()()

    assert sorted(in_parallel(2, remove)) == [False, True]
    with provider.app.app_context():
        assert credentials.enrolled(one) in (("totp",), ("sms", "voice"))


def test_apps_set_up_at_once_leave_one(provider: Provider) -> None:
    """SR-36: the one before is gone with the same write."""
    kari = member(provider)
    one, secrets = account_id(kari), [pyotp.random_base32() for _ in range(AT_ONCE)]
    wanted = list(secrets)

    def add() -> bool:
        with provider.app.app_context():
            second_factors.keep_app(one, wanted.pop(), step=0, device="")
        return True

    assert in_parallel(AT_ONCE, add) == [True] * AT_ONCE
    with provider.app.app_context():
        assert authenticator_apps.secret_of(one) in secrets
