"""What does a link from a file add to what a shelf has? Pure: worked out for some hundred items before any is stored.

- An item's addresses are one result. The first of them that the shelf has is its entry; those the shelf has not are
  joined to it. Where it has none, the entry is new, with the item's number if that is still to come.
- A share that is there already (same page, instant and words) is not added again, so a file imported twice adds
  nothing. An item without shares gets one, of now, only where its page is new, or nothing is left of it.
- What else it says is said of the item's own page, as statements of the file, and only where the hub has said nothing
  of that: title and note by language, topics, votes, facts. `pinned`, `hidden` and `without_topics` are for new entries
  only. Its label is that of its shares; the strictest of a page counts, and a mark in its words where it is stricter
  than what the file or whoever imports it says, or where nobody says anything.
- Rooms and messages are not kept. People are named only if that is asked for, and never those who want nothing kept.

A page is called by the digest of its key here: it may have no id yet.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.api import Text
from plugins.knowledge.capture import labels as marks
from plugins.knowledge.capture.links import LONGEST_LABEL, LONGEST_NOTE
from plugins.knowledge.fetch.html_meta import iso_date
from plugins.knowledge.index.build_entry import MOST_TOPICS
from plugins.knowledge.index.hub_rules import HubRules
from plugins.knowledge.store.access import MEMBERS, PLAIN
from plugins.knowledge.store.resolve import NEWEST
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.store.statements import MERGED
from plugins.knowledge.store.tlp import AMBER, GREEN, LABELS
from plugins.knowledge.text.folding import fold
from plugins.knowledge.text.tidy import tidy
from plugins.knowledge.transfer.formats.item import Item, ShareItem, VersionItem, shown_text
from plugins.knowledge.transfer.share_fingerprint import Mark, mark_of, marks_of
from plugins.knowledge.urls import display
from plugins.knowledge.urls.canonical import canonical

LONGEST = {"title": 200, "note": 1000, "description": 500, "site": 100, "author": 100, "published": 40, "kind": 20}
"""Characters that are kept: as many as people may say by command, and pages of themselves."""
LARGEST_GAP = 100_000  # between numbers: no file uses up all there are
FACTS = ("description", "site", "author", "published", "kind", "language")

_USER = re.compile(r"@[^\s:]+:\S+")
_KIND = re.compile(r"[a-z0-9]+")
_BETWEEN = re.compile(r"[\W_]+")

Labels = tuple[str | None, str | None]
"""What the file, or whoever brings it in, says of an item; and what the item's words say."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a file is imported: onto which shelf, in whose name, with which label instead of the file's."""

    hub: str
    now: int
    circle: str = MEMBERS
    sharer: str | None = None
    keep_sharers: bool = False
    label: str | None = None
    kind: str = PLAIN


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item: a `new` entry, `joined` with what was there, or `known` so that nothing was added.

    `remarks` say what of it was not kept; `unnamed` how many of its shares had a sharer who is not named.
    """

    item: Item
    number: int
    what: Literal["new", "joined", "known"]
    remarks: Sequence[Text] = ()
    unnamed: int = 0


@dataclass(slots=True)
class Entry:
    """What the shelf has of a result, and what this file has added to it so far."""

    number: int
    lead: str
    """Its lead page."""
    label: int = GREEN
    titles: Mapping[str, str] = field(default_factory=dict)
    """How it is shown, by language."""
    titled: bool = False
    """A person, the YAML or a file gave it a title."""
    noted: bool = False
    voted: bool = False
    has_facts: bool = False
    stays: bool = False
    """Somebody said of an address that it did not move there."""
    apart: set[str] = field(default_factory=set)
    """The lead pages of entries that were said to be other pages."""
    topics: set[str] = field(default_factory=set)
    """It has, or somebody took away."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A statement of the file about a page; `target` is another page."""

    page: str
    field: str
    value: str | None
    key: str = ""
    target: str | None = None


