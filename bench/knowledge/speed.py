"""Measures the speed of search, with simpler engines on the same data for comparison."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.knowledge.invented import FIRST_DAY, SPAN, World
from bot.api import Reader
from plugins.knowledge.index.hub_rules import HubRules, Rules
from plugins.knowledge.index.thesaurus import Thesaurus, own_terms, with_terms
from plugins.knowledge.search import query_parser
from plugins.knowledge.store.access import Scope, every_shelf
from plugins.knowledge.views import load

if TYPE_CHECKING:
    from rich.progress import Progress

SLOW = 12  # questions put to slow engines
NOW = FIRST_DAY + SPAN
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Latencies:
    """Latencies in milliseconds."""

    p50: float
    p95: float
    worst: float

    @staticmethod
    def of(seconds: Sequence[float]) -> Latencies:
        ms = sorted(duration * 1000 for duration in seconds)
        return Latencies(statistics.median(ms), ms[min(len(ms) - 1, int(len(ms) * 0.95))], ms[-1])


class AllShared(Rules):
    """Rules for hubs without configuration, all of them shared."""

    def __init__(self) -> None:
        super().__init__(())
        self._rules = replace(super().of(""), shared=True)

    def of(self, hub: str) -> HubRules:
        return self._rules


async def warm_up(db: Reader) -> None:
    """Reads all tables that are searched, as they are cached in a bot that has run for a while: the first read of a
    page of the file takes longer than all the rest of a search."""
    for name in ("entries", "shares", "pages", "entry_topics", "vocabulary", "traces", "entry_words_content",
                 "entry_words_data", "entry_words_idx"):  # fmt: skip
        table = f"knowledge_{name}"
        columns = await db.rows("SELECT name FROM pragma_table_info(:table)", table=table)
        sizes = " + ".join(f"coalesce(length({row['name']}), 0)" for row in columns)
        await db.value(f"SELECT sum({sizes}) FROM {table}")


@dataclass(frozen=True, slots=True)
class QueryClass:
    """A class of questions, and who asks: a member of one private hub (`one_hub`), or of a hub that shares with all."""

    name: str
    questions: Sequence[str]
    one_hub: bool = False


async def query_classes(db: Reader, world: World, count: int) -> Sequence[QueryClass]:
    """Questions of every class, with words that occur in the data."""
    draw = random.Random(7)  # noqa: S311 - data for measuring, not secrets
    common, mid, rare = world.words[:8], world.words[60:400], world.words[20_000:40_000]
    titles = [
        row["label"].split()
        for row in await db.rows("SELECT label FROM knowledge_shares WHERE id % 997 = 1 LIMIT 2000")
    ]
    terms = [name for languages in own_terms().values() for names in languages.values() for name in names]
    people = [row["user_id"] for row in await db.rows("SELECT user_id FROM knowledge_people ORDER BY id LIMIT 200")]

    def generate(make: Callable[[], str]) -> Sequence[str]:
        return [make() for _ in range(count)]

    def typo() -> str:
        word = draw.choice([word for word in mid if len(word) > 5] or list(rare))
        position = draw.randrange(1, len(word) - 1)
        return word[:position] + draw.choice("xkw") + word[position + 1 :]

    def three() -> str:
        return f"{draw.choice(common)} {draw.choice(mid)} {draw.choice(mid)}"

    def phrase() -> str:
        title = draw.choice(titles)
        position = draw.randrange(len(title) - 1)
        return f'"{title[position]} {title[position + 1]}"'

    return (
        QueryClass("rare word", generate(lambda: draw.choice(rare))),
        QueryClass("common word", generate(lambda: draw.choice(common))),
        QueryClass("two words", generate(lambda: f"{draw.choice(common)} {draw.choice(mid)}")),
        QueryClass("phrase", generate(phrase)),
        QueryClass("beginning abc*", generate(lambda: f"{draw.choice(mid)[:3]}*")),
        QueryClass("thesaurus", generate(lambda: draw.choice(terms))),
        QueryClass("one hub of 100", generate(lambda: draw.choice(common)), one_hub=True),
        QueryClass(
            "one hub, two words", generate(lambda: f"{draw.choice(common)} {draw.choice(common)}"), one_hub=True
        ),
        QueryClass("misspelt", generate(typo)),
        QueryClass("topic and word", generate(lambda: f"{draw.choice(common)} topic:topic{draw.randrange(40)}")),
        QueryClass("three words", generate(three)),
        QueryClass("one hub, three words", generate(three), one_hub=True),
        QueryClass("person and word", generate(lambda: f"{draw.choice(common)} from:{draw.choice(people)}")),
        QueryClass("one word without another", generate(lambda: f"{draw.choice(mid)} -{draw.choice(common)}")),
    )


async def measure_find(db: Reader, scopes: Mapping[bool, Scope], query_class: QueryClass) -> Latencies:
    """Measures `!find`: the search, and loading five results."""
    thesaurus, scope = with_terms(()), scopes[query_class.one_hub]
    seconds = []
    for text in query_class.questions:
        started = time.perf_counter()
        await _find(db, scope, text, thesaurus)
        seconds.append(time.perf_counter() - started)
    return Latencies.of(seconds)


async def _find(db: Reader, scope: Scope, text: str, thesaurus: Thesaurus) -> None:
    question = query_parser.parse(text, thesaurus)
    topics = [question.topic] if question.topic else ()
    await db.run(load.answer, scope, question, topics, NOW, thesaurus=thesaurus, count=SHOWN)


async def scopes(db: Reader) -> Mapping[bool, Scope]:
    """The scopes by `one_hub`: one private hub, or one hub and all others, which share with it."""
    shelves = tuple(await db.run(every_shelf))
    return {True: Scope(shelves[:1]), False: Scope(shelves[:1], shelves[1:], all_shared=True)}


SearchFunction = Callable[[str], Awaitable[object]]


def by_rank(db: Reader) -> SearchFunction:
    """Search by FTS5's own rank over all hubs, which scores every match."""

    async def ask(text: str) -> object:
        words = _plain(text)
        expression = " AND ".join(f'"{word.rstrip("*")}"{"*" if word.endswith("*") else ""}' for word in words)
        if text.startswith('"'):
            expression = text
        return await db.rows(
            "SELECT rowid FROM knowledge_entry_words WHERE knowledge_entry_words MATCH :m ORDER BY rank LIMIT 5",
            m="{title topics notes about address} : (" + expression + ")",
        )

    return ask


