"""One link of a collection, with all that a hub knows about it, as files hold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.api import Text, UserError

LABELS = ("clear", "green", "amber")  # TLP 2.0; what is RED is never stored
_APART = " | "  # so that no mark begins in one text and ends in the next


@dataclass(frozen=True, slots=True)
class ShareItem:
    """Somebody shared the link once. `sent_at` is in UTC milliseconds, `url` as posted, `note` the sharer's words,
    `label` the words that were made a link; `room` and `event` are Matrix ids."""

    url: str
    sender: str | None = None
    sent_at: int | None = None
    note: str = ""
    label: str | None = None
    room: str | None = None
    event: str | None = None

    @property
    def words(self) -> str:
        """What is looked through for marks (capture/labels.py)."""
        return _APART.join((self.note, self.label or ""))


@dataclass(frozen=True, slots=True)
class VersionItem:
    """Another page that was joined to the link, and what is known of it alone; texts by language, as in `Item`."""

    url: str
    title: Mapping[str, str] = field(default_factory=dict)
    note: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """`title` and `note` (what the hub says of it) are by language, "" where that is not known. `label` is one of
    `LABELS`, or None if none is given; `number` is the one it has in the hub; `recommended` means it stands in the
    hub's YAML; `without_topics` are those somebody took away, though its words speak of them; `apart` are addresses of
    links that people said to be other pages; `stays` is one to which they said that it did not move."""

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
        """What is looked through for marks (capture/labels.py). Descriptions are not: they are the page's own words."""
        versions = (text for one in self.versions for text in (*one.title.values(), *one.note.values()))
        return _APART.join((*self.title.values(), *self.note.values(), *self.topics, *versions))


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was not read: a whole link, or a part of one that was read without it (`why` says which).

    `line` counts from 1 and is None where the format has no lines to speak of; `what` is the address or the beginning
    of what stands there, without secrets, at most 200 characters.
    """

    line: int | None
    what: str
    why: Text


@dataclass(frozen=True, slots=True)
class Meta:
    """About a collection that is written: its title, the hub's id, the instant (UTC milliseconds), and the address
    where people find it, if it has one."""

    title: str
    hub: str
    at: int
    link: str = ""


class ExchangeError(UserError):
    """The file as a whole is not what it should be; `line` says where that was noticed, if it can be said."""

    def __init__(self, text: Text, line: int | None = None) -> None:
        super().__init__(text)
        self.line = line


def language_shown(texts: Mapping[str, str], language: str | None) -> str:
    """Which of the texts is shown where only one can be: the one for everybody, the page's own, or the first."""
    return next((key for key in ("", language) if key is not None and texts.get(key)), next(iter(texts), ""))


def shown(texts: Mapping[str, str], language: str | None) -> str:
    """The text of `language_shown`; "" if there is none."""
    return texts.get(language_shown(texts, language), "")


def first_shared(item: Item) -> int | None:
    """When it was shared first, if any date is known."""
    return min((share.sent_at for share in item.shares if share.sent_at is not None), default=None)
