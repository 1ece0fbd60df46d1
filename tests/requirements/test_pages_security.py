"""The edge: forged forms, foreign hosts, lying proxies, headers on whatever comes back (SR-27, 57, 65, 113)."""

from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from idp.services import accounts
from idp.web.proxies import TrustedProxies
from tests.members import member, sessions_of, with_cookies_of
from tests.people import PASSWORD, Outside, Person, Provider, new_provider, on_sqlite, settings_for

OURS = "https://login.example"


def posts(person: Person, *, base: str = OURS, **headers: str) -> TestResponse:
    """Send the form in front of the person, right in every field, with these headers."""
    form = person.page.form_with()
    data = {**form.fields, "email": person.email, "password": PASSWORD, "do": form.buttons[0][1]}
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return person.browser.post(form.action, base_url=base, data=data, headers=told)


# SR-57


FOREIGN = (
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "cross-site", "Origin": OURS},
    {"Origin": "https://evil.example"},
    {"Origin": "https://login.example.evil.example"},
    {"Origin": "http://login.example"},
)


def test_a_form_that_another_site_sent_is_refused(provider: Provider) -> None:
    kari = member(provider).comes_from_portal()

    assert [posts(kari, **headers).status_code for headers in FOREIGN] == [403] * len(FOREIGN)
    assert posts(kari, Sec_Fetch_Site="same-origin").headers["Location"].endswith("/second-step")


def test_reading_changes_nothing(provider: Provider) -> None:
    """Mail scanners, previews and prefetch: every page of a sign-in, twice, with all fields in the query."""
    kari = member(provider).comes_from_portal()
    kari.sends(email=kari.email, password=PASSWORD).sends("sms")
    code = kari.phoned_code()
    where = kari.answer.request.path
    base = where.rpartition("/")[0]
    for _ in range(2):
        for step in ("login", "second-step", "phone", "consent", ""):
            kari.browser.get(f"{base}/{step}?code={code}&do=verify&email={kari.email}", base_url=OURS)
        kari.browser.head(f"{where}?code={code}&do=verify", base_url=OURS)
    assert sessions_of(kari) == 0
    provider.deliver()
    assert len(provider.outside.messages(kari.number)) == 1

    assert "code" in kari.goes(where).sends("verify", code=code).redirected_to()


def test_signing_out_by_a_link_alone_asks_first(provider: Provider) -> None:
    """SR-107, SR-57."""
    kari = member(provider).signs_in()
    kari.goes("/logout")
    assert sessions_of(kari) == 1
    form = kari.page.form_with("sign-out")
    kari.posts(form.action, {"do": "sign-out"})
    kari.posts(form.action, {"do": "sign-out", "form": "made up"})
    assert sessions_of(kari) == 1
    refused = kari.browser.post(
        form.action, base_url=OURS, data={**form.fields, "do": "sign-out"}, headers={"Origin": "https://evil.example"}
    )
    assert refused.status_code == 403
    assert sessions_of(kari) == 1
    kari.goes("/logout").sends("sign-out")
    assert sessions_of(kari) == 0


def test_a_session_is_worth_nothing_in_a_browser_without_its_journey(provider: Provider) -> None:
    """SR-64: the cookies of one person, the journey of another."""
    kari, ola = member(provider).signs_in(), member(provider).comes_from_portal()
    thief = with_cookies_of(kari)

    assert thief.get(ola.answer.request.path, base_url=OURS).status_code == 410


def test_only_what_the_form_asks_for_is_taken(provider: Provider) -> None:
    """SR-50: a request sets no status, no level, no proof; a field that comes twice is refused (SR-73)."""
    kari = provider.person().comes_from_portal().presses("Sign up now").sends(email=provider.person().email)
    form = kari.page.form_with("verify")
    claimed = {"email_verified": "true", "status": "active", "acr": "mfa", "account_id": "x", "step": "password"}
    kari.posts(form.action, {**form.fields, **claimed, "code": "000000", "do": "verify"})
    assert kari.step == "email-code"
    twice = kari.browser.post(form.action, base_url=OURS, data={**kari.page.form_with().fields, "code": ["1", "2"]})
    assert twice.status_code == 400


# SR-65


def test_an_unknown_host_is_refused(provider: Provider) -> None:
    for host in ("evil.example", "login.example.evil.example", "login.example:8443", "127.0.0.1"):
        for path in ("/", "/.well-known/openid-configuration", "/authorize", "/jwks"):
            answer = provider.app.test_client().get(path, base_url=f"https://{host}")
            assert answer.status_code == 400
            assert host not in answer.get_data(as_text=True)


def test_no_header_moves_a_link(provider: Provider) -> None:
    lies = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "Forwarded": "host=evil.example;proto=http",
        "X-Original-URL": "/evil",
        "X-Rewrite-URL": "/evil",
    }
    kari = provider.person(headers=dict(lies)).comes_from_portal()
    told = provider.app.test_client().get("/.well-known/openid-configuration", base_url=OURS, headers=lies)

    assert "evil" not in f"{kari.page.html}{kari.answer.headers}{told.get_data(as_text=True)}"
    assert told.get_json()["issuer"] == OURS


