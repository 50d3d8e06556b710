"""`faro demo`: a community on this machine, with the real bot in it, to talk to or to watch."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.rule import Rule

from bot.core.errors import FaroError
from bot.demo.bot_process import BotProcess
from bot.demo.cast import PEOPLE
from bot.demo.chat import Chat, Wrapped, shown
from bot.demo.environment import SERVER, DemoEnvironment, demo_environment
from bot.demo.progress import Steps
from bot.demo.script import MissingAnswer, ScriptRunner
from bot.demo.signals import run_until_stopped
from bot.demo.story import SCENES
from bot.demo.terminal import Terminal
from bot.ports import Clock, Translator
from bot.testing.person import HomeserverError

MINUTE = 60_000  # ms
REMINDER_AFTER = 8_000  # ms from when the story's meeting is planned
TROUBLE = 1  # exit code


def demo(directory: Path | None, script: bool, words: Translator, clock: Clock) -> int:
    """Runs the demo and answers its exit code. It keeps what it makes if there is a `directory`."""
    console = Console()
    if find_spec("synapse") is None:
        console.print(
            words.t(
                "The demo needs a homeserver (Synapse). Install it: {command}", command="pip install 'faro-bot[demo]'"
            ),
            markup=False,
        )
        return TROUBLE
    with _folder(directory) as folder:
        try:
            code = run_until_stopped((_script if script else _talk)(folder, console, words, clock))
        except (FaroError, HomeserverError) as error:
            console.print(words.t("The demo cannot continue: {reason}", reason=error), style="red", markup=False)
            code = TROUBLE
    console.print(words.t("Everything has stopped."))
    if directory:
        console.print(words.t("The demo's files are kept in {folder}", folder=directory), soft_wrap=True)
    if code == 128 + signal.SIGINT and not script:
        return 0  # Ctrl-C is a way to leave
    return code


async def _talk(folder: Path, console: Console, words: Translator, clock: Clock) -> int:
    def plan() -> tuple[int, Sequence[str]]:
        return (clock.now() // MINUTE + 5) * MINUTE, ("3 minutes", "1 minute")

    async with demo_environment(folder, Steps(console, words), plan) as ready:
        console.print(_welcome(ready, words), soft_wrap=True)
        chat = Chat(ready.community, Terminal(console), words)
        await _until_one_ends(chat, ready.bot, words)
    return 0


async def _script(folder: Path, console: Console, words: Translator, clock: Clock) -> int:
    def plan() -> tuple[int, Sequence[str]]:  # its reminder comes while the scenes play
        return clock.now() + MINUTE + REMINDER_AFTER, ("1 minute",)

    names = {account.name: account.display_name for account in PEOPLE}
    async with demo_environment(folder, Steps(console, words), plan) as ready:
        play = ScriptRunner(
            ready.community, names, lambda heard: console.print(*shown(heard, words), sep="\n", soft_wrap=True)
        )
        try:
            await play.run(SCENES, lambda title: console.print(Rule(title, align="left")))
        except MissingAnswer as missing:
            _explain(missing, console, words)
            console.print(ready.bot.log_tail(), markup=False, highlight=False, soft_wrap=True)
            return TROUBLE
    console.print(words.t("Every expected answer arrived."))
    return 0


async def _until_one_ends(chat: Chat, bot: BotProcess, words: Translator) -> None:
    talking, running = asyncio.create_task(chat.run()), asyncio.create_task(bot.ended())
    try:
        await asyncio.wait([talking, running], return_when=asyncio.FIRST_COMPLETED)
    finally:
        talking.cancel()
        running.cancel()
        results = await asyncio.gather(talking, running, return_exceptions=True)
    if isinstance(results[0], Exception):
        raise results[0]
    if isinstance(results[1], int):
        raise FaroError(words.t("The bot has stopped. The end of its log:") + "\n" + bot.log_tail())


def _welcome(ready: DemoEnvironment, words: Translator) -> Wrapped:
    """How any other Matrix client connects, and what to try here."""
    t = words.t
    accounts = [
        f"@{account.name}:{SERVER}  "
        + t("password: {password}", password=account.password)
        + f"  ({t('coordinator') if account.coordinates else t('member')})"
        for account in PEOPLE
    ]
    lines = [
        "",
        t("You can also join with any Matrix client on this machine. Homeserver: {url}", url=ready.url),
        *accounts,
        "",
        t("You can also talk here. Try:  !buscar encuesta   !help   /as grace   /room risks   /help   /quit"),
        t("A meeting starts in a few minutes. Its reminders come to the coordinators' room."),
        "",
    ]
    return Wrapped("\n".join(lines))


def _explain(missing: MissingAnswer, console: Console, words: Translator) -> None:
    """The expected answer that did not come, and what came instead."""
    step = missing.step
    console.print(
        words.t(
            "Not received within {seconds} s in the room “{room}”: {kind} with the words {expected}",
            seconds=round(step.within),
            room=step.room,
            kind=step.kind,
            expected=", ".join(f"“{one}”" for one in step.answer) or "-",
        ),
        style="red",
        markup=False,
    )
    for heard in missing.came:
        console.print(words.t("Received instead:"))
        console.print(*shown(heard, words), sep="\n", soft_wrap=True)


@contextmanager
def _folder(directory: Path | None) -> Iterator[Path]:
    """A private folder, deleted afterwards unless the person named one."""
    if directory:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield directory.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="faro-demo-") as thrown_away:
        yield Path(thrown_away)
