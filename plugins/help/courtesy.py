"""Is a message only a greeting or thanks?"""

from __future__ import annotations

from bot.api import normalize

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
"""In any language the bot speaks, as `normalize` writes their words."""


def is_courtesy(line: str, bot_name: str) -> bool:
    """Whether somebody only greets or thanks, perhaps by the bot's name (`¡Hola, Faro!`)."""
    return _normalized(line).removesuffix(_normalized(bot_name)).strip() in COURTESIES


def _normalized(text: str) -> str:
    return " ".join(filter(None, map(normalize, text.split())))
