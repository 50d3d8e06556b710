"""Faro installed from its wheel, outside the source tree, beside other packages called `bot` and `plugins`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.testing.patience import patient
from tests.house.index import skip_without_index

ROOT = Path(__file__).parents[2]
RAISING = "raise ImportError('this is another package of the same name')\n"
PLUGIN = """\
from bot.api import Context, Plugin, Reply, Settings, command


class Echo(Plugin[Settings]):
    name = "echo"

    @command("parrot", help="Say it again.")
    async def parrot(self, ctx: Context, *, text: str) -> Reply:
        return Reply(text)
"""
PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "faro-echo"
version = "1.0"

[project.entry-points."faro.plugins"]
echo = "faro_echo:Echo"
"""

pytestmark = [pytest.mark.full, pytest.mark.slow, pytest.mark.timeout(900)]


class Installed:
    """A virtual environment with Faro in it, and a folder to work in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "venv" / "bin" / "python"

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environ |= {"FARO_PASSWORD": "secret", "LC_ALL": "en_US.UTF-8"}
        return subprocess.run(  # noqa: S603 - our own program and pip
            [*map(str, words)],
            cwd=self.folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=patient(800),
            check=False,
        )

    def pip(self, *words: object) -> None:
        done = self.run(self.python, "-m", "pip", "--disable-pip-version-check", *words)
        skip_without_index(done)
        assert done.returncode == 0, done.stderr

    def faro(self, *words: object) -> subprocess.CompletedProcess[str]:
        return self.run(self.folder / "venv" / "bin" / "faro", *words)

    @property
    def site(self) -> Path:
        (site,) = (self.folder / "venv" / "lib").glob("python*/site-packages")
        return site


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """From the wheel of the sdist, without constraints; the other packages are there first."""
    made = Installed(tmp_path_factory.mktemp("installed"))
    subprocess.run(  # noqa: S603 - a fixed command
        [sys.executable, "-m", "venv", made.folder / "venv"], check=True, timeout=patient(120)
    )
    for name in ("bot", "plugins"):
        (made.site / name).mkdir()
        (made.site / name / "__init__.py").write_text(RAISING, encoding="utf-8")
    made.pip("install", "build")
    built = made.run(made.python, "-m", "build", "--outdir", made.folder / "dist", ROOT)  # the wheel from the sdist
    skip_without_index(built)
    assert built.returncode == 0, built.stderr
    (wheel,) = (made.folder / "dist").glob("*.whl")
    made.pip("install", f"{wheel}[demo]")
    plugin = made.folder / "faro-echo"
    plugin.mkdir()
    (plugin / "faro_echo.py").write_text(PLUGIN, encoding="utf-8")
    (plugin / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    made.pip("install", plugin)
    return made


@pytest.mark.parametrize("words", [["--version"], ["check", ROOT / "config.example.yaml"]], ids=["version", "check"])
def test_the_command_works_beside_packages_of_the_same_names(installed: Installed, words: Sequence[object]) -> None:
    done = installed.faro(*words)
    assert done.returncode == 0, done.stderr
    as_module = installed.run(installed.python, "-m", "faro_bot", *words)
    assert as_module.stdout == done.stdout


def test_the_demo_and_the_bot_it_starts_work(installed: Installed) -> None:
    done = installed.faro("demo", "--script")
    assert "Every expected answer arrived." in done.stdout, done.stdout + done.stderr


def test_an_installed_plugin_is_found(installed: Installed) -> None:
    script = "import faro_bot, sys; sys.path.insert(0, str(faro_bot.PRIVATE));"
    script += "from bot.runtime.plugins import find; print([plugin.name for plugin in find().plugins])"
    assert "'echo'" in installed.run(installed.python, "-c", script).stdout


def test_measuring_says_that_it_needs_the_sources(installed: Installed) -> None:
    done = installed.faro("bench", "search")
    assert done.returncode != 0
    assert "needs Faro's sources" in done.stderr
    assert "Traceback" not in done.stderr


def test_uninstalling_leaves_nothing(installed: Installed) -> None:
    installed.pip("uninstall", "--yes", "faro-bot")
    left = [path for path in installed.site.iterdir() if "faro" in path.name and "echo" not in path.name]
    assert [file for path in left for file in (path, *path.rglob("*")) if not file.is_dir()] == []
    assert (installed.site / "bot" / "__init__.py").read_text("utf-8") == RAISING
