"""What is written becomes settings; what cannot be is a `ConfigError` and nothing else."""

# ruff: noqa: E501 - one problem a line, as it is printed

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.api import Duration, Plugin, Settings, section
from bot.config.load import load, peek
from bot.core.errors import ConfigError
from bot.hubs import Hub
from bot.runtime.plugins import find
from tests.config.folder import (
    MINIMAL,
    Post,
    PostSettings,
    Wishes,
    WishesHub,
    WishesRoom,
    WishesSettings,
    loaded,
    problems,
    write,
)  # fmt: skip

HUB = 'id: transparency\ntitle: Transparency\nrooms: [{alias: "#t:example.org"}]\n'
INLINE = 'hubs: [{id: transparency, title: Transparency, rooms: [{alias: "#t:example.org"}]}]\n'


def test_little_has_to_be_set(tmp_path: Path) -> None:
    config = loaded(tmp_path, "").config
    assert (config.display_name, config.prefix, config.answer_within) == ("Faro", "!", Duration(10, "minute"))
    assert (config.cooldown.per_person, config.cooldown.per_room) == (20, 60)
    assert config.hubs == ()


def test_paths_are_relative_to_the_file_they_stand_in(tmp_path: Path) -> None:
    assert loaded(tmp_path, "").data_dir == tmp_path / "data"
    assert loaded(tmp_path, "data_dir: /var/lib/faro").data_dir == Path("/var/lib/faro")


def test_hubs_stand_inline_and_in_files_of_their_own(tmp_path: Path) -> None:
    other = HUB.replace("transparency", "procedures").replace("#t", "#p")
    config = loaded(tmp_path, f"include: hubs/*.yaml\n{INLINE}", hub_procedures=other).config
    assert [hub.id for hub in config.hubs] == ["transparency", "procedures"]


def test_an_include_that_finds_a_file_twice_or_the_configuration_itself_reads_it_once(tmp_path: Path) -> None:
    config = loaded(tmp_path, 'include: ["hubs/*.yaml", "hubs/a.yaml", "*.yaml"]', hub_a=HUB).config
    assert len(config.hubs) == 1


def test_an_include_that_finds_only_the_configuration_itself_is_a_mistake(tmp_path: Path) -> None:
    assert problems(tmp_path, "include: config.yaml") == [
        "config.yaml:3:10: include: this is the file itself; include files with one hub each"
    ]


@pytest.mark.parametrize(
    ("listen", "address"),
    [("off", None), ("127.0.0.1:9465", ("127.0.0.1", 9465)), ('"[::1]:80"', ("::1", 80)), ("box:1", ("box", 1))],
)
def test_where_health_is_served_is_a_host_and_a_port(
    tmp_path: Path, listen: str, address: tuple[str, int] | None
) -> None:
    assert loaded(tmp_path, f"health: {{listen: {listen}}}").config.health.address == address
    assert loaded(tmp_path, "").config.health.address is None


@pytest.mark.parametrize("listen", ["9465", "on", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "a b:80", '"::1:80"'])
def test_another_address_to_serve_health_at_is_a_mistake_with_an_example(tmp_path: Path, listen: str) -> None:
    (problem,) = problems(tmp_path, f"health: {{listen: {listen}}}")
    assert "such as '127.0.0.1:9465'" in problem


def test_plugins_add_keys_to_hubs_and_rooms(tmp_path: Path) -> None:
    hub = HUB.replace('example.org"}', 'example.org", keep_wishes: yes}') + "wishes: [{id: a, remind: [1 day, 24h]}]"
    (read,) = loaded(tmp_path, "include: hubs/*.yaml", hub_a=hub).config.hubs
    (wish,) = section(read, WishesHub).wishes
    assert wish.remind == (Duration(1, "day"), Duration(24, "hour"))
    assert section(read.rooms[0], WishesRoom).keep_wishes


def test_settings_of_plugins_are_read_with_their_own_class(tmp_path: Path) -> None:
    found = loaded(tmp_path, "plugins: {wishes: {max_per_hub: 7}}")
    assert found.plugin_settings == {"wishes": WishesSettings(max_per_hub=7)}
    assert loaded(tmp_path, "").plugin_settings == {"wishes": WishesSettings()}
    assert loaded(tmp_path, "plugins:\n  wishes:\n").plugin_settings == {"wishes": WishesSettings()}


def test_a_plugin_that_is_left_out_needs_no_settings_but_its_keys_in_hubs_do_no_harm(tmp_path: Path) -> None:
    hub = HUB + "wishes: [{id: a}]"
    found = loaded(
        tmp_path, "include: hubs/*.yaml\nplugins: {post: false, wishes: no}", plugins=[Wishes, Post], hub_a=hub
    )
    assert found.left_out == {"post", "wishes"}
    assert found.plugin_settings == {}


def test_settings_that_may_be_a_broken_plugins_are_passed_over(tmp_path: Path) -> None:
    """It is named at the start and left out; the rest runs."""
    hub = HUB.replace('example.org"}', 'example.org", keep_wishes: yes}') + "wishes: [{id: a}]"
    text = "include: hubs/*.yaml\nplugins: {wishes: {max_per_hub: 7}}"
    assert loaded(tmp_path, text, plugins=[], broken=["wishes"], hub_a=hub).config.hubs[0].id == "transparency"


