"""The Dockerfile, without a container engine: what can be read is read, and its RUN steps run in a folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.testing.patience import patient
from tests.house.dockerfile import Instruction, parse
from tests.house.index import skip_without_index

ROOT = Path(__file__).parents[2]
INSTRUCTIONS = parse((ROOT / "Dockerfile").read_text(encoding="utf-8"))


def all_of(name: str, stage: int | None = None) -> list[Instruction]:
    return [one for one in INSTRUCTIONS if one.name == name and stage in (None, one.stage)]


def last(name: str) -> Instruction:
    return all_of(name, INSTRUCTIONS[-1].stage)[-1]


def test_the_bot_runs_as_a_fixed_user_that_is_not_root_and_owns_the_data_folder() -> None:
    user, group = last("USER").text.split(":")
    assert int(user) > 0
    assert int(group) > 0
    (made,) = [run for run in all_of("RUN") if run.words[-1] == last("VOLUME").text == "/data"]
    assert {f"--owner={user}", f"--group={group}"} <= set(made.words)


def test_the_health_check_and_the_command_read_the_same_configuration() -> None:
    check = last("HEALTHCHECK").text
    assert 'CMD ["faro", "doctor", "/config/config.yaml"]' in check
    assert last("ENTRYPOINT").words == ["faro"]
    assert last("CMD").words == ["run", "/config/config.yaml"]


def test_the_last_stage_holds_no_build_tools_and_both_stages_have_the_same_python() -> None:
    images = [one.words[0] for one in all_of("FROM")]
    assert len(images) == 2
    assert len(set(images)) == 1
    final = INSTRUCTIONS[-1].stage
    assert not [run for run in all_of("RUN", final) if re.search(r"pip|apt", run.text)]
    assert [copy.text for copy in all_of("COPY", final)] == ["--from=build /opt/faro /opt/faro"]


def test_every_file_that_is_copied_exists_and_is_sent_to_the_engine() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for copy in all_of("COPY", 0):
        for source in copy.words[:-1]:
            assert (ROOT / source).exists()
            assert f"!{source}" in ignored


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every RUN step was run, as the container's file system would be."""
    root = tmp_path_factory.mktemp("image")
    source = root / "src"
    source.mkdir()
    for copy in all_of("COPY", 0):
        for name in copy.words[:-1]:
            _copy(ROOT / name, source)
    for step in all_of("RUN"):
        done = _shell(_translated(step.text, root), source)
        skip_without_index(done)
        assert done.returncode == 0, done.stderr
    return root


@pytest.mark.timeout(300)
def test_the_run_steps_leave_a_bot_that_says_its_version(image: Path) -> None:
    assert _shell(f"{image}/opt/faro/bin/faro --version", image).stdout.startswith("faro")


@pytest.mark.timeout(300)
def test_the_installed_bot_accepts_the_example_configuration(image: Path) -> None:
    checked = _shell(f"{image}/opt/faro/bin/faro check {ROOT / 'config.example.yaml'}", image)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.timeout(300)
def test_tables_translations_and_other_files_of_the_packages_are_installed_too(image: Path) -> None:
    (site,) = (image / "opt/faro/lib").glob("python*/site-packages")
    private = site / "_faro_bot"
    missing = [str(file) for file in _files(ROOT, "bot", "plugins") - _files(private, "bot", "plugins")]
    assert not missing
    assert any(file.suffix == ".sql" for file in _files(private, "bot"))


@pytest.mark.timeout(300)
def test_nobody_else_can_look_into_the_data_folder(image: Path) -> None:
    assert (image / "data").stat().st_mode & 0o777 == 0o700


def _files(root: Path, *packages: str) -> set[Path]:
    """Paths below `root`; what Python and gettext compile is left aside."""
    found = (file for package in packages for file in (root / package).rglob("*") if file.is_file())
    return {file.relative_to(root) for file in found if file.suffix not in (".pyc", ".mo")}


def _translated(command: str, root: Path) -> str:
    """The step as this machine can run it: below `root`, with this Python, and owned by who runs the test."""
    for folder in ("/opt/faro", "/data"):
        command = command.replace(folder, f"{root}{folder}")
    command = re.sub(r"^python ", f"{sys.executable} ", command)
    (root / "opt").mkdir(exist_ok=True)
    return re.sub(r"--(owner|group)=\d+ ", "", command)


def _shell(command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S602 - the shell form of RUN is what is being tested
        command, shell=True, cwd=cwd, env=_environ(), capture_output=True, text=True, timeout=patient(280), check=False
    )


def _environ() -> Mapping[str, str]:
    """With a password, and without what would make the project importable from the source folder."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if name not in hidden} | {"FARO_PASSWORD": "secret"}


def _copy(path: Path, into: Path) -> None:
    if path.is_dir():
        shutil.copytree(path, into / path.name, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(path, into)
