"""People who have an account already, without the second that a sign-up through pages takes."""

from __future__ import annotations

import pyotp
from flask.testing import FlaskClient

from idp import clock
from idp.factors.recovery_code import RecoveryCode
from idp.rules import spelled_codes
from idp.services import accounts, second_factors
from idp.stores.durable import authenticator_apps
from idp.stores.durable import sessions as listed
from idp.stores.durable.db import transaction
from tests.people import PASSWORD, Person, Provider


def member(provider: Provider, **about: str) -> Person:
    """Somebody whose account was opened before this test began."""
    person = provider.person(**about)
    with provider.app.app_context():
        accounts.open_account(
            canonical=person.email,
            typed=person.email,
            locale="en",
            verifier=provider.parts.hashing.make(PASSWORD),
            phone={"e164": person.number, "takes_sms": "yes"},
        )
    return person


def with_app(person: Person) -> pyotp.TOTP:
    """Give this person an authenticator app; the app."""
    secret = pyotp.random_base32()
    with person.provider.app.app_context():
        authenticator_apps.add(account_id(person), secret, step=0, now=clock.now())
    return pyotp.TOTP(secret)


def with_recovery_codes(person: Person) -> list[str]:
    """Give this person recovery codes; the list, as it was printed."""
    one = account_id(person)
    with person.provider.app.app_context():
        fresh = RecoveryCode(person.provider.parts.settings.limits, person.provider.parts.hashing).make(one)
        second_factors.keep_codes(one, [made.kept for made in fresh], device="")
    return [spelled_codes.spelled(made.code) for made in fresh]


def account_id(person: Person) -> str:
    """The account of a person."""
    with person.provider.app.app_context():
        account = accounts.by_address(person.email)
    assert account
    return account.id


def sessions_of(person: Person) -> int:
    """How many live sessions a person's account has."""
    identity = account_id(person)
    with person.provider.app.app_context(), transaction():
        return len(listed.live(identity, now=clock.now()))


def same_browser(person: Person, *, email: str = "", number: str = "") -> Person:
    """A second tab of this person's browser; it may act for somebody else."""
    return Person(person.provider, person.browser, email=email or person.email, number=number or person.number)


def with_cookies_of(person: Person) -> FlaskClient:
    """A client of its own with the same cookies: for requests at the very same time."""
    client = person.provider.app.test_client()
    for cookie in person.browser._cookies.values():  # werkzeug's client has no other list of them
        client.set_cookie(cookie.key, cookie.value, domain="login.example", secure=True, httponly=True)
    return client
