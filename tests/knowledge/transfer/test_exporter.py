"""`faro export`: a hub's links as a file; nothing is lost on the way back, and nothing is told that must not be."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plugins.knowledge
from bot.api import Transaction
from bot.storage.database import SqliteDatabase, steps_in
from plugins.knowledge.index import duplicates, update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.index.rebuild import rebuild
from plugins.knowledge.index.rekey import rekey
from plugins.knowledge.store.access import COORDINATORS, MEMBERS
from plugins.knowledge.store.shares import NewShare
from plugins.knowledge.store.statements import Author, NewStatement
from plugins.knowledge.text.tidy import tidy
from plugins.knowledge.transfer import exporter, importer
from plugins.knowledge.transfer.formats.item import Item, VersionItem
from plugins.knowledge.transfer.import_plan import Manner
from plugins.knowledge.urls.canonical import canonical
from tests.knowledge.faro import ANA, BEN, CONFIG, HALL, Faro, made
from tests.knowledge.hubs import hub
from tests.knowledge.shelf import RULES
from tests.knowledge.transfer.formats.drawn import items as only_items
from tests.knowledge.transfer.formats.drawn import read, texts, written
from tests.knowledge.transfer.importing import imported
from tests.tiers import examples

SCHEMA = steps_in(Path(plugins.knowledge.__file__).parent / "schema")
YAML = """\
    resources:
      - url: https://example.org/guide
        title: {en: Gift guide, es: Guía}
        note: Start here.
        language: es
        topics: [gifts]
"""

Work = Callable[[Transaction, Rules], Awaitable[object]]


def share(url: str, at: int, **more: Any) -> NewShare:
    said = {"hub": "transparency", "sender": ANA, "room": HALL, "event": f"${at}", **more}
    return NewShare(url=url, canonical=canonical(url) or url, sent_at=at, **said)


async def a_rich_hub(tx: Transaction, rules: Rules) -> None:
    """Links of every label, with words, a secret, a hidden one, a file, two addresses in one, and coordinators' own."""
    await tx.run(
        update.put,
        rules,
        [
            share("https://example.org/clear?utm_source=ana", 1_000, tlp=0, note="Ana says so", label="Clear words"),
            share("https://example.org/clear", 2_500, sender=BEN, event="$b", tlp=0),
            share("https://example.org/green", 3_000, note="green words", topics=("customs",)),
            share("https://example.org/amber", 4_000, tlp=2),
            share("https://example.org/hidden", 5_000, tlp=0),
            share("https://example.org/door?token=hunter2", 6_000, tlp=0),
            share("https://www.example.org/green", 7_000),
            share("mxc://example.org/file", 8_000),
            share("https://example.org/coordinators", 9_000, tlp=0, circle=COORDINATORS),
        ],
    )
    author = Author(BEN, 10)
    for number, *sayings in (
        (1, NewStatement("title", "A clear page"), NewStatement("pinned", "1"), NewStatement("topic", "+", "gifts")),
        (2, NewStatement("note", "Why it helps"), NewStatement("topic", "-", "customs")),
        (4, NewStatement("hidden", "1")),
    ):
        await tx.run(update.edit, rules, await entry(tx, number), author, sayings)
    await tx.run(update.merge, rules, await entry(tx, 2), await entry(tx, 6), author)
    await tx.run(update.vote, rules, await entry(tx, 2), Author("@eva:example.org", 11))
    amber = await entry(tx, 3)
    await tx.execute(
        """INSERT INTO knowledge_facts (page, url, state, title, description, site, author, published, language)
        VALUES (:page, 'https://example.org/amber', 'ok', 'Página', 'De qué trata', 'Sitio', 'Ana', '2024-01-02',
        'es')""",
        page=amber,
    )
    await tx.run(rebuild, rules, {amber})


async def entry(tx: Transaction, number: int, hub: str = "transparency", circle: str = MEMBERS) -> int:
    """The entry that the page of this number is in."""
    id_: int = await tx.value(
        """SELECT p.entry FROM knowledge_pages p JOIN knowledge_shelves s ON s.id = p.shelf
        WHERE p.number = :number AND s.hub = :hub AND s.circle = :circle""",
        number=number,
        hub=hub,
        circle=circle,
    )
    return id_


