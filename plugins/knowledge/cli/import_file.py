"""`faro import`: imports a file of links into a hub, after a preview and a confirmation."""

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
    FAILURE,
    USER,
    USER_ERROR,
    confirm,
    exit_with,
    find_hub,
    hub_arguments,
    progress,
    run_resumable,
)
from plugins.knowledge.cli.report import Report, line_prefix, printable
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store import imports, privacy
from plugins.knowledge.store.access import COORDINATORS, ENCRYPTED, MEMBERS, PLAIN
from plugins.knowledge.transfer import importer
from plugins.knowledge.transfer.formats.item import LABELS, ExchangeError, Item, Skipped
from plugins.knowledge.transfer.formats.registry import HEAD, READERS, Reader, detect
from plugins.knowledge.transfer.import_plan import Manner, Outcome
from plugins.knowledge.transfer.importer import Slice
from plugins.knowledge.urls import display

FIRST = 5  # links, and skipped entries, that the preview shows


@dataclass(slots=True)
class Preview:
    """What the preview found in a file."""

    sample: list[Item] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    skipped_count: int = 0
    total: int = 0
    """Entries of the file: links, and what was skipped."""
    links: int = 0
    already_known: int = 0


@click.command("import")
@hub_arguments
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--format", "format_", type=click.Choice(sorted(READERS)), help="Format of the file (default: detected).")
@click.option("--dry-run", is_flag=True, help="Only show what would be imported.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--as", "sharer", metavar="@USER:SERVER", help="Who shares these links (default: nobody).")
@click.option("--keep-sharers", is_flag=True, help="Keep the names of the people in the file. Ask them first.")
@click.option("--label", type=click.Choice(LABELS), help="Sharing label of all links, instead of what the file says.")
@click.option("--coordinators", is_flag=True, help="Import them for the coordinators' rooms only.")
@click.option("--encrypted", is_flag=True, help="Import them for the encrypted rooms only.")
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a CSV with the outcome of each link."
)
@click.pass_obj
def import_command(
    shell: Shell, config: Path, hub: str, file: Path, format_: str | None, dry_run: bool, yes: bool, sharer: str | None,
    keep_sharers: bool, label: str | None, coordinators: bool, encrypted: bool, report: Path | None,
) -> None:  # fmt: skip
    """Import links into a hub from JSON, CSV, bookmarks (HTML), linkding or Shaarli."""
    offline = shell.open(config)
    t = offline.translator
    chosen = find_hub(offline, hub)
    if sharer and not USER.fullmatch(sharer):
        raise click.BadParameter(t.t("Write a Matrix user like @ana:example.org."), param_hint="--as")
    if dry_run and report:
        text = t.t("A dry run imports nothing to report on; leave out --report or --dry-run.")
        raise click.BadParameter(text, param_hint="--report")
    circle = COORDINATORS if coordinators else MEMBERS
    kind = ENCRYPTED if encrypted else PLAIN
    manner = Manner(chosen.id, offline.now, circle, sharer, keep_sharers, label, kind)
    if not (dry_run or yes or sys.stdin.isatty()):
        exit_with(
            USER_ERROR,
            t.t("Not a terminal; pass --yes to import the links, or --dry-run for a preview."),
        )
    with file.open("rb") as stream, _file_errors(file, t):
        name = format_ or detect(file, stream.read(HEAD))
        preview = asyncio.run(_preview(offline, manner, stream, READERS[name]))
        _show_preview(preview, file, name, chosen, t)
        if dry_run or not preview.links:
            return
        if not confirm(offline, t.t("Import them?"), yes):
            return
        with _report_file(report) as table:
            outcomes = Report(table, t)
            run_resumable(_import(offline, manner, file, stream, READERS[name], preview.total, outcomes), t)
            outcomes.summary()


@contextmanager
def _file_errors(file: Path, t: Translator) -> Iterator[None]:
    """Exits with a message if the file cannot be read."""
    try:
        yield
    except OSError as error:
        exit_with(FAILURE, f"{error.filename or file}: {error.strerror or error}")
    except ExchangeError as error:
        location = f"{file}:{error.line}" if error.line else str(file)
        exit_with(USER_ERROR, f"{location}: {t.t(error.text)}")


@contextmanager
def _report_file(report: Path | None) -> Iterator[TextIO | None]:
    """The file for the report; private to its owner, as it names links of the hub."""
    if report is None:
        yield None
        return
    with open(report, "w", encoding="utf-8", newline="", opener=_private) as table:
        yield table


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


