"""`faro bench`: delegates to `bench/`, which is part of the sources but not of the installed package."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click


class _Bench(click.Group):
    """Loads its commands on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_commands())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _commands().get(cmd_name)


def _commands() -> Mapping[str, click.Command]:
    try:
        module = importlib.import_module("bench.knowledge.commands")
    except ModuleNotFoundError as error:
        raise click.ClickException("`faro bench` needs Faro's sources: run it in a checkout.") from error
    commands: Mapping[str, click.Command] = module.COMMANDS
    return commands


bench = _Bench("bench", help="Measure the search index with invented links, and with judged questions.")
