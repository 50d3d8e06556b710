"""`faro`: run · check · doctor · crypto · console · demo, and what plugins add. Exit codes, no logic.

0 done · 1 trouble that was told · 2 the operator must change something first · 3 the session was revoked
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, TypeVar

import click
import structlog

from bot import __version__, faults, logs
from bot.config.load import peek
from bot.core.errors import ConfigError, FaroError, LoggedOut, Problem
from bot.i18n.catalog import Catalogs
from bot.loading import find, folder
from bot.lock import InUse, only_one
from bot.offline import OfflineConfig, Opened, open_config, terminal_language
from bot.ports import Translator

if TYPE_CHECKING:
    from bot.cryptocli import Said
    from bot.doctor import Finding

Answer = TypeVar("Answer")

TROUBLE, WRONG_CONFIG, LOGGED_OUT = 1, 2, 3

SESSION = "session.json"  # in the data folder, beside the database
DATABASE = "faro.db"

log = structlog.get_logger()
CONFIG = click.argument("config", type=click.Path(path_type=Path, dir_okay=False))


class Faro(click.Group):
    """The group of our own commands and those plugins bring; plugins are only looked for when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *(str(command.name) for command in _plugin_commands())})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        return own or next((command for command in _plugin_commands() if command.name == cmd_name), None)


def _plugin_commands() -> Sequence[click.Command]:
    """Only `faro --help` and plugins' own commands pay for importing every plugin."""
    return [command for plugin in find().plugins for command in plugin.shell]


class TerminalShell:
    """`bot.api.Shell` for the person at the terminal."""

    def open(self, config: Path) -> OfflineConfig:
        command, opened = click.get_current_context().command, _read(config)
        owners = [plugin.name for plugin in opened.plugins if command in plugin.shell]
        return OfflineConfig(opened, owner=owners[0] if owners else "core")


