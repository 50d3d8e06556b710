"""What pydantic found wrong, in plain sentences, each at its position in the file."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.config.yamltree import Loc, Mapping, Node, Position, child, shown
from bot.core.errors import Problem
from bot.core.texts import Text

LONGEST_VALUE = 80  # characters of a wrong value that are shown
KEYS_SHOWN = 12

_FIXED = {
    "missing": Text("missing: this setting is required"),
    "string_type": Text("expected a single text, not a list or 'name: value' lines"),
    "list_type": Text("expected a list: one '- …' line per item, or [a, b]"),
    "mapping_type": Text("expected settings as 'name: value' lines"),
    "int_type": Text("expected a whole number"),
    "float_type": Text("expected a number"),
    "bool_type": Text("expected 'true' or 'false'"),
}
_SAME = {
    "tuple_type": "list_type", "set_type": "list_type", "frozen_set_type": "list_type", "iterable_type": "list_type",
    "dict_type": "mapping_type", "model_type": "mapping_type", "model_attributes_type": "mapping_type",
    "dataclass_type": "mapping_type", "path_type": "string_type", "is_instance_of": "string_type",
}  # fmt: skip
_OF_VALUE = {
    "int_parsing": Text("'{value}' is not a whole number"),
    "int_from_float": Text("'{value}' is not a whole number"),
    "int_parsing_size": Text("'{value}' is too large"),
    "float_parsing": Text("'{value}' is not a number"),
    "finite_number": Text("'{value}' is not a number"),
    "bool_parsing": Text("'{value}' is neither 'true' nor 'false'"),
    "date": Text("'{value}' is not a date; write it as '2027-01-31'"),
    "datetime": Text("'{value}' is not a date and time; write it as '2027-01-31 10:00'"),
    "time": Text("'{value}' is not a time; write it as '10:00'"),
    "url": Text("'{value}' is not a web address; write one like 'https://example.org'"),
}
_LIMITS = {
    "greater_than_equal": ("ge", Text("'{value}' is too small; the minimum is {limit}")),
    "greater_than": ("gt", Text("'{value}' is too small; it must be more than {limit}")),
    "less_than_equal": ("le", Text("'{value}' is too large; the maximum is {limit}")),
    "less_than": ("lt", Text("'{value}' is too large; it must be less than {limit}")),
    "multiple_of": ("multiple_of", Text("'{value}' is not a multiple of {limit}")),
    "too_short": ("min_length", Text("too few items; at least {limit} required")),
    "too_long": ("max_length", Text("too many items; at most {limit} allowed")),
    "string_too_short": ("min_length", Text("'{value}' is too short; use at least {limit} characters")),
    "string_too_long": ("max_length", Text("'{value}' is too long; use at most {limit} characters")),
    "string_pattern_mismatch": ("pattern", Text("'{value}' does not match the expected pattern: {limit}")),
}


def problems_of(
    error: ValidationError, model: type[BaseModel], file: str, root: Node, prefix: Loc = ()
) -> list[Problem]:
    """Every problem `error` reports about the value at `prefix` in the file whose tree is `root`."""
    return [
        _problem(details, model, file, root, prefix)
        for details in error.errors(include_url=False)
        if not _short_of_wrong_ones(details)
    ]


def unknown_key(key: str, known: Sequence[str]) -> Text:
    """The sentence for a key that is none of `known`."""
    folded = {name.casefold(): name for name in known}
    if close := get_close_matches(key.casefold().replace("-", "_"), folded, n=1):
        return Text("unknown key; did you mean '{suggestion}'?", suggestion=folded[close[0]])
    if known and len(known) <= KEYS_SHOWN:
        return Text("unknown key; allowed here: {known}", known=", ".join(sorted(known)))
    return Text("unknown key")


def _problem(details: ErrorDetails, model: type[BaseModel], file: str, root: Node, prefix: Loc) -> Problem:
    position, loc = _position(root, (*prefix, *details["loc"]), details["type"])
    if details["type"] == "extra_forbidden":
        message = unknown_key(str(loc[-1]), _keys_at(model, loc[len(prefix) : -1]))
    else:
        message = explain(details)
    return Problem(file, position.line, position.column, shown(loc), message)


def _short_of_wrong_ones(details: ErrorDetails) -> bool:
    """pydantic counts only the good members of a list; the wrong ones have their own problems."""
    value = details["input"]
    return details["type"] == "too_short" and isinstance(value, list) and len(value) >= details["ctx"]["min_length"]


def _position(root: Node, loc: Loc, kind: str) -> tuple[Position, Loc]:
    """Where it is, and the way there without the steps pydantic adds for itself (members of unions, "[key]")."""
    node, way = root, list[str | int]()
    position = root.position
    for step in loc:
        if (inner := child(node, step)) is None:
            continue
        # an unknown key is wrong itself; of anything else the value is
        position = node.keys[str(step)] if kind == "extra_forbidden" and isinstance(node, Mapping) else inner.position
        node = inner
        way.append(step)
    if kind == "missing":
        way.append(loc[-1])
    return position, way


def explain(details: ErrorDetails) -> Text:
    """One error of pydantic in our own words."""
    kind, value, ctx = details["type"], details["input"], details.get("ctx", {})
    if value is None and kind != "missing":
        return Text("missing value; add one, or remove the line")
    if isinstance(sentence := ctx.get("sentence"), Text):
        return Text(sentence.template, **{name: _short(of) for name, of in sentence.values})
    if kind == "missing":
        return _FIXED[kind]
    if fixed := _FIXED.get(_SAME.get(kind, kind)):
        return fixed
    if kind in ("literal_error", "enum"):
        return _choice(str(value), re.findall(r"'([^']*)'", str(ctx.get("expected", ""))))
    if kind in _LIMITS:
        name, sentence = _LIMITS[kind]
        return Text(sentence.template, value=_short(value), limit=ctx.get(name))
    if by_value := _OF_VALUE.get(kind) or _OF_VALUE.get(kind.partition("_")[0]):
        return Text(by_value.template, value=_short(value))
    if kind in ("value_error", "assertion_error"):
        return Text("{reason}", reason=_short(ctx.get("error")))
    return Text("invalid value: {reason}", reason=details["msg"])


def _choice(value: str, possible: Sequence[str]) -> Text:
    folded = {name.casefold(): name for name in possible}
    if close := get_close_matches(value.casefold(), folded, n=1):
        suggestion = folded[close[0]]
        return Text("'{value}' is not allowed here; did you mean '{suggestion}'?", value=_short(value),
                    suggestion=suggestion)  # fmt: skip
    known = ", ".join(possible)
    return Text("'{value}' is not allowed here; allowed values: {known}", value=_short(value), known=known)


def _short(value: object) -> object:
    text = value if isinstance(value, Text | int | float) else str(value)
    return f"{text[:LONGEST_VALUE]}…" if isinstance(text, str) and len(text) > LONGEST_VALUE else text


def _keys_at(model: type[BaseModel], loc: Loc) -> list[str]:
    """The keys that are known in the mapping `loc` leads to."""
    models = [model]
    for step in loc:
        if isinstance(step, str):
            fields = (
                field for one in models for name, field in one.model_fields.items() if step in (name, field.alias)
            )
            models = [inner for field in fields for inner in models_in(field.annotation)]
    return [field.alias or name for one in models for name, field in one.model_fields.items()]


def models_in(annotation: Any) -> list[type[BaseModel]]:  # Any: whatever a plugin's author wrote
    """The models an annotation is made of: those of `tuple[Room, ...]`, `Invites | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Annotated, typing.Union, types.UnionType, tuple, list, dict):
        return [model for argument in get_args(annotation) for model in models_in(argument)]
    return []
