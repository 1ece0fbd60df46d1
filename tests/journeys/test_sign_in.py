"""Sign-in and reset through their pages, without script."""

from __future__ import annotations

from idp.services import accounts
from tests.people import PASSWORD, Provider

ANOTHER = "fire grønne hester synger"


def test_sign_in_takes_password_and_phone(provider: Provider) -> None:
    """SR-51: the password alone opens nothing."""
    kari = provider.person().signs_up()
    later = provider.person(email=kari.email, number=kari.number).comes_from_portal()
    later.sends(email=kari.email, password=PASSWORD)
    assert later.step == "second-step"
    assert kari.number[-2:] in later.page.text
    assert kari.number[-4:] not in later.page.html
    later.comes_from_portal()
    assert later.step == "login"

    assert later.signs_in(by="voice").tokens()["access_token"]


def test_unknown_address_and_wrong_password_look_alike(provider: Provider) -> None:
    """SR-10, SR-47, A36: status, headers, cookies and page, ids apart."""
    kari = provider.person().signs_up()
    seen = []
    for address in (kari.email, provider.person().email):
        someone = provider.person().comes_from_portal()
        someone.sends(email=address, password="not the right password")
        headers = {name: value for name, value in someone.answer.headers if name != "Content-Length"}
        page = someone.page.html.replace(address, "ADDRESS")
        for form in someone.page.forms:
            for secret in (form.fields.get("form", ""), form.action.split("/")[2]):
                page = page.replace(secret, "ID") if secret else page
        seen.append((someone.answer.status_code, headers, page))

    assert seen[0][0] == seen[1][0] == 422
    assert seen[0][1] == seen[1][1]
    assert seen[0][2].replace(someone.answer.request.path.split("/")[2], "ID") == seen[1][2]


def test_a_live_session_answers_without_a_page(provider: Provider) -> None:
    kari = provider.person().signs_up()
    kari.comes_from_portal()
    assert "code" in kari.redirected_to()
    kari.comes_from_portal(prompt="none")
    assert "code" in kari.redirected_to()


def test_prompt_login_asks_again_and_moves_auth_time(provider: Provider, clock) -> None:
    """SR-58."""
    kari = provider.person().signs_up()
    clock.advance(60)
    kari.comes_from_portal(prompt="login")
    assert kari.step == "login"
    assert "Sign in again to confirm that it is you." in kari.page.text
    kari.sends(password=PASSWORD).sends("sms")
    kari.sends("verify", code=kari.phoned_code())
    assert "code" in kari.redirected_to()


def test_after_the_end_the_back_button_finds_a_way_on(provider: Provider) -> None:
    """A26: P-ALREADY, with two ways onward."""
    kari = provider.person().comes_from_portal()
    login = kari.answer.request.path
    kari = kari.signs_up()
    kari.comes_from_portal(prompt="login")
    login = kari.answer.request.path
    kari.sends(password=PASSWORD).sends("sms").sends("verify", code=kari.phoned_code())

    kari.goes(login)

    assert kari.page.heading == "You are already signed in"
    assert kari.email in kari.page.text
    assert "Continue to Alumni" in kari.page.links


def test_reset_takes_mail_and_phone_and_ends_other_sessions(provider: Provider) -> None:
    """SR-61, SR-63; back on the portal, signed in."""
    kari = provider.person().signs_up()
    tokens = kari.tokens()
    later = provider.person(email=kari.email, number=kari.number).comes_from_portal()
    later.presses("Forgotten your password?").sends(email=kari.email)
    later.sends("verify", code=later.mailed_code())
    assert later.step == "second-step"
    later.sends("sms").sends("verify", code=later.phoned_code())
    assert later.step == "new-password"
    assert (
        "That is the password you already have"
        in later.sends(new_password=PASSWORD, confirm_password=PASSWORD).page.text
    )
    later.sends(new_password=ANOTHER, confirm_password=ANOTHER)

    assert "code" in later.redirected_to()
    assert kari.comes_from_portal(prompt="none").redirected_to()["error"] == "login_required"
    spent = provider.app.test_client().post(
        "/token",
        base_url="https://login.example",
        data={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]},
        auth=(provider.portal, provider.secret),
    )
    assert spent.get_json()["error"] == "invalid_grant"
    provider.deliver()
    assert any("password was changed" in mail["subject"] for mail in provider.outside.messages(kari.email))


