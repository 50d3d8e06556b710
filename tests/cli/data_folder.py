"""A configuration with its data folder, and the commands that open the database in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from bot.cli import main
from bot.testing.patience import patient

CONFIG = """\
homeserver: http://127.0.0.1:9
user: "@faro:example.org"
password: secret
data_dir: data
hubs:
  - id: transparency
    title: Transparency
    rooms: [{id: "!hall:example.org"}]
    resources:
      - {url: "https://example.org/gifts", title: Gifts at the counter}
"""
OPENING = [
    ["find", "CONFIG", "transparency", "gifts"],
    ["export", "CONFIG", "transparency", "--format", "json"],
    ["import", "CONFIG", "transparency", "links.html", "--yes"],
    ["forget", "CONFIG", "@ana:example.org", "--yes"],
]
"""Shell commands that open the database; `faro` fills in the names of the files."""


def configured(folder: Path) -> Path:
    """Writes the configuration, and a file to import; answers the configuration."""
    (folder / "links.html").write_text('<a href="https://example.org/">Example</a>', encoding="utf-8")
    config = folder / "config.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    return config


def faro(folder: Path, *words: str) -> Result:
    names = {name: str(folder / file) for name, file in (("CONFIG", "config.yaml"), ("links.html", "links.html"))}
    return CliRunner(env={"LC_ALL": "en_US.UTF-8"}).invoke(main.main, [names.get(word, word) for word in words])


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """`faro run` to its end, for folders with which it does not start."""
    words = [sys.executable, "-m", "bot", "run", str(folder / "config.yaml")]
    return subprocess.run(words, capture_output=True, text=True, timeout=patient(50), check=False)  # noqa: S603 - our own program
