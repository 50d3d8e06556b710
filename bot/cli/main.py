"""`faro`: init · run · check · doctor · crypto · console · demo, and what plugins add. Exit codes, no logic.

0 done · 1 a reported problem · 2 the operator must change something first · 3 the session was revoked
"""

from __future__ import annotations

import asyncio
import copy
import json
import os
import platform
import signal
import sys
from collections.abc import Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import structlog

from bot import __version__
from bot.cli.backup import backup_command, move_command, refuse_moved, restore_command
from bot.cli.crypto import crypto
from bot.cli.file_errors import sentence_of
from bot.cli.init import init
from bot.cli.localized import HelpContext, localized
from bot.cli.offline import OfflineConfig, Opened, scratch, terminal_language
from bot.cli.terminal import CONFIG, LOGGED_OUT, TROUBLE, WRONG_CONFIG, end, read, show, tell, translator
from bot.config.load import peek
from bot.core.errors import DatabaseError, FaroError, LoggedOut, Problem
from bot.i18n.catalog import Catalogs
from bot.operations import crash_points, logs
from bot.operations.lock import only_one
from bot.ports import Database
from bot.runtime.plugins import PluginType, find, folder, versions

if TYPE_CHECKING:
    from bot.operations.room_checks import Finding

SESSION = "session.json"  # in the data folder, beside the database
DATABASE = "faro.db"

log = structlog.get_logger()


class Faro(click.Group):
    """Our own commands and those of plugins, which are loaded only when they are needed. An error that no command
    handles ends the program with its sentence."""

    context_class = HelpContext

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except DatabaseError as error:
            end(TROUBLE, translator().t(error.text))
        except FaroError as error:
            end(TROUBLE, str(error))
        except (OSError, ExceptionGroup) as error:
            if text := sentence_of(error):
                end(TROUBLE, translator().t(text))
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *(str(command.name) for command in _plugin_commands())})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if own := super().get_command(ctx, cmd_name):
            return localized(own, translator())
        for plugin in find().plugins:
            for command in plugin.shell:
                if command.name == cmd_name:
                    catalogs = Catalogs({plugin.name: folder(plugin)})
                    return localized(command, catalogs.translator(plugin.name, terminal_language()))
        return None

    def get_help(self, ctx: click.Context) -> str:
        whole = copy.copy(self)
        whole.help = translator().t(self.help or "")
        return super(Faro, whole).get_help(ctx)


def _plugin_commands() -> Sequence[click.Command]:
    """Only `faro --help` and plugins' own commands pay for importing every plugin."""
    return [command for plugin in find().plugins for command in plugin.shell]


class TerminalShell:
    """`bot.api.Shell` for the person at the terminal."""

    def open(self, config: Path) -> OfflineConfig:
        opened = read(config)
        owners = [plugin.name for plugin in opened.plugins if _belongs_to_command(plugin)]
        return OfflineConfig(opened, owner=owners[0] if owners else "core")

    def scratch(self, file: Path | None = None) -> AbstractAsyncContextManager[Database]:
        return scratch([plugin for plugin in find().plugins if _belongs_to_command(plugin)], file)


def _belongs_to_command(plugin: PluginType) -> bool:
    """Whether the command that runs, or the group it is in, is the plugin's."""
    callbacks = [command.callback for command in plugin.shell]  # the command itself may be a translated copy
    context: click.Context | None = click.get_current_context()
    while context:
        if context.command.callback in callbacks:
            return True
        context = context.parent
    return False


