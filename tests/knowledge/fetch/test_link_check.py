"""Links are looked after where a hub wants that: what is gone or has moved is shown; people accept moves."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from plugins.knowledge.fetch.facts import Health, Reason, State
from plugins.knowledge.fetch.link_check import next_health
from tests.knowledge.asked import DAY, FakeWeb, asking, reconfigure
from tests.knowledge.hubs import hub
from tests.knowledge.test_plugin import KEPT_ADDRESSES, count

ANA, LUIS, MODERATOR = "@ana:example.org", "@luis:example.net", "@mod:example.org"
A, B = "https://example.org/a", "https://example.org/b"
WEEK = 7 * DAY
CARING = hub(check_links=True, moderators=[MODERATOR])


def ok(url: str) -> Health:
    return Health(State.OK, url, 200)


@pytest.fixture
def web() -> FakeWeb:
    return FakeWeb(states={A: ok(A), B: ok(B)})


@pytest.fixture
async def told(web: FakeWeb) -> AsyncIterator[Story]:
    async with story([asking(web)], [CARING]) as s:
        yield s


async def days(s: Story, count: int) -> None:
    for _ in range(count):
        await s.advance(DAY)


async def state(s: Story, number: int = 1) -> str:
    return str(
        await s.db.reading().value(
            "SELECT state FROM knowledge_health WHERE entry = (SELECT id FROM knowledge_entries WHERE number = :n)",
            n=number,
        )
    )


async def test_every_link_is_checked_once_a_week_and_not_all_at_once(told: Story, web: FakeWeb) -> None:
    urls = [f"https://example.org/{number}" for number in range(20)]
    web.states |= {url: ok(url) for url in urls}
    await told.say(ANA, " ".join(urls))
    assert len(web.asked) < 4
    per_day = []
    for _ in range(7):
        before = len(web.asked)
        for _ in range(24):
            await told.advance(DAY // 24)
        per_day.append(len(web.asked) - before)
    assert web.times() == dict.fromkeys(urls, 1)
    assert max(per_day) < 8
    await days(told, 7)
    assert set(web.times().values()) == {2}


async def test_unless_a_hub_wants_it_no_link_is_checked(web: FakeWeb) -> None:
    async with story([asking(web)], [hub(moderators=[MODERATOR])]) as s:
        await s.say(ANA, f"see {A}")
        await s.pipeline.refresh()
        await days(s, 15)
        assert web.asked == []
        assert "check_links: true" in str(await s.say(MODERATOR, "!links"))


async def test_a_link_is_gone_after_failures_on_three_days_and_back_when_it_answers(told: Story, web: FakeWeb) -> None:
    web.states[A] = Health(State.GONE, A, 404)
    await told.say(ANA, f"see {A}")
    while not web.asked:
        await days(told, 1)
    assert await state(told) == "unsure"
    assert "no longer works" not in str(await told.say(LUIS, "!find see"))
    await days(told, 1)
    assert (len(web.asked), await state(told)) == (2, "unsure")
    await days(told, 1)
    assert (len(web.asked), await state(told)) == (3, "gone")
    assert re.search(r"the link no longer works \(since \d+ Jan 2027\)", str(await told.say(LUIS, "!find see")))
    listed = str(await told.say(MODERATOR, "!links"))
    assert "These links no longer work." in listed
    assert f"- 1 · example.org ({A}) · since" in listed
    web.states[A] = ok(A)
    await days(told, 7)
    assert await state(told) == "ok"
    assert re.search(
        r"^The link has been working since \d+ \w+ 2027\.$", str(await told.say(LUIS, "!show 1")), re.MULTILINE
    )
    assert "No dead or moved links" in str(await told.say(MODERATOR, "!links"))


async def test_a_moved_page_is_shown_and_a_moderator_accepts_it_and_takes_it_back(told: Story, web: FakeWeb) -> None:
    web.states[A] = Health(State.MOVED, B, 200)
    await told.say(ANA, f"see {A}")
    await days(told, 7)
    assert "the page has moved (since 20 Jan 2027)" in str(await told.say(LUIS, "!find see"))
    assert f"Moved to: {B}" in str(await told.say(LUIS, "!show 1"))
    assert f"- 1 · example.org ({A}) → {B} · since 20 Jan 2027 · !moved 1" in str(await told.say(MODERATOR, "!links"))
    accepted = str(await told.say(MODERATOR, "!moved 1"))
    assert accepted.startswith(f"1. example.org ({B})")
    assert f"1. example.org ({B})" in str(await told.say(LUIS, "!find see"))
    assert f"address of 1: {B}" in str(await told.say(MODERATOR, "!changes"))
    await days(told, 7)
    assert web.asked[-1] == B
    await told.say(MODERATOR, "!undo")
    assert f"1. example.org ({A})" in str(await told.say(LUIS, "!find see"))


async def test_where_the_new_address_was_shared_the_two_are_to_be_joined(told: Story, web: FakeWeb) -> None:
    web.states[A] = Health(State.MOVED, B, 200)
    await told.say(ANA, f"see {A}")
    await told.say(ANA, f"and {B}")
    await days(told, 7)
    assert "!merge 2 1" in str(await told.say(MODERATOR, "!links"))
    assert "!merge 2 1" in str(await told.say(MODERATOR, "!moved 1"))
    assert "!merge 1 2 · one page names the other as its own address" in str(await told.say(MODERATOR, "!alike"))


async def test_a_wrong_move_is_rejected_for_good_and_that_can_be_taken_back(told: Story, web: FakeWeb) -> None:
    web.states[A] = Health(State.MOVED, B, 200)
    await told.say(ANA, f"see {A}")
    await days(told, 7)
    assert "if it is wrong, write !moved 1 no:" in str(await told.say(MODERATOR, "!links"))
    assert str(await told.say(MODERATOR, "!moved 1 no")) == "1 keeps its address. To undo this: !undo"
    await days(told, 7)
    assert await state(told) == "moved"  # its server says so still
    assert "No dead or moved links are known" in str(await told.say(MODERATOR, "!links"))
    assert "moved" not in str(await told.say(LUIS, "!show 1"))
    assert "not known to have moved" in str(await told.say(MODERATOR, "!moved 1"))
    assert f"1 has not moved to {B}" in str(await told.say(MODERATOR, "!changes"))
    await told.say(MODERATOR, "!undo")
    assert "the page has moved" in str(await told.say(LUIS, "!find see"))
    assert "!moved 1" in str(await told.say(MODERATOR, "!links"))


async def test_another_move_of_the_page_is_proposed_though_one_was_rejected(told: Story, web: FakeWeb) -> None:
    web.states[A] = Health(State.MOVED, B, 200)
    await told.say(ANA, f"see {A}")
    await days(told, 7)
    await told.say(MODERATOR, "!moved 1 no")
    web.states[A] = Health(State.MOVED, f"{B}/c", 200)
    await days(told, 7)
    assert f"→ {B}/c" in str(await told.say(MODERATOR, "!links"))


async def test_a_rejected_move_proposes_no_join_either(told: Story, web: FakeWeb) -> None:
    web.states[A] = Health(State.MOVED, B, 200)
    await told.say(ANA, f"see {A}")
    await told.say(ANA, f"and {B}")
    await days(told, 7)
    await told.say(MODERATOR, "!moved 1 no")
    assert "No duplicates" in str(await told.say(MODERATOR, "!alike"))


async def test_what_is_no_answer_to_a_proposal_is_explained(told: Story, web: FakeWeb) -> None:
    web.states[A] = Health(State.MOVED, B, 200)
    await told.say(ANA, f"see {A}")
    await days(told, 7)
    assert (
        str(await told.say(MODERATOR, "!moved 1 perhaps"))
        == "To confirm, write !moved 1. If it is wrong, write !moved 1 no."
    )
    assert "the page has moved" in str(await told.say(LUIS, "!find see"))


async def test_a_long_list_of_links_says_how_many_more_there_are_and_shows_them(told: Story, web: FakeWeb) -> None:
    urls = [f"https://example.org/{number}" for number in range(1, 24)]
    web.states |= {url: Health(State.MOVED, f"{url}/new", 200) for url in urls[:11]}  # the others are gone
    await told.say(ANA, " ".join(urls))
    await days(told, 21)
    first, second, third = [str(await told.say(MODERATOR, f"!links {page}")) for page in ("", "2", "3")]
    assert (first.count(" · since "), first.splitlines()[-1]) == (20, "3 more: !links 2")
    assert (second.count(" · since "), "more" in second) == (3, False)
    listed = re.findall(r"^- (\d+) ·", first + "\n" + second, re.MULTILINE)
    assert sorted(map(int, listed)) == list(range(1, 24))
    assert third == "No more results."


async def test_who_shares_the_new_address_of_a_moved_page_shares_that_page(told: Story, web: FakeWeb) -> None:
    web.states[A] = Health(State.MOVED, B, 200)
    await told.say(ANA, f"see {A}")
    await days(told, 7)
    await told.say(MODERATOR, "!moved 1")
    await told.say(LUIS, f"new {B}")
    found = str(await told.say(LUIS, "!recent"))
    assert found.count(B) == 1
    assert found.startswith("1. ")
    assert "“new”" in str(await told.say(LUIS, "!show 1"))
    assert "No duplicates" in str(await told.say(MODERATOR, "!alike"))
    await told.say(MODERATOR, "!undo")
    first, second = str(await told.say(LUIS, "!recent")).split("\n\n")
    assert f"({B})" in first
    assert f"1. example.org ({A})" in second


async def test_a_move_that_is_taken_back_leaves_the_address_free(told: Story, web: FakeWeb) -> None:
    web.states[A] = Health(State.MOVED, B, 200)
    await told.say(ANA, f"see {A}")
    await days(told, 7)
    await told.say(MODERATOR, "!moved 1")
    await told.say(MODERATOR, "!undo")
    assert await count(told, KEPT_ADDRESSES) == 1
    await told.say(LUIS, f"new {B}")
    assert await count(told, "knowledge_entries") == 2


async def test_an_address_that_was_joined_elsewhere_is_seen_where_a_page_moves_there(told: Story, web: FakeWeb) -> None:
    web.states |= {A: Health(State.MOVED, B, 200), "https://example.org/c": ok("https://example.org/c")}
    await told.say(ANA, f"see {A}")
    await told.say(ANA, f"and {B}")
    await told.say(ANA, "or https://example.org/c")
    await told.say(MODERATOR, "!merge 3 2")
    await days(told, 7)
    assert "!merge 3 1" in str(await told.say(MODERATOR, "!links"))
    assert "!merge 3 1" in str(await told.say(MODERATOR, "!moved 1"))
    assert "!merge 1 3 · one page names the other as its own address" in str(await told.say(MODERATOR, "!alike"))


async def test_where_a_page_moved_to_is_its_own_when_it_is_joined_and_taken_apart(told: Story, web: FakeWeb) -> None:
    web.states |= {A: Health(State.MOVED, B, 200), "https://example.org/c": ok("https://example.org/c")}
    await told.say(ANA, f"see {A}")
    await told.say(ANA, "or https://example.org/c")
    await days(told, 7)
    await told.say(MODERATOR, "!moved 1")
    await told.say(MODERATOR, "!merge 2 1")
    shown = str(await told.say(LUIS, "!show 2"))
    assert "(https://example.org/c)" in shown.splitlines()[0]
    assert f"Other addresses:\n- example.org ({B})" in shown
    await told.say(LUIS, f"new {B}")
    await told.say(MODERATOR, "!split 1")
    assert f"({B})" in str(await told.say(LUIS, "!find new")).splitlines()[0]
    assert str(await told.say(LUIS, "!find new")).startswith("1. ")


async def test_a_part_that_is_taken_out_is_checked_by_itself(told: Story, web: FakeWeb) -> None:
    await told.say(ANA, f"see {A}")
    await told.say(ANA, f"and {B}")
    await told.say(MODERATOR, "!merge 1 2")
    await told.say(MODERATOR, "!split 2")
    await days(told, 7)
    assert web.times() == {A: 1, B: 1}


async def test_what_has_not_moved_cannot_be_accepted(told: Story) -> None:
    await told.say(ANA, f"see {A}")
    assert "not known to have moved" in str(await told.say(MODERATOR, "!moved 1"))


@pytest.mark.parametrize("words", ["!links", "!moved 1"])
async def test_only_coordinators_and_moderators_see_the_list_and_accept(told: Story, words: str) -> None:
    await told.say(ANA, f"see {A}")
    assert str(await told.say(LUIS, words)) == "That command is for coordinators and moderators."


async def test_turning_it_off_forgets_what_was_found(told: Story, web: FakeWeb) -> None:
    web.states[A] = Health(State.MOVED, B, 200)
    await told.say(ANA, f"see {A}")
    await days(told, 7)
    await reconfigure(told, hub())
    assert await told.db.reading().value("SELECT count(*) FROM knowledge_health") == 0
    assert "moved" not in str(await told.say(LUIS, "!find see"))


async def test_links_are_still_checked_after_a_restart_and_links_from_before_too(tmp_path: Path, web: FakeWeb) -> None:
    async with story([Knowledge], [hub()], database=tmp_path / "faro.db") as s:
        await s.say(ANA, f"see {A} {B}")
    async with story([asking(web)], [CARING], database=tmp_path / "faro.db") as s:
        await s.settle()
    async with story([asking(web)], [CARING], database=tmp_path / "faro.db") as s:
        await days(s, 7)
    assert web.times() == {A: 1, B: 1}


async def test_a_name_that_no_longer_exists_counts_only_while_others_answer(told: Story, web: FakeWeb) -> None:
    """Else one bad day of the bot's own network would tombstone_pages every link."""
    web.states = {url: Health(State.UNSURE, url, reason=Reason.DNS) for url in (A, B)}
    await told.say(ANA, f"see {A} {B}")
    await days(told, 30)
    assert (await state(told, 1), await state(told, 2)) == ("unsure", "unsure")
    web.states[B] = ok(B)
    await days(told, 21)
    assert await state(told, 2) == "ok"


