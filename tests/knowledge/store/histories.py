"""Random histories of a shelf, played on the real store: for the laws that hold whatever people did.

A step names pages, messages and commands by counting (the third page there is, the last command but one), so that each
subset of a history is a history, too: hypothesis finds the shortest that breaks a law. Every step that says anything
says it with a word of its own (`word3z`), which can be looked for afterwards.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st

import plugins.knowledge
from bot.api import Hub, Reaction, Row, SyncReader, SyncTransaction
from bot.storage.database import SqliteDatabase, steps_in
from plugins.knowledge.index import update
from plugins.knowledge.index.rebuild import rebuild
from plugins.knowledge.index.rekey import rekey, rekey_recommended
from plugins.knowledge.store import imports, shares
from plugins.knowledge.store.load import load
from plugins.knowledge.store.pages import entries_of, entry_with, regroup
from plugins.knowledge.store.resolve import Part, resolve
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.store.statements import Author, NewStatement
from plugins.knowledge.store.tlp import LABELS
from plugins.knowledge.transfer.formats.item import Item, ShareItem
from plugins.knowledge.transfer.import_plan import Manner
from plugins.knowledge.transfer.importer import Slice, import_slice
from plugins.knowledge.urls.canonical import canonical
from tests.knowledge.hubs import hub
from tests.knowledge.shelf import RULES
from tests.tiers import examples

T = TypeVar("T")

HUB, ROOM = "transparency", "!transparency:example.org"
SCHEMA = Path(plugins.knowledge.__file__).parent / "schema"
EXAMPLES = int(os.environ.get("FARO_TEST_EXAMPLES", examples(50)))
"""Histories that are played for each law."""
law = settings(max_examples=EXAMPLES)

SITE = "https://example.org"
A, B, B_TOP, C_ONE, C_TWO, D, MOVED = (
    f"{SITE}/{path}" for path in ("a", "b", "b#top", "c?page=1", "c?page=2", "d", "moved")
)
URLS = (A, B, B_TOP, C_ONE, C_TWO, D)
WORD = re.compile(r"word\d+z")


def old_key(url: str) -> str:
    """The key of older URL rules: to them B and B_TOP are different pages, C_ONE and C_TWO are one."""
    return url.partition("?")[0]


@dataclass(frozen=True)
class Share:
    who: str
    urls: tuple[str, ...]
    tlp: int = 1


@dataclass(frozen=True)
class Crowd:
    """Messages of one person with one link, at once; `older` ones are read later than others that were sent later."""

    who: str
    url: str
    tlp: int
    messages: int
    older: bool


@dataclass(frozen=True)
class Edit:
    """Of a message: it shares this instead."""

    message: int
    urls: tuple[str, ...]
    tlp: int = 1


@dataclass(frozen=True)
class Import:
    """A file with one link, which it may join with others."""

    urls: tuple[str, ...]
    tlp: int = 1
    spoken: bool = False
    """It gives a title, a note, topics, votes and a description."""
    pinned: bool = False
    hidden: bool = False


@dataclass(frozen=True)
class Recommend:
    """The hub's YAML recommends just these."""

    urls: tuple[str, ...]


@dataclass(frozen=True)
class Fetch:
    """A page says of itself what it is."""

    page: int


@dataclass(frozen=True)
class Say:
    who: str
    page: int
    field: str
    value: str = "1"


@dataclass(frozen=True)
class Useful:
    who: str
    page: int


@dataclass(frozen=True)
class Like:
    who: str
    message: int


@dataclass(frozen=True)
class Merge:
    who: str
    into: int
    other: int


@dataclass(frozen=True)
class Apart:
    who: str
    page: int
    other: int


@dataclass(frozen=True)
class Split:
    who: str
    page: int


@dataclass(frozen=True)
class Move:
    who: str
    page: int
    url: str


@dataclass(frozen=True)
class Undo:
    command: int


@dataclass(frozen=True)
class Redact:
    message: int


@dataclass(frozen=True)
class Forget:
    who: str


@dataclass(frozen=True)
class UndoImport:
    file: int


@dataclass(frozen=True)
class Purge:
    page: int


@dataclass(frozen=True)
class Rekey:
    """New URL rules, or more of the pages get their keys by them."""

    pages: int = 100


Command = Say | Merge | Apart | Split | Move
"""What can be undone by command."""
Withdrawal = Undo | Redact | Forget | UndoImport
Step = Command | Withdrawal | Share | Crowd | Edit | Import | Recommend | Fetch | Useful | Like | Purge | Rekey