def test_a_plugin_whose_validator_breaks_is_a_problem_at_its_place(tmp_path: Path) -> None:
    class OddSettings(Settings):
        def model_post_init(self, _: object) -> None:
            raise RuntimeError("odd")

    class Odd(Plugin[OddSettings]):
        name = "odd"

    (problem,) = problems(tmp_path, "plugins:\n  odd: {}\n", plugins=[Odd])
    assert problem == "config.yaml:4:8: plugins.odd: a plugin failed to read this: RuntimeError: odd"


# Secrets


def test_variables_of_the_environment_are_filled_in(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        "password: ${SECRET}\ndata_dir: /srv/${NAME}/data\nplugins: {post: {server: 'smtp.${NAME}'}}",
        plugins=[Post],
        environ={"SECRET": "s3cret", "NAME": "faro"},
    )
    assert found.password == "s3cret"
    assert found.data_dir == Path("/srv/faro/data")
    assert found.plugin_settings == {"post": PostSettings(server="smtp.faro")}


def test_hubs_cannot_read_the_environment(tmp_path: Path) -> None:
    hub = HUB.replace("title: Transparency", "title: ${SECRET}")
    inline = INLINE.replace("title: Transparency", 'title: "${SECRET}"').replace("#t", "#u").replace("id: t", "id: u")
    config = loaded(tmp_path, f"include: hubs/*.yaml\n{inline}", environ={"SECRET": "s3cret"}, hub_a=hub).config
    assert [hub.title for hub in config.hubs] == [{"": "${SECRET}"}, {"": "${SECRET}"}]


def test_a_secret_is_read_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken\n", encoding="utf-8")
    found = loaded(tmp_path, "access_token_file: token")
    assert (found.password, found.token) == (None, "t0ken")


def test_without_a_secret_in_yaml_the_environment_is_asked(tmp_path: Path) -> None:
    assert loaded(tmp_path, "", environ={"FARO_PASSWORD": "a"}).password == "a"
    assert loaded(tmp_path, "", environ={"FARO_ACCESS_TOKEN": "b"}).token == "b"
    assert loaded(tmp_path, "password: c", environ={"FARO_ACCESS_TOKEN": "b"}).token is None
    assert loaded(tmp_path, "").password is None


def test_commands_that_do_not_log_in_need_no_secret(tmp_path: Path) -> None:
    assert loaded(tmp_path, "password: ${SECRET}", secrets=False).password is None
    assert loaded(tmp_path, "password_file: missing", secrets=False).password is None


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    assert "s3cret" not in repr(loaded(tmp_path, "password: s3cret"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("password_file: missing", "config.yaml:3:16: password_file: the file 'missing' cannot be read: there is no such file"),
        ("password_file: hubs", "config.yaml:3:16: password_file: the file 'hubs' cannot be read: it is a folder"),
        ("password_file: empty.yaml", "config.yaml:3:16: password_file: the file 'empty.yaml' is empty"),
        ('password_file: "\\0"', "config.yaml:3:16: password_file: the file '\0' cannot be read: embedded null byte"),
        ("password: a\npassword_file: b", "config.yaml:4:1: password_file: 'password' is also set (line 3); keep only one of them"),
        ("access_token: [a]", "config.yaml:3:15: access_token: expected a single text, not a list or 'name: value' lines"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_secret_is_told(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in problems(tmp_path, text, empty="\n")


# What else can be wrong


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("data_dir: ${NOPE}", "config.yaml:3:11: data_dir: the environment variable NOPE is not set; set it, or write the value here"),
        ("include: no/*.yaml", "config.yaml:3:10: include: no file in FOLDER matches 'no/*.yaml'"),
        ('include: "\\0"', "config.yaml:3:10: include: no file in FOLDER matches '\x00'"),
        ("hubs: transparency", "config.yaml:3:7: hubs: expected a list of hubs, each starting with '- '"),
        ("hubs:", "config.yaml:3:6: hubs: expected a list of hubs, each starting with '- '"),
        ("plugins: [wishes]", "config.yaml:3:10: plugins: expected plugins as 'name: settings' lines"),
        ("plugins: {nothing: {}}", "config.yaml:3:11: plugins.nothing: unknown key; allowed here: wishes"),
        ("prefix: a", ("config.yaml:3:9: prefix: 'a' is not a valid command prefix; use one to three symbols, such as "
"'!' or '?'")),
        ("operators: '@a:b'", "config.yaml:3:12: operators: expected a list: one '- …' line per item, or [a, b]"),
        ("operators: ['@a:b', ]\ninvites: {allow: [a b]}", "config.yaml:4:19: invites.allow[0]: 'a b' is neither a user ('@ana:example.org') nor a server ('example.org')"),
        ("display_name:", "config.yaml:3:14: display_name: missing value; add one, or remove the line"),
        ("plugin_dirs: [{a: b}]", "config.yaml:3:15: plugin_dirs[0]: expected a single text, not a list or 'name: value' lines"),
        ("hubs: [{id: a, title: A, rooms: [{id: '!a', create: true}]}]", ("config.yaml:3:53: hubs[0].rooms[0].create: a room with 'create: true' needs an 'alias'; the "
"server assigns its id")),
        ("hubs: [{id: a, title: A, rooms: [{id: '!a'}], topics: [{id: x, title: X}, {id: x, title: Y}]}]", "config.yaml:3:80: hubs[0].topics[1].id: there is already a topic 'x': FOLDER/config.yaml:3"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(tmp_path, text) == [problem.replace("FOLDER", str(tmp_path))]


@pytest.mark.parametrize("url", ["matrix.example.org", "matrix.example.org:8448"])
def test_a_homeserver_without_its_scheme_gets_a_suggestion(tmp_path: Path, url: str) -> None:
    write(tmp_path, config=MINIMAL.replace("https://matrix.example.org", url))
    with pytest.raises(ConfigError, match=f"did you mean 'https://{url}'"):
        load(tmp_path / "config.yaml", [], {})


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a", "", "hubs/a.yaml:1:1: the file is empty"),
        ("a", "- id: a", "hubs/a.yaml:1:1: expected settings as 'name: value' lines"),
        (
            "a",
            "hubs: []\nid: a\ntitle: A\nrooms: [{id: '!a'}]",
            "hubs/a.yaml:1:1: hubs: unknown key; allowed here: " + ", ".join(sorted([*Hub.model_fields, "wishes"])),
        ),
    ],
)
def test_an_included_file_is_one_hub(tmp_path: Path, name: str, text: str, problem: str) -> None:
    assert problems(tmp_path, "include: hubs/*.yaml", hub_a=text) == [problem]


def test_the_file_of_a_hub_is_not_taken_for_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "risks.yaml").write_text(HUB)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "risks.yaml", (), {})
    assert str(caught.value) == (
        f"{tmp_path}/risks.yaml:1:1: this looks like a hub's own file; check the config.yaml that includes it"
    )


def test_a_configuration_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "no.yaml", "there is no such file"), (tmp_path, "it is a folder")):
        with pytest.raises(ConfigError, match=reason):
            load(path, [], {})


