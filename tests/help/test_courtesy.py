"""Greetings and thanks are known as such; whatever says more is not."""

from __future__ import annotations

import pytest

from plugins.help.courtesy import is_courtesy


@pytest.mark.parametrize(
    "said", ["hola", "Hello!", "¡Hola, Faro!", "Olá", "bonjour", "Thank you", "thanks Faro :)", "merci", "OBRIGADA…"]
)
def test_a_greeting_or_thanks_is_one_however_it_is_written(said: str) -> None:
    assert is_courtesy(said, "Faro")


@pytest.mark.parametrize("said", ["", "Faro", "?", "gifts", "hello gifts", "thank you for gifts", "you"])
def test_what_says_anything_else_is_none(said: str) -> None:
    assert not is_courtesy(said, "Faro")
