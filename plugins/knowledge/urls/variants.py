"""Which addresses may be one page, though their keys differ?

Nothing here merges anything. `loose` and `without_language` are keys under which addresses are *candidates* that are
shown to moderators; `may_join` says which of a site's own claims (`rel=canonical`, a redirect) are worth proposing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import ip_address
from urllib.parse import unquote

from publicsuffixlist import PublicSuffixList

from plugins.knowledge.urls.canonical import canonical

_ALIAS_HOSTS = frozenset(("www", "m", "mobile"))
_INDEX = re.compile(r"(?:index|default)\.(?:html?|php|aspx?|jsp)", re.IGNORECASE)
_PRINT_NAMES = frozenset(("print", "printable", "printer_friendly", "printview"))
_PRINT_PAIRS = frozenset(("p=1", "format=print", "view=print"))
_LANGUAGE_NAMES = frozenset(("hl", "idioma", "lang", "language", "lng", "locale"))
# ISO 639-1 codes, without those that addresses use for something else: no, so, to, my, ca, uk, hr…
_LANGUAGES = frozenset(
    """ar bg bn bs cs da de el en es et eu fa fi fr gl hi hu hy it ja kk ko lt lv mn nl pl pt ro ru sk sl sq sr sv sw
    th tr ur uz vi zh""".split()  # noqa: SIM905 - forty quoted codes read worse
)
# What most addresses have nothing of, so that they need not be taken apart.
_MAY_NAME = re.compile(rf"[/.=](?:{'|'.join(sorted(_LANGUAGES))})(?![a-z0-9])|%", re.IGNORECASE)
_TAG = re.compile(r"(?P<code>[a-z]{2})(?:[-_](?:[a-z]{2}|[0-9]{3}|cyrl|hans|hant|latn))?", re.IGNORECASE)
# Where sites send those who may not see a page, or ask for one that is gone.
_NO_PAGE = re.compile(
    r"(?:log-?in|sign-?in|logon|auth(?:orize)?|sso|consent|captcha|error|(?:page)?-?not-?found|40[0-9]|50[0-9])"
    r"(?:\.[a-z]{3,5})?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of a key. `below` are the labels before the registrable domain, which `domain` is, with its port."""

    below: tuple[str, ...]
    domain: str
    path: tuple[str, ...]  # segments; ("",) is the home page
    query: tuple[str, ...]
    fragment: str

    def __str__(self) -> str:
        query = "?" + "&".join(self.query) if self.query else ""
        return f"{'.'.join((*self.below, self.domain))}/{'/'.join(self.path)}{query}{self.fragment}"


def loose(url: str) -> str | None:
    """The key under which two addresses are candidates: that of `canonical`, but for the scheme, `www.` and mobile
    hosts, a slash at the end, `index.html` and its like, and print views. None if the text is no web address."""
    parts = _loose(url)
    return str(parts) if parts else None


def language_of_address(url: str) -> str | None:
    """The language (ISO 639-1) that an address names: `?lang=es`, a segment `/es/` or `/es-es/`, a host `es.…`."""
    parts = _loose(url) if _MAY_NAME.search(url) else None
    return _language(parts)[0] if parts else None


def without_language(url: str) -> str | None:
    """The loose key without the language that the address names; versions of one page in several languages share it."""
    parts = _loose(url)
    return str(_language(parts)[1]) if parts else None


def registrable(url: str) -> str | None:
    """The domain somebody registered (`wcoomd.org` of `mag.wcoomd.org`), by the public suffix list, those of hosting
    services included (`ana.github.io`). None for public suffixes themselves, IP addresses and names without a dot."""
    host = _host(canonical(url) or "")
    return _domain(host) if host else None


def same_site(one: str, other: str) -> bool:
    """Do two addresses belong to one registrable domain, or, where there is none, to one host (but for `www.`)?"""
    hosts = [_host(canonical(url) or "").removeprefix("www.") for url in (one, other)]
    if not all(hosts):
        return False
    domains = {registrable(url) for url in (one, other)}
    return hosts[0] == hosts[1] or (len(domains) == 1 and None not in domains)


