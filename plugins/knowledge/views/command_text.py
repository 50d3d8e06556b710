"""Formats commands in the asker's language, for answers that propose one."""

from __future__ import annotations

from bot.api import Context


def written(ctx: Context, command: str, arguments: str = "") -> str:
    """A command in the asker's language: `!buscar regalos`."""
    word = next((entry.word for entry in ctx.manual() if entry.name == command), command)
    return f"`{word} {arguments}`" if arguments else f"`{word}`"


def with_yes(ctx: Context, command: str, arguments: str) -> str:
    """The command that confirms this one."""
    return written(ctx, command, f"{arguments} {ctx.t('yes')}")


def with_no(ctx: Context, command: str, arguments: str) -> str:
    """The command that rejects what this one would accept."""
    return written(ctx, command, f"{arguments} {ctx.t('no')}")


def more(ctx: Context, command: str, page: int, left: int) -> list[str]:
    """A line with the number of items after this page and the command that shows them; nothing if there are none."""
    if left <= 0:
        return []
    command = written(ctx, command, str(page + 1))
    return [ctx.t("{count} more: {command}", count=left, command=command)]


def example(ctx: Context, command: str) -> str:
    """The first example of a command, in the asker's language."""
    return next((f"`{entry.examples[0]}`" for entry in ctx.manual() if entry.name == command), f"`{command}`")
