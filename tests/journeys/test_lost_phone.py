"""A lost phone: back by another factor at once, by the linked eID or support after a wait (page spec §8.1)."""

from __future__ import annotations

import pytest

from idp import clock as idp_clock
from idp.rules.assurance import HIGH
from idp.services import credentials, erasure, phones, recovery, undoing
from idp.stores.durable import identities as kept
from idp.stores.durable.identities import Identity
from tests.conftest import Clock
from tests.eid.conftest import eid, provider
from tests.eid.scripted import KARI, OLA, Scripted, verified
from tests.members import account_id, member, sessions_of, with_app
from tests.moves import mails, undo_code, undoes
from tests.people import PASSWORD, Person, Provider
from tests.races.together import in_parallel

__all__ = ["eid", "provider"]

embedded = pytest.mark.parametrize("stores", ["embedded"], indirect=True)
NUMBER = "+4797123467"
DAY = 24 * 3600


@pytest.fixture
def kari(provider: Provider) -> Person:
    """Somebody with an account, whose phone is gone."""
    return member(provider)


def with_identity(person: Person) -> Person:
    """Who the owner is was proved once."""
    with person.provider.app.app_context():
        known = Identity(
            country=KARI["country"],
            number=KARI["number"],
            given_name=KARI["given_name"],
            family_name=KARI["family_name"],
            birthdate=None,
        )
        kept.link(account_id(person), known, now=idp_clock.now())
    return person


def fresh(person: Person, number: str = "") -> Person:
    return person.provider.person(email=person.email, number=number or person.number)


def number_of(person: Person) -> str:
    """The number that counts, once what is due has taken effect."""
    with person.provider.app.app_context():
        phones.settle()
        phone = credentials.phone_of(account_id(person))
    assert phone is not None
    return phone.number


def at_lost_phone(person: Person) -> Person:
    """At P-LOST-PHONE, the password proved."""
    person.comes_from_portal().sends(email=person.email, password=PASSWORD)
    other = "Cannot use your phone?" in person.page.links
    return person.presses("Cannot use your phone?" if other else "I no longer have this number")


def gives_number(person: Person, number: str = NUMBER) -> Person:
    person.sends("sms", country="NO", tel=number)
    person.provider.deliver()
    return person.sends("verify", code=person.provider.outside.code(number))


def confirms(person: Person, eid: Scripted, who: dict[str, str] = KARI) -> Person:
    """The eID of lost-phone-eid."""
    eid.says = lambda now: verified(who, at=now)
    return person.presses("Confirm with BankID or Smart-ID").sends("start:test-eid:app").sends("check")


def signs_in(person: Person) -> Person:
    person.comes_from_portal().sends(email=person.email, password=PASSWORD).sends("sms")
    return person.sends("verify", code=person.phoned_code())


def started(person: Person) -> str:
    """What support tells this person."""
    with person.provider.app.app_context():
        made = recovery.start(account_id(person), reason="met", settings=person.provider.parts.settings.recovery)
    assert made is not None
    return made.code


@embedded
def test_only_the_ways_that_are_open_are_shown(kari: Person, eid: Scripted) -> None:
    """Page spec §8.1: methods, never numbers or addresses; and none to whoever has not proved the password."""
    at_lost_phone(kari)
    assert kari.page.heading == "Cannot use your phone?"
    assert "Confirm with BankID or Smart-ID" not in kari.page.links
    assert "Contact us" in kari.page.text
    assert kari.number[-4:] not in kari.page.html
    assert kari.email not in kari.page.html

    with_app(with_identity(kari))
    at_lost_phone(kari)
    assert {"Confirm with BankID or Smart-ID", "Use authenticator app"} <= set(kari.page.links)
    stranger = fresh(kari).comes_from_portal()
    journey = stranger.answer.request.path.split("/")[2]
    assert "Use authenticator app" not in stranger.goes(f"/journey/{journey}/sign-in/lost-phone").page.links


@embedded
def test_with_an_app_a_new_number_counts_at_once(kari: Person) -> None:
    """SR-62, SR-42: password and another factor of the account's own; T-3, and everybody signed out."""
    other = signs_in(fresh(kari))
    app = with_app(kari)
    at_lost_phone(kari).presses("Use authenticator app").sends("verify", code=app.now())
    assert kari.page.heading == "Your phone number"
    gives_number(kari)

    assert "code" in kari.redirected_to()
    assert sessions_of(kari) == 1
    assert other.goes("/account").page.heading == "Sign in"
    assert "changed to one ending in 67" in mails(kari.provider, kari.number)[-1]["text"]
    assert number_of(kari) == NUMBER


@embedded
def test_who_has_asked_to_be_deleted_may_undo_that_on_this_way_and_no_more(kari: Person) -> None:
    """SR-126: in the days of grace it leads to «Undo», not to a new number."""
    app = with_app(kari)
    with kari.provider.app.app_context():
        erasure.ask(account_id(kari), days=7)
    at_lost_phone(kari).presses("Use authenticator app").sends("verify", code=app.now())
    assert kari.page.heading == "Your account will be deleted"

    kari.sends("undo")

    assert kari.page.heading == "Your phone number"


