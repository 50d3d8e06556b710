"""`faro backup`, `faro restore` and `faro move`. Exit codes and sentences; what is done is in
`bot.operations.backup`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from bot import __version__
from bot.cli.offline import OfflineConfig, Opened, open_config
from bot.cli.terminal import CONFIG, TROUBLE, WRONG_CONFIG, end, read, tell, translator
from bot.config.load import Loaded, peek
from bot.core.durations import parse as parse_duration
from bot.core.errors import ConfigError, TransportError, Unavailable
from bot.operations import backup, erasure_log
from bot.operations.backup import BackupError, Manifest
from bot.operations.lock import InUse, only_one
from bot.runtime.migrations import SCHEMA
from bot.runtime.plugins import find, folder
from bot.runtime.services import CORE
from bot.storage.database import steps_in
from bot.timing.clock import SystemClock

PATIENCE = 60  # seconds for signing in

PASSPHRASE = click.option(
    "--passphrase-file", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Encrypt the backup with the passphrase in this file, or open it with that.",
)  # fmt: skip
TARGET = click.argument("target", type=click.Path(path_type=Path))


@click.command("backup")
@CONFIG
@TARGET
@PASSPHRASE
@click.option("--keep", metavar="DURATION", help="Delete the backups in the folder that are older, such as 30d.")
def backup_command(config: Path, target: Path, passphrase_file: Path | None, keep: str | None) -> None:
    """Back up the bot to TARGET, a new file or a folder. The bot may run meanwhile."""
    opened, t, now = read(config), translator(), SystemClock().now()
    try:
        kept = parse_duration(keep) if keep else None
    except ValueError:
        raise click.BadParameter(t.t("Write a duration, such as 30d."), param_hint="--keep") from None
    if kept and not target.is_dir():
        raise click.BadParameter(t.t("With --keep, TARGET must be a folder."), param_hint="TARGET")
    file = _make(opened, target, now, "backup", passphrase_file)
    click.echo(t.t("The backup is in {file}.", file=file))
    for dropped in backup.drop_old(target, opened.loaded.config.user, kept, now) if kept else ():
        click.echo(t.t("Deleted an older backup: {file}", file=dropped))


@click.command("move")
@CONFIG
@TARGET
@PASSPHRASE
def move_command(config: Path, target: Path, passphrase_file: Path | None) -> None:
    """Pack the whole installation into TARGET, to continue on another machine. It cannot be started here any more."""
    opened, t, now = read(config), translator(), SystemClock().now()
    try:
        with only_one(opened.loaded.data_dir):
            file = _make(opened, target, now, "move", passphrase_file)
            backup.mark_moved(opened.loaded.data_dir, now)
    except InUse as error:
        end(TROUBLE, str(error))
    click.echo(t.t("The installation is in {file}. Unpack it on the other machine with faro restore.", file=file))
    click.echo(t.t("The bot does not start here any more."))


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@CONFIG
@PASSPHRASE
@click.option(
    "--erasures", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The erasures.jsonl of the lost installation, if it is not in the data folder.",
)  # fmt: skip
def restore_command(file: Path, config: Path, passphrase_file: Path | None, erasures: Path | None) -> None:
    """Restore the backup FILE: the configuration to CONFIG, which must not exist, and the data to its folder."""
    t, now = translator(), SystemClock().now()
    try:
        with backup.opened(file, _passphrase(passphrase_file)) as (manifest, unpacked):
            opened = _configuration(unpacked, manifest)
            _refuse_newer(manifest, opened)
            data_dir = config.parent / opened.loaded.config.data_dir
            with only_one(data_dir):
                backup.put_in_place(manifest, unpacked, config, data_dir)
                click.echo(t.t("The files are in place: {config}, {folder}", config=config, folder=data_dir))
                restored = read(config)
                if manifest.kind == "backup":
                    asyncio.run(_take_up(restored, manifest, erasures or data_dir / erasure_log.FILE, now))
    except BackupError as error:
        end(TROUBLE, t.t(error.text))
    except (InUse, OSError) as error:
        end(TROUBLE, str(error))
    click.echo(t.t("Start the bot: faro run {config}", config=config))


async def _take_up(opened: Opened, manifest: Manifest, erasures: Path, now: int) -> None:
    """Erases again what was erased since the copy was made, and signs in as a new device."""
    t = translator()
    again = erasure_log.read(erasures, manifest.made_at)
    await OfflineConfig(opened, CORE, now).take_up(manifest.made_at, again)
    if again:
        click.echo(t.n("{count} erasure was done again.", "{count} erasures were done again.", len(again)))
    try:
        click.echo(t.t("Signed in as the new device {device}.", device=await _sign_in(opened.loaded)))
    except TransportError as error:
        click.echo(t.t("The bot will sign in at its first start, because it could not now: {reason}", reason=error))


async def _sign_in(loaded: Loaded) -> str:
    """Logs in as a new device, signs it and gives it the room keys of the backup; answers its id."""
    from bot.matrix.client import connect
    from bot.matrix.clock_check import clock_skew
    from bot.matrix.login import Secrets
    from bot.operations.live_check import Unencrypted

    clock, secrets = SystemClock(), Secrets(loaded.password, loaded.token)
    if await clock_skew(loaded.config.homeserver, clock) is None:  # logging in would wait for it without end
        raise Unavailable(f"{loaded.config.homeserver} does not answer")
    try:
        async with asyncio.timeout(PATIENCE):
            transport = await connect(loaded.config, secrets, loaded.data_dir, clock, Unencrypted())
    except TimeoutError as error:
        raise Unavailable(f"{loaded.config.homeserver} did not answer in time") from error
    await transport.close()
    return transport.device_id


def _make(opened: Opened, target: Path, now: int, kind: backup.Kind, passphrase_file: Path | None) -> Path:
    t = translator()
    try:
        return backup.make(opened.loaded, opened.path, target, now, kind=kind, passphrase=_passphrase(passphrase_file))
    except BackupError as error:
        end(TROUBLE, t.t(error.text))
    except OSError as error:
        end(TROUBLE, f"{error.filename or target}: {error.strerror or error}")


def _passphrase(file: Path | None) -> str | None:
    if file is None:
        return None
    passphrase = file.read_text("utf-8").strip()
    if not passphrase:
        end(WRONG_CONFIG, translator().t("{file} is empty.", file=file))
    return passphrase


def _configuration(unpacked: Path, manifest: Manifest) -> Opened:
    """The configuration in an opened backup."""
    path = unpacked / "config" / manifest.config
    try:
        return open_config(path, find(peek(path)))
    except ConfigError as error:
        tell(error.problems, translator())


def _refuse_newer(manifest: Manifest, opened: Opened) -> None:
    """A database that is newer than this program, or of a plugin that is not there, cannot be used."""
    t = translator()
    known = {plugin.name: steps_in(folder(plugin) / "schema") for plugin in opened.plugins} | {CORE: steps_in(SCHEMA)}
    for owner, step in manifest.steps.items():
        steps = known.get(owner, ())
        if step > max((one.number for one in steps), default=0) and owner not in opened.loaded.left_out:
            text = t.t(
                "The tables of '{owner}' in the backup are newer than this program (version {version}; the backup is "
                "of {needed}), or the plugin is not installed.",
                owner=owner,
                version=__version__,
                needed=manifest.faro,
            )
            end(TROUBLE, text)


def refuse_moved(data_dir: Path) -> None:
    """Ends the program where the installation was moved away."""
    if day := backup.moved_at(data_dir):
        text = translator().t(
            "This installation was moved away on {day} and runs elsewhere; two would break its encryption. If it never "
            "started there, delete {file}.",
            day=day,
            file=data_dir / backup.MOVED,
        )
        end(TROUBLE, text)
