"""Lengths of time are understood as people write them in the bot's languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.durations import Duration, parse


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("1 week", Duration(1, "week")),
        ("2 Weeks", Duration(2, "week")),
        ("1 day", Duration(1, "day")),
        ("24h", Duration(24, "hour")),
        ("24 hrs.", Duration(24, "hour")),
        ("10 minutes", Duration(10, "minute")),
        ("10min", Duration(10, "minute")),
        ("90 s", Duration(90, "second")),
        ("1 semana", Duration(1, "week")),
        ("2 días", Duration(2, "day")),
        ("2 dias", Duration(2, "day")),
        ("3 horas", Duration(3, "hour")),
        ("1 semaine", Duration(1, "week")),
        ("2 jours", Duration(2, "day")),
        ("2 j", Duration(2, "day")),
        ("3 heures", Duration(3, "hour")),
        (" 5  minutos ", Duration(5, "minute")),
    ],
)
def test_a_number_and_a_unit_are_a_duration(text: str, duration: Duration) -> None:
    assert parse(text) == duration


@pytest.mark.parametrize(
    "text", ["", "10", "soon", "1.5 hours", "-1 day", "1 month", "1h30", "1 day 2 hours", "٣ days", "999999 weeks"]
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse(text)


def test_a_day_and_24_hours_are_not_the_same_though_they_last_as_long() -> None:
    assert parse("1 day") != parse("24h")
    assert parse("1 day").milliseconds == parse("24h").milliseconds == 86_400_000


@given(st.integers(0, 99_999), st.sampled_from(["second", "minute", "hour", "day", "week"]))
def test_what_is_shown_can_be_read_again(amount: int, unit: str) -> None:
    duration = parse(f"{amount} {unit}")
    assert parse(str(duration)) == duration


@given(st.text())
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        parse(text)
    except ValueError:
        return