def test_reset_of_an_unknown_address_shows_the_same_and_mails_words(provider: Provider) -> None:
    """SR-47, M-4."""
    nobody = provider.person().comes_from_portal().presses("Forgotten your password?")
    nobody.sends(email=nobody.email)
    assert nobody.step == "email-code"
    provider.deliver()
    assert "No Alumni account" in provider.outside.messages(nobody.email)[0]["subject"]
    assert nobody.sends("verify", code="000000").step == "email-code"


def test_a_locked_account_fails_on_every_path(provider: Provider) -> None:
    """SR-60: sign-in, live session, code exchange, refresh, userinfo."""
    kari = provider.person().signs_up()
    tokens = kari.tokens()
    kari.comes_from_portal()
    waiting = kari.redirected_to()["code"]
    with provider.app.app_context():
        account = accounts.by_address(kari.email)
        assert account
        accounts.lock(account.id)

    client = provider.app.test_client()
    ours = {"base_url": "https://login.example", "auth": (provider.portal, provider.secret)}
    code = {
        "grant_type": "authorization_code",
        "code": waiting,
        "redirect_uri": "https://portal.example/callback",
        "code_verifier": kari.verifier,
    }
    assert client.post("/token", data=code, **ours).get_json()["error"] == "invalid_grant"
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert client.post("/token", data=refresh, **ours).get_json()["error"] == "invalid_grant"
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert client.get("/userinfo", base_url="https://login.example", headers=bearer).status_code == 401
    assert client.post("/introspect", data={"token": tokens["access_token"]}, **ours).get_json() == {"active": False}
    assert kari.comes_from_portal(prompt="none").redirected_to()["error"] == "login_required"
    later = provider.person().comes_from_portal().sends(email=kari.email, password=PASSWORD)
    assert later.answer.status_code == 422


def test_an_imported_account_proves_a_phone_first(provider: Provider) -> None:
    """DESIGN §6: «Fullfør registreringen» before anything else; nothing is asked twice."""
    from argon2 import PasswordHasher

    ola = provider.person()
    with provider.app.app_context():
        accounts.bring_in(
            email=ola.email, password_hash=PasswordHasher(time_cost=1, memory_cost=64).hash(PASSWORD), locale="nb"
        )
    ola.comes_from_portal().sends(email=ola.email, password=PASSWORD)
    assert ola.page.heading == "Finish signing up"
    ola.sends("sms", country="NO", tel=ola.number).sends("verify", code=ola.phoned_code())
    assert "code" in ola.redirected_to()

    again = provider.person(email=ola.email, number=ola.number).signs_in()
    assert "code" in again.redirected_to()


def test_reset_by_mail_alone_is_refused_to_an_account_without_phone(provider: Provider) -> None:
    """SR-61, SR-62."""
    from argon2 import PasswordHasher

    ola = provider.person()
    with provider.app.app_context():
        accounts.bring_in(
            email=ola.email, password_hash=PasswordHasher(time_cost=1, memory_cost=64).hash(PASSWORD), locale="nb"
        )
    ola.comes_from_portal().presses("Forgotten your password?").sends(email=ola.email)
    ola.sends("verify", code=ola.mailed_code())
    assert ola.page.heading == "Cannot use your phone?"


def test_a_hint_shows_nobodys_address_to_a_stranger(provider: Provider) -> None:
    """SR-123: an ID token that went astray is no way to learn an address."""
    kari = provider.person().is_signed_in()
    hint = kari.comes_from_portal().tokens()["id_token"]
    stranger = provider.person().comes_from_portal(id_token_hint=hint)
    assert stranger.step == "login"
    assert kari.email not in stranger.page.html
