"""Shell commands whose help is in the language of the terminal.

What click itself says of wrong arguments stays in English: it has no translations.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable

import click

from bot.cli.terminal import translator
from bot.core.texts import Text
from bot.ports import Translator

_CLICK = {
    text.template: text
    for text in (
        Text("Options"),
        Text("Commands"),
        Text("Show this message and exit."),
        Text("Show the version and exit."),
    )
}
"""Click's own words in a help text."""


def localized(command: click.Command, t: Translator) -> click.Command:
    """A copy of a command in the language of `t`, with its options and subcommands."""
    copied = copy.copy(command)
    copied.context_class = HelpContext
    copied.help = t.t(inspect.cleandoc(command.help)) if command.help else None
    copied.params = [_option(param, t) if isinstance(param, click.Option) else param for param in command.params]
    if isinstance(copied, click.Group):
        copied.commands = {name: localized(sub, t) for name, sub in copied.commands.items()}
    return copied


def _option(option: click.Option, t: Translator) -> click.Option:
    copied = copy.copy(option)
    copied.help = t.t(option.help) if option.help else None
    return copied


class _Formatter(click.HelpFormatter):
    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or f"{translator().t('Usage:')} ")

    def write_heading(self, heading: str) -> None:
        super().write_heading(_of_click(heading))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(name, _of_click(text)) for name, text in rows], col_max, col_spacing)


class HelpContext(click.Context):
    """The context of commands whose help is translated."""

    formatter_class = _Formatter


def _of_click(text: str) -> str:
    return translator().t(_CLICK[text]) if text in _CLICK else text
