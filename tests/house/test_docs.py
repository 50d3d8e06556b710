"""The pages keep their promises: every command is explained, every link leads somewhere, every `make` target exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.core.commands import CommandSpec
from bot.loading import bind, find
from tests.house.source import ROOT, name_of

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "plugins").glob("*/README.md")])
USE = (ROOT / "docs/use.md").read_text(encoding="utf-8")
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
    named = {target for page in PAGES for target in re.findall(r"`?\bmake ([a-z]+)`", page.read_text(encoding="utf-8"))}
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"test", "demo"} <= named <= targets
