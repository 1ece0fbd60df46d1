"""A person without a browser: follows links, fills forms in, and reads what the outside world delivers."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx

SIX_DIGITS = re.compile(r"(?<!\d)\d{6}(?!\d)")


class Lost(Exception):
    """The pages are not as this person knows them. The message says where and what was looked for."""


@dataclass(slots=True)
class Form:
    """One form of a page: where it goes, what it holds, and its buttons."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """The forms and links of a page."""

    def __init__(self, url: str, html: str) -> None:
        super().__init__()
        self.url = url
        self.html = html
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what can be pressed and filled in."""
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(urljoin(self.url, given["href"]))
        elif tag == "form":
            self.forms.append(Form(urljoin(self.url, given.get("action") or self.url)))
        elif self.forms:
            self._note_field(tag, given)

    def _note_field(self, tag: str, given: dict[str, str]) -> None:
        form = self.forms[-1]
        if tag == "button" and given.get("name") == "do":
            form.buttons.append(given.get("value", ""))
        elif tag == "input" and given.get("type") not in {"checkbox", "radio", "submit"} and given.get("name"):
            form.fields[given["name"]] = given.get("value", "")
        elif tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and self._select and ("selected" in given or self._select not in form.fields):
            form.fields[self._select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """A select ends; so do its options."""
        if tag == "select":
            self._select = ""

    def form(self, button: str) -> Form:
        """The form with that button. Raises Lost."""
        for form in self.forms:
            if button in form.buttons:
                return form
        raise Lost(f"no button {button!r} at {urlsplit(self.url).path}")


class Visitor:
    """One person at one device."""

    def __init__(self, outside: str) -> None:
        """`outside` is where the outside world is."""
        self._http = httpx.Client(follow_redirects=True, timeout=10, trust_env=False)
        self._outside = outside
        self.page = Page("", "")

    def close(self) -> None:
        """Put the device away."""
        self._http.close()

    @property
    def at(self) -> str:
        """The last part of the address of the page: the step of a journey."""
        return urlsplit(self.page.url).path.rpartition("/")[2]

    def opens(self, url: str) -> None:
        """Go to an address and wherever it leads."""
        self._arrive(self._http.get(url))

    def follows(self, part: str) -> None:
        """Follow the first link whose address has this part. Raises Lost."""
        link = next((link for link in self.page.links if part in urlsplit(link).path), None)
        if link is None:
            raise Lost(f"no link to {part!r} at {urlsplit(self.page.url).path}")
        self.opens(link)

    def presses(self, button: str, **typed: str) -> None:
        """Fill the form of that button in and press it. Underscores of a name are hyphens. Raises Lost."""
        form = self.page.form(button)
        typed = {name.replace("_", "-"): value for name, value in typed.items()}
        if missing := typed.keys() - form.fields.keys():
            raise Lost(f"no field {', '.join(missing)} at {urlsplit(self.page.url).path}")
        self._arrive(self._http.post(form.action, data={**form.fields, **typed, "do": button}))

    def _arrive(self, answer: httpx.Response) -> None:
        if answer.status_code != httpx.codes.OK:
            raise Lost(f"{answer.status_code} at {answer.url.path}")
        self.page = Page(str(answer.url), answer.text)

    def last_message(self) -> int:
        """The id of the newest message of the whole outside world."""
        return max((message["id"] for message in self._http.get(f"{self._outside}/messages").json()), default=0)

    def code(self, to: str, *, after: int, patience: float = 15) -> str:
        """The code in the first message to that address or number after the message `after`. Raises Lost."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            asked = {"to": to, "since": str(after)}
            for message in self._http.get(f"{self._outside}/messages", params=asked).json():
                if code := SIX_DIGITS.search(f"{message['subject'] or ''} {message['text']}"):
                    return code.group()
            time.sleep(0.05)
        raise Lost(f"no code came to {to}")
