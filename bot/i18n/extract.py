"""Extracts the sentences to translate from Python files.

These are literal first arguments of `t(…)`, `n(…, …)`, `Text(…)` and `invalid(…)`, and of handlers marked with
`@command(…)` the `help`, the `examples` and the names of parameters, which the usage shows. Of shell commands (click)
they are the docstring and the `help` of options.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SINGLE = frozenset({"t", "Text", "invalid"})
PLURAL = "n"


@dataclass(frozen=True, slots=True, order=True)
class Sentence:
    """An English template in the code; `plural` is "" if it has no plural form."""

    singular: str
    plural: str = ""


class NotLiteral(Exception):  # noqa: N818 - the name describes the problem
    """A template is not a literal, so it cannot be extracted."""


def sentences(files: Iterable[Path]) -> set[Sentence]:
    """The sentences of the files. Raises `NotLiteral` with file and line."""
    extracted: set[Sentence] = set()
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
        for node in ast.walk(tree):
            if isinstance(node, ast.AsyncFunctionDef) and any(_is_command(mark) for mark in node.decorator_list):
                extracted.update(_parameters(node))
            elif isinstance(node, ast.FunctionDef) and any(_is_shell_command(mark) for mark in node.decorator_list):
                if text := ast.get_docstring(node):
                    extracted.add(Sentence(inspect.cleandoc(text)))
            elif isinstance(node, ast.Call):
                try:
                    extracted.update(_call_sentences(node))
                except NotLiteral as error:
                    raise NotLiteral(f"{file}:{node.lineno}: {error}") from None
    return extracted


def _call_sentences(call: ast.Call) -> Iterator[Sentence]:
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    literals = [_literal(argument) for argument in call.args[:2]]
    if called in SINGLE and literals and literals[0]:
        yield Sentence(literals[0])
    elif called == PLURAL and len(literals) == 2 and literals[0] and literals[1]:
        yield Sentence(literals[0], literals[1])
    elif called == "command":
        for keyword in call.keywords:
            if keyword.arg == "help" and (text := _literal(keyword.value)):
                yield Sentence(text)
            elif keyword.arg == "examples" and isinstance(keyword.value, ast.Tuple | ast.List):
                yield from (Sentence(text) for example in keyword.value.elts if (text := _literal(example)))
    elif called == "option":
        yield from (Sentence(text) for one in call.keywords if one.arg == "help" and (text := _literal(one.value)))
    if called in (*SINGLE, PLURAL) and any(isinstance(a, ast.JoinedStr | ast.BinOp) for a in call.args[:1]):
        raise NotLiteral(f"the template of {called}() must be one literal string with {{placeholders}}")


def _is_command(mark: ast.expr) -> bool:
    return isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "command"


def _is_shell_command(mark: ast.expr) -> bool:
    """Whether a decorator is `@click.command(…)`, `@click.group(…)` or `@group.command(…)`."""
    return (
        isinstance(mark, ast.Call)
        and isinstance(mark.func, ast.Attribute)
        and mark.func.attr in ("command", "group")
        and isinstance(mark.func.value, ast.Name)
    )


def _parameters(handler: ast.AsyncFunctionDef) -> Iterator[Sentence]:
    """The parameter names that the usage shows: all after `self` and `ctx` but filters, which default to None."""
    rest = (
        argument
        for argument, default in zip(handler.args.kwonlyargs, handler.args.kw_defaults, strict=True)
        if not (isinstance(default, ast.Constant) and default.value is None)
    )
    for argument in (*handler.args.args[2:], *rest):
        yield Sentence(argument.arg.rstrip("_"))


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
