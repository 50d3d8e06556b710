"""Files the operator imported are seen in `!changes`, and `!undo` says how they are taken back."""

from __future__ import annotations

from bot.testing.story import Story
from plugins.knowledge.index import update
from plugins.knowledge.store import imports
from plugins.knowledge.store.access import COORDINATORS, MEMBERS
from plugins.knowledge.transfer.formats.item import Item
from plugins.knowledge.transfer.import_plan import Manner
from tests.knowledge.shelf import RULES
from tests.knowledge.talk import COORDINATOR, INSIDE, MOD, said, share
from tests.knowledge.test_plugin import LUIS
from tests.knowledge.transfer.importing import imported

ONE, TWO = Item("https://example.org/one"), Item("https://example.org/two")


async def bring(s: Story, *items: Item, name: str = "links.csv", circle: str = MEMBERS, whole: bool = True) -> int:
    """Imports a file in slices of one item, or but for its end; the number of its change."""
    for nth, item in enumerate(items, start=1):
        end = whole and nth == len(items)
        async with s.db.transaction() as tx:
            await imported(tx, item, manner=Manner("transparency", 5_000, circle), file=name, done=nth, end=end)
    return int(await s.db.reading().value("SELECT id FROM knowledge_commands WHERE name = :name", name=name))


async def begin_taking_back(s: Story, file: int) -> None:
    async with s.db.transaction() as tx:
        await tx.run(imports.begin_undoing, file)
        await tx.run(update.undo_some_of_import, RULES, file)


async def take_back(s: Story, file: int) -> None:
    await begin_taking_back(s, file)
    async with s.db.transaction() as tx:
        await tx.run(imports.end_undoing, file)


async def test_files_are_seen_among_the_changes_and_left_to_the_operator(told: Story) -> None:
    await share(told)
    await said(told, MOD, "!title 1 First")
    file = await bring(told, ONE, TWO, name="my_*links*.csv")
    await said(told, MOD, "!pin 1")
    lines = (await said(told, COORDINATOR, "!changes")).splitlines()
    assert "my_*links*.csv imported by the operator: 2 links" in lines[1]
    assert [len(line.split(" · ")) for line in lines] == [4, 3, 4]
    answer = await said(told, MOD, f"!undo {file}")
    assert answer.endswith(f": faro undo-import config.yaml transparency {file}")
    assert "no change to undo" in await said(told, LUIS, f"!undo {file}")
    assert "Undone: 1 pinned" in await said(told, MOD, "!undo")
    await take_back(told, file)
    assert "2 links · undone" in await said(told, MOD, "!changes")
    assert "has already been undone" in await said(told, MOD, f"!undo {file}")


async def test_files_of_the_coordinators_are_seen_in_their_rooms_alone(told: Story) -> None:
    await bring(told, ONE, circle=COORDINATORS)
    assert "links.csv" not in await said(told, MOD, "!changes")
    assert "links.csv" in await said(told, MOD, "!changes", INSIDE)


async def test_a_file_of_which_only_a_part_is_there_is_no_whole_one(told: Story) -> None:
    await bring(told, ONE, name="half", whole=False)
    listed = await said(told, COORDINATOR, "!changes")
    assert listed.endswith("1 link · not finished: run the same faro import again to continue")
    file = await bring(told, ONE, TWO, name="half")
    assert "not finished" not in await said(told, COORDINATOR, "!changes")
    await begin_taking_back(told, file)
    listed = await said(told, COORDINATOR, "!changes")
    assert listed.endswith("undo not finished: run the same faro undo-import again to continue")
    await take_back(told, file)
    assert (await said(told, COORDINATOR, "!changes")).endswith("2 links · undone")


async def test_what_came_from_a_file_says_so(told: Story) -> None:
    await share(told)
    await bring(told, TWO)
    assert (await said(told, MOD, "!show 2")).endswith(" · from a file")
    assert "from a file" not in await said(told, MOD, "!show 1")
