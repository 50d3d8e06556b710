"""The story fits the bot, without a homeserver."""

from bot.demo.cast import PEOPLE, ROOMS
from bot.demo.environment import DIRECT
from bot.demo.story import SCENES


def test_everybody_in_the_story_is_in_the_room_they_speak_in() -> None:
    members = {room.name: [person.name for person in room.members] for room in ROOMS}
    members[DIRECT] = [person.name for person in PEOPLE]
    for scene in SCENES:
        for step in scene.steps:
            assert step.account in members[step.room]
