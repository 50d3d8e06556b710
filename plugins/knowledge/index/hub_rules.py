"""The rules that a hub's YAML sets for building entries: topics, thesaurus terms, visibility."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.api import Hub, section
from plugins.knowledge.index.thesaurus import Thesaurus, with_terms
from plugins.knowledge.settings import KnowledgeHub
from plugins.knowledge.text.folding import compounds, fold

BUILD_VERSION = 1  # of the way entries are built; a new version rebuilds all


@dataclass(frozen=True, slots=True)
class HubRules:
    """The rules for one hub's entries. `digest` changes with everything that entries depend on."""

    thesaurus: Thesaurus
    topics: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    """The hub's topics: id → title by language."""
    topics_by_name: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Every name of a topic, folded → its id."""
    topics_by_concept: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)
    """Concept → the hub's topics with that meaning."""
    languages: Sequence[str] = ()
    shared: bool = False
    opens_addresses: bool = False
    opens_words: bool = False
    """What of its encrypted rooms' links is found elsewhere: nothing, their addresses, or their words as well."""
    keep_notes: bool = True
    digest: str = ""

    def topics_of(self, concepts: Iterable[str]) -> Iterable[str]:
        """The hub's topics for these concepts; a concept without one is a topic itself."""
        for concept in concepts:
            yield from self.topics_by_concept.get(concept, (concept,))


class Rules:
    """The rules of every hub. Hubs that are no longer configured have the defaults."""

    def __init__(self, hubs: Sequence[Hub] = ()) -> None:
        self._default = HubRules(with_terms(()), digest="none")
        self.load(hubs)

    def load(self, hubs: Sequence[Hub]) -> None:
        """Replaces the rules by those of these hubs."""
        self._hubs = {hub.id: _rules(hub) for hub in hubs}

    def of(self, hub: str) -> HubRules:
        return self._hubs.get(hub, self._default)


def merged_thesaurus(hubs: Sequence[Hub]) -> Thesaurus:
    """The terms of several hubs, for a question to all of them."""
    return with_terms(section(hub, KnowledgeHub).thesaurus for hub in hubs)


def _rules(hub: Hub) -> HubRules:
    settings = section(hub, KnowledgeHub)
    thesaurus = with_terms([settings.thesaurus])
    by_concept: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for topic in reversed(hub.topics):
        for title in (*topic.title.values(), topic.id.replace("-", " "), topic.id):
            names[fold(title)] = topic.id
            title_words = compounds(title)
            for mention in thesaurus.mentions(title_words, capitals=False):
                if mention.end - mention.start == len(title_words):
                    for concept in mention.concepts:
                        by_concept.setdefault(concept, [])
                        if topic.id not in by_concept[concept]:
                            by_concept[concept].append(topic.id)
    built_with = [
        BUILD_VERSION, thesaurus.digest, hub.visibility, settings.encrypted_rooms_share,
        [(topic.id, sorted(topic.title.items())) for topic in hub.topics],
    ]  # fmt: skip
    return HubRules(
        thesaurus=thesaurus,
        topics={topic.id: topic.title for topic in hub.topics},
        topics_by_name=names,
        topics_by_concept=by_concept,
        languages=hub.languages,
        shared=hub.visibility == "shared",
        opens_addresses=settings.encrypted_rooms_share == "links",
        opens_words=settings.encrypted_rooms_share == "words",
        keep_notes=settings.keep_notes,
        digest=hashlib.blake2b(json.dumps(built_with).encode(), digest_size=8).hexdigest(),
    )
