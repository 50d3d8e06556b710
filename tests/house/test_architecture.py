"""What docs/architecture.md says about the code is true. The direction of imports is checked by import-linter."""

from __future__ import annotations

import re
import tokenize
from pathlib import Path

import pytest

from tests.house.source import ROOT, calls, functions, imports, name_of, python_files

KEEPERS = {"nio": "bot/matrix/", "aiosqlite": "bot/storage/", "apscheduler": "bot/timing/"}
"""Each part of the outside world, and the one folder that may import it."""

CLOCKS = re.compile(r"(datetime\.)?(datetime|date)\.(now|utcnow|today)|time\.(time|time_ns|sleep)|asyncio\.sleep")
CLOCK_FOLDERS = ("bot/timing/", "bot/testing/")

LONG = 500  # a hint: one topic stays in one file
LONGER_ON_PURPOSE = {"bot/api.py": "the public API is one file, and every name of it has a docstring with an example"}

IGNORED = re.compile(r"#\s*(noqa|type:\s*ignore)\b(?P<rest>.*)")
WITH_CODE_AND_REASON = re.compile(r"^(: [A-Z]+\d+(, ?[A-Z]+\d+)* - \S.*|\[[a-z-]+(, ?[a-z-]+)*\]  # \S.*)$")

PLUGINS = sorted(folder for folder in (ROOT / "plugins").iterdir() if (folder / "__init__.py").is_file())


def test_each_part_of_the_outside_world_is_imported_by_one_folder_only() -> None:
    strangers = [
        f"{name_of(file)} imports {name}"
        for file in python_files("bot", "plugins")
        for name in imports(file).values()
        if (folder := KEEPERS.get(name.partition(".")[0])) and not name_of(file).startswith(folder)
    ]
    assert not strangers


def test_plugins_import_nothing_of_the_program_but_the_public_door_and_what_tests_need() -> None:
    strangers = [
        f"{name_of(file)} imports {name}"
        for file in python_files("plugins")
        for name in imports(file).values()
        if name.partition(".")[0] == "bot" and name.split(".")[1:2] not in (["api"], ["testing"])
    ]
    assert not strangers


def test_the_clock_is_read_and_waited_for_in_one_folder_only() -> None:
    readers = [
        f"{name_of(file)}:{line} calls {name}"
        for file in python_files("bot", "plugins")
        if not name_of(file).startswith(CLOCK_FOLDERS)
        for line, name in calls(file)
        if CLOCKS.fullmatch(name)
    ]
    assert not readers


def test_a_clock_is_recognised_however_it_was_imported(tmp_path: Path) -> None:
    file = tmp_path / "late.py"
    file.write_text(
        "import asyncio, time, datetime as dt\nfrom datetime import datetime\nfrom asyncio import sleep as wait\n"
        "time.time(); datetime.now(); dt.date.today(); wait(1); asyncio.sleep(1); time.monotonic(); clock.sleep(1)\n",
        encoding="utf-8",
    )
    assert [name for _, name in calls(file) if CLOCKS.fullmatch(name)] == [
        "time.time",
        "datetime.datetime.now",
        "datetime.date.today",
        "asyncio.sleep",
        "asyncio.sleep",
    ]


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda folder: str(folder.name))
def test_a_plugin_explains_itself_and_is_tested(plugin: Path) -> None:
    assert (plugin / "README.md").read_text(encoding="utf-8").strip()
    assert list((ROOT / "tests" / plugin.name).glob("test_*.py"))


def test_every_test_states_its_promise() -> None:
    """In a name that says more than what is tested, or in a docstring."""
    mute = [
        f"{name_of(file)}:{function.lineno} {function.name}"
        for file in python_files("tests")
        for function in functions(file)
        if function.name.startswith("test_")
        and len(function.name.split("_")) < 3
        and not (function.body and _docstring(function.body[0]))
    ]
    assert not mute


def _docstring(statement: object) -> bool:
    return isinstance(getattr(getattr(statement, "value", None), "value", None), str)


def test_every_silenced_warning_has_a_code_and_a_reason() -> None:
    bare = []
    for file in python_files("bot", "plugins", "tests"):
        with tokenize.open(file) as lines:
            for token in tokenize.generate_tokens(lines.readline):
                found = IGNORED.search(token.string) if token.type == tokenize.COMMENT else None
                if found and not WITH_CODE_AND_REASON.match(found["rest"]):
                    bare.append(f"{name_of(file)}:{token.start[0]} {token.string}")
    assert not bare


def test_a_long_file_has_a_reason() -> None:
    sizes = {
        name_of(file): len(file.read_text(encoding="utf-8").splitlines()) for file in python_files("bot", "plugins")
    }
    long = {name for name, size in sizes.items() if size > LONG}
    assert long == set(LONGER_ON_PURPOSE), "ask which second question the file answers, or say why it is long"


LISTED = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").partition("## Every file")[2]


def test_the_page_lists_every_file_once_under_its_folder() -> None:
    listed: dict[str, list[str]] = {}
    for part in re.split(r"^\*\*`(?=[\w/]+`\*\*)", LISTED, flags=re.MULTILINE)[1:]:
        folder, _, text = part.partition("`**")
        listed[folder] = sorted(re.findall(r"`(\w+\.py)`", text))
    there: dict[str, list[str]] = {}
    for file in python_files("bot", "plugins", "bench"):
        if file.name != "__init__.py":
            there.setdefault(f"{name_of(file.parent)}/", []).append(file.name)
    listed.pop("plugins/people/")  # a single file
    assert listed == {folder: sorted(names) for folder, names in there.items()}
