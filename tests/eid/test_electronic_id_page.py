"""S-EID: which eID, when and for which service, and what a person hears when somebody else's was tried."""

from __future__ import annotations

import pytest

from idp.rules.assurance import HIGH
from idp.services import clients
from tests.eid.scripted import KARI, OLA, Scripted
from tests.eid.test_proving import at_eid, confirms
from tests.people import Provider

pytestmark = pytest.mark.parametrize("stores", ["embedded"], indirect=True)
"""Words and ways of pages have nothing to do with where things are kept; walks on both pairs are in other files."""


def test_it_names_eid_service_and_day_and_never_the_number(provider: Provider, eid: Scripted) -> None:
    kari = confirms(at_eid(provider), eid)

    kari.goes("/account")
    assert "Test-eID, confirmed" in kari.page.text
    kari.presses("View electronic ID")
    assert "Test-eID" in kari.page.text
    assert "for Alumni" in kari.page.text
    for secret in (*KARI.values(), f"ref-{KARI['number']}"):
        if len(secret) > 2:  # "NO" is in many a word
            assert secret not in kari.page.html


def test_an_eid_and_a_service_that_are_gone_are_named_as_well_as_can_be(provider: Provider, eid: Scripted) -> None:
    kari = confirms(at_eid(provider), eid)
    with provider.app.app_context():
        clients.remove(provider.portal)
    del provider.parts.eids.connectors[eid.name]  # type: ignore[attr-defined]

    assert "test-eid" in kari.goes("/account/electronic-id").page.text
    assert "for a service that is no longer here" in kari.page.text


def test_only_ones_own_are_shown(provider: Provider, eid: Scripted) -> None:
    confirms(at_eid(provider), eid)
    ola = provider.person().is_signed_in()

    assert "You have not confirmed who you are" in ola.goes("/account/electronic-id").page.text


def test_somebody_elses_eid_is_told_to_the_accounts_owner(provider: Provider, eid: Scripted) -> None:
    """SR-104: a mismatch refuses and alerts."""
    kari = confirms(at_eid(provider), eid)
    confirms(kari.comes_from_portal(acr_values=HIGH, max_age="0"), eid, OLA)
    provider.deliver()

    mails = provider.outside.messages(kari.email)
    assert [mail["subject"] for mail in mails] == ["Another person's electronic ID was tried on your Alumni account"]
    assert OLA["given_name"] not in str(mails)
    assert OLA["number"] not in str(mails)
    assert "somebody who was signed in" in str(mails).lower()
