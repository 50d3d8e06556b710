"""How a question is read: words, phrases, filters in four languages, and what nobody meant to be an operator."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.api import Text, UserError
from plugins.knowledge.index.thesaurus import with_terms
from plugins.knowledge.search.filters import NAMES as FILTERS
from plugins.knowledge.search.query_parser import LONGEST, MOST_UNITS, Question, parse

TERMS = with_terms(())


def ask(text: str, zone: str = "UTC") -> Question:
    return parse(text, TERMS, zone)


def words(text: str) -> list[str]:
    return [unit.text for unit in ask(text).units]


def test_words_phrases_and_what_must_not_occur() -> None:
    question = ask('volcano "code of practice" -lava -"hot stone"')
    assert [(unit.text, unit.phrase) for unit in question.units] == [("code of practice", True), ("volcano", False)]
    assert [(unit.text, unit.phrase) for unit in question.without] == [("lava", False), ("hot stone", True)]


@pytest.mark.parametrize("quotes", ['"a b"', "“a b”", "«a b»", "« a b »"])
def test_every_kind_of_quotes_makes_a_phrase(quotes: str) -> None:
    [unit] = ask(quotes).units
    assert (unit.phrase, unit.words) == (True, (("a",), ("b",)))


def test_a_hyphen_inside_a_word_takes_nothing_away() -> None:
    question = ask("anti-smoking e-mail")
    assert [unit.text for unit in question.units] == ["anti-smoking", "e-mail"]
    assert question.without == ()


VALUES = {
    "topic": ("gifts", "topic"),
    "from": ("ana", "sender"),
    "since": ("2026", "since"),
    "until": ("2026", "until"),
    "lang": ("es", "languages"),
    "type": ("pdf", "kinds"),
    "site": ("wcoomd.org", "site"),
    "hub": ("audit", "hub"),
    "sort": ("new", "sort"),
}


@pytest.mark.parametrize(("name", "alias"), [(name, alias) for name, names in FILTERS.items() for alias in names])
def test_filters_have_names_in_four_languages_and_stand_anywhere(name: str, alias: str) -> None:
    value, field = VALUES[name]
    for text in (
        f"{alias}:{value} volcano lava",
        f"volcano {alias.upper()}:{value} lava",
        f'volcano lava {alias}:"{value}"',
    ):
        question = ask(text)
        assert getattr(question, field), text
        assert [unit.text for unit in question.units] == ["volcano", "lava"]
        assert question.filters == {name: value}


def test_each_language_has_each_filter() -> None:
    es = ask("regalos tema:ética de:ana desde:2026 hasta:2026-02 idioma:es tipo:pdf sitio:a.org orden:nuevo")
    fr = ask("cadeaux sujet:éthique de:ana depuis:2026 jusque:2026-02 langue:es type:pdf site:a.org tri:nouveau")
    pt = ask("presentes assunto:ética de:ana desde:2026 até:2026-02 língua:es tipo:pdf site:a.org ordem:novo")
    for question in (es, fr, pt):
        assert set(question.filters) == {"topic", "from", "since", "until", "lang", "type", "site", "sort"}
        assert question.sort == "new"


def test_a_filter_may_be_told_in_quotes_with_spaces() -> None:
    assert ask('topic:"code of conduct" x').topic == "code of conduct"
    assert ask("tema:«código de conducta»").topic == "código de conducta"


def test_a_filter_given_twice_is_a_mistake_that_is_told() -> None:
    with pytest.raises(UserError):
        ask("topic:a tema:b")


def test_a_filter_with_a_minus_is_not_taken_for_the_filter() -> None:
    with pytest.raises(UserError):
        ask("gifts -topic:audit")


DAY = 86_400_000
JANUARY_2026 = 1_767_225_600_000


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("since:2026", JANUARY_2026, None),
        ("since:2026-01-31", JANUARY_2026 + 30 * DAY, None),
        ("until:2025", None, JANUARY_2026),
        ("until:2026-01", None, JANUARY_2026 + 31 * DAY),
        ("until:2026-01-31", None, JANUARY_2026 + 31 * DAY),
        ("since:2026-1-1 until:2026-1-1", JANUARY_2026, JANUARY_2026 + DAY),
    ],
)
def test_dates_begin_where_they_begin_and_end_where_they_end(text: str, since: int | None, until: int | None) -> None:
    question = ask(text)
    assert (question.since, question.until) == (since, until)


def test_dates_are_those_of_the_hubs_clocks() -> None:
    assert ask("since:2026", "America/Guatemala").since == JANUARY_2026 + 6 * 3_600_000
    assert ask("until:2025", "Asia/Tokyo").until == JANUARY_2026 - 9 * 3_600_000


@pytest.mark.parametrize(
    "text",
    [
        "since:yesterday",
        "since:2026-13",
        "since:2026-02-30",
        "until:2026-00",
        "since:0001",
        "since:20260101",
        "until:9999",
        "until:9999-12",
        "until:9999-12-31",
        "from:a@b",
        "lang:klingonish",
        "sort:random",
        "site:..",
        "site:a b.org since:x",
    ],
)
def test_what_cannot_be_read_is_told_with_a_sentence(text: str) -> None:
    with pytest.raises(UserError):
        ask(text)


@pytest.mark.parametrize(
    "said", ["lang:es", "lang:Spanish", "idioma:español", "langue:espagnol", "língua:espanhol", "lang:ESPAÑOL"]
)
def test_languages_are_known_by_their_names(said: str) -> None:
    assert ask(said).languages == ("es",)


@pytest.mark.parametrize(
    "said", ["site:wcoomd.org", "site:www.wcoomd.org", "site:https://WWW.wcoomd.org/en/x", "sitio:WCOOMD.ORG"]
)
def test_a_site_is_known_however_it_is_written(said: str) -> None:
    assert ask(said).site == "wcoomd.org"


def test_people_are_known_by_name_or_by_their_whole_id() -> None:
    assert ask("from:Ana").sender == ask("from:@ana").sender == "ana"
    assert ask("from:@ana:example.org").sender == ask("de:ana:example.org").sender == "@ana:example.org"


def test_an_address_alone_asks_for_that_page() -> None:
    for text in ("https://example.org/guide?utm_source=x", "<HTTPS://example.org/guide>"):
        question = ask(text)
        assert question.key == "https://example.org/guide"
        assert not question.empty
    assert ask("https://example.org/guide audit").key is None


NATURAL = [
    ("where can I find something about volcanoes?", ["volcanoes"]),
    ("Is there anything on volcanoes, please?", ["volcanoes"]),
    ("do you have information about volcanoes?", ["volcanoes"]),
    ("who has a link about volcanoes?", ["volcanoes"]),
    ("I'm looking for volcanoes", ["volcanoes"]),
    ("what do we have on volcanoes", ["volcanoes"]),
    ("¿dónde encuentro algo sobre volcanes?", ["volcanes"]),
    ("¿Hay algo sobre los volcanes?", ["volcanes"]),
    ("necesito información sobre volcanes", ["volcanes"]),
    ("¿alguien tiene enlaces sobre volcanes?", ["volcanes"]),
    ("¿qué tenemos de volcanes?", ["volcanes"]),
    ("où puis-je trouver quelque chose sur les volcans ?", ["volcans"]),
    ("est-ce qu'il y a quelque chose sur les volcans ?", ["volcans"]),
    ("je cherche des informations sur les volcans", ["volcans"]),
    ("quelqu'un a-t-il un lien sur les volcans ?", ["volcans"]),
    ("onde posso encontrar algo sobre vulcões?", ["vulcões"]),
    ("há alguma coisa sobre vulcões?", ["vulcões"]),
    ("preciso de informações sobre vulcões", ["vulcões"]),
    ("alguém tem links sobre vulcões?", ["vulcões"]),
]


@pytest.mark.parametrize(("text", "wanted"), NATURAL)
def test_of_a_natural_question_only_what_is_looked_for_counts(text: str, wanted: list[str]) -> None:
    assert words(text) == wanted


def test_words_that_say_nothing_count_if_nothing_else_is_asked() -> None:
    assert words("the who") == ["the", "who"]


def test_a_term_of_several_words_is_one_thing_that_is_asked() -> None:
    [unit] = ask("money laundering").units
    assert unit.concepts == ("money-laundering",)
    assert len(unit.words) == 2


def test_an_acronym_of_two_meanings_means_both_also_in_small_letters() -> None:
    [unit] = ask("oea").units
    assert set(unit.concepts) == {"oas", "authorized-operator"}


def test_a_word_with_a_star_may_be_a_beginning() -> None:
    assert [unit.prefix for unit in ask("volca* 5* lava *").units] == [True, False, False]


@pytest.mark.parametrize("text", ["volcano co*", "é*", "volcano -co*"])
def test_a_beginning_that_is_too_short_is_told(text: str) -> None:
    with pytest.raises(UserError, match="at least three letters"):
        ask(text)


@pytest.mark.parametrize(
    "text", ["volcano topic:", "site: ", 'volcano "code of conduct" tema:', 'topic:"" x', "-from:"]
)
def test_a_filter_without_a_value_is_told(text: str) -> None:
    with pytest.raises(UserError, match="Write what you are looking for right after"):
        ask(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("frmo:ana policy", "from"), ("topc:gifts", "topic"), ("asunto:x", "assunto"), ("-sinc:1", "since")],
)
def test_a_filter_with_a_slip_in_its_name_is_told(text: str, meant: str) -> None:
    with pytest.raises(UserError) as caught:
        ask(text)
    assert isinstance(caught.value.text, Text)
    assert dict(caught.value.text.values)["meant"] == meant


@pytest.mark.parametrize(
    "text",
    ["volcano https://a.org/x", "re:port", "port:8080", "Form: 1040", "title:", "ISO 9001:2015", "dee:ana", "a:b:c"],
)
def test_words_with_a_colon_that_nobody_meant_as_filters_are_searched(text: str) -> None:
    question = ask(text)
    assert question.units
    assert not question.filters


HOSTILE = [
    '" OR *',
    "l'intégrité",
    "title:",
    "NEAR(a b)",
    "^a",
    "20.04",
    "-x",
    "🦄",
    "a" * 10_000,
    "a b " * 5000,
    "facets:z",
    "a AND",
    "(((",
    "a\x00b",
    "\ud800",
    "-".join("abcdefgh" * 300),
    "NOT NOT",
    "{title}:x",
    "ß" * 500,
    "½ ² ﷺ",
    "क्षि",
    "\U0001e900",
    "'; DROP TABLE shares; --",
    "*",
    '"',
    "_",
    "a-",
    "--",
    "---a",
    ":",
    "a:",
    "::",
    "a:b:c",
    "-:",
    '-"',
    'topic:"',
    "since:٢٠٢٦",
    "until:2026-٠١",
    "hub:\u202e",
    "from:@",
    "site:[",
    "site:]",
    "site:@@",
    "lang:🦄",
    "sort:\x00",
    "type:.",
    "type:" + "x" * 600,
    "»«",
    "“”",
    "-".join("ab"),
    "‐‑",
    "a‐b",
    "µ",
    "İ",
    "ŉ",
    "ﬁ",
]

texts = st.text(max_size=120) | st.lists(
    st.sampled_from(
        [
            *(f"{alias}:" for names in FILTERS.values() for alias in names),
            '"',
            "-",
            "*",
            "“",
            "»",
            "(",
            ")",
            ":",
            " ",
            "a",
            "gifts",
            "2026",
            "-01",
            "-12-31",
            "9999",
            "@ana",
            ".org",
            "es",
            "money",
            "laundering",
            "^",
            "{",
            "}",
            "OR",
            "NEAR(",
            "'",
            "œ",
            "\u0301",
        ]
    )
    | st.characters(),
    max_size=30,
).map("".join)


@given(texts, st.sampled_from(["UTC", "America/Guatemala", "Pacific/Kiritimati"]))
@example("until:9999-12-31", "America/Guatemala")
@example("since:1000-01-01", "Pacific/Kiritimati")
def test_whatever_is_written_is_a_bounded_question_or_a_sentence(text: str, zone: str) -> None:
    try:
        question = ask(text, zone)
    except UserError:
        return
    assert len(question.units) <= MOST_UNITS
    assert len(question.without) <= MOST_UNITS
    assert len(question.text) <= LONGEST
    for unit in (*question.units, *question.without):
        assert unit.words
        assert all(part.isalnum() for parts in unit.words for part in parts)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_questions_are_questions_too(text: str) -> None:
    with suppress(UserError):
        ask(text)
