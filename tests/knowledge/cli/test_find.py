"""`faro find` asks the index from the shell."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from bot.api import Hub, Reader, Translator
from bot.i18n.catalog import Catalogs
from bot.testing.story import story
from plugins.knowledge import Knowledge
from plugins.knowledge.cli import find
from plugins.knowledge.search.candidates import POOL
from tests.knowledge.hubs import hub

RESOURCES = [
    {"url": "https://example.org/guide", "title": {"en": "Gift guide", "es": "Guía de regalos"}},
    {"url": "https://example.org/other", "title": "Other [things] about gifts and more", "topics": ["audit"]},
    *({"url": f"https://example.org/{number}", "title": f"Something else {number}"} for number in range(5)),
]
MANY = [{"url": f"https://example.org/{number}", "title": f"Volcano {number}"} for number in range(3 * POOL)]
MANY.append({"url": "https://example.org/vulcano", "title": "Vulcano 7"})


class Offline:
    """`bot.api.Offline` over a story's database."""

    hubs: Sequence[Hub] = (hub(resources=RESOURCES), hub("audit"), hub("archive", resources=MANY))
    now = 0
    translator: Translator = Catalogs({}).translator("knowledge", "en")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        with capture_logs():  # what the story's pipeline logs is not what the command prints
            async with story([Knowledge], self.hubs) as told:
                yield told.db.reading()


class Shell:
    def open(self, config: Path) -> Offline:
        return Offline()


def faro_find(*arguments: str) -> Result:
    return CliRunner().invoke(find, ["config.yaml", *arguments], obj=Shell())


def test_a_topic_that_is_like_one_of_the_hubs_is_told_and_no_other() -> None:
    slip = faro_find("transparency", "guide", "topic:gfts")
    assert slip.exit_code == 2
    assert slip.stderr == "There is no topic “gfts”. Did you mean topic:gifts?\n"
    assert faro_find("transparency", "guide", "topic:nothing-of-ours").stdout == "Nothing found.\n"


def test_json_is_a_list_best_first() -> None:
    result = faro_find("transparency", "gift guide", "--json", "--limit", "3")
    assert result.exit_code == 0
    [found] = json.loads(result.stdout)
    assert found.pop("score") > 0
    assert found == {
        "number": 1,
        "url": "https://example.org/guide",
        "title": "Gift guide",
        "site": "example.org",
        "languages": [],
        "kind": None,
        "topics": [],
        "label": "green",
        "recommended": True,
        "pinned": False,
        "votes": 0,
        "shared_at": None,
        "shared_by": None,
        "note": None,
        "description": None,
    }


def test_words_need_no_quotes() -> None:
    arguments = ("transparency", "gift", "guide", "--json")
    assert faro_find(*arguments).stdout == faro_find("transparency", "gift guide", "--json").stdout


def test_scores_fall_and_the_limit_holds() -> None:
    found = json.loads(faro_find("transparency", "else", "--json", "--limit", "4").stdout)
    scores = [entry["score"] for entry in found]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)


def test_as_many_are_listed_as_are_wanted() -> None:
    found = json.loads(faro_find("archive", "volcano", "--json", "--limit", str(3 * POOL - 1)).stdout)
    assert len(found) == 3 * POOL - 1


def test_nothing_found_is_an_empty_list_or_a_sentence() -> None:
    assert json.loads(faro_find("audit", "gifts", "--json").stdout) == []
    assert faro_find("audit", "gifts").stdout == "Nothing found.\n"


def test_what_was_put_right_is_told_beside_the_results() -> None:
    result = faro_find("archive", "vollcano", "--limit", "1", "--json")
    assert result.stderr == "Searched for “volcano” instead of “vollcano”.\n"
    assert len(json.loads(result.stdout)) == 1


def test_what_may_be_misspelt_comes_with_the_command_that_searches_it() -> None:
    result = faro_find("archive", "vulcano 7")
    assert result.stderr == "Did you mean “volcano”? Write faro find config.yaml archive 'volcano 7'.\n"


def test_words_of_two_meanings_are_told() -> None:
    said = "“oea” may mean authorized economic operator or Organization of American States; all were searched.\n"
    assert faro_find("transparency", "oea").stderr == said


def test_people_get_a_table() -> None:
    result = faro_find("transparency", "gifts")
    assert "Other [things] about gifts" in result.stdout
    assert "Number" in result.stdout


def test_an_unknown_hub_names_the_known_ones() -> None:
    result = faro_find("No dead or moved links", "gifts")
    assert result.exit_code == 2
    assert "There is no hub 'No dead or moved links'; known hubs: transparency, audit, archive" in result.stderr


def urls(*words: str) -> list[str]:
    return [entry["url"] for entry in json.loads(faro_find("transparency", *words, "--json").stdout)]


def test_filters_work_as_in_a_room() -> None:
    other = "https://example.org/other"
    assert urls("gifts", "topic:audit") == urls("tema:Audit") == [other]
    assert urls("gifts", "topic:nothing-of-ours") == []
    assert len(urls("site:example.org")) == 7
    assert urls("gifts", "hub:audit") == []


def test_a_filter_that_is_wrong_is_explained() -> None:
    result = faro_find("transparency", "since:yesterday")
    assert result.exit_code == 2
    assert "“yesterday” is not a date" in result.stderr