def may_join(source: str, target: str) -> bool:
    """May a page's own claim that it is `target` (`rel=canonical`, a redirect) be proposed as a join?

    Both must be web addresses of one site (`same_site`). Refused is a target that

    - is a home page, also of a language, unless the source is one;
    - names another language than the source does: that is a version of the page, not the page;
    - is where sites send those who may not see a page, or ask for one that is gone (`/login`, `/404`);
    - lost what the source's query said: at the same path the queries must say the same in any order (more is allowed
      only where there was nothing); at another one each value must be found again in the target's query or path.
    """
    before, after = _loose(source), _loose(target)
    if before is None or after is None or not same_site(source, target):
        return False
    (language, bare), (other_language, other_bare) = _language(before), _language(after)
    if language and other_language and language != other_language:
        return False
    if _is_home(other_bare):
        return _is_home(bare)
    if _NO_PAGE.fullmatch(after.path[-1]) and not _NO_PAGE.fullmatch(before.path[-1]):
        return False
    if bare.path == other_bare.path:
        return not bare.query or sorted(bare.query) == sorted(other_bare.query)
    return _is_said_again(bare, other_bare)


def _is_said_again(before: _Parts, after: _Parts) -> bool:
    """Is every value of the first query in the second, or a word of the second's path (`?id=12` → `/node/12-gifts`)?"""
    values = {value for _, value in map(_pair, after.query)}
    words = {word for segment in after.path for word in (segment, *re.split(r"[-_.,]", segment))}
    return all(pair in after.query or _pair(pair)[1] in values | words for pair in before.query)


def _is_home(parts: _Parts) -> bool:
    return parts.path == ("",) and not parts.query and not parts.fragment


def _loose(url: str) -> _Parts | None:
    key = canonical(url)
    if key is None:
        return None
    authority, _, rest = key.partition("://")[2].partition("/")
    rest, hash_sign, fragment = rest.partition("#")
    path, _, query = rest.partition("?")
    host = _host(key)
    port = authority.removeprefix(host)
    host = host.removeprefix("www.")
    domain = _domain(host) or host
    below = host.removesuffix(domain).split(".")
    segments = _without_print(_without_index(path.split("/")))
    is_home = segments == [""]
    return _Parts(
        below=tuple(label for label in below if label and label not in _ALIAS_HOSTS),
        domain=domain + port,
        path=tuple(segments),
        query=tuple(pair for pair in query.split("&") if pair and not _prints(pair, is_home=is_home)),
        fragment=hash_sign + fragment,
    )


def _without_index(segments: list[str]) -> list[str]:
    """Without the name of an index file, and without slashes at the end."""
    kept = segments[:-1] if _INDEX.fullmatch(segments[-1]) else list(segments)
    while kept and not kept[-1]:
        kept.pop()
    return kept or [""]


def _without_print(segments: list[str]) -> list[str]:
    """`/print/node/12` and `/node/12/print` are `/node/12`; a page that is only called so stays."""
    if len(segments) > 1 and segments[-1].lower() == "print":
        return segments[:-1]
    if len(segments) > 1 and segments[0].lower() == "print":
        return segments[1:]
    return segments


def _prints(pair: str, *, is_home: bool) -> bool:
    """Does this parameter ask for the print view? `/?p=1` does not: so WordPress names its first page."""
    if pair.lower() == "p=1":
        return not is_home
    return pair.lower() in _PRINT_PAIRS or _pair(pair)[0] in _PRINT_NAMES


def _pair(pair: str) -> tuple[str, str]:
    name, _, value = pair.partition("=")
    return name.lower(), unquote(value)


def _language(parts: _Parts) -> tuple[str | None, _Parts]:
    """The language that an address names, and the address without it."""
    for pair in parts.query:
        name, value = _pair(pair)
        if name in _LANGUAGE_NAMES and (code := _code(value)):
            return code, replace(parts, query=_but(parts.query, pair))
    for segment in parts.path:
        if code := _code(segment):
            return code, replace(parts, path=_but(parts.path, segment) or ("",))
    for label in parts.below[:1]:
        if code := _code(label):
            return code, replace(parts, below=parts.below[1:])
    return None, parts


def _code(text: str) -> str | None:
    tag = _TAG.fullmatch(text)
    code = tag["code"].lower() if tag else None
    return code if code in _LANGUAGES else None


def _but(items: tuple[str, ...], item: str) -> tuple[str, ...]:
    position = items.index(item)
    return items[:position] + items[position + 1 :]


def _host(key: str) -> str:
    """The host of a key, without its port."""
    return re.sub(r":[0-9]+$", "", key.partition("://")[2].partition("/")[0])


def _domain(host: str) -> str | None:
    if host.startswith("["):
        return None
    try:
        ip_address(host)
    except ValueError:
        return _suffixes()(host)
    return None


@cache
def _suffixes() -> Callable[[str], str | None]:
    """Reading the list takes a tenth of a second, so it is read when it is first needed, and once."""
    return PublicSuffixList().privatesuffix
