"""The JSON Schemas editors use accept what the bot accepts, and refuse the usual mistakes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bot.config.schema import config_schema, hub_schema, write_schema
from bot.runtime.plugins import find
from tests.config.folder import Post, Wishes

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


class EditorLoader(yaml.SafeLoader):
    """YAML 1.2, as editors read it: `2027-01-05` and `no` are texts."""


EditorLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in ("int", "float", "null")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
EditorLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))


def mistakes(schema: dict[str, Any], text: str) -> list[str]:  # Any: JSON
    document = yaml.load(text, Loader=EditorLoader)  # noqa: S506 - a SafeLoader with fewer types
    return [error.message for error in Draft202012Validator(schema).iter_errors(document)]


def test_the_example_is_accepted() -> None:
    assert mistakes(config_schema(find().plugins), EXAMPLE.read_text(encoding="utf-8")) == []


def test_each_hub_of_the_example_is_accepted_as_a_file_of_its_own() -> None:
    hubs = yaml.load(EXAMPLE.read_text(encoding="utf-8"), Loader=EditorLoader)["hubs"]  # noqa: S506 - as above
    for hub in hubs:
        assert mistakes(hub_schema(find().plugins), json.dumps(hub)) == []


@pytest.mark.parametrize(
    "text",
    [
        "prefx: '?'",
        "log: {level: loud}",
        "plugins: {wishs: {}}",
        "plugins: {post: {}}",
        "answer_within: 10",
        "user: faro",
    ],
)
def test_usual_mistakes_are_refused(text: str) -> None:
    whole = {"homeserver": "https://x.example", "user": "@a:x"} | yaml.safe_load(text)
    assert mistakes(config_schema([Wishes, Post]), json.dumps(whole)) != []


@pytest.mark.parametrize(
    "text", ["plugins: {wishes: false}", "plugins: {wishes: }", "include: hubs/*.yaml", "include: [a]"]
)
def test_every_way_to_write_a_setting_is_accepted(text: str) -> None:
    whole = {"homeserver": "https://x.example", "user": "@a:x"} | yaml.safe_load(text)
    assert mistakes(config_schema([Wishes]), json.dumps(whole)) == []


def test_both_are_written_beside_the_configuration(tmp_path: Path) -> None:
    written = write_schema(tmp_path / "config.yaml", [Wishes])
    assert [file.name for file in written] == ["faro.schema.json", "faro-hub.schema.json"]
    assert "wishes" in json.loads(written[1].read_text(encoding="utf-8"))["properties"]
