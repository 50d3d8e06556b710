"""The pages keep their promises: every command is explained, every link leads somewhere, every `make` target exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from bot.cli import terminal
from bot.core.commands import CommandSpec
from bot.runtime.plugins import bind, find
from tests.house.source import ROOT, name_of

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "plugins").glob("*/README.md")])
USE = (ROOT / "docs/use.md").read_text(encoding="utf-8")
RUN = (ROOT / "docs/run.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
SECTIONS = {part.split()[0].strip("`!"): part for part in re.split(r"^### ", USE, flags=re.MULTILINE)[1:]}
COMMANDS = bind(find().plugins, {})[0].vocabulary.specs


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: str(spec.name))
def test_every_command_is_explained_with_its_usage_its_words_and_its_examples(spec: CommandSpec) -> None:
    section = SECTIONS[spec.name]
    assert section.startswith(f"`!{spec.usage}`\n")
    assert spec.help in section
    for word in {word for _, word in spec.aliases}:
        assert f"`!{word}`" in section
    for example in spec.examples:
        assert f"`!{example}`" in section


def test_every_command_on_the_page_exists() -> None:
    assert set(SECTIONS) <= {spec.name for spec in COMMANDS}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_every_make_target_that_is_named_exists() -> None:
    named = {
        target for page in PAGES for target in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8"))
    }
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"test", "demo"} <= named <= targets


def test_the_architecture_page_names_every_file_and_folder_of_the_program_and_every_plugin() -> None:
    (drawing,) = re.findall(r"^```text\n(.*?)^```", ARCHITECTURE, re.MULTILINE | re.DOTALL)
    drawn = set(re.findall(r"^[├└]── (\S+)", drawing, re.MULTILINE))
    folders = {
        f"{init.parent.name}/" for folder in ("bot", "plugins") for init in (ROOT / folder).glob("*/__init__.py")
    }
    files = {file.name for file in (ROOT / "bot").glob("*.py")} - {"__init__.py"}
    assert drawn == folders | files


def test_every_path_the_architecture_page_names_exists() -> None:
    named = re.findall(r"`((?:bot|plugins|tests)/[\w./*]*)`", ARCHITECTURE)
    assert not [path for path in named if not list(ROOT.glob(path.rstrip("/")))]


def test_every_dependency_is_explained() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["demo"]]
    names = {re.split(r"[^\w-]", requirement)[0] for requirement in wanted}
    explained = ARCHITECTURE.partition("## Dependencies, and why each")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\S+)` \|", explained, re.MULTILINE)) == names


def test_encryption_is_installed_with_faro_and_the_extra_of_earlier_versions_does_no_harm() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert any(requirement.startswith("matrix-nio[e2e]") for requirement in project["dependencies"])
    assert project["optional-dependencies"]["e2e"] == []


def test_every_exit_code_is_explained() -> None:
    codes = {int(code) for code in re.findall(r"^\| (\d) \|", RUN, re.MULTILINE)}
    assert codes == {0, terminal.TROUBLE, terminal.WRONG_CONFIG, terminal.LOGGED_OUT}


def test_every_version_is_pinned_once_and_nothing_else_stands_in_the_constraints() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    names = [re.sub(r"[-_.]+", "-", pin.partition("==")[0]).lower() for pin in pins]
    assert len(names) == len(set(names))
