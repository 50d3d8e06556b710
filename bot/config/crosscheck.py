"""Problems between settings: a duplicate hub or room, a room without an address.

The checks look at the trees, not at the models, so that they are made even where something else is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.config.yamltree import Loc, Mapping, Node, Scalar, child, items_of, shown, text_of
from bot.core.errors import Problem
from bot.core.texts import Text


@dataclass(frozen=True, slots=True)
class HubSource:
    """A hub as it was written: the tree of its file and the way to it in there."""

    file: str
    root: Node
    loc: Loc
    node: Node

    def problem(self, node: Node, loc: Loc, message: Text) -> Problem:
        return Problem(self.file, node.position.line, node.position.column, shown((*self.loc, *loc)), message)

    def line(self, node: Node) -> str:
        return f"{self.file}:{node.position.line}"


def cross_check(hubs: Sequence[HubSource]) -> list[Problem]:
    """The problems of all hubs together."""
    return [
        *_same_hub(hubs),
        *_same_room(hubs),
        *_same_topic(hubs),
        *_unknown_hubs(hubs),
        *_rooms_without_address(hubs),
    ]


def _same_hub(hubs: Sequence[HubSource]) -> list[Problem]:
    first: dict[str, str] = {}
    problems = []
    for hub in hubs:
        id_ = text_of(hub.node, "id")
        if id_ is None:
            continue
        node = _at(hub.node, "id")
        if id_ in first:
            text = Text("there is already a hub '{hub}': {place}", hub=id_, place=first[id_])
            problems.append(hub.problem(node, ("id",), text))
        first.setdefault(id_, hub.line(node))
    return problems


def _same_room(hubs: Sequence[HubSource]) -> list[Problem]:
    first: dict[str, str] = {}
    problems = []
    for hub in hubs:
        for number, room in enumerate(items_of(hub.node, "rooms")):
            for key in ("alias", "id"):
                name = text_of(room, key)
                if name is None:
                    continue
                node = _at(room, key)
                if name in first:
                    text = Text("the room '{room}' already belongs to a hub: {place}", room=name, place=first[name])
                    problems.append(hub.problem(node, ("rooms", number, key), text))
                first.setdefault(name, hub.line(node))
    return problems


def _same_topic(hubs: Sequence[HubSource]) -> list[Problem]:
    problems = []
    for hub in hubs:
        first: dict[str, str] = {}
        for number, topic in enumerate(items_of(hub.node, "topics")):
            id_ = text_of(topic, "id")
            if id_ is None:
                continue
            node = _at(topic, "id")
            if id_ in first:
                text = Text("there is already a topic '{topic}': {place}", topic=id_, place=first[id_])
                problems.append(hub.problem(node, ("topics", number, "id"), text))
            first.setdefault(id_, hub.line(node))
    return problems


def _unknown_hubs(hubs: Sequence[HubSource]) -> list[Problem]:
    known = {text_of(hub.node, "id") for hub in hubs}
    problems = []
    for hub in hubs:
        named = items_of(hub.node, "visible_to")
        for number, node in enumerate(named):
            if isinstance(node, Scalar) and node.text not in known:
                names = ", ".join(sorted(id_ for id_ in known if id_))
                text = Text("there is no hub '{hub}'; known hubs: {known}", hub=node.text or "", known=names)
                problems.append(hub.problem(node, ("visible_to", number), text))
        visibility = text_of(hub.node, "visibility")
        if named and visibility != "restricted":
            text = Text("'visible_to' only applies with 'visibility: restricted'")
            problems.append(hub.problem(_at(hub.node, "visible_to"), ("visible_to",), text))
        if visibility == "restricted" and not named:
            text = Text(
                "a restricted hub needs 'visible_to', the hubs that may see it; list them, or make the hub private"
            )
            problems.append(hub.problem(_at(hub.node, "visibility"), ("visibility",), text))
    return problems


def _rooms_without_address(hubs: Sequence[HubSource]) -> list[Problem]:
    problems = []
    for hub in hubs:
        for number, room in enumerate(items_of(hub.node, "rooms")):
            if not isinstance(room, Mapping):
                continue
            if "alias" not in room.nodes and "id" not in room.nodes:
                text = Text("a room needs an 'alias' (\"#name:example.org\") or an 'id' (\"!abc:example.org\")")
                problems.append(hub.problem(room, ("rooms", number), text))
            elif (text_of(room, "create") or "").lower() == "true" and text_of(room, "alias") is None:
                text = Text("a room with 'create: true' needs an 'alias'; the server assigns its id")
                problems.append(hub.problem(_at(room, "create"), ("rooms", number, "create"), text))
    return problems


def _at(node: Node, key: str) -> Node:
    return child(node, key) or node
