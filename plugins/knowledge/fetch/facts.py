"""What is known of a page after it was fetched, or why it is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_HOUR = 3_600_000
_WAITS = (_HOUR, 24 * _HOUR, 7 * 24 * _HOUR)


class Reason(StrEnum):
    """Why an address was not fetched; the values are kept in tables and may not change."""

    BLOCKED = "blocked"  # no address of the public web, or one that the operator's lists leave out
    ROBOTS = "robots"  # the site asks programs to stay away from it
    TOO_MANY_REDIRECTS = "too-many-redirects"
    TIMEOUT = "timeout"
    TOO_LARGE = "too-large"  # more header fields than any honest server sends
    NOT_FOUND = "not-found"  # 404, 410
    REFUSED = "refused"  # 401, 403 and other 4xx; or a login, consent or error page instead of the page
    UNAVAILABLE = "unavailable"  # 429, 5xx
    UNREADABLE = "unreadable"  # no HTTP, or a broken one
    DNS = "dns"
    TLS = "tls"
    UNREACHABLE = "unreachable"  # nobody answers at the address


class State(StrEnum):
    OK = "ok"
    MOVED = "moved"
    GONE = "gone"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Facts:
    """What an address leads to. Texts are one line each, without control, invisible and bidi characters; they are
    the words of strangers all the same, to be escaped where they are shown."""

    final_url: str
    """Where the redirects ended, or the last address before one with a secret in it; the address as it was asked for if
    there were none."""
    kind: str
    """`html`, `pdf`, `docx`, `xlsx`, `pptx`, `doc`, `xls`, `ppt`, `odt`, `ods`, `odp`, `epub`, `text`, `image`,
    `audio`, `video`, or `other`."""
    title: str | None = None
    """At most 200 characters."""
    description: str | None = None
    """At most 500 characters."""
    site: str | None = None
    author: str | None = None
    published: str | None = None
    """ISO 8601 date, `2026-03-01`."""
    language: str | None = None
    """ISO 639-1."""
    canonical: str | None = None
    """The absolute http(s) address the page gives as its own; as the page says it, unjudged."""
    alternates: Mapping[str, str] = field(default_factory=dict)
    """Other language versions as the page lists them: lower-case language tag (`es`, `pt-br`) → absolute address."""


@dataclass(frozen=True, slots=True)
class Health:
    """Is a page still there? `reason` says why `unsure`, where no answer came."""

    state: State
    final_url: str
    """For `moved` the new address; else where the redirects ended."""
    status: int | None = None
    reason: Reason | None = None


class FetchError(Exception):
    """An address that gave no facts. `permanent`: asking again will not help."""

    def __init__(self, reason: Reason, detail: str = "", *, permanent: bool = False) -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.permanent = permanent


def retry_after(tries: int) -> int | None:
    """How long to wait after that many tries, in milliseconds: an hour, a day, a week, then never again (None)."""
    return _WAITS[tries - 1] if 0 < tries <= len(_WAITS) else None