async def _preview(offline: Offline, manner: Manner, stream: BufferedReader, read: Reader) -> Preview:
    preview = Preview()
    batch: list[str] = []
    stream.seek(0)
    async with offline.reading() as db:
        if manner.sharer is not None and await db.run(privacy.is_unlogged, manner.sharer):
            exit_with(USER_ERROR, offline.translator.t("{user} turned off storing their links.", user=manner.sharer))

        async def count() -> None:
            present = await db.run(importer.known, manner, set(batch))
            preview.already_known += sum(url in present for url in batch)
            batch.clear()

        with progress() as bars:
            task = bars.add_task(offline.translator.t("Reading the file"), total=None)
            for entry in read(stream):
                bars.advance(task)
                preview.total += 1
                if isinstance(entry, Skipped):
                    preview.skipped_count += 1
                    preview.skipped += [entry] if len(preview.skipped) < FIRST else []
                    continue
                preview.links += 1
                preview.sample += [entry] if len(preview.sample) < FIRST else []
                batch.append(entry.url)
                if len(batch) == importer.SLICE:
                    await count()
        await count()
    return preview


def _show_preview(preview: Preview, file: Path, name: str, hub: Hub, t: Translator) -> None:
    hub_title = in_language(hub.title, t.language, *hub.languages)
    click.echo(
        t.t("{file} ({format}), to be imported into “{hub}”:", file=_file_name(file), format=name, hub=hub_title)
    )
    click.echo(t.n("{count} link", "{count} links", preview.links))
    click.echo(t.n("{count} of them is already known", "{count} of them are already known", preview.already_known))
    new = preview.links > preview.already_known
    if preview.links and not new:
        click.echo(t.t("No link is new; only details from the file are added."))
    for item in preview.sample if new else ():
        title = in_language(dict(item.title), t.language, *hub.languages) if item.title else display.title(item.url)
        click.echo(f"  - {printable(title)} · {display.shown(item.url)}")
    if new and preview.links > FIRST:
        click.echo("  - …")
    if preview.skipped_count:
        click.echo(t.n("{count} item is skipped:", "{count} items are skipped:", preview.skipped_count))
    for skipped in preview.skipped:
        click.echo(f"  - {line_prefix(skipped, t)}{printable(skipped.what)}: {t.t(skipped.why)}")
    if preview.skipped_count > FIRST:
        click.echo("  - …")


async def _import(
    offline: Offline, manner: Manner, file: Path, stream: BufferedReader, read: Reader, total: int, report: Report
) -> None:
    """Imports the file in batches. Resumable: each transaction records how much of the file is done."""
    digest = _digest(stream, manner)
    name = _file_name(file)
    rules = Rules(offline.hubs)
    async with offline.writing() as db:
        earlier = await db.reading().run(imports.begun, digest)
        done = earlier[1] if earlier else 0
        report.earlier = done

        begun = earlier is not None

        async def import_batch(batch: Sequence[Item], items: int, *, end: bool = False) -> Sequence[Outcome]:
            nonlocal begun
            part = Slice(digest, name, items, end, goes_on=begun)
            begun = True
            try:
                async with db.transaction() as tx:
                    return await tx.run(importer.import_slice, rules, manner, batch, part)
            except imports.UndoneMeanwhile:
                exit_with(FAILURE, offline.translator.t("This import was undone meanwhile; nothing of it is stored."))

        with progress() as bars:
            task = bars.add_task(offline.translator.t("Importing"), total=total)
            batch: list[Item] = []
            size = position = 0
            stream.seek(0)
            for position, entry in enumerate(read(stream), start=1):
                bars.advance(task)
                if isinstance(entry, Skipped):
                    report.add_skipped(entry)
                elif position > done:
                    batch.append(entry)
                    size += max(1, len(entry.shares) + len(entry.versions))
                if size >= importer.SLICE:
                    report.add_outcomes(await import_batch(batch, position))
                    batch, size = [], 0
            report.add_outcomes(await import_batch(batch, position, end=True))


def _file_name(file: Path) -> str:
    """The name of a file, made printable: it may be any bytes."""
    return printable(os.fsencode(file.name).decode(errors="replace"))


def _digest(stream: BufferedReader, manner: Manner) -> str:
    """Identifies this import: a digest of the file's content and of the options."""
    stream.seek(0)
    content = hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    options = (manner.hub, manner.circle, manner.kind, manner.sharer, manner.keep_sharers, manner.label)
    return hashlib.blake2b(repr((content, options)).encode(), digest_size=16).hexdigest()
