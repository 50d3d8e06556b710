"""Commands for sharing and for privacy choices: `!share`, `!mylinks`, `!askme`."""

from __future__ import annotations

from bot.api import Context, Reply, Role, SyncReader, UserError, command, escape
from plugins.knowledge.capture import labels
from plugins.knowledge.capture.links import shared_links, with_schemes
from plugins.knowledge.capture.new_shares import new_shares, schedule_erasure
from plugins.knowledge.commands import references
from plugins.knowledge.fetch import queue
from plugins.knowledge.index import update
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store import privacy, statements
from plugins.knowledge.store.access import Shelf
from plugins.knowledge.store.pages import IDS, as_list
from plugins.knowledge.urls import display
from plugins.knowledge.views import command_text


class ShareCommands:
    """Handles the sharing commands."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @command(
        "share",
        help="Share a link with a note and topics, even where links are not stored automatically.",
        aliases={"es": "compartir", "fr": "partager", "pt": "compartilhar"},
        rooms_only=True,
        changes=True,
        examples=("share https://example.org/guide for new colleagues #gifts",),
    )
    async def share(self, ctx: Context, *, link: str) -> Reply:
        shared = shared_links(with_schemes(link))
        if not shared.links:
            red = "red" in link.casefold() and "tlp" in link.casefold()
            raise UserError(
                ctx.t("TLP:RED links are not stored.")
                if red
                else ctx.t("Messages marked {mark} are not stored.", mark=labels.NO_LOG)
                if labels.has_no_log(link)
                else ctx.t(
                    "That contains no web address. Write it like this: {example}",
                    example=command_text.example(ctx, "share"),
                )
            )
        if await ctx.db.run(privacy.is_unlogged, ctx.sender):
            turn_on = command_text.written(ctx, "mylinks", ctx.t("on"))
            raise UserError(
                ctx.t("You turned off storing your links. To turn it on again, write {command}.", command=turn_on)
            )
        new = new_shares(ctx, ctx.message, shared)
        entries, removed = await ctx.db.run(
            update.replace, self._rules, ctx.room.id, ctx.message.event_id, ctx.sender, new
        )
        if removed:
            await schedule_erasure(ctx)
        await queue.enqueue_changed(ctx, {*entries.values(), *removed})
        numbers: dict[str, None] = {}
        sentences = []
        rows = await ctx.db.rows(
            f"""SELECT e.id, e.number, e.hidden, s.id AS shelf, s.hub, s.circle, s.kind FROM knowledge_entries e
            JOIN knowledge_shelves s ON s.id = e.shelf WHERE e.id IN {IDS}""",
            ids=as_list(set(entries.values())),
        )
        entry_rows = {row["id"]: row for row in rows}
        for share, id_ in entries.items():
            row = entry_rows[id_]
            number = f"{Shelf(row['shelf'], row['hub'], row['circle'], row['kind']).sign}{row['number']}"
            if row["hidden"]:
                sentences.append(await _hidden_notice(ctx, share.url, id_, number))
            else:
                numbers[number] = None
        if numbers:
            sentences.insert(0, ctx.t("Saved as {numbers}. Thank you.", numbers=", ".join(numbers)))
        return Reply("\n".join(sentences))

    @command(
        "mylinks",
        help="Choose whether the links you share are stored: on or off.",
        aliases={"es": "misenlaces", "fr": "mesliens", "pt": "meuslinks"},
        changes=True,
        examples=("mylinks off",),
        anywhere=True,
    )
    async def mylinks(self, ctx: Context, choice: str) -> Reply:
        kept = _parse_choice(ctx, choice)
        await ctx.db.run(privacy.choose, ctx.sender, unlogged=not kept)
        if kept:
            return Reply(ctx.t("From now on, links you share are stored."))
        return Reply(
            ctx.t(
                "From now on, links you share are not stored. Links stored earlier stay; {forget} erases them.",
                forget=command_text.written(ctx, "forget"),
            )
        )

    @command(
        "askme",
        help="Choose whether others may be referred to you on topics you shared about: on or off.",
        aliases={"es": "preguntame", "fr": "interrogez", "pt": "pergunteme"},
        changes=True,
        examples=("askme on",),
        anywhere=True,
    )
    async def askme(self, ctx: Context, choice: str) -> Reply:
        askable = _parse_choice(ctx, choice)
        await ctx.db.run(privacy.choose, ctx.sender, askable=askable)
        if askable:
            return Reply(ctx.t("You are now listed as a contact for the topics you shared about."))
        return Reply(ctx.t("You are no longer listed as a contact."))


async def _hidden_notice(ctx: Context, url: str, entry: int, number: str) -> str:
    """Tells the sharer that the page is hidden. Only those who hid it learn who did."""
    if await ctx.db.run(_may_unhide, entry, ctx.sender, coordinator=ctx.role >= Role.COORDINATOR):
        return references.hidden_by_you(ctx, url, number)
    return ctx.t("The page {address} is hidden here, so searches do not show it. Coordinators can show it again.",
                 address=escape(display.shown(url)))  # fmt: skip


def _may_unhide(db: SyncReader, entry: int, user: str, *, coordinator: bool) -> bool:
    """Whether this person hid the entry and may unhide it: as a coordinator, or as its sole sharer."""
    return statements.is_hidden_by(db, entry, user, own=True) or (
        coordinator and statements.is_hidden_by(db, entry, user, own=False)
    )


def _parse_choice(ctx: Context, choice: str) -> bool:
    answer = choice.casefold()
    if answer not in references.ON | references.OFF:
        raise UserError(ctx.t("Write {on} or {off}.", on=f"`{ctx.t('on')}`", off=f"`{ctx.t('off')}`"))
    return answer in references.ON
