"""Signing in with a recovery code (page spec §8.1, P-RECOVERY-CODE)."""

from __future__ import annotations

import pytest

from idp.stores.durable.db import transaction
from idp.stores.durable.recovery_codes import recovery_codes
from tests.members import account_id, member, with_app, with_recovery_codes
from tests.people import PASSWORD, Person, Provider

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)


@pytest.fixture
def kari(provider: Provider) -> Person:
    return member(provider)


@pytest.fixture
def codes(kari: Person) -> list[str]:
    return with_recovery_codes(kari)


def at_the_second_step(person: Person) -> Person:
    return person.comes_from_portal().sends(email=person.email, password=PASSWORD)


def types(person: Person, code: str) -> Person:
    """At the second step, by a recovery code."""
    if person.page.heading != "Enter a recovery code":
        person.presses("Use recovery code")
    return person.sends("verify", recovery_code=code)


def test_it_is_offered_and_comes_first_for_nobody(kari: Person, codes: list[str]) -> None:
    """SR-41: by a link, beside the phone and beside an app."""
    at_the_second_step(kari)
    assert kari.page.heading == "Confirm that it is you"
    assert "Use recovery code" in kari.page.links

    with_app(kari)
    at_the_second_step(kari)
    assert kari.page.heading == "Enter the code from your app"
    assert "Use recovery code" in kari.page.links


def test_it_opens_the_account_once(kari: Person, codes: list[str]) -> None:
    """SR-39."""
    types(at_the_second_step(kari), codes[3])
    assert kari.page.heading == "The recovery code was right"
    assert "You have 9 recovery codes left." in kari.page.text
    assert "Make new recovery codes" not in kari.page.text
    assert "code" in kari.sends("continue").redirected_to()

    again = at_the_second_step(kari.provider.person(email=kari.email, number=kari.number))
    types(again, codes[3])
    assert again.answer.status_code == 422
    assert "This recovery code has been used. Try the next one on your list." in again.page.text
    assert "code" in types(again, codes[4]).sends("continue").redirected_to()


@pytest.mark.parametrize(
    "spell",
    [
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: code.replace("-", " – "),
        lambda code: f"\u00a0{code}\n",
        lambda code: "".join(chr(ord(sign) + 0xFEE0) for sign in code),
    ],
    ids=["lower case", "no hyphens", "dashes", "pasted", "full width"],
)
def test_how_it_is_typed_does_not_matter(kari: Person, codes: list[str], spell: object) -> None:
    """Page spec §4."""
    assert callable(spell)
    types(at_the_second_step(kari), spell(codes[0]))

    assert kari.page.heading == "The recovery code was right"


@pytest.mark.parametrize("typed", ["", "4F7K9", "OOOOO-IIIII-LLLLL", "x" * 400])
def test_what_cannot_be_one_costs_no_try(kari: Person, codes: list[str], typed: str) -> None:
    at_the_second_step(kari)
    for _ in range(11):
        types(kari, typed)
        assert "Check that you have typed all 15 characters." in kari.page.text

    assert types(kari, codes[0]).page.heading == "The recovery code was right"


def test_ten_wrong_ones_an_hour_and_it_must_wait(kari: Person, codes: list[str]) -> None:
    """SR-17, SR-39: counted before anything is hashed, for the account, whichever journey."""
    at_the_second_step(kari)
    wrong = f"{codes[0][:-1]}{'2' if codes[0][-1] != '2' else '3'}"
    for _ in range(10):
        types(kari, wrong)
        assert kari.answer.status_code == 422
    types(kari, codes[0])

    assert kari.answer.status_code == 429


def test_what_is_kept_is_never_taken_for_a_code(kari: Person, codes: list[str]) -> None:
    """SR-39."""
    with kari.provider.app.app_context(), transaction() as connection:
        row = connection.execute(recovery_codes.select()).first()
    at_the_second_step(kari)
    for stored in (row.verifier, row.verifier.rpartition("$")[2], row.found_by.hex()):
        types(kari, stored)
        assert kari.answer.status_code == 422


def test_another_accounts_code_opens_nothing(kari: Person, codes: list[str]) -> None:
    ola = member(kari.provider)
    with_recovery_codes(ola)
    types(at_the_second_step(ola), codes[0])

    assert "The recovery code is not right." in ola.page.text


def test_few_left_lead_to_new_ones_at_once(kari: Person, codes: list[str]) -> None:
    """SR-39: it prompts for new ones; the sign-in is complete by then."""
    with kari.provider.app.app_context(), transaction() as connection:
        keep = connection.execute(recovery_codes.select().limit(6)).all()
        for row in keep:
            connection.execute(
                recovery_codes.update().where(recovery_codes.c.found_by == row.found_by).values(used_at=row.made_at)
            )
    at_the_second_step(kari)
    for code in codes:
        if types(kari, code).page.heading == "The recovery code was right":
            break
    assert "You have 3 recovery codes left." in kari.page.text

    kari.sends("new-codes")

    assert kari.page.heading == "Recovery codes"
    kari.presses("Make new recovery codes")
    assert kari.page.heading == "Make new recovery codes"
    assert "code" in kari.comes_from_portal().redirected_to()


def test_it_answers_in_a_reset_too(kari: Person, codes: list[str]) -> None:
    """63B §4.2.2.2: the mailbox and a saved code; how many are left is said on the next page."""
    kari.comes_from_portal().presses("Forgotten your password?").sends(email=kari.email)
    kari.sends("verify", code=kari.mailed_code())
    types(kari, codes[0])
    assert kari.page.heading == "Create a new password"
    assert "You have 9 recovery codes left." in kari.page.text


def test_no_device_is_remembered_for_it(kari: Person, codes: list[str]) -> None:
    at_the_second_step(kari).presses("Use recovery code")

    assert "Do not ask for a code" not in kari.page.text


def test_its_owner_hears_of_it(kari: Person, codes: list[str]) -> None:
    """SR-39, SR-42: M-10."""
    types(at_the_second_step(kari), codes[0])
    kari.provider.deliver()

    mail = kari.provider.outside.messages(kari.email)[-1]
    assert mail["subject"] == "A recovery code was used at Alumni"
    assert "You have 9 recovery codes left." in mail["text"]


def test_who_has_none_gets_no_page_for_one(kari: Person) -> None:
    at_the_second_step(kari)
    assert "Use recovery code" not in kari.page.links
    kari.goes(f"{kari.answer.request.path}?way=recovery_code")
    assert kari.page.heading == "Confirm that it is you"


def test_the_token_says_what_was_proved(kari: Person, codes: list[str]) -> None:
    """SR-59, RFC 8176."""
    types(at_the_second_step(kari), codes[0]).sends("continue")
    claims = kari.provider.post("/introspect", {"token": kari.tokens()["access_token"]}).get_json()

    assert set(claims["amr"]) == {"pwd", "otp", "mfa"}
    assert account_id(kari) == claims["sub"]
