"""A gateway that is down, as the person at the page meets it (requirements, section Q)."""

from __future__ import annotations

from tests.people import PASSWORD, Provider


def test_a_dead_sms_gateway_is_said_at_once_and_a_call_still_works(provider: Provider) -> None:
    """The phone step is never skipped, no limit is used up, and the other way is on the same page."""
    kari = provider.person().signs_up(by="voice")
    later = provider.person(email=kari.email, number=kari.number).comes_from_portal()
    later.sends(email=kari.email, password=PASSWORD)
    provider.parts.store.put("channel-down:sms", b"1", ttl=60)

    later.sends("sms")

    assert later.step == "second-step"
    assert later.answer.status_code == 503
    assert "We could not send the text message." in later.page.text
    later.sends("voice").sends("verify", code=later.phoned_code())
    assert "code" in later.redirected_to()
