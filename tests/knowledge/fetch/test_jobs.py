"""Pages are asked for their titles where a hub wants that, and only there; what they say goes with what was shared."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.api import Context, Plugin, Reply, Settings, command
from bot.core.events import Batch, Redaction, RoomUpdate
from bot.runtime.directory import Directory
from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from plugins.knowledge.fetch.facts import Facts, FetchError, Reason
from plugins.knowledge.settings import KnowledgeSettings
from tests.knowledge.asked import DAY, FACTS, GUIDE, HOUR, MODERATOR, WANTING, FakeWeb, asking, reconfigure, states
from tests.knowledge.fetch.site import page, running, to
from tests.knowledge.hubs import hub

ANA, LUIS = "@ana:example.org", "@luis:example.net"


@pytest.fixture
def web() -> FakeWeb:
    """A web of one page, not the one of the other tests in this folder."""
    return FakeWeb({GUIDE: FACTS})


@pytest.fixture
async def told(web: FakeWeb) -> AsyncIterator[Story]:
    async with story([asking(web)], [WANTING]) as s:
        yield s


async def test_a_shared_page_is_found_by_its_own_title_and_description_and_shown_with_them(told: Story) -> None:
    await told.say(ANA, f"for new colleagues {GUIDE}")
    found = str(await told.say(LUIS, "!find hospitality"))
    assert found.startswith("1. Hospitality and presents (https://example.org/guide)\nexample.org · Spanish")
    assert "“What officers may accept at the border.”" in str(await told.say(LUIS, "!find officers"))
    shown = str(await told.say(LUIS, "!show 1"))
    assert "The page says: Example Customs · Eva Ríos · 1 Mar 2026" in shown
    assert "What officers may accept at the border." in shown


async def test_unless_a_hub_wants_it_nothing_is_ever_asked_of_the_network(web: FakeWeb) -> None:
    async with story([asking(web)], [hub(resources=[{"url": GUIDE, "title": "A"}])]) as s:
        await s.say(ANA, f"see {GUIDE}")
        await s.say(ANA, f"!share {GUIDE} it helps")
        await s.pipeline.refresh()
        for _ in range(10):
            await s.advance(DAY)
        assert web.asked == []
        assert await states(s) == []


async def test_what_another_hub_shares_is_not_asked(web: FakeWeb) -> None:
    async with story([asking(web)], [WANTING, hub("audit")]) as s:
        await s.say(ANA, f"see {GUIDE}", room="!audit:example.org")
        await s.advance(DAY)
        assert web.asked == []


async def test_what_a_page_said_to_one_hub_is_not_known_in_another(web: FakeWeb) -> None:
    async with story([asking(web)], [WANTING, hub("audit")]) as s:
        for room in ("!transparency:example.org", "!audit:example.org"):
            await s.say(ANA, f"see {GUIDE}", room=room)
        assert "Nothing found" in str(await s.say(LUIS, "!find hospitality", room="!audit:example.org"))
        assert "Customs" not in str(await s.say(LUIS, "!show 1", room="!audit:example.org"))


async def test_what_is_hidden_is_not_asked_again(told: Story, web: FakeWeb) -> None:
    web.pages[GUIDE] = FetchError(Reason.TIMEOUT)
    await told.say(ANA, f"see {GUIDE}")
    await told.say(MODERATOR, "!hide 1")
    await told.advance(DAY)
    assert len(web.asked) == 1
    await told.say(MODERATOR, "!hide 1")
    await told.pipeline.refresh()
    await told.settle()
    assert len(web.asked) == 2


async def test_a_page_is_asked_once_however_often_it_is_shared(told: Story, web: FakeWeb) -> None:
    await told.say(ANA, f"see {GUIDE}")
    await told.say(LUIS, f"again {GUIDE}?utm_source=chat")
    await told.advance(DAY)
    assert web.asked == [GUIDE]


class Asking(Plugin[Settings]):
    """Says what members are told at the end of `!help`."""

    name = "asking"

    @command("disclosed", help="Show it.")
    async def disclosed_here(self, ctx: Context) -> Reply:
        return Reply("\n".join(ctx.privacy_notices()) or "nothing")


@pytest.mark.parametrize(
    ("keys", "language", "told"),
    [
        ([], "en", ["nothing"]),
        (
            ["fetch", "check_links"],
            "en",
            [
                "I fetch the title, author and date of shared pages; their sites can see these requests.",
                "Once a week I check whether shared pages are still online.",
            ],
        ),
        (
            ["fetch"],
            "es",
            [
                (
                    "Consulto el título, el autor y la fecha de las páginas compartidas; "
                    "sus sitios pueden ver esas consultas."
                ),
            ],
        ),
        (["check_links"], "pt", ["Uma vez por semana verifico se as páginas compartilhadas continuam no ar."]),
    ],
)
async def test_members_are_told_that_pages_are_asked_only_where_they_are(
    keys: list[str], language: str, told: list[str]
) -> None:
    chosen: dict[str, Any] = {"fetch": "titles", "check_links": True}  # Any: keys of a hub
    asked = hub(languages=[language], **{key: chosen[key] for key in keys})
    async with story([Knowledge, Asking], [asked]) as s:
        assert str(await s.say(ANA, "!disclosed")).splitlines() == told


async def test_what_is_shared_by_command_is_fetched_too(told: Story, web: FakeWeb) -> None:
    await told.say(ANA, f"!share {GUIDE} it helps")
    assert web.asked == [GUIDE]


@pytest.mark.parametrize(
    "url",
    ["https://example.org/x?token=abcdef", "https://example.org/x?X-Amz-Signature=abcdef", "http://example.org/?sig=a"],
)
async def test_addresses_that_open_a_door_are_not_asked(told: Story, web: FakeWeb, url: str) -> None:
    await told.say(ANA, f"see {url}")
    await told.advance(DAY)
    assert web.asked == []
    assert await states(told) == []


async def test_failures_are_tried_again_after_an_hour_a_day_a_week_and_then_never(told: Story, web: FakeWeb) -> None:
    web.pages[GUIDE] = FetchError(Reason.UNAVAILABLE)
    await told.say(ANA, f"see {GUIDE}")
    start = told.clock.now()
    assert await states(told) == [(GUIDE, "unavailable", 1, start + HOUR)]
    await told.advance(HOUR - 1)
    assert len(web.asked) == 1
    await told.advance(1)
    assert await states(told) == [(GUIDE, "unavailable", 2, start + HOUR + DAY)]
    await told.advance(DAY)
    await told.advance(7 * DAY)
    assert await states(told) == [(GUIDE, "unavailable", 4, None)]
    for _ in range(10):
        await told.advance(7 * DAY)
        await told.pipeline.refresh()
        await told.settle()
    assert len(web.asked) == 4
    assert "1. guide" in str(await told.say(LUIS, "!find guide"))


async def test_a_page_that_answers_at_last_is_kept(told: Story, web: FakeWeb) -> None:
    web.pages[GUIDE] = FetchError(Reason.TIMEOUT)
    await told.say(ANA, f"see {GUIDE}")
    web.pages[GUIDE] = FACTS
    await told.advance(HOUR)
    assert "Hospitality" in str(await told.say(LUIS, "!find presents"))
    assert await states(told) == [(GUIDE, "ok", 2, None)]


async def test_what_will_never_answer_is_asked_once(told: Story, web: FakeWeb) -> None:
    web.pages[GUIDE] = FetchError(Reason.ROBOTS, permanent=True)
    await told.say(ANA, f"see {GUIDE}")
    await told.advance(30 * DAY)
    assert web.asked == [GUIDE]
    assert await states(told) == [(GUIDE, "robots", 1, None)]


async def test_a_share_that_is_redacted_while_its_page_is_fetched_leaves_nothing(told: Story, web: FakeWeb) -> None:
    message = told.message(ANA, f"see {GUIDE}")

    async def redacted() -> None:
        gone = Redaction(message.room, "$gone", ANA, told.clock.now(), message.event_id)
        await told.pipeline.handle(Batch("gone", (RoomUpdate(message.room, events=(gone,)),)))

    web.meanwhile = redacted
    await told.hear(message)
    assert web.asked == [GUIDE]
    for table in ("knowledge_facts", "knowledge_entries", "knowledge_entry_words"):
        assert await told.db.reading().value(f"SELECT count(*) FROM {table}") == 0  # noqa: S608 - names of tables


async def test_a_redaction_takes_what_the_page_said_with_it(told: Story) -> None:
    message = told.message(ANA, f"see {GUIDE}")
    await told.hear(message)
    await told.redact(message)
    assert "Nothing found" in str(await told.say(LUIS, "!find hospitality"))
    assert await states(told) == []


async def test_an_address_nobody_says_any_more_is_forgotten_and_the_other_one_asked(told: Story, web: FakeWeb) -> None:
    """How somebody wrote an address is theirs, though others shared the same page."""
    posted = f"{GUIDE}?utm_campaign=letter-to-ana"
    web.pages[posted] = FACTS
    first = told.message(ANA, f"see {posted}")
    await told.hear(first)
    await told.say(LUIS, f"see {GUIDE}")
    assert [url for url, *_ in await states(told)] == [posted]
    await told.redact(first)
    assert [(url, state) for url, state, *_ in await states(told)] == [(GUIDE, "ok")]
    assert "Hospitality" in str(await told.say(LUIS, "!find officers"))


async def test_a_hub_that_turns_it_off_meanwhile_keeps_nothing(told: Story, web: FakeWeb) -> None:
    async def turned_off() -> None:
        told.services.directory = Directory([hub()])

    web.meanwhile = turned_off
    await told.say(ANA, f"see {GUIDE}")
    assert web.asked == [GUIDE]
    assert [state for _, state, *_ in await states(told)] == ["waiting"]
    await reconfigure(told, hub())
    assert await states(told) == []


async def test_turning_it_off_takes_what_pages_said_out_of_the_index(told: Story, web: FakeWeb) -> None:
    await told.say(ANA, f"see {GUIDE}")
    assert "Hospitality" in str(await told.say(LUIS, "!find hospitality"))
    await reconfigure(told, hub())
    assert "Nothing found" in str(await told.say(LUIS, "!find hospitality"))
    assert "1. guide" in str(await told.say(LUIS, "!find guide"))
    assert await states(told) == []
    await told.advance(DAY)
    assert len(web.asked) == 1


async def test_turning_it_on_asks_what_is_there_gently_and_the_newest_first(web: FakeWeb) -> None:
    async with story([asking(web)], [hub()]) as s:
        for number in range(7):
            await s.say(ANA, f"see https://example.org/{number}")
        await reconfigure(s, WANTING)
        assert sorted(web.asked) == [f"https://example.org/{number}" for number in (3, 4, 5, 6)]
        await s.advance(1_000)
        assert len(web.asked) == 7


async def test_recommended_pages_are_asked_too_but_keep_the_title_their_moderators_gave(web: FakeWeb) -> None:
    async with story([asking(web)], [hub(fetch="titles", resources=[{"url": GUIDE, "title": "Start here"}])]) as s:
        await s.settle()
        assert web.asked == [GUIDE]
        assert "1. Start here" in str(await s.say(LUIS, "!find hospitality"))


class CrashError(BaseException):
    """The process ends here."""


async def test_a_crash_between_fetching_and_storing_fetches_again(tmp_path: Path) -> None:
    class Crashing(FakeWeb):
        async def facts(self, url: str) -> Facts:
            await super().facts(url)
            raise CrashError

    crashing, web = Crashing({GUIDE: FACTS}), FakeWeb({GUIDE: FACTS})
    async with story([asking(crashing)], [WANTING], database=tmp_path / "faro.db") as s:
        with pytest.raises(BaseExceptionGroup):
            await s.say(ANA, f"see {GUIDE}")
        assert crashing.asked == [GUIDE]
    async with story([asking(web)], [WANTING], database=tmp_path / "faro.db") as s:
        await s.settle()
        assert web.asked == [GUIDE]
        assert "Hospitality" in str(await s.say(LUIS, "!find hospitality"))


# -- what operators allow ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fetch", "url"),
    [
        ({"deny": ["intranet.example.org"]}, "https://wiki.intranet.example.org/a"),
        ({"allow": ["wcoomd.org"]}, "https://example.org/a"),
        ({"ports": [443]}, "http://example.org/a"),
    ],
)
async def test_what_the_operator_leaves_out_is_not_asked(fetch: dict[str, Any], url: str) -> None:
    settings = KnowledgeSettings.model_validate({"fetch": fetch})
    async with story([Knowledge], [WANTING], settings={"knowledge": settings}) as s:
        await s.say(ANA, f"see {url}")
        assert await states(s) == [(url, "blocked", 1, None)]


# -- over a real network ----------------------------------------------------------------------------------------------


async def test_from_the_room_over_the_network_and_back() -> None:
    async with running() as net, story([asking(net.fetcher())], [WANTING]) as s:
        net.public.pages["/old"] = to(net.url("/policy"))
        net.public.pages["/policy"] = page(
            '<html lang="fr"><title>Politique des cadeaux</title><meta name="description" content="Qui peut accepter">'
        )
        net.public.pages["/steals"] = to(net.url("/secret", "inner.example.org"))
        net.inner.pages["/secret"] = page("<title>Not for you</title>")
        await s.say(ANA, f"see {net.url('/old')} and {net.url('/steals')} and {net.url('/gone')}")
        assert "Politique des cadeaux" in str(await s.say(LUIS, "!find cadeaux"))
        assert "accepter" in str(await s.say(LUIS, "!show 1"))
        kept = [(state, tries) for _, state, tries, _ in await states(s)]
        assert kept == [("ok", 1), ("blocked", 1), ("not-found", 1)]
        assert net.inner.asked == []
        assert await s.db.reading().value("SELECT final_url FROM knowledge_facts WHERE state = 'ok'") == net.url(
            "/policy"
        )
