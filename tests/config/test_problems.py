"""Whatever a setting's type is, what is wrong with it is said in our own plain words, never in pydantic's."""

from __future__ import annotations

from datetime import date, datetime, time
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import AnyUrl, Field, ValidationError, create_model, field_validator

from bot.api import Settings
from bot.config.problems import problems_of
from bot.config.yamltree import plain, read


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(Settings):
    a: int = 0


def said(kind: Any, text: str) -> list[str]:  # Any: any annotation
    model = create_model("Model", __base__=Settings, x=(kind, ...))
    root, _ = read("f", f"x: {text}\n".encode())
    assert root is not None
    with pytest.raises(ValidationError) as caught:
        model.model_validate(plain(root))
    return [f"{problem.path}: {problem.message}" for problem in problems_of(caught.value, model, "f", root)]


LIST = "expected a list: one '- …' line per item, or [a, b]"
MAPPING = "expected settings as 'name: value' lines"
TEXT = "expected a single text, not a list or 'name: value' lines"


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        (str, "[a]", TEXT),
        (Path, "[a]", TEXT),
        (str, "", "missing value; add one, or remove the line"),
        (int, "many", "'many' is not a whole number"),
        (int, "1.5", "'1.5' is not a whole number"),
        (int, "9" * 5000, f"'{'9' * 80}…' is too large"),
        (int, "[1]", "expected a whole number"),
        (float, "pi", "'pi' is not a number"),
        (float, "{}", "expected a number"),
        (Annotated[float, Field(allow_inf_nan=False)], "inf", "'inf' is not a number"),
        (bool, "maybe", "'maybe' is neither 'true' nor 'false'"),
        (bool, "[]", "expected 'true' or 'false'"),
        (Literal["text", "json"], "JSON", "'JSON' is not allowed here; did you mean 'json'?"),
        (Literal["text", "json"], "xml", "'xml' is not allowed here; allowed values: text, json"),
        (Colour, "rad", "'rad' is not allowed here; did you mean 'red'?"),
        (tuple[str, ...], "a", LIST),
        (list[str], "{a: b}", LIST),
        (set[str], "a", LIST),
        (frozenset[str], "a", LIST),
        (dict[str, str], "a", MAPPING),
        (Inner, "a", MAPPING),
        (Annotated[tuple[str, ...], Field(min_length=2)], "[a]", "too few items; at least 2 required"),
        (Annotated[list[str], Field(max_length=1)], "[a, b]", "too many items; at most 1 allowed"),
        (Annotated[str, Field(min_length=3)], "ab", "'ab' is too short; use at least 3 characters"),
        (Annotated[str, Field(max_length=1)], "ab", "'ab' is too long; use at most 1 characters"),
        (Annotated[str, Field(pattern="^a+$")], "ab", "'ab' does not match the expected pattern: ^a+$"),
        (Annotated[int, Field(ge=1)], "0", "'0' is too small; the minimum is 1"),
        (Annotated[int, Field(gt=1)], "1", "'1' is too small; it must be more than 1"),
        (Annotated[int, Field(le=1)], "2", "'2' is too large; the maximum is 1"),
        (Annotated[int, Field(lt=1)], "1", "'1' is too large; it must be less than 1"),
        (Annotated[int, Field(multiple_of=5)], "7", "'7' is not a multiple of 5"),
        (date, "tomorrow", "'tomorrow' is not a date; write it as '2027-01-31'"),
        (datetime, "soon", "'soon' is not a date and time; write it as '2027-01-31 10:00'"),
        (time, "noon", "'noon' is not a time; write it as '10:00'"),
        (AnyUrl, "nowhere", "'nowhere' is not a web address; write one like 'https://example.org'"),
    ],
)
def test_each_kind_of_mistake_has_its_sentence(kind: object, text: str, problem: str) -> None:
    assert said(kind, text) == [f"x: {problem}"]


def test_a_plain_value_error_of_a_plugin_is_shown_as_it_is() -> None:
    class Own(Settings):
        x: str

        @field_validator("x")
        @classmethod
        def _refuse(cls, value: str) -> str:
            raise ValueError("not today")

    assert said(Own, "{x: a}") == ["x.x: not today"]


def test_a_kind_of_mistake_nobody_foresaw_is_still_told() -> None:
    assert said(complex, "a")[0].startswith("x: invalid value: ")


def test_a_list_with_a_wrong_member_is_not_called_too_short_as_well() -> None:
    assert said(Annotated[tuple[int, ...], Field(min_length=1)], "[a]") == ["x[0]: 'a' is not a whole number"]


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [("max-per-hub", "max_per_hub"), ("Max_per_hub", "max_per_hub"), ("maxperhub", "max_per_hub")],
)
def test_an_unknown_key_gets_the_nearest_one_of_its_own_place(text: str, suggestion: str) -> None:
    place = create_model("Position", __base__=Settings, max_per_hub=(int, 0))
    assert said(tuple[place, ...] | None, f"[{{{text}: 1}}]") == [
        f"x[0].{text}: unknown key; did you mean '{suggestion}'?"
    ]
