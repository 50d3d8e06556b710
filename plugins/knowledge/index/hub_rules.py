"""What a hub's YAML says about making entries: its topics, its terms, who may see them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.api import Hub, section
from plugins.knowledge.index.thesaurus import Thesaurus, with_terms
from plugins.knowledge.settings import KnowledgeHub
from plugins.knowledge.text.folding import compounds, fold

BUILT_BY = 1  # counts changes in how entries are built; a new number rebuilds all


@dataclass(frozen=True, slots=True)
class HubRules:
    """How one hub's entries are made. `digest` changes with what entries depend on."""

    thesaurus: Thesaurus
    topics: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    """The hub's topics: id → title by language."""
    topics_by_name: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Whatever a topic is called, folded → its id."""
    topics_by_concept: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)
    """Concept → the hub's topics that mean it."""
    languages: Sequence[str] = ()
    shared: bool = False
    keep_notes: bool = True
    digest: str = ""

    def topics_of(self, concepts: Iterable[str]) -> Iterable[str]:
        """The hub's topics for these concepts; a concept the hub has no topic for is one itself."""
        for concept in concepts:
            yield from self.topics_by_concept.get(concept, (concept,))


class Rules:
    """The rules of every hub; a hub that is no longer configured has Faro's own."""

    def __init__(self, hubs: Sequence[Hub] = ()) -> None:
        self._none = HubRules(with_terms(()), digest="none")
        self.load(hubs)

    def load(self, hubs: Sequence[Hub]) -> None:
        """Takes up what these hubs' YAML says now."""
        self._hubs = {hub.id: _rules(hub) for hub in hubs}

    def of(self, hub: str) -> HubRules:
        return self._hubs.get(hub, self._none)


def together(hubs: Sequence[Hub]) -> Thesaurus:
    """The terms of several hubs: for a question to all of them."""
    return with_terms(section(hub, KnowledgeHub).thesaurus for hub in hubs)


def _rules(hub: Hub) -> HubRules:
    settings = section(hub, KnowledgeHub)
    thesaurus = with_terms([settings.thesaurus])
    by_concept: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for topic in reversed(hub.topics):
        for title in (*topic.title.values(), topic.id.replace("-", " "), topic.id):
            names[fold(title)] = topic.id
            text = compounds(title)
            for mention in thesaurus.mentions(text, capitals=False):
                if mention.end - mention.start == len(text):
                    for concept in mention.concepts:
                        by_concept.setdefault(concept, [])
                        if topic.id not in by_concept[concept]:
                            by_concept[concept].append(topic.id)
    built_with = [
        BUILT_BY, thesaurus.digest, hub.visibility, [(topic.id, sorted(topic.title.items())) for topic in hub.topics],
    ]  # fmt: skip
    return HubRules(
        thesaurus=thesaurus,
        topics={topic.id: topic.title for topic in hub.topics},
        topics_by_name=names,
        topics_by_concept=by_concept,
        languages=hub.languages,
        shared=hub.visibility == "shared",
        keep_notes=settings.keep_notes,
        digest=hashlib.blake2b(json.dumps(built_with).encode(), digest_size=8).hexdigest(),
    )
