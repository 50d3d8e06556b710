"""The configuration of the demo, written from the templates shipped beside this file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from string import Template
from zoneinfo import ZoneInfo

from bot.demo.cast import BOT, PEOPLE

ZONE = ZoneInfo("America/Guatemala")  # of the hub that meets, see templates/hubs/transparency.yaml
NAMES = ("config.yaml", "hubs/transparency.yaml", "hubs/risks.yaml")


def write(folder: Path, *, homeserver: str, server: str, meeting_at: int, remind: Sequence[str]) -> Path:
    """Writes config.yaml and hubs/*.yaml into `folder`; answers the path of config.yaml.

    `homeserver` is its address, `server` its name; the meeting starts at `meeting_at` (UTC ms), and is reminded of
    as `remind` says ("3 minutes").
    """
    starts = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=meeting_at)
    values = {
        "homeserver": homeserver,
        "server": server,
        "starts": starts.astimezone(ZONE).replace(tzinfo=None).isoformat(" ", "seconds"),
        "remind": ", ".join(remind),
        "bot": f"@{BOT.name}:{server}",
        **{person.name: f"@{person.name}:{server}" for person in PEOPLE},
    }
    templates = files("bot.demo") / "templates"
    for name in NAMES:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        text = templates.joinpath(name).read_text(encoding="utf-8")
        target.write_text(Template(text).substitute(values), encoding="utf-8")
    return folder / "config.yaml"
