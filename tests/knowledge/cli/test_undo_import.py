"""`faro undo-import`: nothing is taken back unasked, nothing twice, and what is taken back is in no file any more."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing

import pytest

from bot.api import Transaction
from bot.storage.database import SqliteDatabase
from bot.testing.patience import patient
from plugins.knowledge.index import update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.store.statements import Author, NewStatement
from tests.knowledge.cli.test_purge import held
from tests.knowledge.faro import ANA, BEN, HALL, Faro, faro_json, interrupted
from tests.knowledge.transfer.test_importer import _write_until, many

ONE, TWO, THREE = (f"https://example.org/{name}" for name in ("one", "two", "three"))
THERE: list[Mapping[str, object]] = [
    {"url": ONE, "title": "Ours", "shares": [{"sent_at": 5, "note": "first"}]},
    {"url": TWO, "shares": [{"sent_at": 6}]},
]
MISTAKEN: list[Mapping[str, object]] = [
    {"url": ONE, "title": "Uokkaly", "note": "uokkaly", "topics": ["gifts"], "shares": [{"sent_at": 7, "sender": BEN}]},
    {"url": THREE, "title": "Uokkaly", "shares": [{"url": "https://example.org/uokkaly", "sender": BEN}]},
    {"url": "https://example.org/four", "description": "uokkaly", "hidden": True},
]


def mistaken(faro: Faro, *options: object) -> int:
    """The number of a file that was brought in by mistake."""
    file = faro.file("mistaken.json", faro_json(MISTAKEN))
    faro.run("import", "transparency", file, "--yes", "--keep-sharers", *options)
    return int(faro.value("SELECT max(id) FROM knowledge_commands"))


@pytest.mark.parametrize("where", [(), ("--coordinators",)])
def test_the_hub_is_as_before_and_no_word_is_left_in_the_file(faro: Faro, where: tuple[str, ...]) -> None:
    faro.imported(THERE, *where)
    before = faro.exported("--with-people", *where)
    number = mistaken(faro, *where)
    assert held(faro, "okkaly", BEN) == ["okkaly", BEN]
    with closing(sqlite3.connect(faro.database)) as bot:  # the log stays as long as somebody has the file open
        bot.execute("SELECT * FROM knowledge_entries").fetchall()
        told = faro.run("undo-import", "transparency", number, "--yes").stdout
        assert held(faro, "okkaly", BEN) == []
    assert "2 results will be removed.\n1 result stays" in told
    assert faro.exported("--with-people", *where) == before


def test_files_are_listed_and_what_would_be_taken_back_is_shown(faro: Faro) -> None:
    assert "No file has been imported into 'transparency'." in faro.run("undo-import", "transparency").stdout
    faro.imported(THERE, "--coordinators")
    number = mistaken(faro)
    before = faro.exported()
    listed = faro.run("undo-import", "transparency").stdout.splitlines()
    assert [line.split(" · ")[0::2] for line in listed] == [
        [str(number), "mistaken.json"],
        ["1", "items.json", "for the coordinators' rooms"],
    ]
    assert listed[0].endswith("3 links")
    assert faro.run("undo-import", "transparency", number, "--dry-run").stdout.splitlines()[1:] == [
        "3 results will be removed."
    ]
    told = faro.run("undo-import", "transparency", number, code=2)
    assert "3 results will be removed." in told.stdout
    assert "pass --yes" in told.stderr
    assert faro.exported() == before
    faro.run("undo-import", "transparency", number, "--yes")
    assert faro.run("undo-import", "transparency").stdout.splitlines()[0].endswith("3 links · undone")


@pytest.mark.parametrize(("answer", "links"), [("y", 2), ("n", 4)])
def test_a_person_at_a_terminal_is_asked(faro: Faro, answer: str, links: int) -> None:
    faro.imported(THERE)
    number = mistaken(faro)
    running, output = faro.answered(answer, "undo-import", "transparency", number)
    assert b"Undo the import? [y/N]" in output
    assert running.returncode == 0
    assert len(faro.exported()) == links


def test_taken_back_twice_it_does_nothing_the_second_time(faro: Faro) -> None:
    number = mistaken(faro)
    faro.run("undo-import", "transparency", number, "--yes")
    faro.imported(THERE)
    before = faro.exported()
    told = faro.run("undo-import", "transparency", number, "--yes").stdout
    assert told.endswith("· undone\nThere is nothing left to undo.\n")
    assert faro.exported() == before


def test_brought_in_once_more_it_is_there_again_with_new_numbers(faro: Faro) -> None:
    faro.run("undo-import", "transparency", mistaken(faro), "--yes")
    again = mistaken(faro)
    assert len(faro.run("undo-import", "transparency").stdout.splitlines()) == 2
    assert [item["number"] for item in faro.exported()] == [5, 6, 7]
    assert "3 results will be removed." in faro.run("undo-import", "transparency", again, "--dry-run").stdout


def test_results_that_were_joined_are_one_of_those_that_go_or_stay(faro: Faro) -> None:
    number = mistaken(faro)

    async def joined(tx: Transaction, rules: Rules) -> None:
        await tx.run(update.merge, rules, 1, 2, Author(BEN, 1))

    faro.change(joined)
    told = faro.run("undo-import", "transparency", number, "--dry-run").stdout.splitlines()
    assert told[0].endswith(" · 3 links")
    assert told[1:] == ["2 results will be removed."]


def test_another_hubs_file_cannot_be_taken_back(faro: Faro) -> None:
    number = mistaken(faro)
    faro.imported(THERE, hub="audit")
    for odd in (number, 99):
        told = faro.run("undo-import", "audit", odd, "--yes", code=2).stderr
        assert f"'audit' has no import with the number {odd}." in told
    faro.run("undo-import", "transparency", number, "--yes")
    assert [item["url"] for item in faro.exported(hub="audit")] == [ONE, TWO]


def test_a_change_that_is_no_file_cannot_be_taken_back_here(faro: Faro) -> None:
    pinned = mistaken(faro) + 1

    async def changed(tx: Transaction, rules: Rules) -> None:
        await tx.run(update.edit, rules, 1, Author(BEN, 1), [NewStatement("pinned", "1")])

    faro.change(changed)
    assert f"number {pinned}" in faro.run("undo-import", "transparency", pinned, "--yes", code=2).stderr


def test_what_people_shared_meanwhile_stays_with_what_is_theirs(faro: Faro) -> None:
    number = mistaken(faro)

    async def share(tx: Transaction, rules: Rules) -> None:
        said = NewShare("transparency", THREE, THREE, 9, ANA, room=HALL, event="$1", note="mine")
        await tx.run(update.put, rules, [said])

    faro.change(share)
    assert "1 result stays" in faro.run("undo-import", "transparency", number, "--yes").stdout
    [three] = faro.exported("--with-people")
    assert [(one["sender"], one["note"]) for one in three["shares"]] == [(ANA, "mine")]
    assert "title" not in three
    assert held(faro, "okkaly", BEN) == []


def test_killed_in_the_middle_it_goes_on_where_it_was(faro: Faro) -> None:
    faro.imported(THERE)
    before = faro.exported()
    faro.imported(many(1200))
    number = faro.value("SELECT max(id) FROM knowledge_commands")
    for _ in range(2):
        there = _left(faro)
        with faro.started("undo-import", "transparency", number, "--yes") as running:
            for left in _watched(faro):
                if left < there or running.poll() is not None:
                    break
            running.send_signal(signal.SIGKILL)
        assert running.returncode == -signal.SIGKILL
        assert 0 < _left(faro) < there
        listed = faro.run("undo-import", "transparency").stdout.splitlines()
        assert listed[0].endswith(" · undo not finished: run the same faro undo-import again to continue")
        assert listed[1].endswith(" · 2 links")
    faro.run("undo-import", "transparency", number, "--yes")
    assert faro.exported() == before
    assert held(faro, "words 1", "Number 6") == []


@pytest.mark.full
def test_interrupted_by_hand_it_says_how_to_go_on(faro: Faro) -> None:
    faro.imported(many(1200))
    with faro.started("undo-import", "transparency", 1, "--yes") as running:
        for left in _watched(faro):
            if left < 1200 or running.poll() is not None:
                break
        last = interrupted(running)
    assert (running.returncode, last) == (1, "Interrupted. Run the command again to continue.")


def test_a_bot_that_runs_is_not_held_up_and_loses_nothing(faro: Faro) -> None:
    faro.imported(many(700))
    with faro.started("undo-import", "transparency", 1, "--yes") as running:
        written = asyncio.run(_write_until(faro, running))
        output, _ = running.communicate(timeout=patient(50))
    assert running.returncode == 0, output
    assert written > 0
    assert len(faro.exported()) == written


@pytest.mark.full
def test_an_import_that_went_on_is_one_file_and_one_that_was_taken_back_begins_anew(faro: Faro) -> None:
    file = faro.file("many.json", faro_json(many(700)))
    for seen in (0, 200):
        with faro.started("import", "transparency", file, "--yes") as running:
            for done in _watched(faro, "SELECT max(items) FROM knowledge_commands"):
                if done > seen or running.poll() is not None:
                    break
            running.send_signal(signal.SIGKILL)
    assert faro.value("SELECT count(*) FROM knowledge_commands") == 1
    assert faro.value("SELECT links FROM knowledge_commands") == faro.value("SELECT count(*) FROM knowledge_entries")
    listed = faro.run("undo-import", "transparency").stdout
    assert listed.endswith(" · not finished: run the same faro import again to continue\n")
    faro.run("undo-import", "transparency", 1, "--yes")
    assert "700 new links" in faro.run("import", "transparency", file, "--yes").stdout
    assert faro.value("SELECT group_concat(links) FROM knowledge_commands WHERE state = 'done'") == "700"


def test_names_of_files_are_shown_harmless(faro: Faro) -> None:
    for name in (b"odd\xff\x1b[31m.json", b"links.json"):
        path = faro.folder / os.fsdecode(name)
        path.write_text(faro_json([{"url": f"https://example.org/{len(name)}"}]), encoding="utf-8")
        faro.run("import", "transparency", path, "--yes")
    listed = faro.run("undo-import", "transparency").stdout
    assert "\x1b" not in listed
    assert "odd\ufffd [31m.json" in listed


def test_the_words_of_a_purged_hub_include_the_names_of_its_files(faro: Faro) -> None:
    mistaken(faro)
    assert held(faro, "mistaken.json") == ["mistaken.json"]
    faro.run("purge", "transparency", "--yes")
    assert held(faro, "mistaken.json") == []
    assert "No file" in faro.run("undo-import", "transparency").stdout


async def test_for_a_file_that_goes_not_all_that_is_there_is_read(db: SqliteDatabase) -> None:
    for table in ("shares", "statements", "facts"):
        sql = f"EXPLAIN QUERY PLAN SELECT 1 FROM knowledge_{table} WHERE command = :file"  # noqa: S608 - from above
        [plan] = await db.reading().rows(sql, file=1)
        assert f"knowledge_{table}_by_command" in plan["detail"]


def _left(faro: Faro) -> int:
    return int(
        faro.value("SELECT count(*) FROM knowledge_shares WHERE command = (SELECT max(id) FROM knowledge_commands)")
    )


def _watched(faro: Faro, sql: str = "") -> Iterator[int]:
    """How many shares of the file are left (or what else is asked), again and again for at most half a minute."""
    for _ in range(3000):
        try:
            yield int(faro.value(sql) or 0) if sql else _left(faro)
        except sqlite3.OperationalError:  # there is no such table yet
            yield 0
        time.sleep(0.01)
