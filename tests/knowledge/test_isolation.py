"""Whatever is shared in whichever rooms, what an asker may not see neither appears nor counts.

Each example is a world of four hubs and a place to ask from. It lives twice: whole, and without all that cannot be seen
from there. Every command must answer the same in both, and every result must have the same weight.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.core.events import Edit, Message, Reaction, Redaction
from bot.hubs import Hub
from bot.testing.story import Story, story
from plugins.knowledge import Knowledge
from plugins.knowledge.index.hub_rules import merged_thesaurus
from plugins.knowledge.search import engine
from plugins.knowledge.search.query_parser import parse
from plugins.knowledge.store import access
from plugins.knowledge.store.access import ADDRESSES, COORDINATORS, ENCRYPTED, MEMBERS, PLAIN, Scope, Shelf
from tests.knowledge.hubs import hub
from tests.tiers import examples

# Each example is two whole conversations: a failing one is shown as it is, shrinking it would take minutes.
BOUNDED = settings(deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])

HUBS = ("north", "south", "east", "west")
CIRCLES = (MEMBERS, COORDINATORS)
KINDS = (PLAIN, ENCRYPTED)
PEOPLE = ("@ana:example.org", "@ben:example.org", "@eva:example.net")
LOCALS = {name: f"@{name}er:example.org" for name in HUBS}  # who share in one hub only
ASKER, MODERATOR = "@asker:example.org", "@mod:example.org"
# Words that are near each other, ideas in several languages, beginnings of others.
WORDS = ("gifts", "regalos", "giftss", "audit", "audits", "customs", "customary", "policy", "corruption", "report")
PAGES = 7
FIRST_AMBER = 4  # pages from here on may be labelled, the others recommended
DAY = 86_400_000

Entry = tuple[str, str, str, int]  # hub, circle, kind of room, page


@dataclass(frozen=True)
class Sharing:
    hub: str
    circle: str
    kind: str
    page: int
    person: str
    words: tuple[str, ...]
    days: int  # ago
    amber: bool = False
    gone: bool = False  # redacted later
    edited: tuple[str, ...] | None = None  # other words, later
    liked_by: str | None = None
    opened: bool = False  # just before, a moderator says of its page, if that is there, that it may travel

    @property
    def entry(self) -> Entry:
        return self.hub, self.circle, self.kind, self.page

    @property
    def is_amber(self) -> bool:
        return self.amber and self.page >= FIRST_AMBER


@dataclass(frozen=True)
class World:
    visibility: Mapping[str, str]
    visible_to: Mapping[str, frozenset[str]]
    recommended: Mapping[str, tuple[int, ...]]
    sharings: tuple[Sharing, ...]
    hidden: frozenset[Entry] = frozenset()
    place: str | None = None  # a hub; None for a direct chat
    circle: str = MEMBERS  # whose room of that hub
    kind: str = PLAIN  # of the place
    share: Mapping[str, str] = field(default_factory=dict)  # `encrypted_rooms_share` of each hub
    member_of: frozenset[str] = field(default_factory=frozenset)  # of the direct chat's asker

    def live(self) -> Iterator[Sharing]:
        return (one for one in self.sharings if not one.gone)

    def sees_shelf(self, name: str, circle: str, kind: str) -> bool:
        """Whether what is shared in these rooms may be found, with its words."""
        return self._sees_circle(name, circle) and (kind == PLAIN or self._sees_encrypted(name) == "words")

    def sees_addresses(self, name: str, circle: str, kind: str) -> bool:
        """Whether only the addresses of what is shared in these rooms may be found."""
        return self._sees_circle(name, circle) and kind == ENCRYPTED and self._sees_encrypted(name) == "links"

    def _sees_encrypted(self, name: str) -> str:
        here = name in self.member_of if self.place is None else name == self.place
        return "words" if here and self.kind == ENCRYPTED else self.share.get(name, "hub")

    def _sees_circle(self, name: str, circle: str) -> bool:
        if self.place is None:
            return name in self.member_of and circle == MEMBERS
        if name == self.place:
            return circle in (MEMBERS, self.circle)
        return circle == MEMBERS and self._opens(name)

    def _opens(self, name: str) -> bool:
        if self.visibility[name] == "restricted":
            return self.place in self.visible_to[name]
        return self.visibility[name] == "shared" == self.visibility[self.place or ""]

    def sees(self, entry: Entry) -> bool:
        name, circle, kind, _ = entry
        if not self.sees_shelf(name, circle, kind) or entry in self.hidden:
            return False
        return self.place in (None, name) or not self._stays(entry)

    def sees_address(self, entry: Entry) -> bool:
        return self.sees_addresses(*entry[:3]) and entry not in self.hidden and not self._stays(entry)

    def _stays(self, entry: Entry) -> bool:
        """Whether somebody wants it kept in its hub, and no moderator said otherwise after they had shared it."""
        there = opened = False
        mine = [one for one in self.sharings if one.entry == entry]
        for one in mine:
            opened = (opened or (there and one.opened)) and not one.is_amber
            there = there or not one.gone
        return not opened and any(one.is_amber and not one.gone for one in mine)


hub_names = st.sampled_from(HUBS)
some_words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(tuple)
sharings = st.builds(
    Sharing,
    hub=hub_names,
    circle=st.sampled_from((MEMBERS, MEMBERS, COORDINATORS)),
    kind=st.sampled_from(KINDS),
    page=st.integers(0, PAGES - 1),
    person=st.sampled_from((*PEOPLE, *LOCALS.values())),
    words=some_words,
    days=st.integers(0, 400),
    amber=st.booleans(),
    gone=st.sampled_from((False, False, False, True)),
    edited=st.none() | some_words,
    liked_by=st.none() | st.sampled_from(PEOPLE),
    opened=st.sampled_from((False, False, True)),
)
pages = st.lists(st.integers(0, FIRST_AMBER - 1), max_size=2, unique=True).map(tuple)
hidden = st.frozensets(
    st.tuples(hub_names, st.sampled_from(CIRCLES), st.sampled_from(KINDS), st.integers(0, PAGES - 1)), max_size=4
)
worlds = st.builds(
    World,
    visibility=st.fixed_dictionaries(dict.fromkeys(HUBS, st.sampled_from(("private", "shared", "restricted")))),
    visible_to=st.fixed_dictionaries(dict.fromkeys(HUBS, st.frozensets(hub_names, max_size=2))),
    recommended=st.fixed_dictionaries(dict.fromkeys(HUBS, pages)),
    sharings=st.lists(sharings, min_size=6, max_size=24).map(tuple),
    hidden=hidden,
    place=st.none() | hub_names | hub_names,
    circle=st.sampled_from((MEMBERS, MEMBERS, COORDINATORS)),
    kind=st.sampled_from(KINDS),
    share=st.fixed_dictionaries(dict.fromkeys(HUBS, st.sampled_from(("hub", "links", "words")))),
    member_of=st.frozensets(hub_names, min_size=1, max_size=3),
)


@pytest.mark.timeout(180)
@given(worlds)
@settings(BOUNDED, max_examples=examples(8))
def test_what_may_not_be_seen_changes_nothing(world: World) -> None:
    asyncio.run(_compare(world))


@given(worlds)
@settings(BOUNDED, max_examples=examples(5))
def test_what_may_be_seen_is_found(world: World) -> None:
    asyncio.run(_complete(world))


@pytest.mark.parametrize(
    ("place", "circle", "kind"),
    [
        ("north", MEMBERS, PLAIN),
        ("north", MEMBERS, ENCRYPTED),
        ("south", COORDINATORS, PLAIN),
        ("south", COORDINATORS, ENCRYPTED),
        ("east", MEMBERS, PLAIN),
        (None, MEMBERS, PLAIN),
        (None, MEMBERS, ENCRYPTED),
    ],
)
def test_every_kind_of_wall_holds_in_one_busy_world(place: str | None, circle: str, kind: str) -> None:
    """One world with all there is, asked from several places: nothing depends on what is generated."""
    everywhere = [
        Sharing(
            name,
            circle,
            room_kind,
            page,
            (LOCALS[name], *PEOPLE)[page % 4],
            (WORDS[page], f"{name}only"),
            page * 30,
            page % 2 == 0,
            liked_by=PEOPLE[(page + 1) % 3],
        )
        for name in HUBS
        for circle in CIRCLES
        for room_kind in KINDS
        for page in range(PAGES)
    ]
    everywhere += [
        Sharing(name, MEMBERS, PLAIN, page, PEOPLE[0], ("gifts",), 1, amber=page == PAGES - 2, opened=True)
        for name in HUBS
        for page in range(FIRST_AMBER, PAGES)
    ]
    world = World(
        visibility={"north": "shared", "south": "shared", "east": "private", "west": "restricted"},
        visible_to={"north": frozenset(), "south": frozenset(), "east": frozenset(), "west": frozenset({"north"})},
        recommended={"north": (0,), "south": (0, 1), "east": (2,), "west": (3,)},
        sharings=tuple(everywhere),
        hidden=frozenset(
            {
                ("north", MEMBERS, PLAIN, 1),
                ("south", MEMBERS, PLAIN, 5),
                ("south", MEMBERS, ENCRYPTED, 2),
                ("east", MEMBERS, PLAIN, 6),
            }
        ),
        place=place,
        circle=circle,
        kind=kind,
        share={"north": "hub", "south": "links", "east": "hub", "west": "words"},
        member_of=frozenset({"south", "west"}),
    )
    asyncio.run(_compare(world))


async def _compare(world: World) -> None:
    whole, reduced = await _answers(world, whole=True), await _answers(world, whole=False)
    for question, answer in reduced.items():
        assert whole[question] == answer, question


async def _complete(world: World) -> None:
    async with _told(world, whole=True) as told:
        room = await _live(told, world, whole=True)
        for word in WORDS:
            said = [one for one in world.live() if word in (one.edited or one.words) and world.sees(one.entry)]
            expected = {_url(one.page) for one in said}
            assert expected <= _urls(await _all(told, room, f'!find "{word}"')), word
        recent = {_url(one.page) for one in world.live() if world.sees(one.entry)}
        assert _urls(await _all(told, room, "!recent")) == recent
        if world.place is not None and world.circle == MEMBERS:
            assert "c1" not in await _all(told, room, "!recent")
        for one in world.live():
            if world.sees_address(one.entry):
                assert _url(one.page) in await _all(told, room, f"!find {_url(one.page)}")


async def _answers(world: World, *, whole: bool) -> Mapping[str, object]:
    async with _told(world, whole=whole) as told:
        room = await _live(told, world, whole=whole)
        answers: dict[str, object] = {question: await _all(told, room, question) for question in _questions()}
        for words in (*WORDS, "gfits policy", "corruption audit report"):
            answers[f"weights of {words}"] = await _weights(told, world, words)
        return answers


def _questions() -> Iterator[str]:
    for word in WORDS:
        yield f"!find {word}"
    for name in HUBS:
        yield f"!find {name}only"
        yield f"!find {name}onyl"  # may be put right only where the word may be seen
        yield f"!find {name}clsoe"
        yield f"!who {name}tag"
        yield f"!find hub:{name} policy"
    yield from (
        "!find gfits",
        "!find coruption",
        "!find custo*",
        "!find audi",
        '!find "gifts policy"',
        "!find gifts -policy",
        "!find policy report audit",
        "!find topic:gifts",
        "!find topic:corruption",
        "!find topic:tag",
        "!find from:ana",
        "!find since:2026-10 report",
        "!find site:pages.example",
        "!find sort:new policy",
        "!find sort:useful",
        "!find pages",
        "!find unheardof",
        "!recent",
        "!topics",
        "!top year",
        "!top week",
        "!who gifts",
        "!who corruption",
        "!who tag",
    )
    for page in range(PAGES):
        yield f"!find https://pages.example/number-{page}"
    for number in range(1, 5):
        yield f"!show {number}"
        for sign in ("c", "e", "ce", "a", "ca"):
            yield f"!show {sign}{number}"
        yield f"!similar {number}"
        for name in HUBS:
            yield f"!show {name}/{number}"
            yield f"!show {name}/c{number}"
            yield f"!show {name}/e{number}"


def _told(world: World, *, whole: bool) -> AbstractAsyncContextManager[Story]:
    names = [name for name in HUBS if whole or any(world.sees_shelf(name, circle, PLAIN) for circle in CIRCLES)]
    return story([Knowledge], [_hub(world, name) for name in names])


def _hub(world: World, name: str) -> Hub:
    resources = [
        {"url": _url(page), "title": f"Guide of {name}only", "topics": ["gifts"]} for page in world.recommended[name]
    ]
    rooms = [
        {"id": _room(name, circle, kind), "log_links": True, "role": circle} for circle in CIRCLES for kind in KINDS
    ]
    visible_to = sorted(world.visible_to[name] - {name}) if world.visibility[name] == "restricted" else []
    visibility = "private" if world.visibility[name] == "restricted" and not visible_to else world.visibility[name]
    return hub(
        name, rooms=rooms, visibility=visibility, visible_to=visible_to, resources=resources, moderators=[MODERATOR],
        encrypted_rooms_share=world.share.get(name, "hub"),
    )  # fmt: skip


def _room(name: str, circle: str, kind: str) -> str:
    return f"!{name}-{circle}-{kind}:example.org"


def _url(page: int) -> str:
    return f"https://pages.example/number-{page}"


def _urls(answer: str) -> set[str]:
    return set(re.findall(r"https://pages\.example/number-\d", answer))


async def _live(told: Story, world: World, *, whole: bool) -> str:
    """Everything happens that happens in the world; answers the room to ask from.

    Of what only the address may be seen, in the other world nothing but the address is said. Of what may not be seen,
    nothing happens there on shelves that may not be seen at all; on the others it is taken back at the end, so that the
    same numbers are used up.
    """
    for name in [one.id for one in told.services.directory.hubs]:
        for circle in CIRCLES:
            await told.encrypt(_room(name, circle, ENCRYPTED))
    for person in (*PEOPLE[:2], *LOCALS.values()):
        await told.say(person, "!askme on", room=await told.direct(person))
    done = await _share_all(told, world, whole=whole)
    for back in done:
        await told.hear(back)
    for entry in sorted(world.hidden):
        await _correct(told, "!hide {}", entry)
    return await _place(told, world)


async def _share_all(told: Story, world: World, *, whole: bool) -> Sequence[Redaction]:
    """Answers what takes back that which is to be taken back at the end."""
    done: list[Redaction] = []
    for number, one in enumerate(world.sharings):
        bare = not whole and world.sees_addresses(one.hub, one.circle, one.kind)
        if not whole and not bare and not world.sees_shelf(one.hub, one.circle, one.kind):
            continue
        if one.opened and one.page >= FIRST_AMBER:
            await _correct(told, "!label {} green", one.entry)
        back = await _share(told, one, number, bare=bare)
        if one.gone:
            await told.hear(back)
        elif not whole and not world.sees(one.entry) and not world.sees_address(one.entry):
            done.append(back)
    return done


async def _place(told: Story, world: World) -> str:
    """The room to ask from."""
    if world.place is not None:
        return _room(world.place, world.circle, world.kind)
    for name in world.member_of:
        for kind in KINDS:
            await told.join(ASKER, _room(name, MEMBERS, kind))
    chat = await told.direct(ASKER)
    if world.kind == ENCRYPTED:
        await told.encrypt(chat)
    return chat


async def _share(told: Story, one: Sharing, number: int, *, bare: bool) -> Redaction:
    """One sharing happens; answers what takes it back. `bare`: with nothing but the address, and who may see it."""
    room, now, event = _room(one.hub, one.circle, one.kind), told.clock.now(), f"$share{number}"
    at = now - one.days * DAY
    mark = f"TLP:AMBER {one.hub}close " if one.is_amber else ""
    link = f"#tag #{one.hub}tag {_url(one.page)}?utm_source={one.hub}"
    said = f"{mark}{' '.join(one.words)} {one.hub}only {link}"
    if bare:
        said = link = f"{mark and 'TLP:AMBER '}{_url(one.page)}?utm_source={one.hub}"
    encrypted = room in told.encrypted
    await told.hear(Message(room, event, one.person, at, said, encrypted=encrypted))
    if one.liked_by and not bare:
        await told.hear(Reaction(room, f"$like{number}", one.liked_by, at, event, "👍"))
    if one.edited:
        text = link if bare else f"{mark}{' '.join(one.edited)} {link}"
        await told.hear(Edit(event, Message(room, f"$edit{number}", one.person, at, text, encrypted=encrypted)))
    return Redaction(room, f"$gone{number}", one.person, now, event)


async def _correct(told: Story, command: str, entry: Entry) -> None:
    """A moderator corrects a page, if it is there."""
    name, circle, kind, page = entry
    if not told.services.directory.hub(name):
        return
    number = await told.db.reading().value(
        """SELECT e.number FROM knowledge_entries e JOIN knowledge_shelves s ON s.id = e.shelf WHERE s.hub = :name
        AND s.circle = :circle AND s.kind = :kind
        AND coalesce(e.url, (SELECT url FROM knowledge_shares WHERE id = e.newest)) LIKE :url""",
        name=name,
        circle=circle,
        kind=kind,
        url=f"%number-{page}%",
    )
    if number is not None:
        sign = Shelf(0, name, circle, kind).sign
        answer = await told.say(MODERATOR, command.format(f"{sign}{number}"), room=_room(name, circle, kind))
        assert answer
        assert "!undo" in answer or "Nothing to change" in answer


async def _all(told: Story, room: str, question: str) -> str:
    """An answer with everything `!more` adds."""
    said = [str(await told.say(ASKER, question, room=room))]
    while "!more" in said[-1].splitlines()[-1] and len(said) < 9:
        said.append(str(await told.say(ASKER, "!more", room=room)))
    return "\n\n".join(said)


async def _weights(told: Story, world: World, words: str) -> object:
    db = told.db.reading()
    seen = []
    for shelf in await db.run(access.every_shelf):
        if shelf.kind == ADDRESSES:
            seen += [shelf] if world.sees_addresses(shelf.hub, shelf.circle, ENCRYPTED) else []
        elif world.sees_shelf(shelf.hub, shelf.circle, shelf.kind):
            seen.append(shelf)
    seen.sort(key=lambda shelf: (HUBS.index(shelf.hub), shelf.circle, shelf.kind))
    own = [shelf for shelf in seen if world.place in (None, shelf.hub) and shelf.kind != ADDRESSES]
    scope = Scope(tuple(own), tuple(shelf for shelf in seen if shelf not in own))
    terms = merged_thesaurus(())
    found = await db.run(engine.find, scope, parse(words, terms), (), told.clock.now(), thesaurus=terms)
    return [(hit.score, hit.matched_in, hit.full) for hit in found.hits], found.corrected, found.question.units
