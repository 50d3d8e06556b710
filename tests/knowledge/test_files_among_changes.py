"""Files the operator brought in are seen in `!changes`, and `!undo` says how they are taken back."""

from __future__ import annotations

from bot.storage.database import SqliteDatabase
from bot.testing.story import Story
from plugins.knowledge.store.access import COORDINATORS
from plugins.knowledge.transfer import imports
from plugins.knowledge.transfer.import_plan import Manner
from plugins.knowledge.transfer.imports import Part
from tests.knowledge.shelf import RULES
from tests.knowledge.talk import COORDINATOR, INSIDE, MOD, said, share
from tests.knowledge.test_plugin import LUIS
from tests.knowledge.transfer.test_imports import ONE, TWO, bring, item, take_back


async def test_files_are_seen_among_the_changes_and_left_to_the_operator(told: Story) -> None:
    await share(told)
    await said(told, MOD, "!title 1 First")
    assert isinstance(told.db, SqliteDatabase)
    file = await bring(told.db, item(ONE), item(TWO), file="my_*links*.csv", cut=1)
    await said(told, MOD, "!pin 1")
    lines = (await said(told, COORDINATOR, "!changes")).splitlines()
    assert "brought in by the operator: 2 links" in lines[1]
    assert [len(line.split(" · ")) for line in lines] == [4, 3, 4]
    answer = await said(told, MOD, f"!undo {file}")
    assert answer.endswith(f": faro take-back config.yaml transparency {file}")
    assert "no change of yours" in await said(told, LUIS, f"!undo {file}")
    assert "Taken back: 1 pinned" in await said(told, MOD, "!undo")
    await take_back(told.db, file)
    assert "2 links · taken back" in await said(told, MOD, "!changes")
    assert "was taken back already" in await said(told, MOD, f"!undo {file}")


async def test_files_of_the_coordinators_are_seen_in_their_rooms_alone(told: Story) -> None:
    assert isinstance(told.db, SqliteDatabase)
    await bring(told.db, item(ONE), circle=COORDINATORS)
    assert "links.csv" not in await said(told, MOD, "!changes")
    assert "links.csv" in await said(told, MOD, "!changes", INSIDE)


async def test_a_file_of_which_only_a_part_is_there_is_no_whole_one(told: Story) -> None:
    assert isinstance(told.db, SqliteDatabase)
    async with told.db.transaction() as tx:
        await tx.run(imports.bring, RULES, Manner("transparency", 1), [item(ONE)], Part("half", "half", 1))
    listed = await said(told, COORDINATOR, "!changes")
    assert listed.endswith("1 link · begun and not finished: the same faro import goes on")
    file = await bring(told.db, item(TWO), file="half")
    assert "not finished" not in await said(told, COORDINATOR, "!changes")
    async with told.db.transaction() as tx:
        await tx.run(imports.begin, file)
        await tx.run(imports.take_back_some, RULES, file)
    listed = await said(told, COORDINATOR, "!changes")
    assert listed.endswith("taking it back was begun and not finished: the same faro take-back goes on")
    await take_back(told.db, file)
    assert (await said(told, COORDINATOR, "!changes")).endswith("2 links · taken back")


async def test_what_came_from_a_file_says_so(told: Story) -> None:
    assert isinstance(told.db, SqliteDatabase)
    await share(told)
    await bring(told.db, item(TWO))
    assert (await said(told, MOD, "!show 2")).endswith(" · from a file")
    assert "from a file" not in await said(told, MOD, "!show 1")
