"""`faro init` writes a configuration that `faro check` accepts, and never harms one that exists."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from bot.cli import main
from bot.cli.init import rendered
from bot.config.load import load
from bot.replies import harmless
from bot.runtime.plugins import find
from tests.demo.processes import screen

ANSWERS = {
    "homeserver": "https://matrix.example.org",
    "user": "@faro:example.org",
    "operator": "@ana:example.org",
    "hub": 'Integridad: "Ñandú"',
    "room": "#integrity:example.org",
}
ENVIRON = {"LC_ALL": "en_US.UTF-8"}


def faro(*words: object) -> Result:
    return CliRunner(env=ENVIRON).invoke(main.main, [str(word) for word in words])


def options(**changed: str) -> list[str]:
    return [word for name, value in {**ANSWERS, **changed}.items() for word in (f"--{name}", value)]


def test_options_alone_write_a_configuration_that_checks(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    assert faro("init", file, "--yes", *options()).exit_code == 0
    assert faro("check", file).output.startswith("1 hub, no problem found.\n  integridad-nandu: Links from encrypted ")


@pytest.mark.slow
def test_five_answers_at_a_terminal_are_previewed_and_written(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    with screen("init", str(file), environ=ENVIRON) as terminal:
        terminal.wait_for("Address of the homeserver")
        terminal.type("matrix.example.org\r")
        terminal.wait_for("did you mean 'https://matrix.example.org'?")
        for answer in ANSWERS.values():
            terminal.type(f"{answer}\r")
        terminal.wait_for("Write this to")
        assert not file.exists()
        terminal.type("\r")
        assert terminal.exit_code() == 0
    assert faro("check", file).exit_code == 0


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"homeserver": "matrix"}, "did you mean 'https://matrix'?"),
        ({"user": "faro"}, "--user: 'faro' is not a user id"),
        ({"room": "integrity"}, "--room: 'integrity' is not a room address"),
    ],
)
def test_a_wrong_option_is_named_with_the_remedy(tmp_path: Path, wrong: dict[str, str], sentence: str) -> None:
    done = faro("init", tmp_path / "config.yaml", "--yes", *options(**wrong))
    assert (done.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert sentence in done.output


def test_without_a_terminal_the_missing_options_are_named(tmp_path: Path) -> None:
    done = faro("init", tmp_path / "config.yaml", "--homeserver", "https://matrix.example.org")
    assert done.exit_code == 2
    assert "--user, --operator, --hub, --room" in done.output


def test_a_file_that_exists_is_replaced_only_by_force(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("precious", encoding="utf-8")
    done = faro("init", file, "--yes", *options())
    assert (done.exit_code, file.read_text("utf-8")) == (2, "precious")
    assert "--force" in done.output
    assert faro("init", file, "--yes", "--force", *options()).exit_code == 0
    assert faro("check", file).exit_code == 0


@given(hub=st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]), min_size=1).filter(str.strip))
def test_whatever_the_hub_is_called_the_file_says_so(tmp_path_factory: pytest.TempPathFactory, hub: str) -> None:
    file = tmp_path_factory.mktemp("init") / "config.yaml"
    file.write_text(rendered(file, {**ANSWERS, "hub": hub}), encoding="utf-8")
    loaded = load(file, find().plugins, {}, secrets=False)
    assert loaded.config.hubs[0].title == {"": harmless(hub)}, "without spaces at its ends"
