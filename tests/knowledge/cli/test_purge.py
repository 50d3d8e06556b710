"""`faro purge` and `faro forget`: what is taken out is in no file any more, also while the bot has it open."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from bot.api import Transaction
from bot.storage.database import SqliteDatabase
from plugins.knowledge.index import update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store import access, privacy
from plugins.knowledge.store.access import COORDINATORS, MEMBERS, Scope
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.store.statements import Author, NewStatement
from plugins.knowledge.urls.canonical import canonical
from plugins.knowledge.views import load
from tests.knowledge.faro import ANA, BEN, CONFIG, HALL, Faro, made

INSIDE = "!inside:example.org"
WORDS = ("uokkaly", "ombatish", "latypusly", "chidnaless", "arsupialis")
"""How the words end that are to go: a beginning may be shared with others."""
ITEMS: list[Mapping[str, object]] = [
    {"url": "https://example.org/quokkaly", "title": "Wombatish", "note": "platypusly", "topics": ["marsupialis"]},
    {"url": "https://example.org/echidnaless"},
]


@pytest.fixture
def faro(tmp_path: Path) -> Faro:
    """Two hubs share a page; the first has all that can be had."""
    faro = made(tmp_path)
    faro.imported(ITEMS, "--as", BEN)
    faro.imported([{"url": "https://example.org/theirs", "title": "Theirs"}], hub="audit")
    faro.change(busy)
    assert held(faro, *WORDS) == list(WORDS)
    return faro


async def busy(tx: Transaction, rules: Rules) -> None:
    url = "https://example.org/platypusly"
    for circle, room, event in ((MEMBERS, HALL, "$1"), (COORDINATORS, INSIDE, "$2")):
        share = NewShare("transparency", url, canonical(url) or url, 1, ANA, circle, room, event, note="quokkaly")
        await tx.run(update.put, rules, [share])
    scope = Scope(tuple(shelf for shelf in await tx.run(access.every_shelf) if shelf.hub == "transparency"))
    for number in (1, 2):
        [entry] = await tx.run(load.numbered, scope.with_sign(""), number)
        said = [NewStatement("title", f"wombatish {number}"), NewStatement("topic", "+", key="marsupialis")]
        await tx.run(update.edit, rules, entry.id, Author(BEN, 1), said)
    await tx.execute(
        "INSERT INTO knowledge_searches VALUES (:room, :who, '$3', 'echidnaless', 5, 1)", room=HALL, who=BEN
    )


def held(faro: Faro, *words: str) -> list[str]:
    """Which of the words stand in the database or in its log."""
    data = b"".join(file.read_bytes() for file in faro.database.parent.glob("faro.db*"))
    return [word for word in words if word.encode() in data]


def test_a_hub_goes_with_all_its_words_while_the_bot_has_the_file(faro: Faro) -> None:
    with closing(sqlite3.connect(faro.database)) as bot:  # the log stays as long as somebody has the file open
        bot.execute("SELECT * FROM knowledge_entries").fetchall()
        result = faro.run("purge", "transparency", "--yes")
        assert held(faro, *WORDS, ANA, BEN, HALL, INSIDE) == []
        assert "4 results" in result.stdout
    assert [item["url"] for item in faro.exported(hub="audit")] == ["https://example.org/theirs"]
    assert faro.exported() == []


def test_a_hub_that_is_no_longer_configured_is_named_by_its_id(faro: Faro) -> None:
    faro.config.write_text(CONFIG.replace("transparency", "archive"), encoding="utf-8")
    told = faro.run("purge", "transparancy", "--yes", code=2).stderr
    assert "known hubs: archive, audit, transparency" in told
    faro.run("purge", "transparency", "--yes")
    assert held(faro, *WORDS, "transparency") == []
    assert faro.value("SELECT group_concat(hub) FROM knowledge_shelves") == "audit"
    assert "no hub" in faro.run("purge", "transparency", "--yes", code=2).stderr


def test_numbers_of_a_hub_in_use_are_not_given_again(faro: Faro) -> None:
    told = faro.run("purge", "transparency", "--yes").stdout
    assert "links shared from now on are stored" in told
    faro.imported([{"url": "https://example.org/new"}])
    number = """SELECT number FROM knowledge_entries e JOIN knowledge_shelves s ON s.id = e.shelf
        WHERE hub = 'transparency'"""
    assert faro.value(number) == 4


def test_what_one_hub_takes_out_the_other_still_has(faro: Faro) -> None:
    faro.imported(ITEMS, "--as", BEN, hub="audit")
    faro.run("purge", "transparency", "--yes")
    assert len(faro.exported(hub="audit")) == 3
    assert faro.value("SELECT group_concat(user_id) FROM knowledge_people") == BEN


@pytest.mark.parametrize(("number", "title"), [("1", "wombatish 1"), ("#1", "wombatish 1"), ("c1", "platypusly")])
def test_one_result_goes_with_what_was_written_about_it(faro: Faro, number: str, title: str) -> None:
    before = faro.value("SELECT count(*) FROM knowledge_entries")
    result = faro.run("purge", "transparency", number, "--yes")
    assert f"Result {number.lstrip('#')} of 'transparency': {title}" in result.stdout
    assert faro.value("SELECT count(*) FROM knowledge_entries") == before - 1
    if number != "c1":
        assert held(faro, "wombatish 1", "Wombatish") == []
        assert held(faro, "ombatish 2") == ["ombatish 2"]


def test_what_does_not_exist_changes_nothing(faro: Faro) -> None:
    assert "no result with the number 99" in faro.run("purge", "transparency", "99", "--yes", code=2).stderr
    assert "no result" in faro.run("purge", "transparency", "wombatish", "--yes", code=2).stderr
    assert held(faro, *WORDS) == list(WORDS)


@pytest.mark.parametrize("arguments", [("purge", "transparency"), ("purge", "transparency", "1"), ("forget", BEN)])
def test_nothing_is_erased_unasked(faro: Faro, arguments: tuple[str, ...]) -> None:
    told = faro.run(*arguments, code=2)
    assert "  - " in told.stdout, "it says what would go"
    assert "pass --yes" in told.stderr
    assert held(faro, *WORDS) == list(WORDS)


def test_more_than_one_transaction_takes_is_taken(faro: Faro) -> None:
    faro.imported([{"url": f"https://example.org/quokkaly/{number}"} for number in range(privacy.SLICE + 1)])
    faro.run("purge", "transparency", "--yes")
    assert held(faro, *WORDS) == []


def test_a_person_is_forgotten_as_if_they_had_asked_the_bot(faro: Faro) -> None:
    """By every plugin, and by the core."""

    async def chosen(tx: Transaction, rules: Rules) -> None:
        await tx.execute("INSERT INTO core_people (user, language) VALUES (:ana, 'es'), (:ben, 'es')", ana=ANA, ben=BEN)
        await tx.execute("INSERT INTO meetings_asker_zones VALUES (:ana, 'Europe/Madrid', 1)", ana=ANA)

    faro.change(chosen)
    with closing(sqlite3.connect(faro.database)) as bot:
        bot.execute("SELECT * FROM knowledge_entries").fetchall()
        told = faro.run("forget", ANA, "--yes").stdout
        assert "shared 2 times" in told
        assert told.endswith("Erased, from the database file too.\n")
        assert held(faro, ANA, "latypusly quokkaly") == []
    assert faro.value("SELECT group_concat(user) FROM core_people") == BEN
    assert faro.value("SELECT count(*) FROM knowledge_shares") == 3


def test_somebody_the_bot_does_not_know_is_told_so(faro: Faro) -> None:
    assert "has no data about this person" in faro.run("forget", "@anna:example.org", "--yes").stdout
    assert "@ana:example.org" in faro.run("forget", "anna", "--yes", code=2).stderr


def test_entries_others_share_are_made_by_their_hubs_rules(faro: Faro) -> None:
    """The topic is the hub's own: without its rules it would not be found by its title."""

    async def both(tx: Transaction, rules: Rules) -> None:
        url = "https://example.org/both"
        for who, event in ((ANA, "$a"), (BEN, "$b")):
            share = NewShare("transparency", url, url, 1, who, MEMBERS, HALL, event, note="regalos")
            await tx.run(update.put, rules, [share])

    faro.change(both)
    faro.run("forget", ANA, "--yes")
    assert [item["topics"] for item in faro.exported() if item["url"].endswith("/both")] == [["gifts"]]


def test_who_wants_nothing_kept_still_wants_that_when_forgotten(faro: Faro) -> None:
    async def off(tx: Transaction, rules: Rules) -> None:
        await tx.run(privacy.choose, ANA, unlogged=True, askable=True)

    faro.change(off)
    assert "this setting is kept" in faro.run("forget", ANA, "--yes").stdout
    assert faro.value("SELECT unlogged || askable FROM knowledge_choices") == "10"
    theirs = """SELECT count(*) FROM knowledge_shares WHERE sender IN
        (SELECT id FROM knowledge_people WHERE user_id LIKE '@ana%')"""
    assert faro.value(theirs) == 0


async def test_for_a_page_that_goes_not_all_shares_are_read(db: SqliteDatabase) -> None:
    """Else a hub with a million results could not be taken out in a night."""
    plan = await db.reading().rows("EXPLAIN QUERY PLAN SELECT 1 FROM knowledge_shares WHERE page = 1")
    assert "knowledge_shares_by_page" in plan[0]["detail"]
