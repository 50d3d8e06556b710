"""A chat in the terminal: what is typed is said in a room, what people and the bot say appears."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Protocol

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text as Styled

from bot.core.errors import TransportError, UserError
from bot.core.texts import Text
from bot.demo.terminal import HARMLESS, Terminal
from bot.ports import Translator

QUIET = 1.5  # seconds without a message before a line from a pipe is followed by the next
PATIENCE = 15.0  # seconds it waits for that at most


@dataclass(frozen=True, slots=True)
class ChatEvent:
    """Something that happened in a room, as one account sees it. `room` is the room's short name."""

    room: str
    sender: str  # a name for people
    body: str = ""
    kind: Literal["said", "edited", "removed"] = "said"
    by_bot: bool = False


class Community(Protocol):
    """Who can speak, where, and what is heard. Names are short: `ana`, `transparency`."""

    @property
    def accounts(self) -> Sequence[str]: ...

    def rooms(self, account: str) -> Sequence[str]:
        """The rooms this account is in."""
        ...

    async def say(self, account: str, room: str, body: str) -> str:
        """Answers the event's id."""
        ...

    async def edit(self, account: str, room: str, event_id: str, body: str) -> None: ...

    async def remove(self, account: str, room: str, event_id: str) -> None: ...

    def listen(self, account: str) -> AsyncIterator[ChatEvent]:
        """What happens from now on in the account's rooms."""
        ...


@dataclass(slots=True)
class Chat:
    community: Community
    terminal: Terminal
    words: Translator
    account: str = ""
    room: str = ""
    quiet: float = QUIET
    _last: dict[str, tuple[str, str]] = field(default_factory=dict)  # account → room and event of its last message
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _over: bool = False

    async def run(self) -> None:
        """Until `/quit`, Ctrl-D or the end of the input. Raises `TransportError` if the homeserver is gone."""
        self.account = self.account or self.community.accounts[0]
        self._enter(self.room or self.community.rooms(self.account)[0])
        listeners = [asyncio.create_task(self._listen(account)) for account in self.community.accounts]
        reading = asyncio.create_task(self._read())
        try:
            await asyncio.wait([reading, *listeners], return_when=asyncio.FIRST_COMPLETED)
            for task in (reading, *listeners):
                if task.done():
                    task.result()
        finally:
            for task in (reading, *listeners):
                task.cancel()
            await asyncio.gather(reading, *listeners, return_exceptions=True)

    async def _read(self) -> None:
        async for line in self.terminal.lines():
            try:
                await self._do(line.strip())
            except UserError as error:
                self._tell(self.words.t(error.text))
            except TransportError as error:
                self._tell(self.words.t("The homeserver rejected that: {reason}", reason=error))
            if self._over:
                return

    async def _do(self, line: str) -> None:
        if not line.startswith("/"):
            if line:
                event_id = await self.community.say(self.account, self.room, line)
                self._last[self.account] = (self.room, event_id)
                await self._quiet()
            return
        command, _, rest = line[1:].partition(" ")
        rest = rest.strip()
        match command:
            case "as":
                self.account = _one_of(rest, self.community.accounts)
                rooms = self.community.rooms(self.account)
                self._enter(self.room if self.room in rooms else rooms[0])
            case "room":
                self._enter(_one_of(rest, self.community.rooms(self.account)))
            case "edit" if rest:
                room, event_id = self._last_said()
                await self.community.edit(self.account, room, event_id, rest)
                await self._quiet()
            case "remove":
                room, event_id = self._last_said()
                await self.community.remove(self.account, room, event_id)
                del self._last[self.account]
                await self._quiet()
            case "quit":
                self._over = True
            case _:
                self._tell(self.help())

    def help(self) -> str:
        t = self.words.t
        return "\n".join(
            [
                t("What you type is sent to the room “{room}” as “{account}”.", room=self.room, account=self.account),
                "/as ACCOUNT   " + t("speak as: {names}", names=", ".join(self.community.accounts)),
                "/room NAME    " + t("go to: {names}", names=", ".join(self.community.rooms(self.account))),
                "/edit TEXT    " + t("change your last message"),
                "/remove       " + t("remove your last message"),
                "/quit         " + t("leave"),
            ]
        )

    def _enter(self, room: str) -> None:
        self.room = room
        self.terminal.prompt = f"{self.account} @ {room}> "
        self.terminal.redraw()

    def _last_said(self) -> tuple[str, str]:
        if self.account not in self._last:
            raise UserError(Text("There is no message of “{account}” to change.", account=self.account))
        return self._last[self.account]

    async def _listen(self, account: str) -> None:
        async for heard in self.community.listen(account):
            self._news.set()
            if account == self.account:
                self.terminal.show(*shown(heard, self.words))

    async def _quiet(self) -> None:
        """A pipe cannot see: for it, the chat waits until nothing more is said."""
        if self.terminal.is_person:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while True:
                    self._news.clear()
                    async with asyncio.timeout(self.quiet):
                        await self._news.wait()

    def _tell(self, text: str) -> None:
        """Something from the chat itself, not from a room."""
        self.terminal.show(Wrapped(text, style="yellow"))


def shown(heard: ChatEvent, words: Translator) -> Sequence[RenderableType]:
    """How it looks on a terminal; what people wrote cannot do anything there."""
    head = Styled.assemble(
        (heard.sender.translate(HARMLESS), "bold cyan" if heard.by_bot else "bold green"), (f"  {heard.room}", "dim")
    )
    if heard.kind != "said":
        head.append(f"  ({words.t('edited') if heard.kind == 'edited' else words.t('removed a message')})", style="dim")
    return [head, Wrapped(heard.body.translate(HARMLESS), "  ")] if heard.body else [head]


@dataclass(frozen=True, slots=True)
class Wrapped:
    """Text for terminals however narrow. Lines are broken between words, so that a link stays whole and can be used.

    Print it with `soft_wrap=True`, or rich breaks the links. What is no terminal gets the lines as they are.
    """

    text: str
    indent: str = ""
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(1, options.max_width - len(self.indent)) if console.is_terminal else len(self.text) + 1
        for paragraph in self.text.splitlines():
            lines = textwrap.wrap(paragraph, width, break_long_words=False, break_on_hyphens=False)
            yield from (Styled((self.indent + line).rstrip(), style=self.style) for line in lines or [""])


def _one_of(wanted: str, names: Sequence[str]) -> str:
    """The name meant, which may be cut short if that is clear."""
    found = [name for name in names if name == wanted] or [name for name in names if wanted and name.startswith(wanted)]
    if len(found) != 1:
        raise UserError(Text("“{wanted}” is not one of: {names}", wanted=wanted, names=", ".join(names)))
    return found[0]
