"""The pages in a real browser: axe, small screens, focus, what the script adds (checks A1, A4, A11-A15, A19, A41)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, ViewportSize

from tests.pages.samples import BY_NAME, PASSING, SAMPLES

NAMES = [sample.name for sample in SAMPLES if sample.name not in PASSING]
"""Those that do not stay have tests of their own below."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = Axe()
PHONE: ViewportSize = {"width": 390, "height": 780}
SMALLEST: ViewportSize = {"width": 320, "height": 256}
SPACED_OUT = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("* { line-height: 1.5; letter-spacing: .12em !important; word-spacing: .16em !important; }");
  document.adoptedStyleSheets.push(sheet);
}"""
"""The text spacing of WCAG 1.4.12."""


LARGE_ENOUGH = """() => [...document.querySelectorAll("button, .button, input:not([type=hidden]), select")]
  .filter(one => one.checkVisibility() && one.id !== "website")
  .map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect().height,
               one.classList.contains("quiet") ? 24 : ["checkbox", "radio"].includes(one.type) ? 28 : 48])
  .filter(([, height, wanted]) => height < wanted)"""
WIDTH = "() => document.documentElement.scrollWidth"


@dataclass
class Window:
    """A window, and what it said and whom it asked since the last look."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    def opens(self, url: str) -> None:
        self.said.clear()
        self.asked.clear()
        self.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        self.page.set_viewport_size(PHONE)
        self.page.goto(url)
        self.page.evaluate("() => document.querySelectorAll('details').forEach(element => element.open = true)")
        self.page.evaluate(AXE.axe_script)

    def faults(self, rules: dict[str, Any]) -> list[tuple[str, list[str]]]:
        """What axe finds, and what it cannot decide."""
        options = {"runOnly": rules, "resultTypes": ["violations", "incomplete"]}
        found = self.page.evaluate("options => axe.run(document, options)", options)
        entries = found["violations"] + found["incomplete"]
        return [(entry["id"], [node["html"] for node in entry["nodes"]]) for entry in entries]


@pytest.fixture(scope="module")
def window(chromium: Browser) -> Iterator[Window]:
    """One window for all pages."""
    context = chromium.new_context(locale="nb", viewport=PHONE)
    made = Window(context.new_page())
    made.page.on("console", lambda message: made.said.append(message.text))
    made.page.on("pageerror", lambda problem: made.said.append(str(problem)))
    made.page.on("request", lambda request: made.asked.add(re.sub(r"^(https?://[^/]+).*", r"\1", request.url)))
    yield made
    context.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(locale="nb", viewport=PHONE)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_for_everybody(window: Window, site: str, name: str) -> None:
    """A1, A13, A14, A40, A41: axe in light and dark, targets, small screens, text spacing, and nothing from elsewhere.

    In the dark only colours are different, so only they are looked at anew.
    """
    window.opens(f"{site}/show/{name}")
    page = window.page
    assert not window.faults({"type": "tag", "values": RULES})
    assert not page.evaluate(LARGE_ENOUGH)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert not window.faults({"type": "rule", "values": ["color-contrast"]})
    page.set_viewport_size(SMALLEST)
    assert page.evaluate(WIDTH) <= SMALLEST["width"]
    page.evaluate(SPACED_OUT)
    assert page.evaluate(WIDTH) <= SMALLEST["width"]
    assert window.asked == {site}
    assert not [text for text in window.said if "Failed to load resource" not in text]
    assert page.evaluate("() => [localStorage.length, sessionStorage.length]") == [0, 0]


def test_after_a_rejection_the_summary_has_the_focus_and_leads_to_the_field(page: Page, site: str) -> None:
    page.goto(f"{site}/show/login-missed")
    assert page.evaluate("() => document.activeElement.id") == "summary"
    page.get_by_role("link", name="E-postadressen eller passordet stemmer ikke").click()
    assert page.evaluate("() => document.activeElement.id") == "email"


