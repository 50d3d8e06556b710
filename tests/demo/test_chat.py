"""The chat in the terminal, on a community that only exists here."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from rich.console import Console

from bot.core.errors import Refused
from bot.demo.chat import Chat, ChatEvent
from bot.demo.terminal import Terminal
from bot.i18n.catalog import Catalogs

ROOMS = {"ana": ("square", "office"), "diego": ("square",)}


@dataclass
class MemoryCommunity:
    """`bot.demo.chat.Community`: two people, and an echo for a bot."""

    accounts: Sequence[str] = ("ana", "diego")
    done: list[tuple[str, ...]] = field(default_factory=list)
    ears: dict[str, asyncio.Queue[ChatEvent]] = field(default_factory=dict)

    def rooms(self, account: str) -> Sequence[str]:
        return ROOMS[account]

    async def say(self, account: str, room: str, body: str) -> str:
        if body == "forbidden":
            raise Refused("M_FORBIDDEN", "not today")
        self.done.append(("say", account, room, body))
        self._happen(ChatEvent(room, account, body))
        self._happen(ChatEvent(room, "Faro", f"You said {body}", by_bot=True))
        return f"$event{len(self.done)}"

    async def edit(self, account: str, room: str, event_id: str, body: str) -> None:
        self.done.append(("edit", account, room, event_id, body))
        self._happen(ChatEvent(room, account, body, kind="edited"))

    async def remove(self, account: str, room: str, event_id: str) -> None:
        self.done.append(("remove", account, room, event_id))
        self._happen(ChatEvent(room, account, kind="removed"))

    async def listen(self, account: str) -> AsyncIterator[ChatEvent]:
        queue = self.ears.setdefault(account, asyncio.Queue())
        while True:
            yield await queue.get()

    def _happen(self, heard: ChatEvent) -> None:
        for account, queue in self.ears.items():
            if heard.room in ROOMS[account]:
                queue.put_nowait(heard)


async def typed(text: str, village: MemoryCommunity | None = None, width: int = 80) -> tuple[MemoryCommunity, str]:
    """What happened and what was written when these lines came through a pipe."""
    village = village or MemoryCommunity()
    reader, writer = os.pipe()
    os.write(writer, text.encode())
    os.close(writer)
    screen = io.StringIO()
    terminal = Terminal(Console(file=screen, width=width, force_terminal=True, color_system=None), reader)
    try:
        await Chat(village, terminal, Catalogs({}).translator("core", "en"), quiet=0.02).run()
    finally:
        os.close(reader)
    return village, screen.getvalue()


async def test_what_is_typed_is_said_and_what_is_said_appears() -> None:
    village, screen = await typed("Hello\n")
    assert village.done == [("say", "ana", "square", "Hello")]
    assert "ana  square\n  Hello\n" in screen
    assert "Faro  square\n  You said Hello\n" in screen


async def test_somebody_else_speaks_elsewhere() -> None:
    village, _ = await typed("/room office\none\n/as diego\ntwo\n/as a\n/room off\nthree")
    assert [step[1:] for step in village.done] == [
        ("ana", "office", "one"),
        ("diego", "square", "two"),  # the office is not his
        ("ana", "office", "three"),
    ]


async def test_rooms_and_people_that_are_not_there_are_named() -> None:
    village, screen = await typed("/as bob\n/as diego\n/room office\n/dance\n")
    assert "“bob” is not one of: ana, diego" in screen
    assert "“office” is not one of: square" in screen
    assert "/quit" in screen
    assert village.done == []


async def test_the_last_message_is_changed_and_removed() -> None:
    village, screen = await typed("/edit nothing yet\nHello\n/room office\n/edit Goodbye\n/remove\n/remove\n")
    assert village.done[1:] == [("edit", "ana", "square", "$event1", "Goodbye"), ("remove", "ana", "square", "$event1")]
    assert screen.count("There is no message of “ana” to change.") == 2
    assert "edited" in screen
    assert "removed a message" in screen


async def test_it_ends_with_quit_and_says_nothing_after_it() -> None:
    village, _ = await typed("/quit\nHello\n")
    assert village.done == []


async def test_a_message_that_is_not_taken_does_not_end_the_chat() -> None:
    village, screen = await typed("forbidden\nHello\n")
    assert "not today" in screen
    assert village.done == [("say", "ana", "square", "Hello")]


async def test_a_message_cannot_play_with_the_terminal() -> None:
    _, screen = await typed("\x1b]0;owned\x07[bold]x\x9b2J\n")
    assert "\x1b" not in screen
    assert "\x9b" not in screen
    assert "[bold]x" in screen


async def test_a_narrow_terminal_loses_nothing_and_links_stay_whole() -> None:
    link = "https://example.org/a-long-address-of-a-page"
    _, screen = await typed(f"Please read this when you have time: {link}\n/help\n", width=20)
    lines = screen.splitlines()
    assert f"  {link}" in lines
    assert all(len(line) <= 20 for line in lines if link not in line)
