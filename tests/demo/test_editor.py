"""Typing a line."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bot.demo.editor import END, LineEditor

KEYS = [
    b"\x1b[A",
    b"\x1b[B",
    b"\x1b[C",
    b"\x1b[D",
    b"\x1b[H",
    b"\x1b[F",
    b"\x7f",
    b"\x1b[3~",
    b"\x15",
    b"\x0b",
    b"\x17",
]


def test_enter_completes_lines_and_what_follows_stays() -> None:
    editor = LineEditor()
    assert editor.feed(b"!find gifts\r!top") == ["!find gifts"]
    assert editor.text == "!top"


def test_letters_and_keys_may_arrive_in_pieces() -> None:
    editor = LineEditor()
    for byte in "año\x1b[D\x1b[Dn".encode():
        editor.feed(bytes([byte]))
    assert editor.text == "anño"


def test_the_cursor_moves_and_text_is_changed_there() -> None:
    editor = LineEditor()
    editor.feed(b"find\x1b[H!\x1b[F gifts today\x17\x7f")
    assert editor.text == "!find gifts"
    editor.feed(b"\x1b[D\x1b[D\x0b")
    assert editor.text == "!find gif"
    editor.feed(b"\x15")
    assert editor.text == ""


def test_earlier_lines_come_back_and_the_draft_is_not_lost() -> None:
    editor = LineEditor()
    editor.feed(b"one\rtwo\rdraft\x1b[A")
    assert editor.text == "two"
    editor.feed(b"\x1b[A\x1b[A")
    assert editor.text == "one"
    editor.feed(b"\x1b[B\x1b[B\x1b[B")
    assert editor.text == "draft"


def test_control_d_ends_only_where_nothing_is_written() -> None:
    editor = LineEditor()
    assert editor.feed(b"a\x04") == []
    assert editor.feed(b"\r\x04") == ["a", END]


def test_keys_without_a_meaning_write_nothing() -> None:
    editor = LineEditor()
    assert editor.feed(b"\x1b[15~\x1b[1;5P\x00\x07\x1bxok\xff") == []
    assert editor.text == "ok\ufffd"


@given(st.lists(st.one_of(st.sampled_from(KEYS), st.text(max_size=8).map(str.encode))), st.integers(1, 40))
def test_the_cursor_is_always_within_what_is_shown(pressed: list[bytes], width: int) -> None:
    editor = LineEditor()
    for keys in pressed:
        editor.feed(keys)
        assert 0 <= editor.cursor <= len(editor.text)
        text, at = editor.shown(width)
        assert text in editor.text
        assert at <= max(cell_len(text), 0)
        assert cell_len(text) <= max(width, 1) + 1  # one wide sign always shows
