"""Reads the metadata of an HTML page: Open Graph first, then JSON-LD, then plain HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from urllib.parse import urljoin

from plugins.knowledge.fetch import jsonld
from plugins.knowledge.fetch.charset import decode
from plugins.knowledge.fetch.html_head import elements
from plugins.knowledge.text.html_tokens import unescaped
from plugins.knowledge.text.tidy import tidy

LONGEST = 524_288  # bytes of a page that are read
LONGEST_TITLE = 200
LONGEST_DESCRIPTION = 500
_LONGEST_NAME = 100
_LONGEST_ADDRESS = 2_048
_MOST_ELEMENTS = 1_000
_MOST_ALTERNATES = 50
_MOST_SCRIPTS = 10
_MOST_AUTHORS = 3

_TITLE = ("og:title", "twitter:title", "citation_title", "dc.title", "dcterms.title")
_DESCRIPTION = ("og:description", "description", "twitter:description", "dc.description", "dcterms.description")
_AUTHOR = ("author", "article:author", "citation_author", "dc.creator", "dcterms.creator")
_PUBLISHED = (
    "article:published_time", "citation_publication_date", "citation_date", "dcterms.issued", "dc.date.issued",
    "dcterms.date", "dc.date", "datepublished", "date",
)  # fmt: skip
_DATE = re.compile(r"\s*(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)", re.ASCII)
_TAG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8}){0,3}")
# ISO 639-1, and ISO 639-2 codes of the languages this bot speaks.
_LANGUAGES = frozenset(
    re.findall(
        r"\S+",
        """
        aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee
        el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is
        it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms
        mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk
        sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi
        yo za zh zu
        """,
    )
)
_LONG_CODES = {"eng": "en", "spa": "es", "fra": "fr", "fre": "fr", "por": "pt"}


@dataclass(frozen=True, slots=True)
class Head:
    """The fields of `Facts` that a page itself declares, in the same form. `title` may be that of a block page."""

    title: str | None = None
    description: str | None = None
    site: str | None = None
    author: str | None = None
    published: str | None = None
    language: str | None = None
    canonical: str | None = None
    alternates: Mapping[str, str] = field(default_factory=dict)


def read(data: bytes, content_type: str, address: str) -> Head:
    """The metadata of the page at `address`, whose beginning is `data`. Never raises; linear in `data`."""
    head = _HeadCollector(address)
    for element in islice(elements(decode(data[:LONGEST], content_type)), _MOST_ELEMENTS):
        head.add(element.name, element.attributes, element.text)
    json_ld = jsonld.read(head.scripts)
    published = [*head.named(_PUBLISHED[:1]), json_ld.published, *head.named(_PUBLISHED[1:])]
    languages = [head.language, *head.named(("og:locale", "content-language", "dc.language")), json_ld.language]
    return Head(
        title=_first([*head.named(_TITLE[:1]), json_ld.title, *head.named(_TITLE[1:]), head.title], LONGEST_TITLE),
        description=_first([*head.named(_DESCRIPTION), json_ld.description], LONGEST_DESCRIPTION),
        site=_first([*head.named(("og:site_name",)), json_ld.publisher], _LONGEST_NAME),
        author=_first([json_ld.author, *head.authors()], _LONGEST_NAME),
        published=next(filter(None, map(iso_date, published)), None),
        language=next(filter(None, map(iso_language, languages)), None),
        canonical=head.absolute(head.canonical or ""),
        alternates=head.versions(),
    )


def iso_date(text: str) -> str | None:
    """The date that a text begins with (`2026-03-01T…`, `2026/3/1`), as ISO 8601; None if there is no such day."""
    match = _DATE.match(text)
    try:
        return date(*map(int, match.groups())).isoformat() if match else None
    except ValueError:
        return None


def iso_language(tag: str) -> str | None:
    """The language of a tag like `es-MX` or `pt_BR`, as ISO 639-1."""
    code = re.split(r"[-_,;\s]", tag.strip(), maxsplit=1)[0].lower()
    code = _LONG_CODES.get(code, code)
    return code if code in _LANGUAGES else None


class _HeadCollector:
    """Collects metadata element by element; the first value of each field counts."""

    def __init__(self, address: str) -> None:
        self._base = address
        self._has_base = False
        self._named: dict[str, list[str]] = {}
        self._versions: dict[str, str] = {}
        self.language = ""
        self.title = ""
        self.canonical: str | None = None
        self.scripts: list[str] = []

    def add(self, name: str, attributes: Mapping[str, str], text: str) -> None:
        match name:
            case "html":
                self.language = self.language or attributes.get("lang", "") or attributes.get("xml:lang", "")
            case "title":
                self.title = self.title or unescaped(text)
            case "script":
                if len(self.scripts) < _MOST_SCRIPTS:
                    self.scripts.append(text)
            case "base":
                if not self._has_base and (base := self.absolute(attributes.get("href", ""))):
                    self._base, self._has_base = base, True
            case "meta":
                self._meta(attributes)
            case _:
                self._link(attributes)

    def named(self, names: tuple[str, ...]) -> list[str]:
        """The first content of each of these, in this order."""
        return [self._named[name][0] for name in names if name in self._named]

    def authors(self) -> list[str]:
        """The authors by each kind of `<meta>`; without URLs, which some sites put there."""
        ways = ([author for author in self._named.get(name, ()) if "://" not in author] for name in _AUTHOR)
        return [", ".join(way[:_MOST_AUTHORS]) for way in ways]

    def versions(self) -> dict[str, str]:
        urls = {tag: self.absolute(href) for tag, href in self._versions.items()}
        return {tag: address for tag, address in urls.items() if address}

    def absolute(self, href: str) -> str | None:
        """The absolute http(s) address of a link; None if it is not one."""
        try:
            address = urljoin(self._base, href.strip()) if len(href) <= _LONGEST_ADDRESS else ""
        except ValueError:
            return None
        sound = address.isprintable() and " " not in address and len(address) <= _LONGEST_ADDRESS
        return address if sound and href and re.match(r"https?://[^/]", address, re.IGNORECASE) else None

    def _meta(self, attributes: Mapping[str, str]) -> None:
        content = attributes.get("content", "")
        for key in ("property", "name", "itemprop", "http-equiv"):
            if content.strip() and (name := attributes.get(key, "").strip().lower()):
                values = self._named.setdefault(name, [])
                if len(values) < _MOST_AUTHORS:
                    values.append(content)

    def _link(self, attributes: Mapping[str, str]) -> None:
        relations = attributes.get("rel", "").lower().split()
        href = attributes.get("href", "")
        if "canonical" in relations and self.canonical is None:
            self.canonical = href
        tag = attributes.get("hreflang", "").strip().lower().replace("_", "-")
        if "alternate" in relations and _TAG.fullmatch(tag) and len(self._versions) < _MOST_ALTERNATES:
            self._versions.setdefault(tag, href)


def _first(texts: list[str], longest: int) -> str | None:
    """The first text that is not blank, as one line."""
    return next(filter(None, (tidy(text, longest) for text in texts)), None)
