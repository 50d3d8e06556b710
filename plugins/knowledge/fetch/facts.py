"""Results of fetching a page: its facts, its health, or the reason for failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_HOUR = 3_600_000
_WAITS = (_HOUR, 24 * _HOUR, 7 * 24 * _HOUR)


class Reason(StrEnum):
    """Why an address was not fetched. The values are stored, so they must not change."""

    BLOCKED = "blocked"  # not on the public web, or excluded by the operator's allow and deny lists
    ROBOTS = "robots"  # disallowed by robots.txt
    TOO_MANY_REDIRECTS = "too-many-redirects"
    TIMEOUT = "timeout"
    TOO_LARGE = "too-large"  # more header fields than legitimate servers send
    NOT_FOUND = "not-found"  # 404, 410
    REFUSED = "refused"  # 401, 403 and other 4xx; or a block page (login, consent, error)
    UNAVAILABLE = "unavailable"  # 429, 5xx
    UNREADABLE = "unreadable"  # not HTTP, or a malformed response
    DNS = "dns"
    TLS = "tls"
    UNREACHABLE = "unreachable"  # no connection to the address


class State(StrEnum):
    OK = "ok"
    MOVED = "moved"
    GONE = "gone"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a page says about itself. Texts are single lines without control, invisible and bidi characters; they are
    still untrusted and must be escaped for display."""

    final_url: str
    """Where the redirects ended, or the last address before one that holds a secret; without redirects, the address as
    requested."""
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
    """The absolute http(s) address that the page declares as canonical; not validated."""
    alternates: Mapping[str, str] = field(default_factory=dict)
    """Versions in other languages, as the page declares them: lower-case tag (`es`, `pt-br`) → absolute address."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a page still exists. `reason` explains `unsure` if there was no response."""

    state: State
    final_url: str
    """The new address for `moved`; else where the redirects ended."""
    status: int | None = None
    reason: Reason | None = None


class FetchError(Exception):
    """The page could not be fetched. `permanent`: retrying will not help."""

    def __init__(self, reason: Reason, detail: str = "", *, permanent: bool = False) -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.permanent = permanent


def retry_after(tries: int) -> int | None:
    """The delay in milliseconds before the next retry: an hour, a day, a week, then None (no more retries)."""
    return _WAITS[tries - 1] if 0 < tries <= len(_WAITS) else None
