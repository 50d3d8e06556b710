"""YAML's traps are errors in plain words, or do no harm."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import yamltree
from bot.config.yamltree import MAX_BYTES, plain, read


def values(text: str) -> object:
    root, problems = read("f", text.encode())
    assert problems == []
    assert root is not None
    return plain(root)


def wrong(content: str | bytes) -> list[str]:
    _, problems = read("f", content.encode() if isinstance(content, str) else content)
    return [str(problem) for problem in problems]


def test_nothing_is_guessed() -> None:
    text = "a: no\nb: 19:30\nc: 1.10\nd: 0o7\ne: 2027-01-05 10:00\non: yes\nf: 0x1F\ng: 1_000\nh: .inf\n"
    assert values(text) == {
        "a": "no", "b": "19:30", "c": "1.10", "d": "0o7", "e": "2027-01-05 10:00", "on": "yes", "f": "0x1F",
        "g": "1_000", "h": ".inf",
    }  # fmt: skip


def test_only_an_unquoted_null_is_no_value() -> None:
    assert values("a:\nb: ~\nc: null\nd: ''\ne: 'null'\nf: # a comment\n") == {
        "a": None, "b": None, "c": None, "d": "", "e": "null", "f": None,
    }  # fmt: skip


@pytest.mark.parametrize("content", ["", "\n\n", "# only a comment\n", "---\n", "\ufeff", "~"])
def test_a_file_that_holds_nothing_has_no_tree(content: str) -> None:
    assert read("f", content.encode()) == (None, [])


def test_a_byte_order_mark_does_no_harm() -> None:
    assert values("\ufeffa: b\n") == {"a": "b"}


def test_windows_line_ends_do_no_harm() -> None:
    assert values("a: b\r\nc:\r\n  - d\r\n") == {"a": "b", "c": ["d"]}


def test_an_alias_repeats_a_whole_value() -> None:
    assert values("a: &x {b: [c]}\nd: *x\n") == {"a": {"b": ["c"]}, "d": {"b": ["c"]}}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\na: 2", "f:2:1: a: 'a' appears twice; the first is on line 1"),
        ("x:\n  - a: 1\n    a: 2", "f:3:5: x[0].a: 'a' appears twice; the first is on line 2"),
        ("a： 1\nb: 2", "f:1:2: '：' is a wide colon; write ': ' with a space after it"),
        ("a: 1\nb： 2\n", "f:2:2: '：' is a wide colon; write ': ' with a space after it"),
        ("\ta: 1", "f:1:1: the line is indented with a tab; use spaces"),
        ("a:\n\t- b", "f:2:1: the line is indented with a tab; use spaces"),
        ("a: @ana:x", "f:1:4: a value that begins with '@' needs quotes"),
        ("a: `x`", "f:1:4: a value that begins with '`' needs quotes"),
        ("a: #room:x", "f:1:3: a: a value that begins with '#' needs quotes, otherwise it is a comment: \"#room:x\""),
        ("a: !room:x", "f:1:4: a: a value that begins with '!' needs quotes: \"!room:x\""),
        ("a: !", "f:1:4: a: a value that begins with '!' needs quotes: \"!\""),
        ("a: !!int 3", "f:1:4: a: a value that begins with '!' needs quotes: \"!!int 3\""),
        ("a: *.yaml", "f:1:5: a value that begins with '*' needs quotes"),
        ("a: *x", "f:1:4: '&x' is not defined above; a value that begins with '*' needs quotes"),
        ("a: &x [*x]", "f:1:8: '*x' contains itself"),
        (
            "a: b: c",
            "f:1:5: unexpected ': '; check the indentation, or put a text that contains ': ' in quotes",
        ),
        (
            "b: 1\na: [{c: #hall:x.org}]\n",
            "f:2:9: a value that begins with '#' needs quotes, otherwise it is a comment: \"#hall:x.org\"",
        ),
        (
            "a: {b: #hall:x.org}\nc: 1\n",
            "f:1:8: a value that begins with '#' needs quotes, otherwise it is a comment: \"#hall:x.org\"",
        ),
        ("b: 1\na: [{c:\n", "f:3:1: the bracket opened on line 2 is not closed, or a ',' is missing"),
        ("a: [1, 2", "f:2:1: the bracket opened on line 1 is not closed, or a ',' is missing"),
        ("a: 'x", "f:1:6: the quotation mark opened on line 1 is never closed"),
        (
            "a: 1\n- b",
            "f:2:1: this line does not match the lines above; check its indentation, or add the missing ':'",
        ),
        ('a: "\\q"', "f:1:5: inside \"…\", '\\' starts an escape sequence; write '\\\\', or put the text in '…'"),
        ("a: b\n<<: c", "f:2:1: <<: '<<' is not supported; write the settings out, or repeat them with '*name'"),
        ("a: {{ x }}", "f:1:5: a: this is not a valid key; a text that begins with a bracket needs quotes"),
        (
            "a: b\n---\nc: d",
            "f:2:1: a second YAML document begins here; a file holds only one, so remove the '---' line",
        ),
        ("a: \x07", "f:1:4: there is an invisible character here (U+0007); remove it"),
    ],
)
def test_a_trap_is_named_with_its_remedy(text: str, problem: str) -> None:
    assert problem in wrong(text)


@pytest.mark.skipif(not yamltree.LOADERS[1:], reason="PyYAML was built without libyaml")
@pytest.mark.parametrize("text", ["a: @x", "\ta: 1", "a: b: c", "a: *.x", "a: 1\n- b", "a: [1, 2\nb: c", "a: 'x"])
def test_with_and_without_libyaml_the_sentences_are_the_same(text: str) -> None:
    """PyYAML's two parsers word their complaints differently."""
    said = {read("f", text.encode(), loader)[1][0].message.template for loader in yamltree.LOADERS}
    assert len(said) == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a: caf\xe9\n", "f:1:7: the file is not UTF-8 text; save it as UTF-8"),
        ("a: b".encode("utf-16"), "f:1:1: the file is encoded as UTF-16; save it as UTF-8"),
        (b"#" * (MAX_BYTES + 1), "f:1:1: the file is larger than 4 MB; is it the right file?"),
    ],
    ids=["latin-1", "utf-16", "huge"],
)
def test_a_file_that_is_no_text_is_refused(content: bytes, problem: str) -> None:
    assert wrong(content) == [problem]


