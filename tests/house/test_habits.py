"""The files that help contributors name what exists."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def loaded(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def project() -> Any:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def test_ci_tests_every_python_that_the_package_supports() -> None:
    supported = [
        found[1]
        for one in project()["classifiers"]
        if (found := re.fullmatch(r"Programming .* Python :: (3\.\d+)", one))
    ]
    job = loaded(".github/workflows/test.yml")["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == supported
    assert job["steps"][-1]["run"] == "make test PYTHON=python"


def test_the_hooks_run_tools_that_the_project_installs() -> None:
    dev = {re.split(r"[<>=\[]", one)[0] for one in project()["optional-dependencies"]["dev"]}
    (local,) = loaded(".pre-commit-config.yaml")["repos"]
    for hook in local["hooks"]:
        tool, *arguments = hook["entry"].split()
        if tool == "make":
            assert set(arguments) <= targets()
        else:
            assert Path(tool).parent == Path(".venv/bin")
            assert Path(tool).name in dev


@pytest.mark.parametrize("name", ["bug.yml", "feature.yml"])
def test_issue_forms_are_complete(name: str) -> None:
    form = loaded(f".github/ISSUE_TEMPLATE/{name}")
    assert {"name", "description", "body"} <= form.keys()
    for element in form["body"]:
        assert element["type"] in ("markdown", "textarea", "input", "dropdown", "checkboxes")
        assert element["type"] == "markdown" or (element["id"] and element["attributes"]["label"])


def test_the_dev_container_is_set_up_by_a_command_that_exists() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    make, target = container["postCreateCommand"].split()
    assert (make, target in targets()) == ("make", True)


def test_contributing_names_the_commands_there_are() -> None:
    named = set(re.findall(r"`make ([a-z]+)`", (ROOT / "CONTRIBUTING.md").read_text("utf-8")))
    assert named <= targets()
    assert {"quick", "test", "full", "chaos", "coverage", "translations"} <= named
