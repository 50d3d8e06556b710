"""A question at the terminal takes a yes or no in any of the bot's languages."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from bot.cli.asking import confirm
from bot.i18n.catalog import CORE, Catalogs


def asked(typed: str, language: str = "es", *, default: bool = False) -> tuple[bool, str]:
    """What somebody who types this decided, and what was shown."""
    decided: list[bool] = []

    @click.command()
    def ask() -> None:
        decided.append(confirm("Borrar?", Catalogs({}).translator(CORE, language), default=default))

    shown = CliRunner().invoke(ask, input=typed)
    assert shown.exit_code == 0, shown.output
    return decided[0], shown.stderr.rstrip("\n")


@pytest.mark.parametrize("typed", ["s", "Sí", "si", "y", "yes", "oui", "SIM"])
def test_a_yes_counts_in_every_language(typed: str) -> None:
    assert asked(f"{typed}\n")[0]


@pytest.mark.parametrize("typed", ["n", "No", "não", "non", ""])
def test_a_no_or_enter_changes_nothing(typed: str) -> None:
    assert not asked(f"{typed}\n")[0]


def test_enter_is_yes_only_where_the_question_says_so() -> None:
    assert asked("\n", default=True) == (True, "Borrar? [S/n]: ")
    assert asked("\n")[1] == "Borrar? [s/N]: "
    assert asked("\n", "fr")[1] == "Borrar? [o/N]: "


def test_anything_else_is_asked_again() -> None:
    decided, shown = asked("maybe\ns\n")
    assert decided
    assert shown.count("Borrar?") == 2
