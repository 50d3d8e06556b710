"""What holds of the store and its index, whatever people did before. `FARO_TEST_EXAMPLES=3000` plays more histories."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from bot.api import Row, SyncReader, SyncTransaction
from plugins.knowledge.index import update
from plugins.knowledge.store.pages import edges_of
from plugins.knowledge.store.resolve import groups, resolve
from tests.knowledge.shelf import RULES
from tests.knowledge.store.histories import (
    A,
    B,
    Command,
    History,
    Merge,
    Play,
    Purge,
    Rekey,
    Say,
    Share,
    Split,
    Step,
    Undo,
    Withdrawal,
    commands,
    histories,
    last,
    law,
    make_old,
    parts,
    play,
    rebuild_all,
    state,
    tried,
    withdrawals,
)

__all__ = ["play"]  # a fixture


@law
@given(histories, st.randoms(use_true_random=False))
def test_entries_depend_on_the_order_of_what_was_said_and_on_no_other(
    play: Play, history: Sequence[Step], chance: random.Random
) -> None:
    def check(tx: SyncTransaction) -> None:
        History(tx).play(history)
        before = state(tx)
        _shuffle_ids(tx, chance)
        tx.execute("PRAGMA reverse_unordered_selects = ON")
        try:
            rebuild_all(tx)
            assert state(tx) == before
        finally:
            tx.execute("PRAGMA reverse_unordered_selects = OFF")
        for entry, of_entry in parts(tx).items():
            assert resolve(entry, chance.sample(of_entry, len(of_entry))) == resolve(entry, of_entry)

    play(check)


def _shuffle_ids(tx: SyncTransaction, chance: random.Random) -> None:
    ids = [row["id"] for row in tx.rows("SELECT id FROM knowledge_shares")]
    tx.execute("UPDATE knowledge_shares SET id = -id")
    tx.execute_many(
        "UPDATE knowledge_shares SET id = :new WHERE id = -:old",
        ({"old": old, "new": new} for old, new in zip(ids, chance.sample(ids, len(ids)), strict=True)),
    )


@law
@given(histories, st.integers(0, 7))
def test_an_undone_command_counts_as_if_its_rows_were_missing(play: Play, history: Sequence[Step], nth: int) -> None:
    def check(tx: SyncTransaction) -> None:
        played = History(tx)
        played.play(history)
        if not played.commands:
            return
        command = last(played.commands, nth)
        with tried(tx):
            tx.execute("DELETE FROM knowledge_statements WHERE command = :command", command=command)
            rebuild_all(tx)
            without = state(tx)
        update.undo(tx, RULES, command)
        assert state(tx) == without

    play(check)


@law
@given(histories, commands)
@example(  # the purge takes the only command with it, and its id must not be given again
    [Share("@ana:x", (A,)), Share("@ana:x", (B,)), Say("@ana:x", 0, "title"), Purge(0)], Say("@ana:x", 0, "title")
)
def test_a_command_that_is_undone_at_once_changes_nothing(
    play: Play, history: Sequence[Step], command: Command
) -> None:
    def check(tx: SyncTransaction) -> None:
        played = History(tx)
        played.play(history)
        before, number = state(tx), len(played.commands)
        played.step(command)
        if len(played.commands) > number:
            played.step(Undo(0))
        after = state(tx)
        assert after.entries == before.entries
        assert after.topics == before.topics
        assert after.words == before.words
        assert after.vocabulary == before.vocabulary
        assert after.groups.items() >= before.groups.items(), "a new address may have become a page"

    play(check)


@law
@given(histories, withdrawals, withdrawals)
def test_withdrawals_commute(play: Play, history: Sequence[Step], one: Withdrawal, other: Withdrawal) -> None:
    """Except that what nobody shares any more is gone for good: no undoing reaches it then."""

    def check(tx: SyncTransaction) -> None:
        played = History(tx)
        played.play(history)
        results = []
        for first, second in ((one, other), (other, one)):
            with tried(tx):
                before = _alive(tx)
                played.withdraw(first)
                if isinstance(second, Undo) and _alive(tx) < before:
                    return
                played.withdraw(second)
                results.append((state(tx), _kept(tx)))
        assert results[0] == results[1]

    play(check)


def _alive(tx: SyncReader) -> set[int]:
    """Pages that are part of an entry."""
    return {part.page for of_entry in parts(tx).values() for part in of_entry}


def _kept(tx: SyncReader) -> Sequence[Row]:
    """What counts of what was said. Not the bare address of an undone import: it counts where it is all that is left of
    an entry."""
    return tx.rows("""SELECT page, seq, field, key, target, value FROM knowledge_statements WHERE withdrawn IS NULL
        UNION ALL SELECT page, seq, 'share', url, tlp, note FROM knowledge_shares WHERE bare = 0
        ORDER BY page, seq, field""")


@law
@given(histories)
def test_giving_new_keys_twice_is_giving_them_once(play: Play, history: Sequence[Step]) -> None:
    def check(tx: SyncTransaction) -> None:
        played = History(tx)
        played.play(history)
        played.step(Rekey())
        once = state(tx), _kept(tx)
        make_old(tx)
        played.step(Rekey())
        assert (state(tx), _kept(tx)) == once

    play(check)


@law
@given(histories)
def test_a_number_is_that_of_one_page_for_good(play: Play, history: Sequence[Step]) -> None:
    def check(tx: SyncTransaction) -> None:
        played, numbers = History(tx), dict[int, int]()
        for step in history:
            played.step(step)
            after = {row["id"]: row["number"] for row in tx.rows("SELECT id, number FROM knowledge_pages")}
            assert after.items() >= numbers.items()
            assert len(set(after.values())) == len(after)
            assert all(row["number"] == after[row["id"]] for row in tx.rows("SELECT id, number FROM knowledge_entries"))
            numbers = after

    play(check)


RELEADING = (  # without the join that put 1 first, 2 leads what is left: another join of the same pages counts then
    Share("@ana:x", (A, B)),
    Merge("@ana:x", 0, 1),
    Split("@ana:x", 1),
    Merge("@ana:x", 1, 0),
    Undo(1),
    Split("@ana:x", 1),
)


@law
@example(RELEADING)
@given(histories)
def test_groups_follow_each_step_as_if_they_were_made_from_nothing(play: Play, history: Sequence[Step]) -> None:
    def check(tx: SyncTransaction) -> None:
        played = History(tx)
        for step in history:
            played.step(step)
            stored = {row["id"]: row["entry"] for row in tx.rows("SELECT id, entry FROM knowledge_pages")}
            assert stored == groups(stored, edges_of(tx, stored))

    play(check)
