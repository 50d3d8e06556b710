"""docs/configure.md keeps its promises: every setting with its default, and examples that are accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.config.model import BotConfig
from bot.config.problems import models_in
from bot.config.schema import CONFIG_SCHEMA, HUB_SCHEMA, config_schema, hub_model, hub_schema
from bot.config.yamltree import plain, read
from bot.runtime.plugins import find
from tests.house.source import ROOT

PLUGINS = find().plugins
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
PAGE = (ROOT / "docs/configure.md").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Row:
    meaning: str
    default: str
    example: str


def sections(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every place of the configuration with settings of its own, as `hubs[].rooms[]`."""
    yield path, model
    for name, field in model.model_fields.items():
        inner = [hub_model(PLUGINS)] if model is BotConfig and name == "hubs" else models_in(field.annotation)
        many = "[]" if "tuple" in str(field.annotation) else ""
        for one in inner:
            yield from sections(one, f"{path}.{name}{many}".removeprefix("."))


SECTIONS = dict(sections(BotConfig)) | {
    f"plugins.{plugin.name}": plugin.settings_type for plugin in PLUGINS if plugin.settings_type.model_fields
}


def rows(path: str) -> Mapping[str, Row]:
    heading = f"### `{path}`\n" if path else "## The bot\n"
    _, found, rest = PAGE.partition(heading)
    assert found, f"docs/configure.md needs a section {heading.strip()}"
    table = re.split(r"^##", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return {key: Row(*cells) for key, *cells in ROW.findall(table)}


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if value in (None, (), {}) or isinstance(value, BaseModel):
        return "–"
    if isinstance(value, tuple):
        return f"`[{', '.join(value)}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


@pytest.mark.parametrize("path", SECTIONS)
def test_every_setting_is_on_the_page_with_its_default_and_nothing_else_is(path: str) -> None:
    fields = SECTIONS[path].model_fields
    assert {key: row.default for key, row in rows(path).items()} == {
        name: default_of(field) for name, field in fields.items()
    }


@pytest.mark.parametrize("path", SECTIONS)
def test_every_example_on_the_page_is_accepted(path: str) -> None:
    examples = {key: row.example.strip("`") for key, row in rows(path).items() if row.example.startswith("`")}
    fields = SECTIONS[path].model_fields
    always = {key: examples[key] for key in examples if fields[key].is_required() or key == "repeats"}
    if path == "hubs[]":
        always["rooms"] = '[{alias: "#a:example.org"}]'
    for key, example in examples.items():
        written = {**always, key: example}
        if key == "rrule":
            del written["repeats"]
        text = "".join(f"{name}: {value}\n" for name, value in written.items())
        root, problems = read("page", text.encode())
        assert root
        assert not problems
        SECTIONS[path].model_validate(plain(root))


def test_the_schemas_beside_the_example_are_up_to_date() -> None:
    remedy = "run: faro check config.example.yaml --schema"
    assert json.loads((ROOT / CONFIG_SCHEMA).read_text(encoding="utf-8")) == config_schema(PLUGINS), remedy
    assert json.loads((ROOT / HUB_SCHEMA).read_text(encoding="utf-8")) == hub_schema(PLUGINS), remedy


@pytest.mark.parametrize("schema", [config_schema(PLUGINS), hub_schema(PLUGINS)], ids=["config", "hub"])
def test_editors_show_what_each_setting_means(schema: Mapping[str, object]) -> None:
    Draft202012Validator.check_schema(schema)
    properties = schema["properties"]
    assert isinstance(properties, dict)
    undescribed = [
        name for name, value in properties.items() if "description" not in value and name not in ("plugins", "hubs")
    ]
    assert undescribed == []
