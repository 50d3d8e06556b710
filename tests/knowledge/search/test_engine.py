"""A question finds what has its words or means the same, in whichever language, and the best comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bot.api import Transaction
from bot.storage.database import SqliteDatabase
from plugins.knowledge.index.hub_rules import Rules, merged_thesaurus
from plugins.knowledge.search import engine
from plugins.knowledge.search.candidates import POOL
from plugins.knowledge.store import privacy
from plugins.knowledge.urls import display
from plugins.knowledge.views import load
from tests.knowledge.hubs import hub
from tests.knowledge.shelf import ANA, HUBS, LUIS, NOW, YEAR, ask, entries, everything, recommend, say, seen, urls, vote

DAY = 86_400_000
A, B, C = (f"https://example.org/{name}" for name in "abc")

MEET = [
    ("corrupción", "CORRUPCION"),
    ("l'intégrité", "integrite"),
    ("œuvre", "oeuvre"),
    ("Straße", "strasse"),
    ("ＣＢＰ", "cbp"),
    ("whistle-blower", "whistleblower"),
    ("whistle-blower", "whistle blower"),
    ("whistleblower", "whistle-blower"),
    ("anticorruption", "anti-corruption"),
    ("anti-corruption", "anticorruption"),
    ("anti-corruption", "anti corruption"),
    ("e-mail", "email"),
    ("intégrité", "inte\u0301grite\u0301"),
    ("C-314/12", "314"),
    # forms of a word in four languages
    ("volcano", "volcanoes"),
    ("regulations", "regulation"),
    ("trained officers", "training officer"),
    ("la declaración", "declaraciones"),
    ("funcionarios aduaneros", "funcionario aduanero"),
    ("los volcanes", "volcán"),
    ("les règlements", "reglement"),
    ("bateaux", "bateau"),
    ("as declarações", "declaracao"),
    ("a declaração", "declaracoes"),
    ("os animais", "animal"),
    ("les journaux", "journal"),
    # the same idea in another language
    ("lavado de activos", "money laundering"),
    ("blanchiment d'argent", "lavado de dinero"),
    ("smuggling", "contrebande"),
    ("pots-de-vin", "bribery"),
    ("presentes", "regalos"),
    ("proteção de denunciantes", "whistleblower"),
    # beginnings
    ("volcanology", "volca*"),
    ("volcanology", "volcanol"),
    ("earthquakes", "earthq"),
]


@pytest.mark.parametrize(("written", "asked"), MEET)
async def test_spellings_forms_and_languages_meet(db: SqliteDatabase, written: str, asked: str) -> None:
    async with db.transaction() as tx:
        await say(tx, f"{written} {A}")
        found = await ask(tx, asked)
        assert [hit.full for hit in found.hits] == [True]
        assert found.corrected == {}


@pytest.mark.parametrize(("written", "asked"), [("volcano", "lava"), ("vol", "volcano")])
async def test_what_has_none_of_it_is_not_found(db: SqliteDatabase, written: str, asked: str) -> None:
    async with db.transaction() as tx:
        await say(tx, f"{written} {A}")
        assert (await ask(tx, asked)).hits == []


async def test_a_form_of_a_word_counts_less_than_the_word(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"universidad {A}", event="$1")
        await say(tx, f"universo {B}", event="$2")
        assert (await urls(tx, "universo"))[0] == B
        assert (await urls(tx, "universidad"))[0] == A


async def test_a_form_that_is_known_is_not_taken_for_a_slip(db: SqliteDatabase) -> None:
    """`reports` is found as `reporting`, though `resorts` is only one letter away."""
    async with db.transaction() as tx:
        await say(tx, f"reporting {A}", event="$1")
        await say(tx, f"resorts {B}", event="$2")
        found = await ask(tx, "reports")
        assert found.corrected == {}
        assert await urls(tx, "reports") == [A]


@pytest.mark.parametrize(
    ("wrong", "right"), [("volacno", "volcano"), ("earthquke", "earthquake"), ("vollcano", "volcano")]
)
async def test_a_slip_is_put_right_and_told(db: SqliteDatabase, wrong: str, right: str) -> None:
    async with db.transaction() as tx:
        await say(tx, f"volcano earthquake {A}", event="$1")
        await say(tx, f"something else {B}", event="$2")
        found = await ask(tx, wrong)
        assert found.corrected == {wrong: right}
        assert await urls(tx, wrong) == [A]
        assert await urls(tx, f"else {wrong}") == []


async def test_a_slip_in_a_word_of_another_language_finds_the_idea(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"smuggling {A}")
        assert await urls(tx, "contrabndo") == [A]


async def test_titles_before_words_before_addresses(db: SqliteDatabase) -> None:
    resources = [
        {"url": "https://example.org/audit", "title": "One"},
        {"url": "https://example.org/2", "title": "Two", "note": "About audit"},
        {"url": "https://example.org/3", "title": "Audit"},
        {"url": "https://example.org/4", "title": "Four", "topics": ["audit"]},
        *({"url": f"https://example.org/more/{n}", "title": f"Something else {n}"} for n in range(9)),
    ]
    hubs = [hub(resources=resources)]
    async with db.transaction() as tx:
        await recommend(tx, *hubs)
        order = [url.rpartition("/")[2] for url in await urls(tx, "audit")]
        assert order == ["3", "4", "2", "audit"]


async def test_all_words_come_before_some_words(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"volcano lava steam {A}", event="$1")
        await say(tx, f"volcano lava {B}", event="$2")
        await say(tx, f"ash {C}", event="$3")
        for number in range(9):
            await say(tx, f"something else https://example.org/{number}", event=f"$n{number}")
        found = await ask(tx, "volcano lava steam")
        assert [hit.full for hit in found.hits] == [True, False]
        assert await urls(tx, "volcano lava steam", full=False) == [A, B]


async def test_what_has_little_of_the_question_is_no_answer_but_may_be_close(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        for number in range(9):
            await say(tx, f"volcano https://example.org/{number}", event=f"${number}")
        found = await ask(tx, "volcano unicorns dragons")
        assert found.hits == []
        terms = merged_thesaurus(HUBS)
        close = await tx.run(engine.closest, await seen(tx), found.question, NOW, thesaurus=terms, limit=3)
        assert len(close) == 3


async def test_a_phrase_is_what_somebody_wrote_not_the_name_of_a_topic(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"código de conducta {A}", event="$1")
        await say(tx, f"our code of conduct {B}", event="$2")
        assert set(await urls(tx, "code of conduct")) == {A, B}
        assert await urls(tx, '"code of conduct"') == [B]


async def test_a_phrase_is_found_in_its_order_only(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"hot lava stream {A}", event="$1")
        await say(tx, f"lava, hot stream {B}", event="$2")
        assert await urls(tx, '"hot lava"') == [A]
        assert await urls(tx, '"Hot-Lava" stream') == [A]
        assert await urls(tx, '"anti-corruption"') == []


@pytest.mark.parametrize(
    ("title", "phrase"),
    [
        ("Anti-corruption policy of customs", "anti-corruption policy"),
        ("Anti-corruption policy of customs", "corruption policy"),
        ("Un rendez-vous important", "rendez-vous important"),
        ("Whistle-blower protection", "whistle-blower protection"),
    ],
)
async def test_a_phrase_is_found_across_a_hyphen(db: SqliteDatabase, title: str, phrase: str) -> None:
    async with db.transaction() as tx:
        await say(tx, f"{title} https://example.org/a")
        assert await urls(tx, f'"{phrase}"') == ["https://example.org/a"]


async def test_what_must_not_occur_does_not(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"volcano lava {A}", event="$1")
        await say(tx, f"volcano hot steam {B}", event="$2")
        assert await urls(tx, "volcano -lava") == [B]
        assert await urls(tx, 'volcano -"hot steam"') == [A]
        assert await urls(tx, "volcano -lava -steam", full=False) == []
        assert set(await urls(tx, "volcano -steamy")) == {A, B}


async def test_an_acronym_of_two_meanings_finds_both(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"Organization of American States {A}", event="$1")
        await say(tx, f"operador económico autorizado {B}", event="$2")
        await say(tx, f"AEO {C}", event="$3")
        found = await ask(tx, "OEA")
        assert len(found.hits) == 3
        assert set(found.question.units[0].concepts) == {"oas", "authorized-operator"}


async def test_filters_narrow_a_search_down(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, A, event="$1", sender="@ana:example.org", at=NOW - 300 * DAY)
        await say(tx, B, event="$2", sender="@anabel:example.org", at=NOW - 200 * DAY)
        await say(tx, C, event="$3", sender="@ana:example.com", at=NOW - 100 * DAY)
        assert await urls(tx, "from:ana") == [C, A]
        assert await urls(tx, "from:@ana:example.org") == [A]
        assert await urls(tx, "from:nobody") == []
        assert await urls(tx, "since:2019-05") == [C, B]
        assert await urls(tx, "until:2019-05-20") == [A]
        assert await urls(tx, "example from:ana since:2019-05") == [C]


@pytest.mark.parametrize(
    "filters",
    ["since:2100", "until:1950", "since:2018 until:2017", "until:1969", "since:2998-12-31", "until:2998-12-30"],
)
async def test_times_that_nothing_can_be_of_are_no_error(db: SqliteDatabase, filters: str) -> None:
    async with db.transaction() as tx:
        await say(tx, f"volcano {A}")
        assert await urls(tx, f"volcano {filters}") == ([A] if filters == "until:2998-12-30" else [])
        assert await urls(tx, filters) == ([A] if filters == "until:2998-12-30" else [])


async def test_a_share_counts_for_its_own_time_and_person(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, A, event="$1", at=NOW - 5 * YEAR)
        await say(tx, A, event="$2", sender=LUIS, at=NOW - DAY)
        for words in ("from:ana", "from:luis", "until:2016", "since:2019-06"):
            assert await urls(tx, words) == [A]
        assert await urls(tx, "since:2016 until:2018") == []


@pytest.mark.parametrize(
    ("url", "filters"),
    [
        ("https://docs.example.org/x", "site:example.org"),
        ("https://www.example.org/x", "site:example.org"),
        ("https://example.org:8443/x", "site:example.org"),
        ("HTTPS://EXAMPLE.org/x", "site:example.org"),
        ("https://example.org?x=1", "site:example.org"),
        ("https://münchen.example/x", "site:münchen.example"),
        ("https://münchen.example/x", "site:xn--mnchen-3ya.example"),
        ("https://xn--mnchen-3ya.example/x", "site:münchen.example"),
        ("https://example.org/Report.PDF", "type:pdf"),
        ("https://example.org/report.pdf?x=1", "type:.PDF"),
        ("https://example.org/table.ods", "type:excel"),
        ("https://example.org/talk.pptx", "tipo:presentación"),
    ],
)
async def test_sites_and_types_are_known_from_the_address(db: SqliteDatabase, url: str, filters: str) -> None:
    async with db.transaction() as tx:
        await say(tx, f"words {url}")
        await say(tx, "words https://badexample.org/Report.html", event="$2")
        assert await urls(tx, filters) == [url]


async def test_a_language_is_that_of_the_page(db: SqliteDatabase) -> None:
    hubs = [hub(resources=[{"url": A, "title": "Uno", "language": "es"}, {"url": B, "title": "One", "language": "en"}])]
    async with db.transaction() as tx:
        await recommend(tx, *hubs)
        assert await urls(tx, "lang:spanish") == [A]
        assert await urls(tx, "idioma:inglés") == [B]


async def test_where_nobody_says_a_language_the_address_may(db: SqliteDatabase) -> None:
    spanish, swedish = "https://example.org/es/guia", "https://sv.example.org/a"
    hubs = [hub(resources=[{"url": "https://example.org/es/manual", "title": "Manual", "language": "en"}])]
    async with db.transaction() as tx:
        await say(tx, spanish, event="$1")
        await say(tx, swedish, event="$2")  # as often El Salvador
        await say(tx, A, event="$3")
        await recommend(tx, *hubs)
        assert await urls(tx, "lang:es") == [spanish]
        assert await urls(tx, "lang:sv") == []
        assert await urls(tx, "lang:en") == ["https://example.org/es/manual"]


async def test_a_page_is_found_by_its_address_however_it_is_written(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/guide?id=1", event="$1")
        await say(tx, "https://example.org/guide?id=2", event="$2")
        for asked in ("https://example.org/guide?id=1", "<HTTPS://EXAMPLE.org/guide?id=1&utm_source=x#top>"):
            assert await urls(tx, asked) == ["https://example.org/guide?id=1"]
        assert await urls(tx, "https://example.org/other") == []
        assert await urls(tx, "https://example.org/guide?id=1", "audit") == []


async def test_a_page_of_several_hubs_is_one_result_that_of_the_own_hub_where_they_are_alike(
    db: SqliteDatabase,
) -> None:
    async with db.transaction() as tx:
        await say(tx, f"volcano {A}", event="$1", at=NOW - 5 * DAY)
        await say(tx, f"volcano {A}", event="$2", hub="audit", at=NOW - 2 * DAY)
        await say(tx, f"volcano {B}", event="$3", at=NOW - 3 * DAY)
        for words in ("volcano", "sort:new", "since:2018", A):
            found = await entries(tx, words, others=["audit"])
            assert len({entry.url for entry in found}) == len(found), words
        assert [entry.url for entry in await entries(tx, "sort:new", others=["audit"])] == [A, B]
        assert [entry.shelf.hub for entry in await entries(tx, A, others=["audit"])] == ["transparency"]
        top = await tx.run(engine.most_useful, await seen(tx, others=["audit"]), 0, 5)
        assert len(top) == 2


async def test_what_was_shared_last_comes_first_also_if_it_is_an_old_page(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        for number, url in enumerate((A, B, C)):
            await say(tx, url, event=f"${number}", at=NOW - (9 - number) * DAY)
        assert await urls(tx, "sort:new") == [C, B, A]
        await say(tx, A, event="$again", at=NOW)
        assert await urls(tx, "sort:new") == [A, C, B]
        assert await urls(tx, "example sort:new") == [A, C, B]


async def test_useful_first_where_that_is_wanted(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"volcano {A}", event="$1")
        await say(tx, f"volcano volcano {B}", event="$2")
        [*_, first] = [entry for entry in await everything(tx) if entry.url == A]
        await vote(tx, first.id, LUIS)
        assert await urls(tx, "volcano sort:useful") == [A, B]
        assert await urls(tx, "sort:useful") == [A, B]
        assert next(hit.id for hit in await tx.run(engine.most_useful, await seen(tx), 0, 5)) == first.id


async def like(tx: Transaction, url: str) -> Sequence[str]:
    [entry] = await entries(tx, url)
    text = " ".join((*entry.title.values(), *entry.topics)) or display.words(entry.url).replace("-", " ")
    hits = await tx.run(engine.similar, await seen(tx), entry.id, text, NOW, thesaurus=merged_thesaurus(HUBS))
    return [one.url for one in await tx.run(load.load, await seen(tx), [hit.id for hit in hits])]


async def test_similar_pages_speak_of_the_same_and_are_not_the_page_itself(db: SqliteDatabase) -> None:
    hubs = [
        hub(
            resources=[
                {"url": A, "title": "Money laundering in ports"},
                {"url": B, "title": "Lavado de activos: guía"},
                {"url": C, "title": "Volcanoes of Guatemala"},
                *({"url": f"https://example.org/{number}", "title": f"Something else {number}"} for number in range(9)),
            ]
        )
    ]
    async with db.transaction() as tx:
        await recommend(tx, *hubs)
        assert await like(tx, A) == [B]
        assert await like(tx, C) == []


@pytest.mark.parametrize(
    "title",
    ["Since:yesterday from:a@b topic:x topic:y", 'A "quoted" -title OR (worse', "🦄", "https://example.org/zzz"],
)
async def test_any_title_can_be_asked_what_is_like_it(db: SqliteDatabase, title: str) -> None:
    hubs = [hub(resources=[{"url": A, "title": title}])]
    async with db.transaction() as tx:
        await recommend(tx, *hubs)
        assert await like(tx, A) == []


async def test_what_has_no_title_is_compared_by_its_address(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, "https://example.org/volcano-eruptions-of-guatemala", event="$1")
        await say(tx, "https://example.com/guatemala/volcano-eruptions", event="$2")
        for number in range(9):
            await say(tx, f"https://example.net/else/{number}", event=f"$n{number}")
        assert await like(tx, "https://example.org/volcano-eruptions-of-guatemala") == [
            "https://example.com/guatemala/volcano-eruptions"
        ]


async def test_people_are_named_who_shared_on_a_topic_and_agreed(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, f"#gifts {A}", event="$1")
        await say(tx, f"#gifts {B}", event="$2", sender=LUIS)
        await say(tx, f"#gifts {C}", event="$3", sender="@eva:example.org", hub="audit")
        for user in (ANA, "@eva:example.org"):
            await tx.run(privacy.choose, user, askable=True)
        assert await tx.run(engine.askable, await seen(tx), ["gifts"]) == [ANA]
        assert await tx.run(engine.askable, await seen(tx), ["audit"]) == []
        assert await tx.run(engine.askable, await seen(tx, others=["audit"]), ["gifts"]) == [ANA, "@eva:example.org"]
        await tx.run(privacy.choose, ANA, askable=False)
        assert await tx.run(engine.askable, await seen(tx), ["gifts"]) == []


async def test_the_best_are_found_among_hundreds_though_they_are_old(db: SqliteDatabase) -> None:
    """Of many matches the newest are weighed, and those in titles and those people recommend in any case."""
    resources: list[dict[str, Any]] = [  # Any: YAML
        {"url": "https://example.org/titled", "title": "Volcano"},
        {"url": "https://example.org/recommended", "title": "Mountains", "note": "volcano"},
    ]
    hubs = [hub(resources=resources)]
    rules = Rules(hubs)
    async with db.transaction() as tx:
        await say(tx, "volcano https://example.org/liked", event="$liked", rules=rules)
        await recommend(tx, *hubs)
        [liked] = [entry for entry in await everything(tx) if entry.url.endswith("liked")]
        for number in range(8):
            await vote(tx, liked.id, f"@u{number}:example.org")
        for number in range(3 * POOL):
            await say(tx, f"volcano and other things https://example.org/{number}", event=f"${number}", rules=rules)
        found = await urls(tx, "volcano")
        assert found[0] == "https://example.org/titled"
        assert {"https://example.org/recommended", "https://example.org/liked"} <= set(found[:10])
        assert (await urls(tx, "volcano sort:useful"))[0] == "https://example.org/liked"
        assert (await urls(tx, "sort:useful"))[0] == "https://example.org/liked"
        await say(tx, "volcano https://example.org/liked", event="$again", at=NOW, rules=rules)
        for words in ("volcano sort:new", "sort:new", "from:ana", "from:ana sort:new", "site:example.org"):
            assert (await urls(tx, words))[0] == "https://example.org/liked", words


@pytest.mark.parametrize("sort", ["", " sort:useful"])
@pytest.mark.parametrize("own", ["transparency", "audit"])
async def test_of_two_that_are_equally_good_that_of_the_own_hub_comes_first(
    db: SqliteDatabase, own: str, sort: str
) -> None:
    other = "audit" if own == "transparency" else "transparency"
    async with db.transaction() as tx:
        await say(tx, f"volcano {A}", event="$1", hub=own, at=NOW - 3 * DAY)
        await say(tx, f"volcano {B}", event="$2", hub=other, at=NOW - 2 * DAY)
        await say(tx, f"volcano {A}", event="$3", hub=other, at=NOW - DAY)
        found = await entries(tx, f"volcano{sort}", own, others=[other])
        assert [(entry.url, entry.shelf.hub) for entry in found] == [(A, own), (B, other)]
        await say(tx, f"volcano volcano {B} #volcano", event="$4", hub=other, at=NOW)
        found = await entries(tx, f"volcano{sort}", own, others=[other])
        assert [entry.url for entry in found] == [B, A]


async def test_of_what_is_equally_useful_that_of_the_own_hub_comes_first(db: SqliteDatabase) -> None:
    async with db.transaction() as tx:
        await say(tx, A, event="$1", at=NOW - 2 * DAY)
        await say(tx, B, event="$2", hub="audit", at=NOW - DAY)
        scope = await seen(tx, others=["audit"])
        top = await tx.run(load.load, scope, [hit.id for hit in await tx.run(engine.most_useful, scope, 0, 5)])
        assert [entry.url for entry in top] == [A, B]