@click.group(cls=Faro, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="faro")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Faro, a Matrix bot for communities of practice."""
    ctx.obj = TerminalShell()


@main.command()
@CONFIG
@click.option(
    "--without",
    metavar="PLUGIN",
    multiple=True,
    help="Start without a plugin that cannot be loaded; it catches up when it is back. Can be repeated.",
)
def run(config: Path, without: Sequence[str]) -> None:
    """Run the bot until it is stopped."""
    from bot.matrix.login import LoginError

    opened = read(config)
    if missing := _secrets_to_log_in(opened):
        tell(missing, translator())
    settings = opened.loaded.config
    logs.configure(settings.log.format, settings.log.level)
    try:
        refuse_moved(opened.loaded.data_dir)
        with only_one(opened.loaded.data_dir):
            asyncio.run(_run(opened, frozenset(without)))
    except LoggedOut as error:
        end(LOGGED_OUT, str(error))
    except LoginError as error:
        end(WRONG_CONFIG, str(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        log.info("stopped")


def _secrets_to_log_in(opened: Opened) -> Sequence[Problem]:
    """Secrets that could not be read, if they are needed: only the first start needs a password or token."""
    return () if (opened.loaded.data_dir / SESSION).exists() else opened.loaded.missing_secrets


@main.command()
@CONFIG
@click.option("--schema", is_flag=True, help="Also write the JSON Schema for editors beside the configuration.")
@click.option("--live", is_flag=True, help="Also look at the hubs' rooms on the homeserver, with the bot's account.")
def check(config: Path, schema: bool, live: bool) -> None:
    """Check a configuration and report every mistake."""
    from bot.config.schema import write_schema

    if schema:
        for written in write_schema(config, find(peek(config)).plugins):
            click.echo(written)
    opened = read(config)
    t = translator()
    hubs = len(opened.loaded.config.hubs)
    if not hubs:
        click.echo(t.t("There is no hub yet: write one under 'hubs:', or name its file under 'include:'."), err=True)
    click.echo(t.n("{count} hub, no problem found.", "{count} hubs, no problem found.", hubs))
    _show_privacy_notices(opened)
    if missing := _secrets_to_log_in(opened):
        show(missing, t)
        click.echo(t.t("“faro check” does not need this; the first “faro run” will."), err=True)
    if live:
        from bot.operations import live_check
        from bot.timing.clock import SystemClock

        findings = _looked(live_check.look(opened.loaded, SystemClock()))
        _show_findings(findings)
        if any(finding.level == "trouble" for finding in findings):
            sys.exit(TROUBLE)


@main.command()
@CONFIG
@click.argument("hub")
@click.argument("operator", required=False)
def invite(config: Path, hub: str, operator: str | None) -> None:
    """Invite OPERATOR, or all operators of the configuration, into the rooms of HUB that the bot is in."""
    from bot.operations import live_check
    from bot.timing.clock import SystemClock

    opened, t = read(config), translator()
    chosen = next((one for one in opened.loaded.config.hubs if one.id == hub), None)
    if chosen is None:
        ids = ", ".join(one.id for one in opened.loaded.config.hubs)
        end(WRONG_CONFIG, t.t("There is no hub '{hub}'; known hubs: {known}", hub=hub, known=ids))
    operators = [operator] if operator else opened.loaded.config.operators
    if not operators or not set(operators) <= set(opened.loaded.config.operators):
        end(WRONG_CONFIG, t.t("Only people listed under 'operators:' can be invited this way."))
    _show_findings(_looked(live_check.invite(opened.loaded, SystemClock(), chosen, operators)))


def _looked(work: Coroutine[Any, Any, Sequence[Finding]]) -> Sequence[Finding]:
    """The findings of work on the homeserver; ends the program where it cannot be asked."""
    try:
        return asyncio.run(work)
    except FaroError as error:
        end(LOGGED_OUT if isinstance(error, LoggedOut) else TROUBLE, str(error))


def _show_findings(findings: Sequence[Finding]) -> None:
    t = translator()
    levels = {"ok": t.t("ok"), "note": t.t("note"), "trouble": t.t("PROBLEM")}
    for finding in findings:
        click.echo(f"{levels[finding.level]}: {t.t(finding.text)}")


def _show_privacy_notices(opened: Opened) -> None:
    """What `!help` says in each hub's encrypted rooms about its plugins."""
    catalogs = Catalogs({plugin.name: folder(plugin) for plugin in opened.plugins})
    for hub in opened.loaded.config.hubs:
        for plugin in opened.plugins:
            words = catalogs.translator(plugin.name, translator().language)
            for notice in plugin.privacy_notices(hub, encrypted=True):
                click.echo(f"  {hub.id}: {words.t(notice)}")


