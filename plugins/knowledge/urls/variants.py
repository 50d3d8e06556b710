"""Recognises addresses that may lead to the same page although their canonical keys differ.

Nothing here merges anything. `loose` and `without_language` are coarser keys: addresses that share one are *candidates*
for moderators. `may_join` decides which claims of a site (`rel=canonical`, a redirect) are worth proposing.
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
# ISO 639-1 codes, without those that often mean something else in addresses: no, so, to, my, ca, uk, hr…
_LANGUAGES = frozenset(
    """ar bg bn bs cs da de el en es et eu fa fi fr gl hi hu hy it ja kk ko lt lv mn nl pl pt ro ru sk sl sq sr sv sw
    th tr ur uz vi zh""".split()  # noqa: SIM905 - forty quoted codes read worse
)
# Most addresses do not match, and need no parsing.
_MAY_NAME_LANGUAGE = re.compile(rf"[/.=](?:{'|'.join(sorted(_LANGUAGES))})(?![a-z0-9])|%", re.IGNORECASE)
_TAG = re.compile(r"(?P<code>[a-z]{2})(?:[-_](?:[a-z]{2}|[0-9]{3}|cyrl|hans|hant|latn))?", re.IGNORECASE)
# Where sites redirect visitors without access, or requests for a page that is gone.
_NO_PAGE = re.compile(
    r"(?:log-?in|sign-?in|logon|auth(?:orize)?|sso|consent|captcha|error|(?:page)?-?not-?found|40[0-9]|50[0-9])"
    r"(?:\.[a-z]{3,5})?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of a key. `domain`: the registrable domain with its port. `below`: the labels before it."""

    below: tuple[str, ...]
    domain: str
    path: tuple[str, ...]  # segments; ("",) is the home page
    query: tuple[str, ...]
    fragment: str

    def __str__(self) -> str:
        query = "?" + "&".join(self.query) if self.query else ""
        return f"{'.'.join((*self.below, self.domain))}/{'/'.join(self.path)}{query}{self.fragment}"


def loose(url: str) -> str | None:
    """A coarser key than `canonical`: ignores the scheme, `www.` and mobile hosts, a trailing slash, `index.html` and
    the like, and print views. None if the text is no web address."""
    parts = _loose(url)
    return str(parts) if parts else None


def language_of_address(url: str) -> str | None:
    """The language (ISO 639-1) that an address names: `?lang=es`, a segment `/es/` or `/es-es/`, a host `es.…`."""
    parts = _loose(url) if _MAY_NAME_LANGUAGE.search(url) else None
    return _language(parts)[0] if parts else None


def without_language(url: str) -> str | None:
    """The loose key without the language that the address names: the same for versions of a page in several
    languages."""
    parts = _loose(url)
    return str(_language(parts)[1]) if parts else None


def registrable(url: str) -> str | None:
    """The registrable domain (`wcoomd.org` of `mag.wcoomd.org`) by the public suffix list, including its private
    section (`ana.github.io`). None for public suffixes themselves, IP addresses and names without a dot."""
    host = _host(canonical(url) or "")
    return _domain(host) if host else None


def same_site(first: str, second: str) -> bool:
    """Whether two addresses have the same registrable domain or, without one, the same host (ignoring `www.`)."""
    hosts = [_host(canonical(url) or "").removeprefix("www.") for url in (first, second)]
    if not all(hosts):
        return False
    domains = {registrable(url) for url in (first, second)}
    return hosts[0] == hosts[1] or (len(domains) == 1 and None not in domains)


def may_join(source: str, target: str) -> bool:
    """Whether to propose a merge because a page claims to be `target` (`rel=canonical`, a redirect).

    Both must be web addresses of the same site (`same_site`). A target is refused if it

    - is a home page (also the home page of a language), unless the source is one, too;
    - names another language than the source: then it is a translation, not the same page;
    - is a login or error page (`/login`, `/404`);
    - loses parameters of the source: at the same path, both queries must have the same parameters in any order (or the
      source none); at another path, each value must occur in the target's query or path.
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
    return _keeps_query(bare, other_bare)


def _keeps_query(before: _Parts, after: _Parts) -> bool:
    """Whether each value of the first query occurs in the second query or path (`?id=12` → `/node/12-gifts`)."""
    values = {value for _, value in map(_name_and_value, after.query)}
    words = {word for segment in after.path for word in (segment, *re.split(r"[-_.,]", segment))}
    return all(pair in after.query or _name_and_value(pair)[1] in values | words for pair in before.query)


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
        query=tuple(pair for pair in query.split("&") if pair and not _is_print_parameter(pair, is_home=is_home)),
        fragment=hash_sign + fragment,
    )


def _without_index(segments: list[str]) -> list[str]:
    """The segments without the name of an index file and without trailing slashes."""
    kept = segments[:-1] if _INDEX.fullmatch(segments[-1]) else list(segments)
    while kept and not kept[-1]:
        kept.pop()
    return kept or [""]


def _without_print(segments: list[str]) -> list[str]:
    """`/print/node/12` and `/node/12/print` become `/node/12`; a page `/print` stays."""
    if len(segments) > 1 and segments[-1].lower() == "print":
        return segments[:-1]
    if len(segments) > 1 and segments[0].lower() == "print":
        return segments[1:]
    return segments


def _is_print_parameter(pair: str, *, is_home: bool) -> bool:
    """Whether a parameter asks for the print view. `/?p=1` does not: it is how WordPress addresses a post."""
    if pair.lower() == "p=1":
        return not is_home
    return pair.lower() in _PRINT_PAIRS or _name_and_value(pair)[0] in _PRINT_NAMES


def _name_and_value(pair: str) -> tuple[str, str]:
    name, _, value = pair.partition("=")
    return name.lower(), unquote(value)


def _language(parts: _Parts) -> tuple[str | None, _Parts]:
    """The language that an address names, if any, and the address without it."""
    for pair in parts.query:
        name, value = _name_and_value(pair)
        if name in _LANGUAGE_NAMES and (code := _language_code(value)):
            return code, replace(parts, query=_without(parts.query, pair))
    for segment in parts.path:
        if code := _language_code(segment):
            return code, replace(parts, path=_without(parts.path, segment) or ("",))
    for label in parts.below[:1]:
        if code := _language_code(label):
            return code, replace(parts, below=parts.below[1:])
    return None, parts


def _language_code(text: str) -> str | None:
    tag = _TAG.fullmatch(text)
    code = tag["code"].lower() if tag else None
    return code if code in _LANGUAGES else None


def _without(items: tuple[str, ...], item: str) -> tuple[str, ...]:
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
    """The public suffix list, loaded once, on first use, because loading takes 0.1 s."""
    return PublicSuffixList().privatesuffix