def weighted(*strategies: tuple[int, st.SearchStrategy[T]]) -> st.SearchStrategy[T]:
    """One of these, some more often than others (`one_of` takes no strategy twice)."""
    return st.sampled_from([one for often, one in strategies for _ in range(often)]).flatmap(lambda chosen: chosen)


who = st.sampled_from(("@ana:x", "@ben:x", "@eva:x"))
_nth = st.integers(0, 7)
_tlp = st.sampled_from((1, 0, 2))
_urls = st.lists(st.sampled_from(URLS), min_size=1, max_size=2, unique=True).map(tuple)

posts = st.builds(Share, who, _urls, _tlp)
files = st.builds(Import, _urls, _tlp, st.booleans(), st.booleans(), st.booleans())
_hides = st.builds(Say, who, _nth, st.sampled_from(("hidden", "own_hidden")), st.sampled_from("110"))
_labels = st.builds(Say, who, _nth, st.just("label"), st.sampled_from("120"))
_words = st.builds(Say, who, _nth, st.sampled_from(("title", "note"))) | st.builds(
    Say, who, _nth, st.just("topic"), st.sampled_from("+-")
)
_pins = st.builds(Say, who, _nth, st.just("pinned"), st.sampled_from("10"))
_stays = st.builds(Say, who, _nth, st.just("stays"), st.just(MOVED))
limits: st.SearchStrategy[Say] = _hides | _labels
merges, _splits = st.builds(Merge, who, _nth, _nth), st.builds(Split, who, _nth)
_moves = st.builds(Move, who, _nth, st.sampled_from((MOVED, *URLS)))
_apart = st.builds(Apart, who, _nth, _nth)
_votes = st.builds(Useful, who, _nth) | st.builds(Like, who, _nth)

commands: st.SearchStrategy[Command] = weighted(
    (3, _words),
    (3, _hides),
    (3, _labels),
    (6, merges),
    (4, _splits),
    (2, _moves),
    (1, _pins),
    (1, _stays),
    (1, _apart),
)
joins: st.SearchStrategy[Merge | Split] = merges | _splits
deletions: st.SearchStrategy[Redact | Forget | UndoImport] = weighted(
    (3, st.builds(Redact, _nth)), (1, st.builds(Forget, who)), (2, st.builds(UndoImport, st.integers(0, 2)))
)
withdrawals: st.SearchStrategy[Withdrawal] = weighted((3, st.builds(Undo, _nth)), (3, deletions))
_singles: st.SearchStrategy[Sequence[Step]] = weighted(
    (4, posts),
    (1, st.builds(Edit, _nth, _urls, _tlp)),
    (2, files),
    (1, st.builds(Recommend, st.lists(st.sampled_from((A, B, C_ONE)), max_size=2, unique=True).map(tuple))),
    (1, st.builds(Fetch, _nth)),
    (12, commands),
    (2, _votes),
    (4, withdrawals),
    (1, st.builds(Rekey, st.sampled_from((1, 2, 100)))),
).map(lambda step: (step,))
_of_newest = -1  # page
_several: st.SearchStrategy[Sequence[Step]] = st.one_of(  # what seldom comes about by itself
    st.tuples(files, _words.map(lambda say: replace(say, page=_of_newest)), st.just(UndoImport(0))),
    st.tuples(posts, st.builds(Say, who, st.just(_of_newest), st.just("hidden")), st.just(Redact(1))),
    st.tuples(merges, merges, _splits),
    st.tuples(st.builds(Purge, _nth)),
)
_some = st.lists(weighted((9, _singles), (1, _several)), max_size=12)
histories: st.SearchStrategy[list[Step]] = st.tuples(st.lists(posts, max_size=8), _some, _some, _some).map(
    lambda lists: [*lists[0], *chain.from_iterable(chain.from_iterable(lists[1:]))]
)
"""Of several lists, because hypothesis makes one long list seldom long."""


