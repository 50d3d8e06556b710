"""`faro --help` is in the language of the terminal, and shells complete its commands."""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from bot.cli import main

ENGLISH_ONLY = {"bench"}  # for people who change Faro


def texts(group: click.Group = main.main) -> Iterator[str]:
    """What the help of every shell command says, in the language of the terminal."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or name in ENGLISH_ONLY:
            continue
        yield inspect.cleandoc(command.help or "")
        yield from (param.help or "" for param in command.params if isinstance(param, click.Option))
        if isinstance(command, click.Group):
            yield from texts(command)


def shown(language: str, *words: str) -> str:
    done = CliRunner(env={"LC_ALL": language, "COLUMNS": "300"}).invoke(main.main, [*words, "--help"])
    assert done.exit_code == 0
    return done.stdout


@pytest.mark.parametrize("language", ["es", "fr", "pt"])
def test_help_is_in_the_language_of_the_terminal(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    english = list(texts())
    monkeypatch.setenv("LC_ALL", f"{language}_XX.UTF-8")
    translated = list(texts())
    assert len(translated) == len(english) > 30
    assert all(english), "every command and option says what it does"
    assert [text for text, other in zip(english, translated, strict=True) if text == other] == []
    for frame in ("Usage:", "Commands:", "Show this message and exit."):
        assert frame in shown("C")
        assert frame not in shown(f"{language}_XX.UTF-8")


def test_help_speaks_english_to_all_others() -> None:
    english = shown("de_DE.UTF-8", "find")
    assert english.startswith("Usage: ")
    assert "Search a hub's links" in english
    assert shown("es_MX.UTF-8", "find").startswith("Uso: ")
    assert shown("C", "find") == english, "help in one language leaves nothing of it behind"


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_bash_completes_commands_and_options() -> None:
    program = [sys.executable, "-c", "import sys; from bot.cli.main import main; main(prog_name='faro')"]

    def faro(**environ: str) -> str:
        return subprocess.run(  # noqa: S603 - our own program
            program, env={**os.environ, **environ}, capture_output=True, text=True, check=False
        ).stdout

    def completed(*typed: str) -> list[str]:
        words = " ".join(("faro", *typed))
        lines = faro(_FARO_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(len(typed))).splitlines()
        return [line.partition(",")[2] for line in lines]

    assert completed("do") == ["doctor"]
    assert completed("undo") == ["undo-import"]
    assert "--json" in completed("find", "--")
    script = faro(_FARO_COMPLETE="bash_source")
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0  # noqa: S607 - from PATH
