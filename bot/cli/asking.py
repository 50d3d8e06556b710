"""Asks a person at the terminal for a yes or no, in their language."""

from __future__ import annotations

import click

from bot.ports import Translator

YES = frozenset(("y", "yes", "s", "si", "sí", "sim", "o", "oui"))
NO = frozenset(("n", "no", "non", "não", "nao"))


def confirm(question: str, t: Translator, *, default: bool = False) -> bool:
    """Asks at the terminal. A yes or no in any of the bot's languages counts; Enter means `default`."""
    yes, no = t.t("yes")[0], t.t("no")[0]
    choices = f"{yes.upper()}/{no}" if default else f"{yes}/{no.upper()}"
    while True:
        typed = click.prompt(f"{question} [{choices}]", default="", show_default=False, err=True).strip().casefold()
        if not typed or typed in YES | NO:
            return typed in YES if typed else default
