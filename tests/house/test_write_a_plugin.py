"""docs/write-a-plugin.md: its files are written into a folder as they stand on the page, and run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.runtime.migrations import open_database
from bot.runtime.plugins import find
from bot.testing.patience import patient
from tests.house.source import ROOT

PAGE = (ROOT / "docs/write-a-plugin.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`(\S+)`\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "FARO_PASSWORD": "secret", "PYTHONPATH": str(ROOT), "LANG": "en_GB.UTF-8", "LC_ALL": ""}
    return subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, *arguments],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        timeout=patient(50),
        check=False,
    )


def test_the_tree_on_the_page_shows_every_file_of_the_page() -> None:
    (tree,) = re.findall(r"^my-faro/\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert re.findall(r"── (\S+)", tree) == [name for name in re.findall(r"── (\S+)", tree) if name in FILES]
    assert len(re.findall(r"── ", tree)) == len(FILES) == 6


def test_the_tests_of_the_page_pass(project: Path) -> None:
    done = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{FILES['tests/test_wishes.py'].count('async def test_')} passed" in done.stdout


def test_the_configuration_of_the_page_has_no_problem(project: Path) -> None:
    done = run(project, "-m", "bot", "check", "config.yaml")
    assert done.returncode == 0, done.stderr
    assert not done.stderr


def test_a_mistyped_setting_is_told_as_the_page_shows(project: Path) -> None:
    config = project / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("max_per_hub", "max_per_hubs"), encoding="utf-8")
    (shown,) = re.findall(r"^config\.yaml:\d+.*$", PAGE, re.MULTILINE)
    done = run(project, "-m", "bot", "check", "config.yaml")
    assert done.returncode == 2
    assert shown in done.stderr


def test_a_broken_plugin_is_named_and_left_out_and_the_rest_is_used(project: Path) -> None:
    (project / "plugins/dreams.py").write_text("import nowhere_at_all\n", encoding="utf-8")
    done = run(project, "-m", "bot", "check", "config.yaml")
    assert done.returncode == 0, done.stderr
    assert "dreams" in done.stderr
    assert "nowhere_at_all" in done.stderr


def test_a_broken_plugin_is_also_named_where_the_configuration_has_problems(project: Path) -> None:
    (project / "plugins/dreams.py").write_text("import nowhere_at_all\n", encoding="utf-8")
    config = project / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("user:", "usr:"), encoding="utf-8")
    done = run(project, "-m", "bot", "check", "config.yaml")
    assert done.returncode == 2
    assert "dreams" in done.stderr


async def test_a_table_with_another_name_is_refused_as_the_page_shows_and_the_rest_is_used(project: Path) -> None:
    schema = project / "plugins/wishes/schema/0001_wishes.sql"
    schema.write_text(schema.read_text(encoding="utf-8").replace("wishes_items", "items"), encoding="utf-8")
    (shown,) = re.findall(r"^schema/0001_wishes\.sql creates .*$", PAGE, re.MULTILINE)
    plugins = [plugin for plugin in find([project / "plugins"]).plugins if plugin.name in {"meetings", "wishes"}]
    with capture_logs() as logs:
        async with open_database(None, plugins) as (_, usable):
            assert [plugin.name for plugin in usable] == ["meetings"]
    assert [(line["plugin"], line["reason"]) for line in logs] == [("wishes", shown)]


def test_the_catalogue_of_the_page_is_complete_and_as_the_tool_writes_it(project: Path) -> None:
    done = run(project, "-m", "bot.i18n", "plugins/wishes")
    assert done.returncode == 0, done.stderr
    assert "es.po: " not in done.stdout.replace("es.po: updated", "")  # nothing left to translate
    written = (project / "plugins/wishes/locales/es.po").read_text(encoding="utf-8")
    assert written.rstrip() == FILES["plugins/wishes/locales/es.po"].rstrip()


def test_the_spanish_of_the_page_is_what_a_hub_in_spanish_hears(project: Path) -> None:
    (project / "tests/test_spanish.py").write_text(
        FILES["tests/test_wishes.py"].partition("async def ")[0]
        + "async def test_spanish():\n"
        + "    async with story([Wishes], [HUB.model_copy(update={'languages': ('es',)})]) as s:\n"
        + "        assert await s.say(ANA, '!deseo una impresora') == 'Anotado: una impresora'\n",
        encoding="utf-8",
    )
    done = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_spanish.py")
    assert done.returncode == 0, done.stdout + done.stderr
