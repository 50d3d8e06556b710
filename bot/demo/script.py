"""Plays scripted scenes and waits for each expected answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.demo.chat import ChatEvent, Community

ANSWER_WITHIN = 60  # seconds; most answers take less than one


@dataclass(frozen=True, slots=True)
class Step:
    """An action of somebody; the bot's next event in that room must contain all of `answer` and none of `without`.

    No `answer` means that none is waited for. `edit` and `remove` act on the account's last message with the same
    `mark`. `wait` does nothing but wait.
    """

    account: str
    room: str
    text: str = ""
    does: Literal["say", "edit", "remove", "wait"] = "say"
    answer: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    kind: Literal["said", "edited", "removed"] = "said"
    mark: str = ""
    within: float = ANSWER_WITHIN


@dataclass(frozen=True, slots=True)
class Scene:
    title: str
    steps: tuple[Step, ...]


class MissingAnswer(Exception):  # noqa: N818 - it is the answer that is missing
    """An expected answer did not arrive."""

    def __init__(self, step: Step, came: Sequence[ChatEvent]) -> None:
        self.step = step
        self.came = tuple(came)
        super().__init__(step.text)


@dataclass(slots=True)
class ScriptRunner:
    """`show` is called with every message and answer, in order."""

    community: Community
    names: Mapping[str, str]  # account → a name for people
    show: Callable[[ChatEvent], object]
    _answers: asyncio.Condition = field(default_factory=asyncio.Condition)
    _heard: dict[str, list[ChatEvent]] = field(default_factory=dict)  # account → the bot's events not yet checked
    _said: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)  # account, mark → room, event

    async def run(self, scenes: Sequence[Scene], announce: Callable[[str], None]) -> None:
        """Raises `MissingAnswer`, or `TransportError`."""
        listeners = [asyncio.create_task(self._listen(account)) for account in self.community.accounts]
        try:
            for scene in scenes:
                announce(scene.title)
                for step in scene.steps:
                    await self._play(step)
        finally:
            for listener in listeners:
                listener.cancel()
            await asyncio.gather(*listeners, return_exceptions=True)

    async def _play(self, step: Step) -> None:
        if step.does != "wait":  # an answer cannot come before its question
            self._heard[step.account] = [one for one in self._heard.get(step.account, ()) if one.room != step.room]
        if step.does == "say":
            event_id = await self.community.say(step.account, step.room, step.text)
            self._said[step.account, step.mark] = (step.room, event_id)
        elif step.does != "wait":
            room, event_id = self._said[step.account, step.mark]
            if step.does == "edit":
                await self.community.edit(step.account, room, event_id, step.text)
            else:
                await self.community.remove(step.account, room, event_id)
        kinds: dict[str, Literal["said", "edited", "removed"]] = {"say": "said", "edit": "edited", "remove": "removed"}
        if step.does in kinds:
            self.show(ChatEvent(step.room, self.names[step.account], step.text, kinds[step.does]))
        if step.answer or step.kind == "removed":
            self.show(await self._answer(step))

    async def _answer(self, step: Step) -> ChatEvent:
        came: list[ChatEvent] = []
        try:
            async with asyncio.timeout(step.within), self._answers:
                while True:
                    waiting = self._heard.setdefault(step.account, [])
                    while here := [one for one in waiting if one.room == step.room]:
                        came.append(here[0])
                        waiting.remove(here[0])
                        if _fits(step, here[0]):
                            return here[0]
                    await self._answers.wait()
        except TimeoutError:
            raise MissingAnswer(step, came) from None

    async def _listen(self, account: str) -> None:
        async for heard in self.community.listen(account):
            if heard.by_bot:
                async with self._answers:
                    self._heard.setdefault(account, []).append(heard)
                    self._answers.notify_all()


def _fits(step: Step, heard: ChatEvent) -> bool:
    return (
        heard.kind == step.kind
        and all(words in heard.body for words in step.answer)
        and not any(words in heard.body for words in step.without)
    )