@pytest.fixture
def faro(tmp_path: Path) -> Faro:
    faro = made(tmp_path / "here")
    faro.imported([{"url": "https://example.org/other"}], hub="audit")
    faro.change(a_rich_hub)
    return faro


def as_written(faro: Faro, *options: object) -> list[Any]:
    found: list[Any] = json.loads(faro.run("export", "transparency", *options).stdout)["items"]
    return found


@pytest.mark.parametrize("name", ["json", "csv"])
def test_what_is_exported_and_brought_in_elsewhere_is_exported_the_same(faro: Faro, tmp_path: Path, name: str) -> None:
    first, second = tmp_path / f"first.{name}", tmp_path / f"second.{name}"
    faro.run("export", "transparency", first)
    elsewhere = made(tmp_path / "elsewhere")
    elsewhere.run("import", "transparency", first, "--yes")
    elsewhere.run("export", "transparency", second)
    if name == "json":
        assert json.loads(first.read_text())["items"] == json.loads(second.read_text())["items"]
    else:
        assert first.read_bytes() == second.read_bytes()
    assert len(elsewhere.exported()) == 5


def test_a_name_that_ends_like_no_format_is_refused_unless_one_is_said(faro: Faro, tmp_path: Path) -> None:
    result = faro.run("export", "transparency", tmp_path / "out.xyz", code=2)
    assert "'.xyz'" in result.stderr
    assert ".json, .csv, .html" in result.stderr
    assert not (tmp_path / "out.xyz").exists()
    faro.run("export", "transparency", tmp_path / "out.xyz", "--format", "csv")
    faro.run("export", "transparency", tmp_path / "out")
    assert json.loads((tmp_path / "out").read_text())["format"] == "faro"


def test_with_people_all_but_rooms_and_messages_comes_back(faro: Faro, tmp_path: Path) -> None:
    first = tmp_path / "first.json"
    faro.run("export", "transparency", first, "--with-people")
    elsewhere = made(tmp_path / "elsewhere")
    elsewhere.run("import", "transparency", first, "--yes", "--keep-sharers")
    expected = json.loads(first.read_text())["items"]
    for one in expected:
        for said in one["shares"]:
            assert said.pop("room", HALL) == HALL
            said.pop("event", None)
    assert as_written(elsewhere, "--with-people") == expected


def test_what_is_exported_and_brought_in_again_changes_nothing(faro: Faro, tmp_path: Path) -> None:
    before = as_written(faro, "--with-people")
    for name in ("json", "csv", "html"):
        file = tmp_path / f"again.{name}"
        faro.run("export", "transparency", file)
        result = faro.run("import", "transparency", file, "--yes")
        assert "0 new links\n0 merged with an existing result\n" in result.stdout, name
    assert as_written(faro, "--with-people") == before


def test_nobody_is_named_unless_that_is_asked_for(faro: Faro) -> None:
    for name in ("json", "csv", "netscape", "markdown", "rss"):
        output = faro.run("export", "transparency", "--format", name).stdout
        assert "@ana" not in output
        assert "@ben" not in output
        assert HALL not in output
    [named] = [one for one in as_written(faro, "--with-people") if one["url"].endswith("/clear")]
    assert [said["sender"] for said in named["shares"]] == [ANA, BEN]


def test_what_is_public_is_clear_and_nothing_else(faro: Faro) -> None:
    """No people, none of their words, no hidden links, no addresses that open doors, nothing of the coordinators."""
    result = faro.run("export", "transparency", "--public")
    [only] = json.loads(result.stdout)["items"]
    assert only == {
        "url": "https://example.org/clear",
        "title": {"": "A clear page"},
        "topics": ["gifts"],
        "label": "clear",
        "pinned": True,
        "number": 1,
        "shares": [
            {"url": "https://example.org/clear", "sent_at": 1_000},
            {"url": "https://example.org/clear", "sent_at": 2_500},
        ],
    }
    assert "1 hidden link is not included." in result.stderr
    assert "2 links are not included: they are not TLP:CLEAR." in result.stderr
    assert "1 link is not included: its address contains a password or token." in result.stderr
    for more in ("--with-people", "--coordinators", "--encrypted"):
        faro.run("export", "transparency", "--public", more, code=2)


