"""People choose the language they are answered in, and can have everything about them erased."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.api import Context, Hub, Plugin, Reply, Room, Settings, Transaction, command
from bot.testing.story import Story, story
from plugins.people import People

ANA, BEN = "@ana:example.org", "@ben:example.org"


class Memory(Plugin[Settings]):
    """Holds something about people."""

    name = "memory"
    forgotten: list[str]

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.forgotten = FORGOTTEN

    @command("tongue", help="Tell the language the asker is answered in.")
    async def tongue(self, ctx: Context) -> Reply:
        return Reply(ctx.language)

    async def forget(self, db: Transaction, user_id: str) -> None:
        self.forgotten.append(user_id)


FORGOTTEN: list[str] = []


@pytest.fixture
async def s() -> AsyncIterator[Story]:
    FORGOTTEN.clear()
    hub = Hub(id="integrity", title={"": "Integrity"}, languages=("fr", "en"), rooms=(Room(id="!integrity:x"),))
    async with story([Memory, People], [hub]) as told:
        yield told


async def test_a_choice_is_remembered_for_the_person_who_made_it(s: Story) -> None:
    await s.say(ANA, "!language en")
    assert await s.say(ANA, "!tongue") == "en"
    assert await s.say(BEN, "!tongue") == "fr"


async def test_the_answer_is_in_the_language_just_chosen(s: Story) -> None:
    assert await s.say(ANA, "!langue en") == "From now on, I'll answer you in English."
    assert "español" in (await s.say(ANA, "!language es") or "")
    assert "English" not in (await s.say(ANA, "!idioma pt") or "")


@pytest.mark.parametrize("called", ["es", "ES", "Spanish", "español", "Espagnol", "  espanhol "])
async def test_a_language_may_be_called_by_its_name(s: Story, called: str) -> None:
    await s.say(ANA, f"!language {called}")
    assert await s.say(ANA, "!tongue") == "es"


async def test_auto_goes_back_to_the_language_of_the_hub(s: Story) -> None:
    await s.say(ANA, "!language en")
    assert "français" in (await s.say(ANA, "!language auto") or "")
    assert await s.say(ANA, "!tongue") == "fr"


async def test_without_an_argument_the_choices_are_shown(s: Story) -> None:
    await s.say(ANA, "!language en")
    assert await s.say(ANA, "!language") == (
        "I answer you in English. To change the language, write:\n"
        "- !language en: English\n"
        "- !language es: español\n"
        "- !language fr: français\n"
        "- !language pt: português\n"
        "- !language auto: the language of the hub"
    )


async def test_a_language_it_does_not_speak_changes_nothing(s: Story) -> None:
    await s.say(ANA, "!language en")
    answer = await s.say(ANA, "!language *klingon*")
    assert answer
    assert answer.startswith("I don't speak “*klingon*”.\n\nI answer you in English.")
    assert await s.say(ANA, "!tongue") == "en"


@pytest.mark.parametrize("asked", ["!forget", "!forget me", "!oublier mes données"])
async def test_before_anything_is_erased_it_is_said_what(s: Story, asked: str) -> None:
    await s.say(ANA, "!language en")
    answer = await s.say(ANA, asked)
    assert answer
    assert "This will be erased in all hubs:\n- the links you shared" in answer
    assert answer.endswith("This cannot be undone. To confirm, write !forget me yes.")
    assert FORGOTTEN == []


@pytest.mark.parametrize(
    "asked", ["!forget me yes", "!forget YES", "!olvidar mis datos sí", "!esquecer meus dados sim"]
)
async def test_once_confirmed_everything_about_the_asker_is_erased(s: Story, asked: str) -> None:
    await s.say(ANA, "!language en")
    await s.say(BEN, "!language en")
    assert await s.say(ANA, asked) == "Done. Your data has been erased."
    assert FORGOTTEN == [ANA]
    assert await s.say(ANA, "!tongue") == "fr"
    assert await s.say(BEN, "!tongue") == "en"


@pytest.mark.parametrize("language", ["en", "es", "fr", "pt"])
async def test_the_confirmation_works_as_it_is_shown_in_every_language(s: Story, language: str) -> None:
    await s.say(ANA, f"!language {language}")
    answer = await s.say(ANA, "!forget me")
    assert answer
    await s.say(ANA, "!" + answer.rpartition("!")[2].rstrip(".»“”"))
    assert FORGOTTEN == [ANA]


@pytest.mark.parametrize("asked", ["!forget @ben:example.org", "!forget @ben:example.org yes", "!forget the meeting"])
async def test_nobody_can_have_others_forgotten(s: Story, asked: str) -> None:
    await s.say(ANA, "!language en")
    answer = await s.say(ANA, asked)
    assert answer == "I can only erase your own data, not data about other people or things."
    assert FORGOTTEN == []


async def test_a_stranger_may_choose_a_language_in_a_direct_chat(s: Story) -> None:
    room = await s.direct(ANA)
    await s.say(ANA, "language pt", room=room)
    assert "português" in (await s.say(ANA, "language", room=room) or "")
    assert "English" in (await s.say(ANA, "language auto", room=room) or "")
