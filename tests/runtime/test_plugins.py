"""Plugins are found wherever they may be; a broken one is named and left out, the rest runs."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from bot.api import Context, Plugin, Redaction, Reply, Settings, command, fallback, listen
from bot.core.commands import Takes
from bot.runtime.plugins import bind, find

WISHES = """
from bot.api import Context, Plugin, Reply, Settings, command

class Wishes(Plugin[Settings]):
    name = "wishes"

    @command("wish", help="Add a wish.")
    async def add(self, ctx: Context, *, text: str) -> Reply:
        return Reply(text)
"""


def put(folder: Path, name: str, source: str) -> None:
    (folder / name).write_text(dedent(source), encoding="utf-8")


def test_a_module_and_a_package_in_a_folder_are_plugins(tmp_path: Path) -> None:
    put(tmp_path, "wishes.py", WISHES)
    (tmp_path / "more").mkdir()
    put(tmp_path / "more", "__init__.py", WISHES.replace("wish", "dream").replace("Wishes", "Dreams"))
    names = [plugin.name for plugin in find([tmp_path]).plugins]
    assert names[-2:] == ["dreames", "wishes"]


def test_broken_plugins_are_named_with_the_reason_and_the_others_run(tmp_path: Path) -> None:
    put(tmp_path, "a_syntax.py", "def (")
    put(tmp_path, "b_import.py", "import nowhere_at_all")
    put(tmp_path, "c_empty.py", "x = 1")
    put(tmp_path, "d_raise.py", "raise RuntimeError('no')")
    put(tmp_path, "e_exit.py", "raise SystemExit(0)")
    put(tmp_path, "wishes.py", WISHES)
    found = find([tmp_path, tmp_path / "missing"])
    assert {broken.name: broken.reason.split(":")[0] for broken in found.broken} == {
        "a_syntax": "SyntaxError",
        "b_import": "ModuleNotFoundError",
        "c_empty": "PluginError",
        "d_raise": "RuntimeError",
        "e_exit": "SystemExit",
        str(tmp_path / "missing"): "PluginError",
    }
    assert found.plugins[-1].name == "wishes"


@pytest.mark.parametrize("kind", ["hub", "room"])
def test_a_plugin_cannot_take_over_a_setting_of_the_core(tmp_path: Path, kind: str) -> None:
    of_its_own = (
        f"class Own(Settings):\n    title: int = 1\n\nclass Wishes(Plugin[Settings]):\n    {kind}_settings = Own"
    )
    put(tmp_path, "wishes.py", dedent(WISHES).replace("class Wishes(Plugin[Settings]):", of_its_own))
    (broken,) = find([tmp_path]).broken
    assert f"its setting 'title' of a {kind} is Faro's own" in broken.reason


def test_a_plugin_with_tables_must_be_able_to_forget(tmp_path: Path) -> None:
    package = tmp_path / "wishes"
    (package / "schema").mkdir(parents=True)
    put(package, "__init__.py", WISHES)
    (broken,) = find([tmp_path]).broken
    assert "forget" in broken.reason


class One(Plugin[Settings]):
    name = "one"

    @command("look", help="Look.", aliases={"es": "mirar"})
    async def look(
        self, ctx: Context, first: int, second: str = "", *, rest: str = "", from_: str | None = None
    ) -> Reply:
        return Reply("")


class Two(Plugin[Settings]):
    name = "two"

    @command("see", help="See.", aliases={"es": "mirar"})
    async def see(self, ctx: Context) -> Reply:
        return Reply("")


class Odd(Plugin[Settings]):
    name = "odd"

    @command("odd", help="Odd.")
    async def odd(self, ctx: Context, what: list[str]) -> Reply:
        return Reply("")


def test_a_command_is_described_by_its_signature() -> None:
    registry, _ = bind([One], {})
    spec = registry.vocabulary.specs[0]
    assert [(param.shown, param.takes, param.type, param.required) for param in spec.params] == [
        ("first", Takes.WORD, int, True),
        ("second", Takes.WORD, str, False),
        ("rest", Takes.REST, str, False),
        ("from", Takes.FILTER, str, False),
    ]
    assert spec.usage == "look <first> [second] [rest] [from:…]"


def test_a_plugin_whose_command_is_taken_is_left_out_and_says_by_whom() -> None:
    registry, (broken,) = bind([One, Two], {})
    assert list(registry.plugins) == ["one"]
    assert "'mirar' is already 'look' of the plugin 'one'" in broken.reason


class Talks(Plugin[Settings]):
    name = "talks"

    @fallback
    async def answer(self, ctx: Context, line: str) -> Reply:
        return Reply(line)


class TalksToo(Talks):
    name = "talks_too"


class TalksTwice(Talks):
    name = "talks_twice"

    @fallback
    async def answer_again(self, ctx: Context, line: str) -> Reply:
        return Reply(line)


def test_of_two_plugins_with_a_fallback_the_later_is_left_out_and_told_whose_there_is() -> None:
    registry, (broken,) = bind([One, Talks, TalksToo], {})
    assert list(registry.plugins) == ["one", "talks"]
    assert registry.fallback is not None
    assert registry.fallback[0] == "talks"
    assert broken.name == "talks_too"
    assert broken.reason.startswith("PluginError: there is a fallback already, of the plugin 'talks'")


def test_a_plugin_has_one_fallback_at_most() -> None:
    registry, (broken,) = bind([TalksTwice], {})
    assert registry.fallback is None
    assert "only one method can be it" in broken.reason


def test_a_parameter_of_a_type_nobody_can_write_is_a_fault_of_the_plugin() -> None:
    _, (broken,) = bind([Odd], {})
    assert "must be a str or an int" in broken.reason


class Loans:
    """A part of a plugin, with handlers of its own."""

    @command("lend", help="Lend.")
    async def lend(self, ctx: Context, *, title: str) -> Reply:
        return Reply(title)

    @listen(Redaction)
    async def withdraw(self, ctx: Context, event: Redaction) -> None:
        raise NotImplementedError


class Composed(One):
    name = "composed"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.handlers = (Loans(),)


def test_a_plugin_can_be_composed_of_objects_with_handlers() -> None:
    registry, broken = bind([Composed], {})
    assert broken == ()
    assert {spec.name: spec.owner for spec in registry.vocabulary.specs} == {"look": "composed", "lend": "composed"}
    assert [(owner, kinds) for owner, kinds, _ in registry.listeners] == [("composed", (Redaction,))]


def test_an_installed_plugin_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "faro_wishes.py", WISHES)
    (tmp_path / "faro_wishes-1.0.dist-info").mkdir()
    put(tmp_path / "faro_wishes-1.0.dist-info", "METADATA", "Metadata-Version: 2.1\nName: faro-wishes\nVersion: 1.0\n")
    put(tmp_path / "faro_wishes-1.0.dist-info", "entry_points.txt", "[faro.plugins]\nwishes = faro_wishes:Wishes\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "wishes" in [plugin.name for plugin in find().plugins]


def test_an_attribute_that_cannot_be_read_makes_no_plugin_a_broken_one() -> None:
    class Unreadable:
        def __get__(self, instance: object, owner: type) -> object:
            raise AttributeError("__provides__")

    class Odd(Plugin[Settings]):
        name = "odd"
        __provides__ = Unreadable()

        @command("odd", help="Answers.")
        async def odd(self, ctx: Context) -> Reply:
            return Reply("odd")

    registry, broken = bind([Odd], {})
    assert broken == ()
    assert [spec.name for spec in registry.vocabulary.specs] == ["odd"]
