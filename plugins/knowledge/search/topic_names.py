"""Resolves topic names, and suggests topics with similar names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from rapidfuzz import fuzz, process

from bot.api import Hub, SyncReader
from plugins.knowledge.index import vocabulary
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.store.access import Scope
from plugins.knowledge.text.folding import compounds, fold

SIMILAR = 65  # of 100; the similarity that a suggested topic's name must have with a word


def topics_called(db: SyncReader, hubs: Sequence[Hub], rules: Rules, scope: Scope, name: str) -> Sequence[str]:
    """The topics that a name may mean: those of the hubs, concepts of the thesaurus, and hashtags in use."""
    topics: dict[str, None] = {}
    words = list(compounds(name))
    for hub in hubs:
        hub_rules = rules.of(hub.id)
        if topic := hub_rules.topics_by_name.get(fold(name)):
            topics[topic] = None
        for mention in hub_rules.thesaurus.mentions(words, capitals=False):
            if mention.end - mention.start == len(words):
                topics |= dict.fromkeys((*mention.concepts, *hub_rules.topics_of(mention.concepts)))
    tag = fold(name.removeprefix("#")).replace(" ", "-").replace("_", "-")
    return list(topics | dict.fromkeys(vocabulary.topics_used(db, scope, [tag])))


def close_topic(db: SyncReader, hubs: Sequence[Hub], rules: Rules, scope: Scope, wanted: str) -> str | None:
    """The topic to suggest for an unknown name: one with a word of this name, or with a similar spelling."""
    names = topics_by_name(hubs, rules)
    names |= {tag: tag for tag in vocabulary.topic_counts(db, scope) if tag not in names}
    parts = [name for name in names if fold(wanted) in name.split()]
    close = parts or get_close_matches(fold(wanted), names, n=1, cutoff=0.6)
    return names[close[0]] if close else None


def topics_by_name(hubs: Sequence[Hub], rules: Rules) -> dict[str, str]:
    return {name: topic for hub in hubs for name, topic in rules.of(hub.id).topics_by_name.items()}


def nearest_topics(names: Mapping[str, Sequence[str]], words: str, most: int) -> Sequence[str]:
    """Topics with names similar to the words; the first topics if there are none. `names`: topic → its names."""
    by_name = {fold(name): topic for topic, topic_names in names.items() for name in topic_names}
    topics: dict[str, None] = {}
    for word in (fold(words), *(part.folded for compound in compounds(words) for part in compound)):
        for name, _, _ in process.extract(word, list(by_name), scorer=fuzz.ratio, limit=most, score_cutoff=SIMILAR):
            topics[by_name[name]] = None
    return (list(topics) or list(names))[:most]
