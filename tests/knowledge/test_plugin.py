"""The feature as people meet it: they share links in a room and ask for them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.core.events import Edit, Redaction
from bot.storage import people
from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from plugins.knowledge.index.hub_rules import Rules
from plugins.knowledge.search.candidates import POOL
from plugins.knowledge.transfer.formats.item import Item
from tests.knowledge.hubs import hub
from tests.knowledge.transfer.importing import imported

ANA, LUIS = "@ana:example.org", "@luis:example.net"
ROOM = "!transparency:example.org"
GUIDE = {
    "url": "https://example.org/guide",
    "title": {"en": "Gift guide", "es": "Guía de regalos"},
    "language": "es",
    "topics": ["gifts"],
    "note": {"en": "Start here."},
}
HOUR = 3_600_000
KEPT_ADDRESSES = "knowledge_pages WHERE key IS NOT NULL"


@pytest.fixture
async def told() -> AsyncIterator[Story]:
    async with story([Knowledge], [hub()]) as s:
        yield s


@pytest.fixture
async def curated() -> AsyncIterator[Story]:
    async with story([Knowledge], [hub(resources=[GUIDE])]) as s:
        yield s


async def count(s: Story, table: str) -> int:
    return int(await s.db.reading().value(f"SELECT count(*) FROM {table}"))  # noqa: S608 - names of tables


async def test_a_shared_link_is_kept_silently_and_found_again(told: Story) -> None:
    assert await told.say(ANA, "A manual on gifts: https://example.org/gift-manual.pdf") is None
    assert await told.say(LUIS, "!find gifts") == (
        "1. gift manual (https://example.org/gift-manual.pdf)\n"
        "example.org (PDF) · 15 Jan 2027 · shared by ana · Gifts · "
        "message (https://matrix.to/#/%21transparency%3Aexample.org/%24event1?via=example.org)"
    )


async def test_a_topic_that_lacks_the_askers_language_is_called_as_in_the_hubs_first() -> None:
    async with story([Knowledge], [hub(languages=["es", "en"], resources=[GUIDE])]) as s:
        async with s.db.transaction() as tx:
            await people.set_language(tx, ANA, "fr")
        assert "Regalos" in str(await s.say(ANA, "!topics"))
        assert "Regalos" in str(await s.say(ANA, "!find gift guide"))


async def test_a_curated_resource_is_marked_and_shown_in_the_askers_language(curated: Story) -> None:
    assert await curated.say(ANA, "!find regalos") == (
        "1. Gift guide (https://example.org/guide)\nexample.org · Spanish · recommended · Gifts"
    )
    assert await curated.say(ANA, "!show 1") == (
        "1. Gift guide (https://example.org/guide)\nexample.org · Spanish · recommended · Gifts\n\nStart here."
    )


async def test_show_names_who_shared_and_links_the_message(told: Story) -> None:
    await told.say(ANA, "Worth reading https://example.org/a")
    answer = str(await told.say(LUIS, "!show 1"))
    assert f"{ANA}" in answer
    assert "“Worth reading”" in answer
    assert "https://matrix.to/#/%21transparency%3Aexample.org/%24event1?via=example.org" in answer
    assert told.sent[-1].content["m.mentions"] == {}


async def test_a_formatted_link_keeps_the_words_it_was_given(told: Story) -> None:
    html = "<a href='https://example.org/x'>The gift policy</a> is new"
    await told.say(ANA, "The gift policy is new", html=html)
    assert "1. The gift policy (https://example.org/x)" in str(await told.say(ANA, "!find policy"))


async def test_editing_and_redacting_a_message_changes_what_is_found(told: Story) -> None:
    message = told.message(ANA, "see https://example.org/wrong")
    await told.hear(message)
    await told.edit(message, "see https://example.org/right")
    assert "right" in str(await told.say(LUIS, "!find see"))
    assert "Nothing found" in str(await told.say(LUIS, "!find wrong"))
    await told.redact(message)
    assert "Nothing found" in str(await told.say(LUIS, "!find see"))
    assert await count(told, "knowledge_entries") == 0
    assert await count(told, KEPT_ADDRESSES) == 0


async def test_redacting_the_edit_removes_what_it_shared(told: Story) -> None:
    message = told.message(ANA, "hello")
    edit = replace(message, event_id="$edit", body="https://example.org/a")
    await told.hear(message, Edit(message.event_id, edit))
    await told.hear(Redaction(ROOM, "$gone", ANA, told.clock.now(), "$edit"))
    assert await count(told, "knowledge_shares") == 0


async def test_an_edit_that_becomes_a_command_shares_nothing(told: Story) -> None:
    message = told.message(ANA, "https://example.org/a")
    await told.hear(message)
    await told.edit(message, "!find https://example.org/a")
    assert await count(told, "knowledge_shares") == 0


async def test_links_in_old_messages_found_after_a_pause_are_kept(told: Story) -> None:
    old = replace(told.message(ANA, "https://example.org/a"), sent_at=told.clock.now() - 48 * HOUR)
    await told.hear(old, catching_up=True)
    assert await count(told, "knowledge_shares") == 1


async def test_a_room_keeps_links_only_if_its_yaml_says_so() -> None:
    quiet = hub(rooms=[{"id": ROOM}])
    async with story([Knowledge], [quiet]) as s:
        await s.say(ANA, "https://example.org/a")
        assert await count(s, "knowledge_shares") == 0


async def test_nolog_is_respected(told: Story) -> None:
    await told.say(ANA, "!nolog https://example.org/a")
    assert await count(told, "knowledge_shares") == 0


async def test_five_at_a_time_then_more_then_the_end(told: Story) -> None:
    for number in range(7):
        await told.say(ANA, f"policy https://example.org/{number}")
    first = str(await told.say(LUIS, "!find policy"))
    assert first.count("shared by") == 5
    assert first.endswith("More results: !more")
    second = str(await told.say(LUIS, "!more"))
    assert second.count("shared by") == 2
    assert "There are more" not in second
    assert await told.say(LUIS, "!more") == "No more results."
    assert await told.say(ANA, "!more") == "You haven't searched here recently. Write !find first."


async def test_the_end_of_what_was_weighed_is_not_called_everything(told: Story) -> None:
    for number in range(2 * POOL + 1):
        await told.say(ANA, f"policy https://example.org/{number}")
    answers = [str(await told.say(LUIS, "!find policy"))]
    while answers[-1].endswith("More results: !more"):
        answers.append(str(await told.say(LUIS, "!more")))
    many = "These are the first of many results. To narrow them down, add a word or a filter."
    assert answers[-1].endswith(f"\n\n{many}")
    assert await told.say(LUIS, "!more") == many
    assert POOL <= "".join(answers).count("shared by") <= 2 * POOL


async def test_a_search_is_remembered_for_an_hour_and_no_longer_than_its_question(told: Story) -> None:
    for number in range(7):
        await told.say(ANA, f"policy https://example.org/{number}")
    question = told.message(LUIS, "!find policy")
    await told.hear(question)
    await told.redact(question)
    assert await count(told, "knowledge_searches") == 0
    await told.say(LUIS, "!find policy")
    await told.advance(HOUR + 1)
    assert "searched here recently" in str(await told.say(LUIS, "!more"))
    await told.pipeline.refresh()
    assert await count(told, "knowledge_searches") == 0


async def test_recent_shows_the_newest_first(curated: Story) -> None:
    assert await curated.say(ANA, "!recent") == "No links have been shared here yet."
    await curated.say(ANA, "https://example.org/old-page")
    await curated.advance(HOUR)
    await curated.say(ANA, "https://example.org/new-page")
    answer = str(await curated.say(ANA, "!recent"))
    assert answer.index("new page") < answer.index("old page")
    assert "Gift guide" not in answer


async def test_where_no_result_has_all_the_words_that_is_said(told: Story) -> None:
    await told.say(ANA, "gifts https://example.org/a")
    answer = str(await told.say(ANA, "!find gifts unicorns"))
    assert answer.startswith("No result contains all the words; these contain some.\n\n1. ")


async def test_nothing_found_says_what_was_searched_and_where_there_is_something(curated: Story) -> None:
    assert await curated.say(ANA, "!find gift unicorns* from:@luis since:2026-01") == (
        "Nothing found for “gift unicorns*” from:@luis since:2026-01 in: Transparency.\n\n"
        "Topics with results: Gifts (topic:gifts). Write for example !find topic:gifts.\n\n"
        "One of these may help:\n\n"
        "1. Gift guide (https://example.org/guide)\n"
        "example.org · Spanish · recommended · Gifts\n\n"
        "Someone here may know: ask the room."
    )


async def test_a_rare_topic_is_known_among_any_number_of_others(told: Story) -> None:
    for number in range(104):  # 520 hashtags, each used twice
        tags = " ".join(f"#tag{number // 2}x{nth}" for nth in range(10))
        await told.say(ANA, f"{tags} https://example.org/{number}")
    await told.say(ANA, "#zebrafish https://example.org/rare")
    await told.say(ANA, "!askme on")
    for name in ("zebrafish", "#zebrafish"):
        assert "https://example.org/rare" in str(await told.say(LUIS, f"!find topic:{name}"))
        assert await told.say(LUIS, f"!who {name}") == f"You can ask:\n- {ANA}"


async def test_topics_are_counted(curated: Story) -> None:
    assert await curated.say(ANA, "!topics") == "- Gifts (topic:gifts): 1 result\n- Audit (topic:audit): 0 results"


async def test_of_many_topics_forty_are_listed_and_it_is_said_that_there_are_more(told: Story) -> None:
    more = "There are more topics with fewer results. You can search for them too."
    for number in range(1, 5):
        tags = " ".join(f"#tag{number}x{nth}" for nth in range(10))
        await told.say(ANA, f"{tags} https://example.org/{number}")
        answer = str(await told.say(LUIS, "!topics"))
        assert answer.count("(topic:") == min(40, 2 + 10 * number)
        assert answer.endswith(f"\n\n{more}") == (number == 4)


@pytest.mark.parametrize("said", ["topic:gifts", "topic:Regalos", 'topic:"GIFTS"', "guide topic:gifts"])
async def test_a_topic_is_known_by_id_and_by_its_title_in_any_language(curated: Story, said: str) -> None:
    assert "Gift guide" in str(await curated.say(ANA, f"!find {said}"))


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("find", "Write what you are looking for, for example !find gifts."),
        ("find 🦄", "Write what you are looking for, for example !find gifts."),
        ("find x topic:gitf", "There is no topic “gitf”. Did you mean topic:gifts?"),
        ("find x topic:zzz", "There is no topic “zzz”. Write !topics to see the topics."),
        ("find x from:a@b", "“a@b” is not a person; write from:ana or from:@ana:example.org."),
        ("find x since:yesterday", "“yesterday” is not a date; write since:2026, since:2026-01 or since:2026-01-31."),
        ("find x since:2026-13", "“2026-13” is not a date; write since:2026, since:2026-01 or since:2026-01-31."),
        ("find x since:2026-02-30", "“2026-02-30” is not a date; write since:2026, since:2026-01 or since:2026-01-31."),
        ("find x since:0001", "“0001” is not a date; write since:2026, since:2026-01 or since:2026-01-31."),
        ("find -x", "Write what you are looking for, for example !find gifts."),
        ("find x sort:random", "Sort with sort:new or sort:useful; “random” is not available."),
        ("find x lang:xx", "I don't know the language “xx”; write one like lang:es."),
        ("find x topic:gifts topic:audit", "'topic:' appears twice. Use it once per search."),
        ("find x topic:", "Write what you are looking for right after “topic:”, as in topic:gifts."),
        (
            "find frmo:ana policy",
            "There is no filter “frmo:”. Did you mean from:? Without the colon it is searched as a word.",
        ),
        ("find co*", "Write at least three letters before the *."),
        ("find x type:banana", "There is nothing here of the type “banana”. Types: pdf, word, excel, powerpoint …"),
        ("find x lang:klingon", "There is nothing here in the language “klingon”."),
        ("find x hub:nowhere", "There is no hub “nowhere” here. Available: hub:transparency"),
        ("top century", "Write week, month or year."),
        ("askme perhaps", "Write on or off."),
        ("useful 9", "There is no result with the number 9 here."),
        (
            "share nothing",
            (
                "That contains no web address. Write it like this: !share https://example.org/guide for new "
                "colleagues #gifts"
            ),
        ),
        ("share TLP:RED https://example.org/x", "TLP:RED links are not stored."),
        ("share https://example.org/x !nolog", "Messages marked !nolog are not stored."),
        ("show 99", "There is no result with the number 99 here."),
        ("show transparency/99", "There is no result with the number transparency/99 here."),
        ("show x y z", None),
        ("show <b>", "“<b>” is not a result number; write one like 12."),
    ],
)
async def test_mistakes_are_answered_with_help(told: Story, said: str, answer: str | None) -> None:
    found = await told.say(ANA, f"!{said}")
    assert found == answer if answer else found


async def test_a_type_and_a_language_of_which_there_is_something_are_searched(told: Story) -> None:
    """Files that were brought in may be of any type, and pages in any language."""
    async with told.db.transaction() as tx:
        items = [Item("https://example.org/1", title={"": "Talk"}, kind="video", language="quc")]
        await imported(tx, *items, rules=Rules([hub()]))
    for filter_ in ("type:video", "lang:quc", "lang:quiche"):
        assert "Talk" in str(await told.say(ANA, f"!find {filter_}"))
        assert "Nothing found for" in str(await told.say(ANA, f"!find zanzibar {filter_}"))


async def test_what_people_wrote_is_shown_harmless(told: Story) -> None:
    title = "@room [x](javascript:alert(1)) <b>**bold**</b> \u202eevil"
    html = f"<a href='https://example.org/@room'>{title.replace('<', '&lt;')}</a>"
    await told.say(ANA, "x", html=html)
    await told.say(ANA, "!find bold")
    content = told.sent[-1].content
    formatted = str(content["formatted_body"])
    assert "<b>" not in formatted
    assert "<strong>" not in formatted
    assert re.findall(r'<a href="([^"]*)"', formatted) == [
        "https://example.org/%40room",
        "https://matrix.to/#/%21transparency%3Aexample.org/%24event1?via=example.org",
    ]
    assert 'href="https://example.org/%40room"' in formatted
    assert "@room" not in str(content["body"])
    assert "\u202e" not in str(content)


async def test_secrets_in_addresses_are_masked(told: Story) -> None:
    await told.say(ANA, "report https://example.org/report?id=7&token=opensesame&X-Amz-Signature=abc")
    answer = str(await told.say(LUIS, "!find report"))
    assert "opensesame" not in answer
    assert "id=7&token=…&X-Amz-Signature=…" in answer


async def test_forgetting_a_person_takes_their_shares_and_searches(told: Story) -> None:
    await told.say(ANA, "policy https://example.org/a")
    await told.say(ANA, "!find policy")
    async with told.db.transaction() as tx:
        await told.services.registry.plugins["knowledge"].forget(tx, ANA)
    for table in ("knowledge_shares", "knowledge_entries", KEPT_ADDRESSES, "knowledge_searches"):
        assert await count(told, table) == 0


async def test_removed_words_leave_the_index_within_a_minute(told: Story) -> None:
    message = told.message(ANA, "zanzibarista https://example.org/a")
    await told.hear(message)
    await told.redact(message)
    await told.advance(60_000)
    held = "SELECT count(*) FROM knowledge_entry_words_data WHERE instr(block, CAST('nzibarista' AS BLOB))"
    assert await told.db.reading().value(held) == 0


async def test_in_a_direct_chat_numbers_name_their_hub_where_there_are_several() -> None:
    async with story([Knowledge], [hub(), hub("audit")]) as s:
        await s.say(ANA, "policy https://example.org/a", room=ROOM)
        await s.say(ANA, "policy https://example.org/b", room="!audit:example.org")
        direct = await s.direct(LUIS)
        await s.join(LUIS, ROOM)
        assert str(await s.say(LUIS, "find policy", room=direct)).startswith("1. example.org")
        await s.join(LUIS, "!audit:example.org")
        answer = str(await s.say(LUIS, "find policy", room=direct))
        assert "transparency/1. " in answer
        assert "audit/1. " in answer
        assert "Write one of: transparency/1, audit/1" in str(await s.say(LUIS, "show 1", room=direct))
        assert "https://example.org/b" in str(await s.say(LUIS, "show audit/1", room=direct))


async def test_shared_hubs_are_seen_from_each_other_and_private_ones_are_not() -> None:
    hubs = [hub(visibility="shared"), hub("audit", visibility="shared"), hub("secret")]
    async with story([Knowledge], hubs) as s:
        for name in ("transparency", "audit", "secret"):
            await s.say(ANA, f"policy https://example.org/{name}", room=f"!{name}:example.org")
        answer = str(await s.say(LUIS, "!find policy", room=ROOM))
        assert "\n1. transparency" in "\n" + answer
        assert "audit/1. audit" in answer
        assert "secret" not in answer
        assert "no result with the number secret/1 here" in str(await s.say(LUIS, "!show secret/1", room=ROOM))
        answer = str(await s.say(LUIS, "!find policy", room="!secret:example.org"))
        assert answer.count("shared by") == 1
