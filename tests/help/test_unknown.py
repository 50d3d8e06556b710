"""Words that are no command get a helpful answer: the nearest command, how to search, where not to report."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.api import Context, Hub, Plugin, Reply, Role, Room, Settings, command
from bot.testing.story import Story, story
from plugins.help import Help

ANA, BEN = "@ana:example.org", "@ben:example.org"
HALL = "!hall:example.org"
HUB = Hub(id="reading", title={"": "Reading"}, languages=("en", "es"), rooms=(Room(id=HALL),))


class Library(Plugin[Settings]):
    name = "library"

    @command("find", help="Find a book.", aliases={"es": "buscar", "fr": "chercher"})
    async def find(self, ctx: Context, *, words: str) -> Reply:
        raise NotImplementedError

    @command("echo", help="Say it again.", aliases={"es": "eco"})
    async def echo(self, ctx: Context, *, text: str) -> Reply:
        raise NotImplementedError

    @command("rule", help="For moderators.", role=Role.MODERATOR)
    async def rule(self, ctx: Context) -> Reply:
        raise NotImplementedError


@pytest.fixture
async def s() -> AsyncIterator[Story]:
    async with story([Help, Library], [HUB]) as told:
        await told.join(ANA, HALL)
        yield told


async def directly(s: Story, user: str, words: str) -> str:
    """The answer to words in a direct chat."""
    return str(await s.say(user, words, room=await s.direct(user)))


@pytest.mark.parametrize("words", ["hola", "Hello Faro!", "thank you", "Obrigada"])
async def test_greetings_and_thanks_are_answered_kindly_in_a_direct_chat(s: Story, words: str) -> None:
    assert await directly(s, ANA, words) == (
        "Happy to help! I find the links people share in their hub's rooms. Write help to see what I can do."
    )
    assert await s.say(ANA, words) is None


@pytest.mark.parametrize(
    ("user", "words", "meant"),
    [
        (ANA, "ecko hello", "echo"),
        (ANA, "ecko hello?", None),
        (ANA, "ecco hello", "echo"),
        (ANA, "ecos", None),
        (ANA, "rulr", None),
        (BEN, "ecko", None),
    ],
    ids=["a slip", "a question", "another", "another language's word", "moderators' word", "somebody of no hub"],
)
async def test_only_commands_that_the_asker_may_use_are_proposed_in_words_they_read(
    s: Story, user: str, words: str, meant: str | None
) -> None:
    answer = await directly(s, user, words)
    assert answer.startswith("I don't know “")
    assert ("Did you mean" in answer, f"Did you mean {meant}? Write help to" in answer) == (meant is not None,) * 2


async def test_in_a_room_commands_are_proposed_with_the_prefix(s: Story) -> None:
    assert await s.say(ANA, "Faro: ecko hello") == (
        "I don't know “ecko”. Did you mean !echo? Write !help to see what I can do.\n\n"
        "To find something, write !find ecko hello."
    )


async def test_the_answer_is_in_the_language_of_the_asker(s: Story) -> None:
    assert (await directly(s, ANA, "ecko")).startswith("I don't know “ecko”. Did you mean echo?")
    async with story([Help, Library], [HUB.model_copy(update={"languages": ("es",)})]) as spanish:
        await spanish.join(ANA, HALL)
        answer = await directly(spanish, ANA, "ecs")
    assert answer == (
        "No conozco «ecs». ¿Quiso decir eco? Escriba ayuda para ver lo que puedo hacer.\n\n"
        "Para buscar algo, escriba buscar ecs."
    )


@pytest.mark.parametrize("words", ["Faro", "faro:", "@faro:example.org"])
async def test_the_bots_name_alone_asks_for_help(s: Story, words: str) -> None:
    answer = await s.say(ANA, words)
    assert answer
    assert answer == await s.say(ANA, "!help")


@pytest.mark.parametrize(
    ("words", "search"),
    [
        ("gifts", "find gifts"),
        ("Where can I find something\nabout gifts?", "find Where can I find something about gifts"),
        ("fnd gifts?!", "find gifts"),
        ("Busco gifts", "find gifts"),
        ("cherche gifts", "find gifts"),
        ("¿Dónde hay gifts?", "find Dónde hay gifts"),
        ("?", "find"),
        ("field trips", "find field trips"),
        ("`gifts`", "find gifts"),
        ("gifts " * 40, "find " + "gifts " * 15 + "gifts"),
    ],
)
async def test_plain_words_are_proposed_as_a_search(s: Story, words: str, search: str) -> None:
    assert (await directly(s, ANA, words)).endswith(f"To find something, write {search}.")
    assert await s.say(ANA, words) is None


async def test_a_search_is_not_proposed_to_somebody_of_no_hub(s: Story) -> None:
    assert "find" not in await directly(s, BEN, "gifts")


@pytest.mark.parametrize(
    ("words", "warned"), [("my chief takes money at the gate", True), ("is there any guide on gifts?", False)]
)
async def test_a_long_message_in_a_direct_chat_is_answered_that_this_is_no_place_for_reports(
    s: Story, words: str, warned: bool
) -> None:
    for user in (ANA, BEN):  # BEN is in no hub
        answer = await directly(s, user, words)
        assert ("I am not a channel for reporting wrongdoing; help lists" in answer) is warned


async def test_repeated_words_call_nobody(s: Story) -> None:
    assert "@room" not in await directly(s, ANA, "@ro`om hello")
