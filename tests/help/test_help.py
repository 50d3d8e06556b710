"""`!help` shows what the asker can do here, in their language, and what the bot is not for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from bot.api import Context, Hub, Localized, Plugin, Reply, Role, Room, Settings, Text, command
from bot.storage import people
from bot.testing.story import Story, story
from plugins.help import Help, HelpHub
from plugins.people import People

ANA = "@ana:example.org"


class HubWithHelp(Hub, HelpHub):
    """As the configuration mixes it."""


class Library(Plugin[Settings]):
    name = "library"

    @command("lend", help="Borrow a *book*.", aliases={"es": "prestar", "pt": "emprestar"}, examples=("lend Emma",))
    async def lend(self, ctx: Context, *, title: str, until: str | None = None) -> Reply:
        raise NotImplementedError

    @classmethod
    def privacy_notices(cls, hub: Hub, *, encrypted: bool) -> Sequence[Text]:
        return [Text("I count who borrows in {hub}.", hub=hub.id)] if hub.id == "reading" else ()

    @command("donate", help="Give a book.", aliases={"es": "regalar"}, rooms_only=True)
    async def donate(self, ctx: Context) -> Reply:
        return Reply("Thank you.")

    @command("stock", help="Count all books.", role=Role.MODERATOR)
    async def stock(self, ctx: Context) -> Reply:
        raise NotImplementedError


def a_hub(*languages: str, channels: Localized | None = None, name: str = "integrity") -> Hub:
    return HubWithHelp.model_validate(
        {
            "id": name,
            "title": name.title(),
            "languages": languages or ("en",),
            "rooms": [Room(id=f"!{name}:x")],
            "official_channels": channels,
        }
    )


@pytest.fixture
async def s() -> AsyncIterator[Story]:
    async with story(
        [Help, Library, People], [a_hub(channels={"": "Write to [the office](https://example.org/report)."})]
    ) as told:
        yield told


async def test_help_lists_what_the_asker_may_use_here(s: Story) -> None:
    answer = await s.say(ANA, "!help")
    assert answer
    assert "\n- !help: Show what I can do here, or how to use a command.\n" in answer
    assert "\n- !lend: Borrow a book.\n" in answer
    assert "!stock" not in answer
    assert "To read more about a command, write for example !help language." in answer


class Desk(Plugin[Settings]):
    """Many commands, of which most people need a few."""

    name = "desk"

    @command("find", help="Find a book.", aliases={"es": "buscar"})
    async def find(self, ctx: Context) -> Reply:
        raise NotImplementedError

    @command("topics", help="Show the shelves.", aliases={"es": "temas"})
    async def topics(self, ctx: Context) -> Reply:
        raise NotImplementedError

    @command("show", help="Show a book.", aliases={"es": "ver"})
    async def show(self, ctx: Context) -> Reply:
        raise NotImplementedError


def rarely(name: str, spanish: str) -> type[Plugin[Settings]]:
    class Rare(Plugin[Settings]):
        @command(name, help=f"What {name} does.", aliases={"es": spanish})
        async def do(self, ctx: Context) -> Reply:
            raise NotImplementedError

    Rare.name = name
    return Rare


MANY: Sequence[type[Plugin[Any]]] = [
    Help,
    Desk,
    *(rarely(f"rare{letter}", f"raro{9 - place}") for place, letter in enumerate("abcdefghij")),
]


async def test_of_many_commands_help_explains_the_most_used_first_and_names_the_others() -> None:
    async with story(MANY, [a_hub()]) as s:
        answer = str(await s.say(ANA, "!help")).split("\n\n")
        assert answer[:3] == [
            "Commands you can use here:\n- !find: Find a book.\n- !show: Show a book.\n- !topics: Show the shelves.",
            (
                f"More commands: {', '.join(f'!rare{letter}' for letter in 'abcdefghij')}. "
                "To read about them, write !help all."
            ),
            "To read more about a command, write for example !help find.",
        ]
        every = str(await s.say(ANA, "!help all")).split("\n\n")
        lines = every[0].splitlines()
        assert lines[:6] == [
            *answer[0].splitlines(),
            "- !help: Show what I can do here, or how to use a command.",
            "- !rarea: What rarea does.",
        ]
        assert len(lines) == 15
        assert every[1:] == answer[2:]


async def test_others_are_named_in_the_order_of_the_askers_words() -> None:
    async with story(MANY, [a_hub("es")]) as s:
        answer = str(await s.say(ANA, "!ayuda"))
        assert answer.index("- !buscar") < answer.index("- !ver") < answer.index("- !temas")
        assert ", ".join(f"!raro{number}" for number in range(10)) in answer
        for word in ("all", "todo", "Tout", "tudo"):
            assert "- !raro9: " in str(await s.say(ANA, f"!ayuda {word}"))


async def test_help_ends_with_what_the_bot_is_not_for_and_what_it_stores(s: Story) -> None:
    answer = await s.say(ANA, "!help")
    assert answer
    assert answer.splitlines()[-1] == (
        "I am not a channel for reporting wrongdoing. Write to the office (https://example.org/report). "
        "I store the links shared in hub rooms and what you enter by command; I do not store your "
        "conversations. To erase your data, write !forget."
    )


async def test_help_ends_with_what_plugins_do_that_members_of_this_hub_should_know() -> None:
    async with story([Help, Library], [a_hub(), a_hub(name="reading")]) as told:
        await told.join(ANA, "!integrity:x")
        await told.join(ANA, "!reading:x")
        direct = await told.direct(ANA)
        known = "I count who borrows in reading."
        for room, is_told in (("!integrity:x", False), ("!reading:x", True), (direct, True)):
            answer = str(await told.say(ANA, "!help", room=room))
            assert answer.splitlines()[-1].count(known) == int(is_told)


async def test_without_words_of_its_own_a_hub_points_to_the_official_channels() -> None:
    async with story([Help], [a_hub()]) as s:
        assert "Please use your organisation's official channels." in (await s.say(ANA, "!help") or "")


async def test_what_a_yaml_file_says_notifies_nobody_and_turns_no_text_round() -> None:
    hub = a_hub(channels={"": "Call @room \u202e1900\n- or write"})
    async with story([Help], [hub]) as s:
        answer = await s.say(ANA, "!help") or ""
        assert "@room" not in answer
        assert "\u202e" not in answer
        assert "1900" in answer


async def test_official_channels_end_like_a_sentence() -> None:
    async with story([Help], [a_hub(channels={"": "Call 1900"})]) as s:
        assert "Call 1900. I store" in (await s.say(ANA, "!help") or "")


async def test_help_speaks_the_language_of_the_hub() -> None:
    async with story([Help, Library], [a_hub("es", channels={"en": "Call.", "es": "Llame a la oficina."})]) as s:
        answer = await s.say(ANA, "!ayuda")
        assert answer
        assert "\n- !prestar: " in answer
        assert "Llame a la oficina." in answer
        assert "!ayuda prestar" in answer


async def test_official_channels_that_lack_the_askers_language_are_in_the_hubs_first() -> None:
    channels: Localized = {"en": "Call.", "es": "Llame a la oficina."}
    async with story([Help], [a_hub("es", "en", channels=channels)]) as s:
        async with s.db.transaction() as tx:
            await people.set_language(tx, ANA, "fr")
        assert "Llame a la oficina." in str(await s.say(ANA, "!help"))


@pytest.mark.parametrize("asked", ["!help lend", "!help !lend", "!help PRESTAR", "!ayuda emprestar now please"])
async def test_help_about_one_command_shows_how_to_write_it(s: Story, asked: str) -> None:
    assert await s.say(ANA, asked) == (
        "!lend <title> [until:…]\nBorrow a book.\n\nExample:\n- !lend Emma\n\nIn other languages: !prestar, !emprestar"
    )


async def test_a_word_that_is_no_command_gets_the_nearest_one(s: Story) -> None:
    assert await s.say(ANA, "!help lnd") == "There is no command “lnd” here. Did you mean !lend?"
    assert await s.say(ANA, "!help prestr") == "There is no command “prestr” here."  # not a word ANA reads
    assert await s.say(ANA, "!help **xyzzy**") == "There is no command “**xyzzy**” here."


async def test_help_about_a_command_for_others_is_not_given(s: Story) -> None:
    assert "Count" not in (await s.say(ANA, "!help stock") or "")


async def test_in_a_direct_chat_commands_for_rooms_are_named_apart_and_refused(s: Story) -> None:
    await s.join(ANA, "!integrity:x")
    direct = await s.direct(ANA)
    for asked in ("help", "help all"):
        answer = str(await s.say(ANA, asked, room=direct))
        assert ("- !donate" in answer, "\n\nAlso available in your hub's rooms: !donate.\n\n" in answer) == (
            False,
            True,
        )
    assert (
        await s.say(ANA, "donate", room=direct)
        == "Use that command in a room of the hub, so that the others can see it."
    )
    assert "Did you mean" not in str(await s.say(ANA, "donat", room=direct))


async def test_in_a_room_commands_for_rooms_are_commands_like_others(s: Story) -> None:
    answer = str(await s.say(ANA, "!help"))
    assert ("\n- !donate: Give a book.\n" in answer, "In the rooms of your hub" in answer) == (True, False)
    assert await s.say(ANA, "!donate") == "Thank you."


async def test_a_stranger_in_a_direct_chat_is_helped_too(s: Story) -> None:
    """Without a hub there is less to do, and the official channels are not known."""
    answer = await s.say(ANA, "help", room=await s.direct(ANA))
    assert answer
    assert "!lend" not in answer
    assert "Please use your organisation's official channels." in answer
