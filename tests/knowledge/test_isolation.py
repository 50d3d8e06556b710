"""Whatever is shared in whichever hubs, an asker sees what their hubs hold and nothing else."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from bot.hubs import Hub
from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from tests.knowledge.hubs import hub

# Each example is a whole conversation: a failing one is shown as it is, shrinking it would take minutes.
BOUNDED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.generate])

HUBS = ("north", "south", "east")
WORDS = ("gifts", "audit", "policy", "customs", "ethics", "report")
PEOPLE = ("@ana:example.org", "@ben:example.org", "@eva:example.org")


@dataclass(frozen=True)
class Sharing:
    hub: str
    person: str
    page: int  # of few: hubs share the same pages
    word: str


@dataclass(frozen=True)
class World:
    shared: frozenset[str]  # hubs that say `visibility: shared`
    curated: dict[str, tuple[int, ...]]
    sharings: tuple[Sharing, ...]
    removed: frozenset[int]  # numbers of sharings taken back
    asked: str
    member_of: frozenset[str]  # hubs the asker is in, for the direct chat


hub_names = st.sampled_from(HUBS)
sharings = st.builds(Sharing, hub_names, st.sampled_from(PEOPLE), st.integers(0, 3), st.sampled_from(WORDS))
few_pages = st.lists(st.integers(0, 3), max_size=2, unique=True).map(tuple)
worlds = st.builds(
    World,
    shared=st.frozensets(hub_names),
    curated=st.fixed_dictionaries(dict.fromkeys(HUBS, few_pages)),
    sharings=st.lists(sharings, max_size=12).map(tuple),
    removed=st.frozensets(st.integers(0, 11), max_size=4),
    asked=st.sampled_from(WORDS),
    member_of=st.frozensets(hub_names),
)  # fmt: skip


@given(worlds)
@settings(BOUNDED, max_examples=30)
def test_no_hub_leaks_into_another(world: World) -> None:
    asyncio.run(_check(world))


async def _check(world: World) -> None:
    async with story([Knowledge], [_hub(world, name) for name in HUBS]) as told:
        await _live(told, world, HUBS)
        for name in HUBS:
            visible = {name} | (world.shared if name in world.shared else set())
            await _ask(told, world, f"!{name}:example.org", visible)
        direct = await told.direct("@asker:example.org")
        for name in world.member_of:
            await told.join("@asker:example.org", f"!{name}:example.org")
        if world.member_of:
            await _ask(told, world, direct, set(world.member_of))


def _hub(world: World, name: str) -> Hub:
    resources = [{"url": _url(page), "title": f"Page of {name}", "topics": ["gifts"]} for page in world.curated[name]]
    return hub(name, visibility="shared" if name in world.shared else "private", resources=resources)


def _url(page: int) -> str:
    return f"https://pages.example/number-{page}"


async def _live(told: Story, world: World, hubs: tuple[str, ...]) -> None:
    for number, sharing in enumerate(world.sharings):
        if sharing.hub in hubs:
            text = f"{sharing.word} {sharing.hub}word {_url(sharing.page)}?utm_source={sharing.hub}"
            message = told.message(sharing.person, text, room=f"!{sharing.hub}:example.org")
            await told.hear(message)
            if number in world.removed:
                await told.redact(message)


async def _ask(told: Story, world: World, room: str, visible: set[str]) -> None:
    """Everything the bot says there is exactly what the visible hubs hold."""
    live = [s for number, s in enumerate(world.sharings) if number not in world.removed and s.hub in visible]
    curated = {(name, page) for name in visible for page in world.curated[name]}

    expected = {(s.hub, s.page) for s in live if s.word == world.asked}
    if world.asked == "gifts":
        expected |= curated  # by their topic
    answers = await _all(told, room, f"!find {world.asked}")
    assert len(re.findall(r"pages\.example ·", answers)) == len(expected)

    everything = await _all(told, room, "!recent")
    assert len(re.findall(r"pages\.example ·", everything)) == len({(s.hub, s.page) for s in live})
    topics = str(await told.say("@asker:example.org", "!topics", room=room))
    assert f"(topic:gifts): {len(curated)} result" in topics
    nothing = str(await told.say("@asker:example.org", "!find unheardof", room=room))
    assert ("Topics with results" in nothing) == bool(curated)
    shown = [
        str(await told.say("@asker:example.org", f"!show {name}/{number}", room=room))
        for name in HUBS
        for number in range(1, 6)
    ]
    for name in set(HUBS) - visible:
        for said in (answers, everything, nothing, *(text for text in shown if "no result" not in text)):
            assert name not in said.lower()


async def _all(told: Story, room: str, question: str) -> str:
    """An answer with everything `!more` adds."""
    said = [str(await told.say("@asker:example.org", question, room=room))]
    while "!more" in said[-1] and len(said) < 9:
        said.append(str(await told.say("@asker:example.org", "!more", room=room)))
    return "\n\n".join(said)


@given(worlds)
@settings(BOUNDED, max_examples=15)
def test_a_private_hub_answers_as_if_the_others_did_not_exist(world: World) -> None:
    """Order aside: how rare a word is, is counted over the whole index."""
    assume("north" not in world.shared)

    async def said(hubs: tuple[str, ...]) -> list[str]:
        async with story([Knowledge], [_hub(world, name) for name in hubs]) as told:
            await _live(told, world, hubs)
            found = [
                await _all(told, "!north:example.org", question) for question in (f"!find {world.asked}", "!recent")
            ]
            return sorted("\n".join(found).splitlines())

    assert asyncio.run(said(HUBS)) == asyncio.run(said(("north",)))
