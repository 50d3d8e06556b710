"""`faro purge` and `faro forget`: erase a result, a hub or a person for good, also while the bot runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import click

from bot.api import Offline, Shell, Translator
from plugins.knowledge.cli.common import (
    USER,
    USER_ERROR,
    confirm,
    exit_with,
    hub_arguments,
    progress,
    rewrite_index,
    run_resumable,
)
from plugins.knowledge.cli.report import printable
from plugins.knowledge.index import update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store import privacy
from plugins.knowledge.store.privacy import Held
from plugins.knowledge.urls import display
from plugins.knowledge.views import load
from plugins.knowledge.views.load import Entry


@click.command("purge")
@hub_arguments
@click.argument("number", required=False)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.pass_obj
def purge(shell: Shell, config: Path, hub: str, number: str | None, yes: bool) -> None:
    """Erase everything stored for HUB, or its result NUMBER.

    HUB may be one that is no longer configured. Results of the coordinators' room are written like c3.
    """
    offline = shell.open(config)
    t = offline.translator
    configured = hub in {item.id for item in offline.hubs}
    held, entry = asyncio.run(_load_held(offline, hub, number))
    if entry:
        title = printable(next(iter(dict(entry.title).values()), display.title(entry.url)))
        click.echo(t.t("Result {number} of '{hub}': {title}", number=load.short_name(entry), hub=hub, title=title))
    else:
        click.echo(t.t("Stored for the hub '{hub}':", hub=hub))
    _show_held(held, t)
    if configured:
        click.echo(t.t("Recommendations from the hub's YAML file come back, and links shared from now on are stored."))
    if confirm(offline, t.t("Erase it permanently?"), yes):
        run_resumable(_erase(offline, entry) if entry else _erase_hub(offline, hub, held, configured=configured), t)
        click.echo(t.t("Erased, from the database file too."))


@click.command("forget")
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("user", metavar="@USER:SERVER")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.pass_obj
def forget(shell: Shell, config: Path, user: str, yes: bool) -> None:
    """Erase everything stored about a person, like their !forget me."""
    offline = shell.open(config)
    t = offline.translator
    if not USER.fullmatch(user):
        raise click.BadParameter(t.t("Write a Matrix user like @ana:example.org."), param_hint="@USER:SERVER")
    held, unlogged = asyncio.run(_load_held_of_person(offline, user))
    click.echo(t.t("Stored about {user} in all hubs:", user=user))
    _show_held(held, t)
    click.echo(t.t("Their language setting and anything else they entered by command are erased too."))
    if unlogged:
        click.echo(t.t("They turned off storing their links: this setting is kept so that it stays in effect."))
    if confirm(offline, t.t("Erase it permanently?"), yes):
        existed = run_resumable(_forget(offline, user), t)
        click.echo(
            t.t("Erased, from the database file too.") if existed else t.t("The bot has no data about this person.")
        )


async def _load_held(offline: Offline, hub: str, number: str | None) -> tuple[Held, Entry | None]:
    """What the index holds of a hub, or of one result; exits if there is none."""
    t = offline.translator
    async with offline.reading() as db:
        hubs = sorted({*await db.run(privacy.hubs), *(configured.id for configured in offline.hubs)})
        if hub not in hubs:
            message = t.t("There is no hub '{hub}'; known hubs: {known}", hub=hub, known=", ".join(hubs))
            raise click.BadParameter(message, param_hint="HUB")
        if number is None:
            return await db.run(privacy.held_of_hub, hub), None
        entry = await db.run(load.of_hub, hub, number)
        if entry is None:
            exit_with(USER_ERROR, t.t("There is no result with the number {number} here.", number=number))
        return await db.run(privacy.held_of_entry, entry.id), entry


async def _load_held_of_person(offline: Offline, user: str) -> tuple[Held, bool]:
    async with offline.reading() as db:
        return await db.run(privacy.held_of_person, user), await db.run(privacy.is_unlogged, user)


def _show_held(held: Held, t: Translator) -> None:
    for line in _held_lines(held, t):
        click.echo(f"  - {line}")


def _held_lines(held: Held, t: Translator) -> Iterator[str]:
    for table, count in held.items():
        match table:
            case "entries":
                yield t.n("{count} result", "{count} results", count)
            case "shares":
                yield t.n("shared {count} time", "shared {count} times", count)
            case "statements":
                yield t.n("{count} correction", "{count} corrections", count)
            case "changes":
                yield t.n("{count} entry in the list of changes", "{count} entries in the list of changes", count)
            case _:
                yield t.n("{count} vote", "{count} votes", count)


async def _erase(offline: Offline, entry: Entry) -> bool:
    async with offline.writing() as db:
        async with db.transaction() as tx:
            await tx.run(update.purge, Rules(offline.hubs), {entry.id})
            await offline.keep_erasure(tx, "entry", f"{entry.shelf.hub}/{load.short_name(entry)}")
        with progress() as bars:
            await rewrite_index(db, bars, offline.translator)
    return True


async def _erase_hub(offline: Offline, hub: str, held: Held, *, configured: bool) -> bool:
    rules = Rules(offline.hubs)
    async with offline.writing() as db:
        with progress() as bars:
            task = bars.add_task(offline.translator.t("Erasing"), total=held["entries"])
            async with db.transaction() as tx:
                await tx.run(privacy.drop_searches, hub)
                await offline.keep_erasure(tx, "hub", hub)
            erased = 1
            while erased:
                async with db.transaction() as tx:
                    erased = await tx.run(update.purge_some, rules, hub)
                bars.advance(task, erased)
            async with db.transaction() as tx:
                await tx.run(privacy.close_hub, hub, configured=configured)
            for table in ("knowledge_rooms", "knowledge_people"):
                more = True
                while more:
                    async with db.transaction() as tx:
                        more = await tx.run(privacy.drop_unused, table)
            await rewrite_index(db, bars, offline.translator)
    return True


async def _forget(offline: Offline, user: str) -> bool:
    """Whether anything was held. `Offline.forget` leaves a large index unrewritten, so this rewrites it."""
    if not await offline.forget(user):
        return False
    async with offline.writing() as db:
        with progress() as bars:
            await rewrite_index(db, bars, offline.translator)
    return True
