"""Sign-up through its pages, without script."""

from __future__ import annotations

from tests.people import PASSWORD, Provider

GOOD = {"new_password": PASSWORD, "confirm_password": PASSWORD}


def test_sign_up_by_text_message_ends_on_the_portal(provider: Provider) -> None:
    kari = provider.person().signs_up(by="sms")

    assert {"code", "state", "iss"} == set(kari.redirected_to())
    assert kari.redirected_to()["iss"] == "https://login.example"  # SR-71


def test_sign_up_by_voice_call_ends_on_the_portal(provider: Provider) -> None:
    kari = provider.person().signs_up(by="voice")

    assert kari.tokens()["id_token"]


def test_the_pages_speak_norwegian_first(provider: Provider) -> None:
    kari = provider.person(language="nb").comes_from_portal()
    assert kari.page.heading == "Logg inn"
    kari.presses("Registrer deg nå")
    assert "Send bekreftelseskode" in kari.page.text
    kari.sends(email=kari.email)
    assert "Bekreft kode" in kari.page.text
    kari.sends("verify", code=kari.mailed_code())
    assert "E-postadressen din er bekreftet. Du kan nå fortsette." in kari.page.text
    assert "Opprett" in kari.page.text


def test_a_later_step_leads_back_and_never_forward(provider: Provider) -> None:
    """SR-44: a later step, an empty body or a stale form leads to where the person stands."""
    kari = provider.person().comes_from_portal().presses("Sign up now").sends(email=kari_mail(provider))
    base = kari.answer.request.path.rpartition("/")[0]

    for step in ("password", "phone", "phone-code"):
        kari.posts(f"{base}/{step}", {"do": "create", "new-password": PASSWORD, "confirm-password": PASSWORD})
        assert kari.step == "email-code"
    kari.goes(f"{base}/phone-code")
    assert kari.step == "email-code"


def kari_mail(provider: Provider) -> str:
    return provider.person().email


def test_wrong_codes_cost_tries_and_odd_ones_do_not(provider: Provider) -> None:
    """SR-17, page spec §4: letters and wrong lengths are told, and cost nothing."""
    kari = provider.person().comes_from_portal().presses("Sign up now")
    kari.sends(email=kari.email)
    code = kari.mailed_code()
    wrong = f"{(int(code) + 1) % 10**6:06d}"

    for odd in ("abc", "12345", "1234567", ""):
        assert kari.sends("verify", code=odd).answer.status_code == 422
    for left in (4, 3, 2):
        assert f"You have {left} tries left." in kari.sends("verify", code=wrong).page.text
    assert "You have 1 try left." in kari.sends("verify", code=wrong).page.text
    assert kari.sends("verify", code=f" {code[:3]}-{code[3:]}\n").step == "password"


def test_five_wrong_codes_end_the_challenge(provider: Provider) -> None:
    """SR-17: the right code is worth nothing after five wrong ones; a new code is."""
    kari = provider.person().comes_from_portal().presses("Sign up now")
    kari.sends(email=kari.email)
    code = kari.mailed_code()
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(5):
        kari.sends("verify", code=wrong)

    assert "You have typed a wrong code too many times." in kari.page.text
    assert not any("code" in form.fields for form in kari.page.forms)


def test_the_newest_two_codes_count_and_a_third_oldest_does_not(provider: Provider, clock) -> None:
    """Page spec §6, A32: messages overtake each other."""
    kari = provider.person().comes_from_portal().presses("Sign up now")
    kari.sends(email=kari.email)
    codes = [kari.mailed_code()]
    for wait in (31, 61):
        clock.advance(wait)
        kari.sends("resend")
        codes.append(kari.mailed_code())

    assert "That code is not right" in kari.sends("verify", code=codes[0]).page.text
    assert kari.sends("verify", code=codes[1]).step == "password"


