"""Every public name of `bot.api` is documented, with an example that is tried."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator

import pytest

import bot.api

WITHOUT_EXAMPLE = {
    # raised by the program, never by a plugin
    "ConfigError", "PluginError",
    # events: `listen` shows how they arrive
    "Edit", "Reaction", "Redaction", "StateChange", "Superseded",
    # what `timeliness` returns
    "Timeliness",
}  # fmt: skip
"""Classes that need no example."""
EXAMPLE = re.compile(r"Example::\n\n((?:    .*\n|\n)+)")


def documented() -> Iterator[tuple[str, object]]:
    """The public classes and functions; the others are aliases of types."""
    for name in bot.api.__all__:
        value = getattr(bot.api, name)
        if inspect.isfunction(value) or (inspect.isclass(value) and value.__module__.startswith("bot.")):
            yield name, value


PUBLIC = dict(documented())


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_says_what_it_is_and_shows_an_example(name: str) -> None:
    text = inspect.getdoc(PUBLIC[name]) or ""
    assert text
    has_example = ">>> " in text or "Example::" in text
    assert has_example != (name in WITHOUT_EXAMPLE)


@pytest.mark.parametrize("name", [name for name, value in PUBLIC.items() if inspect.isclass(value)])
def test_every_public_member_says_what_it_is(name: str) -> None:
    own = {
        member: value
        for member, value in vars(PUBLIC[name]).items()
        if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
    }
    assert [member for member, value in own.items() if not inspect.getdoc(value)] == []


@pytest.mark.parametrize("name", PUBLIC)
def test_examples_of_values_give_what_they_say(name: str) -> None:
    value = PUBLIC[name]
    module = importlib.import_module(str(getattr(value, "__module__", "")))
    text = inspect.getdoc(value) or ""
    examples = doctest.DocTestParser().get_doctest(text, {**vars(module), name: value}, name, None, 0)
    assert doctest.DocTestRunner(verbose=False).run(examples).failed == 0


@pytest.mark.parametrize("name", PUBLIC)
def test_examples_of_code_are_python_that_names_what_exists(name: str) -> None:
    """They need a running bot, so they are read, not run."""
    for example in EXAMPLE.findall((inspect.getdoc(PUBLIC[name]) or "") + "\n"):
        code = textwrap.dedent(example)
        tree = ast.parse(f"async def example():\n{textwrap.indent(code, '    ')}")
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in CONTEXTS:
                assert any(hasattr(kind, node.attr) for kind in CONTEXTS[node.value.id]), ast.unparse(node)


CONTEXTS: dict[str, tuple[type, ...]] = {
    "ctx": (bot.api.Context, bot.api.AlarmContext, bot.api.JobContext, bot.api.RefreshContext),
    "offline": (bot.api.Offline,),
    "shell": (bot.api.Shell,),
    "tx": (bot.api.Transaction, bot.api.SyncTransaction),
    "db": (bot.api.Reader, bot.api.SyncReader, bot.api.Database),
    "words": (bot.api.Translator,),
}
