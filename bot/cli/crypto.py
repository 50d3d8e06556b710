"""`faro crypto`: status · setup · reset · import · verify. Exit codes, no logic; that is in
`bot.operations.crypto_admin`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from bot.cli.asking import confirm
from bot.cli.terminal import CONFIG, LOGGED_OUT, TROUBLE, end, read, translator
from bot.core.errors import FaroError, LoggedOut
from bot.operations.doctor import MISSING
from bot.operations.lock import InUse, is_used, only_one
from bot.timing.clock import SystemClock

if TYPE_CHECKING:
    from bot.operations.crypto_admin import Outcome

Answer = TypeVar("Answer")


@click.group()
def crypto() -> None:
    """Manage the bot's identity for encrypted rooms."""
    if find_spec("vodozemac") is None:
        end(TROUBLE, translator().t(MISSING))


@crypto.command("status")
@CONFIG
def status_(config: Path) -> None:
    """Show whether the bot's device is signed; exit code 1 if not."""
    from bot.operations import crypto_admin

    _report(_run(crypto_admin.status(read(config).loaded, SystemClock())))


@crypto.command("setup")
@CONFIG
def setup_(config: Path) -> None:
    """Create the identity and sign the bot's device, as every start does. Stop the bot first."""
    from bot.operations import crypto_admin

    loaded = read(config).loaded
    with _exclusive(loaded.data_dir):
        _report([_run(crypto_admin.set_up(loaded, SystemClock()))])


@crypto.command("reset")
@CONFIG
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def reset_(config: Path, yes: bool) -> None:
    """Create a new identity; everybody must verify the bot again."""
    from bot.operations import crypto_admin

    loaded, t = read(config).loaded, translator()
    with _exclusive(loaded.data_dir):
        for sentence in crypto_admin.RESET:
            click.echo(t.t(sentence))
        if not yes and not confirm(t.t("Continue?"), t):
            end(TROUBLE, t.t("Nothing was changed."))
        _report([_run(crypto_admin.reset(loaded, SystemClock()))])


@crypto.command("import")
@CONFIG
@click.option("--file", type=click.File(), help="Read the recovery key from this file instead of asking for it.")
def import_(config: Path, file: TextIO | None) -> None:
    """Import the identity created in a Matrix client, with its recovery key."""
    from bot.operations import crypto_admin

    loaded = read(config).loaded
    key = file.read() if file else click.prompt(translator().t("Recovery key (input is hidden)"), hide_input=True)
    _report([_run(crypto_admin.import_identity(loaded, SystemClock(), key))])


@crypto.command("verify")
@CONFIG
def verify_(config: Path) -> None:
    """Show what to compare while somebody verifies the running bot."""
    from bot.operations import crypto_admin

    loaded, t = read(config).loaded, translator()
    if not is_used(loaded.data_dir):
        end(TROUBLE, t.t("The bot is not running with this data folder: {folder}", folder=loaded.data_dir))
    click.echo(t.t("Open the bot's profile in your Matrix client and choose “Verify”. Waiting …"))

    async def follow() -> bool:
        well = True
        async for said in crypto_admin.watch(loaded, SystemClock()):
            click.echo(t.t(said.text))
            well = said.well
        return well

    if not asyncio.run(follow()):
        sys.exit(TROUBLE)


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Holds the data folder's lock, because the running bot uses these keys."""
    try:
        with only_one(folder):
            yield
    except InUse as error:
        end(TROUBLE, str(error))


def _run(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Runs a coroutine; errors end the program with their sentence, translated if possible."""
    from bot.matrix.crypto.identity import IdentityError

    try:
        return asyncio.run(work)
    except IdentityError as error:
        end(TROUBLE, translator().t(error.text))
    except LoggedOut as error:
        end(LOGGED_OUT, str(error))
    except FaroError as error:
        end(TROUBLE, str(error))


def _report(said: Sequence[Outcome]) -> None:
    t = translator()
    for each in said:
        click.echo(f"{t.t('ok') if each.well else t.t('PROBLEM')}: {t.t(each.text)}")
    if not all(each.well for each in said):
        sys.exit(TROUBLE)
