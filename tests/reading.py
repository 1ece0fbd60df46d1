"""A page as a browser without script reads it: heading, forms, links, messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """One form: where it goes, the fields as they stand, the buttons in order."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """The parts of a page that tests speak of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.title = self.heading = self.text = ""
        self._open: list[str] = []
        self._href: str | None = None
        self._link_text = ""
        self._select: str | None = None
        self.feed(html)
        self.text = " ".join(self.text.split())
        self.heading = " ".join(self.heading.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in ("input", "meta", "link", "br", "img", "hr"):
            self._open.append(tag)
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif tag == "a":
            self._href, self._link_text = given.get("href", ""), ""
        elif self.forms:
            self._field(tag, given)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        form = self.forms[-1]
        match tag:
            case "input" if "name" in given:
                kind = given.get("type", "text")
                if kind not in ("checkbox", "radio") or "checked" in given:
                    form.fields[given["name"]] = given.get("value", "on" if kind == "checkbox" else "")
            case "select":
                self._select = given.get("name")
            case "option" if self._select and "selected" in given:
                form.fields[self._select] = given.get("value", "")
            case "button" if given.get("type", "submit") == "submit":
                form.buttons.append((given.get("name", ""), given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        if tag == "a" and self._href is not None:
            self.links[" ".join(self._link_text.split())] = self._href
            self._href = None
        if tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if "title" in self._open:
            self.title += data
        elif not {"script", "style"} & set(self._open):
            self.text += f" {data}"
            if "h1" in self._open:
                self.heading += data
            if self._href is not None:
                self._link_text += data

    def form_with(self, do: str | None = None, has: str | None = None) -> Form:
        """The form that has this button (or field); else the first that is posted."""
        posted = [form for form in self.forms if form.method == "post"]
        for form in posted:
            if do is not None and ("do", do) in form.buttons:
                return form
            if has is not None and has in form.fields:
                return form
        if do is not None or not posted:
            raise AssertionError(f"no form with {do or has!r} on «{self.heading}»: {[f.buttons for f in posted]}")
        return posted[0]
