"""Is it a greeting or thanks, and nothing else?"""

from __future__ import annotations

from bot.core.commands import plain

COURTESIES = frozenset(
    (
        *("hello", "hi", "hey", "good morning", "good afternoon", "good evening"),
        *("thanks", "thank you", "many thanks", "thanks a lot", "thank you very much", "thx"),
        *("hola", "buenas", "buenos dias", "buenas tardes", "buenas noches", "gracias", "muchas gracias"),
        *("bonjour", "bonsoir", "salut", "merci", "merci beaucoup"),
        *("ola", "oi", "bom dia", "boa tarde", "boa noite"),
        *("obrigado", "obrigada", "muito obrigado", "muito obrigada"),
    )
)
"""In any language the bot speaks, as `plain` words."""


def is_courtesy(line: str, name: str) -> bool:
    """Whether somebody only greets or thanks, perhaps by the bot's name (`¡Hola, Faro!`)."""
    words = " ".join(filter(None, map(plain, line.split())))
    called = " ".join(filter(None, map(plain, name.split())))
    return words.removesuffix(called).strip() in COURTESIES
