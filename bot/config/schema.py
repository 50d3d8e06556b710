"""The hub model with what plugins add, and the JSON Schemas editors use."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, create_model

from bot.api import Plugin
from bot.config.model import BotConfig
from bot.config.problems import models_in
from bot.hubs import Hub, Room, Settings

CONFIG_SCHEMA, HUB_SCHEMA = "faro.schema.json", "faro-hub.schema.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"

PluginType = type[Plugin[Any]]  # Any: each plugin has a settings class of its own


class _Tolerant(Settings):
    """Mixed in where a plugin is missing that may know the keys nobody else knows."""

    model_config = ConfigDict(extra="ignore")


def hub_model(plugins: Sequence[PluginType], *, tolerant: bool = False) -> type[Hub]:
    """`Hub` with the keys plugins add to hubs and to their rooms. Its own are read first: plugins' validators see them
    (`ValidationInfo.data`), also where others are wrong."""
    extra = (_Tolerant,) if tolerant else ()
    rooms = tuple(plugin.room_settings for plugin in plugins if plugin.room_settings)
    hubs = tuple(plugin.hub_settings for plugin in plugins if plugin.hub_settings)
    room = create_model("Room", __base__=(*rooms, Room, *extra), __doc__=Room.__doc__)
    several = Annotated[tuple[room, ...], Field(min_length=1)]
    hub = create_model("Hub", __base__=(*hubs, Hub, *extra), __doc__=Hub.__doc__, rooms=(several, ...))
    return cast(type[Hub], hub)


def config_schema(plugins: Sequence[PluginType]) -> dict[str, Any]:  # Any: JSON
    """The JSON Schema of `config.yaml`."""
    settings: dict[str, Any] = {  # Any: pydantic's way to name fields
        plugin.name: (plugin.settings_type | bool | None, None) for plugin in plugins
    }
    hub: Any = hub_model(plugins)  # Any: classes made just now are no types to mypy
    of_plugins: Any = create_model("Plugins", __base__=Settings, **settings)
    more: Any = {"plugins": (of_plugins | None, None), "hubs": (tuple[hub, ...] | None, None)}
    return _schema(create_model("Config", __base__=BotConfig, __doc__=BotConfig.__doc__, **more))


def hub_schema(plugins: Sequence[PluginType]) -> dict[str, Any]:  # Any: JSON
    """The JSON Schema of a file with one hub."""
    return _schema(hub_model(plugins))


def write_schema(config: Path, plugins: Sequence[PluginType]) -> list[Path]:
    """Writes both schemas beside the configuration; answers the files."""
    written = []
    for name, schema in ((CONFIG_SCHEMA, config_schema(plugins)), (HUB_SCHEMA, hub_schema(plugins))):
        file = config.parent / name
        file.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(file)
    return written


def _schema(model: type[BaseModel]) -> dict[str, Any]:  # Any: JSON
    schema = model.model_json_schema()
    docs = {kind.__name__: _docstrings(kind) for kind in _settings_in(model)}
    for name, part in (*schema.get("$defs", {}).items(), (model.__name__, schema)):
        if "description" in part:  # the rest of a docstring is for authors of plugins
            part["description"] = part["description"].partition("\n\n")[0]
        for key, value in part.get("properties", {}).items():
            value.pop("title", None)
            if text := docs.get(name, {}).get(key):
                value.setdefault("description", text)
    return {"$schema": _DIALECT, **schema}


def _settings_in(model: type[BaseModel]) -> set[type[BaseModel]]:
    """The model and every model its fields are made of."""
    found: set[type[BaseModel]] = set()
    new = {model}
    while new:
        found |= new
        new = {
            inner for one in new for field in one.model_fields.values() for inner in models_in(field.annotation)
        } - found
    return found


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The sentence under each field in the source of a model and its bases."""
    texts: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base in (object, BaseModel, Settings) or not issubclass(base, BaseModel):
            continue
        try:
            (body,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        except (OSError, TypeError, SyntaxError, ValueError):  # made while the program runs
            continue
        statements = body.body if isinstance(body, ast.ClassDef) else []
        for field, text in pairwise(statements):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(written))):
                    texts[name] = inspect.cleandoc(written)
    return texts
