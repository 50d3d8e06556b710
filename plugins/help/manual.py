"""Finds commands in `ctx.manual()`, and writes them as the asker would."""

from __future__ import annotations

from collections.abc import Sequence

from bot.api import CommandHelp, Context


def called(manual: Sequence[CommandHelp], name: str) -> CommandHelp | None:
    """A command by its English name."""
    return next((entry for entry in manual if entry.name == name), None)


def prefix_of(entry: CommandHelp) -> str:
    return entry.names[0].removesuffix(entry.name)


def written(ctx: Context, prefix: str, word: str, rest: str = "") -> str:
    """A command by its bare word, as code; direct chats need no prefix."""
    line = f"{'' if ctx.room.direct else prefix}{word} {rest}".rstrip()
    return f"`{line}`"
