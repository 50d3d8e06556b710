"""What these commands have in common."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from bot.api import Database, Hub, Offline, Translator
from plugins.knowledge.index import fts

if TYPE_CHECKING:
    from rich.progress import Progress

TROUBLE, WRONG = 1, 2  # exit codes: trouble that was told; something must be changed first

USER = re.compile(r"@[^\s:@]+:\S+")

Answer = TypeVar("Answer")
Command = TypeVar("Command", bound=Callable[..., Any])  # Any: click hands over what the options say


def hub_arguments(command: Command) -> Command:
    """The arguments CONFIG and HUB."""
    command = click.argument("hub")(command)
    return click.argument("config", type=click.Path(path_type=Path, dir_okay=False))(command)


def hub_called(offline: Offline, id_: str) -> Hub:
    """Ends the command if there is no such hub."""
    chosen = next((known for known in offline.hubs if known.id == id_), None)
    if chosen is None:
        known = ", ".join(known.id for known in offline.hubs)
        message = offline.translator.t("There is no hub '{hub}'; there are: {known}", hub=id_, known=known)
        raise click.BadParameter(message, param_hint="HUB")
    return chosen


def agreed(question: str, yes: bool, t: Translator) -> bool:
    """Whether the person at the terminal wants it, who may have said so before (`--yes`)."""
    if yes:
        return True
    if not sys.stdin.isatty():
        end(WRONG, t.t("Nobody can be asked here. Write --yes if you are sure."))
    if click.confirm(question, err=True):
        return True
    click.echo(t.t("Nothing was changed."))
    return False


def finished(work: Coroutine[Any, Any, Answer], t: Translator) -> Answer:
    """What `work`, which goes on where it was, answers; ends the command if it is interrupted.

    Only the first Ctrl-C counts: a second one (`timeout` sends two) would come while the first is obeyed, and break off
    the closing of the database, whose threads would then be waited for for ever.
    """
    interrupted = False

    async def act() -> Answer:
        task = asyncio.current_task()

        def interrupt() -> None:
            nonlocal interrupted
            if task and not interrupted:
                interrupted = True
                task.cancel()

        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupt)
        return await work

    try:
        return asyncio.run(act())
    except (KeyboardInterrupt, asyncio.CancelledError):
        end(TROUBLE, t.t("Interrupted. Start it again and it goes on where it was."))


async def rewrite(db: Database, bars: Progress, t: Translator) -> None:
    """Deleted words leave the file."""
    task = bars.add_task(t.t("Erasing"), total=None)
    begin = more = True
    while more:
        async with db.transaction() as tx:
            more = await tx.run(fts.rewrite_some, begin=begin)
        begin = False
        bars.advance(task)


def end(code: int, reason: str) -> NoReturn:
    click.echo(reason, err=True)
    sys.exit(code)


def progress() -> Progress:
    """Bars on standard error, where a person looks at it."""
    from rich.console import Console  # only commands that take long need it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
