"""The data model of a file of links: items with their shares and versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.api import Text, UserError

LABELS = ("clear", "green", "amber")  # TLP 2.0 without RED, which is never stored
_APART = " | "  # keeps marks from spanning two texts


@dataclass(frozen=True, slots=True)
class ShareItem:
    """One share of the link: `url` as posted, `sent_at` in UTC milliseconds, `note` the sharer's words, `label` the
    link text; `room` and `event` are Matrix ids."""

    url: str
    sender: str | None = None
    sent_at: int | None = None
    note: str = ""
    label: str | None = None
    room: str | None = None
    event: str | None = None

    @property
    def words(self) -> str:
        """The text searched for marks (capture/labels.py)."""
        return _APART.join((self.note, self.label or ""))


@dataclass(frozen=True, slots=True)
class VersionItem:
    """Another page that was merged into the link, with its own title, note and language; texts by language."""

    url: str
    title: Mapping[str, str] = field(default_factory=dict)
    note: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One link of a collection.

    `title` and `note` (the hub's) are by language, "" if it is unknown. `label` is one of `LABELS`, or None; `number`
    is its number in the hub; `recommended`: the hub's YAML recommends it; `without_topics`: topics that somebody
    removed, though its words mention them; `apart`: addresses that people marked as different pages; `stays`: an
    address to which, they said, it has not moved.
    """

    url: str
    title: Mapping[str, str] = field(default_factory=dict)
    note: Mapping[str, str] = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    language: str | None = None
    kind: str | None = None
    label: str | None = None
    pinned: bool = False
    hidden: bool = False
    votes: int = 0
    shares: tuple[ShareItem, ...] = ()
    description: str | None = None
    site: str | None = None
    author: str | None = None
    published: str | None = None
    number: int | None = None
    recommended: bool = False
    without_topics: tuple[str, ...] = ()
    versions: tuple[VersionItem, ...] = ()
    apart: tuple[str, ...] = ()
    stays: str | None = None

    @property
    def words(self) -> str:
        """The text searched for marks (capture/labels.py). Not descriptions: those are the page's own words."""
        versions = (text for version in self.versions for text in (*version.title.values(), *version.note.values()))
        return _APART.join((*self.title.values(), *self.note.values(), *self.topics, *versions))


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was not read: a whole link, or a part of one (`why` says which).

    `line` counts from 1; None if the format has no meaningful lines. `what` is the address or an excerpt of the
    content, without secrets, at most 200 characters.
    """

    line: int | None
    what: str
    why: Text


@dataclass(frozen=True, slots=True)
class Meta:
    """Describes the collection that is written: its title, the hub's id, the time of the export (UTC milliseconds), and
    its address, if it has one."""

    title: str
    hub: str
    at: int
    link: str = ""


class ExchangeError(UserError):
    """The file as a whole is unusable; `line` says where that was noticed, if known."""

    def __init__(self, text: Text, line: int | None = None) -> None:
        super().__init__(text)
        self.line = line


def shown_language(texts: Mapping[str, str], language: str | None) -> str:
    """Which language to show if only one fits: none in particular (""), the page's own, or the first."""
    return next((key for key in ("", language) if key is not None and texts.get(key)), next(iter(texts), ""))


def shown_text(texts: Mapping[str, str], language: str | None) -> str:
    """The text in `shown_language`; "" if there is none."""
    return texts.get(shown_language(texts, language), "")


def first_shared(item: Item) -> int | None:
    """The date of the first share; None if no date is known."""
    return min((share.sent_at for share in item.shares if share.sent_at is not None), default=None)
