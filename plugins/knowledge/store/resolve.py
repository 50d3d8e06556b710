"""What is an entry, given the rows that count? Pure: no SQL, no clock, no rules of a hub.

An entry is a group of pages of one shelf that people joined, led by one of them. Its parts are what was said of each
page: shares (what rooms and files posted), statements (what people and files said of the page), what the YAML
recommends and what the page says of itself. The result depends on nothing else, and on the order of rows only through
`seq`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from bot.api import Row
from plugins.knowledge.store.tlp import GREEN

NEWEST = 50
"""Shares that are read and indexed, of a page and of an entry. Of older ones only the summary counts."""

WORDS = frozenset(("title", "note", "topic"))
"""Fields that go with their message and their author."""
LIMITS = frozenset(("hidden", "own_hidden", "label"))
"""Fields that limit who finds a page: said of every page of an entry, and never lifted by deleting."""
VOUCHES = frozenset(("title", "note", "topic", "url", "pinned", "useful"))
"""Fields by which people keep the page of an import that is undone."""


@dataclass(frozen=True, slots=True)
class Share:
    """One link in one message or file; columns of `knowledge_shares`. Its JSON columns stay as they are stored."""

    id: int
    page: int
    seq: int
    sender: int | None
    sent_at: int
    url: str
    label: str | None = None
    note: str | None = None
    topics: str | None = None
    tlp: int = GREEN
    attachment: str | None = None
    bare: bool = False
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing said of one page, that counts. `imported`: a file said it, not a person."""

    page: int
    seq: int
    field: str
    key: str = ""
    target: int | None = None
    value: str | None = None
    by: int | None = None
    imported: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """What counts of all shares of a page, however many: the last `seq` of each label, and of the two people who shared
    it last. Bare shares are left out."""

    labels: Mapping[int, int] = field(default_factory=dict)
    sharers: Sequence[tuple[int | None, int]] = ()

    @property
    def shared(self) -> bool:
        return bool(self.labels)

    def shared_by_another(self, person: int | None, after: int = 0) -> bool:
        """Whether anybody but this person shared it after that `seq`."""
        return any(sender != person and seq > after for sender, seq in self.sharers)


@dataclass(frozen=True, slots=True)
class Part:
    """What counts of one page. `shares` are the newest, newest first; `statements` in the order of their `seq`."""

    page: int
    number: int
    shares: Sequence[Share] = ()
    summary: Summary = field(default_factory=Summary)
    statements: Sequence[Statement] = ()
    recommendation: Row | None = None
    facts: Row | None = None

    @property
    def is_doubted(self) -> bool:
        """Whether all that speaks for the page are messages that may have been deleted unseen."""
        return not self.recommendation and bool(self.shares) and all(share.doubted for share in self.shares)

    @property
    def is_said(self) -> bool:
        """Whether anybody shares or recommends the page."""
        return bool(self.shares or self.recommendation)

    def decisive(self, name: str) -> Statement | None:
        """The statement that holds of a field: the last one of people, else the first one of a file."""
        people = imported = None
        for statement in self.statements:
            if statement.field == name:
                if not statement.imported:
                    people = statement
                elif imported is None:
                    imported = statement
        return people or imported

    def last(self, name: str) -> str | None:
        """What holds of a field."""
        decisive = self.decisive(name)
        return decisive.value if decisive else None

    def last_by_people(self, name: str) -> str | None:
        return next((one.value for one in reversed(self.statements) if one.field == name and not one.imported), None)

    def imported(self, name: str) -> Mapping[str, str]:
        """What files say, by key (a language): the first word of each."""
        texts: dict[str, str] = {}
        for one in self.statements:
            if one.field == name and one.imported and one.value is not None:
                texts.setdefault(one.key, one.value)
        return texts


