"""Reads and checks `config.yaml` and the hubs it includes; reports the problems of all files at once."""

from __future__ import annotations

import glob
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from bot.api import Plugin
from bot.config import secrets, yamltree
from bot.config.crosscheck import HubSource, cross_check
from bot.config.model import BotConfig
from bot.config.problems import problems_of, unknown_key
from bot.config.schema import hub_model
from bot.config.yamltree import Items, Loc, Node, Scalar, plain, shown
from bot.core.errors import ConfigError, Problem
from bot.core.texts import Text
from bot.hubs import Hub, Settings

S = TypeVar("S", bound=Settings)
PluginType = type[Plugin[Any]]  # Any: each plugin has a settings class of its own


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration without problems."""

    config: BotConfig  # with the hubs of included files
    plugin_settings: Mapping[str, Settings]
    left_out: frozenset[str]  # plugins with `false`
    base: Path  # the folder paths are relative to
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    missing_secrets: tuple[Problem, ...] = ()  # secrets that could not be read; only logging in needs them

    @property
    def data_dir(self) -> Path:
        return self.base / self.config.data_dir


def load(
    path: Path,
    plugins: Sequence[PluginType],
    environ: Mapping[str, str],
    *,
    broken: Collection[str] = (),
    secrets: bool = True,
) -> Loaded:
    """Reads the configuration. Raises `ConfigError`, and nothing else, with every problem of every file.

    `broken` names plugins that could not be imported: settings that may be theirs are passed over. With `secrets`
    False (commands that do not log in), no password or token has to be there.
    """
    return _Loader(path, plugins, environ, broken, secrets).run()


def peek(path: Path, environ: Mapping[str, str] = os.environ) -> list[Path]:
    """`plugin_dirs` alone, read before plugins are known. [] if that cannot be read; `load` will say why."""
    try:
        root, _ = yamltree.read(str(path), path.read_bytes())
    except (OSError, ValueError):
        return []
    if not isinstance(root, yamltree.Mapping):
        return []
    root, _ = secrets.expand(root, str(path), environ)
    items = yamltree.items_of(root, "plugin_dirs")
    return [path.parent / item.text for item in items if isinstance(item, Scalar) and item.text]


@dataclass(slots=True)
class _Loader:
    path: Path
    plugins: Sequence[PluginType]
    environ: Mapping[str, str]
    broken: Collection[str]
    secrets: bool
    problems: list[Problem] = field(default_factory=list)
    files: list[str] = field(default_factory=list)  # as they were read

    def run(self) -> Loaded:
        file = str(self.path)
        root = self._read(self.path)
        if root is None:
            raise ConfigError(self.problems)
        if "id" in root.nodes and root.nodes.keys().isdisjoint(("homeserver", "hubs", "include")):
            text = Text("this looks like a hub's own file; check the config.yaml that includes it")
            self._report(file, root, (), text)
            raise ConfigError(self.problems)
        root, unset = secrets.expand(root, file, self.environ)
        self.problems += [
            *(one for one in unset if one.path not in secrets.SECRETS),
            *secrets.conflicting_logins(root, file),
        ]
        config = self._config(root)
        settings, left_out = self._plugin_settings(root)
        sources = [*self._inline(root), *self._included(root)]
        self.problems += cross_check(sources)
        hubs = self._hubs(sources)
        found, unreadable = secrets.read_secrets(config, root, file, self.environ) if config else ({}, [])
        missing_secrets = [*(one for one in unset if one.path in secrets.SECRETS), *unreadable]
        if self.secrets:
            self.problems += missing_secrets
        if self.problems or config is None:
            raise ConfigError(_in_order(self.problems, self.files))
        config = config.model_copy(update={"hubs": hubs})
        base, password, token = self.path.parent, found.get("password"), found.get("access_token")
        return Loaded(config, settings, left_out, base, password, token, tuple(missing_secrets))

    def _read(self, path: Path) -> yamltree.Mapping | None:
        """The mapping a file consists of."""
        self.files.append(str(path))
        try:
            root, problems = yamltree.read(str(path), path.read_bytes())
        except (OSError, ValueError) as error:
            text = Text("the file cannot be read: {reason}", reason=secrets.reason(error))
            self._report(str(path), None, (), text)
            return None
        self.problems += problems
        if isinstance(root, yamltree.Mapping):
            return root
        if root is not None:
            self._report(str(path), root, (), Text("expected settings as 'name: value' lines"))
        elif not problems:
            self._report(str(path), None, (), Text("the file is empty"))
        return None

    def _config(self, root: yamltree.Mapping) -> BotConfig | None:
        values = {key: plain(node) for key, node in root.nodes.items() if key not in ("hubs", "plugins")}
        try:
            return BotConfig.model_validate(values)
        except ValidationError as error:
            self.problems += problems_of(error, BotConfig, str(self.path), root)
            return None

    def _plugin_settings(self, root: yamltree.Mapping) -> tuple[dict[str, Settings], frozenset[str]]:
        file, written = str(self.path), root.nodes.get("plugins", Scalar(root.position, None))
        settings: dict[str, Settings] = {}
        left_out: set[str] = set()
        if not isinstance(written, yamltree.Mapping):
            if not (isinstance(written, Scalar) and written.text is None):
                self._report(file, written, ("plugins",), Text("expected plugins as 'name: settings' lines"))
            written = yamltree.Mapping(root.position)
        known = {plugin.name: plugin for plugin in self.plugins}
        for name, position in written.keys.items():
            if name not in known and name not in self.broken:
                self._report(file, Scalar(position, name), ("plugins", name), unknown_key(name, list(known)))
        for name, plugin in known.items():
            node = written.nodes.get(name, Scalar(root.position, None))
            text = node.text.lower() if isinstance(node, Scalar) and node.text else None
            if text in ("false", "no", "off"):
                left_out.add(name)
                continue
            values = {} if isinstance(node, Scalar) and (node.text is None or text == "true") else plain(node)
            valid = self._validate(plugin.settings_type, values, file, root, ("plugins", name))
            if valid is not None:
                settings[name] = valid
        return settings, frozenset(left_out)

    def _inline(self, root: yamltree.Mapping) -> Iterator[HubSource]:
        hubs = root.nodes.get("hubs")
        if isinstance(hubs, Items):
            for number, node in enumerate(hubs.nodes):
                yield HubSource(str(self.path), root, ("hubs", number), node)
        elif hubs is not None:
            self._report(str(self.path), hubs, ("hubs",), Text("expected a list of hubs, each starting with '- '"))

    def _included(self, root: yamltree.Mapping) -> Iterator[HubSource]:
        seen, last = {self.path.resolve()}, None
        for loc, node in _texts(root.nodes.get("include"), ("include",)):
            try:
                matches = sorted(glob.glob(node.text or "", root_dir=self.path.parent))
            except (OSError, ValueError):
                matches = []
            files = [file for match in matches if (file := self.path.parent / match).is_file()]
            if not files:
                text = Text("no file in {folder} matches '{pattern}'", pattern=node.text,
                            folder=self.path.parent)  # fmt: skip
                self._report(str(self.path), node, loc, text)
            for file in files:
                if file.resolve() not in seen and (hub := self._read(file)) is not None:
                    yield HubSource(str(file), hub, (), hub)
                seen.add(file.resolve())
                last = (node, loc)
        if last and len(seen) == 1:
            self._report(str(self.path), *last, Text("this is the file itself; include files with one hub each"))

    def _hubs(self, sources: Sequence[HubSource]) -> tuple[Hub, ...]:
        model = hub_model(self.plugins, tolerant=bool(self.broken))
        hubs = [self._validate(model, plain(one.node), one.file, one.root, one.loc) for one in sources]
        return tuple(hub for hub in hubs if hub is not None)

    def _validate(self, model: type[S], values: object, file: str, root: Node, loc: Loc) -> S | None:
        try:
            return model.model_validate(values)
        except ValidationError as error:
            self.problems += problems_of(error, model, file, root, loc)
        except Exception as error:  # a plugin's own validator broke
            text = Text("a plugin failed to read this: {error}", error=f"{type(error).__name__}: {error}")
            self._report(file, yamltree.reach(root, loc), loc, text)
        return None

    def _report(self, file: str, node: Node | None, loc: Loc, text: Text) -> None:
        position = node.position if node else yamltree.Position(1, 1)
        self.problems.append(Problem(file, position.line, position.column, shown(loc), text))


def _texts(node: Node | None, loc: Loc) -> Iterator[tuple[Loc, Scalar]]:
    """A text, or the texts of a list."""
    if isinstance(node, Items):
        for number, item in enumerate(node.nodes):
            yield from _texts(item, (*loc, number))
    elif isinstance(node, Scalar) and node.text:
        yield loc, node


def _in_order(problems: Sequence[Problem], files: Sequence[str]) -> list[Problem]:
    """File by file, from top to bottom; of several about one value the first says most."""
    first: dict[tuple[str, int, int, str], Problem] = {}
    for one in problems:
        first.setdefault((one.file, one.line, one.column, one.path), one)
    return sorted(first.values(), key=lambda problem: (files.index(problem.file), problem.line, problem.column))
