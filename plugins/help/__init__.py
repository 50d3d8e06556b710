"""`!help`: what the bot can do here, how one command is written, and what the bot is not for. The plugin also answers
what is no command."""

from __future__ import annotations

from collections.abc import Sequence

from bot.api import (
    CommandHelp,
    Context,
    Localized,
    Plugin,
    Reply,
    Settings,
    UserError,
    command,
    escape,
    fallback,
    in_language,
    nearest,
    section,
)
from plugins.help import unknown
from plugins.help.manual import called, prefix_of

__all__ = ["Help", "HelpHub"]

FIRST = ("find", "more", "show", "share", "topics", "recent", "meetings", "language")  # what most people need
FEW = 12  # commands that are all explained at once
ALL = frozenset(("all", "todo", "tout", "tudo"))


class HelpHub(Settings):
    """What a hub may say about itself in the help."""

    official_channels: Localized | None = None
    """Where wrongdoing is reported, in the hub's own words (Markdown)."""


class Help(Plugin[Settings]):
    name = "help"
    hub_settings = HelpHub

    @command(
        "help",
        help="Show what I can do here, or how to use a command.",
        aliases={"es": "ayuda", "fr": "aide", "pt": "ajuda"},
        anywhere=True,
        examples=("help", "help find", "help all"),
    )
    async def show(self, ctx: Context, *, command: str = "") -> Reply:
        manual = ctx.manual()
        wanted = command.split()
        every = bool(wanted) and wanted[0].casefold() in ALL
        if wanted and not every:
            return Reply(_about(ctx, _entry(ctx, manual, wanted[0])))
        return Reply("\n\n".join([*_what_i_can_do(ctx, manual, every=every), _what_i_am_not(ctx, manual)]))

    @fallback
    async def answer(self, ctx: Context, line: str) -> Reply:
        return Reply(unknown.answer(ctx, line)) if line else await self.show(ctx)


def _what_i_can_do(ctx: Context, manual: Sequence[CommandHelp], *, every: bool) -> list[str]:
    """What most people need is explained; the rest, where it is much, named, unless `every` command is asked for."""
    here = [entry for entry in manual if entry.here]
    first = [entry for name in FIRST if (entry := called(here, name))]
    rest = sorted((entry for entry in here if entry not in first), key=lambda entry: entry.word)
    if every or not first or len(here) <= FEW:
        first, rest = [*first, *rest], []
    paragraphs = [
        ctx.t("Commands you can use here:"),
        "\n".join(
            "- " + ctx.t("{command}: {meaning}", command=f"`{entry.word}`", meaning=entry.help) for entry in first
        ),
    ]
    own = called(here, "help")
    if own and rest:
        words = ", ".join(f"`{entry.word}`" for entry in rest if entry is not own)
        all_ = f"`{own.word} {ctx.t('all')}`"
        paragraphs.append(
            ctx.t("More commands: {words}. To read about them, write {command}.", words=words, command=all_)
        )
    if in_rooms := sorted(entry.word for entry in manual if not entry.here):
        words = ", ".join(f"`{word}`" for word in in_rooms)
        paragraphs.append(ctx.t("Also available in your hub's rooms: {words}.", words=words))
    other = next((entry for entry in first if entry is not own), None)
    if own and other:
        example = f"`{own.word} {other.word.removeprefix(prefix_of(own))}`"
        paragraphs.append(ctx.t("To read more about a command, write for example {example}.", example=example))
    return paragraphs


def _what_i_am_not(ctx: Context, manual: Sequence[CommandHelp]) -> str:
    """The last lines: no channel for reports, what is stored, and what else is done with it."""
    sentences = [
        "**" + ctx.t("I am not a channel for reporting wrongdoing.") + "**",
        _official_channels(ctx) or ctx.t("Please use your organisation's official channels."),
        ctx.t(
            "I store the links shared in hub rooms and what you enter by command; I do not store your conversations."
        ),
        *ctx.privacy_notices(),
    ]
    if forget := called(manual, "forget"):
        sentences.append(ctx.t("To erase your data, write {command}.", command=f"`{forget.word}`"))
    return " ".join(sentences)


def _official_channels(ctx: Context) -> str | None:
    try:
        words = section(ctx.hub, HelpHub).official_channels
    except UserError:  # somebody of no hub
        return None
    if not words:
        return None
    sentence = in_language(words, ctx.language, *ctx.hub.languages).strip()
    return sentence if sentence.endswith((".", "!", "?", "…", ")")) else f"{sentence}."


def _about(ctx: Context, entry: CommandHelp) -> str:
    paragraphs = [f"`{entry.usage}`\n{entry.help}"]
    if entry.examples:
        examples = "\n".join(f"- `{example}`" for example in entry.examples)
        paragraphs.append(ctx.n("Example:", "Examples:", len(entry.examples)) + "\n" + examples)
    if others := [f"`{name}`" for name in entry.names if name != entry.word]:
        paragraphs.append(ctx.t("In other languages: {words}", words=", ".join(others)))
    return "\n\n".join(paragraphs)


def _entry(ctx: Context, manual: Sequence[CommandHelp], wanted: str) -> CommandHelp:
    by_word = {name.removeprefix(prefix_of(entry)).casefold(): entry for entry in manual for name in entry.names}
    word = wanted.removeprefix(prefix_of(manual[0])).casefold()
    if word in by_word:
        return by_word[word]
    shown = escape(wanted[:40])
    prefix = prefix_of(manual[0])
    readable = [name for entry in manual for name in (entry.word.removeprefix(prefix), entry.name)]
    if meant := nearest(word, readable):
        name = f"`{prefix}{meant}`"
        raise UserError(ctx.t("There is no command “{word}” here. Did you mean {name}?", word=shown, name=name))
    raise UserError(ctx.t("There is no command “{word}” here.", word=shown))
