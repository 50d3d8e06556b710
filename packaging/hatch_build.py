"""Puts `bot` and `plugins` into one private folder of the wheel; `faro_bot.py` says why.

A build hook, because hatch's own `sources` would rewrite the paths of editable installs, too.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = {
    "bot": "_faro_bot/bot",
    "plugins": "_faro_bot/plugins",
    "packaging/faro_bot.py": "faro_bot.py",
    "packaging/faro_bot.pth": "faro_bot.pth",  # so that other packages can import `bot.api`, if no other `bot` is there
}


class PrivateFolder(BuildHookInterface):  # type: ignore[type-arg]  # its configuration has no type of ours
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":
            build_data["force_include"].update(FILES)
