"""What every shell command does: read the configuration, speak the reader's language, end with a code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NoReturn

import click

from bot.cli.offline import Opened, open_config, terminal_language
from bot.config.load import peek
from bot.core.errors import ConfigError, Problem
from bot.i18n.catalog import Catalogs
from bot.ports import Translator
from bot.runtime.plugins import find, folder

TROUBLE, WRONG_CONFIG, LOGGED_OUT = 1, 2, 3

CONFIG = click.argument("config", type=click.Path(path_type=Path, dir_okay=False))


def read(config: Path) -> Opened:
    """Ends the program with every problem of a configuration that cannot be used."""
    found = find(peek(config))
    t = translator()
    for broken in found.broken:  # first: with a plugin missing, its settings cannot be checked
        click.echo(t.t("Plugin '{name}' was not loaded: {reason}", name=broken.name, reason=broken.reason), err=True)
    try:
        return open_config(config, found)
    except ConfigError as error:
        all_owners = Catalogs({one.name: folder(one) for one in found.plugins}).all_owners(terminal_language())
        tell(error.problems, all_owners)


def tell(problems: Sequence[Problem], t: Translator) -> NoReturn:
    show(problems, t)
    end(WRONG_CONFIG, t.n("{count} problem found.", "{count} problems found.", len(problems)))


def show(problems: Sequence[Problem], t: Translator) -> None:
    for problem in problems:
        where = f"{problem.file}:{problem.line}:{problem.column}: "
        path = f"{problem.path}: " if problem.path else ""
        click.echo(f"{where}{path}{t.t(problem.message)}", err=True)


def translator() -> Translator:
    return _core_sentences(terminal_language())


@cache  # a help text asks for each of its commands, and reading a catalogue takes long
def _core_sentences(language: str) -> Translator:
    return Catalogs({}).translator("core", language)


def end(code: int, reason: str) -> NoReturn:
    click.echo(reason, err=True)
    sys.exit(code)
