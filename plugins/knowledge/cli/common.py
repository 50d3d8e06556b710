"""Shared by the shell commands: arguments, exit codes, confirmation, progress, interruption."""

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

FAILURE, USER_ERROR = 1, 2  # exit codes: something failed; the arguments or the input must change

USER = re.compile(r"@[^\s:@]+:\S+")

Result = TypeVar("Result")
Command = TypeVar("Command", bound=Callable[..., Any])  # Any: click passes whatever the options say


def hub_arguments(command: Command) -> Command:
    """Adds the arguments CONFIG and HUB to a command."""
    command = click.argument("hub")(command)
    return click.argument("config", type=click.Path(path_type=Path, dir_okay=False))(command)


def find_hub(offline: Offline, id_: str) -> Hub:
    """The configured hub with this id; exits if there is none."""
    hub = next((hub for hub in offline.hubs if hub.id == id_), None)
    if hub is None:
        ids = ", ".join(hub.id for hub in offline.hubs)
        message = offline.translator.t("There is no hub '{hub}'; known hubs: {known}", hub=id_, known=ids)
        raise click.BadParameter(message, param_hint="HUB")
    return hub


def confirm(offline: Offline, question: str, yes: bool) -> bool:
    """Asks for confirmation, unless `yes` (the option `--yes`) gave it. Exits if there is no terminal to ask at."""
    if yes:
        return True
    t = offline.translator
    if not sys.stdin.isatty():
        exit_with(USER_ERROR, t.t("Not a terminal; pass --yes to confirm."))
    if offline.confirm(question):
        return True
    click.echo(t.t("Nothing was changed."))
    return False


def run_resumable(work: Coroutine[Any, Any, Result], t: Translator) -> Result:
    """Runs `work`, which can be resumed, and returns its result; exits if it is interrupted.

    Only the first Ctrl-C counts. A second one (`timeout` sends two) would arrive during the cancellation and interrupt
    the closing of the database; the interpreter would then wait for its threads forever.
    """
    interrupted = False

    async def run() -> Result:
        task = asyncio.current_task()

        def interrupt() -> None:
            nonlocal interrupted
            if task and not interrupted:
                interrupted = True
                task.cancel()

        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupt)
        return await work

    try:
        return asyncio.run(run())
    except (KeyboardInterrupt, asyncio.CancelledError):
        exit_with(FAILURE, t.t("Interrupted. Run the command again to continue."))


async def rewrite_index(db: Database, bars: Progress, t: Translator) -> None:
    """Rewrites the search index, so that deleted text leaves the database file."""
    task = bars.add_task(t.t("Erasing"), total=None)
    begin = more = True
    while more:
        async with db.transaction() as tx:
            more = await tx.run(fts.rewrite_some, begin=begin)
        begin = False
        bars.advance(task)


def exit_with(code: int, reason: str) -> NoReturn:
    click.echo(reason, err=True)
    sys.exit(code)


def progress() -> Progress:
    """Progress bars on standard error; hidden unless it is a terminal."""
    from rich.console import Console  # slow to import; only long-running commands need it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
