"""`faro import`: a file of links is brought into a hub, after a look at what that would do."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import TextIO

import click

from bot.api import Hub, Offline, Shell, Translator, in_language
from plugins.knowledge.cli.common import (
    TROUBLE,
    USER,
    WRONG,
    agreed,
    end,
    finished,
    hub_arguments,
    hub_called,
    progress,
)
from plugins.knowledge.cli.report import Report, place, plain
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store import imports, privacy
from plugins.knowledge.store.access import COORDINATORS, MEMBERS
from plugins.knowledge.transfer import importer
from plugins.knowledge.transfer.formats.item import LABELS, ExchangeError, Item, Skipped
from plugins.knowledge.transfer.formats.registry import HEAD, READERS, Reader, detect
from plugins.knowledge.transfer.import_plan import Manner, Outcome
from plugins.knowledge.transfer.importer import Slice
from plugins.knowledge.urls import display

FIRST = 5  # links, and reasons, that the preview shows


@dataclass(slots=True)
class Preview:
    """What is in a file."""

    first: list[Item] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    reasons: int = 0
    read: int = 0
    """How much the reader gives: links, and what was skipped."""
    links: int = 0
    known: int = 0


@click.command("import")
@hub_arguments
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--format", "format_", type=click.Choice(sorted(READERS)), help="What the file is; else it is looked at.")
@click.option("--dry-run", is_flag=True, help="Only show what would be brought in.")
@click.option("--yes", is_flag=True, help="Do not ask before something is changed.")
@click.option("--as", "sharer", metavar="@USER:SERVER", help="Who shares these links; nobody is named if left out.")
@click.option("--keep-sharers", is_flag=True, help="Name the people the file names. Ask them first.")
@click.option("--label", type=click.Choice(LABELS), help="The sharing label of all, instead of what the file says.")
@click.option("--coordinators", is_flag=True, help="Bring them in for the coordinators' rooms only.")
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a CSV: what became of each link."
)
@click.pass_obj
def import_command(
    shell: Shell, config: Path, hub: str, file: Path, format_: str | None, dry_run: bool, yes: bool, sharer: str | None,
    keep_sharers: bool, label: str | None, coordinators: bool, report: Path | None,
) -> None:  # fmt: skip
    """Bring links from a file into a hub: JSON, CSV, bookmarks (HTML), linkding, Shaarli."""
    offline = shell.open(config)
    t = offline.translator
    chosen = hub_called(offline, hub)
    if sharer and not USER.fullmatch(sharer):
        raise click.BadParameter(t.t("Write a Matrix user like @ana:example.org."), param_hint="--as")
    circle = COORDINATORS if coordinators else MEMBERS
    manner = Manner(chosen.id, offline.now, circle, sharer, keep_sharers, label)
    if not (dry_run or yes or sys.stdin.isatty()):
        end(WRONG, t.t("Nobody can be asked here. Write --yes to bring the links in, or --dry-run to look at them."))
    with file.open("rb") as stream, _trouble(file, t):
        name = format_ or detect(file, stream.read(HEAD))
        preview = asyncio.run(_look(offline, manner, stream, READERS[name]))
        _show(preview, file, name, chosen, t)
        if dry_run or not preview.links:
            return
        if not agreed(t.t("Bring them in?"), yes, t):
            return
        with _table(report) as table:
            told = Report(table, t)
            finished(_bring(offline, manner, file, stream, READERS[name], preview.read, told), t)
            told.summary()


@contextmanager
def _trouble(file: Path, t: Translator) -> Iterator[None]:
    """A file that is not what it should be ends the command."""
    try:
        yield
    except OSError as error:
        end(TROUBLE, f"{error.filename or file}: {error.strerror or error}")
    except ExchangeError as error:
        where = f"{file}:{error.line}" if error.line else str(file)
        end(WRONG, f"{where}: {t.t(error.text)}")


@contextmanager
def _table(report: Path | None) -> Iterator[TextIO | None]:
    """Where the report goes: only for its owner's eyes, as it names links of the hub."""
    if report is None:
        yield None
        return
    with open(report, "w", encoding="utf-8", newline="", opener=_private) as table:
        yield table


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