def test_asking_too_early_is_said_with_the_seconds_and_sends_nothing(provider: Provider) -> None:
    """A33."""
    kari = provider.person().comes_from_portal().presses("Sign up now")
    kari.sends(email=kari.email)
    code = kari.mailed_code()

    kari.sends("resend")

    assert kari.answer.status_code == 429
    assert 0 < int(kari.answer.headers["Retry-After"]) <= 30
    assert kari.mailed_code() == code
    assert kari.sends("verify", code=code).step == "password"


def test_a_known_address_gets_a_code_and_then_hears_that_it_has_an_account(provider: Provider) -> None:
    """SR-47, page spec §8.2."""
    kari = provider.person().signs_up()
    again = provider.person(email=kari.email).comes_from_portal().presses("Sign up now").sends(email=kari.email)
    assert again.step == "email-code"

    again.sends("verify", code=again.mailed_code())

    assert again.page.heading == "You already have an account"
    assert "Sign in" in again.page.links
    again.presses("Create a new password")
    assert again.step == "second-step"


def test_back_to_the_address_changes_it_and_voids_the_code(provider: Provider) -> None:
    """A25, SR-15: the code sent to the first address proves nothing about the second."""
    kari = provider.person().comes_from_portal().presses("Sign up now")
    kari.sends(email=kari.email)
    first = kari.mailed_code()
    kari.presses("Change the email address")
    assert kari.page.forms[0].fields["email"] == kari.email
    kari.email = provider.person().email
    kari.sends(email=kari.email)
    second = kari.mailed_code()

    if first != second:
        assert kari.sends("verify", code=first).answer.status_code == 422
    assert kari.sends("verify", code=second).step == "password"


def test_a_double_press_sends_one_message(provider: Provider) -> None:
    """A28: the second press of the same form gets the same answer as the first."""
    kari = provider.person().comes_from_portal().presses("Sign up now")
    form = kari.page.form_with("send")
    pressed = {**form.fields, "email": kari.email, "do": "send"}

    kari.posts(form.action, pressed).posts(form.action, pressed)

    provider.deliver()
    assert kari.step == "email-code"
    assert len(provider.outside.messages(kari.email)) == 1


def test_an_old_form_comes_back_with_what_was_typed(provider: Provider, clock) -> None:
    """A30."""
    kari = provider.person().comes_from_portal().presses("Sign up now")
    form = kari.page.form_with("send")
    clock.advance(2 * 3600)

    kari.posts(form.action, {**form.fields, "email": kari.email, "do": "send"})

    assert "The page had been open for a long time. Press once more." in kari.page.text
    assert kari.page.form_with("send").fields["email"] == kari.email
    assert kari.sends("send").step == "email-code"


def test_a_journey_is_remembered_for_a_day_and_then_offers_a_way_on(provider: Provider, clock) -> None:
    """A29: 61 minutes cost one code at most; 25 hours lead to a page with a restart."""
    kari = provider.person().comes_from_portal().presses("Sign up now").sends(email=provider.person().email)
    where = kari.answer.request.path
    clock.advance(61 * 60)
    assert kari.goes(where).answer.status_code == 200
    clock.advance(25 * 3600)
    kari.goes(where)

    if provider.parts.settings.shortlived.url.startswith("sqlite"):  # Redis keeps its own time
        assert kari.answer.status_code == 410
        assert "https://portal.example/" in kari.page.links.values()


def test_another_browser_cannot_walk_this_journey(provider: Provider) -> None:
    """SR-64: a journey belongs to the browser that began it."""
    kari = provider.person().comes_from_portal()
    stranger = provider.person()

    stranger.goes("/").goes(kari.answer.request.path)

    assert stranger.page.heading != "Sign in"


def test_passwords_that_everybody_uses_are_refused_in_words(provider: Provider) -> None:
    """SR-5: all that is wrong is said at once, and nothing typed comes back."""
    kari = provider.person().comes_from_portal().presses("Sign up now")
    kari.sends(email=kari.email).sends("verify", code=kari.mailed_code())

    kari.sends(new_password="password1234", confirm_password="another password")

    assert kari.answer.status_code == 422
    assert "too common" in kari.page.text
    assert "The two passwords are not the same" in kari.page.text
    assert "password1234" not in kari.page.html
