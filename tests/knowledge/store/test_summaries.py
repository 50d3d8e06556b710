"""Of a page that many share, the newest shares and a summary are read: what is made of them is what would be made of
all. `FARO_TEST_EXAMPLES=3000` plays more histories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.api import SyncReader, SyncTransaction
from plugins.knowledge.store.resolve import NEWEST, Part, Share, resolve, summarize
from tests.knowledge.store.histories import A, B, Crowd, History, Play, Step, commands, deletions, law, parts, play, who

__all__ = ["play"]  # a fixture

crowds = st.builds(
    Crowd, who, st.sampled_from((A, B)), st.sampled_from((1, 0, 2)), st.sampled_from((1, 20, NEWEST)), st.booleans()
)
histories: st.SearchStrategy[list[Step]] = st.tuples(
    st.lists(crowds, max_size=4), st.lists(crowds | commands | deletions, max_size=8)
).map(lambda lists: [*lists[0], *lists[1]])


@law
@given(histories)
def test_a_summary_says_what_all_shares_say(play: Play, history: Sequence[Step]) -> None:
    def check(tx: SyncTransaction) -> None:
        played = History(tx)
        for step in history:
            played.step(step)
        for entry, of_entry in parts(tx).items():
            resolved = resolve(entry, of_entry)
            of_all = resolve(entry, [_with_all_shares(tx, part) for part in of_entry])
            assert resolved is not None
            assert of_all is not None
            assert replace(resolved, shown=()) == replace(of_all, shown=(), shares=of_all.shares[:NEWEST])

    play(check)


def _with_all_shares(tx: SyncReader, part: Part) -> Part:
    rows = tx.rows(
        """SELECT id, page, seq, sender, sent_at, url, label, note, topics, tlp, attachment, bare
        FROM knowledge_shares WHERE page = :page ORDER BY sent_at DESC, seq DESC""",
        page=part.page,
    )
    shares = [Share(**{**row, "bare": bool(row["bare"])}) for row in rows]
    assert list(part.shares) == shares[:NEWEST]
    return replace(part, shares=shares, summary=summarize(shares))