@pytest.mark.parametrize("name", ["json", "csv", "netscape", "markdown", "rss"])
def test_no_public_file_of_any_format_tells_more(faro: Faro, name: str) -> None:
    output = faro.run("export", "transparency", "--public", "--format", name).stdout
    assert "https://example.org/clear" in output
    for secret in ("hunter2", "/door", "/amber", "/green", "/hidden", "coordinators", "Ana says", "utm_source", "ana"):
        assert secret not in output


def test_formats_that_cannot_say_hidden_or_amber_leave_such_links_out(faro: Faro) -> None:
    for name, lacking in (
        ("markdown", ["/hidden", "/amber"]),
        ("rss", ["/hidden", "/amber"]),
        ("netscape", ["/hidden"]),
    ):
        output = faro.run("export", "transparency", "--format", name).stdout
        assert "/green" in output
        for address in lacking:
            assert address not in output
    assert 'PRIVATE="1"' in faro.run("export", "transparency", "--format", "netscape").stdout


def test_secrets_are_masked_where_people_read(faro: Faro) -> None:
    for name in ("markdown", "rss"):
        assert "hunter2" not in faro.run("export", "transparency", "--format", name).stdout
    assert "hunter2" in faro.run("export", "transparency").stdout


def test_what_coordinators_share_is_exported_only_if_wanted(faro: Faro) -> None:
    assert "coordinators" not in faro.run("export", "transparency").stdout
    [only] = as_written(faro, "--coordinators")
    assert only["url"] == "https://example.org/coordinators"


def test_files_shared_in_rooms_are_left_out_and_counted(faro: Faro) -> None:
    result = faro.run("export", "transparency")
    assert "mxc:" not in result.stdout
    assert "5 links written." in result.stderr
    assert "1 file shared in a room is not included: it has no web address." in result.stderr


def test_a_file_is_its_owners_alone_and_whole_or_not_there(faro: Faro, tmp_path: Path) -> None:
    file = tmp_path / "links.csv"
    file.write_text("what was there", encoding="utf-8")
    file.chmod(0o644)
    faro.run("export", "transparency", file)
    assert file.read_text("utf-8-sig").startswith("url,title,")
    assert file.stat().st_mode & 0o777 == 0o600
    faro.run("export", "transparency", tmp_path / "no" / "folder.json", code=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "links.csv"]


def test_a_format_is_known_by_the_name_of_the_file(faro: Faro, tmp_path: Path) -> None:
    for name, sign in (
        ("a.md", "# Transparency"),
        ("a.html", "<!DOCTYPE NETSCAPE"),
        ("a.rss", "<?xml"),
        ("a", '{"for'),
    ):
        faro.run("export", "transparency", tmp_path / name)
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(sign)


def test_recommended_pages_come_back_with_all_but_the_mark(tmp_path: Path) -> None:
    faro = made(tmp_path / "here", CONFIG + YAML)
    [there] = faro.exported()
    assert there.pop("recommended")
    faro.file("out.json", faro.run("export", "transparency").stdout)
    elsewhere = made(tmp_path / "elsewhere")
    elsewhere.run("import", "transparency", faro.folder / "out.json", "--yes")
    [here] = elsewhere.exported()
    assert [said["url"] for said in here.pop("shares")] == [there["url"]]  # an entry lives of what was said of it
    assert here == there


def test_before_the_bot_ever_ran_what_the_yaml_recommends_is_exported(tmp_path: Path) -> None:
    faro = made(tmp_path, CONFIG + YAML)
    assert [item["title"] for item in faro.exported()] == [{"en": "Gift guide", "es": "Guía"}]
    assert not faro.database.exists()