def test_without_a_script_the_summary_comes_right_after_the_skip_link_and_the_header(
    chromium: Browser, site: str
) -> None:
    context = chromium.new_context(locale="nb", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/show/login-missed")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.locator("a:focus").get_attribute("href") == "#email"
    assert page.locator(".show").is_hidden()
    assert page.get_by_role("button", name="Vis passordet").count() == 0
    context.close()


def test_the_password_can_be_shown_and_is_sent_as_a_password(page: Page, site: str) -> None:
    page.goto(f"{site}/show/password")
    assert page.get_by_label("Nytt passord").get_attribute("type") == "password"
    page.get_by_role("button", name="Vis passordet").click()
    for label in ("Nytt passord", "Bekreft passordet"):
        assert page.get_by_label(label).get_attribute("type") == "text"
    hide = page.get_by_role("button", name="Skjul passordet")
    assert hide.get_attribute("aria-pressed") == "true"
    assert page.locator("[role=status]", has_text="Passordet vises.").count() == 1
    page.evaluate("() => document.querySelector('form').addEventListener('submit', event => event.preventDefault())")
    page.get_by_role("button", name="Opprett").click()
    assert page.get_by_label("Nytt passord").get_attribute("type") == "password"


def test_recovery_codes_are_copied_and_printed_by_a_button(chromium: Browser, site: str) -> None:
    """Page spec §10, no. 9: the list, one code a line; on paper the sheet explains itself, without form and buttons."""
    context = chromium.new_context(locale="nb", permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.add_init_script("window.print = () => { window.printed = true; };")
    page.goto(f"{site}/show/save-codes")
    codes = page.locator("#codes code").all_inner_texts()

    page.get_by_role("button", name="Kopier").click()
    page.get_by_role("button", name="Skriv ut").click()

    assert page.evaluate("window.printed")
    assert page.locator("[role=status]", has_text="Kopiert.").count() == 1
    page.evaluate("document.querySelector('main').append(document.createElement('textarea'))")
    page.locator("textarea").press("Control+V")  # our own policy lets no page read the clipboard
    assert page.locator("textarea").input_value() == "\n".join(codes)
    page.emulate_media(media="print")
    assert page.locator(".sheet").first.is_visible()
    assert page.get_by_text(codes[9]).is_visible()
    assert not [one for one in page.locator("button, .button, .tick, header, footer").all() if one.is_visible()]
    context.close()


def test_the_page_does_not_jump_when_the_script_runs(page: Page, site: str) -> None:
    for name in ("login", "password", "phone-code-sms", "phone"):
        page.goto(f"{site}/show/{name}")
        shifted = page.evaluate(
            """() => new Promise(resolve => {
                 let sum = 0;
                 new PerformanceObserver(list => list.getEntries().forEach(entry => { sum += entry.value; }))
                   .observe({ type: "layout-shift", buffered: true });
                 setTimeout(() => resolve(sum), 200);
               })"""
        )
        assert shifted <= 0.01, name


def test_a_second_press_sends_nothing(page: Page, site: str) -> None:
    page.goto(f"{site}/show/login")
    page.evaluate(
        """() => { window.sent = 0;
          addEventListener("submit", event => {
            window.sent += event.defaultPrevented ? 0 : 1;
            event.preventDefault();
          }); }"""
    )
    page.get_by_role("button", name="Logg inn", exact=True).click()
    sending = page.get_by_role("button", name="Sender …")
    sending.click()
    assert page.evaluate("() => window.sent") == 1
    assert sending.is_enabled()
    page.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    page.get_by_role("button", name="Logg inn", exact=True).click()
    assert page.evaluate("() => window.sent") == 2


def test_the_wait_is_counted_down_in_silence_and_ends_with_one_word(page: Page, site: str) -> None:
    page.clock.install(time=0)
    page.clock.pause_at(1)
    page.goto(f"{site}/show/phone-code-sms")
    line = page.locator("[data-wait]")
    assert line.inner_text() == "Vent 27 sekunder før du ber om en ny kode."
    page.clock.run_for(7000)
    assert line.inner_text() == "Vent 20 sekunder før du ber om en ny kode."
    assert line.get_attribute("role") is None
    page.clock.run_for(19000)
    assert line.inner_text() == "Vent 1 sekund før du ber om en ny kode."
    page.clock.run_for(2000)
    assert line.inner_text() == "Du kan be om en ny kode nå."
    assert page.locator("[role=status]", has_text="Du kan be om en ny kode nå.").count() == 1


def test_a_code_is_valid_until_the_persons_own_clock_says(chromium: Browser, site: str) -> None:
    context = chromium.new_context(locale="nb", timezone_id="Europe/Oslo")
    page = context.new_page()
    page.goto(f"{site}/show/phone-code-until")
    assert page.locator("time").inner_text() == "Koden gjelder til kl. 15.00."
    context.close()


def test_a_code_from_a_text_message_is_filled_in_but_never_sent(chromium: Browser, site: str) -> None:
    context = chromium.new_context(locale="nb")
    page = context.new_page()
    page.add_init_script(
        """window.OTPCredential = class {};
           navigator.credentials.get = () => new Promise(resolve => {
             window.arrive = () => resolve({ code: "420719" });
           });"""
    )
    page.goto(f"{site}/show/phone-code-sms")
    page.evaluate("() => window.arrive()")
    page.wait_for_function("() => document.getElementById('code').value === '420719'")
    assert page.url.endswith("phone-code-sms")
    page.goto(f"{site}/show/phone-code-sms")
    page.get_by_label("Kode", exact=True).fill("12")
    page.evaluate("() => window.arrive()")
    assert page.get_by_label("Kode", exact=True).input_value() == "12"
    context.close()


def test_a_fault_in_one_part_of_the_script_stops_no_other(page: Page, site: str) -> None:
    page.add_init_script("HTMLElement.prototype.focus = () => { throw new Error('broken'); };")
    page.goto(f"{site}/show/login-missed")
    page.get_by_role("button", name="Vis passordet").wait_for()


def test_every_stop_of_the_keyboard_is_visible(page: Page, site: str) -> None:
    page.goto(f"{site}/show/phone")
    stops = []
    for _ in range(12):
        page.keyboard.press("Tab")
        stops.append(
            page.evaluate(
                """() => { const style = getComputedStyle(document.activeElement);
                     const box = document.activeElement.getBoundingClientRect();
                     const seen = box.top >= 0 && box.bottom <= innerHeight;
                     const name = document.activeElement.id || document.activeElement.textContent.trim();
                     return [name, style.outlineStyle, parseFloat(style.outlineWidth), seen]; }"""
            )
        )
    assert [stop[0] for stop in stops][2:6] == ["country", "tel", "Send kode", "Ring meg"]
    assert all(stop[1:] == ["solid", 3, True] for stop in stops[:10]), stops


def test_on_paper_only_what_is_to_be_read_is_left(page: Page, site: str) -> None:
    page.emulate_media(media="print")
    for name in ("login", "phone-code-sms", "help"):
        page.goto(f"{site}/show/{name}")
        assert page.locator("h1").is_visible()
        assert page.locator("header").is_hidden()
        assert page.locator("footer").is_hidden()
        assert all(button.is_hidden() for button in page.locator("button, .button").all())
    assert page.evaluate("() => getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


def test_forced_colours_leave_every_border(page: Page, site: str) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(f"{site}/show/login-missed")
    for selector in ("button[value=sign-in]", "#email", "#summary", ".button"):
        style = page.locator(selector).first.evaluate(
            "one => [getComputedStyle(one).borderTopStyle, parseFloat(getComputedStyle(one).borderTopWidth)]"
        )
        assert style[0] in ("solid", "dashed")
        assert style[1] >= 2


def test_every_sample_was_looked_at() -> None:
    assert len(BY_NAME) == len(SAMPLES)


@pytest.mark.parametrize("script", [True, False])
def test_an_answer_by_form_goes_on_by_itself_and_without_a_script_by_a_button(
    chromium: Browser, site: str, script: bool
) -> None:
    """OAuth 2.0 Form Post Response Mode §4."""
    context = chromium.new_context(locale="nb", viewport=PHONE, java_script_enabled=script)
    page = context.new_page()
    sent: list[str | None] = []

    def receives(route: Route) -> None:
        sent.append(route.request.post_data)
        route.fulfill(body="thank you")

    page.route("https://portal.example/callback", receives)
    page.goto(f"{site}/show/form-post", wait_until="commit")
    if not script:
        assert page.locator("h1").inner_text() == "Du er snart fremme"
        page.get_by_role("button", name="Fortsett").click()
    page.wait_for_url("https://portal.example/callback")
    context.close()
    assert sent == [f"code={'c' * 43}&state=s"]


@pytest.mark.parametrize("script", [True, False])
def test_services_hear_of_a_sign_out_in_frames_before_the_browser_goes_on(
    chromium: Browser, site: str, script: bool
) -> None:
    """Front-Channel Logout §3: by itself where scripts run, by a link where they do not; never by the clock."""
    context = chromium.new_context(locale="nb", viewport=PHONE, java_script_enabled=script)
    page = context.new_page()
    asked: list[str] = []

    def receives(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body="<p>over</p>", content_type="text/html")

    page.route("https://portal.example/**", receives)
    page.goto(f"{site}/show/signed-out-onward", wait_until="commit")
    if not script:
        page.wait_for_load_state()
        page.get_by_role("link", name="Fortsett").click()
    page.wait_for_url("https://portal.example/out")
    context.close()
    assert asked == ["https://portal.example/front?sid=s", "https://portal.example/out"]
