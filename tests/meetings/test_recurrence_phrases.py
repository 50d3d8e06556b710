"""Plain words for how often a meeting repeats are understood in four languages, or refused with an example."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from plugins.meetings.recurrence_phrases import to_rule
from plugins.meetings.rrule import parse


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("every day", "FREQ=DAILY"),
        ("every week", "FREQ=WEEKLY"),
        ("Every 2 Weeks on Tuesday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"),
        ("every week on monday and thursday", "FREQ=WEEKLY;BYDAY=MO,TH"),
        ("every week on monday, wednesday and friday", "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
        ("every tuesday", "FREQ=WEEKLY;BYDAY=TU"),
        ("every month", "FREQ=MONTHLY"),
        ("first tuesday of the month", "FREQ=MONTHLY;BYDAY=1TU"),
        ("the last friday of every month", "FREQ=MONTHLY;BYDAY=-1FR"),
        ("first and third monday of the month", "FREQ=MONTHLY;BYDAY=1MO,3MO"),
        ("1st tuesday of the month", "FREQ=MONTHLY;BYDAY=1TU"),
        ("every 3 months on the second wednesday", "FREQ=MONTHLY;INTERVAL=3;BYDAY=2WE"),
        ("first tuesday of every 3 months", "FREQ=MONTHLY;INTERVAL=3;BYDAY=1TU"),
        ("every year", "FREQ=YEARLY"),
        ("cada semana", "FREQ=WEEKLY"),
        ("todas las semanas", "FREQ=WEEKLY"),
        ("cada 2 semanas el martes", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"),
        ("primer martes del mes", "FREQ=MONTHLY;BYDAY=1TU"),
        ("último viernes de cada mes", "FREQ=MONTHLY;BYDAY=-1FR"),
        ("cada semana los lunes y miércoles", "FREQ=WEEKLY;BYDAY=MO,WE"),
        ("cada año", "FREQ=YEARLY"),
        ("chaque semaine", "FREQ=WEEKLY"),
        ("toutes les 2 semaines le mardi", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"),
        ("premier mardi du mois", "FREQ=MONTHLY;BYDAY=1TU"),
        ("tous les 3 mois, le 2e mercredi", "FREQ=MONTHLY;INTERVAL=3;BYDAY=2WE"),
        ("le dernier vendredi de chaque mois", "FREQ=MONTHLY;BYDAY=-1FR"),
        ("tous les ans", "FREQ=YEARLY"),
        ("toda semana", "FREQ=WEEKLY"),
        ("a cada 2 semanas na terça-feira", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"),
        ("primeira terça-feira do mês", "FREQ=MONTHLY;BYDAY=1TU"),
        ("segunda segunda-feira do mês", "FREQ=MONTHLY;BYDAY=2MO"),
        ("segunda terça do mês", "FREQ=MONTHLY;BYDAY=2TU"),
        ("toda semana na segunda e na quarta", "FREQ=WEEKLY;BYDAY=MO,WE"),
        ("última sexta-feira do mês", "FREQ=MONTHLY;BYDAY=-1FR"),
        ("todos os anos", "FREQ=YEARLY"),
    ],
)
def test_plain_words_are_a_rule(text: str, rule: str) -> None:
    assert to_rule(text) == rule
    parse(rule)


@pytest.mark.parametrize(
    "text",
    [
        "", "weekly", "week", "2 weeks", "every", "every hour", "every 0 weeks", "every 100 weeks",
        "every month on tuesday",         "every second tuesday", "first tuesday",
        "every week on the first tuesday", "every year on tuesday",
        "sixth friday of the month", "every week and a half", "every " * 50 + "week",
    ],
)  # fmt: skip
def test_other_words_are_refused_with_examples(text: str) -> None:
    with pytest.raises(PydanticCustomError, match="first tuesday of the month"):
        to_rule(text)


words = st.sampled_from(
    [
        "every",
        "2",
        "0",
        "week",
        "months",
        "on",
        "first",
        "last",
        "segunda",
        "terça-feira",
        "y",
        "do",
        "mes",
        "#1",
        "MO",
        "²",
    ]
)


@given(st.one_of(st.text(), st.lists(words).map(" ".join)))
def test_nothing_but_its_own_error_comes_out(text: str) -> None:
    with suppress(PydanticCustomError):
        assert parse(to_rule(text)).ever_happens()
