"""`faro undo-import`: undoes the import of a file, also while the bot runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.api import Offline, Shell, Translator
from plugins.knowledge.cli.common import (
    USER_ERROR,
    confirm,
    exit_with,
    find_hub,
    hub_arguments,
    progress,
    rewrite_index,
    run_resumable,
)
from plugins.knowledge.index import update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store import imports, privacy
from plugins.knowledge.store.access import COORDINATORS, ENCRYPTED
from plugins.knowledge.store.imports import UNFINISHED, Effect, Import


@click.command("undo-import")
@hub_arguments
@click.argument("number", required=False, type=int)
@click.option("--dry-run", is_flag=True, help="Only show what would be undone.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.pass_obj
def undo_import(shell: Shell, config: Path, hub: str, number: int | None, dry_run: bool, yes: bool) -> None:
    """Undo the import with this NUMBER. Without NUMBER, list the imported files."""
    offline = shell.open(config)
    t = offline.translator
    find_hub(offline, hub)
    files = asyncio.run(_files(offline, hub))
    if number is None:
        _list(files, hub, t)
        return
    file = next((candidate for candidate in files if candidate.id == number), None)
    if file is None:
        exit_with(USER_ERROR, t.t("'{hub}' has no import with the number {number}.", number=number, hub=hub))
    click.echo(_describe(file, t))
    if file.state == "undone":
        click.echo(t.t("There is nothing left to undo."))
        return
    effect = asyncio.run(_effect(offline, file))
    click.echo(t.n("{count} result will be removed.", "{count} results will be removed.", effect.go))
    if effect.stay:
        click.echo(
            t.n(
                "{count} result stays without the file's text: others shared, recommended or edited it.",
                "{count} results stay without the file's text: others shared, recommended or edited them.",
                effect.stay,
            )
        )
    if dry_run or not confirm(offline, t.t("Undo the import?"), yes):
        return
    run_resumable(_undo_import(offline, file, effect), t)
    click.echo(t.t("The import was undone and its text erased."))


async def _files(offline: Offline, hub: str) -> Sequence[Import]:
    async with offline.reading() as db:
        return await db.run(imports.imports, hub)


async def _effect(offline: Offline, file: Import) -> Effect:
    async with offline.reading() as db:
        return await db.run(imports.effect, file.id)


def _list(files: Sequence[Import], hub: str, t: Translator) -> None:
    if not files:
        click.echo(t.t("No file has been imported into '{hub}'.", hub=hub))
    for file in files:
        click.echo(_describe(file, t))


def _describe(file: Import, t: Translator) -> str:
    day = datetime.fromtimestamp(file.at / 1000, UTC).date().isoformat()
    facts = [str(file.id), day, file.name, t.n("{count} link", "{count} links", file.links)]
    if file.circle == COORDINATORS:
        facts.append(t.t("for the coordinators' rooms"))
    if file.kind == ENCRYPTED:
        facts.append(t.t("for the encrypted rooms"))
    if file.state == "undone":
        facts.append(t.t("undone"))
    elif file.state in UNFINISHED:
        facts.append(t.t(UNFINISHED[file.state]))
    return " · ".join(facts)


async def _undo_import(offline: Offline, file: Import, effect: Effect) -> None:
    """Undoes the import in batches. Resumable: it counts as undone only after its text has left the database file."""
    rules = Rules(offline.hubs)
    async with offline.writing() as db:
        async with db.transaction() as tx:
            await tx.run(imports.begin_undoing, file.id)
        with progress() as bars:
            task = bars.add_task(offline.translator.t("Undoing the import"), total=effect.go + effect.stay)
            done = 1
            while done:
                async with db.transaction() as tx:
                    done = await tx.run(update.undo_some_of_import, rules, file.id)
                bars.advance(task, done)
            more = True
            while more:
                async with db.transaction() as tx:
                    more = await tx.run(privacy.drop_unused, "knowledge_people")
            await rewrite_index(db, bars, offline.translator)
        async with db.transaction() as tx:
            await tx.run(imports.end_undoing, file.id)