@dataclass(frozen=True, slots=True)
class Resolved:
    """An entry without the rules of its hub. `shown` are the parts that count, best first: a hidden page adds nothing
    to an entry that is shown. `shares` are their newest, newest first."""

    lead: int
    number: int
    shown: Sequence[Part]
    shares: Sequence[Share]
    hidden: bool
    label: int
    titles: Mapping[str, str]
    """By language; "" where it is not known."""
    other_titles: Sequence[str]
    """What else it is called."""
    note: Mapping[str, str]
    """Why it is recommended, by language."""
    topics: Mapping[str, str]
    """Topics people or files gave (`+`) or took away (`-`)."""
    pinned: bool
    votes: int
    url: str

    @property
    def recommended(self) -> bool:
        return any(part.recommendation for part in self.shown)

    @property
    def recommendations(self) -> Iterable[Row]:
        return (part.recommendation for part in self.shown if part.recommendation)

    @property
    def facts(self) -> Iterable[Row]:
        return (part.facts for part in self.shown if part.facts and part.facts["state"] == "ok")

    @property
    def urls(self) -> Sequence[str]:
        """Every address, the one that is shown first."""
        said = chain.from_iterable(page_urls(part) for part in self.shown)
        return list(dict.fromkeys(url for url in (self.url, *said) if url))

    @property
    def notes(self) -> Sequence[str]:
        """All words beside it: what people, the YAML and files say, and the words it was shared with."""
        people = (note for part in self.shown if (note := part.last_by_people("note")))
        yaml = (text for row in self.recommendations for text in json.loads(row["note"]).values())
        imported = (text for part in self.shown for text in part.imported("note").values())
        shared = (share.note for share in self.shares if share.note)
        return list(dict.fromkeys(chain(people, yaml, imported, shared)))


def resolve(lead: int, parts: Sequence[Part]) -> Resolved | None:
    """The entry of a group of pages; None where nobody shares or recommends any of them (any more)."""
    parts = [_counting(part) for part in parts]
    if not any(part.is_said for part in parts):
        return None
    if len(parts) == 1 and not parts[0].statements and not parts[0].is_doubted:
        hidden, shown = False, parts
    else:
        are_hidden = {part.page: is_hidden(part) for part in parts}
        hidden = all(are_hidden[part.page] for part in parts if part.is_said)
        shown = [part for part in parts if hidden or not are_hidden[part.page]]
        shown.sort(key=lambda part: (part.recommendation is None, part.page != lead, part.number))
    newest = _newest(shown)
    titles, other_titles = _titles(shown)
    return Resolved(
        lead=lead,
        number=next(part.number for part in parts if part.page == lead),
        shown=shown,
        shares=newest,
        hidden=hidden,
        label=max((label for part in shown if (label := label_of(part)) is not None), default=GREEN),
        titles=titles,
        other_titles=other_titles,
        note=_note(shown),
        topics=_topics(shown),
        pinned=any(part.last("pinned") == "1" for part in shown),
        votes=_votes(shown),
        url=next((url for part in shown if (url := page_url(part))), ""),
    )


def groups(pages: Collection[int], edges: Iterable[Statement]) -> dict[int, int]:
    """Page → the lead page of its group, given the `same_as` and `cut` statements that count.

    Edges are taken in the order of their `seq`: who is joined follows the lead of what it is joined to. Withdrawing an
    edge is the same as never having drawn it, and circles do no harm. What new URL rules joined cannot be cut."""
    ordered = sorted(edges, key=lambda one: (one.seq, one.page))
    cut = {(one.page, one.target) for one in ordered if one.field == "cut"}
    lead = {page: page for page in pages}
    members = {page: [page] for page in pages}
    for one in ordered:
        if not is_joining(one, cut) or one.target not in lead or one.page not in lead:
            continue
        into, other = lead[one.target], lead[one.page]
        if into != other:
            moved = members.pop(other)
            members[into] += moved
            lead |= dict.fromkeys(moved, into)
    return lead


def is_joining(edge: Statement, cut: Collection[tuple[int, int | None]]) -> bool:
    """Whether a statement joins two pages; `cut` are the (page, seq) of edges that were cut."""
    return edge.field == "same_as" and ((edge.page, edge.seq) not in cut or edge.value == "rekey")


