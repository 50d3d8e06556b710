"""`make` says in one sentence what is missing, on a machine where Python is missing, too old or incomplete."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OLD = 'if [ "$1" = --version ]; then echo Python 3.9.2; exit; fi; exit 1'
INCOMPLETE = 'case "$2" in *ensurepip*) exit 1;; *) echo Python 3.12.1;; esac'


def run(folder: Path, python3: str | None) -> subprocess.CompletedProcess[str]:
    """`make demo` in a folder without `.venv`, where `python3` is this script and no other Python is to be found."""
    tools = folder / "tools"
    tools.mkdir()
    for tool in ("bash", "sed", "touch"):
        (tools / tool).symlink_to(shutil.which(tool) or tool)
    if python3:
        (tools / "python3").write_text(f"#!{shutil.which('bash')}\n{python3}\n", encoding="utf-8")
        (tools / "python3").chmod(0o755)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder)
    make = shutil.which("make")
    assert make, "make is missing"
    environ = {"PATH": str(tools)}
    return subprocess.run(  # noqa: S603 - our own make file
        [make, "demo"], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("python3", "sentence"),
    [
        (None, "Faro needs Python 3.11 or newer; 'python3' is not there."),
        (OLD, "Faro needs Python 3.11 or newer; 'python3' is Python 3.9.2."),
        (INCOMPLETE, "The venv module of python3 is missing. On Debian or Ubuntu: sudo apt install python3-venv"),
    ],
)
def test_what_python_lacks_is_said(tmp_path: Path, python3: str | None, sentence: str) -> None:
    done = run(tmp_path, python3)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert not (tmp_path / ".venv").exists()
