"""What is deleted leaves no words, and nothing becomes visible or less strict by deleting, joining or splitting,
whatever people did before. `FARO_TEST_EXAMPLES=3000` plays more histories."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from hypothesis import example, given
from hypothesis import strategies as st

from bot.api import SyncReader, SyncTransaction
from plugins.knowledge.index import update
from plugins.knowledge.store.resolve import label_of
from tests.knowledge.shelf import RULES
from tests.knowledge.store.histories import (
    MOVED,
    WORD,
    A,
    B,
    Edit,
    Forget,
    History,
    Merge,
    Move,
    Play,
    Purge,
    Redact,
    Rekey,
    Say,
    Share,
    Split,
    Step,
    Undo,
    UndoImport,
    deletions,
    histories,
    joins,
    last,
    law,
    limits,
    merges,
    play,
    set_by_people,
    shown,
    state,
    text,
    visible,
    words_of,
)

__all__ = ["play"]  # a fixture


@law
@given(histories, deletions)
def test_no_row_keeps_the_words_of_what_was_deleted(
    play: Play, history: Sequence[Step], deletion: Redact | Forget | UndoImport
) -> None:
    def check(tx: SyncTransaction) -> None:
        played = History(tx)
        played.play(history)
        words = _words(tx, played, deletion)
        before = text(tx)
        assert all(word in before for word in words)
        played.withdraw(deletion)
        after = text(tx)
        assert [word for word in words if word in after] == []
        if isinstance(deletion, Forget):
            assert deletion.who not in after

    play(check)


def _words(tx: SyncReader, played: History, deletion: Redact | Forget | UndoImport) -> Collection[str]:
    match deletion:
        case Redact() if played.messages:
            event = last(played.messages, deletion.message)
            return words_of(tx, "event = :event OR said_in = :event", "event = :event", event=event)
        case Forget():
            theirs = "= (SELECT id FROM knowledge_people WHERE user_id = :who)"
            return words_of(tx, f"sender {theirs}", f"by {theirs}", who=deletion.who)
        case UndoImport() if played.files:
            return words_of(tx, "command = :file", "id = :file", file=last(played.files, deletion.file))
    return ()


@law
@given(histories)
def test_what_is_gone_keeps_no_words(play: Play, history: Sequence[Step]) -> None:
    """Nor do the words of a message that was edited stay."""

    def check(tx: SyncTransaction) -> None:
        played = History(tx)
        for step in history:
            edited = last(list(played.posts), step.message) if isinstance(step, Edit) and played.posts else None
            words = words_of(tx, "event = :event", "FALSE", event=edited)
            played.step(step)
            assert _pages_with_words(tx) <= _alive(tx)
            after = text(tx)
            assert [word for word in words if word in after] == []

    play(check)


MOVED_WHILE_HIDDEN = (
    Share("@ana:x", (A,)),
    Say("@eva:x", 0, "hidden"),
    Move("@eva:x", 0, MOVED),
    Share("@ben:x", (MOVED,)),
)


TITLED_THROUGH_ANOTHER_PAGE = (  # what was said of the first page of a result counts when nobody shares that page
    Share("@ana:x", (A,)),
    Share("@ben:x", (B,)),
    Merge("@ana:x", 1, 0),
    Say("@ana:x", 0, "title"),
    Forget("@ben:x"),
)


@law
@example(MOVED_WHILE_HIDDEN)
@example(TITLED_THROUGH_ANOTHER_PAGE)
@given(histories)
def test_only_coordinators_open_what_they_hid(play: Play, history: Sequence[Step]) -> None:
    """By command, by undoing, or by purging it: never by deleting, joining, splitting or new keys; nor is it opened
    where it went with all that was shared, and is shared again."""

    def check(tx: SyncTransaction) -> None:
        played = History(tx)
        for step in history:
            hidden = {page for page, value in set_by_people(tx, "hidden").items() if value}
            keys = _keys(tx, hidden)
            opens = _says(tx, played, step, "hidden")
            moved = _moved(tx)
            played.step(step)
            hidden |= {new for new, old in _moved(tx) - moved if old in hidden}
            if not opens:
                assert {page for page, value in set_by_people(tx, "hidden").items() if value} >= hidden
                assert hidden.isdisjoint(visible(tx))
                assert isinstance(step, Rekey) or _keys(tx, keys) == keys
        assert _found_words(tx) <= _words_on(tx, set(shown(tx)))

    play(check)


@law
@given(histories)
def test_only_a_command_lowers_the_label_that_people_gave(play: Play, history: Sequence[Step]) -> None:
    def check(tx: SyncTransaction) -> None:
        played = History(tx)
        for step in history:
            labels = set_by_people(tx, "label")
            lowers = _says(tx, played, step, "label")
            played.step(step)
            if not lowers:
                lower = [page for page, label in _labels(tx).items() if label.of_entry < labels.get(page, 0)]
                assert lower == []

    play(check)


@law
@given(histories, st.lists(joins, min_size=1, max_size=3), st.booleans())
def test_joining_and_splitting_change_nothing_about_which_pages_are_found(
    play: Play, history: Sequence[Step], steps: Sequence[Merge | Split], undone: bool
) -> None:
    """Nor about the label of each; what is joined is labelled as strictly as each part was. Splitting ends what was
    shown more widely because of the join."""

    def check(tx: SyncTransaction) -> None:
        played = History(tx)
        played.play(history)
        for step in steps:
            number = len(played.commands)
            before = _labels(tx)
            played.step(step)
            after = _labels(tx)
            if isinstance(step, Merge):
                assert _own(after) == _own(before)
                assert [page for page, labels in before.items() if after[page].of_entry < labels.of_entry] == []
            else:
                assert after.keys() <= before.keys()
                assert [page for page, label in _own(after).items() if (label or 0) < (before[page].own or 0)] == []
            if len(played.commands) > number and undone:
                played.step(Undo(0))
                assert _labels(tx) == before

    play(check)


LOOSENED_WHILE_JOINED = [Share("@ana:x", (A,)), Share("@ana:x", (B,))]


@law
@example(LOOSENED_WHILE_JOINED, Merge("@ana:x", 0, 1), [Say("@ana:x", 0, "label", "0")])
@given(histories, merges, st.lists(limits, min_size=1, max_size=3))
def test_what_is_loosened_while_pages_are_joined_does_not_outlive_the_join(
    play: Play, history: Sequence[Step], merge: Merge, steps: Sequence[Say]
) -> None:
    def check(tx: SyncTransaction) -> None:
        played = History(tx)
        played.play(history)
        before, number = _labels(tx), len(played.commands)
        played.step(merge)
        if len(played.commands) == number:
            return
        played.play(steps)
        merged, *limiting = played.commands[number:]
        update.undo(tx, RULES, merged)
        groups = state(tx).groups
        own = {groups[page] for page in _said_of(tx, limiting)}
        after = {page: labels for page, labels in _labels(tx).items() if groups[page] not in own}
        assert after.keys() <= before.keys()
        assert [page for page, labels in after.items() if (labels.own or 0) < (before[page].own or 0)] == []

    play(check)


def _said_of(tx: SyncReader, commands: Collection[int]) -> set[int]:
    """The pages that these commands named."""
    rows = tx.rows("SELECT command, target FROM knowledge_statements WHERE target IS NOT NULL")
    return {row["target"] for row in rows if row["command"] in commands}


@law
@given(histories, deletions)
def test_deleting_makes_no_page_visible(
    play: Play, history: Sequence[Step], deletion: Redact | Forget | UndoImport
) -> None:
    """But for what a file hid, where others share it and the file is undone."""

    def check(tx: SyncTransaction) -> None:
        played = History(tx)
        played.play(history)
        pages, by_files = set(visible(tx)), _hidden_by_files(tx)
        played.withdraw(deletion)
        assert set(visible(tx)) <= (pages | by_files if isinstance(deletion, UndoImport) else pages)

    play(check)


@law
@given(histories)
def test_new_keys_make_no_address_visible(play: Play, history: Sequence[Step]) -> None:
    def check(tx: SyncTransaction) -> None:
        played = History(tx)
        played.play(history)
        urls = _urls(tx)
        played.step(Rekey())
        assert _urls(tx) <= urls

    play(check)


def _alive(tx: SyncReader) -> set[int]:
    """Pages that are part of an entry."""
    rows = tx.rows("SELECT p.id FROM knowledge_pages p JOIN knowledge_entries e ON e.id = p.entry")
    return {row["id"] for row in rows}


def _pages_with_words(tx: SyncReader) -> set[int]:
    rows = tx.rows("""SELECT page FROM knowledge_shares UNION SELECT page FROM knowledge_facts
        UNION SELECT page FROM knowledge_statements WHERE field IN ('title', 'note', 'topic', 'url', 'stays')
        AND (value IS NOT NULL OR key <> '')""")
    return {row["page"] for row in rows}


def _says(tx: SyncReader, played: History, step: Step, field: str) -> bool:
    """Whether a step says something of a field, or takes it back."""
    match step:
        case Say():
            return step.field == field
        case Undo() if played.commands:
            return bool(
                tx.value(
                    "SELECT EXISTS (SELECT 1 FROM knowledge_statements WHERE command = :command AND field = :field)",
                    command=last(played.commands, step.command),
                    field=field,
                )
            )
    return isinstance(step, Purge)


def _moved(tx: SyncReader) -> set[tuple[int, int]]:
    """The pages of new addresses, each with the page that has moved there."""
    rows = tx.rows("SELECT page, target FROM knowledge_statements WHERE field = 'same_as' AND value = 'moved'")
    return {(row["page"], row["target"]) for row in rows}


def _keys(tx: SyncReader, pages: Collection[int]) -> Mapping[int, str | None]:
    return {row["id"]: row["key"] for row in tx.rows("SELECT id, key FROM knowledge_pages") if row["id"] in pages}


class _Labels(NamedTuple):
    own: int | None
    of_entry: int


def _labels(tx: SyncReader) -> Mapping[int, _Labels]:
    """The labels of each visible page."""
    rows = tx.rows("SELECT p.id, e.label FROM knowledge_pages p JOIN knowledge_entries e ON e.id = p.entry")
    of_entry = {row["id"]: row["label"] for row in rows}
    return {page: _Labels(label_of(part), of_entry[page]) for page, part in visible(tx).items()}


def _own(labels: Mapping[int, _Labels]) -> Mapping[int, int | None]:
    return {page: one.own for page, one in labels.items()}


def _urls(tx: SyncReader) -> set[str]:
    """The addresses of what is found."""
    return {share.url for part in visible(tx).values() for share in part.shares}


def _hidden_by_files(tx: SyncReader) -> set[int]:
    rows = tx.rows("""SELECT s.page FROM knowledge_statements s JOIN knowledge_commands c ON c.id = s.command
        WHERE s.field = 'hidden' AND c.kind = 'import'""")
    return {row["page"] for row in rows}


def _words_on(tx: SyncReader, pages: Collection[int]) -> set[str]:
    """The words of all that was said of some pages."""
    rows = tx.rows("""SELECT page, coalesce(note, '') || ' ' || coalesce(label, '') AS text FROM knowledge_shares
        UNION ALL SELECT page, key || ' ' || coalesce(value, '') FROM knowledge_statements
        UNION ALL SELECT page, coalesce(title, '') || ' ' || coalesce(description, '') FROM knowledge_facts""")
    return {word for row in rows if row["page"] in pages for word in WORD.findall(row["text"])}


def _found_words(tx: SyncReader) -> set[str]:
    """The words by which anything is found."""
    return set(WORD.findall(str(tx.rows("SELECT * FROM knowledge_entry_words"))))
