"""`faro init`: a first configuration from five questions."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import click
from pydantic import TypeAdapter, ValidationError

from bot.cli.asking import confirm
from bot.cli.offline import terminal_language
from bot.cli.terminal import WRONG_CONFIG, end, translator
from bot.config.model import BotConfig
from bot.config.problems import explain
from bot.core.texts import Text
from bot.hubs import Language, Room, UserId
from bot.ports import Translator

TEMPLATE = """\
# Written by `faro init`. Every setting is explained in docs/configure.md; `faro check {name}` checks this file.
# The password does not belong here: set FARO_PASSWORD for the first start, or name a file with `password_file:`.

homeserver: {homeserver}
user: {user}
operators: [{operator}]

hubs:
  - id: {hub_id}
    title: {hub}
    languages: {languages}
    timezone: UTC              # of the hub's meetings, for example America/Guatemala
    rooms:
      - alias: {room}
        create: true           # the bot creates the room if it does not exist
        log_links: true        # the bot stores the links people share here
    # coordinators:
    #   - {{user: "@ana:example.org", name: Ana, city: Guatemala, timezone: America/Guatemala}}
"""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask, and the type its answer must have."""

    option: str
    text: Text
    adapter: TypeAdapter[str]

    def problem(self, answer: str) -> Text | None:
        """What is wrong with an answer."""
        try:
            self.adapter.validate_python(answer)
        except ValidationError as error:
            return explain(error.errors()[0])
        return None


QUESTIONS = (
    Question(
        "homeserver",
        Text("Address of the homeserver, such as https://matrix.example.org"),
        TypeAdapter(BotConfig.model_fields["homeserver"].rebuild_annotation()),
    ),
    Question("user", Text("The bot's account on it, such as @faro:example.org"), TypeAdapter(UserId)),
    Question("operator", Text("Your own account, which may use every command"), TypeAdapter(UserId)),
    Question(
        "hub",
        Text("Name of the hub, such as Integrity in Customs"),
        TypeAdapter(BotConfig.model_fields["display_name"].rebuild_annotation()),
    ),
    Question(
        "room",
        Text("Address of its room, such as #integrity:example.org"),
        TypeAdapter(Room.model_fields["alias"].rebuild_annotation()),
    ),
)


@click.command("init")
@click.argument("config", type=click.Path(path_type=Path, dir_okay=False), default="config.yaml")
@click.option("--homeserver", metavar="URL", help="Address of the homeserver.")
@click.option("--user", metavar="USER", help="The bot's account.")
@click.option("--operator", metavar="USER", help="Your own account.")
@click.option("--hub", metavar="NAME", help="Name of the hub.")
@click.option("--room", metavar="ALIAS", help="Address of the hub's room.")
@click.option("--yes", is_flag=True, help="Write the file without asking.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def init(config: Path, yes: bool, force: bool, **given: str | None) -> None:
    """Write a first configuration; asks five questions."""
    t = translator()
    if config.exists() and not force:
        end(WRONG_CONFIG, t.t("{file} exists already; pass --force to replace it.", file=config))
    answers = _answers(given, t)
    text = rendered(config, answers)
    if not yes:
        if not sys.stdin.isatty():
            end(WRONG_CONFIG, t.t("Not a terminal; pass --yes to confirm."))
        click.echo(f"\n{text}")
        if not confirm(t.t("Write this to {file}?", file=config), t, default=True):
            end(1, t.t("Nothing was changed."))
    config.write_text(text, encoding="utf-8")
    click.echo(t.t("{file} was written. Next:", file=config))
    click.echo(f"  faro check {config}\n  FARO_PASSWORD=… faro run {config}")


def rendered(config: Path, answers: Mapping[str, str]) -> str:
    """The text of the configuration."""
    quoted = {name: json.dumps(answer, ensure_ascii=False) for name, answer in answers.items()}
    language = terminal_language()
    languages = dict.fromkeys([language, "en"] if language in get_args(Language) else ["en"])
    return TEMPLATE.format(
        name=config.name, hub_id=_slug(answers["hub"]), languages=f"[{', '.join(languages)}]", **quoted
    )


def _answers(given: Mapping[str, str | None], t: Translator) -> Mapping[str, str]:
    missing = [question.option for question in QUESTIONS if not given.get(question.option)]
    if missing and not sys.stdin.isatty():
        options = ", ".join(f"--{name}" for name in missing)
        end(WRONG_CONFIG, t.t("Not a terminal; pass {options}.", options=options))
    return {question.option: _answer(question, given.get(question.option), t) for question in QUESTIONS}


def _answer(question: Question, given: str | None, t: Translator) -> str:
    if given:
        if problem := question.problem(given):
            end(WRONG_CONFIG, f"--{question.option}: {t.t(problem)}")
        return given
    while True:
        answer: str = click.prompt(t.t(question.text)).strip()
        problem = question.problem(answer)
        if problem is None:
            return answer
        click.echo(t.t(problem), err=True)


def _slug(title: str) -> str:
    """An id for a hub: "Integridad en Aduanas" → "integridad-en-aduanas"."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "hub"