def by_like(db: Reader) -> SearchFunction:
    """Search with LIKE, as simple bots do: a full table scan."""

    async def ask(text: str) -> object:
        words = _plain(text)
        where = " AND ".join(f"(label LIKE :w{n} OR note LIKE :w{n})" for n in range(len(words)))
        wanted = {f"w{n}": f"%{word.strip('*')}%" for n, word in enumerate(words)}
        return await db.rows(f"SELECT id FROM knowledge_shares WHERE {where} ORDER BY sent_at DESC LIMIT 5", **wanted)

    return ask


async def by_tantivy(db: Reader, folder: Path, progress: Progress) -> SearchFunction | None:
    """Search with tantivy, if it is installed."""
    try:
        import tantivy  # type: ignore[import-not-found, unused-ignore]  # measured only where somebody installed it
    except ImportError:
        return None
    schema = tantivy.SchemaBuilder()
    for name in ("title", "notes"):
        schema.add_text_field(name, stored=False)
    schema.add_integer_field("id", stored=True, indexed=True)
    index = tantivy.Index(schema.build(), path=str(folder))
    writer = index.writer(200_000_000, 1)
    task = progress.add_task("filing in tantivy", total=None)
    last = 0
    while rows := await db.rows(
        "SELECT id, label, note FROM knowledge_shares WHERE id > :last ORDER BY id LIMIT 20000", last=last
    ):
        for row in rows:
            writer.add_document(tantivy.Document(title=row["label"] or "", notes=row["note"] or "", id=row["id"]))
        last = rows[-1]["id"]
        progress.advance(task, len(rows))
    writer.commit()
    index.reload()
    searcher = index.searcher()

    async def ask(text: str) -> object:
        words = text if text.startswith('"') else " ".join(f"+{word.strip('*')}" for word in _plain(text))
        return searcher.search(index.parse_query(words, ["title", "notes"]), 5)

    return ask


async def measure(search: SearchFunction, query_class: QueryClass) -> Latencies:
    seconds = []
    for text in query_class.questions[:SLOW]:
        started = time.perf_counter()
        await search(text)
        seconds.append(time.perf_counter() - started)
    return Latencies.of(seconds)


def _plain(text: str) -> Sequence[str]:
    """The words of a question that must occur; other engines do not support the rest."""
    words = [word for word in text.replace('"', " ").split() if ":" not in word and not word.startswith("-")]
    return [part for word in words for part in word.replace("'", " ").replace("-", " ").split()]
