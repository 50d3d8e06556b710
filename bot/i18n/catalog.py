"""`bot.ports.Translations` over gettext catalogues; a `.po` file is read when it is first needed."""

from __future__ import annotations

import io
from collections.abc import Mapping
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from string import Formatter
from typing import get_args

import structlog

from bot.core.texts import Text
from bot.hubs import Language
from bot.ports import Translator

SOURCE = "en"  # the language templates are written in
LANGUAGES: tuple[str, ...] = get_args(Language)
CORE = "core"
CORE_FOLDER = Path(__file__).parent

log = structlog.get_logger()


def po_file(folder: Path, language: str) -> Path:
    """Where the catalogue of a language is, for the core and for a plugin alike."""
    return folder / "locales" / f"{language}.po"


class Catalogs:
    """Every owner's sentences. `folders` says where each plugin is; one without `locales/` speaks English."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = {**folders, CORE: CORE_FOLDER}
        self._ready: dict[tuple[str, str], CatalogTranslator] = {}

    def translator(self, owner: str, language: str) -> Translator:
        """Any code is taken (`es`, `pt-BR`, `de`); a language without catalogues is answered in English."""
        language = _known(language)
        if (owner, language) not in self._ready:
            self._ready[owner, language] = CatalogTranslator(language, self._with_core(owner, language))
        return self._ready[owner, language]

    def all_owners(self, language: str) -> Translator:
        """The sentences of all owners: for what the core or any plugin may have said."""
        language = _known(language)
        catalog = NullTranslations()
        for owner in self._folders:
            catalog.add_fallback(self._own(owner, language))
        return CatalogTranslator(language, catalog)

    def _own(self, owner: str, language: str) -> NullTranslations:
        folder = self._folders.get(owner)
        file = po_file(folder, language) if folder else None
        return _read(file) if file and language != SOURCE and file.is_file() else NullTranslations()

    def _with_core(self, owner: str, language: str) -> NullTranslations:
        catalog = self._own(owner, language)
        if owner != CORE:
            core = self.translator(CORE, language)
            assert isinstance(core, CatalogTranslator)  # noqa: S101 - for mypy: we made it
            catalog.add_fallback(core.catalog)
        return catalog


class CatalogTranslator:
    """One owner's sentences in one language."""

    def __init__(self, language: str, catalog: NullTranslations) -> None:
        self._language = language
        self.catalog = catalog

    @property
    def language(self) -> str:
        return self._language

    def t(self, template: str | Text, **values: object) -> str:
        if isinstance(template, Text):
            values = {**dict(template.values), **values}
            template = template.template
        # gettext's own entry "" is the catalogue's header
        return self._filled(self.catalog.gettext(template) if template else "", template, values)

    def n(self, singular: str, plural: str, count: int, **values: object) -> str:
        source = singular if count == 1 else plural
        return self._filled(self.catalog.ngettext(singular, plural, count), source, {"count": count, **values})

    def _filled(self, translated: str, source: str, values: Mapping[str, object]) -> str:
        said = {name: self.t(value) if isinstance(value, Text) else value for name, value in values.items()}
        for template in (translated, source):
            try:
                return fill(template, said)
            except (KeyError, ValueError):
                continue
        return source


def fill(template: str, values: Mapping[str, object]) -> str:
    """Puts values in the place of `{names}`; `{{` is a brace.

    Only plain names count, so that a catalogue can never read attributes of what is put in. Raises `KeyError`
    for a name without a value, `ValueError` for anything else between braces.
    """
    parts: list[str] = []
    for text, name, spec, conversion in Formatter().parse(template):
        parts.append(text)
        if name is not None:
            if spec or conversion or not name.isidentifier():
                raise ValueError(f"'{{{name}}}' is not a plain placeholder")
            parts.append(str(values[name]))
    return "".join(parts)


def _known(language: str) -> str:
    language = language.replace("_", "-").partition("-")[0].lower()
    return language if language in LANGUAGES else SOURCE


def _read(file: Path) -> NullTranslations:
    """Reads a `.po` file. Strings marked fuzzy (a guess of the tool, not yet looked at) do not count.

    One that cannot be read is logged and leaves its owner speaking English. Babel is imported here because a
    bot that speaks English only never needs it.
    """
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import PoFileError, read_po

    compiled = io.BytesIO()
    try:
        with file.open("rb") as source:
            write_mo(compiled, read_po(source, locale=file.stem, abort_invalid=True))
        compiled.seek(0)
        return GNUTranslations(compiled)
    except (OSError, ValueError, PoFileError) as error:
        log.warning("reading translations failed", file=str(file), error=str(error))
        return NullTranslations()