def without_outlived_limits(parts: Sequence[Part]) -> Sequence[Part]:
    """The parts of an entry without what loosened a limit of a page only because it was joined to another one then.

    A limit is said of an entry's first page (`target`) and of all pages joined to it. Where that join no longer holds,
    only what makes the other pages stricter still counts."""
    if all(one.target in (None, part.page) for part in parts for one in part.statements if one.field in LIMITS):
        return parts
    pages = [part.page for part in parts]
    edges = [one for part in parts for one in part.statements if one.field in ("same_as", "cut")]

    def is_outlived(page: int, limit: Statement) -> bool:
        if limit.target in (None, page):
            return False
        lead = groups(pages, (one for one in edges if one.field == "cut" or one.seq < limit.seq))
        return lead.get(limit.target) != lead[page]

    return [
        _without_looser(part, [one for one in part.statements if one.field in LIMITS and is_outlived(part.page, one)])
        for part in parts
    ]


def _without_looser(part: Part, outlived: Sequence[Statement]) -> Part:
    """The part without these statements, but for the last one of each field where that is stricter than the rest."""
    rest = replace(part, statements=[one for one in part.statements if one not in outlived])
    kept = []
    for last in {one.field: one for one in outlived}.values():
        looser = last.value == "0" if last.field != "label" else int(last.value or GREEN) <= (label_of(rest) or GREEN)
        newer = any(one.field == last.field and one.seq > last.seq and not one.imported for one in rest.statements)
        if not (looser or newer):
            kept.append(last)
    return replace(rest, statements=sorted((*rest.statements, *kept), key=lambda one: one.seq)) if outlived else part


def is_hidden(part: Part) -> bool:
    """What is in doubt, coordinators' word, and the only sharer's, which ends when somebody else shares the page after
    it. Neither undoes the other."""
    if part.is_doubted:
        return True
    if not part.statements:
        return False
    if part.last("hidden") == "1":
        return True
    own = next((one for one in reversed(part.statements) if one.field == "own_hidden"), None)
    return own is not None and own.value == "1" and not part.summary.shared_by_another(own.by, after=own.seq)


def label_of(part: Part) -> int | None:
    """A label holds until something stricter is shared after it. None: nobody shares, recommends or labels the page."""
    shared = max(part.summary.labels, default=None)
    if shared is None:
        shared = max((share.tlp for share in part.shares), default=GREEN if part.recommendation else None)
    said = part.decisive("label")
    if said is None:
        return shared
    label = int(said.value or GREEN)
    if any(seq > said.seq and tlp > label for tlp, seq in part.summary.labels.items()):
        return shared
    # What a file says without sharing the page counts like a share: its words may be why the label is stricter.
    later = (one for one in part.statements if one.field == "label" and one.imported and one.seq > said.seq)
    return max((label, *(int(one.value or GREEN) for one in later)))


def page_url(part: Part) -> str | None:
    """The address of one page: where it moved to, the YAML's, the shortest that was shared; None if nobody says it."""
    if part.statements and (moved := part.last("url")):
        return moved
    if part.recommendation:
        return str(part.recommendation["url"])
    return min((share.url for share in part.shares), key=lambda url: (len(url), url), default=None)


def page_urls(part: Part) -> Iterable[str]:
    """All addresses of one page that are known."""
    if part.statements and (moved := part.last("url")):
        yield moved
    if part.recommendation:
        yield part.recommendation["url"]
    yield from (share.url for share in part.shares)


def summarize(shares: Iterable[Share]) -> Summary:
    """The summary of a page of which these are all the shares."""
    labels: dict[int, int] = {}
    sharers: dict[int | None, int] = {}
    for share in shares:
        if not share.bare:
            labels[share.tlp] = max(share.seq, labels.get(share.tlp, 0))
            sharers[share.sender] = max(share.seq, sharers.get(share.sender, 0))
    return Summary(labels, last_two(sharers))


def last_two(sharers: Mapping[int | None, int]) -> Sequence[tuple[int | None, int]]:
    """The two people who shared last, with the `seq` of that."""
    return sorted(sharers.items(), key=lambda one: one[1], reverse=True)[:2]


