"""A sentence that is not yet in anybody's language: the English template with its values.

`core` cannot translate (that needs catalogues), so it says *what* it wants to say with a `Text`; whoever knows
the reader hands it to a `Translator` (see `bot.ports`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence to be translated later: the English template and the values of its placeholders. A value may itself be
    a `Text`; it is translated first.

    >>> str(Text("Did you mean '{name}'?", name="remind"))
    "Did you mean 'remind'?"
    """

    template: str
    values: tuple[tuple[str, object], ...]

    def __init__(self, template: str, **values: object) -> None:
        object.__setattr__(self, "template", template)
        object.__setattr__(self, "values", tuple(values.items()))

    def __str__(self) -> str:
        """The English sentence, for logs and for tests."""
        return self.template.format(**dict(self.values))
