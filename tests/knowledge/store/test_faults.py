"""What went wrong while corrections, joins and undoing moved rows; each as people met it, with what is right."""

from __future__ import annotations

import time

from bot.api import SyncTransaction
from bot.storage.database import SqliteDatabase
from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from plugins.knowledge.index import update
from plugins.knowledge.store.shares import NewShare
from tests.knowledge.hubs import hub
from tests.knowledge.shelf import ANA, LUIS, RULES
from tests.knowledge.talk import EVA, MOD, said, share

FIRST, SECOND, THIRD = (f"https://example.org/{name}" for name in ("first", "second", "third"))
AMBER = "· TLP:AMBER"
GUIDE = {"url": "https://example.org/guide", "title": "Gift guide"}


async def three(s: Story) -> None:
    for url in (FIRST, SECOND, THIRD):
        await share(s, f"policy {url}", ANA)


async def found(s: Story) -> set[str]:
    answer = await said(s, EVA, "!find policy")
    return {url for url in (FIRST, SECOND, THIRD) if f"({url})" in answer}


async def test_undoing_a_join_hides_nothing(told: Story) -> None:
    await three(told)
    await said(told, MOD, "!hide 1")
    await said(told, MOD, "!merge 1 2")
    assert await found(told) == {SECOND, THIRD}
    await said(told, MOD, "!undo")
    assert await found(told) == {SECOND, THIRD}
    assert (await said(told, EVA, "!show 2")).startswith("2. ")
    assert "no result with the number 1" in await said(told, EVA, "!show 1")


async def test_undoing_a_join_gives_back_what_was_joined_before(told: Story) -> None:
    await three(told)
    await said(told, MOD, "!merge 2 3")
    await said(told, MOD, "!merge 1 2")
    assert (await said(told, EVA, "!show 3")).startswith("1. ")
    await said(told, MOD, "!undo")
    for number in (2, 3):
        joined = await said(told, EVA, f"!show {number}")
        assert joined.startswith("2. ")
        assert SECOND in joined
        assert THIRD in joined
    assert SECOND not in await said(told, EVA, "!show 1")


async def test_a_looser_label_does_not_outlive_a_join(told: Story) -> None:
    await three(told)
    await said(told, MOD, "!merge 1 2")
    await said(told, MOD, "!label 1 clear")
    assert "TLP:CLEAR" in await said(told, EVA, "!show 2")
    await said(told, MOD, "!split 2")
    assert "TLP:CLEAR" in await said(told, EVA, "!show 1")
    assert "TLP" not in await said(told, EVA, "!show 2")
    await said(told, MOD, "!merge 1 2 yes")
    assert "TLP" not in await said(told, EVA, "!show 1"), "a new join is not the one the label was given in"


async def test_a_stricter_label_does(told: Story) -> None:
    await three(told)
    await said(told, MOD, "!merge 1 2")
    await said(told, MOD, "!label 1 amber")
    await said(told, MOD, "!split 2")
    assert "TLP:AMBER" in await said(told, EVA, "!show 2")


async def test_what_was_hidden_before_a_join_is_hidden_after_it(told: Story) -> None:
    await three(told)
    await said(told, MOD, "!hide 2")
    await said(told, MOD, "!merge 1 2")
    await said(told, MOD, "!hide 1")
    await said(told, MOD, "!hide 1")
    await said(told, MOD, "!split 2")
    assert await found(told) == {FIRST, THIRD}


async def test_joining_a_hidden_result_changes_nothing_about_the_recommended_one() -> None:
    async with story([Knowledge], [hub(moderators=[MOD], resources=[GUIDE])]) as s:
        before = await said(s, EVA, "!show 1")
        assert "Gift guide" in before
        await share(s, f"policy {FIRST}", ANA)
        await said(s, MOD, "!title 2 Obsolete")
        await said(s, MOD, "!hide 2")
        assert "2 stays hidden." in await said(s, MOD, "!merge 1 2")
        assert await said(s, EVA, "!show 1") == before
        assert "Nothing found" in await said(s, EVA, "!find obsolete")


async def test_a_label_holds_when_a_typo_in_the_message_is_corrected(told: Story) -> None:
    message = await share(told, f"TLP:AMBER polciy {FIRST}", ANA)
    await said(told, MOD, "!label 1 green")
    assert AMBER not in await said(told, EVA, "!show 1")
    await told.edit(message, f"TLP:AMBER policy {FIRST}")
    assert AMBER not in await said(told, EVA, "!show 1")


async def test_until_the_message_is_labelled_more_strictly(told: Story) -> None:
    message = await share(told, f"policy {FIRST}", ANA)
    await said(told, MOD, "!label 1 clear")
    await told.edit(message, f"TLP:AMBER policy {FIRST}")
    assert AMBER in await said(told, EVA, "!show 1")


async def test_what_coordinators_hid_stays_hidden_when_it_is_deleted_and_shared_again(told: Story) -> None:
    message = await share(told, f"policy {FIRST}", ANA)
    await said(told, MOD, "!hide 1")
    await told.redact(message)
    await share(told, f"policy {FIRST}", LUIS)
    assert await found(told) == set()
    assert "is visible again" in await said(told, MOD, "!hide 1")
    assert await found(told) == {FIRST}


async def test_ones_own_vote_does_not_count_while_nobody_else_shares_it(told: Story) -> None:
    message = await share(told, f"policy {FIRST}", ANA)
    await share(told, f"policy {FIRST}", LUIS)
    await said(told, LUIS, "!useful 1")
    assert "useful to 1 person" in await said(told, EVA, "!show 1")
    await told.redact(message)
    assert "useful" not in await said(told, EVA, "!show 1")
    await share(told, f"policy {FIRST}", EVA)
    assert "useful to 1 person" in await said(told, EVA, "!show 1")


async def test_one_more_share_of_what_thousands_share_is_stored_at_once(db: SqliteDatabase) -> None:
    """It took a hundred times as long as one more share of another page."""

    def seconds(tx: SyncTransaction, url: str, there: int) -> float:
        """Of the processor: it is no matter what else the machine does."""

        def new(nth: int) -> NewShare:
            return NewShare("transparency", url, url, sent_at=nth, sender=f"@{nth % 100}:x", event=f"${url}{nth}")

        update.put(tx, RULES, [new(nth) for nth in range(there)])
        durations = []
        for nth in range(there, there + 5):
            begin = time.thread_time()
            update.put(tx, RULES, [new(nth)])
            durations.append(time.thread_time() - begin)
        return min(durations)

    async with db.transaction() as tx:
        assert await tx.run(seconds, SECOND, 10_000) < 20 * await tx.run(seconds, FIRST, 100)
