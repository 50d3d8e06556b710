"""What is said to the bot, and what of it is a command with its arguments."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.commands import (
    LONGEST,
    CommandSpec,
    Param,
    Takes,
    Vocabulary,
    command_line,
    first_word,
    is_called,
    nearest,
    parse,
    pill_at_start,
)
from bot.core.errors import UsageError

FIND = CommandSpec(
    "knowledge",
    "find",
    "Find links.",
    (
        Param("words", Takes.REST),
        Param("topic", Takes.FILTER, required=False),
        Param("from_", Takes.FILTER, required=False),
        Param("limit", Takes.FILTER, int, required=False),
    ),
    (("es", "buscar"), ("fr", "chercher"), ("pt", "pesquisar")),
)
SHOW = CommandSpec("knowledge", "show", "Show one.", (Param("number", Takes.WORD, int),), (("es", "mostrar"),))
LEND = CommandSpec(
    "library", "lend", "Lend.", (Param("book", Takes.WORD), Param("days", Takes.WORD, int, required=False))
)
TELL = CommandSpec("news", "tell", "Tell.", (Param("who", Takes.WORD), Param("text", Takes.REST, required=False)))
MORE = CommandSpec("knowledge", "more", "More.", (), (("es", "más"), ("pt", "mais")))
SPECS = (FIND, SHOW, LEND, TELL, MORE)

NAMES = ("Faro", "@faro:example.org", "faro")
WORDS = st.text(
    st.characters(exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc"), exclude_characters='"“”«»:'), min_size=1
)
LINES = st.lists(
    st.sampled_from(
        [*string.punctuation, " ", "\n", "topic:", "topic:a", "limit:", "from:", "12", '"', "“", "»", "é", "::"]
    )
    | st.text(max_size=6)
).map("".join)


@given(LINES, st.sampled_from(SPECS))
def test_whatever_is_typed_is_understood_or_refused_with_a_sentence(line: str, spec: CommandSpec) -> None:
    """Nothing but `UsageError` comes out, numbers are numbers, and every argument belongs to a parameter."""
    try:
        call = parse(f"{spec.name} {line}", spec)
    except UsageError:
        return
    assert call.spec is spec
    kinds = {param.name: param.type for param in spec.params}
    for name, value in call.arguments.items():
        assert isinstance(value, kinds[name])
    assert {param.name for param in spec.params if param.required} <= set(call.arguments)


@given(st.lists(WORDS, min_size=1).map(" ".join))
def test_what_stands_between_quotes_is_one_word(text: str) -> None:
    assert parse(f'lend "{text}" 3', LEND).arguments == {"book": text, "days": 3}
    assert parse(f"lend “{text}” 3", LEND).arguments == {"book": text, "days": 3}
    assert parse(f"lend «{text}» 3", LEND).arguments == {"book": text, "days": 3}


@given(st.lists(WORDS, min_size=1).map(" ".join), WORDS)
def test_a_filter_may_stand_anywhere_and_be_quoted(text: str, word: str) -> None:
    expected = {"words": word, "topic": text}
    assert parse(f'find {word} topic:"{text}"', FIND).arguments == expected
    assert parse(f'find topic:"{text}" {word}', FIND).arguments == expected
    assert parse(f"find TOPIC:“{text}” {word}", FIND).arguments == expected


@given(st.integers(min_value=0, max_value=10**12 - 1))
def test_a_number_may_have_its_sign_of_number(number: int) -> None:
    assert parse(f"show {number}", SHOW).arguments == parse(f"show #{number}", SHOW).arguments == {"number": number}


@pytest.mark.parametrize(
    ("line", "spec", "arguments"),
    [
        ("find gifts from:@ana:example.org", FIND, {"words": "gifts", "from_": "@ana:example.org"}),
        ("buscar  gifts   and\nhospitality", FIND, {"words": "gifts and hospitality"}),
        ('find "gifts and" more', FIND, {"words": '"gifts and" more'}),
        ("find https://example.org/a:b", FIND, {"words": "https://example.org/a:b"}),
        ("find colour:red limit:5", FIND, {"words": "colour:red", "limit": 5}),
        ('find 5" pipe', FIND, {"words": '5" pipe'}),
        ('find "never closed', FIND, {"words": '"never closed'}),
        ("tell ana", TELL, {"who": "ana"}),
        ("tell ana be there", TELL, {"who": "ana", "text": "be there"}),
        ("lend book", LEND, {"book": "book"}),
        ("more", MORE, {}),
    ],
)
def test_arguments(line: str, spec: CommandSpec, arguments: dict[str, object]) -> None:
    """Unknown filters and unclosed quotes are words; what is optional and absent keeps the handler's default."""
    assert parse(line, spec).arguments == arguments