async def test_two_recommended_pages_that_were_joined_come_back_with_all_that_is_said_of_both() -> None:
    said = [
        {"url": f"https://example.org/{name}", "title": f"Title {name}", "note": f"Note {name}", "language": language}
        for name, language in (("first", "es"), ("other", "fr"))
    ]
    hubs = [hub(resources=said)]
    async with empty() as db, empty() as elsewhere:
        async with db.transaction() as tx:
            await tx.run(update.recommend, Rules(hubs), hubs)
            await tx.run(update.merge, Rules(hubs), await entry(tx, 1), await entry(tx, 2), Author(BEN, 0))
        [there] = await exported(db)
        other = VersionItem("https://example.org/other", {"": "Title other"}, {"": "Note other"}, "fr")
        assert (there.url, there.language, there.note, there.versions) == (
            "https://example.org/first",
            "es",
            {"": "Note first"},
            (other,),
        )
        async with elsewhere.transaction() as tx:
            for what in ("new", "known"):
                [outcome] = await imported(tx, there)
                assert outcome.what == what
            assert await tx.value("SELECT languages FROM knowledge_entries") == "es fr"
        [here] = await exported(elsewhere)
        assert (here.url, here.language, here.note) == (there.url, there.language, there.note)
        assert here.versions == (VersionItem(other.url, language="fr"),)
        said_of_other = {(share.url, share.note, share.label) for share in here.shares}
        assert (other.url, "Note other", "Title other") in said_of_other
        async with empty() as third:
            async with third.transaction() as tx:
                await imported(tx, here)
            assert await exported(third) == [here]


async def test_what_people_rejected_is_not_proposed_again_where_it_is_brought_in() -> None:
    urls = ["https://example.org/guide", "https://www.example.org/guide/"]
    async with empty() as db, empty() as elsewhere:
        async with db.transaction() as tx:
            await tx.run(update.put, RULES, [share(url, at) for at, url in enumerate(urls)])
            assert len(await tx.run(duplicates.candidates, 1)) == 1
            await say_apart(tx, 2, 1)
            stays = NewStatement("stays", "https://example.org/x")
            await tx.run(update.edit, RULES, await entry(tx, 1), Author(BEN, 0), [stays])
        items = await exported(db)
        async with elsewhere.transaction() as tx:
            await tx.run(update.put, RULES, [share("https://example.org/here-before", 1)])
            for item in items:
                await imported(tx, item, end=False)
            again = await imported(tx, *items)
            assert [one.what for one in again] == ["known", "known"]
            assert await tx.run(duplicates.candidates, 1) == []
        assert [item.stays for item in await exported(elsewhere)] == [None, "https://example.org/x", None]


async def test_pages_that_newer_rules_made_one_add_nothing_when_they_are_imported_again(db: SqliteDatabase) -> None:
    by_older_rules = [
        replace(share(url, at), canonical=f"older {at}")
        for at, url in enumerate(["https://example.org/guide", "https://example.org/guide?utm_source=x"])
    ]
    async with db.transaction() as tx:
        await tx.run(update.put, RULES, by_older_rules)
        await tx.execute("UPDATE knowledge_pages SET version = 0")
        await tx.run(rekey, RULES, 9)
    [both] = await exported(db)
    assert len(both.shares) == 2
    async with db.transaction() as tx:
        assert [outcome.what for outcome in await imported(tx, both)] == ["known"]


async def test_large_hubs_are_read_in_slices_and_in_order(db: SqliteDatabase) -> None:
    shares = [share(f"https://example.org/{number}", number) for number in range(450)]
    async with db.transaction() as tx:
        await tx.run(update.put, RULES, shares)
    found = await exported(db)
    assert [item.number for item in found] == list(range(1, 451))


PAGES = st.sampled_from([f"https://example.org/{name}" for name in ("a", "b", "gifts", "d.pdf")])
WORDS = texts(least=1, most=20).map(lambda text: tidy(text, 60)).filter(bool)
SAID = st.builds(
    share,
    PAGES,
    st.integers(0, 4_000_000_000_000),
    event=st.uuids().map(str),
    note=st.none() | WORDS,
    label=st.none() | WORDS,
    topics=st.lists(st.sampled_from(["gifts", "customs", "otra-cosa"]), max_size=2).map(tuple),
    tlp=st.integers(0, 2),
)

NO_KEY, NO_TARGET = st.just(""), st.none()


