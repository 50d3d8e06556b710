"""Parses the values of a question's filters. Raises `UserError`, with a sentence that helps, for an invalid value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from babel import Locale

from bot.api import Text, UserError, to_instant
from plugins.knowledge.text.folding import LANGUAGES, fold
from plugins.knowledge.text.tidy import tidy
from plugins.knowledge.urls import display

_NAMES_BY_LANGUAGE: Mapping[str, Sequence[str]] = {
    "topic": ("topic", "tema", "sujet", "assunto"),
    "from": ("from", "de", "de", "de"),
    "since": ("since", "desde", "depuis", "desde"),
    "until": ("until", "hasta", "jusque", "até"),
    "lang": ("lang", "idioma", "langue", "idioma"),
    "type": ("type", "tipo", "type", "tipo"),
    "site": ("site", "sitio", "site", "site"),
    "hub": ("hub", "comunidad", "communauté", "comunidade"),
    "sort": ("sort", "orden", "tri", "ordem"),
}  # in the order of LANGUAGES
_ALIASES = {"lang": ("language", "lengua", "lingua"), "hub": ("centro", "polo")}
NAMES: Mapping[str, Sequence[str]] = {
    key: [fold(name) for name in (*names, *_ALIASES.get(key, ()))] for key, names in _NAMES_BY_LANGUAGE.items()
}
"""Filter → all its names, folded."""

EXAMPLES = {"topic": "gifts", "from": "ana", "since": "2026", "until": "2026", "lang": "es", "type": "pdf",
            "site": "wcoomd.org", "hub": "transparency", "sort": "new"}  # fmt: skip

SORTS = {"new": ("new", "nuevo", "nuevos", "nouveau", "nouveaux", "recent", "novo", "novos", "date", "fecha", "data"),
         "useful": ("useful", "util", "utiles", "utile", "uteis", "votes", "votos")}  # fmt: skip
KINDS: Mapping[str, Sequence[str]] = {
    "word": ("doc", "docx", "odt"), "excel": ("xls", "xlsx", "ods", "csv"),
    "powerpoint": ("ppt", "pptx", "odp"), "presentation": ("ppt", "pptx", "odp"),
    "presentacion": ("ppt", "pptx", "odp"), "apresentacao": ("ppt", "pptx", "odp"),
}  # fmt: skip
"""Words for file types that are no file extension → the extensions."""

_DAY = re.compile(r"([12]\d{3})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", re.ASCII)
_SENDER = re.compile(r"@?[^\s:@]+(:\S+)?")


def written(name: str, value: str, language: str) -> str:
    """A filter as it is written in a language: `tema:gifts`."""
    return f"{dict(zip(LANGUAGES, _NAMES_BY_LANGUAGE[name], strict=True)).get(language, name)}:{value}"


def parse_sort(value: str) -> str:
    for order, names in SORTS.items():
        if fold(value) in names:
            return order
    raise UserError(Text("Sort with sort:new or sort:useful; “{said}” is not available.", said=tidy(value, 40)))


def parse_sender(value: str) -> str:
    if not _SENDER.fullmatch(value):
        raise UserError(
            Text("“{said}” is not a person; write from:ana or from:@ana:example.org.", said=tidy(value, 40))
        )
    name = value.removeprefix("@").lower()
    return f"@{name}" if ":" in name else fold(name)  # from:Lucía means @lucia, as no account has accents


def parse_instant(value: str, zone: str, name: str, *, end: bool = False) -> int:
    """The beginning, or the exclusive `end`, of a year, month or day in a time zone, as UTC milliseconds."""
    match = _DAY.fullmatch(value)
    if match:
        year, month, day = map(int, match.groups("1"))
        try:  # there may be no such day, or none after it
            start = datetime(year, month, day)  # noqa: DTZ001 - what the zone's clocks show
            if end:
                start = _after(start, whole_year=match[2] is None, whole_month=match[3] is None)
            return to_instant(start, zone)
        except (ValueError, OverflowError):
            pass
    raise UserError(
        Text(
            "“{said}” is not a date; write {name}:2026, {name}:2026-01 or {name}:2026-01-31.",
            said=tidy(value, 40),
            name=name,
        )
    )


def _after(start: datetime, *, whole_year: bool, whole_month: bool) -> datetime:
    if whole_year:
        return start.replace(year=start.year + 1)
    if whole_month:
        return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start + timedelta(days=1)


@lru_cache(maxsize=1)
def _languages() -> Mapping[str, str]:
    """Language names in the languages of this bot, folded → ISO codes."""
    return {
        fold(name): code
        for locale in ("pt", "fr", "es", "en")
        for code, name in Locale.parse(locale).languages.items()
        if len(code) <= 3
    }


def parse_language(value: str) -> str:
    code = fold(value)
    codes_by_name = _languages()
    if code in codes_by_name.values():
        return code
    if code in codes_by_name:
        return codes_by_name[code]
    raise UserError(Text("I don't know the language “{said}”; write one like lang:es.", said=tidy(value, 40)))


def parse_site(value: str) -> str:
    host = display.host(value if "://" in value else f"https://{value}")
    if not host:
        raise UserError(Text("“{said}” is not a site; write one like site:wcoomd.org.", said=tidy(value, 40)))
    return host
