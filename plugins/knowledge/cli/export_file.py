"""`faro export`: writes a hub's entries to a file."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from bot.api import Offline, Shell, Translator, in_language
from plugins.knowledge.cli.common import FAILURE, exit_with, find_hub, hub_arguments, progress
from plugins.knowledge.store.access import COORDINATORS, ENCRYPTED, MEMBERS, PLAIN
from plugins.knowledge.transfer import exporter
from plugins.knowledge.transfer.exporter import Manner
from plugins.knowledge.transfer.formats.item import Item, Meta
from plugins.knowledge.transfer.formats.registry import WRITERS, Writer

FULL = ("json", "csv")  # formats that can mark a link as hidden
LABELLED = (*FULL, "netscape")  # formats that can label it amber
ENDINGS = {".json": "json", ".csv": "csv", ".html": "netscape", ".htm": "netscape", ".md": "markdown", ".rss": "rss",
           ".xml": "rss"}  # fmt: skip


@click.command("export")
@hub_arguments
@click.argument("file", default="-", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option(
    "--format", "format_", type=click.Choice(sorted(WRITERS)), help="Format of FILE (default: by its name, else JSON)."
)
@click.option("--public", is_flag=True, help="Only results labelled TLP:CLEAR, without people's names and words.")
@click.option("--with-people", is_flag=True, help="Include who shared each link, and a link to the message.")
@click.option("--coordinators", is_flag=True, help="Export the coordinators' links instead of the members'.")
@click.option("--encrypted", is_flag=True, help="Export the links of encrypted rooms instead of the others.")
@click.pass_obj
def export_command(
    shell: Shell, config: Path, hub: str, file: Path, format_: str | None, public: bool, with_people: bool,
    coordinators: bool, encrypted: bool,
) -> None:  # fmt: skip
    """Export a hub's links to FILE: JSON, CSV, bookmarks (HTML), Markdown or RSS."""
    offline = shell.open(config)
    t = offline.translator
    chosen = find_hub(offline, hub)
    if public and (with_people or coordinators or encrypted):
        text = t.t("A public export contains no people and nothing from coordinators' or encrypted rooms.")
        raise click.UsageError(text)
    name = format_ or ENDINGS.get(file.suffix.lower() or ".json")
    if name is None:
        endings = ", ".join(ENDINGS)
        message = t.t(
            "No format has the extension '{ending}'; use one of {known}, or pass --format.",
            ending=file.suffix,
            known=endings,
        )
        raise click.BadParameter(message, param_hint="FILE")
    circle = COORDINATORS if coordinators else MEMBERS
    kind = ENCRYPTED if encrypted else PLAIN
    manner = Manner(chosen.id, circle, with_people, public, flags=name in FULL, labels=name in LABELLED, kind=kind)
    meta = Meta(in_language(chosen.title, *chosen.languages), chosen.id, offline.now)
    try:
        with _target(file) as stream:
            count, left_out = asyncio.run(_write(offline, manner, WRITERS[name], stream, meta))
    except KeyboardInterrupt:
        exit_with(FAILURE, t.t("Interrupted; nothing was written."))
    except OSError as error:
        exit_with(FAILURE, f"{file}: {error.strerror or error}")
    click.echo(t.n("{count} link written.", "{count} links written.", count), err=True)
    for line in _left_out_lines(left_out, t):
        click.echo(line, err=True)


@contextmanager
def _target(file: Path) -> Iterator[BinaryIO]:
    """Standard output for `-`; else a file, private to its owner and written atomically."""
    if str(file) == "-":
        yield sys.stdout.buffer
        return
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


async def _write(
    offline: Offline, manner: Manner, write: Writer, stream: BinaryIO, meta: Meta
) -> tuple[int, Counter[str]]:
    """Runs the synchronous writer in a thread of its own, which pulls pages from the asynchronous database."""
    left_out: Counter[str] = Counter()
    stopped = threading.Event()
    async with offline.reading() as db:
        with progress() as bars:
            task = bars.add_task(offline.translator.t("Writing"), total=await db.run(exporter.count, manner))
            pages = exporter.pages(db, manner, left_out)
            loop = asyncio.get_running_loop()

            def items() -> Iterator[Item]:
                while page := asyncio.run_coroutine_threadsafe(_next(pages), loop).result():
                    bars.advance(task, page[0])
                    if stopped.is_set():
                        return
                    yield from page[1]

            try:
                count = await asyncio.to_thread(write, items(), stream, meta)
            finally:
                stopped.set()
    return count, left_out


async def _next(pages: AsyncIterator[tuple[int, Sequence[Item]]]) -> tuple[int, Sequence[Item]] | None:
    return await anext(pages, None)


def _left_out_lines(left_out: Counter[str], t: Translator) -> Iterator[str]:
    for reason, count in sorted(left_out.items()):
        match reason:
            case "file":
                yield t.n(
                    "{count} file shared in a room is not included: it has no web address.",
                    "{count} files shared in rooms are not included: they have no web address.",
                    count,
                )
            case "hidden":
                yield t.n("{count} hidden link is not included.", "{count} hidden links are not included.", count)
            case "amber":
                yield t.n("{count} link is not included: this format cannot mark it as TLP:AMBER.",
                          "{count} links are not included: this format cannot mark them as TLP:AMBER.",
                          count)  # fmt: skip
            case "not clear":
                yield t.n("{count} link is not included: it is not TLP:CLEAR.",
                          "{count} links are not included: they are not TLP:CLEAR.", count)  # fmt: skip
            case _:
                yield t.n(
                    "{count} link is not included: its address contains a password or token.",
                    "{count} links are not included: their addresses contain a password or token.",
                    count,
                )