def test_ten_thousand_aliases_of_aliases_are_refused() -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 10_000))]
    (problem,) = wrong("\n".join(lines))
    assert "this has more than 100000 values" in problem


def test_ten_thousand_aliases_of_one_value_are_refused_only_if_they_grow() -> None:
    assert wrong("a: &a [x]\nb: [" + "*a, " * 10_000 + "]") == []
    assert wrong("a: &a [" + "x, " * 100 + "]\nb: [" + "*a, " * 10_000 + "]") != []


def test_what_is_nested_too_deeply_is_refused() -> None:
    assert wrong("[" * 500 + "]" * 500) == ["f:1:52: this is nested too deeply"]


@given(st.text() | st.text(alphabet="ab:-[]{}&*!#|>'\"%@` \n\t~<?,\\\ufeff\x00\x85\u2028"))
def test_any_text_is_a_tree_or_problems(text: str) -> None:
    root, problems = read("f", text.encode("utf-8", "surrogatepass"))
    assert root is None or plain(root) is not None
    assert all(problem.line >= 1 and problem.column >= 1 and str(problem) for problem in problems)


@given(st.binary())
def test_any_bytes_are_a_tree_or_problems(content: bytes) -> None:
    read("f", content)


def test_the_tree_reads_every_hub_of_the_example() -> None:
    root, problems = read("f", (Path(__file__).parents[2] / "config.example.yaml").read_bytes())
    assert problems == []
    assert len(yamltree.items_of(root, "hubs")) == 2