# -- the judgement ----------------------------------------------------------------------------------------------------

FRESH = {"state": "waiting", "since": 0, "fails": 0, "checked_at": None, "url": A, "moved_to": None}
NOWHERE = Health(State.GONE, A, 404)


def after(*found: Health, apart: int = DAY) -> dict[str, object]:
    row: dict[str, object] = dict(FRESH)
    for number, health in enumerate(found):
        row |= {**next_health(row, health, number * apart), "checked_at": number * apart}
    return row


def test_several_failures_of_one_day_count_once() -> None:
    assert after(*[NOWHERE] * 5, apart=DAY // 10)["fails"] == 1


def test_an_answer_in_between_begins_the_count_anew() -> None:
    assert after(NOWHERE, NOWHERE, ok(A), NOWHERE)["fails"] == 1


def test_what_is_gone_stays_so_until_it_answers() -> None:
    unclear = Health(State.UNSURE, A, 503)
    assert after(NOWHERE, NOWHERE, NOWHERE, unclear)["state"] == "gone"
    assert after(NOWHERE, NOWHERE, NOWHERE, unclear, ok(A))["state"] == "ok"


@pytest.mark.parametrize("same", ["http://example.org/a", "https://www.example.org/a/"])
def test_a_change_of_scheme_or_slash_is_no_move(same: str) -> None:
    assert after(Health(State.MOVED, same, 200))["state"] == "ok"


found_healths = st.sampled_from([ok(A), NOWHERE, Health(State.UNSURE, A, 403), Health(State.MOVED, B, 200)])


@given(st.lists(found_healths, min_size=1, max_size=12))
def test_nothing_is_gone_without_three_failures_in_a_row(found: list[Health]) -> None:
    rows = [after(*found[: end + 1]) for end in range(len(found))]
    for number, (before, now) in enumerate(pairwise([FRESH, *rows])):
        if now["state"] == "gone" and before["state"] != "gone":
            assert [health.state for health in found[number - 2 : number + 1]] == [State.GONE] * 3
        assert (now["moved_to"] is not None) == (now["state"] == "moved")