@main.command()
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def doctor(config: Path, as_json: bool) -> None:
    """Check the health of the bot; exit code 1 if there is a problem."""
    opened = read(config)
    findings = asyncio.run(_findings(opened))
    t = translator()
    well = all(finding.level != "trouble" for finding in findings)
    if as_json:
        reported = [
            {"level": one.level, "code": one.code, "hub": one.hub, "room": one.room, "text": t.t(one.text)}
            for one in findings
        ]
        click.echo(json.dumps({"well": well, "findings": reported}, ensure_ascii=False, indent=2))
    else:
        _show_findings(findings)
    if not well:
        sys.exit(TROUBLE)


async def _findings(opened: Opened) -> Sequence[Finding]:
    from bot.matrix.clock_check import clock_skew
    from bot.operations import doctor
    from bot.timing.clock import SystemClock

    clock = SystemClock()
    findings = await doctor.diagnose(doctor.check_target(opened.loaded), clock.now())
    return [*findings, doctor.check_clock(await clock_skew(opened.loaded.config.homeserver, clock))]


@main.command()
@click.option(
    "--script", is_flag=True, help="Play a fixed script without a terminal; exit code 1 if an answer is missing."
)
@click.option(
    "--dir",
    "directory",
    envvar="DEMO_DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the demo's files in this folder.",
)
def demo(script: bool, directory: Path | None) -> None:
    """Try the bot with a homeserver on this machine."""
    from bot.demo import run as demo_run
    from bot.timing.clock import SystemClock

    sys.exit(demo_run.demo(directory, script, translator(), SystemClock()))


@main.command()
@CONFIG
def console(config: Path) -> None:
    """Chat with the bot of a configuration without a homeserver."""
    from bot.cli import console as chat_console
    from bot.timing.clock import SystemClock

    opened = read(config)
    logs.configure(level="warning")
    sys.exit(chat_console.console(opened, translator(), SystemClock()))


main.add_command(crypto)
main.add_command(backup_command)
main.add_command(restore_command)
main.add_command(move_command)
main.add_command(init)


async def _run(opened: Opened, without: frozenset[str]) -> None:
    from bot import app
    from bot.matrix.client import connect
    from bot.matrix.login import Secrets
    from bot.operations import doctor
    from bot.operations.service_manager import service_manager
    from bot.runtime.migrations import open_database
    from bot.storage import absent_plugins
    from bot.storage.room_state import StoredRoomState
    from bot.timing.clock import SystemClock

    task = asyncio.current_task()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, task.cancel if task else lambda: None)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _ignore_hangup)
    clock = SystemClock()
    opened, loaded = opened.without_clashing(), opened.loaded
    wanted = [plugin for plugin in opened.plugins if plugin.name not in without]
    opening = open_database(
        loaded.data_dir / DATABASE, wanted, reasons=opened.reasons, without=without | loaded.left_out
    )
    async with opening as (db, plugins):
        async with db.transaction() as tx:
            absent = await absent_plugins.record(tx, [plugin.name for plugin in plugins], clock.now())
        for missing in absent:
            log.error("running without a plugin whose data is in the database", plugin=missing)
        _log_start(opened, [plugin.name for plugin in plugins])
        secrets = Secrets(loaded.password, loaded.token)
        manager = service_manager(os.environ)
        manager.tell(STATUS="Logging in")  # for as long as the homeserver is away
        transport = await connect(loaded.config, secrets, loaded.data_dir, clock, StoredRoomState(db))
        try:
            check_target = doctor.check_target(loaded)
            built = app.build(
                loaded, plugins, db, transport, clock, crash_points.checkpoints(os.environ), check_target, absent
            )
            transport.enable_verification(loaded.data_dir, clock, partial(built.services.may_verify, db.reading()))
            await app.run(built, manager)
        finally:
            await transport.close()


def _log_start(opened: Opened, plugins: Sequence[str]) -> None:
    """The line that a report of a bug should contain."""
    installed, hubs = versions(), opened.loaded.config.hubs
    log.info(
        "starting",
        faro=__version__,
        python=platform.python_version(),
        nio=metadata.version("matrix-nio"),
        plugins=[f"{name} {installed[name]}" if name in installed else name for name in plugins],
        hubs=len(hubs),
        rooms=sum(len(hub.rooms) for hub in hubs),
    )


def _ignore_hangup() -> None:
    """Service managers and closed terminals send SIGHUP, whose default would end the bot."""
    log.warning("SIGHUP ignored: restart the bot to apply a changed configuration")
