"""Messages in words: the templates of mail, text message and call (page spec §12).

A mail's HTML is drawn from its plain text, so both say the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_name
from babel.support import NullTranslations, Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from idp.delivery.outbox import Message
from idp.settings import Settings

CATALOGUES = Path(__file__).parent.parent / "translations"

MASTER = "en"
"""The language of the message ids: what is left where a catalogue is missing."""

HEADING = "# "
"""Begins a heading in the templates of mails; the plain text is without it."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in words: the same in plain text and in HTML."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    language: str


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together: a heading, or a paragraph."""

    heading: bool
    lines: list[str] = field(repr=False)


class Wording:
    """Puts messages into words."""

    def __init__(self, settings: Settings, templates: Path) -> None:
        self._settings = settings
        self._templates = templates

    def mail(self, message: Message) -> Mail:
        """A mail's subject and its two bodies."""
        language = _language(message.locale)
        environment, values = _environment(self._templates, language), self._values(message, language)
        written = environment.get_template(f"mail/{message.kind}.txt").render(values).strip()
        subject, _, text = written.partition("\n")
        blocks = [_block(block.split("\n")) for block in text.strip().split("\n\n") if block.strip()]
        html = environment.get_template("mail/frame.html").render(
            values, blocks=blocks, language=language, subject=subject
        )
        plain = "\n\n".join("\n".join(block.lines) for block in blocks)
        return Mail(subject.strip(), f"{plain}\n", html, language)

    def sms(self, message: Message) -> str:
        """A text message; the last line of one with a code binds it to the host it is typed at (page spec §12.4)."""
        return self._written(f"sms/{message.kind}.txt", message)

    def call(self, message: Message) -> list[str]:
        """What a call says, digit by digit, line by line (page spec §12.5)."""
        return self._written(f"voice/{message.kind}.txt", message).split("\n")

    def _written(self, template: str, message: Message) -> str:
        language = _language(message.locale)
        environment = _environment(self._templates, language)
        return environment.get_template(template).render(self._values(message, language)).strip()

    def _values(self, message: Message, language: str) -> dict[str, object]:
        service = self._settings.service
        zone = ZoneInfo(message.time_zone or service.time_zone)
        asked = message.at.astimezone(zone)
        until = (message.at + timedelta(minutes=int(message.values.get("minutes", "0")))).astimezone(zone)
        return {
            "device": "",
            "place": "",
            # Nothing in a value makes a line of its own: not a header, not a heading, not the last line of an SMS.
            **{name: " ".join(value.split()) for name, value in message.values.items()},
            "on": _day(message.values.get("on"), zone, language),
            "service": service.name,
            "phone": service.support_phone,
            "host": urlsplit(self._settings.server.issuer).hostname or "",
            "subject_has_code": self._settings.codes.subject_has_code,
            "date": format_date(asked, "long", locale=language),
            "time": _clock(asked, language),
            "until": _clock(until, language),
            "norwegian_time": zone.key == "Europe/Oslo",
            "zone": get_timezone_name(zone, width="long", zone_variant="generic", locale=language),
        }


@cache
def _environment(templates: Path, language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    catalogue: NullTranslations = Translations.load(CATALOGUES, [language])
    environment.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
    return environment


def _language(locale: str) -> str:
    """The language a message is written in: the one asked for if there is a catalogue, else the masters' English."""
    wanted = locale.replace("-", "_").partition("_")[0].lower()
    wanted = {"no": "nb", "nn": "nb"}.get(wanted, wanted)
    return wanted if wanted.isalpha() and (CATALOGUES / wanted / "LC_MESSAGES" / "messages.mo").is_file() else MASTER


def _block(lines: list[str]) -> Block:
    heading = lines[0].startswith(HEADING)
    return Block(heading, [lines[0].removeprefix(HEADING), *lines[1:]])


def _day(instant: str | None, zone: ZoneInfo, language: str) -> str:
    """The date of an instant that a message tells of."""
    told = datetime.fromisoformat(instant).astimezone(zone) if instant else None
    return format_date(told, "d. MMMM y" if language == "nb" else "d MMMM y", locale=language) if told else ""


def _clock(instant: datetime, language: str) -> str:
    """A clock time as people of the language write it: 14.35 in Norwegian, 14:35 in English."""
    return format_time(instant, "HH.mm" if language == "nb" else "HH:mm", locale=language)
