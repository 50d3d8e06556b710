"""A question in the language of FTS5. Every word is quoted and bound to columns: nothing people write is an operator,
or reaches the column `facets`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from plugins.knowledge.index.build_entry import SEEN
from plugins.knowledge.index.thesaurus import token
from plugins.knowledge.search.query_parser import Unit
from plugins.knowledge.text.folding import MOST_PARTS, joined

ANYWHERE = "{" + " ".join(SEEN) + "}"
AS_WRITTEN = "{" + " ".join(column for column in SEEN if column != "topics") + "}"  # topics are names Faro gives
IN_TITLE = "{title topics}"


def match(facets: Iterable[Sequence[str]], units: Sequence[Unit], without: Sequence[Unit] = (), *,
          titles: bool = False) -> str:  # fmt: skip
    """Entries that have one of each list of facets, all the units, and none of `without`.

    `titles`: only where title and topics have them.
    """
    parts = [f"facets : ({' OR '.join(map(quoted, words))})" for words in facets]
    parts += [expression(unit, titles=titles) for unit in units]
    found = " AND ".join(parts)
    for unit in without:
        found = f"({found}) NOT {expression(unit, broad=False)}"
    return found


def expression(unit: Unit, *, titles: bool = False, broad: bool = True) -> str:
    """One unit; a phrase only as somebody wrote it. `broad`: with its concepts and what its words also stand for."""
    if unit.phrase:
        where = "title" if titles else AS_WRITTEN
        return f"{where} : {quoted(' '.join(parts[0] for parts in unit.words))}"
    where = IN_TITLE if titles else ANYWHERE
    words = " AND ".join(_word(unit, place, where, titles=titles, broad=broad) for place in unit.telling)
    ways = [f"({words})"]
    if broad and unit.concepts:
        ways.append(f"concepts : ({' OR '.join(map(quoted, levels(map(token, unit.concepts), titles=titles)))})")
    return f"({' OR '.join(ways)})"


def levels(words: Iterable[str], *, titles: bool = False) -> list[str]:
    """Words as the columns `stems` and `concepts` have them: `1` if they stand in title or topics, else `2`."""
    return [f"{level}{word}" for word in words for level in ("1" if titles else "12")]


def quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _word(unit: Unit, place: int, where: str, *, titles: bool, broad: bool) -> str:
    parts = unit.words[place]
    star = "*" if unit.prefix and place == len(unit.words) - 1 else ""
    if len(parts) > 1:
        separate = " AND ".join(f"{where} : {quoted(part)}" for part in parts)
        if len(parts) > MOST_PARTS:
            return f"({separate})"
        whole = " OR ".join([quoted(joined(parts)) + star, *map(quoted, unit.beginnings)])
        return f"(({separate}) OR {where} : ({whole}))"
    stems = unit.stems[place] if broad and place < len(unit.stems) else ()
    ways = [quoted(parts[0]) + star, *map(quoted, (*stems, *unit.beginnings))]
    plain = f"{where} : ({' OR '.join(ways)})"
    own = (parts[0], *stems)
    if not broad or star:
        return plain
    return f"({plain} OR stems : ({' OR '.join(map(quoted, levels(own, titles=titles)))}))"
