"""Which topics a name may mean, and which names are near it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from rapidfuzz import fuzz, process

from bot.api import Hub, SyncReader
from plugins.knowledge.index import vocabulary
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store.access import Scope
from plugins.knowledge.text.folding import compounds, fold

NEAR = 65  # of 100: how much of a word and of a topic's name must be alike, for topics that are near


def topics_called(db: SyncReader, hubs: Sequence[Hub], rules: Rules, scope: Scope, said: str) -> Sequence[str]:
    """The topics a name may mean: the hubs' own, ideas of the thesaurus, and hashtags that were used."""
    found: dict[str, None] = {}
    words = list(compounds(said))
    for one in hubs:
        hub_rules = rules.of(one.id)
        if topic := hub_rules.topics_by_name.get(fold(said)):
            found[topic] = None
        for mention in hub_rules.thesaurus.mentions(words, capitals=False):
            if mention.end - mention.start == len(words):
                found |= dict.fromkeys((*mention.concepts, *hub_rules.topics_of(mention.concepts)))
    tag = fold(said.removeprefix("#")).replace(" ", "-").replace("_", "-")
    return list(found | dict.fromkeys(vocabulary.topics_used(db, scope, [tag])))


def close_topic(db: SyncReader, hubs: Sequence[Hub], rules: Rules, scope: Scope, said: str) -> str | None:
    """The topic that may be meant by a name none has: one of its words, or written much like it."""
    names = topics_by_name(hubs, rules)
    names |= {tag: tag for tag in vocabulary.topic_counts(db, scope) if tag not in names}
    parts = [name for name in names if fold(said) in name.split()]
    close = parts or get_close_matches(fold(said), names, n=1, cutoff=0.6)
    return names[close[0]] if close else None


def topics_by_name(hubs: Sequence[Hub], rules: Rules) -> dict[str, str]:
    return {name: topic for one in hubs for name, topic in rules.of(one.id).topics_by_name.items()}


def nearest_topics(names: Mapping[str, Sequence[str]], words: str, most: int) -> Sequence[str]:
    """Topics whose names are like the words; if none is, the first ones. `names`: topic → what it is called."""
    by_name = {fold(name): topic for topic, called in names.items() for name in called}
    found: dict[str, None] = {}
    for word in (fold(words), *(part.folded for compound in compounds(words) for part in compound)):
        for name, _, _ in process.extract(word, list(by_name), scorer=fuzz.ratio, limit=most, score_cutoff=NEAR):
            found[by_name[name]] = None
    return (list(found) or list(names))[:most]
