"""Updates `.po` files from the code.

The output depends on code and translations only (no dates, no line numbers, sorted), so that a changed
sentence is a change of a few lines.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

from bot.i18n.catalog import CORE, CORE_FOLDER, LANGUAGES, SOURCE, po_file
from bot.i18n.extract import Sentence, sentences

TRANSLATED = tuple(language for language in LANGUAGES if language != SOURCE)
WIDTH = 110


def owners() -> dict[str, Path]:
    """The core and the built-in plugins with the folders that hold their `locales/`."""
    plugins = CORE_FOLDER.parent.parent / "plugins"
    return {CORE: CORE_FOLDER} | {init.parent.name: init.parent for init in sorted(plugins.glob("*/__init__.py"))}


def sentences_of(folder: Path) -> set[Sentence]:
    """The sentences of an owner; the core's are in all of `bot/`."""
    return sentences(sorted((folder.parent if folder == CORE_FOLDER else folder).rglob("*.py")))


def updated(folder: Path) -> Iterator[tuple[Path, str]]:
    """The up-to-date catalogues of an owner; none if it has no sentences."""
    texts = sentences_of(folder)
    for language in TRANSLATED if texts else ():
        file = po_file(folder, language)
        catalog = load(file, language)
        catalog.update(_template(texts))
        yield file, _header(language) + _body(catalog)


def load(file: Path, language: str) -> Catalog:
    """A catalogue as it is on disk; an empty one if there is no file yet."""
    if not file.is_file():
        return Catalog(language)
    with file.open("rb") as source:
        return read_po(source, locale=language)


def untranslated(catalog: Catalog) -> list[str]:
    """The English of the empty or fuzzy messages of a catalogue."""
    return [
        forms(message.id)[0] for message in catalog if message.id and (message.fuzzy or not all(forms(message.string)))
    ]


def forms(text: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    """A message's text, or its singular and plural, always as a tuple."""
    return (text or "",) if text is None or isinstance(text, str) else tuple(text)


def out_of_date(folders: Mapping[str, Path]) -> dict[Path, str]:
    """Files that differ from what they should contain."""
    return {
        file: text
        for folder in folders.values()
        for file, text in updated(folder)
        if not file.is_file() or file.read_text(encoding="utf-8") != text
    }


def _template(texts: set[Sentence]) -> Catalog:
    catalog = Catalog()
    for sentence in sorted(texts):
        catalog.add((sentence.singular, sentence.plural) if sentence.plural else sentence.singular)
    return catalog


def _header(language: str) -> str:
    return (
        'msgid ""\nmsgstr ""\n'
        f'"Language: {language}\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Plural-Forms: {get_plural(language)}\\n"\n\n'
    )


def _body(catalog: Catalog) -> str:
    written = io.BytesIO()
    write_po(
        written,
        catalog,
        width=WIDTH,
        no_location=True,
        omit_header=True,
        sort_output=True,
        ignore_obsolete=True,
    )
    return written.getvalue().decode("utf-8")
