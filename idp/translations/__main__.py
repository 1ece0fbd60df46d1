"""Brings the catalogues up to date: extract, merge, compile. `--check` changes nothing and fails if it would."""

from __future__ import annotations

import argparse
import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LANGUAGES = ("nb", "en")
ENGLISH = "en"
METHODS = {"idp": [("**.py", "python")], "templates": [("**.html", "jinja2"), ("**.txt", "jinja2")]}
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
ALWAYS = datetime(2026, 1, 1, tzinfo=UTC)
"""A date that every build writes, so that equal texts make equal files."""

HEADER = "# {language} texts of the identity provider. Message ids are the English text.\n#"


def main() -> int:
    """Run the command; 1 when --check finds something to do."""
    parser = argparse.ArgumentParser(prog="python -m idp.translations", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a catalogue is not current")
    check = parser.parse_args().check
    problems = []
    messages = extracted()
    for language in LANGUAGES:
        catalog = merged(messages, language)
        problems += [f"{language}: no text for {message.id!r}" for message in untranslated(catalog)]
        for path, content in files(catalog, language).items():
            if path.exists() and path.read_bytes() == content:
                continue
            if check:
                problems.append(f"{path.relative_to(ROOT)} is not current: run `make texts`")
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return 1 if problems else 0


def extracted() -> Catalog:
    """Every message of code and templates."""
    catalog = Catalog(fuzzy=False)
    for folder, methods in METHODS.items():
        found = extract_from_dir(
            ROOT / folder,
            method_map=methods,
            keywords=KEYWORDS,
            comment_tags=("Translators:",),
            strip_comment_tags=True,
        )
        for name, _, message, comments, context in sorted(found, key=lambda entry: (entry[0], entry[1])):
            catalog.add(message, locations=[(f"{folder}/{name}", 0)], auto_comments=comments, context=context)
    return catalog


def merged(messages: Catalog, language: str) -> Catalog:
    """The language's catalogue with exactly these messages; texts that are there stay, obsolete ones go."""
    catalog = existing(language)
    catalog.update(messages, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.fuzzy = False
    catalog.header_comment = HEADER.format(language=catalog.locale.get_display_name("en") if catalog.locale else "")
    if language == ENGLISH:
        for message in catalog:
            if message.id:
                message.string = message.id
    return catalog


def existing(language: str) -> Catalog:
    """The catalogue as it is; empty for a new language."""
    path = HERE / language / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return Catalog(locale=language, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def untranslated(catalog: Catalog) -> list[Message]:
    """Messages without a text, or without one for each plural form of the language."""
    return [message for message in catalog if message.id and not all(texts_of(message))]


def texts_of(message: Message) -> tuple[object, ...]:
    """The text of a message, or its texts when it has plural forms."""
    return tuple(message.string) if isinstance(message.string, (tuple, list)) else (message.string,)


def files(catalog: Catalog, language: str) -> dict[Path, bytes]:
    """What the catalogue is on disk, byte for byte the same on every machine and day."""
    folder = HERE / language / "LC_MESSAGES"
    text, compiled = io.BytesIO(), io.BytesIO()
    write_po(text, catalog, width=110, sort_output=True, omit_header=True)
    plural = f'"Plural-Forms: {catalog.plural_forms}\\n"'
    head = f'{HEADER.format(language=language)}\nmsgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    head += f'"Language: {language}\\n"\n{plural}\n\n'
    catalog.creation_date = catalog.revision_date = ALWAYS
    write_mo(compiled, catalog)
    return {
        folder / "messages.po": head.encode() + text.getvalue().lstrip(),
        folder / "messages.mo": compiled.getvalue(),
    }


if __name__ == "__main__":
    sys.exit(main())
