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

from babel.dates import format_date, format_time
from babel.support import NullTranslations, Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from idp import clock
from idp.delivery.outbox import Message
from idp.settings import Settings

BRITISH = {"en": "en_GB"}
"""English dates are written as Europeans read them: 23 November 2026."""

CATALOGUES = Path(__file__).parent.parent / "translations"


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in words: the same in plain text and in HTML."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)


class Wording:
    """Puts messages into words."""

    def __init__(self, settings: Settings, templates: Path) -> None:
        self._settings = settings
        self._templates = templates

    def mail(self, message: Message) -> Mail:
        """A mail's subject and its two bodies."""
        environment, values = self._environment(message.locale), self._values(message)
        written = environment.get_template(f"mail/{message.kind}.txt").render(values).strip()
        subject, _, text = written.partition("\n")
        text = text.strip() + "\n"
        blocks = [block.split("\n") for block in text.strip().split("\n\n")]
        html = environment.get_template("mail/frame.html").render(
            values, blocks=blocks, language=message.locale, subject=subject
        )
        if "code" in values and not self._settings.codes.subject_has_code:
            # No code on a lock screen; the time keeps mail programs from folding a new mail under an old one.
            _, _, words = subject.partition(f"{values['code']} ")
            subject = f"{words} {values['time']}"
        return Mail(" ".join(subject.split()), text, html)

    def sms(self, message: Message) -> str:
        """A text message; its last line binds the code to the host it is typed at (page spec §12.4)."""
        template = self._environment(message.locale).get_template(f"sms/{message.kind}.txt")
        return template.render(self._values(message)).strip()

    def call(self, message: Message) -> str:
        """What a call says, digit by digit (page spec §12.5)."""
        template = self._environment(message.locale).get_template(f"voice/{message.kind}.txt")
        return template.render(self._values(message)).strip()

    def _environment(self, locale: str) -> Environment:
        return _environment(self._templates, locale)

    def _values(self, message: Message) -> dict[str, str]:
        service = self._settings.service
        asked = clock.now().astimezone(ZoneInfo(service.time_zone))
        until = asked + timedelta(minutes=int(message.values.get("minutes", "0")))
        return {
            "device": "",
            **message.values,
            "service": service.name,
            "phone": service.support_phone,
            "host": urlsplit(self._settings.server.issuer).hostname or "",
            "date": format_date(asked, "long", locale=BRITISH.get(message.locale, message.locale)),
            "time": _clock(asked, message.locale),
            "until": _clock(until, message.locale),
            "zone": service.time_zone,
        }


@cache
def _environment(templates: Path, locale: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    catalogue: NullTranslations = Translations.load(CATALOGUES, [locale])
    environment.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
    return environment


def _clock(instant: datetime, locale: str) -> str:
    """A clock time as people of the language write it: 14.35 in Norwegian, 14:35 in English."""
    return format_time(instant, "HH.mm" if locale == "nb" else "HH:mm", locale=locale)