class ImportPlan:
    """What some items add. `entries` (by page), `said` (pages whose address somebody says) and `there` are what the
    shelf has, and grow with each item. `command` is the file's row in `knowledge_commands`, by which it can be
    undone."""

    def __init__(
        self, rules: HubRules, manner: Manner, command: int, last: int, unlogged: Collection[str] = ()
    ) -> None:
        self._rules = rules
        self._manner = manner
        self.command = command
        self._unlogged = unlogged
        self.last = last
        """The last number given."""
        self.entries: dict[str, Entry] = {}
        self._joined: list[str] = []
        self.numbers: dict[str, int] = {}
        """Pages that are there without an entry (coordinators hid them), and new ones, with their numbers."""
        self.new_pages: dict[str, int] = {}
        self.said: set[str] = set()
        self.there: Counter[Mark] = Counter()
        self.shares: list[NewShare] = []
        self.statements: list[Planned] = []
        self.facts: dict[str, Mapping[str, object]] = {}

    def take(self, item: Item, pages: Sequence[str], others: Sequence[str] = ()) -> Outcome:
        """`pages` are those of the addresses of the item, its shares and its versions; `others` those of the links it
        was said not to be. Of two such links each names the other, so that the one that comes later finds the first."""
        remarks: list[Text] = []
        own = pages[0]
        there = next((self.entries[page] for page in pages if page in self.entries), None)
        entry = there or Entry(self._number(own, item.number or 0), own)
        before = len(self.statements) + len(self.facts)
        joined = [page for page in dict.fromkeys(pages) if page not in self.entries]
        self.entries |= dict.fromkeys(joined, entry)
        for page in joined:
            if page != entry.lead:
                self._joined.append(page)
                self.statements.append(Planned(page, "same_as", MERGED, target=entry.lead))
        labels = (self._manner.label or item.label, marks.label(item.words))
        shares = self._new_shares(item, pages, labels, joined)
        self._say(item, own, entry, shares, remarks)
        self._reject(item, own, entry, others)
        self._mark(item, own, entry, joined if there is None else (), remarks)
        if there is None and item.url != _shown(item, shares):
            self.statements.append(Planned(own, "url", item.url))
            self.said.add(own)
        self._describe(item, own, entry, remarks)
        added = len(self.statements) + len(self.facts) - before
        strictest = _strictest(*labels)
        if there is None:
            entry.label = strictest
        # A file that knows only "private or not" does not mean GREEN by "not private".
        meant = self._manner.label is not None or strictest == AMBER
        if not shares and ((meant and strictest > entry.label) or (added and strictest == AMBER)):
            # No share carries the label, and what was added must not travel.
            self.statements.append(Planned(own, "label", str(strictest)))
            entry.label = strictest
            added += 1
        if item.recommended:
            remarks.append(Text("It was recommended there; a hub's recommendations are set in its YAML file."))
        what: Literal["new", "joined", "known"] = "new" if there is None else "joined" if shares or added else "known"
        named = sum(share.sender is not None for share in shares)
        unnamed = max(0, sum(bool(share.sender) for share in item.shares) - named) if shares else 0
        return Outcome(item, entry.number, what, remarks, unnamed)

    def number_joined(self) -> None:
        """Pages that were joined get their numbers after all items, which have theirs from the file."""
        for page in self._joined:
            self._number(page)

    def _number(self, page: str, wanted: int = 0) -> int:
        """The number of a page; a new one gets the wanted number if that is still to come, else the next."""
        if page not in self.numbers:
            self.last = wanted if self.last < wanted <= self.last + LARGEST_GAP else self.last + 1
            self.numbers[page] = self.new_pages[page] = self.last
        return self.numbers[page]

    def _reject(self, item: Item, own: str, entry: Entry, others: Sequence[str]) -> None:
        """What people rejected: that it moved, and that it is one page with another."""
        if item.stays and not entry.stays:
            self.statements.append(Planned(own, "stays", item.stays))
            entry.stays = True
        for other in (self.entries[page] for page in others if page in self.entries):
            if other is not entry and other.lead not in entry.apart and entry.lead not in other.apart:
                self.statements.append(Planned(entry.lead, "not_same_as", "1", target=other.lead))
                entry.apart.add(other.lead)

    def _new_shares(self, item: Item, pages: Sequence[str], labels: Labels, joined: Sequence[str]) -> list[NewShare]:
        new: list[NewShare] = []
        seen: Counter[Mark] = Counter()
        known_by: list[Mark] = []
        of_shares, of_versions = pages[1 : len(item.shares) + 1], pages[len(item.shares) + 1 :]
        said = list(zip(item.shares, of_shares, strict=True))
        if not said and pages[0] not in self.said:
            said = [(ShareItem(item.url), pages[0])]
        for version, page in zip(item.versions, of_versions, strict=True):
            if page in joined and page != pages[0]:
                if page not in of_shares:
                    said.append((_share_of(version), page))
                if version.language:
                    self.facts.setdefault(page, {"url": version.url, "language": version.language})
        for one, page in said:
            share = self._share(one, labels)
            mark = mark_of(page, share, dated=one.sent_at is not None)
            seen[mark] += 1
            if self.there[mark] < seen[mark]:
                new.append(share)
                known_by += marks_of(page, share.sent_at, share.note, share.label)
                self.said.add(page)
        self.there.update(known_by)
        self.shares += new
        return new

    def _share(self, said: ShareItem, labels: Labels) -> NewShare:
        sender = self._manner.sharer
        if self._manner.keep_sharers and said.sender and _USER.fullmatch(said.sender):
            sender = None if said.sender in self._unlogged else said.sender
        kept = self._rules.keep_notes
        return NewShare(
            hub=self._manner.hub,
            circle=self._manner.circle,
            kind=self._manner.kind,
            url=said.url,
            canonical=canonical(said.url) or said.url,
            sent_at=self._manner.now if said.sent_at is None else said.sent_at,
            sender=sender,
            label=tidy(said.label or "", LONGEST_LABEL) or None if kept else None,
            note=tidy(said.note, LONGEST_NOTE) or None if kept else None,
            tlp=_strictest(*labels, marks.label(said.words)),
            command=self.command,
        )

    def _say(self, item: Item, own: str, entry: Entry, shares: Sequence[NewShare], remarks: list[Text]) -> None:
        titles, notes = _tidied(item.title, "title", remarks), _tidied(item.note, "note", remarks)
        newest = max(reversed(shares), key=lambda share: share.sent_at, default=None)
        called = {*entry.titles.items(), *(("", title) for title in entry.titles.values())}
        if newest and newest.label:
            called.add(("", newest.label))
        if not (entry.titled or called.issuperset(titles.items())):
            self.statements += [Planned(own, "title", text, language) for language, text in titles.items()]
            entry.titled = True
        if notes and not entry.noted:
            self.statements += [Planned(own, "note", text, language) for language, text in notes.items()]
            entry.noted = True

    def _mark(self, item: Item, own: str, entry: Entry, new: Sequence[str], remarks: list[Text]) -> None:
        """`new`: the pages of a new entry."""
        for topic in self._topics(item.topics, remarks):
            if topic in entry.topics:
                continue
            if len(entry.topics) == MOST_TOPICS:
                text = Text("Imported without the topic “{topic}”: a result has at most {most} topics.",
                            topic=topic, most=MOST_TOPICS)  # fmt: skip
                remarks.append(text)
                continue
            self.statements.append(Planned(own, "topic", "+", topic))
            entry.topics.add(topic)
        if item.votes and not entry.voted:
            self.statements.append(Planned(own, "useful", str(item.votes)))
            entry.voted = True
        if new:
            without = self._topics(item.without_topics, remarks)
            self.statements += [Planned(own, "topic", "-", topic) for topic in without]
            if item.pinned:
                self.statements.append(Planned(own, "pinned", "1"))
            if item.hidden:
                self.statements += [Planned(page, "hidden", "1") for page in new]

    def _topics(self, names: Sequence[str], remarks: list[Text]) -> Sequence[str]:
        """The hub's own by any of their names; others as hashtags are written."""
        found: dict[str, None] = {}
        for name in names:
            folded = fold(name)
            own, word = self._rules.topics_by_name.get(folded), _BETWEEN.sub("-", folded).strip("-")
            if own or marks.is_topic(word):
                found[own or word] = None
            else:
                remarks.append(Text("Imported without the topic “{topic}”: not a valid topic.", topic=tidy(name, 80)))
        return list(found)

    def _describe(self, item: Item, own: str, entry: Entry, remarks: list[Text]) -> None:
        facts = {name: tidy(getattr(item, name) or "", LONGEST.get(name, 20)) or None for name in FACTS}
        said, facts["published"] = facts["published"], iso_date(facts["published"] or "")
        if said and not facts["published"]:
            remarks.append(Text("Imported without the date “{date}”: not a valid date.", date=said))
        if facts["kind"] and not _KIND.fullmatch(facts["kind"]):  # it becomes one word of the index
            remarks.append(Text("Imported without the type “{type}”: not a valid type.", type=facts["kind"]))
            facts["kind"] = None
        if facts["kind"] and item.url.lower().endswith(f".{facts['kind']}"):
            facts["kind"] = None  # the address says it
        if facts["language"] and facts["language"] == display.language(item.url):
            facts["language"] = None  # so it does
        if any(facts.values()) and not entry.has_facts:
            self.facts[own] = {"url": item.url, **facts}
            entry.has_facts = True


def _share_of(version: VersionItem) -> ShareItem:
    """An entry lives of what was said of it: so does a page that is joined to it."""
    return ShareItem(
        version.url, note=" · ".join(version.note.values()), label=shown_text(version.title, version.language)
    )


def _shown(item: Item, shares: Sequence[NewShare]) -> str:
    """The address that a new entry with these shares shows by itself (resolve.page_url)."""
    newest = sorted(shares, key=lambda share: share.sent_at)[::-1][:NEWEST]
    own = [share.url for share in newest if share.canonical == (canonical(item.url) or item.url)]
    return min(own, key=lambda url: (len(url), url), default="")


def _strictest(*said: str | None) -> int:
    return max((LABELS.index(label) for label in said if label), default=GREEN)


def _tidied(texts: Mapping[str, str], name: str, remarks: list[Text]) -> dict[str, str]:
    most = LONGEST[name]
    if any(len(tidy(text, most + 1)) > most for text in texts.values()):
        remarks.append(Text("Its {field} was shortened to {most} characters.", field=name, most=most))
    tidied = {language: tidy(text, most) for language, text in texts.items()}
    return {language: text for language, text in tidied.items() if text}