@pytest.mark.parametrize(
    ("line", "spec", "sentence"),
    [
        ("find", FIND, "Missing: <words>."),
        ("find topic:a", FIND, "Missing: <words>."),
        ("find x topic:a topic:b", FIND, "'topic:' appears twice."),
        ("find x topic: a", FIND, "'topic:' needs a value right after the colon."),
        ('find x topic:"  "', FIND, "'topic:' needs a value right after the colon."),
        ("find x from:", FIND, "'from:' needs a value right after the colon."),
        ("find x limit:many", FIND, "“many” should be a number."),
        ("show", SHOW, "Missing: <number>."),
        ("show twelve", SHOW, "“twelve” should be a number."),
        ("show ١٢", SHOW, "“١٢” should be a number."),
        ("show -1", SHOW, "“-1” should be a number."),
        ("show 1234567890123", SHOW, "“1234567890123” should be a number."),
        ("show 1 2", SHOW, "I don't know what to do with “2”."),
    ],
)
def test_a_wrong_command_is_told_what_is_wrong(line: str, spec: CommandSpec, sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(line, spec)
    assert str(raised.value) == sentence


def test_usage_shows_words_and_filters() -> None:
    assert FIND.usage == "find <words> [topic:…] [from:…] [limit:…]"
    assert FIND.usage_as(FIND.word_in("es")) == "buscar <words> [topic:…] [from:…] [limit:…]"
    assert LEND.usage == "lend <book> [days]"
    assert FIND.word_in("de") == "find"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("!find gifts", "find gifts"),
        ("  !find gifts\n", "find gifts"),
        ("Faro: find gifts", "find gifts"),
        ("faro, find gifts", "find gifts"),
        ("FARO find gifts", "find gifts"),
        ("Faro:\tfind gifts", "find gifts"),
        ("Faro\N{NO-BREAK SPACE}find gifts", "find gifts"),
        ("@Faro find gifts", "find gifts"),
        ("@faro:example.org: find gifts", "find gifts"),
        ("@faro:example.org find gifts", "find gifts"),
        ("[Faro](https://matrix.to/#/@faro:example.org): find gifts", "find gifts"),
        ("[@faro:example.org](https://matrix.to/#/@faro:example.org) find gifts", "find gifts"),
        ("Faro: !find gifts", "find gifts"),
        ("Faro", ""),
        ("Faro: ", ""),
        ("! find gifts", None),
        ("!", None),
        ("find gifts", None),
        ("Farofa: find gifts", None),
        ("[Ana](https://matrix.to/#/@ana:example.org) find gifts", None),
        ("hello Faro: find", None),
        ("", None),
    ],
)
def test_in_a_room_the_bot_is_addressed_by_prefix_or_name(body: str, line: str | None) -> None:
    assert command_line(body, prefix="!", names=NAMES, direct=False) == line


@pytest.mark.parametrize(
    ("body", "line"), [("find gifts", "find gifts"), ("!find", "find"), ("Faro: find", "find"), (" ", None)]
)
def test_in_a_direct_chat_everything_is_for_the_bot(body: str, line: str | None) -> None:
    assert command_line(body, prefix="!", names=NAMES, direct=True) == line


