"""Settings of the plugin: for operators, for hubs and for their rooms."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from bot.api import Identifier, Language, Localized, Settings, Text, Topic, invalid, matching
from plugins.knowledge.urls.canonical import canonical
from plugins.knowledge.urls.host_names import host_name

_NO_LANGUAGE = Text("'{value}' is not a language code (ISO 639); write one like 'en' or 'es'")


def _require_link(url: str) -> str:
    if canonical(url) is None:
        raise invalid("'{url}' is not a web address; write one like 'https://www.example.org/guide'", url=url)
    return url


def _unknown_topic(topic: str, topic_ids: Sequence[str]) -> PydanticCustomError:
    if close := get_close_matches(topic, topic_ids, n=1, cutoff=0.5):
        return invalid(
            "this hub has no topic '{topic}'; did you mean '{suggestion}'?", topic=topic, suggestion=close[0]
        )
    if topic_ids:
        return invalid("this hub has no topic '{topic}'; its topics: {known}", topic=topic, known=", ".join(topic_ids))
    return invalid("this hub has no topic '{topic}'; list its topics under 'topics:' first", topic=topic)


def _require_host(name: str) -> str:
    if not host_name(name):
        raise invalid(
            "'{name}' is not a host name; write one like 'example.org', without 'https://', a path or '*': "
            "its subdomains are included",
            name=name,
        )
    return name


Host = Annotated[str, AfterValidator(_require_host)]


class Fetch(Settings):
    """Which shared addresses may be asked at all, whatever a hub wants."""

    ports: tuple[Annotated[int, Field(ge=1, le=65_535)], ...] = (80, 443)
    """Ports of the web servers that may be asked."""
    allow: tuple[Host, ...] = ()
    """Only these hosts, and those below them, are asked."""
    deny: tuple[Host, ...] = ()
    """Hosts that are never asked, nor those below them."""


class KnowledgeSettings(Settings):
    """Settings of the plugin."""

    fetch: Fetch = Field(default_factory=Fetch)
    """Which shared addresses may be asked at all, where a hub wants pages fetched or links checked."""


class Recommended(Settings):
    """A resource the hub's moderators recommend."""

    url: Annotated[str, AfterValidator(_require_link)]
    """The web address."""
    title: Localized
    """How it is shown, and found."""
    language: Annotated[str, *matching(r"[a-z]{2,3}", _NO_LANGUAGE)] | None = None
    """The language of the page itself (ISO 639), which need not be one of the bot's."""
    topics: tuple[str, ...] = ()
    """Ids of topics of this hub."""
    note: Localized | None = None
    """What is worth knowing about it; it is searched as well."""


class KnowledgeHub(Settings):
    """Keys of a hub."""

    keep_notes: bool = True
    """Keep the words around a shared link, so that it is found by them."""
    tell_kept: bool = False
    """Answer a shared link with a quiet reaction: kept, or known already."""
    encrypted_rooms_share: Literal["hub", "links", "words"] = "hub"
    """Where links from encrypted rooms are found: `hub`, only in its encrypted rooms and, by their members, in
    encrypted direct chats; `links`, elsewhere by their address alone; `words`, elsewhere like other links."""
    fetch: Literal["nothing", "titles"] = "nothing"
    """`titles`: ask shared pages for their title, description, site, author, date and language."""
    check_links: bool = False
    """Ask once a week whether shared pages are still there."""
    resources: tuple[Recommended, ...] = ()
    """Resources the hub recommends; found like what people share, and marked."""
    thesaurus: dict[Identifier, dict[Language, tuple[str, ...]]] = Field(default_factory=dict)
    """More words for ideas, by language, so that a question in one language finds answers in the others. The name of
    an idea may be one of Faro's own (plugins/knowledge/index/thesaurus.yaml) or a new one.
    A word with `~` in front is found and finds like the others, but is no topic."""

    @field_validator("resources")
    @classmethod
    def _topics_are_known(cls, resources: tuple[Recommended, ...], info: ValidationInfo) -> tuple[Recommended, ...]:
        if "topics" not in info.data:  # invalid, and reported already
            return resources
        topics: Sequence[Topic] = info.data["topics"]
        topic_ids = [topic.id for topic in topics]
        problems = [
            InitErrorDetails(type=_unknown_topic(topic, topic_ids), loc=(number, "topics", index), input=topic)
            for number, resource in enumerate(resources)
            for index, topic in enumerate(resource.topics)
            if topic not in topic_ids
        ]
        if problems:
            raise ValidationError.from_exception_data("resources", problems)
        return resources


class KnowledgeRoom(Settings):
    """Keys of a room of a hub."""

    log_links: bool = False
    """Remember the links people share in this room."""