def _counting(part: Part) -> Part:
    """The part as far as it counts: shares in doubt do only where there are no others; the bare address of an undone
    import does only where nobody shares or recommends the page, and people vouch for it. That is asked of the page
    alone, so that joining and splitting change nothing."""
    if any(share.doubted for share in part.shares) and not part.is_doubted:
        part = replace(part, shares=[share for share in part.shares if not share.doubted])
    if not any(share.bare for share in part.shares):
        return part
    if is_vouched_for(part) and not (part.summary.shared or part.recommendation):
        return part
    return replace(part, shares=[share for share in part.shares if not share.bare])


def is_vouched_for(part: Part) -> bool:
    """Whether people said something of a page that keeps its address when the import that shared it is undone."""
    return any(
        one.field in VOUCHES and not one.imported and one.value not in (None, "0", "-") for one in part.statements
    )


def _newest(shown: Sequence[Part]) -> Sequence[Share]:
    if len(shown) == 1:
        return shown[0].shares
    shares = chain.from_iterable(part.shares for part in shown)
    return sorted(shares, key=lambda share: (share.sent_at, share.seq), reverse=True)[:NEWEST]


def _titles(shown: Sequence[Part]) -> tuple[dict[str, str], list[str]]:
    """The title by language: that of the first page that has one, and of the others in languages it has none in, if it
    says its languages; and all else these pages are called."""
    titles: dict[str, str] = {}
    others: dict[str, None] = {}
    for part in shown:
        offered = [texts for texts in _titles_of(part) if texts]
        if not offered:
            continue
        best = offered[0]
        if not titles:
            titles = dict(best)
        elif "" not in titles:
            titles = {**titles, **{code: text for code, text in best.items() if code and code not in titles}}
        others |= dict.fromkeys(text for texts in offered for text in texts.values())
    return titles, [text for text in others if text not in titles.values()]


def _titles_of(part: Part) -> Iterable[Mapping[str, str]]:
    """What one page is called, by whom it counts: people, the YAML, files, the page itself, where it was shared."""
    if part.statements:
        people = part.last_by_people("title")
        yield {"": people} if people else {}
    if part.recommendation:
        yield json.loads(part.recommendation["title"])
    if part.statements:
        yield part.imported("title")
    if part.facts and part.facts["state"] == "ok" and part.facts["title"]:
        yield {part.facts["language"] or "": part.facts["title"]}
    for share in part.shares:
        if share.label:
            yield {"": share.label}
    for share in part.shares:
        if share.attachment:
            yield {"": json.loads(share.attachment)["title"]}


def _note(shown: Sequence[Part]) -> Mapping[str, str]:
    people = next((note for part in shown if (note := part.last_by_people("note"))), None)
    if people:
        return {"": people}
    yaml = (json.loads(part.recommendation["note"]) for part in shown if part.recommendation)
    imported = (part.imported("note") for part in shown)
    return next((note for note in chain(yaml, imported) if note), {})


def _topics(shown: Sequence[Part]) -> Mapping[str, str]:
    """The last word of people on each topic counts for the whole entry, a file's only where people have none."""
    statements = [one for part in shown for one in part.statements if one.field == "topic"]
    statements.sort(key=lambda one: (not one.imported, one.seq, one.page))
    return {one.key: one.value for one in statements if one.value}


def _votes(shown: Sequence[Part]) -> int:
    """People for whom somebody else shares it, each once; and the number of each file, its first for each page."""
    people = {one.by for part in shown for one in part.statements if one.field == "useful" and not one.imported}
    counted = sum(
        next((int(one.value or 0) for one in part.statements if one.field == "useful" and one.imported), 0)
        for part in shown
    )
    if not people:
        return counted
    shared = any(part.summary.shared for part in shown)
    for_all = not shared or any(part.recommendation for part in shown)
    return counted + sum(for_all or any(part.summary.shared_by_another(person) for part in shown) for person in people)
