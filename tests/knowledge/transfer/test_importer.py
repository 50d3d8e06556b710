"""`faro import`: nothing is changed unasked, nothing twice, nothing is lost unsaid, and nobody is named unasked."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bot.api import Transaction
from bot.storage.database import SqliteDatabase
from bot.testing.patience import patient
from bot.testing.story import story
from plugins.knowledge import Knowledge
from plugins.knowledge.index import update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store import privacy
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.store.statements import Author, NewStatement
from plugins.knowledge.transfer.formats.item import Item, ShareItem
from plugins.knowledge.urls.canonical import canonical
from tests.knowledge.faro import ANA, BEN, CONFIG, HALL, Faro, faro_json, interrupted, made
from tests.knowledge.hubs import hub
from tests.knowledge.transfer.importing import imported

NETSCAPE = """<!DOCTYPE NETSCAPE-Bookmark-file-1>
<DL><p><DT><H3>Policy docs</H3><DL><p>
<DT><A HREF="https://example.org/one" ADD_DATE="1700000000">One</A><DD>The first.
<DT><A HREF="https://example.org/two">Two</A>
<DT><A HREF="javascript:alert(1)">Not a page</A>
</DL><p></DL><p>
"""
CSV = "url;título;etiquetas\nhttps://example.org/one;Uno;gifts\nhttps://example.org/two;Dos;\nno address;Tres;\n"
LINKDING = json.dumps({"results": [{"url": "https://example.org/one", "title": "One", "tag_names": ["gifts"]}]})
SHAARLI = json.dumps([{"url": "https://example.org/one", "title": "One", "private": True, "created": "2024-01-01"}])


@pytest.mark.parametrize(
    ("name", "content", "links"),
    [("b.html", NETSCAPE, 2), ("t.csv", CSV, 2), ("l.json", LINKDING, 1), ("s.json", SHAARLI, 1)],
)
def test_every_format_is_recognised_and_found_again(faro: Faro, name: str, content: str, links: int) -> None:
    result = faro.run("import", "transparency", faro.file(name, content), "--yes")
    assert f"{links} new link" in result.stdout
    items = faro.exported()
    assert items[0]["url"] == "https://example.org/one"
    assert len(items) == links


def test_what_bookmarks_say_is_kept(faro: Faro) -> None:
    faro.run("import", "transparency", faro.file("b.html", NETSCAPE), "--yes")
    one, _ = faro.exported()
    assert one["title"] == {"": "One"}
    assert one["note"] == {"": "The first."}
    assert one["topics"] == ["policy-docs"]
    assert one["shares"] == [{"url": "https://example.org/one", "sent_at": 1_700_000_000_000}]
    assert json.loads(faro.run("find", "transparency", "first", "--json").stdout)[0]["url"] == one["url"]


def test_a_preview_changes_nothing_and_says_what_would_happen(faro: Faro) -> None:
    faro.imported([{"url": "https://www.example.org/two"}, {"url": "https://EXAMPLE.org/one?utm_source=x#top"}])
    before = faro.exported()
    result = faro.run("import", "transparency", faro.file("b.html", NETSCAPE), "--dry-run")
    assert result.stdout.splitlines() == [
        "b.html (netscape), to be imported into “Transparency”:",
        "2 links",
        "1 of them is already known",
        "  - One · https://example.org/one",
        "  - Two · https://example.org/two",
        "1 item is skipped:",
        "  - line 5: javascript:alert(1): This is not an http or https address.",
    ]
    assert faro.exported() == before


def test_a_preview_writes_no_report_and_says_so(faro: Faro) -> None:
    result = faro.run("import", "transparency", faro.file("b.html", NETSCAPE), "--dry-run", "--report", "r.csv", code=2)
    assert "A dry run imports nothing to report on" in result.stderr


def test_a_preview_shows_no_links_as_new_where_all_are_known(faro: Faro) -> None:
    faro.run("import", "transparency", faro.file("b.html", NETSCAPE), "--yes")
    result = faro.run("import", "transparency", faro.file("b.html", NETSCAPE), "--dry-run")
    assert result.stdout.splitlines()[1:4] == [
        "2 links",
        "2 of them are already known",
        "No link is new; only details from the file are added.",
    ]
    assert "example.org" not in result.stdout


def test_a_preview_needs_no_database_and_makes_none(faro: Faro) -> None:
    faro.run("import", "transparency", faro.file("b.html", NETSCAPE), "--dry-run")
    assert not faro.database.exists()


def test_where_nobody_can_be_asked_yes_must_be_said(faro: Faro) -> None:
    result = faro.run("import", "transparency", faro.file("b.html", NETSCAPE), code=2)
    assert "--yes" in result.stderr
    assert not faro.database.exists()


@pytest.mark.parametrize(("answer", "links"), [("y", 2), ("n", 0)])
def test_a_person_at_a_terminal_is_asked(faro: Faro, answer: str, links: int) -> None:
    file = faro.file("b.html", NETSCAPE)
    running, output = faro.answered(answer, "import", "transparency", file)
    assert b"Import them? [y/N]" in output
    assert running.returncode == 0
    assert len(faro.exported()) == links


def test_a_file_that_is_none_of_ours_is_refused_with_the_reason(faro: Faro) -> None:
    result = faro.run("import", "transparency", faro.file("x.txt", "hello"), "--yes", code=2)
    assert "Faro cannot read links from 'x.txt'" in result.stderr
    assert "plain lists of addresses: one per line, with the word url on the first line" in result.stderr
    result = faro.run("import", "transparency", faro.file("x.json", "{"), "--yes", "--format", "linkding", code=2)
    assert "x.json:1: This is not JSON" in result.stderr


def test_a_plain_list_of_addresses_is_read_after_the_word_url(faro: Faro) -> None:
    addresses = "https://example.org/one\nhttps://example.org/two?a=1,2\n"
    faro.run("import", "transparency", faro.file("list.txt", addresses), "--yes", code=2)
    faro.run("import", "transparency", faro.file("list.txt", f"url\n{addresses}"), "--yes")
    assert [item["url"] for item in faro.exported()] == addresses.split()


def test_imported_twice_nothing_is_added(faro: Faro) -> None:
    for name, content in (("b.html", NETSCAPE), ("t.csv", CSV), ("s.json", SHAARLI)):
        file = faro.file(name, content)
        faro.run("import", "transparency", file, "--yes")
        before = faro.exported("--with-people")
        result = faro.run("import", "transparency", file, "--yes")
        assert "0 new links\n0 merged with an existing result\n" in result.stdout
        assert faro.exported("--with-people") == before


def test_what_the_hub_says_counts_before_what_a_file_says(faro: Faro) -> None:
    faro.imported([{"url": "https://example.org/one", "title": "Ours", "note": "Our note", "shares": [{"sent_at": 5}]}])
    theirs = {"url": "https://example.org/one", "title": "Theirs", "note": "Theirs", "topics": ["gifts"],
              "hidden": True, "shares": [{"sent_at": 7, "note": "so they said"}], "description": "About"}  # fmt: skip
    result = faro.imported([theirs])
    assert "1 merged with an existing result" in result.stdout
    [one] = faro.exported()
    assert one["title"] == {"": "Ours"}
    assert one["note"] == {"": "Our note"}
    assert one["topics"] == ["gifts"]  # the hub had said none
    assert one["description"] == "About"
    assert "hidden" not in one
    assert [share["sent_at"] for share in one["shares"]] == [5, 7]


def test_a_title_is_taken_where_it_says_more_than_the_link_did(faro: Faro) -> None:
    """Its language is more; the same words without a language are not."""
    titled = {"url": "https://example.org/one", "shares": [{"sent_at": 5, "label": "Cadeaux"}]}
    faro.imported([titled])
    for title, joined in (("Cadeaux", 0), ({"fr": "Cadeaux"}, 1), ({"fr": "Cadeaux"}, 0), ("Cadeaux", 0)):
        assert f"{joined} merged with an existing result" in faro.imported([{**titled, "title": title}]).stdout
    faro.imported([{**titled, "title": {"fr": "Cadeaux"}}], hub="audit")
    for where in ("transparency", "audit"):
        assert [item["title"] for item in faro.exported(hub=where)] == [{"fr": "Cadeaux"}]


def test_a_title_given_by_command_outdoes_that_of_a_file(faro: Faro) -> None:
    faro.imported([{"url": "https://example.org/one", "title": {"en": "Theirs", "es": "Suyo"}}])

    async def correct(tx: Transaction, rules: Rules) -> None:
        await tx.run(update.edit, rules, 1, Author(BEN, 0), [NewStatement("title", "Ours")])

    faro.change(correct)
    assert faro.exported()[0]["title"] == {"": "Ours"}


def test_nobody_is_named_unless_that_is_asked_for(faro: Faro) -> None:
    item = {"url": "https://example.org/one", "shares": [{"sent_at": 5, "sender": ANA}, {"sent_at": 6, "sender": BEN}]}
    result = faro.imported([item])
    assert "2 shares are imported without the names of who shared them" in result.stdout
    assert faro.value("SELECT count(*) FROM knowledge_people") == 0
    faro.imported([item], "--keep-sharers", hub="audit")
    [one] = faro.exported("--with-people", hub="audit")
    assert [share["sender"] for share in one["shares"]] == [ANA, BEN]


def test_who_wants_nothing_kept_is_not_named_by_a_file(faro: Faro) -> None:
    faro.imported([{"url": "https://example.org/zero"}])

    async def refuse(tx: Transaction, rules: Rules) -> None:
        await tx.run(privacy.choose, ANA, unlogged=True)

    faro.change(refuse)
    item = {"url": "https://example.org/one", "shares": [{"sent_at": 5, "sender": ANA}, {"sent_at": 6, "sender": BEN}]}
    faro.imported([item], "--keep-sharers")
    _, one = faro.exported("--with-people")
    assert [share.get("sender") for share in one["shares"]] == [None, BEN]
    file = faro.file("b.html", NETSCAPE)
    assert ANA in faro.run("import", "transparency", file, "--yes", "--as", ANA, code=2).stderr


def test_whoever_imports_a_file_may_share_it_under_their_name(faro: Faro) -> None:
    file = faro.file("b.html", NETSCAPE)
    faro.run("import", "transparency", file, "--yes", "--as", "ana", code=2)
    faro.run("import", "transparency", file, "--yes", "--as", ANA)
    assert {share["sender"] for item in faro.exported("--with-people") for share in item["shares"]} == {ANA}


def test_a_label_may_be_set_for_all(faro: Faro) -> None:
    faro.imported([{"url": "https://example.org/one", "label": "amber"}, {"url": "https://example.org/two"}])
    assert [item.get("label", "green") for item in faro.exported()] == ["amber", "green"]
    faro.run("import", "audit", faro.file("b.html", NETSCAPE), "--yes", "--label", "clear")
    assert [item["label"] for item in faro.exported(hub="audit")] == ["clear", "clear"]


def test_recommendations_and_rooms_are_not_taken_over(faro: Faro) -> None:
    shares = [{"sent_at": 5, "sender": ANA, "room": HALL, "event": "$one"}]
    result = faro.imported(
        [{"url": "https://example.org/one", "recommended": True, "shares": shares}], "--keep-sharers"
    )
    assert "a hub's recommendations are set in its YAML" in result.stdout
    [one] = faro.exported("--with-people")
    assert "recommended" not in one
    assert one["shares"] == [{"url": "https://example.org/one", "sent_at": 5, "sender": ANA}]


def test_a_hub_that_keeps_no_notes_keeps_none_from_files(tmp_path: Path) -> None:
    faro = made(tmp_path, CONFIG.replace("title: Transparency", "title: Transparency\n    keep_notes: false"))
    faro.imported(
        [{"url": "https://example.org/one", "shares": [{"sent_at": 5, "note": "private words", "label": "x"}]}]
    )
    assert faro.exported()[0]["shares"] == [{"url": "https://example.org/one", "sent_at": 5}]


def test_what_is_no_day_and_no_type_is_left_out_and_said(faro: Faro) -> None:
    item = {"url": "https://example.org/1", "site": "Library", "published": "spring 2019", "kind": "pdf o1 shared"}
    report = faro.folder / "report.csv"
    faro.imported([item, {**item, "url": "https://example.org/2", "published": "2019/3/1", "kind": "pdf"}],
                  "--report", report)  # fmt: skip
    assert "without the date “spring 2019”" in report.read_text("utf-8")
    assert "without the type “pdf o1 shared”" in report.read_text("utf-8")
    first, second = faro.exported()
    assert ("published" in first, "kind" in first, first["site"]) == (False, False, "Library")
    assert (second["published"], second["kind"]) == ("2019-03-01", "pdf")


async def test_a_language_the_address_names_is_not_taken_for_what_the_page_says() -> None:
    """The page may still be asked for its title then."""
    async with story([Knowledge], [hub()]) as s:
        async with s.db.transaction() as tx:
            items = [Item("https://example.org/es/1", language="es"), Item("https://example.org/es/2", language="en")]
            await imported(tx, *items)
        told = await s.db.reading().rows("SELECT url, language FROM knowledge_facts")
        assert [dict(row) for row in told] == [{"url": "https://example.org/es/2", "language": "en"}]
        shown = await s.db.reading().rows("SELECT languages FROM knowledge_entries ORDER BY id")
        assert [row["languages"] for row in shown] == ["es", "en"]


async def test_what_a_file_says_of_pages_stays_though_the_hub_has_none_asked() -> None:
    """Turning `fetch` off drops what was fetched, not what was imported; the YAML is read again every day."""
    async with story([Knowledge], [hub()]) as s:
        async with s.db.transaction() as tx:
            item = Item("https://example.org/1", description="What officers may accept.")
            await imported(tx, item)
        await s.pipeline.refresh()
        await s.settle()
        assert "What officers may accept." in str(await s.say(ANA, "!show 1"))


def test_the_report_has_a_line_for_everything(faro: Faro) -> None:
    faro.imported([{"url": "https://example.org/two"}])
    report = faro.folder / "report.csv"
    faro.run("import", "transparency", faro.file("b.html", NETSCAPE), "--yes", "--report", report)
    assert report.stat().st_mode & 0o777 == 0o600
    with report.open(encoding="utf-8", newline="") as table:
        rows = list(csv.reader(table))
    assert rows[0] == ["outcome", "line", "number", "address", "reason"]
    assert sorted(rows[1:]) == [
        ["joined", "", "1", "https://example.org/two", ""],
        ["new", "", "2", "https://example.org/one", ""],
        ["skipped", "5", "", "javascript:alert(1)", "This is not an http or https address."],
    ]


def test_secrets_in_addresses_are_not_told(faro: Faro) -> None:
    result = faro.imported([{"url": "https://example.org/one?token=hunter2", "recommended": True}])
    assert "hunter2" not in result.output
    assert faro.exported()[0]["url"].endswith("hunter2")  # it is the address, after all


def test_what_encrypted_rooms_hold_goes_in_and_out_by_an_option_of_its_own(faro: Faro) -> None:
    faro.imported([{"url": "https://example.org/one"}], "--encrypted")
    assert faro.exported() == []
    assert [item["url"] for item in faro.exported("--encrypted")] == ["https://example.org/one"]
    faro.imported([{"url": "https://example.org/two"}], "--encrypted", "--coordinators")
    assert len(faro.exported("--encrypted", "--coordinators")) == len(faro.exported("--encrypted")) == 1
    listed = faro.run("undo-import", "transparency").stdout
    assert listed.count("for the encrypted rooms") == 2
    assert listed.count("for the coordinators' rooms") == 1


def test_what_coordinators_share_is_imported_for_them_alone(faro: Faro) -> None:
    faro.imported([{"url": "https://example.org/one"}], "--coordinators")
    assert faro.exported() == []
    assert len(faro.exported("--coordinators")) == 1
    assert json.loads(faro.run("find", "transparency", "example", "--json").stdout) == []


def test_addresses_that_were_one_result_are_one_again(faro: Faro) -> None:
    shares = [{"url": "https://example.org/long/old", "sent_at": 5}, {"url": "https://example.org/new", "sent_at": 6}]
    faro.imported([{"url": "https://example.org/new", "shares": shares}])
    [one] = faro.exported()
    assert [share["url"] for share in one["shares"]] == [share["url"] for share in shares]
    faro.imported([{"url": "https://example.org/long/old", "shares": [{"sent_at": 9}]}])
    assert [len(item["shares"]) for item in faro.exported()] == [3]


async def test_files_of_any_order_and_cut_give_the_same(db: SqliteDatabase) -> None:
    """However items are cut into transactions, and however often: the same shares are there."""
    items = [
        Item(f"https://example.org/{page}", shares=(ShareItem(f"https://example.org/{page}", sent_at=number),))
        for number in range(60)
        for page in [number % 7]
    ]
    for size in (1, 7, 60):
        for start in range(0, len(items), size):
            async with db.transaction() as tx:
                await imported(tx, *items[start : start + size])
    assert await db.reading().value("SELECT count(*) FROM knowledge_shares") == 60
    assert await db.reading().value("SELECT count(*) FROM knowledge_entries") == 7


def many(count: int) -> list[Mapping[str, object]]:
    return [
        {"url": f"https://example.org/{number}", "title": f"Number {number}", "number": number + 1,
         "shares": [{"sent_at": number * 1000, "note": f"words {number}"}]}
        for number in range(count)
    ]  # fmt: skip


def stripped(items: list[dict[str, object]]) -> list[tuple[object, ...]]:
    return [(item["url"], item["number"], len(item["shares"])) for item in items]  # type: ignore[arg-type]  # JSON


def test_killed_in_the_middle_it_goes_on_where_it_was_without_doubles(faro: Faro) -> None:
    """As often as it is killed."""
    count = 1200
    file = faro.file("many.json", faro_json(many(count)))
    seen = 0
    for _ in range(2):
        with faro.started("import", "transparency", file, "--yes") as running:
            for done in _progress(faro):
                if done > seen or running.poll() is not None:
                    break
            running.send_signal(signal.SIGKILL)
        assert running.returncode == -signal.SIGKILL
        seen = int(faro.value(DONE))
        assert 0 < seen < count
    result = faro.run("import", "transparency", file, "--yes")
    assert "this one continued from there" in result.stdout
    assert f"{count - seen} new links" in result.stdout
    assert stripped(faro.exported()) == [(f"https://example.org/{one}", one + 1, 1) for one in range(count)]
    assert faro.value(DONE) is None


DONE = "SELECT items FROM knowledge_commands WHERE state = 'begun'"
"""How many items of the file are done, while it is imported."""


def _progress(faro: Faro) -> Iterator[int]:
    """What is done, looked at again and again for at most half a minute."""
    for _ in range(3000):
        try:
            yield int(faro.value(DONE) or 0)
        except (sqlite3.OperationalError, TypeError):  # there is no such table yet
            yield 0
        time.sleep(0.01)


@pytest.mark.full
def test_interrupted_by_hand_it_says_how_to_go_on(faro: Faro) -> None:
    file = faro.file("many.json", faro_json(many(700)))
    with faro.started("import", "transparency", file, "--yes") as running:
        for done in _progress(faro):
            if done or running.poll() is not None:
                break
        last = interrupted(running)
    assert (running.returncode, last) == (1, "Interrupted. Run the command again to continue.")
    faro.run("import", "transparency", file, "--yes")
    assert len(faro.exported()) == 700


def test_a_bot_that_runs_is_not_held_up_and_loses_nothing(faro: Faro) -> None:
    """The bot's connection writes all the while; each of its transactions gets its turn."""
    faro.imported([{"url": "https://example.org/before"}])
    file = faro.file("many.json", faro_json(many(700)))
    with faro.started("import", "transparency", file, "--yes") as running:
        written = asyncio.run(_write_until(faro, running))
        output, _ = running.communicate(timeout=patient(50))
    assert running.returncode == 0, output
    assert written > 0
    items = faro.exported()
    assert len(items) == 1 + 700 + written


async def _write_until(faro: Faro, running: subprocess.Popen[bytes]) -> int:
    rules, written = Rules([hub()]), 0
    async with SqliteDatabase(faro.database) as db:
        while running.poll() is None and written < 3000:
            url = f"https://bot.example/{written}"
            share = NewShare("transparency", url, canonical(url) or url, written, ANA, room=HALL, event=f"${written}")
            async with db.transaction() as tx:
                await tx.run(update.put, rules, [share])
            written += 1
            await asyncio.sleep(0.01)
    return written
