"""What pages say of other addresses is proposed; what joined versions say of themselves is found together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.testing.story import Story, story
from plugins.knowledge.fetch.facts import Facts, FetchError, Reason
from tests.knowledge.asked import GUIDE, MODERATOR, WANTING, FakeWeb, asking, reconfigure, states
from tests.knowledge.hubs import hub

ANA, LUIS = "@ana:example.org", "@luis:example.net"


@pytest.fixture
async def told(web: FakeWeb) -> AsyncIterator[Story]:
    async with story([asking(web)], [WANTING]) as s:
        yield s


async def alike(s: Story) -> str:
    return str(await s.say(MODERATOR, "!alike"))


@pytest.mark.parametrize(
    "facts",
    [
        Facts("https://example.org/gift-policy", "html"),
        Facts("https://example.org/node/12", "html", canonical="https://example.org/gift-policy"),
    ],
    ids=["redirect", "canonical"],
)
async def test_what_a_page_says_it_is_is_proposed_and_not_done(told: Story, web: FakeWeb, facts: Facts) -> None:
    web.pages["https://example.org/node/12"] = facts
    await told.say(ANA, "see https://example.org/node/12")
    await told.say(ANA, "see https://example.org/gift-policy")
    assert "!merge 1 2 · one page names the other as its own address" in await alike(told)
    assert await told.db.reading().value("SELECT count(*) FROM knowledge_entries") == 2


@pytest.mark.parametrize("canonical", ["https://evil.example/gift-policy", "https://example.org/"])
async def test_another_site_or_a_home_page_is_not_proposed(told: Story, web: FakeWeb, canonical: str) -> None:
    web.pages["https://example.org/node/12"] = Facts("https://example.org/node/12", "html", canonical=canonical)
    await told.say(ANA, f"see https://example.org/node/12 {canonical}")
    assert "No duplicates" in await alike(told)


async def test_versions_in_other_languages_are_proposed_where_both_are_there(told: Story, web: FakeWeb) -> None:
    versions = {"es": "https://example.org/guia", "fr": "https://example.org/guide-fr", "de": "https://example.org/de"}
    web.pages[GUIDE] = Facts(GUIDE, "html", alternates={"en": GUIDE, **versions, "pt": "https://evil.example/guia"})
    await told.say(ANA, f"see {GUIDE}")
    assert "No duplicates" in await alike(told)
    await told.say(ANA, "see https://example.org/guia https://evil.example/guia https://example.org/de")
    answer = await alike(told)
    assert "!merge 1 2 · they may be the same page in several languages" in answer
    assert answer.count("- !merge") == 1
    kept: Any = await told.db.reading().value("SELECT versions FROM knowledge_facts WHERE url = :url", url=GUIDE)
    assert "example.org" not in kept


# -- versions of one page ---------------------------------------------------------------------------------------------

GUIA = "https://example.org/guia"
VERSIONS = {
    GUIDE: Facts(GUIDE, "html", title="Hospitality", description="What officers may accept", language="en"),
    GUIA: Facts(GUIA, "html", title="Agasajos", description="Regalos de viajeros", site="Aduana", language="es"),
}


async def found(s: Story, *questions: str) -> list[str]:
    """The numbers of the first results, `-` where nothing has all the words."""
    answers = [str(await s.say(LUIS, f"!find {words}")) for words in questions]
    return [answer.partition(".")[0] if answer[:1].isdigit() else "-" for answer in answers]


WORDS = ("hospitality", "officers", "agasajos", "viajeros", "aduana", "lang:en", "lang:es")


@pytest.mark.parametrize("undo", ["!undo", "!split 2"])
async def test_joined_versions_are_found_by_what_both_say_and_have_their_own_again_when_taken_apart(
    told: Story, web: FakeWeb, undo: str
) -> None:
    web.pages |= VERSIONS
    await told.say(ANA, f"one {GUIDE}")
    await told.say(ANA, f"two {GUIA}")
    apart = await found(told, *WORDS)
    assert apart == ["1", "1", "2", "2", "2", "1", "2"]
    await told.say(MODERATOR, "!merge 1 2")
    assert await found(told, *WORDS) == ["1"] * 7
    assert str(await told.say(LUIS, "!find hospitality")).startswith("1. Hospitality (https://example.org/guide)")
    await told.say(MODERATOR, undo)
    assert await found(told, *WORDS) == apart
    assert web.times() == {GUIDE: 1, GUIA: 1}


@pytest.mark.parametrize(("language", "title"), [("en", "Hospitality"), ("es", "Agasajos"), ("fr", "Hospitality")])
async def test_a_joined_result_has_the_title_in_the_language_of_the_room(
    web: FakeWeb, language: str, title: str
) -> None:
    web.pages |= VERSIONS
    async with story([asking(web)], [hub(fetch="titles", moderators=[MODERATOR], languages=[language])]) as s:
        await s.say(ANA, f"one {GUIDE}")
        await s.say(ANA, f"two {GUIA}")
        await s.say(MODERATOR, "!merge 1 2")
        assert f"1. {title} (" in str(await s.say(LUIS, "!recent"))


async def test_a_page_that_says_nothing_is_found_by_what_the_version_joined_to_it_says(
    told: Story, web: FakeWeb
) -> None:
    web.pages[GUIA] = VERSIONS[GUIA]
    web.pages[GUIDE] = FetchError(Reason.ROBOTS, permanent=True)
    await told.say(ANA, f"one {GUIDE}")
    await told.say(ANA, f"two {GUIA}")
    await told.say(MODERATOR, "!merge 1 2")
    assert await found(told, "agasajos", "viajeros", "lang:es") == ["1", "1", "1"]
    assert "The page says: Aduana" in str(await told.say(LUIS, "!show 1"))


async def test_a_version_that_is_shared_after_the_join_is_asked_too(told: Story, web: FakeWeb) -> None:
    web.pages |= VERSIONS
    await told.say(ANA, f"one {GUIDE}")
    two = told.message(ANA, f"two {GUIA}")
    await told.hear(two)
    await told.say(MODERATOR, "!merge 1 2")
    await told.redact(two)
    assert await found(told, "hospitality", "viajeros", "lang:es") == ["1", "-", "-"]
    assert [url for url, *_ in await states(told)] == [GUIDE]
    await told.say(ANA, f"again {GUIA}")
    assert await found(told, "hospitality", "viajeros", "lang:es") == ["1", "1", "1"]
    assert web.times() == {GUIDE: 1, GUIA: 2}


async def test_what_a_recommended_version_said_goes_when_it_is_no_longer_recommended(told: Story, web: FakeWeb) -> None:
    web.pages |= VERSIONS
    await reconfigure(told, hub(fetch="titles", moderators=[MODERATOR], resources=[{"url": GUIA, "title": "Guía"}]))
    await told.say(ANA, f"two {GUIDE}")
    await told.say(MODERATOR, "!merge 2 1 yes")
    assert await found(told, "viajeros") == ["2"]
    await reconfigure(told, WANTING)
    assert await found(told, "viajeros", "hospitality") == ["-", "2"]
    assert [url for url, *_ in await states(told)] == [GUIDE]


async def test_the_other_address_of_a_joined_result_is_shown_with_its_language(told: Story, web: FakeWeb) -> None:
    web.pages |= VERSIONS
    for url in (GUIDE, GUIA, "https://example.org/fr/guide", "https://example.org/x?token=abcdef"):
        await told.say(ANA, f"see {url}")
    assert "Other addresses" not in str(await told.say(LUIS, "!show 1"))
    for number in (2, 3, 4):
        await told.say(MODERATOR, f"!merge 1 {number}")
    shown = str(await told.say(LUIS, "!show 1"))
    lines = shown.partition("Other addresses:\n")[2].partition("\n\n")[0].splitlines()
    assert lines == [
        f"- Spanish · example.org ({GUIA})",
        "- French · example.org (https://example.org/fr/guide)",
        "- example.org (https://example.org/x?token=…)",
    ]


async def test_what_versions_said_in_one_hub_is_not_known_in_another_that_joined_them_too(web: FakeWeb) -> None:
    web.pages |= VERSIONS
    audit = "!audit:example.org"
    async with story([asking(web)], [WANTING, hub("audit", moderators=[MODERATOR])]) as s:
        for url in (GUIDE, GUIA):
            await s.say(ANA, f"see {url}")
            await s.say(ANA, f"see {url}", room=audit)
        await s.say(MODERATOR, "!merge 1 2")
        assert await found(s, "viajeros") == ["1"]
        await s.say(ANA, "!share https://example.org/third", room=audit)
        await s.say(MODERATOR, "!merge 1 3", room=audit)
        assert "Nothing found" in str(await s.say(LUIS, "!find viajeros", room=audit))
        shown = str(await s.say(LUIS, "!show 1", room=audit))
        assert "- example.org (https://example.org/third)" in shown
        assert GUIA not in shown
        assert "third" not in str(await s.say(LUIS, "!show 1"))
