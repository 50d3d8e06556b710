"""Derives text for readers from an address: site, words, language, a fallback title. Secrets are masked."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

from plugins.knowledge.text.folding import LANGUAGES
from plugins.knowledge.urls.canonical import canonical, without_credentials
from plugins.knowledge.urls.homographs import readable, to_unicode
from plugins.knowledge.urls.variants import language_of_address

_SECRET = re.compile(
    r"(?P<name>[?&#;](?:[a-z0-9_]*token|pass(?:word|wd)?|pwd|secret|client_secret|sig|signature|jwt|otp|api_?key"
    r"|auth|bearer|access_key|resourcekey|x-(?:amz|goog)-(?:signature|credential|security-token)"
    r"|(?:j|php|asp\.?net_|asp)?sess(?:ion)?_?id)=)[^&#;]+"
    # What these names hold is a secret only if it is long: `?code=sv` is a country, `?key=annex` a chapter.
    r"|(?P<perhaps>[?&#;](?:sid|session|ticket|key|code|invite|h)=)[^&#;]{16,}"
    r"|(?P<before>[/=])eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*",  # a JSON Web Token
    re.IGNORECASE,
)
_ENCODED_PLAINLY = re.compile(r"%(?:2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])", re.IGNORECASE)
"""Letters and digits that need no percent-encoding (RFC 3986, "unreserved"): `?tok%65n=` is `?token=`."""
_FILE_ENDING = re.compile(r"\.(?:aspx?|html?|jsp|pdf|php|docx?|xlsx?|pptx?|txt|xml)$", re.IGNORECASE)
_HOST = re.compile(r"[^/?#]*+")
_PORT = re.compile(r":[0-9]+$")
_NOT_PLAIN = re.compile(r"(?:%[0-9A-Fa-f]{2}|[^\x21-\x7e])+")
_NO_WORDS = re.compile(r"[-_+.\s]+")
_LETTERS = re.compile(r"[^\W\d_]{3}")
_GENERIC_WORDS = frozenset(
    """about article articulo book content contents default detail details doc document download embed embedable file
    front fullversion home html index item main news node page pages pagina post publication read resource show view
    viewer watch xml""".split()  # noqa: SIM905 - forty quoted words read worse
)
HIDDEN = "…"


def masked(url: str) -> str:
    """The address with the values of secret parameters (tokens, passwords, signatures) replaced by `…`."""
    plain = _plain(url)
    hidden = _SECRET.sub(lambda match: f"{match['name'] or match['perhaps'] or match['before']}{HIDDEN}", plain)
    return url if hidden == plain else hidden


def has_secret(url: str) -> bool:
    return bool(_SECRET.search(_plain(url)))


def _plain(url: str) -> str:
    return _ENCODED_PLAINLY.sub(lambda code: chr(int(code[0][1:], 16)), url) if "%" in url else url


def site(url: str) -> str:
    """The host without `www.`; in Unicode where that is safe, else in punycode, to expose homographs."""
    return _authority(url).removeprefix("www.")


def host(url: str) -> str:
    """The host for comparison: lower case, punycode, without `www.` and port; "" if the text is no web address."""
    key = canonical(url)
    return _PORT.sub("", _host(key)).removeprefix("www.") if key else ""


def shown(url: str) -> str:
    """The address for display, not for links: without credentials and secrets, its host as in `site`, letters of the
    path decoded (`/gu%C3%ADa` → `/guía`), invisible and right-to-left characters encoded."""
    visible = masked(without_credentials(url)).encode(errors="replace").decode()  # replaces lone surrogates
    scheme, separator, rest = visible.partition("://")
    if not separator or canonical(url) is None:
        return _legible(visible)
    path = _HOST.sub("", rest, count=1)
    return f"{scheme.lower()}://{_authority(url)}{_legible(path)}"


def title(url: str) -> str:
    """A title derived from the address: the last segment of its path that has words, else its site."""
    path = masked(url).partition("://")[2].partition("#")[0].partition("?")[0]
    for segment in reversed(path.split("/")[1:]):
        words = _NO_WORDS.sub(" ", _FILE_ENDING.sub("", unquote(segment))).strip()
        if _LETTERS.search(words):
            return words
    return site(url)


def says_nothing(title_: str, url: str) -> bool:
    """Whether a title derived from an address is only its site, a number, or generic words."""
    return title_ == site(url) or all(word.lower() in _GENERIC_WORDS or not word.isalpha() for word in title_.split())


def language(url: str) -> str | None:
    """The language that an address names, if it is one of the four. Other codes are often country codes: `sv` means El
    Salvador more often than Swedish."""
    code = language_of_address(url)
    return code if code in LANGUAGES else None


def words(url: str) -> str:
    """The address as text for the index, without its secrets; includes an internationalised domain in Unicode."""
    text = unquote(masked(without_credentials(url)).partition("://")[2]).removeprefix("www.")
    if url.isascii() and "xn--" not in url.lower() and "%" not in url:  # most addresses: nothing to decode
        return text
    host = to_unicode(_host(url))
    return text if host in text else f"{text} {host}"


def _host(url: str) -> str:
    return (canonical(url) or url).partition("://")[2].partition("/")[0]


def _authority(url: str) -> str:
    host, colon, port = _host(url).partition(":")
    return f"{readable(host)}{colon}{port}"


def _legible(text: str) -> str:
    return _NOT_PLAIN.sub(lambda run: "".join(map(_legible_char, unquote(run[0], errors="surrogateescape"))), text)


def _legible_char(char: str) -> str:
    """A letter or `…` as it is, anything else percent-encoded; invalid UTF-8 keeps its bytes."""
    if char == HIDDEN or (not char.isascii() and char.isalpha() and unicodedata.bidirectional(char) == "L"):
        return char
    return "".join(f"%{byte:02X}" for byte in char.encode(errors="surrogateescape"))
