"""Finds plugins (built-in, installed, in `plugin_dirs`), collects their handlers; a broken one is named, left out."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, get_args

from bot.api import CommandMark, Plugin, Settings
from bot.core.commands import CommandSpec, Param, Takes, Vocabulary
from bot.core.errors import PluginError
from bot.hubs import Hub, Room

GROUP = "faro.plugins"  # the entry-point group for installed plugins
PluginType = type[Plugin[Any]]  # Any: each plugin has a settings class of its own
Method = typing.Callable[..., typing.Awaitable[Any]]  # Any: what a handler may return depends on its decorator


@dataclass(frozen=True, slots=True)
class Broken:
    """A plugin that is left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    plugins: tuple[PluginType, ...]
    broken: tuple[Broken, ...]


def find(plugin_dirs: Sequence[Path] = ()) -> Found:
    """Every plugin class there is: built-in, then installed, then those of `plugin_dirs`."""
    found: dict[str, PluginType] = {}
    broken: list[Broken] = []
    for name, load in (*_built_in(), *_installed(), *_in_folders(plugin_dirs)):
        try:
            plugin = load()
            _check(plugin)
            if plugin.name in found:
                raise PluginError(f"there is another plugin called '{plugin.name}'")
            found[plugin.name] = plugin
        except (Exception, SystemExit) as error:  # a script that was taken for a plugin may end with sys.exit()
            broken.append(Broken(name, f"{type(error).__name__}: {error}"))
    return Found(tuple(found.values()), tuple(broken))


@dataclass(frozen=True, slots=True)
class Registry:
    """The plugins in use and their handlers."""

    plugins: Mapping[str, Plugin[Any]] = field(default_factory=dict)
    vocabulary: Vocabulary = field(default_factory=lambda: Vocabulary(()))
    commands: Mapping[tuple[str, str], Method] = field(default_factory=dict)  # (owner, command name)
    listeners: Sequence[tuple[str, tuple[type, ...], Method]] = ()
    alarms: Mapping[tuple[str, str], Method] = field(default_factory=dict)  # (owner, alarm name)
    jobs: Mapping[tuple[str, str], Method] = field(default_factory=dict)
    fallback: tuple[str, Method] | None = None  # (owner, method)


def bind(plugins: Iterable[PluginType], settings: Mapping[str, Settings]) -> tuple[Registry, tuple[Broken, ...]]:
    """Makes the plugins and collects their handlers; one that clashes with an earlier one is left out."""
    ready: dict[str, Plugin[Any]] = {}
    specs: list[CommandSpec] = []
    commands: dict[tuple[str, str], Method] = {}
    listeners: list[tuple[str, tuple[type, ...], Method]] = []
    alarms: dict[tuple[str, str], Method] = {}
    jobs: dict[tuple[str, str], Method] = {}
    fallbacks: list[tuple[str, Method]] = []
    broken: list[Broken] = []
    for kind in plugins:
        try:
            plugin = kind(settings.get(kind.name) or kind.settings_type())
            own = [(_spec(kind.name, mark, method), method) for mark, method in _marked(plugin, "__faro_command__")]
            _refuse_clashes(specs, [spec for spec, _ in own])
            answering = [(kind.name, method) for _, method in _marked(plugin, "__faro_fallback__")]
            _refuse_second_fallback([*fallbacks, *answering])
        except Exception as error:
            broken.append(Broken(kind.name, f"{type(error).__name__}: {error}"))
            continue
        ready[kind.name] = plugin
        specs += [spec for spec, _ in own]
        fallbacks += answering
        commands.update({(kind.name, spec.name): method for spec, method in own})
        listeners += [(kind.name, kinds, method) for kinds, method in _marked(plugin, "__faro_listens__")]
        alarms.update({(kind.name, name): method for name, method in _marked(plugin, "__faro_alarm__")})
        jobs.update({(kind.name, name): method for name, method in _marked(plugin, "__faro_job__")})
    fallback = fallbacks[0] if fallbacks else None
    return Registry(ready, Vocabulary(specs), commands, listeners, alarms, jobs, fallback), tuple(broken)


def versions() -> Mapping[str, str]:
    """Plugins that were installed as packages of their own → version of the package."""
    return {point.name: point.dist.version for point in entry_points(group=GROUP) if point.dist}


def folder(plugin: PluginType) -> Path:
    """Where the plugin's `schema/` and `locales/` are."""
    return Path(inspect.getfile(plugin)).parent


def _built_in() -> Iterable[tuple[str, typing.Callable[[], PluginType]]]:
    package = importlib.import_module("plugins")
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
        yield module.name, lambda name=f"plugins.{module.name}": _class_in(importlib.import_module(name))  # type: ignore[misc]  # a default argument binds the loop's value


def _installed() -> Iterable[tuple[str, typing.Callable[[], PluginType]]]:
    for point in entry_points(group=GROUP):
        yield point.name, point.load


