"""`faro`: run · check · doctor · console · demo, and what plugins add. Exit codes, no logic.

0 done · 1 trouble that was told · 2 the operator must change something first · 3 the session was revoked
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click
import structlog

from bot import __version__, faults, logs
from bot.config.load import peek
from bot.core.errors import ConfigError, FaroError, LoggedOut, Problem
from bot.i18n.catalog import Catalogs
from bot.loading import find, folder
from bot.offline import OfflineConfig, Opened, open_config, terminal_language
from bot.ports import Translator

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
    """Say everything that is wrong with a configuration, and where."""
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
def doctor(config: Path) -> None:
    """Say whether the bot of a configuration is well; exit code 1 if not."""
    from bot.doctor import examine
    from bot.timing.clock import SystemClock

    opened = _read(config)
    t = _translator()
    findings = asyncio.run(examine(opened.loaded.data_dir, opened.loaded.config.hubs, SystemClock().now()))
    for finding in findings:
        click.echo(f"{t.t('ok') if finding.well else t.t('TROUBLE')}: {t.t(finding.text)}")
    if not all(finding.well for finding in findings):
        sys.exit(TROUBLE)


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
    """Try the bot: a homeserver on this machine, and a chat with it."""
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
    from bot.tables import open_database
    from bot.timing.clock import SystemClock

    task = asyncio.current_task()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, task.cancel if task else lambda: None)
    clock = SystemClock()
    async with open_database(opened.loaded.data_dir / DATABASE, opened.plugins) as (db, plugins):
        loaded = opened.loaded
        secrets = Secrets(loaded.password, loaded.token)
        transport = await connect(loaded.config, secrets, loaded.data_dir, clock)
        try:
            house = app.build(opened.loaded, plugins, db, transport, clock, faults.checkpoints(os.environ))
            await app.run(house)
        finally:
            await transport.close()
