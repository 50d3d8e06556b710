"""How quick is finding, beside simpler ways on the same data?"""

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

SLOW = 12  # questions put to ways that take long
NOW = FIRST_DAY + SPAN
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds."""

    p50: float
    p95: float
    worst: float

    @staticmethod
    def of(seconds: Sequence[float]) -> Times:
        ms = sorted(one * 1000 for one in seconds)
        return Times(statistics.median(ms), ms[min(len(ms) - 1, int(len(ms) * 0.95))], ms[-1])


class AllShared(Rules):
    """Hubs that are configured nowhere, all of them shared."""

    def __init__(self) -> None:
        super().__init__(())
        self._rules = replace(super().of(""), shared=True)

    def of(self, hub: str) -> HubRules:
        return self._rules


async def warm(db: Reader) -> None:
    """Reads what is searched once, as a bot has it in memory that has run for a while: a page of the file that is read
    for the first time takes longer than all the rest of a question."""
    for name in ("entries", "shares", "pages", "entry_topics", "vocabulary", "traces", "entry_words_content",
                 "entry_words_data", "entry_words_idx"):  # fmt: skip
        table = f"knowledge_{name}"
        columns = await db.rows("SELECT name FROM pragma_table_info(:table)", table=table)
        sizes = " + ".join(f"coalesce(length({row['name']}), 0)" for row in columns)
        await db.value(f"SELECT sum({sizes}) FROM {table}")


@dataclass(frozen=True, slots=True)
class Kind:
    """One class of questions, and who asks: a member of one private hub, or of a hub that shares with all."""

    name: str
    questions: Sequence[str]
    one_hub: bool = False


async def kinds(db: Reader, world: World, count: int) -> Sequence[Kind]:
    """Questions of every class, of words that are there."""
    draw = random.Random(7)  # noqa: S311 - data for measuring, not secrets
    common, mid, rare = world.words[:8], world.words[60:400], world.words[20_000:40_000]
    titles = [
        row["label"].split()
        for row in await db.rows("SELECT label FROM knowledge_shares WHERE id % 997 = 1 LIMIT 2000")
    ]
    terms = [name for languages in own_terms().values() for names in languages.values() for name in names]
    people = [row["user_id"] for row in await db.rows("SELECT user_id FROM knowledge_people ORDER BY id LIMIT 200")]

    def some(make: Callable[[], str]) -> Sequence[str]:
        return [make() for _ in range(count)]

    def typo() -> str:
        word = draw.choice([word for word in mid if len(word) > 5] or list(rare))
        place = draw.randrange(1, len(word) - 1)
        return word[:place] + draw.choice("xkw") + word[place + 1 :]

    def three() -> str:
        return f"{draw.choice(common)} {draw.choice(mid)} {draw.choice(mid)}"

    def phrase() -> str:
        title = draw.choice(titles)
        place = draw.randrange(len(title) - 1)
        return f'"{title[place]} {title[place + 1]}"'

    return (
        Kind("rare word", some(lambda: draw.choice(rare))),
        Kind("common word", some(lambda: draw.choice(common))),
        Kind("two words", some(lambda: f"{draw.choice(common)} {draw.choice(mid)}")),
        Kind("phrase", some(phrase)),
        Kind("beginning abc*", some(lambda: f"{draw.choice(mid)[:3]}*")),
        Kind("thesaurus", some(lambda: draw.choice(terms))),
        Kind("one hub of 100", some(lambda: draw.choice(common)), one_hub=True),
        Kind("one hub, two words", some(lambda: f"{draw.choice(common)} {draw.choice(common)}"), one_hub=True),
        Kind("misspelt", some(typo)),
        Kind("topic and word", some(lambda: f"{draw.choice(common)} topic:topic{draw.randrange(40)}")),
        Kind("three words", some(three)),
        Kind("one hub, three words", some(three), one_hub=True),
        Kind("person and word", some(lambda: f"{draw.choice(common)} from:{draw.choice(people)}")),
        Kind("one word without another", some(lambda: f"{draw.choice(mid)} -{draw.choice(common)}")),
    )


async def found(db: Reader, sights: Mapping[bool, Scope], kind: Kind) -> Times:
    """What `!find` costs: the search, and what is shown of five results."""
    terms, seen = with_terms(()), sights[kind.one_hub]
    seconds = []
    for text in kind.questions:
        began = time.perf_counter()
        await _find(db, seen, text, terms)
        seconds.append(time.perf_counter() - began)
    return Times.of(seconds)


async def _find(db: Reader, seen: Scope, text: str, terms: Thesaurus) -> None:
    question = query_parser.read(text, terms)
    topics = [question.topic] if question.topic else ()
    await db.run(load.answer, seen, question, topics, NOW, terms=terms, count=SHOWN)


async def sights(db: Reader) -> Mapping[bool, Scope]:
    """By whether one private hub is seen, or one hub and all the others, which share with it."""
    shelves = tuple(await db.run(every_shelf))
    return {True: Scope(shelves[:1]), False: Scope(shelves[:1], shelves[1:], all_shared=True)}


Way = Callable[[str], Awaitable[object]]


def by_rank(db: Reader) -> Way:
    """FTS5's own order, over all hubs: every match is weighed."""

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


def by_like(db: Reader) -> Way:
    """What simple bots do: every row is looked at."""

    async def ask(text: str) -> object:
        words = _plain(text)
        where = " AND ".join(f"(label LIKE :w{n} OR note LIKE :w{n})" for n in range(len(words)))
        wanted = {f"w{n}": f"%{word.strip('*')}%" for n, word in enumerate(words)}
        return await db.rows(f"SELECT id FROM knowledge_shares WHERE {where} ORDER BY sent_at DESC LIMIT 5", **wanted)

    return ask


async def by_tantivy(db: Reader, folder: Path, progress: Progress) -> Way | None:
    """The same words in tantivy, where it is installed."""
    try:
        import tantivy  # type: ignore[import-not-found, unused-ignore]  # measured only where somebody installed it
    except ImportError:
        return None
    schema = tantivy.SchemaBuilder()
    for name in ("title", "notes"):
        schema.add_text_field(name, stored=False)
    schema.add_integer_field("id", stored=True, indexed=True)
    made = tantivy.Index(schema.build(), path=str(folder))
    writer = made.writer(200_000_000, 1)
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
    made.reload()
    searcher = made.searcher()

    async def ask(text: str) -> object:
        words = text if text.startswith('"') else " ".join(f"+{word.strip('*')}" for word in _plain(text))
        return searcher.search(made.parse_query(words, ["title", "notes"]), 5)

    return ask


async def timed(way: Way, kind: Kind) -> Times:
    seconds = []
    for text in kind.questions[:SLOW]:
        began = time.perf_counter()
        await way(text)
        seconds.append(time.perf_counter() - began)
    return Times.of(seconds)


def _plain(text: str) -> Sequence[str]:
    """The words of a question that must occur: of the rest, other ways know nothing."""
    words = [word for word in text.replace('"', " ").split() if ":" not in word and not word.startswith("-")]
    return [part for word in words for part in word.replace("'", " ").replace("-", " ").split()]