@click.group(cls=Faro, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="faro")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Faro, a Matrix bot for communities of practice."""
    ctx.obj = TerminalShell()


@main.command()
@CONFIG
def run(config: Path) -> None:
    """Log in, join the hubs' rooms and answer, until stopped."""
    from bot.matrix.login import LoginError

    opened = _read(config)
    if opened.loaded.lacking and not (opened.loaded.data_dir / SESSION).exists():
        _tell(opened.loaded.lacking, _translator())  # only the first start needs a password or token
    settings = opened.loaded.config
    logs.configure(settings.log.format, settings.log.level)
    try:
        with only_one(opened.loaded.data_dir):
            asyncio.run(_run(opened))
    except LoggedOut as error:
        _end(LOGGED_OUT, str(error))
    except LoginError as error:
        _end(WRONG_CONFIG, str(error))
    except FaroError as error:
        _end(TROUBLE, str(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        log.info("stopped")


@main.command()
@CONFIG
@click.option("--schema", is_flag=True, help="Write the JSON Schema that editors use beside the configuration.")
def check(config: Path, schema: bool) -> None:
    """Say everything that is wrong with a configuration, with file, line and remedy."""
    from bot.config.schema import write_schema

    if schema:
        for written in write_schema(config, find(peek(config)).plugins):
            click.echo(written)
    opened = _read(config)
    t = _translator()
    hubs = len(opened.loaded.config.hubs)
    click.echo(t.n("{count} hub, no problem found.", "{count} hubs, no problem found.", hubs))


@main.command()
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="Write it for machines.")
def doctor(config: Path, as_json: bool) -> None:
    """Say whether the bot that uses this configuration is well; exit code 1 if not."""
    opened = _read(config)
    findings = asyncio.run(_findings(opened))
    t = _translator()
    well = all(finding.level != "trouble" for finding in findings)
    if as_json:
        told = [
            {"level": one.level, "code": one.code, "hub": one.hub, "room": one.room, "text": t.t(one.text)}
            for one in findings
        ]
        click.echo(json.dumps({"well": well, "findings": told}, ensure_ascii=False, indent=2))
    else:
        levels = {"ok": t.t("ok"), "note": t.t("note"), "trouble": t.t("TROUBLE")}
        for finding in findings:
            click.echo(f"{levels[finding.level]}: {t.t(finding.text)}")
    if not well:
        sys.exit(TROUBLE)


async def _findings(opened: Opened) -> Sequence[Finding]:
    from bot import doctor
    from bot.matrix.skew import clock_skew
    from bot.timing.clock import SystemClock

    clock, loaded = SystemClock(), opened.loaded
    user, hubs = loaded.config.user, loaded.config.hubs
    patient = doctor.Patient(loaded.data_dir, user, hubs, doctor.encryption_installed())
    findings = await doctor.examine(patient, clock.now())
    return [*findings, doctor.skew(await clock_skew(loaded.config.homeserver, clock))]


@main.command()
@click.option(
    "--script", is_flag=True, help="Play a fixed story without a terminal; exit code 1 if an answer is missing."
)
@click.option(
    "--dir",
    "directory",
    envvar="DEMO_DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep what the demo makes in this folder.",
)
def demo(script: bool, directory: Path | None) -> None:
    """Try the bot: a homeserver on this machine, two hubs, and a chat in this terminal."""
    from bot.demo import run as demo_run
    from bot.timing.clock import SystemClock

    sys.exit(demo_run.demo(directory, script, _translator(), SystemClock()))


@main.command()
@CONFIG
def console(config: Path) -> None:
    """Chat with the bot of a configuration without any homeserver."""
    from bot.demo import console as demo_console
    from bot.timing.clock import SystemClock

    opened = _read(config)
    logs.configure(level="warning")
    sys.exit(demo_console.console(opened, _translator(), SystemClock()))


@main.group()
def crypto() -> None:
    """Whether others can trust the bot in encrypted rooms, and what to do if not."""
    from nio.crypto import ENCRYPTION_ENABLED

    if not ENCRYPTION_ENABLED:
        _end(TROUBLE, _translator().t('Encryption is not installed. Install it: pip install "faro-bot[e2e]"'))


@crypto.command("status")
@CONFIG
def crypto_status(config: Path) -> None:
    """Say whether the bot's device is signed; exit code 1 if not."""
    from bot import cryptocli
    from bot.timing.clock import SystemClock

    _say(_told(cryptocli.status(_read(config).loaded, SystemClock())))


@crypto.command("setup")
@CONFIG
def crypto_setup(config: Path) -> None:
    """Make the identity and sign the bot's device, as every start does. The bot must not run meanwhile."""
    from bot import cryptocli
    from bot.timing.clock import SystemClock

    loaded = _read(config).loaded
    with _alone(loaded.data_dir):
        _say([_told(cryptocli.set_up(loaded, SystemClock()))])


@crypto.command("reset")
@CONFIG
@click.option("--yes", is_flag=True, help="Do not ask.")
def crypto_reset(config: Path, yes: bool) -> None:
    """Make a new identity; everybody must verify the bot again."""
    from bot import cryptocli
    from bot.timing.clock import SystemClock

    loaded, t = _read(config).loaded, _translator()
    for sentence in cryptocli.RESET:
        click.echo(t.t(sentence))
    if not yes and not click.confirm(t.t("Go on?")):
        _end(TROUBLE, t.t("Nothing was changed."))
    with _alone(loaded.data_dir):
        _say([_told(cryptocli.reset(loaded, SystemClock()))])


@crypto.command("import")
@CONFIG
@click.option("--file", type=click.File(), help="A file that holds the recovery key, instead of asking for it.")
def crypto_import(config: Path, file: TextIO | None) -> None:
    """Bring the identity made in a Matrix client, with its recovery key."""
    from bot import cryptocli
    from bot.timing.clock import SystemClock

    loaded = _read(config).loaded
    key = file.read() if file else click.prompt(_translator().t("Recovery key (it is not shown)"), hide_input=True)
    _say([_told(cryptocli.bring(loaded, SystemClock(), key))])


@crypto.command("verify")
@CONFIG
def crypto_verify(config: Path) -> None:
    """Show what to compare while somebody verifies the running bot."""
    from bot import cryptocli
    from bot.timing.clock import SystemClock

    loaded, t = _read(config).loaded, _translator()
    click.echo(t.t("Open the bot's profile in your Matrix client, and choose to verify it. Waiting …"))

    async def follow() -> bool:
        well = True
        async for said in cryptocli.watch(loaded, SystemClock()):
            click.echo(t.t(said.text))
            well = said.well
        return well

    if not asyncio.run(follow()):
        sys.exit(TROUBLE)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Not beside the running bot, whose keys these are."""
    try:
        with only_one(folder):
            yield
    except InUse as error:
        _end(TROUBLE, str(error))


def _told(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Runs it; trouble is told in the reader's language where it has words."""
    from bot.matrix.crypto.identity import IdentityError

    try:
        return asyncio.run(work)
    except IdentityError as error:
        _end(TROUBLE, _translator().t(error.text))
    except LoggedOut as error:
        _end(LOGGED_OUT, str(error))
    except FaroError as error:
        _end(TROUBLE, str(error))


def _say(said: Sequence[Said]) -> None:
    t = _translator()
    for each in said:
        click.echo(f"{t.t('ok') if each.well else t.t('TROUBLE')}: {t.t(each.text)}")
    if not all(each.well for each in said):
        sys.exit(TROUBLE)


def _read(config: Path) -> Opened:
    found = find(peek(config))
    t = _translator()
    for broken in found.broken:  # first: with a plugin missing, its settings cannot be checked
        click.echo(t.t("Plugin '{name}' is left out: {reason}", name=broken.name, reason=broken.reason), err=True)
    try:
        return open_config(config, found)
    except ConfigError as error:
        _tell(
            error.problems, Catalogs({one.name: folder(one) for one in found.plugins}).everybodys(terminal_language())
        )


def _tell(problems: Sequence[Problem], t: Translator) -> NoReturn:
    for problem in problems:
        where = f"{problem.file}:{problem.line}:{problem.column}: "
        path = f"{problem.path}: " if problem.path else ""
        click.echo(f"{where}{path}{t.t(problem.message)}", err=True)
    _end(WRONG_CONFIG, t.n("{count} problem found.", "{count} problems found.", len(problems)))


def _translator() -> Translator:
    return Catalogs({}).translator("core", terminal_language())


def _end(code: int, reason: str) -> NoReturn:
    click.echo(reason, err=True)
    sys.exit(code)


async def _run(opened: Opened) -> None:
    from bot import app
    from bot.matrix.client import connect
    from bot.matrix.login import Secrets
    from bot.storage.crypto_status import CryptoStatus, set_status
    from bot.storage.roombook import StoredRooms
    from bot.tables import open_database
    from bot.timing.clock import SystemClock

    task = asyncio.current_task()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, task.cancel if task else lambda: None)
    clock = SystemClock()
    async with open_database(opened.loaded.data_dir / DATABASE, opened.plugins) as (db, plugins):
        loaded = opened.loaded
        secrets = Secrets(loaded.password, loaded.token)
        transport = await connect(loaded.config, secrets, loaded.data_dir, clock, StoredRooms(db))
        config = loaded.config
        trusted = {*config.operators, *(user for hub in config.hubs for user in hub.moderators)}
        status = CryptoStatus(transport.device_id, transport.cross_signed, clock.now())
        async with db.transaction() as tx:
            await set_status(tx, status)
        transport.let_verify(loaded.data_dir, clock, trusted.__contains__)
        try:
            house = app.build(opened.loaded, plugins, db, transport, clock, faults.checkpoints(os.environ))
            await app.run(house)
        finally:
            await transport.close()
