"""`faro take-back`: undoes the import of a file, also while the bot runs."""

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
from plugins.knowledge.store.access import COORDINATORS
from plugins.knowledge.store.imports import UNFINISHED, Effect, Import


@click.command("take-back")
@hub_arguments
@click.argument("number", required=False, type=int)
@click.option("--dry-run", is_flag=True, help="Only show what would be taken back.")
@click.option("--yes", is_flag=True, help="Do not ask before it is taken back.")
@click.pass_obj
def take_back(shell: Shell, config: Path, hub: str, number: int | None, dry_run: bool, yes: bool) -> None:
    """Take back the file NUMBER that was brought into a hub. Without NUMBER, list those files."""
    offline = shell.open(config)
    t = offline.translator
    find_hub(offline, hub)
    files = asyncio.run(_files(offline, hub))
    if number is None:
        _list(files, hub, t)
        return
    file = next((candidate for candidate in files if candidate.id == number), None)
    if file is None:
        exit_with(USER_ERROR, t.t("No file with the number {number} was brought into '{hub}'.", number=number, hub=hub))
    click.echo(_describe(file, t))
    if file.state == "undone":
        click.echo(t.t("There is nothing left to take back."))
        return
    effect = asyncio.run(_effect(offline, file))
    click.echo(t.n("{count} result goes.", "{count} results go.", effect.go))
    if effect.stay:
        click.echo(t.n("{count} result stays, without what the file said of it: it is shared, recommended or "
                       "corrected by others.",
                       "{count} results stay, without what the file said of them: they are shared, recommended or "
                       "corrected by others.", effect.stay))  # fmt: skip
    if dry_run or not confirm(t.t("Take it back?"), yes, t):
        return
    run_resumable(_take_back(offline, file, effect), t)
    click.echo(t.t("It is taken back, and its words are erased from the database."))


async def _files(offline: Offline, hub: str) -> Sequence[Import]:
    async with offline.reading() as db:
        return await db.run(imports.imports, hub)


async def _effect(offline: Offline, file: Import) -> Effect:
    async with offline.reading() as db:
        return await db.run(imports.effect, file.id)


def _list(files: Sequence[Import], hub: str, t: Translator) -> None:
    if not files:
        click.echo(t.t("No file was brought into '{hub}'.", hub=hub))
    for file in files:
        click.echo(_describe(file, t))


def _describe(file: Import, t: Translator) -> str:
    day = datetime.fromtimestamp(file.at / 1000, UTC).date().isoformat()
    facts = [str(file.id), day, file.name, t.n("{count} link", "{count} links", file.links)]
    if file.circle == COORDINATORS:
        facts.append(t.t("for the coordinators' rooms"))
    if file.state == "undone":
        facts.append(t.t("taken back"))
    elif file.state in UNFINISHED:
        facts.append(t.t(UNFINISHED[file.state]))
    return " · ".join(facts)


async def _take_back(offline: Offline, file: Import, effect: Effect) -> None:
    """Undoes the import in batches. Resumable: it counts as undone only after its text has left the database file."""
    rules = Rules(offline.hubs)
    async with offline.writing() as db:
        async with db.transaction() as tx:
            await tx.run(imports.begin_undoing, file.id)
        with progress() as bars:
            task = bars.add_task(offline.translator.t("Taking back"), total=effect.go + effect.stay)
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
