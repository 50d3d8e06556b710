"""A folder with configuration files, and two plugins that stand in for real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent

from bot.api import Identifier, Localized, Plugin, Settings, Span
from bot.config.load import Loaded, PluginType, load
from bot.core.errors import ConfigError

MINIMAL = 'homeserver: https://matrix.example.org\nuser: "@faro:example.org"\n'


class Wish(Settings):
    id: Identifier
    title: Localized | None = None
    remind: tuple[Span, ...] = ()


class WishesSettings(Settings):
    max_per_hub: int = 50


class WishesHub(Settings):
    wishes: tuple[Wish, ...] = ()


class WishesRoom(Settings):
    keep_wishes: bool = False


class Wishes(Plugin[WishesSettings]):
    name = "wishes"
    hub_settings = WishesHub
    room_settings = WishesRoom


class PostSettings(Settings):
    server: str


class Post(Plugin[PostSettings]):
    name = "post"


def write(folder: Path, **files: str) -> Path:
    """Writes `config.yaml` and hub files (`hub_a` becomes `hubs/a.yaml`); answers the path of `config.yaml`."""
    (folder / "hubs").mkdir(exist_ok=True)
    for name, text in files.items():
        path = folder / "hubs" / f"{name[4:]}.yaml" if name.startswith("hub_") else folder / f"{name}.yaml"
        path.write_text(dedent(text), encoding="utf-8")
    return folder / "config.yaml"


def loaded(
    folder: Path,
    text: str,
    plugins: Sequence[PluginType] = (Wishes,),
    environ: Mapping[str, str] | None = None,
    *,
    broken: Sequence[str] = (),
    secrets: bool = True,
    **files: str,
) -> Loaded:
    path = write(folder, config=MINIMAL + dedent(text), **files)
    return load(path, plugins, environ or {}, broken=broken, secrets=secrets)


def problems(folder: Path, text: str, plugins: Sequence[PluginType] = (Wishes,), **files: str) -> list[str]:
    """What is wrong with `config.yaml` (the minimal one and `text`), without the path of the folder."""
    write(folder, config=MINIMAL + dedent(text), **files)
    return problems_in(folder / "config.yaml", plugins)


def problems_in(path: Path, plugins: Sequence[PluginType] = (Wishes,)) -> list[str]:
    try:
        load(path, plugins, {})
    except ConfigError as error:
        return [str(problem).removeprefix(f"{path.parent}/") for problem in error.problems]
    return []
