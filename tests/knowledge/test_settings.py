"""A mistake in a hub's resources is told with its place and its remedy."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bot.api import section
from plugins.knowledge.settings import KnowledgeHub, KnowledgeSettings
from tests.knowledge.hubs import hub


def problem(**resource: Any) -> tuple[tuple[str | int, ...], str]:
    with pytest.raises(ValidationError) as caught:
        hub(resources=[{"url": "https://example.org/", "title": "Title", **resource}])
    [error] = caught.value.errors()
    return error["loc"], error["msg"]


def test_an_unknown_topic_is_told_where_it_stands() -> None:
    place = ("resources", 0, "topics", 1)
    assert problem(topics=["audit", "gift"]) == (place, "this hub has no topic 'gift'; did you mean 'gifts'?")
    assert problem(topics=["audit", "zzz"]) == (place, "this hub has no topic 'zzz'; its topics: gifts, audit")


def test_an_unknown_topic_is_told_whatever_else_is_wrong_with_the_hub() -> None:
    with pytest.raises(ValidationError) as caught:
        hub(timezone="UTC-5", resources=[{"url": "https://example.org/", "title": "Title", "topics": ["zzz"]}])
    assert [error["loc"] for error in caught.value.errors()] == [("timezone",), ("resources", 0, "topics", 0)]


def test_where_the_topics_are_wrong_themselves_only_that_is_told() -> None:
    with pytest.raises(ValidationError) as caught:
        hub(topics=[{"id": "?", "title": "?"}], resources=[{"url": "https://a.example", "title": "A", "topics": ["b"]}])
    assert [error["loc"] for error in caught.value.errors()] == [("topics", 0, "id")]


def test_what_is_no_web_address_is_refused() -> None:
    place, message = problem(url="www.example.org")
    assert place == ("resources", 0, "url")
    assert "'www.example.org' is not a web address" in message


def test_words_are_kept_unless_a_hub_says_otherwise() -> None:
    settings = section(hub(), KnowledgeHub)
    assert settings.keep_notes
    assert settings.resources == ()


def test_nothing_is_asked_of_the_network_unless_a_hub_says_so() -> None:
    settings = section(hub(), KnowledgeHub)
    assert (settings.fetch, settings.check_links) == ("nothing", False)


@pytest.mark.parametrize("host", ["https://example.org", "example.org/path", "*.example.org", "", "a b"])
@pytest.mark.parametrize("which", ["allow", "deny"])
def test_what_is_no_name_of_a_host_is_refused_with_the_remedy(which: str, host: str) -> None:
    """It would have no effect, and whoever wrote it would rely on it."""
    with pytest.raises(ValidationError) as caught:
        KnowledgeSettings.model_validate({"fetch": {which: ["example.org", host]}})
    [error] = caught.value.errors()
    assert error["loc"] == ("fetch", which, 1)
    assert f"'{host}' is not a host name; write one like 'example.org'" in error["msg"]


@pytest.mark.parametrize("port", [0, 65_536])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(ValidationError):
        KnowledgeSettings.model_validate({"fetch": {"ports": [port]}})