@embedded
def test_the_lost_phone_itself_answers_for_nothing(kari: Person) -> None:
    """SR-62: no code is sent to it on this way."""
    with_app(kari)
    at_lost_phone(kari).presses("Use authenticator app")
    sent = len(mails(kari.provider, kari.number))
    form = kari.page.form_with("verify")
    fields = {name: value for name, value in form.fields.items() if name != "way"}
    kari.posts(form.action, {**fields, "do": "sms"})

    assert len(mails(kari.provider, kari.number)) == sent


@embedded
def test_by_the_linked_eid_the_number_waits_a_day(kari: Person, eid: Scripted, clock: Clock) -> None:
    """DESIGN §6: old number and mailbox hear of it at once; until then the old phone serves, and no other."""
    confirms(at_lost_phone(with_identity(kari)), eid)
    gives_number(kari)
    assert kari.page.heading == "Your new number counts soon"
    assert kari.goes("/account").page.heading == "Sign in"
    assert undo_code(mails(kari.provider, kari.number)[-1]["text"])
    assert "on its way" in mails(kari.provider, kari.email)[-1]["subject"]

    clock.advance(DAY - 60)
    assert "code" in signs_in(fresh(kari)).redirected_to()
    clock.advance(120)
    assert "code" in signs_in(fresh(kari, NUMBER)).redirected_to()
    assert "Your Alumni phone number was changed" in [mail["subject"] for mail in mails(kari.provider, kari.email)]


@embedded
def test_the_worker_carries_it_out_and_a_clock_that_steps_back_revives_nothing(
    kari: Person, eid: Scripted, clock: Clock
) -> None:
    confirms(at_lost_phone(with_identity(kari)), eid)
    gives_number(kari)
    code = undo_code(mails(kari.provider, kari.number)[-1]["text"])
    clock.advance(DAY + 1)
    with kari.provider.app.app_context():
        undoing.forget()
    clock.advance(-2 * 3600)

    assert undoes(fresh(kari), code).answer.status_code == 422
    assert number_of(kari) == NUMBER


@embedded
def test_whoever_reads_the_old_phone_keeps_it(kari: Person, eid: Scripted, clock: Clock) -> None:
    """The password is worth nothing then: whoever began this knew it."""
    confirms(at_lost_phone(with_identity(kari)), eid)
    gives_number(kari)
    undoes(fresh(kari), undo_code(mails(kari.provider, kari.number)[-1]["text"]))
    clock.advance(DAY + 1)

    refused = fresh(kari).comes_from_portal().sends(email=kari.email, password=PASSWORD)
    assert "is not right" in refused.page.text
    assert number_of(kari) == kari.number


@embedded
def test_the_owner_may_keep_it_at_min_konto(kari: Person, eid: Scripted) -> None:
    """Whoever signs in with the old factors."""
    confirms(at_lost_phone(with_identity(kari)), eid)
    gives_number(kari)
    owner = signs_in(fresh(kari)).goes("/account").presses("Undo the change of phone number")
    assert "67" in owner.page.text
    owner.sends("undo")

    assert "The change of phone number is undone." in owner.page.text
    assert "nothing to undo" in owner.goes("/account/undo").page.text


@embedded
def test_a_reset_ends_what_waits(kari: Person, eid: Scripted, clock: Clock) -> None:
    """SR-63."""
    confirms(at_lost_phone(with_identity(kari)), eid)
    gives_number(kari)
    owner = fresh(kari).comes_from_portal().presses("Forgotten your password?").sends(email=kari.email)
    owner.sends("verify", code=owner.mailed_code()).sends("sms").sends("verify", code=owner.phoned_code())
    owner.sends(new_password="fire grå hester sover", confirm_password="fire grå hester sover")
    clock.advance(DAY + 1)

    assert number_of(kari) == kari.number


@embedded
def test_somebody_elses_eid_is_refused(kari: Person, eid: Scripted) -> None:
    """SR-104: exactly the linked identity."""
    confirms(at_lost_phone(with_identity(kari)), eid, OLA)

    assert "This eID belongs to somebody else than the person confirmed for this account." in kari.page.text
    journey = kari.answer.request.path.split("/")[2]
    assert kari.goes(f"/journey/{journey}/lost-phone-eid/new-phone").step == "eid"


@embedded
def test_where_nobody_is_linked_no_eid_is_asked_and_none_is_tied(kari: Person, eid: Scripted) -> None:
    """SR-104: a recovery proves, and never ties."""
    at_lost_phone(kari)
    journey = kari.answer.request.path.split("/")[2]
    kari.goes(f"/journey/{journey}/lost-phone-eid")
    assert kari.page.heading == "Cannot use your phone?"
    kari.posts(f"/journey/{journey}/lost-phone-eid/eid", {"form": "", "do": "start:test-eid:app"})

    assert eid.attempts == []
    with kari.provider.app.app_context():
        assert not kept.is_linked(account_id(kari))


