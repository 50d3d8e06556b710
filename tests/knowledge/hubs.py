"""Hubs with this plugin's keys, as the configuration would make them."""

from __future__ import annotations

from typing import Any

from pydantic import create_model

from bot.api import Hub, Room
from plugins.knowledge.settings import KnowledgeHub, KnowledgeRoom

KnowingRoom: Any = create_model("KnowingRoom", __base__=(KnowledgeRoom, Room))  # Any: made at run time
KnowingHub: Any = create_model("KnowingHub", __base__=(KnowledgeHub, Hub), rooms=(tuple[KnowingRoom, ...], ...))


def hub(id_: str = "transparency", **more: object) -> Hub:
    """A hub whose room `!<id>:example.org` logs links, with the topics gifts and audit."""
    made = KnowingHub.model_validate(
        {
            "id": id_,
            "title": id_.title(),
            "rooms": [{"id": f"!{id_}:example.org", "log_links": True}],
            "topics": [{"id": "gifts", "title": {"en": "Gifts", "es": "Regalos"}}, {"id": "audit", "title": "Audit"}],
            **more,
        }
    )
    assert isinstance(made, Hub)
    return made
