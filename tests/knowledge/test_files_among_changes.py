"""Files the operator brought in are seen in `!changes`, and `!undo` says how they are taken back."""

from __future__ import annotations

from bot.storage.database import SqliteDatabase
from bot.testing.story import Story
from plugins.knowledge.shelves import COORDINATORS
from tests.knowledge.talk import COORDINATOR, INSIDE, MOD, said, share
from tests.knowledge.test_brought import ONE, TWO, bring, item, take_back
from tests.knowledge.test_plugin import LUIS


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