@dataclass
class History:
    """Plays steps one after the other."""

    tx: SyncTransaction
    nth: int = 0
    commands: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    posts: dict[str, str] = field(default_factory=dict)
    """Messages that shared something → by whom."""
    messages: list[str] = field(default_factory=list)
    """All that can be redacted."""
    key: Callable[[str], str] = old_key

    def play(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self.step(step)

    def step(self, step: Step) -> None:
        self.nth += 1
        match step:
            case Share() | Crowd() | Edit():
                self._post(step)
            case Import():
                self._import(step)
            case Recommend():
                update.recommend(self.tx, RULES, [_recommending(step.urls)])
            case Fetch():
                self._fetch(step)
            case Useful() | Like():
                self._vote(step)
            case Purge():
                if pages := self._pages(step.page):
                    update.purge(self.tx, RULES, entries_of(self.tx, pages))
            case Rekey():
                self._rekey(step)
            case Say() | Merge() | Apart() | Split() | Move():
                self._command(step)
            case Undo() | Redact() | Forget() | UndoImport():
                self.withdraw(step)

    def withdraw(self, step: Withdrawal) -> None:
        match step:
            case Undo():
                if self.commands:
                    update.undo(self.tx, RULES, last(self.commands, step.command))
            case Redact():
                if self.messages:
                    event = last(self.messages, step.message)
                    update.redact(self.tx, RULES, HUB, event)
                    update.remove(self.tx, RULES, ROOM, event)
            case Forget():
                update.forget(self.tx, RULES, step.who)
            case UndoImport():
                if self.files:
                    self._undo_import(last(self.files, step.file))

    @property
    def word(self) -> str:
        return f"word{self.nth}z"

    @property
    def event(self) -> str:
        return f"$e{self.nth}"

    def _post(self, step: Share | Crowd | Edit) -> None:
        match step:
            case Share():
                self.posts[self.event] = step.who
                self.messages.append(self.event)
                self._write(self.event, step.urls, step.tlp)
            case Edit() if self.posts:
                self.messages.append(self.event)
                self._write(last(list(self.posts), step.message), step.urls, step.tlp)
            case Crowd():
                events = [f"{self.event}.{nth}" for nth in range(step.messages)]
                self.posts[events[-1]] = step.who
                self.messages.append(events[-1])
                self._write_many(events, step)

    def _write_many(self, events: Sequence[str], step: Crowd) -> None:
        new = [
            NewShare(
                hub=HUB,
                url=step.url,
                canonical=self.key(step.url),
                sent_at=-self.nth if step.older else self.nth,
                sender=step.who,
                room=ROOM,
                event=event,
                tlp=step.tlp,
            )
            for event in events
        ]
        update.put(self.tx, RULES, new)

    def _write(self, event: str, urls: Sequence[str], tlp: int) -> None:
        who = self.posts[event]
        new = [
            NewShare(
                hub=HUB,
                url=url,
                canonical=self.key(url),
                sent_at=self.nth,
                sender=who,
                room=ROOM,
                event=event,
                said_in=self.event,
                label=self.word if self.nth % 2 else None,
                note=f"note {self.word}",
                topics=(f"topic{self.nth % 3}",),
                tlp=tlp,
            )
            for url in urls
        ]
        update.replace(self.tx, RULES, ROOM, event, who, new)

    def _import(self, step: Import) -> None:
        texts = {"": f"file {self.word}", "es": f"fichero {self.word}"} if step.spoken else {}
        item = Item(
            step.urls[0],
            title=texts,
            note=texts,
            topics=(self.word, f"topic{self.nth % 3}") if step.spoken else (),
            votes=2 if step.spoken else 0,
            description=self.word if step.spoken else None,
            label=LABELS[step.tlp],
            pinned=step.pinned,
            hidden=step.hidden,
            shares=tuple(ShareItem(url, sent_at=self.nth, note=f"filed {self.word}") for url in step.urls),
        )
        part = Slice(f"digest {self.nth}", "links.csv", items=1, end=True)
        import_slice(self.tx, RULES, Manner(HUB, self.nth), [item], part)
        self._remember_command("import", self.files)

    def _undo_import(self, command: int) -> None:
        imports.begin_undoing(self.tx, command)
        while update.undo_some_of_import(self.tx, RULES, command):
            pass
        imports.end_undoing(self.tx, command)

    def _fetch(self, step: Fetch) -> None:
        pages = self._pages(step.page)
        url = self.tx.value(
            "SELECT url FROM knowledge_shares WHERE page = :page ORDER BY seq", page=pages[0] if pages else None
        )
        if url:
            self.tx.execute(
                """INSERT INTO knowledge_facts (page, url, state, title, language)
                VALUES (:page, :url, 'ok', :title, 'en') ON CONFLICT DO NOTHING""",
                page=pages[0],
                url=url,
                title=f"fetched {self.word}",
            )
            rebuild(self.tx, RULES, entries_of(self.tx, pages))

    def _vote(self, step: Useful | Like) -> None:
        if isinstance(step, Useful):
            for entry in entries_of(self.tx, self._pages(step.page)):
                update.vote(self.tx, RULES, entry, self._author(step.who))
        elif self.posts:
            post = last(list(self.posts), step.message)
            update.react(self.tx, RULES, Reaction(ROOM, self.event, step.who, self.nth, post, "👍"))
        self.messages.append(self.event)

    def _rekey(self, step: Rekey) -> None:
        if self.key is old_key:
            self.key = new_key
            make_old(self.tx)
            rekey_recommended(self.tx, RULES)
        rekey(self.tx, RULES, step.pages)

    def _command(self, step: Command) -> None:
        pages = self._pages(step.into if isinstance(step, Merge) else step.page)
        if not pages:
            return
        page, author = pages[0], self._author(step.who)
        (entry,) = entries_of(self.tx, pages)
        if isinstance(step, Say) and step.field == "own_hidden":
            author = self._author(self._newest_sharer(entry) or step.who)
        self.messages.append(self.event)
        match step:
            case Say():
                update.edit(self.tx, RULES, entry, author, self._sayings(step, entry, author.user))
            case Apart():
                (other,) = entries_of(self.tx, self._pages(step.other))
                if other != entry:
                    update.edit(self.tx, RULES, entry, author, [NewStatement("not_same_as", "1", target=other)])
            case Merge():
                (other,) = entries_of(self.tx, self._pages(step.other))
                if other != entry:
                    update.merge(self.tx, RULES, entry, other, author)
            case Split():
                update.split(self.tx, RULES, page, author)
            case Move():
                shelf = self.tx.value("SELECT shelf FROM knowledge_pages WHERE id = :page", page=page)
                if entry_with(self.tx, shelf, self.key(step.url)) is None:
                    update.move(self.tx, RULES, entry, step.url, self.key(step.url), author)
        self._remember_command("edit", self.commands)

    def _sayings(self, step: Say, entry: int, who: str) -> Sequence[NewStatement]:
        match step.field:
            case "title" | "note":
                return [NewStatement(step.field, f"{step.field} {self.word}")]
            case "topic":
                return [NewStatement("topic", step.value, key=key) for key in (f"topic{self.nth % 3}", self.word)]
            case "own_hidden" if not shares.is_theirs_alone(self.tx, entry, who):
                return []
            case _:
                return [NewStatement(step.field, step.value)]

    def _newest_sharer(self, entry: int) -> str | None:
        sharer: str | None = self.tx.value(
            """SELECT u.user_id FROM knowledge_pages p JOIN knowledge_shares s ON s.page = p.id
            JOIN knowledge_people u ON u.id = s.sender WHERE p.entry = :entry ORDER BY s.seq DESC""",
            entry=entry,
        )
        return sharer

    def _author(self, who: str) -> Author:
        return Author(who, self.nth, self.event)

    def _pages(self, nth: int) -> Sequence[int]:
        """The nth of the pages that have an entry; none if there are none."""
        rows = self.tx.rows(
            "SELECT p.id FROM knowledge_pages p JOIN knowledge_entries e ON e.id = p.entry ORDER BY p.number"
        )
        return [rows[nth % len(rows)]["id"]] if rows else []

    def _remember_command(self, kind: str, to: list[int]) -> None:
        newest = self.tx.value("SELECT max(id) FROM knowledge_commands WHERE kind = :kind", kind=kind)
        if newest is not None and (not to or newest > to[-1]):
            to.append(newest)


def new_key(url: str) -> str:
    return canonical(url) or url


def last(many: Sequence[T], nth: int) -> T:
    """The last, or the nth before it."""
    return many[-1 - nth % len(many)]


def make_old(tx: SyncTransaction) -> None:
    """As if older rules had made all keys there are."""
    tx.execute("UPDATE knowledge_pages SET version = 0 WHERE key IS NOT NULL")


@lru_cache
def _recommending(urls: tuple[str, ...]) -> Hub:
    return hub(HUB, resources=[{"url": url, "title": f"yaml {url[-1]}"} for url in urls])


# -- What there is, to be compared ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class State:
    """All that is derived."""

    entries: Sequence[Row]
    topics: Sequence[Row]
    words: Sequence[Row]
    vocabulary: Sequence[Row]
    traces: Sequence[Row]
    groups: Mapping[int, int]


def state(tx: SyncReader) -> State:
    # By its place in the order: ids are nobody's business.
    entries = tx.rows("""SELECT e.*, (SELECT seq FROM knowledge_shares WHERE id = e.newest) AS newest
        FROM knowledge_entries e ORDER BY e.id""")
    return State(
        entries=entries,
        topics=tx.rows("SELECT * FROM knowledge_entry_topics ORDER BY entry, topic"),
        words=tx.rows("SELECT rowid, * FROM knowledge_entry_words ORDER BY rowid"),
        vocabulary=tx.rows("SELECT * FROM knowledge_vocabulary ORDER BY word, shelf"),
        traces=tx.rows("SELECT * FROM knowledge_traces ORDER BY trace, word"),
        groups={row["id"]: row["entry"] for row in tx.rows("SELECT id, entry FROM knowledge_pages ORDER BY id")},
    )


def rebuild_all(tx: SyncTransaction) -> None:
    """Everything derived is thrown away and made from what was said."""
    for table in ("entries", "entry_words", "vocabulary", "traces"):
        tx.execute(f"DELETE FROM knowledge_{table}")  # noqa: S608 - names of tables
    tx.execute("UPDATE knowledge_pages SET entry = id")
    rebuild(tx, RULES, regroup(tx, [row["id"] for row in tx.rows("SELECT id FROM knowledge_pages")]))


def parts(tx: SyncReader) -> Mapping[int, Sequence[Part]]:
    """What counts of each entry there is."""
    return load(tx, [row["id"] for row in tx.rows("SELECT id FROM knowledge_entries")])


def visible(tx: SyncReader) -> Mapping[int, Part]:
    """What counts of the pages that are shared or recommended, and found."""
    return {page: part for page, part in shown(tx).items() if part.is_said}


def shown(tx: SyncReader) -> Mapping[int, Part]:
    """What counts of the pages that add something to a result: also what was said of one whose shares are gone."""
    entries = [resolve(entry, of_entry) for entry, of_entry in parts(tx).items()]
    found = chain.from_iterable(entry.shown for entry in entries if entry and not entry.hidden)
    return {part.page: part for part in found}


def set_by_people(tx: SyncReader, field: str) -> Mapping[int, int]:
    """Page → what people last said of a field, of what counts."""
    rows = tx.rows(
        """SELECT s.page, s.value FROM knowledge_statements s JOIN knowledge_commands c ON c.id = s.command
        WHERE s.field = :field AND s.withdrawn IS NULL AND c.kind <> 'import' ORDER BY s.seq""",
        field=field,
    )
    return {row["page"]: int(row["value"]) for row in rows}


def text(tx: SyncReader) -> str:
    """All that stands in any table. The full-text index itself is left out: when deleted words leave it, it is
    rewritten as a whole (test_deleting.py looks into the file)."""
    tables = tx.rows("""SELECT name FROM sqlite_schema WHERE type = 'table'
        AND (name NOT LIKE 'knowledge_entry_words%' OR name = 'knowledge_entry_words')""")
    return "\n".join(str(tx.rows(f"SELECT * FROM {row['name']}")) for row in tables)  # noqa: S608 - names of tables


def words_of(tx: SyncReader, shares: str, commands: str, **params: object) -> Collection[str]:
    """The words of some shares and commands (conditions on their tables), as steps say them."""
    rows = tx.rows(
        f"""SELECT note AS text FROM knowledge_shares WHERE {shares} UNION ALL
        SELECT key || ' ' || coalesce(value, '') FROM knowledge_statements
        WHERE command IN (SELECT id FROM knowledge_commands WHERE {commands})""",  # noqa: S608 - our own conditions
        **params,
    )
    return {word for row in rows for word in WORD.findall(row["text"] or "")}


@contextmanager
def tried(tx: SyncTransaction) -> Iterator[None]:
    """What happens inside has not happened afterwards."""
    tx.execute("SAVEPOINT tried")
    try:
        yield
    finally:
        tx.execute("ROLLBACK TO tried")
        tx.execute("RELEASE tried")


class _Over(Exception):  # noqa: N818 - no error: it ends a transaction that is not to be kept
    pass


Play = Callable[[Callable[[SyncTransaction], None]], None]


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    """Calls a function in a transaction on an empty shelf; nothing of it is kept. One database serves all examples:
    to create one takes longer than most histories."""
    with asyncio.Runner() as runner:
        db = SqliteDatabase(None)

        async def opened() -> None:
            await db.__aenter__()
            await db.migrate("knowledge", steps_in(SCHEMA))

        async def in_transaction(what: Callable[[SyncTransaction], None]) -> None:
            try:
                async with db.transaction() as tx:
                    await tx.run(what)
                    raise _Over
            except _Over:
                pass

        runner.run(opened())
        yield lambda what: runner.run(in_transaction(what))
        runner.run(db.close())
