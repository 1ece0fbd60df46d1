"""The frame and the fields of every page in every state (page spec §3, §4, §7, §14; checks A2-A4, A7, A12, A40)."""

from __future__ import annotations

import gzip
from html.parser import HTMLParser
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.pages.samples import BY_NAME, PASSING, SAMPLES, Sample

VOID = {"input", "meta", "link", "br", "img", "hr", "path"}
LANGUAGES = ("nb", "en")
PLAIN = {"spellcheck": "false", "autocapitalize": "none", "autocorrect": "off"}


class Document(HTMLParser):
    """Every element in order, with what nests wrongly."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.words: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if len(attrs) != len(dict(attrs)):
            self.faults.append(f"{tag} has an attribute twice")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes what is not open")

    def handle_data(self, data: str) -> None:
        for tag in {"title", "h1"} & set(self.open):
            self.words[tag] = self.words.get(tag, "") + data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def by_id(self, id: str) -> dict[str, str]:
        return next(attributes for _, attributes in self.elements if attributes.get("id") == id)


def document(client: FlaskClient, name: str, language: str = "nb") -> tuple[Document, str]:
    answer = client.get(f"/show/{name}", headers={"Accept-Language": language})
    assert answer.status_code == BY_NAME[name].status
    return Document(answer.text), answer.text


@pytest.fixture(params=SAMPLES, ids=[sample.name for sample in SAMPLES])
def sample(request: pytest.FixtureRequest) -> Sample:
    found: Sample = request.param
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_has_the_frame(client: FlaskClient, sample: Sample, language: str) -> None:
    page, html = document(client, sample.name, language)
    assert not page.faults
    assert not page.open
    assert page.all("html") == [{"lang": language, "dir": "ltr"}]
    assert len(page.all("h1")) == len(page.all("header")) == len(page.all("main")) == len(page.all("footer")) == 1
    heading = " ".join(page.words["h1"].split())
    prefix = {"nb": "Feil: ", "en": "Error: "}[language] if sample.faults else ""
    assert page.words["title"] == f"{prefix}{heading} – Alumni"
    assert [link["href"] for link in page.all("a")][-3:] == ["/help", "/privacy", "/accessibility"]
    assert page.all("a")[0] == {"class": "skip", "href": "#innhold"}
    assert {"lang": "en", "hreflang": "en", "href": "?language=en"}.items() <= page.all("a")[2].items()
    assert "{{" not in html
    assert "%(" not in html


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(client: FlaskClient, sample: Sample) -> None:
    page, _ = document(client, sample.name)
    assert not page.all("style")
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name == "style" or name.startswith("on")], tag
        assert not attributes.get("href", "").startswith("javascript:")
    scripts = [script["src"].split(".")[0] for script in page.all("script")]
    own = ["/static/passkeys"] if has_passkeys(page) else ["/static/onward"] if sample.name in PASSING else []
    assert scripts == ["/static/site", *own]
    assert all(link["href"].startswith("/static/") for link in page.all("link"))


def has_passkeys(page: Document) -> bool:
    """Whether the page has something that the script of passkeys shows, fills in or hands on."""
    marks = {"data-passkeys", "data-offer", "data-signals"}
    return any(marks & set(attributes) for _, attributes in page.elements)


def test_what_only_a_script_can_do_is_hidden_without_one(client: FlaskClient, sample: Sample) -> None:
    """Page spec §1, §7: absent, not broken."""
    page, _ = document(client, sample.name)
    assert all("hidden" in attributes for _, attributes in page.elements if "data-passkeys" in attributes)


def test_what_is_asked_for_never_hinders_typing(client: FlaskClient, sample: Sample) -> None:
    page, _ = document(client, sample.name)
    forbidden = {"required", "pattern", "maxlength", "minlength", "placeholder", "autofocus", "disabled", "onpaste"}
    for tag, attributes in page.elements:
        assert not forbidden & set(attributes), tag
    assert all("novalidate" in form and form["method"] == "post" for form in page.all("form"))
    assert not [link for link in page.all("a") if "target" in link]


def test_every_id_is_there_once_and_every_reference_leads_to_one(client: FlaskClient, sample: Sample) -> None:
    page, _ = document(client, sample.name)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = {link["href"][1:] for link in page.all("a") if link["href"].startswith("#")}
    wanted |= {label["for"] for label in page.all("label")}
    for _, attributes in page.elements:
        wanted |= set(attributes.get("aria-describedby", "").split()) | set(
            attributes.get("aria-labelledby", "").split()
        )
    assert wanted <= set(ids)


def test_a_rejection_is_said_before_the_heading_and_at_the_field(client: FlaskClient, sample: Sample) -> None:
    page, html = document(client, sample.name)
    assert ('id="summary"' in html) is bool(sample.faults)
    if not sample.faults:
        assert "aria-invalid" not in html
        return
    assert sample.status in (422, 429)
    assert html.index('id="summary"') < html.index("<h1>")
    for field, _, _ in sample.faults:
        if f'id="{field}"' in html:
            assert page.by_id(field)["aria-invalid"] == "true"
            assert f"{field}-error" in page.by_id(field)["aria-describedby"].split()
    assert all("value" not in field for field in page.all("input") if field.get("type") == "password")
    assert all("value" not in field for field in page.all("input") if field.get("name") == "code")


FIELDS: dict[tuple[str, str], dict[str, str]] = {
    ("login", "email"): {
        "type": "email",
        "autocomplete": "username webauthn",
        "inputmode": "email",
        **PLAIN,
        "dir": "ltr",
    },
    ("email", "email"): {"type": "email", "autocomplete": "email", "inputmode": "email", **PLAIN, "dir": "ltr"},
    ("forgot", "email"): {"type": "email", "autocomplete": "username", "inputmode": "email", **PLAIN, "dir": "ltr"},
    ("login", "password"): {"type": "password", "autocomplete": "current-password", **PLAIN},
    ("password", "username"): {"type": "email", "autocomplete": "username", "readonly": ""},
    ("password", "new-password"): {"type": "password", "autocomplete": "new-password", **PLAIN},
    ("password", "confirm-password"): {"type": "password", "autocomplete": "new-password", **PLAIN},
    ("new-password", "new-password"): {"type": "password", "autocomplete": "new-password", **PLAIN},
    ("email-code", "code"): {
        "type": "text",
        "autocomplete": "one-time-code",
        "inputmode": "numeric",
        **PLAIN,
        "dir": "ltr",
    },
    ("phone-code-sms", "code"): {
        "type": "text",
        "autocomplete": "one-time-code",
        "inputmode": "numeric",
        "data-webotp": "",
    },
    ("device-code", "user-code"): {
        "type": "text",
        "autocomplete": "off",
        "autocapitalize": "characters",
        "spellcheck": "false",
        "autocorrect": "off",
        "dir": "ltr",
    },
    ("recovery-code", "recovery-code"): {
        "type": "text",
        "autocomplete": "off",
        "inputmode": "text",
        **PLAIN,
        "autocapitalize": "characters",
        "dir": "ltr",
    },
    ("phone", "country"): {"autocomplete": "tel-country-code"},
    ("phone", "tel"): {"type": "tel", "autocomplete": "tel", "inputmode": "tel", "dir": "ltr"},
}


@pytest.mark.parametrize(("where", "wanted"), FIELDS.items(), ids=["-".join(where) for where in FIELDS])
def test_a_field_is_marked_up_as_the_specification_has_it(
    client: FlaskClient, where: tuple[str, str], wanted: dict[str, str]
) -> None:
    page, _ = document(client, where[0])
    field = page.by_id(where[1])
    assert field["name"] == where[1]
    assert wanted.items() <= field.items()
    assert where[1] in {label["for"] for label in page.all("label")}


def test_only_codes_by_text_message_are_read_by_the_phone(client: FlaskClient) -> None:
    assert "data-webotp" not in document(client, "phone-code-call")[1]
    assert "data-webotp" not in document(client, "email-code")[1]


MAIN_ACTIONS = {
    "recovery-code": ["verify"],
    "codes-left-few": ["continue", "new-codes"],
    "set-up-app": ["verify", "cancel"],
    "save-codes": ["save", "cancel"],
    "login": ["sign-in", "passkey"],
    "login-recheck": ["sign-in", "switch-user", "passkey"],
    "second-step": ["sms", "voice"],
    "second-step-landline": ["voice"],
    "phone-code-sms": ["verify", "sms", "voice"],
    "phone-code-call": ["verify", "voice", "sms"],
    "phone-code-expired": ["sms", "voice"],
    "phone-code-failed": ["voice", "sms"],
    "phone-code-call-failed": ["sms", "voice"],
    "phone-code-used": [],
    "email-code": ["verify", "resend"],
    "email-code-spent": ["resend"],
    "email": ["send"],
    "email-slip": ["use-suggestion", "keep", "send"],
    "email-work": ["keep", "send"],
    "password": ["create"],
    "phone": ["sms", "voice"],
    "forgot": ["send"],
    "new-password": ["save"],
    "already": ["sign-out", "switch-user"],
    "accounts": ["session", "b", "other"],
    "consent": ["share", "refuse"],
    "sign-out": ["sign-out", "stay"],
    "device-code": ["continue"],
    "device-approve": ["approve", "reject"],
}


@pytest.mark.parametrize(("name", "wanted"), MAIN_ACTIONS.items(), ids=str)
def test_enter_presses_the_main_button(client: FlaskClient, name: str, wanted: list[str]) -> None:
    """A10: the first button of a form is what Enter presses."""
    page, _ = document(client, name)
    assert [button["value"] for button in page.all("button")] == wanted


def test_people_only_choose_what_is_really_a_choice(client: FlaskClient) -> None:
    page, _ = document(client, "consent-optional")
    assert [box["value"] for box in page.all("input") if box.get("type") == "checkbox"] == ["email", "payslips"]
    assert all("checked" not in box for box in page.all("input"))
    assert 'type="checkbox"' not in document(client, "consent")[1]


def test_the_trap_is_out_of_everybodys_way(client: FlaskClient) -> None:
    page, html = document(client, "email")
    assert {"autocomplete": "off", "tabindex": "-1"}.items() <= page.by_id("website").items()
    assert '<div class="trap" aria-hidden="true">' in html


def test_steps_are_counted_only_while_signing_up(client: FlaskClient, sample: Sample) -> None:
    steps = {"email": 1, "email-code": 1, "password": 2, "phone": 3, "phone-code": 3}
    _, html = document(client, sample.name)
    wanted = steps.get(sample.page) if sample.journey == "sign-up" else None
    assert ("Steg " in html) is (wanted is not None)
    assert wanted is None or f"Steg {wanted} av 3" in html


def test_every_page_is_light(client: FlaskClient, sample: Sample) -> None:
    """A40: bytes on the wire."""
    answer = client.get(f"/show/{sample.name}", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert len(answer.data) <= (8 if sample.page == "phone" else 6) * 1024
    assert gzip.decompress(answer.data).startswith(b"<!doctype html>")


@pytest.mark.parametrize(("kind", "budget"), [("css", 6), ("js", 4), ("svg", 1)])
def test_what_comes_with_a_page_is_light_and_kept_for_good(client: FlaskClient, kind: str, budget: int) -> None:
    page, _ = document(client, "login")
    urls = [attributes.get("src", attributes.get("href", "")) for _, attributes in page.elements]
    url = next(url for url in urls if url.endswith(f".{kind}"))
    gzipped = client.get(url, headers={"Accept-Encoding": "gzip"})
    assert len(gzipped.data) <= budget * 1024
    assert gzipped.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get(url, headers={"Accept-Encoding": "identity"}).data == gzip.decompress(gzipped.data)
    assert client.get(url.replace(f".{kind}", f"0.{kind}")).status_code == 404


def test_what_passkeys_need_is_light_and_only_where_they_are(client: FlaskClient) -> None:
    """Page spec §14: at most 3 KB more, where it is used."""
    page, _ = document(client, "login")
    script = next(script["src"] for script in page.all("script") if "/passkeys." in script["src"])
    assert len(client.get(script, headers={"Accept-Encoding": "gzip"}).data) <= 3 * 1024
    assert "/passkeys." not in document(client, "email")[1]


def test_a_first_visit_is_light(client: FlaskClient) -> None:
    page, _ = document(client, "phone")
    urls = ["/show/phone", page.all("script")[0]["src"], *(link["href"] for link in page.all("link"))]
    answers: list[Any] = [client.get(url, headers={"Accept-Encoding": "gzip"}) for url in urls]
    assert sum(len(answer.data) + len(str(answer.headers)) for answer in answers) <= 20 * 1024
    assert len(urls) <= 6


def test_what_people_typed_is_shown_as_they_typed_it_and_never_as_markup(client: FlaskClient) -> None:
    from tests.pages import samples

    with samples.speaking(client.application, "nb"):
        odd = Sample("odd", "email-code", {**samples.MAIL, "email": '"><script>alert(1)</script>@example.no'})
        html = samples.draw(odd).get_data(as_text=True)
    assert "<script>alert" not in html
    assert "&lt;script&gt;" in html
