"""Secrets stay out of YAML: `${NAME}` is read from the environment, `password_file` from a file."""

from __future__ import annotations

import re
from collections.abc import Mapping as Environ
from pathlib import Path

from bot.config.model import BotConfig
from bot.config.yamltree import Items, Loc, Mapping, Node, Scalar, shown, text_of
from bot.core.errors import Problem
from bot.core.texts import Text

SECRETS = ("password", "access_token")
SETTINGS = tuple(name for secret in SECRETS for name in (secret, f"{secret}_file"))
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def expand(root: Mapping, file: str, environ: Environ[str, str]) -> tuple[Mapping, list[Problem]]:
    """The tree with `${NAME}` filled in, everywhere but in hubs: those who write hubs may not read the environment."""
    problems: list[Problem] = []

    def fill(node: Node, loc: Loc) -> Node:
        if isinstance(node, Items):
            return Items(node.position, [fill(item, (*loc, number)) for number, item in enumerate(node.nodes)])
        if isinstance(node, Mapping):
            return Mapping(
                node.position, {key: fill(value, (*loc, key)) for key, value in node.nodes.items()}, node.keys
            )
        if node.text is None or "${" not in node.text:
            return node
        problems.extend(
            Problem(file, node.position.line, node.position.column, shown(loc), _unset(name, loc))
            for name in _VARIABLE.findall(node.text)
            if not environ.get(name)
        )
        return Scalar(node.position, _VARIABLE.sub(lambda match: environ.get(match[1], ""), node.text))

    nodes = {key: value if key == "hubs" else fill(value, (key,)) for key, value in root.nodes.items()}
    return Mapping(root.position, nodes, root.keys), problems


def _unset(name: str, loc: Loc) -> Text:
    if loc[0] in SECRETS:
        return Text(
            "the environment variable {name} is not set; set it, or name a file with '{setting}: …' instead",
            name=name,
            setting=f"{loc[0]}_file",
        )
    return Text("the environment variable {name} is not set; set it, or write the value here", name=name)


def conflicting_logins(root: Mapping, file: str) -> list[Problem]:
    """A password or a token, written or in a file: one of the four."""
    written = sorted(
        (name for name in SETTINGS if text_of(root, name) is not None), key=lambda name: root.keys[name].line
    )
    return [
        Problem(file, root.keys[name].line, root.keys[name].column, name,
                Text("'{other}' is also set (line {line}); keep only one of them", other=written[0],
                     line=root.keys[written[0]].line))
        for name in written[1:]
    ]  # fmt: skip


def read_secrets(
    config: BotConfig, root: Mapping, file: str, environ: Environ[str, str]
) -> tuple[dict[str, str], list[Problem]]:
    """The password or the token, by its setting's name; both are missing where nothing is set.

    Where YAML has none, FARO_ACCESS_TOKEN or FARO_PASSWORD of the environment is used.
    """
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for name in SECRETS:
        if written := getattr(config, name):
            found[name] = written.get_secret_value()
        elif path := getattr(config, f"{name}_file"):
            try:
                content = (Path(file).parent / path).read_text(encoding="utf-8-sig").strip()
            except (OSError, ValueError) as error:
                content, message = (
                    "",
                    Text("the file '{file}' cannot be read: {reason}", file=path, reason=reason(error)),
                )
            else:
                message = Text("the file '{file}' is empty", file=path)
            if content:
                found[name] = content
            else:
                position = root.nodes[f"{name}_file"].position
                problems.append(Problem(file, position.line, position.column, f"{name}_file", message))
    if not found and not problems:
        environment = {"access_token": environ.get("FARO_ACCESS_TOKEN"), "password": environ.get("FARO_PASSWORD")}
        found = {name: value for name, value in environment.items() if value}
    return found, problems


def reason(error: OSError | ValueError) -> Text | str:
    """Why a file cannot be read, without its name."""
    if isinstance(error, FileNotFoundError):
        return Text("there is no such file")
    if isinstance(error, PermissionError):
        return Text("this user is not allowed to read it")
    if isinstance(error, IsADirectoryError):
        return Text("it is a folder")
    if isinstance(error, UnicodeDecodeError):
        return Text("it is not UTF-8 text")
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