def _in_folders(folders: Sequence[Path]) -> Iterable[tuple[str, typing.Callable[[], PluginType]]]:
    for path in folders:
        if not path.is_dir():
            yield str(path), lambda path=path: _missing(path)  # type: ignore[misc]  # as above
            continue
        for entry in sorted(path.iterdir()):
            file = entry / "__init__.py" if entry.is_dir() else entry
            if file.is_file() and file.suffix == ".py" and not entry.name.startswith(("_", ".")):
                yield entry.stem, lambda name=entry.stem, file=file: _class_in(_import_file(name, file))  # type: ignore[misc]  # as above


def _missing(path: Path) -> PluginType:
    raise PluginError(f"the folder '{path}' named in plugin_dirs does not exist")


def _import_file(name: str, file: Path) -> types.ModuleType:
    full = f"faro_plugin_{name}"
    locations = [str(file.parent)] if file.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(full, file, submodule_search_locations=locations)
    if spec is None or spec.loader is None:
        raise PluginError(f"'{file}' cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module  # so that type hints and relative imports of the module resolve
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[full]
        raise
    return module


def _class_in(module: types.ModuleType) -> PluginType:
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Plugin) and value.__module__.startswith(module.__name__)
    ]
    if len(classes) != 1:
        raise PluginError(f"a plugin module holds exactly one Plugin class; this one has {len(classes)}")
    return classes[0]


def _check(plugin: object) -> None:
    if not (isinstance(plugin, type) and issubclass(plugin, Plugin)):
        raise PluginError("it is not a subclass of bot.api.Plugin")
    if not isinstance(getattr(plugin, "name", None), str) or not plugin.name.isidentifier():
        raise PluginError("its `name` must be a word of letters, digits and underscores")
    if (folder(plugin) / "schema").is_dir() and plugin.forget is Plugin.forget:
        raise PluginError("it has tables, so it must define `forget` to erase what they hold about a person")
    for core, own in ((Hub, plugin.hub_settings), (Room, plugin.room_settings)):
        for key in own.model_fields if own else ():
            if key in core.model_fields:
                raise PluginError(f"its setting '{key}' of a {core.__name__.lower()} is Faro's own; name it otherwise")


def _marked(plugin: Plugin[Any], mark: str) -> list[tuple[Any, Method]]:
    """The methods of a plugin, and of the handlers it is composed of, that carry a decorator's mark."""
    return [
        (value, getattr(part, name))
        for part in (plugin, *plugin.handlers)
        for name in dir(type(part))
        if (value := getattr(getattr(type(part), name, None), mark, None)) is not None  # dir may name what is not there
    ]


def _refuse_clashes(before: Sequence[CommandSpec], new: Sequence[CommandSpec]) -> None:
    taken = {word: spec for spec in before for word in spec.words}
    for spec in new:
        for word in spec.words:
            if other := taken.get(word):
                raise PluginError(f"its command '{word}' is already '{other.name}' of the plugin '{other.owner}'")


def _refuse_second_fallback(fallbacks: Sequence[tuple[str, Method]]) -> None:
    if len(fallbacks) > 1:
        raise PluginError(f"there is a fallback already, of the plugin '{fallbacks[0][0]}'; only one method can be it")


def _spec(owner: str, mark: CommandMark, method: Method) -> CommandSpec:
    params = _params(typing.cast(types.MethodType, method).__func__)
    if sum(param.takes is Takes.REST for param in params) > 1:
        raise PluginError(f"'{mark.name}' has two parameters that take the rest of the line")
    return CommandSpec(
        owner=owner,
        name=mark.name,
        help=mark.help,
        params=params,
        aliases=tuple(mark.aliases.items()),
        role=mark.role,
        anywhere=mark.anywhere,
        rooms_only=mark.rooms_only,
        changes=mark.changes,
        examples=tuple(mark.examples),
    )


@cache  # tests bind the same plugins a thousand times, and reading type hints takes long
def _params(handler: typing.Callable[..., object]) -> tuple[Param, ...]:
    hints = typing.get_type_hints(handler)
    parameters = list(inspect.signature(handler).parameters.values())[2:]  # after self and ctx
    params = [_param(parameter, hints.get(parameter.name, str)) for parameter in parameters]
    return tuple(sorted(params, key=lambda param: list(Takes).index(param.takes)))


def _param(parameter: inspect.Parameter, hint: Any) -> Param:
    optional = type(None) in get_args(hint)
    kind = next((part for part in get_args(hint) if part is not type(None)), str) if optional else hint
    if kind not in (str, int):
        raise PluginError(f"the parameter '{parameter.name}' must be a str or an int, not {hint}")
    required = parameter.default is inspect.Parameter.empty
    if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
        takes = Takes.FILTER if optional else Takes.REST
    else:
        takes = Takes.WORD
    return Param(parameter.name, takes, kind, required)