@given(st.text(), st.lists(st.text(max_size=4), max_size=3), st.sampled_from(["!", "faro ", "¡"]), st.booleans())
def test_addressing_never_fails_and_a_line_has_a_word_or_is_empty(
    body: str, names: list[str], prefix: str, direct: bool
) -> None:
    line = command_line(body, prefix=prefix, names=names, direct=direct)
    assert not line or (len(line) <= LONGEST and first_word(line))


@given(WORDS.filter(str.isprintable), WORDS)
def test_a_name_is_recognised_in_any_alphabet(name: str, word: str) -> None:
    """Also where upper and lower case have different lengths."""
    rest = word.lstrip("!,@") or "x"
    for called in (name, name.swapcase() if len(name.swapcase()) == len(name) else name):
        if called.casefold() == name.casefold() and not called.startswith(("!", "@", "[")):
            assert command_line(f"{called}: {rest}", prefix="!", names=[name], direct=False) == rest


def test_a_command_is_found_by_every_word_for_it() -> None:
    vocabulary = Vocabulary(SPECS)
    assert {vocabulary.find(word) for word in ("find", "FIND", "buscar", "Chercher")} == {FIND}
    assert vocabulary.find("más") is vocabulary.find("mas") is vocabulary.find("MÁS") is MORE
    assert vocabulary.find("nothing") is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("fidn", "find"),
        ("¡Fnd!", "find"),
        ("bsucar", "buscar"),
        ("buzcra", "buscar"),
        ("màss", "más"),
        ("lnk", None),
        ("how", None),
        ("to", None),
        ("presentes", None),
        ("thanks", None),
        ("xyzzy", None),
        ("?", None),
    ],
)
def test_a_slip_leads_to_the_word_that_was_meant_and_another_word_to_none(said: str, meant: str | None) -> None:
    assert nearest(said, ["find", "show", "top", "más", "buscar", "recentes", "changes"]) == meant


def test_of_two_words_the_nearer_one_is_meant() -> None:
    assert nearest("changed", ["charges", "changes"]) == "changes"


@pytest.mark.parametrize(
    ("body", "called"),
    [
        ("Faro: gifts", True),
        ("faro, gifts", True),
        ("@Faro gifts", True),
        ("@faro:example.org gifts", True),
        ("[Faro](https://matrix.to/#/@faro:example.org) gifts", True),
        ("Faro is a great help", False),
        ("!nonsense", False),
        ("gifts", False),
        ("@ana:example.org gifts", False),
    ],
)
def test_who_speaks_of_the_bot_does_not_call_it(body: str, called: bool) -> None:
    assert is_called(body, prefix="!", names=NAMES) is called


@given(st.text(max_size=50))
def test_any_word_may_be_looked_up(word: str) -> None:
    vocabulary = Vocabulary(SPECS)
    vocabulary.find(word)
    meant = nearest(word, ["find", "buscar"])
    assert meant is None or vocabulary.find(meant)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<a href="https://matrix.to/#/@faro:example.org">Phare</a>: find gifts', "Phare"),
        ("<p><a href='https://matrix.to/#/%40faro%3Aexample.org?via=x'>Phare</a> find</p>", "Phare"),
        ('<a class="pill" href="https://matrix.to/#/@faro:example.org">A &amp; B</a> find', "A & B"),
        ('hello <a href="https://matrix.to/#/@faro:example.org">Phare</a>', None),
        ('<a href="https://matrix.to/#/@faro:example.org"></a>', None),
        ('<a href="https://matrix.to/#/@faro:example.orgy">Phare</a>', None),
        ('<a href="https://matrix.to.example/#/@faro:example.org">Phare</a>', None),
        ("", None),
        (None, None),
    ],
)
def test_a_pill_at_the_start_is_known_by_whom_it_stands_for(html: str | None, text: str | None) -> None:
    assert pill_at_start(html, "@faro:example.org") == text


@given(st.text(alphabet="<a> href='\"https://matrix.to/#@:%&;p", max_size=300))
def test_any_html_may_be_looked_at_for_a_pill(html: str) -> None:
    assert pill_at_start(html, "@faro:example.org") is None
