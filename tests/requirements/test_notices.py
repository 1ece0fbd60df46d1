"""Notices reach every proved address, old ones included, or nothing happened (SR-42, page spec §12.3)."""

from __future__ import annotations

import pytest

from idp import clock
from idp.delivery import outbox
from idp.services import notices
from idp.stores.durable import accounts
from idp.stores.durable.credentials import Phone
from idp.stores.durable.db import transaction
from tests.dispatch import House, house

__all__ = ["house"]

BEFORE, NOW = "+4791111111", "+4792222267"


@pytest.fixture
def kari() -> str:
    return accounts.create("kari@example.no", "Kari@example.no", locale="nb", now=clock.now())


def phone(number: str, *, takes_sms: bool = True) -> Phone:
    return Phone(number=number, takes_sms=takes_sms, proved_at=clock.now())


def test_a_changed_number_is_told_by_mail_and_to_the_old_number(house: House, kari: str) -> None:
    notices.phone_changed(kari, before=phone(BEFORE), number=NOW, device="Chrome på Windows")

    assert house.worker().work_once() == 2

    assert house.mailbox.recipients == [["Kari@example.no"]]  # as typed: SR-48
    assert house.mailbox.mails[0]["Subject"] == "Telefonnummeret ditt hos Alumni er endret"
    (told,) = house.phones.asked
    assert told["to"] == BEFORE
    assert "slutter på 67" in told["text"]
    assert NOW not in house.mailbox.raw[0].decode() + told["text"]


def test_an_old_number_without_text_messages_gets_none(house: House, kari: str) -> None:
    notices.phone_changed(kari, before=phone(BEFORE, takes_sms=False), number=NOW, device="")
    notices.phone_changed(kari, before=None, number=NOW, device="")

    assert house.worker().work_once() == 2
    assert house.phones.asked == []


def test_a_notice_speaks_the_accounts_language_and_a_welcome_that_of_the_journey(house: House, kari: str) -> None:
    notices.password_changed(kari, device="Chrome på Windows", place="Oslo")
    notices.welcome(kari, locale="en")

    house.worker().work_once()

    subjects = {mail["Subject"] for mail in house.mailbox.mails}
    assert subjects == {"Passordet ditt hos Alumni er endret", "You are signed up with Alumni"}


def test_what_did_not_happen_is_not_told(house: House, kari: str) -> None:
    def fails() -> None:
        with transaction():
            notices.password_changed(kari, device="")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()

    assert house.worker().work_once() == 0


def test_an_account_that_is_gone_hears_nothing(house: House) -> None:
    notices.password_changed("nobody", device="")

    assert house.worker().work_once() == 0
    assert outbox.state("nothing") is None