@embedded
def test_an_eid_of_a_sign_in_is_no_recovery(kari: Person, eid: Scripted) -> None:
    """SR-64, SR-102: an attempt is bound to its purpose."""
    with_identity(kari)
    eid.says = lambda now: verified(KARI, at=now)
    kari.comes_from_portal(acr_values=HIGH).sends(email=kari.email, password=PASSWORD).sends("sms")
    kari.sends("verify", code=kari.phoned_code()).sends("start:test-eid:app")
    journey = kari.answer.request.path.split("/")[2]

    assert kari.goes(f"/journey/{journey}/lost-phone-eid").step == "eid"
    assert kari.page.heading == "Confirm who you are"


@embedded
def test_support_starts_it_and_only_the_person_finishes_it(kari: Person, clock: Clock) -> None:
    """Password, a code to the account's own mailbox, and the support code; then a wait of a day."""
    code = started(kari)
    at_lost_phone(kari).presses("Use the support code you were given")
    assert kari.page.heading == "Check your email"
    kari.sends("resend").sends("verify", code=kari.mailed_code())
    assert kari.page.heading == "Enter the support code"
    kari.sends("verify", support_code="22222-33333-44444")
    assert "The support code is not right" in kari.page.text
    gives_number(kari.sends("verify", support_code=code))

    assert kari.page.heading == "Your new number counts soon"
    assert number_of(kari) == kari.number
    clock.advance(DAY + 1)
    assert number_of(kari) == NUMBER


@embedded
def test_a_support_code_counts_once_the_newest_alone_and_for_three_days(kari: Person, clock: Clock) -> None:
    older, newer = started(kari), started(kari)
    limits, identity = kari.provider.parts.settings.limits, account_id(kari)
    with kari.provider.app.app_context():
        assert recovery.spend(identity, older, limits, journey="j") is False
        clock.advance(72 * 3600 + 1)
        assert recovery.spend(identity, newer, limits, journey="j") is False
        third = started(kari)
        assert recovery.spend(identity, third, limits, journey="j") is True
        assert recovery.spend(identity, third, limits, journey="j") is False


@embedded
def test_the_mailbox_is_the_accounts_own_whatever_was_typed(kari: Person) -> None:
    """SR-16: an address that was proved on another page of the same journey is no mailbox of this account."""
    thief = fresh(kari).comes_from_portal().presses("Sign up now").sends(email="thief@example.no")
    thief.provider.deliver()
    thief.sends("verify", code=thief.provider.outside.code("thief@example.no"))
    journey = thief.answer.request.path.split("/")[2]
    thief.goes(f"/journey/{journey}/sign-in").sends(email=kari.email, password=PASSWORD)
    thief.goes(f"/journey/{journey}/lost-phone-support")

    assert thief.step == "mailbox-code"
    thief.sends("resend")
    assert "to get back into" in mails(kari.provider, kari.email)[-1]["subject"]


@embedded
def test_the_recovery_state_opens_nothing_else(kari: Person, eid: Scripted) -> None:
    """SR-51, SR-62: password and eID proved, and every other door is shut."""
    confirms(at_lost_phone(with_identity(kari)), eid)
    assert kari.step == "new-phone"
    for path in ("/account", "/account/email", "/account/phone", "/account/undo", "/account/devices"):
        assert kari.goes(path).page.heading == "Sign in"
    refused = kari.browser.get(
        "/authorize", query_string=kari.request(prompt="none"), base_url="https://login.example", headers=kari.headers
    )
    assert "error=login_required" in refused.headers["Location"]
    assert kari.browser.get("/userinfo", base_url="https://login.example").status_code == 401
    assert kari.comes_from_portal().page.heading == "Sign in"


def test_undoing_and_taking_effect_at_the_same_moment_have_one_winner(kari: Person, clock: Clock) -> None:
    """On both databases: the old number, or the new one, and never both."""
    with kari.provider.app.app_context():
        settings = kari.provider.parts.settings.recovery
        number = {"e164": NUMBER, "takes_sms": "yes"}
        phones.replace_later(account_id(kari), number, settings=settings, device="")
    code = undo_code(mails(kari.provider, kari.number)[-1]["text"])
    clock.advance(DAY - 0.3)
    app, hashing = kari.provider.app, kari.provider.parts.hashing

    def undo_or_settle() -> bool:
        with app.app_context():
            phones.settle()
            return undoing.by_code(code, hashing)

    undone = in_parallel(8, undo_or_settle).count(True)
    clock.advance(1)
    assert (undone, number_of(kari)) in ((1, kari.number), (0, NUMBER))