# SR-27


@pytest.mark.parametrize(
    ("peer", "header", "seen"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # what the client put in front is not believed
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, ", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9\r\nX: y", "10.0.0.1"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),  # no proxy of ours
        ("", "203.0.113.9", ""),
    ],
)
def test_only_listed_proxies_say_who_is_there(peer: str, header: str, seen: str) -> None:
    found: list[str] = []

    def application(environ, start_response):
        found.append(environ["REMOTE_ADDR"])
        return []

    wrapped = TrustedProxies(application, ["10.0.0.0/8"], 1)
    wrapped({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": header}, lambda *_: lambda _: None)

    assert found == [seen]


def test_two_hops_need_two_proxies_of_ours() -> None:
    found: list[str] = []

    def application(environ, start_response):
        found.append(environ["REMOTE_ADDR"])
        return []

    wrapped = TrustedProxies(application, ["10.0.0.0/8"], 2)
    for header in ("203.0.113.9, 10.0.0.2", "203.0.113.9, 198.51.100.1", "203.0.113.9"):
        wrapped({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": header}, lambda *_: lambda _: None)

    assert found == ["203.0.113.9", "10.0.0.1", "10.0.0.1"]


def test_an_invented_address_escapes_no_limit(tmp_path: Path, outside: Outside) -> None:
    """SR-26, SR-27: a new X-Forwarded-For with each try is still one address."""
    settings = settings_for(on_sqlite(tmp_path), tmp_path, outside, limits={"journeys_per_address_hour": 3})
    with new_provider(settings, outside) as made:
        statuses = [
            made.person(headers={"X-Forwarded-For": f"203.0.113.{number}"}).comes_from_portal().answer.status_code
            for number in range(5)
        ]

    assert statuses == [200, 200, 200, 429, 429]


# SR-113


WANTED = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def test_every_answer_has_its_headers(provider: Provider) -> None:
    """Pages, redirects, JSON, preflights, and errors of every kind."""
    client = provider.app.test_client()
    kari = member(provider).comes_from_portal()
    page = kari.answer.request.path
    asked = {
        "page": client.get("/", base_url=OURS),
        "redirect": kari.browser.get("/".join(page.split("/")[:3]), base_url=OURS),
        "wrong password": kari.posts(
            page, {**kari.page.form_with().fields, "email": "x@example.no", "password": "y"}
        ).answer,
        "forged": posts(kari, Origin="https://evil.example"),
        "expired": client.get("/journey/nothing/sign-in/login?cookies=1", base_url=OURS),
        "bad link": client.get("/authorize?client_id=nobody", base_url=OURS),
        "unknown host": client.get("/", base_url="https://evil.example"),
        "nothing here": client.get("/account/x.css", base_url=OURS),
        "wrong method": client.put("/token", base_url=OURS),
        "too large": client.post("/token", base_url=OURS, data={"x": "y" * 70_000}),
        "refused client": client.post("/token", base_url=OURS, data={"grant_type": "authorization_code"}),
        "no token": client.get("/userinfo", base_url=OURS),
        "preflight": client.options("/token", base_url=OURS),
        "keys": client.get("/jwks", base_url=OURS),
        "broken": broken(provider, kari),
    }
    assert asked["nothing here"].status_code == 404
    assert asked["broken"].status_code in (500, 503)
    for name, answer in asked.items():
        assert answer is not None
        assert {header: answer.headers.get(header) for header in WANTED} == WANTED, name
        policy = answer.headers["Content-Security-Policy"]
        for part in ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert part in policy, name
        assert "unsafe" not in policy
        assert answer.headers["Cross-Origin-Resource-Policy"] in ("same-origin", "cross-origin"), name
        assert "camera=()" in answer.headers["Permissions-Policy"], name
        if name not in ("keys", "preflight"):
            assert answer.headers["Cache-Control"] == "no-store", name
        assert "Server" not in answer.headers
        assert "Traceback" not in answer.get_data(as_text=True)


def broken(provider: Provider, kari: Person) -> TestResponse:
    """An answer from the last resort: something that nobody foresaw."""

    def fails(*_: object) -> None:
        raise ZeroDivisionError("a secret in the words of an exception")

    engine, show = provider.parts.engine, provider.parts.engine.show
    engine.show = fails  # type: ignore[method-assign, assignment]
    answer = kari.browser.get(kari.answer.request.path, base_url=OURS)
    engine.show = show  # type: ignore[method-assign]
    assert "a secret in the words" not in answer.get_data(as_text=True)
    return answer


def test_pages_of_people_are_for_no_other_origin(provider: Provider) -> None:
    """SR-77, SR-114: no CORS where cookies count."""
    kari = member(provider).comes_from_portal()
    for path in ("/authorize", kari.answer.request.path, "/logout", "/introspect"):
        answer = kari.browser.get(path, base_url=OURS, headers={"Origin": "https://portal.example"})
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_nobody_is_there_from_the_start(provider: Provider) -> None:
    """SR-115: no default accounts, no debug mode."""
    assert not provider.app.debug
    with provider.app.app_context():
        assert accounts.by_address("admin@example.no") is None
