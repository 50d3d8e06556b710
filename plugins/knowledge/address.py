"""What does an address say to a reader: its site, its words, a title where nobody gave one; and what it may not say."""

from __future__ import annotations

import re
from urllib.parse import unquote

from plugins.knowledge.canonical import canonical

_SECRET = re.compile(
    r"(?P<name>[?&#;](?:[a-z0-9_]*token|pass(?:word|wd)?|pwd|secret|client_secret|sig|signature|jwt|otp|api_?key"
    r"|auth|access_key|x-(?:amz|goog)-(?:signature|credential|security-token))=)[^&#;]+",
    re.IGNORECASE,
)
_FILE_ENDING = re.compile(r"\.(?:aspx?|html?|jsp|pdf|php|docx?|xlsx?|pptx?|txt|xml)$", re.IGNORECASE)
_NO_WORDS = re.compile(r"[-_+.\s]+")
_LETTERS = re.compile(r"[^\W\d_]{3}")
HIDDEN = "…"


def masked(url: str) -> str:
    """The address with the values of parameters that open doors (tokens, passwords, signatures) as `…`."""
    return _SECRET.sub(rf"\g<name>{HIDDEN}", url)


def has_secret(url: str) -> bool:
    return bool(_SECRET.search(url))


def site(url: str) -> str:
    """The host without `www.`; names that are not ASCII in punycode, so that look-alikes are seen."""
    host = (canonical(url) or url).partition("://")[2].partition("/")[0]
    return host.removeprefix("www.")


def title(url: str) -> str:
    """A title read from the address: the last part of its path that has words, else its site."""
    path = masked(url).partition("://")[2].partition("#")[0].partition("?")[0]
    for segment in reversed(path.split("/")[1:]):
        words = _NO_WORDS.sub(" ", _FILE_ENDING.sub("", unquote(segment))).strip()
        if _LETTERS.search(words):
            return words
    return site(url)


def words(url: str) -> str:
    """The address as words to be searched, without its secrets."""
    return unquote(masked(url).partition("://")[2]).removeprefix("www.")