async def _look(offline: Offline, manner: Manner, stream: BufferedReader, read: Reader) -> Preview:
    preview = Preview()
    batch: list[str] = []
    stream.seek(0)
    async with offline.reading() as db:
        if manner.sharer is not None and await db.run(privacy.is_unlogged, manner.sharer):
            end(WRONG, offline.translator.t("{user} wants nothing kept that they share.", user=manner.sharer))

        async def count() -> None:
            there = await db.run(importer.known, manner, set(batch))
            preview.known += sum(url in there for url in batch)
            batch.clear()

        with progress() as bars:
            task = bars.add_task(offline.translator.t("Looking through the file"), total=None)
            for found in read(stream):
                bars.advance(task)
                preview.read += 1
                if isinstance(found, Skipped):
                    preview.reasons += 1
                    preview.skipped += [found] if len(preview.skipped) < FIRST else []
                    continue
                preview.links += 1
                preview.first += [found] if len(preview.first) < FIRST else []
                batch.append(found.url)
                if len(batch) == importer.SLICE:
                    await count()
        await count()
    return preview


def _show(preview: Preview, file: Path, name: str, hub: Hub, t: Translator) -> None:
    where = in_language(hub.title, t.language, *hub.languages)
    click.echo(t.t("{file} ({format}), to be brought into “{hub}”:", file=_called(file), format=name, hub=where))
    click.echo(t.n("{count} link", "{count} links", preview.links))
    click.echo(t.n("{count} of them is known already", "{count} of them are known already", preview.known))
    new = preview.links > preview.known
    if preview.links and not new:
        click.echo(t.t("No link is new: at most what the file says of them is added."))
    for item in preview.first if new else ():
        title = in_language(dict(item.title), t.language, *hub.languages) if item.title else display.title(item.url)
        click.echo(f"  - {plain(title)} · {display.shown(item.url)}")
    if new and preview.links > FIRST:
        click.echo("  - …")
    if preview.reasons:
        click.echo(t.n("{count} thing is left out:", "{count} things are left out:", preview.reasons))
    for one in preview.skipped:
        click.echo(f"  - {place(one, t)}{plain(one.what)}: {t.t(one.why)}")
    if preview.reasons > FIRST:
        click.echo("  - …")


async def _bring(
    offline: Offline, manner: Manner, file: Path, stream: BufferedReader, read: Reader, total: int, report: Report
) -> None:
    """Begun and not finished, it goes on: how much of the file is done is written in each transaction."""
    digest = _digest(stream, manner)
    name = _called(file)
    rules = Rules(offline.hubs)
    async with offline.writing() as db:
        begun = await db.reading().run(imports.begun, digest)
        done = begun[1] if begun else 0
        report.earlier = done

        async def put(batch: Sequence[Item], items: int, *, end: bool = False) -> Sequence[Outcome]:
            async with db.transaction() as tx:
                return await tx.run(importer.import_slice, rules, manner, batch, Slice(digest, name, items, end))

        with progress() as bars:
            task = bars.add_task(offline.translator.t("Bringing in"), total=total)
            batch: list[Item] = []
            size = nth = 0
            stream.seek(0)
            for nth, found in enumerate(read(stream), start=1):
                bars.advance(task)
                if isinstance(found, Skipped):
                    report.skipped(found)
                elif nth > done:
                    batch.append(found)
                    size += max(1, len(found.shares) + len(found.versions))
                if size >= importer.SLICE:
                    report.brought(await put(batch, nth))
                    batch, size = [], 0
            report.brought(await put(batch, nth, end=True))


def _called(file: Path) -> str:
    """The name of a file, which may be any bytes."""
    return plain(os.fsencode(file.name).decode(errors="replace"))


def _digest(stream: BufferedReader, manner: Manner) -> str:
    """Of the file, and of what is done with it."""
    stream.seek(0)
    content = hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    how = (manner.hub, manner.circle, manner.sharer, manner.keep_sharers, manner.label)
    return hashlib.blake2b(repr((content, how)).encode(), digest_size=16).hexdigest()