def sayings(
    field: st.SearchStrategy[str],
    value: st.SearchStrategy[str],
    key: st.SearchStrategy[str] = NO_KEY,
    target: st.SearchStrategy[int | None] = NO_TARGET,
) -> st.SearchStrategy[NewStatement]:
    """`st.builds` alone makes up whatever a named tuple has a default for."""
    return st.builds(NewStatement, field, value, key=key, target=target)


EDITED = st.tuples(
    st.integers(1, 4),
    st.one_of(
        sayings(st.sampled_from(["title", "note"]), WORDS),
        sayings(st.sampled_from(["pinned", "hidden"]), st.just("1")),
        sayings(st.just("label"), st.sampled_from("012")),
        sayings(st.just("topic"), st.sampled_from("+-"), key=st.sampled_from(["gifts", "customs"])),
        sayings(st.just("stays"), st.just("https://example.org/there")),
        sayings(st.just("not_same_as"), st.just("1"), target=st.sampled_from([1, 2, 4])),
        sayings(st.just("url"), st.sampled_from(["https://example.org/moved", "https://example.org/other"])),
    ),
)
"""A number, and what is said of that result; the target is a number, too."""


@settings(max_examples=examples(60), deadline=None)
@given(
    said=st.lists(SAID, min_size=1, max_size=8),
    edited=st.lists(EDITED, max_size=5),
    merged=st.booleans(),
    format_=st.sampled_from(["json", "csv"]),
    cut=st.integers(1, 4),
)
def test_whatever_a_hub_holds_comes_back(
    said: Sequence[NewShare], edited: Sequence[tuple[int, NewStatement]], merged: bool, format_: str, cut: int
) -> None:
    """Numbers too, unless results were joined."""

    async def there_and_back() -> None:
        async with empty() as db, empty() as elsewhere:
            async with db.transaction() as tx:
                await fill(tx, said, edited, merged)
            before = await exported(db)
            found = only_items(read(format_, written(format_, before)))
            assert found == before
            for start in range(0, len(found), cut):
                async with elsewhere.transaction() as tx:
                    await imported(tx, *found[start : start + cut], end=start + cut >= len(found))
            after = await exported(elsewhere)
            numbers = not await db.reading().value(
                "SELECT EXISTS (SELECT 1 FROM knowledge_statements WHERE field = 'same_as')"
            )
            assert comparable(after, numbers) == comparable(before, numbers)

    asyncio.run(there_and_back())


async def fill(
    tx: Transaction, said: Sequence[NewShare], edited: Sequence[tuple[int, NewStatement]], merged: bool
) -> None:
    await tx.run(update.put, RULES, said)
    last = int(await tx.value("SELECT max(number) FROM knowledge_entries"))
    author = Author(BEN, 0)
    for number, saying in edited:
        if number > last or saying.target == number or (saying.target or 0) > last:
            continue
        about = await entry(tx, number)
        if saying.field == "not_same_as":
            await say_apart(tx, number, saying.target or 0)
        elif saying.field != "url":
            await tx.run(update.edit, RULES, about, author, [saying])
        elif not await tx.run(importer.known, Manner("transparency", 0), [saying.value]):  # as `!moved` does
            await tx.run(update.move, RULES, about, saying.value, canonical(saying.value) or saying.value, author)
    if merged and last > 1:
        await tx.run(update.merge, RULES, await entry(tx, 1), await entry(tx, 2), author)


async def say_apart(tx: Transaction, number: int, other: int) -> None:
    """Somebody says that these are different pages."""
    apart = NewStatement("not_same_as", "1", target=await entry(tx, other))
    await tx.run(update.edit, RULES, await entry(tx, number), Author(BEN, 0), [apart])


def comparable(items: Sequence[Item], numbers: bool) -> list[Item]:
    return [item if numbers else replace(item, number=None) for item in items]


async def exported(db: SqliteDatabase) -> list[Item]:
    found: list[Item] = []
    async for _, page in exporter.pages(db.reading(), exporter.Manner("transparency"), Counter()):
        found += page
    return found


class empty(SqliteDatabase):  # noqa: N801 - reads as what it is: `async with empty()`
    """A database with this plugin's tables."""

    def __init__(self) -> None:
        super().__init__(None)

    async def __aenter__(self) -> empty:
        await super().__aenter__()
        await self.migrate("knowledge", SCHEMA)
        return self
