"""What does a link from a file add to what a shelf has? Pure: worked out for some hundred items before any is stored.

- An item's addresses are one result. The first of them that the shelf has is its entry; those the shelf has not are
  joined to it. Where it has none, the entry is new, with the item's number if that is still to come.
- A share that is there already (same page, instant and words) is not added again, so a file brought in twice adds
  nothing. An item without shares gets one, of now, only where its page is new, or nothing is left of it.
- What else it says counts where the hub has said nothing of that: title and note (as the corrections `title:es` and
  `note:es`, which every word of the hub's own outdoes), topics, votes, facts. `pinned`, `hidden` and `without_topics`
  are for new entries only. Its label is that of its shares; the strictest of a page counts, and a mark in its words
  where it is stricter than what the file or whoever brings it in says, or where nobody says anything.
- What it says of a page that was joined to another one is that page's: it leaves with it when they are taken apart.
- Rooms and messages are not kept. People are named only if that is asked for, and never those who want nothing kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.api import Text
from plugins.knowledge.capture import labels as label_words
from plugins.knowledge.capture.links import LONGEST_LABEL, LONGEST_NOTE, tidy
from plugins.knowledge.fetch.html_meta import iso_date
from plugins.knowledge.index.build_entry import MOST_TOPICS
from plugins.knowledge.index.hub_rules import HubRules
from plugins.knowledge.index.rebuild import MOST_SHARES
from plugins.knowledge.store.access import AMBER, GREEN, LABELS, MEMBERS
from plugins.knowledge.store.proposals import APART
from plugins.knowledge.store.shares import Share
from plugins.knowledge.text.folding import fold
from plugins.knowledge.transfer.formats.item import Item, ShareItem, VersionItem, shown
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
    """How a file is brought in: onto which shelf, in whose name, with which label instead of the file's; `brought` is
    its id in `changes`, by which it can be taken back."""

    hub: str
    now: int
    circle: str = MEMBERS
    sharer: str | None = None
    keep_sharers: bool = False
    label: str | None = None
    brought: int | None = None


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
class Page:
    """An entry, and what the hub says of it; `corrections` and `facts` are to be added."""

    number: int
    resource: int
    id: int | None = None
    titled: bool = False
    noted: bool = False
    voted: bool = False
    told: bool = False
    """Whether there are facts."""
    labelled: bool = False
    """It is amber already, or somebody set its label by command."""
    stays: bool = False
    """Somebody said of an address that it did not move there."""
    apart: set[int] = field(default_factory=set)
    """The numbers of entries that were said to be other pages."""
    topics: set[str] = field(default_factory=set)
    """It has, or somebody took away."""
    corrections: dict[str, str] = field(default_factory=dict)
    facts: Mapping[str, object] | None = None
    aside: list[tuple[int, str]] = field(default_factory=list)
    """Which of the corrections are those of a page that was joined to it before."""
    versions: list[Mapping[str, object]] = field(default_factory=list)
    """The languages of pages that are joined to it: resource, url, language."""

    @property
    def added(self) -> int:
        return len(self.corrections) + len(self.versions) + (self.facts is not None)


class Intake:
    """What some items add. `pages` (by resource), `shown` (pages whose address somebody says) and `there` are what the
    shelf has, and grow with each item."""

    def __init__(self, rules: HubRules, manner: Manner, last: int, unlogged: Collection[str] = ()) -> None:
        self._rules = rules
        self._manner = manner
        self._unlogged = unlogged
        self.last = last
        self.pages: dict[int, Page] = {}
        self.shown: set[int] = set()
        self.there: Counter[Mark] = Counter()
        self.joined: list[tuple[int, Page]] = []
        self.shares: list[Share] = []

    def take(self, item: Item, resources: Sequence[int], others: Sequence[int] = ()) -> Outcome:
        """`resources` are the pages of the addresses of the item, its shares and its versions; `others` those of the
        links it was said not to be, as far as they are known. Of two such links each names the other, so that the one
        that comes later finds the first."""
        remarks: list[Text] = []
        found = next((self.pages[one] for one in resources if one in self.pages), None)
        page = found or self._new_page(item, resources[0])
        added, said = page.added, set(page.corrections)
        joined = [one for one in dict.fromkeys(resources) if one not in self.pages]
        self.joined += [(one, page) for one in joined if one != page.resource]
        self.pages |= dict.fromkeys(joined, page)
        labels = (self._manner.label or item.label, label_words.label(item.words))
        shares = self._new_shares(item, resources, labels, joined)
        part = None if resources[0] in (page.resource, *joined) else resources[0]
        self._say(item, page, shares, remarks)
        self._part(item, page, others)
        self._mark(item, page, remarks, new=found is None)
        if found is None and item.url != _shown(item, shares):
            page.corrections["url"] = item.url
            self.shown.add(resources[0])
        self._tell(item, page, part or page.resource, remarks)
        page.labelled |= any(share.tlp == AMBER for share in shares)
        if not (shares or page.labelled) and page.added > added and _strictest(*labels) == AMBER:
            page.corrections["label"] = LABELS[AMBER]  # no share carries it, and what was added must not travel
            page.labelled = True
        if part is not None:
            page.aside += [(part, name) for name in page.corrections if name not in said]
        if item.recommended:
            remarks.append(Text("It was recommended there; what this hub recommends stands in its YAML."))
        changed = shares or joined or page.added > added
        what: Literal["new", "joined", "known"] = "new" if found is None else "joined" if changed else "known"
        named = sum(share.sender is not None for share in shares)
        unnamed = max(0, sum(bool(said.sender) for said in item.shares) - named) if shares else 0
        return Outcome(item, page.number, what, remarks, unnamed)

    def _part(self, item: Item, page: Page, others: Sequence[int]) -> None:
        """What people rejected: that it moved, and that it is one page with another."""
        if item.stays and not page.stays:
            page.corrections["stays"] = item.stays
            page.stays = True
        for other in (self.pages[one] for one in others if one in self.pages):
            if other is not page and other.number not in page.apart and page.number not in other.apart:
                page.corrections[f"{APART}{other.number}"] = "1"
                page.apart.add(other.number)

    def _new_page(self, item: Item, resource: int) -> Page:
        wanted = item.number or 0
        self.last = wanted if self.last < wanted <= self.last + LARGEST_GAP else self.last + 1
        return Page(self.last, resource)

    def _new_shares(self, item: Item, resources: Sequence[int], labels: Labels, joined: Sequence[int]) -> list[Share]:
        found: list[Share] = []
        seen: Counter[Mark] = Counter()
        known_by: list[Mark] = []
        of_shares, of_versions = resources[1 : len(item.shares) + 1], resources[len(item.shares) + 1 :]
        said = list(zip(item.shares, of_shares, strict=True))
        if not said and resources[0] not in self.shown:
            said = [(ShareItem(item.url), resources[0])]
        for version, resource in zip(item.versions, of_versions, strict=True):
            if resource in joined and resource != resources[0]:
                if resource not in of_shares:
                    said.append((_share_of(version), resource))
                if version.language:
                    about = {"resource": resource, "url": version.url, "language": version.language}
                    self.pages[resource].versions.append(about)
        for one, resource in said:
            share = self._share(one, labels)
            mark = mark_of(resource, share, dated=one.sent_at is not None)
            seen[mark] += 1
            if self.there[mark] < seen[mark]:
                found.append(share)
                known_by += marks_of(resource, share.sent_at, share.note, share.label)
                self.shown.add(resource)
        self.there.update(known_by)
        self.shares += found
        return found

    def _share(self, said: ShareItem, labels: Labels) -> Share:
        sender = self._manner.sharer
        if self._manner.keep_sharers and said.sender and _USER.fullmatch(said.sender):
            sender = None if said.sender in self._unlogged else said.sender
        kept = self._rules.keep_notes
        return Share(
            hub=self._manner.hub,
            circle=self._manner.circle,
            url=said.url,
            canonical=canonical(said.url) or said.url,
            sent_at=self._manner.now if said.sent_at is None else said.sent_at,
            sender=sender,
            label=tidy(said.label or "", LONGEST_LABEL) or None if kept else None,
            note=tidy(said.note, LONGEST_NOTE) or None if kept else None,
            tlp=_strictest(*labels, label_words.label(said.words)),
            brought=self._manner.brought,
        )

    def _say(self, item: Item, page: Page, shares: Sequence[Share], remarks: list[Text]) -> None:
        titles, notes = _tidied(item.title, "title", remarks), _tidied(item.note, "note", remarks)
        newest = max(reversed(shares), key=lambda share: share.sent_at, default=None)
        if newest and titles == {"": newest.label}:
            titles = {}  # the share says it
            page.titled = True
        if not page.titled:
            page.corrections |= {f"title:{language}": text for language, text in titles.items()}
            page.titled = bool(titles)
        if not page.noted:
            page.corrections |= {f"note:{language}": text for language, text in notes.items()}
            page.noted = bool(notes)

    def _mark(self, item: Item, page: Page, remarks: list[Text], *, new: bool) -> None:
        for topic in self._topics(item.topics, remarks):
            if topic not in page.topics and len(page.topics) < MOST_TOPICS:
                page.corrections[f"topic:{topic}"] = "+"
                page.topics.add(topic)
        if item.votes and not page.voted:
            page.corrections["votes"] = str(item.votes)
            page.voted = True
        if new:
            page.corrections |= {f"topic:{topic}": "-" for topic in self._topics(item.without_topics, remarks)}
            page.corrections |= {name: "1" for name in ("pinned", "hidden") if getattr(item, name)}

    def _topics(self, names: Sequence[str], remarks: list[Text]) -> Sequence[str]:
        """The hub's own by any of their names; others as hashtags are written."""
        found: dict[str, None] = {}
        for name in names:
            folded = fold(name)
            own, word = self._rules.topics_by_name.get(folded), _BETWEEN.sub("-", folded).strip("-")
            if own or label_words.is_word(word):
                found[own or word] = None
            else:
                remarks.append(Text("Brought in without a topic that is no word: {topic}", topic=tidy(name, 80)))
        return list(found)

    def _tell(self, item: Item, page: Page, resource: int, remarks: list[Text]) -> None:
        facts = {name: tidy(getattr(item, name) or "", LONGEST.get(name, 20)) or None for name in FACTS}
        said, facts["published"] = facts["published"], iso_date(facts["published"] or "")
        if said and not facts["published"]:
            remarks.append(Text("Brought in without its date, which is no day: {date}", date=said))
        if facts["kind"] and not _KIND.fullmatch(facts["kind"]):  # it becomes one word of the index
            remarks.append(Text("Brought in without its type, which is no word: {type}", type=facts["kind"]))
            facts["kind"] = None
        if facts["kind"] and item.url.lower().endswith(f".{facts['kind']}"):
            facts["kind"] = None  # the address says it
        if facts["language"] and facts["language"] == display.language(item.url):
            facts["language"] = None  # so it does
        if any(facts.values()) and not page.told:
            page.facts = {"resource": resource, "url": item.url, **facts}
            page.told = True


def _share_of(version: VersionItem) -> ShareItem:
    """An entry lives of what was said of it: so does a page that is joined to it."""
    return ShareItem(version.url, note=" · ".join(version.note.values()), label=shown(version.title, version.language))


def _shown(item: Item, shares: Sequence[Share]) -> str:
    """The address that a new entry with these shares shows by itself (index/build_entry.py)."""
    newest = sorted(shares, key=lambda share: share.sent_at)[::-1][:MOST_SHARES]
    own = [share.url for share in newest if share.canonical == (canonical(item.url) or item.url)]
    return min(own or [share.url for share in newest], key=len, default="")


def _strictest(*said: str | None) -> int:
    return max((LABELS.index(label) for label in said if label), default=GREEN)


def _tidied(texts: Mapping[str, str], name: str, remarks: list[Text]) -> dict[str, str]:
    most = LONGEST[name]
    if any(len(tidy(text, most + 1)) > most for text in texts.values()):
        remarks.append(Text("Its {field} was cut to {most} characters.", field=name, most=most))
    tidied = {language: tidy(text, most) for language, text in texts.items()}
    return {language: text for language, text in tidied.items() if text}
