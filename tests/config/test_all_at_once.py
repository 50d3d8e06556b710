"""Everything that is wrong in all files is told at once, with file, line, column, setting and remedy."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

from tests.config.folder import Post, Wishes, problems_in, write

CONFIG = """\
homserver: https://matrix.example.org
user: faro
password: ${NOT_SET}
access_token: secret
cooldown:
  per_person: many
  per_room: 0
log: {level: INFO, format: xml}
invites: [example.org]
answer_within: soon
include: [hubs/*.yaml, "nothing/*.yaml"]
plugins:
  wishs: {}
  post: {}
  wishes: {max_per_hub: lots}
hubs:
  - id: Transparency
    title:
    langages: [es]
    languages: [no, en]
    timezone: UTC-5
    rooms:
      - alias: #transparency:example.org
      - {id: "!one:example.org", keep_wishs: yes}
      - title: {xx: a room}
    wishes:
      - {id: a, remind: [1 day, 19:30]}
  - procedures
prefix: "!"
prefix: "?"
"""
GOOD = """\
id: procedures
title: Procedures
rooms:
  - id: "!one:example.org"
"""
WRONG = """\
id: procedures
title: {en: Again}
rooms: []
coordinators:
  - user: "@ana:example.org"
    timezone: EST
    towm: Quito
  - user: ben
topics: {ethics: Ethics}
"""
# ruff: noqa: E501 - one problem a line, as it is printed
EXPECTED = """\
config.yaml:1:1: homeserver: missing: this setting is required
config.yaml:1:1: homserver: unknown key; did you mean 'homeserver'?
config.yaml:2:7: user: 'faro' is not a user id; write one like '@ana:example.org'
config.yaml:3:11: password: the environment variable NOT_SET is not set; set it, or name a file with 'password_file: …' instead
config.yaml:4:1: access_token: 'password' is also set (line 3); keep only one of them
config.yaml:6:15: cooldown.per_person: 'many' is not a whole number
config.yaml:7:13: cooldown.per_room: '0' is too small; the minimum is 1
config.yaml:8:14: log.level: 'INFO' is not allowed here; did you mean 'info'?
config.yaml:8:28: log.format: 'xml' is not allowed here; allowed values: text, json
config.yaml:9:10: invites: expected settings as 'name: value' lines
config.yaml:10:16: answer_within: 'soon' is not a duration; write a whole number and a unit, such as '10 minutes' or '1 week'
config.yaml:11:24: include[1]: no file in FOLDER matches 'nothing/*.yaml'
config.yaml:13:3: plugins.wishs: unknown key; did you mean 'wishes'?
config.yaml:14:9: plugins.post.server: missing: this setting is required
config.yaml:15:25: plugins.wishes.max_per_hub: 'lots' is not a whole number
config.yaml:17:9: hubs[0].id: 'Transparency' is not a valid id; use lowercase letters without accents, digits and '-', as in 'customs-reform'
config.yaml:18:11: hubs[0].title: missing value; add one, or remove the line
config.yaml:19:5: hubs[0].langages: unknown key; did you mean 'languages'?
config.yaml:20:17: hubs[0].languages[0]: 'no' is not allowed here; allowed values: en, es, fr, pt
config.yaml:21:15: hubs[0].timezone: 'UTC-5' is not a time zone; did you mean 'America/Jamaica'?
config.yaml:23:15: hubs[0].rooms[0].alias: a value that begins with '#' needs quotes, otherwise it is a comment: "#transparency:example.org"
config.yaml:24:34: hubs[0].rooms[1].keep_wishs: unknown key; did you mean 'keep_wishes'?
config.yaml:25:9: hubs[0].rooms[2]: a room needs an 'alias' ("#name:example.org") or an 'id' ("!abc:example.org")
config.yaml:25:16: hubs[0].rooms[2].title: language 'xx' is not available; available: en, es, fr, pt
config.yaml:27:33: hubs[0].wishes[0].remind[1]: '19:30' is not a duration; write a whole number and a unit, such as '10 minutes' or '1 week'
config.yaml:28:5: hubs[1]: expected settings as 'name: value' lines
config.yaml:30:1: prefix: 'prefix' appears twice; the first is on line 29
hubs/a.yaml:4:9: rooms[0].id: the room '!one:example.org' already belongs to a hub: FOLDER/config.yaml:24
hubs/b.yaml:1:5: id: there is already a hub 'procedures': FOLDER/hubs/a.yaml:1
hubs/b.yaml:3:8: rooms: too few items; at least 1 required
hubs/b.yaml:6:15: coordinators[0].timezone: 'EST' is not a time zone; did you mean 'America/New_York'?
hubs/b.yaml:7:5: coordinators[0].towm: unknown key; allowed here: city, name, timezone, user
hubs/b.yaml:8:11: coordinators[1].user: 'ben' is not a user id; write one like '@ana:example.org'
hubs/b.yaml:9:9: topics: expected a list: one '- …' line per item, or [a, b]
hubs/c.yaml:2:1: the line is indented with a tab; use spaces
"""


def test_a_configuration_full_of_mistakes_is_told_all_of_them(tmp_path: Path) -> None:
    path = write(tmp_path, config=CONFIG, hub_a=GOOD, hub_b=WRONG, hub_c="id: x\n\ttitle: y\n")
    assert problems_in(path, [Wishes, Post]) == EXPECTED.replace("FOLDER", str(tmp_path)).splitlines()


def test_files_are_named_as_they_were_given(tmp_path: Path) -> None:
    write(tmp_path, config=CONFIG, hub_a="")
    with chdir(tmp_path):
        files = {line.partition(":")[0] for line in problems_in(Path("config.yaml"))}
    assert files == {"config.yaml", "hubs/a.yaml"}
