"""Builds FTS5 MATCH expressions.

Every word is quoted and bound to columns, so that nothing people write acts as an operator or reaches the column
`facets`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from plugins.knowledge.index.build_entry import TEXT_COLUMNS
from plugins.knowledge.index.thesaurus import token
from plugins.knowledge.search.query_parser import Unit
from plugins.knowledge.text.folding import MOST_PARTS, joined

ANYWHERE = "{" + " ".join(TEXT_COLUMNS) + "}"
# Topics may be names that Faro gave.
LITERAL = "{" + " ".join(column for column in TEXT_COLUMNS if column != "topics") + "}"
IN_TITLE = "{title topics}"


def match(facets: Iterable[Sequence[str]], units: Sequence[Unit], without: Sequence[Unit] = (), *,
          titles: bool = False) -> str:  # fmt: skip
    """The expression for entries with one of each list of facets, all the units, and none of `without`.

    `titles`: the units must stand in title or topics.
    """
    parts = [f"facets : ({' OR '.join(map(quoted, words))})" for words in facets]
    parts += [expression(unit, titles=titles) for unit in units]
    query = " AND ".join(parts)
    for unit in without:
        query = f"({query}) NOT {expression(unit, broad=False)}"
    return query


def expression(unit: Unit, *, titles: bool = False, broad: bool = True) -> str:
    """The expression for one unit. `broad`: includes its concepts and the stems of its words. Phrases match
    literally."""
    if unit.phrase:
        columns = "title" if titles else LITERAL
        return f"{columns} : {quoted(' '.join(parts[0] for parts in unit.words))}"
    columns = IN_TITLE if titles else ANYWHERE
    words = " AND ".join(_word(unit, position, columns, titles=titles, broad=broad) for position in unit.significant)
    alternatives = [f"({words})"]
    if broad and unit.concepts:
        alternatives.append(
            f"concepts : ({' OR '.join(map(quoted, levels(map(token, unit.concepts), titles=titles)))})"
        )
    return f"({' OR '.join(alternatives)})"


def levels(words: Iterable[str], *, titles: bool = False) -> list[str]:
    """Words as the columns `stems` and `concepts` hold them: prefixed with `1` in title or topics, with `2`
    elsewhere."""
    return [f"{level}{word}" for word in words for level in ("1" if titles else "12")]


def quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _word(unit: Unit, position: int, columns: str, *, titles: bool, broad: bool) -> str:
    parts = unit.words[position]
    star = "*" if unit.prefix and position == len(unit.words) - 1 else ""
    if len(parts) > 1:
        separate = " AND ".join(f"{columns} : {quoted(part)}" for part in parts)
        if len(parts) > MOST_PARTS:
            return f"({separate})"
        whole = " OR ".join([quoted(joined(parts)) + star, *map(quoted, unit.beginnings)])
        return f"(({separate}) OR {columns} : ({whole}))"
    stems = unit.stems[position] if broad and position < len(unit.stems) else ()
    alternatives = [quoted(parts[0]) + star, *map(quoted, (*stems, *unit.beginnings))]
    plain = f"{columns} : ({' OR '.join(alternatives)})"
    forms = (parts[0], *stems)
    if not broad or star:
        return plain
    return f"({plain} OR stems : ({' OR '.join(map(quoted, levels(forms, titles=titles)))}))"