def test_an_empty_configuration_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.yaml:1:1: the file is empty"):
        load(write(tmp_path, config="# nothing yet\n"), [], {})


def test_a_long_wrong_value_is_shown_in_part(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, f"log: {{level: {'x' * 10_000}}}")
    assert len(problem) < 300


# Looking for plugins before they are known


def test_the_folders_of_plugins_are_found_whatever_else_is_wrong(tmp_path: Path) -> None:
    path = write(tmp_path, config="plugin_dirs: [mine, /opt/theirs]\nuser: 1\nuser: 2\n")
    assert peek(path) == [tmp_path / "mine", Path("/opt/theirs")]
    assert peek(write(tmp_path, config="plugin_dirs: ['${MINE}/x']"), {"MINE": "/opt"}) == [Path("/opt/x")]
    assert peek(write(tmp_path, config="plugin_dirs: mine")) == []
    assert peek(write(tmp_path, config="- plugin_dirs")) == []
    assert peek(write(tmp_path, config="a: [")) == []
    assert peek(tmp_path / "missing.yaml") == []


# Anything


KEYS = st.sampled_from(["homeserver", "user", "hubs", "rooms", "plugins", "include", "password_file", "id", "log"])
TREES = st.recursive(
    st.none() | st.text(max_size=8) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(tree=TREES)
def test_any_yaml_is_a_configuration_or_a_config_error(tmp_path: Path, tree: object) -> None:
    path = write(tmp_path, config=yaml.safe_dump(tree, allow_unicode=True), hub_a=yaml.safe_dump(tree))
    for text in (path.read_text(encoding="utf-8"), f"{MINIMAL}include: hubs/*.yaml"):
        path.write_text(text, encoding="utf-8")
        peek(path)
        with suppress(ConfigError):
            load(path, [Wishes], {})


# The example


def test_the_example_is_valid_without_anything_else(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    config = load(root / "config.example.yaml", find().plugins, {}).config
    assert [len(hub.coordinators) for hub in config.hubs] == [8, 8]
    assert sum(len(getattr(hub, "resources", ())) for hub in config.hubs) == 5


def test_a_restricted_hub_names_hubs_that_are_there(tmp_path: Path) -> None:
    hubs = [
        "{id: a, title: A, visibility: restricted, visible_to: [b, bb], rooms: [{id: '!a:x'}]}",
        "{id: b, title: B, visible_to: [a], rooms: [{id: '!b:x'}]}",
        "{id: c, title: C, visibility: restricted, rooms: [{id: '!c:x'}]}",
    ]
    lines = "".join(f"  - {hub}\n" for hub in hubs)
    told = "\n".join(problems(tmp_path, f"hubs:\n{lines}"))
    assert "hubs[0].visible_to[1]: there is no hub 'bb'; known hubs: a, b, c" in told
    assert "hubs[1].visible_to: 'visible_to' only applies with 'visibility: restricted'" in told
    assert "hubs[2].visibility: a restricted hub needs 'visible_to'" in told
