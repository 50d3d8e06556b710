"""What encrypted rooms share stays encrypted, unless the hub opens it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from bot.core.events import Message
from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from tests.knowledge.fetch.test_jobs import Asking
from tests.knowledge.hubs import hub

ANA, BEN, MOD = "@ana:example.org", "@ben:example.org", "@mod:example.org"
PLAIN, SEALED = "!plain:example.org", "!sealed:example.org"
OTHER, OTHER_SEALED = "!other:example.org", "!other-sealed:example.org"
URL = "https://pages.example/customs-valuation-manual.html"


@asynccontextmanager
async def rooms_of_two_hubs(share: str = "hub", database: Path | None = None) -> AsyncIterator[Story]:
    rooms = [{"id": id_, "log_links": True} for id_ in (PLAIN, SEALED)]
    others = [{"id": id_, "log_links": True} for id_ in (OTHER, OTHER_SEALED)]
    hubs = [
        hub("north", rooms=rooms, visibility="shared", encrypted_rooms_share=share, moderators=[MOD]),
        hub("south", rooms=others, visibility="shared"),
    ]
    async with story([Knowledge, Asking], hubs, database=database) as s:
        for room in (SEALED, OTHER_SEALED):
            await s.encrypt(room)
        yield s


async def found_in(s: Story, question: str, rooms: Sequence[str]) -> Sequence[bool]:
    answers = []
    for room in rooms:
        asked = replace(s.message(BEN, f"!find {question}", room=room), event_id=f"$asked{next(NUMBERS)}")
        answers.append(str(await s.hear(asked)))
    return [URL in answer and not answer.startswith("Nothing found") for answer in answers]


NUMBERS = count()  # of questions, also across restarts
EVERYWHERE = (SEALED, PLAIN, OTHER, OTHER_SEALED)


@pytest.mark.parametrize(
    ("share", "by_words", "by_address"),
    [
        ("hub", [True, False, False, False], [True, False, False, False]),
        ("links", [True, False, False, False], [True, True, True, True]),
        ("words", [True, True, True, True], [True, True, True, True]),
    ],
)
async def test_the_hub_says_what_of_its_encrypted_rooms_is_found_elsewhere(
    share: str, by_words: Sequence[bool], by_address: Sequence[bool]
) -> None:
    async with rooms_of_two_hubs(share) as s:
        await s.say(ANA, f"Kingston patterns, please read: {URL}", room=SEALED)
        assert await found_in(s, "kingston", EVERYWHERE) == by_words
        assert await found_in(s, "valuation manual", EVERYWHERE) == by_address


async def test_a_mere_address_says_nothing_of_who_shared_it_and_why() -> None:
    async with rooms_of_two_hubs("links") as s:
        await s.say(ANA, f"Kingston patterns #secret: {URL}", room=SEALED)
        for question in ("!show a1", f"!find {URL}", "!recent", "!topics", "!who secret"):
            answer = str(await s.say(BEN, question, room=PLAIN)).lower()
            assert "kingston" not in answer
            assert "secret" not in answer.replace("“secret”", "")
            assert "ana" not in answer.replace("manual", "")
        assert "encrypted room" in str(await s.say(BEN, "!useful a1", room=PLAIN))


async def test_hiding_deleting_and_labelling_hold_for_the_address_too() -> None:
    async with rooms_of_two_hubs("links") as s:
        shared = s.message(ANA, f"Patterns: {URL}", room=SEALED)
        await s.hear(shared)
        for command, seen in (("!hide e1", False), ("!hide e1", True), ("!label e1 amber", False), ("!undo", True)):
            await s.say(MOD, command, room=SEALED)
            assert await found_in(s, URL, (PLAIN, OTHER)) == [seen, seen], command
        await s.redact(shared)
        assert await found_in(s, URL, EVERYWHERE) == [False] * 4
        again = s.message(ANA, f"Patterns: {URL}", room=SEALED)
        await s.hear(again)
        assert "a2" in str(await s.say(BEN, f"!find {URL}", room=PLAIN))  # a number means one page for good


async def test_a_changed_setting_holds_from_the_next_start(tmp_path: Path) -> None:
    file = tmp_path / "faro.db"
    async with rooms_of_two_hubs("words", file) as s:
        await s.say(ANA, f"Kingston patterns: {URL}", room=SEALED)
        assert await found_in(s, "kingston", (PLAIN,)) == [True]
    for share, by_words, by_address in (("links", False, True), ("hub", False, False), ("words", True, True)):
        async with rooms_of_two_hubs(share, file) as s:
            await s.settle()
            assert await found_in(s, "kingston", (PLAIN, SEALED)) == [by_words, True], share
            assert await found_in(s, URL, (OTHER, SEALED)) == [by_address, True], share


async def test_both_kinds_of_room_never_meet_in_one_result() -> None:
    async with rooms_of_two_hubs() as s:
        await s.say(ANA, f"Known to all: {URL}", room=PLAIN)
        await s.say(BEN, f"Kingston patterns #insiders: {URL}", room=SEALED)
        answer = str(await s.say(ANA, "!show 1", room=PLAIN))
        assert "Known to all" in answer
        assert "insiders" not in answer
        assert "insiders" in str(await s.say(ANA, "!show e1", room=SEALED))
        assert "There is no result" in str(await s.say(ANA, "!show e1", room=PLAIN))


@pytest.mark.parametrize(
    ("room", "encrypted", "found"), [(SEALED, True, True), (SEALED, False, False), (PLAIN, True, False)]
)
async def test_members_of_an_encrypted_room_find_it_in_an_encrypted_chat(
    room: str, encrypted: bool, found: bool
) -> None:
    async with rooms_of_two_hubs() as s:
        await s.say(ANA, f"Kingston patterns: {URL}", room=SEALED)
        await s.join(BEN, room)
        chat = await s.direct(BEN)
        if encrypted:
            await s.encrypt(chat)
        assert await found_in(s, "kingston", (chat,)) == [found]


async def test_what_was_said_before_a_room_was_encrypted_stays_where_it_was() -> None:
    async with rooms_of_two_hubs() as s:
        first = s.message(ANA, f"Kingston: {URL}", room=PLAIN)
        await s.hear(first)
        await s.encrypt(PLAIN)
        assert await found_in(s, "kingston", (OTHER,)) == [True]
        await s.hear(Message(PLAIN, "$later", ANA, s.clock.now(), f"Bridgetown: {URL}", encrypted=True))
        assert await found_in(s, "bridgetown", (OTHER, PLAIN)) == [False, True]


async def test_help_in_an_encrypted_room_says_what_holds_there() -> None:
    holds = "Links from encrypted rooms are found only in this hub's encrypted rooms"
    async with rooms_of_two_hubs() as s:
        assert holds in str(await s.say(ANA, "!disclosed", room=SEALED))
        assert holds not in str(await s.say(ANA, "!disclosed", room=PLAIN))
