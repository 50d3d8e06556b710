"""Sentences in the reader's language."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.texts import Text
from bot.i18n.catalog import Catalogs, fill
from bot.ports import Translations, Translator

PO = r"""
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\n"

msgid "Hello {name}"
msgstr "Bonjour {name}"

msgid "{count} link"
msgid_plural "{count} links"
msgstr[0] "{count} lien"
msgstr[1] "{count} liens"

msgid "missing {a}"
msgstr "manque {b}"

msgid "steal {a}"
msgstr "vol {a.__class__}"

msgid "item {a}"
msgstr "chose {a[0]}"

msgid "broken {a}"
msgstr "cassé {a"

msgid "not yet"
msgstr ""

#, fuzzy
msgid "guessed"
msgstr "deviné"
"""


@pytest.fixture
def french(tmp_path: Path) -> Translator:
    (tmp_path / "locales").mkdir()
    (tmp_path / "locales" / "fr.po").write_text(PO, encoding="utf-8")
    translations: Translations = Catalogs({"wishes": tmp_path})
    return translations.translator("wishes", "fr")


def test_a_sentence_is_translated_and_filled(french: Translator) -> None:
    assert french.language == "fr"
    assert french.t("Hello {name}", name="Ana {x}") == "Bonjour Ana {x}"


def test_a_text_inside_a_text_is_translated_first(french: Translator) -> None:
    assert french.t(Text("Hello {name}", name=Text("Hello {name}", name=1))) == "Bonjour Bonjour 1"


@pytest.mark.parametrize(("count", "said"), [(0, "0 lien"), (1, "1 lien"), (2, "2 liens")])
def test_the_catalogue_decides_what_is_plural(french: Translator, count: int, said: str) -> None:
    """In French, none is singular."""
    assert french.n("{count} link", "{count} links", count) == said


def test_english_has_its_own_plural() -> None:
    english = Catalogs({}).translator("core", "en")
    assert [english.n("{count} link", "{count} links", count) for count in (0, 1)] == ["0 links", "1 link"]


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("missing {a}", "missing 7"),
        ("steal {a}", "steal 7"),
        ("item {a}", "item 7"),
        ("broken {a}", "broken 7"),
    ],
)
def test_a_broken_translation_is_replaced_by_english(french: Translator, template: str, said: str) -> None:
    assert french.t(template, a=7) == said


@pytest.mark.parametrize("template", ["not yet", "guessed", "never heard", "", "{", "{x}", "{0.real}"])
def test_without_a_translation_the_template_stays(french: Translator, template: str) -> None:
    assert french.t(template) == template


def test_a_plugin_falls_back_to_the_core(french: Translator) -> None:
    template = "Missing: <{name}>."
    core = Catalogs({}).translator("core", "fr")
    assert french.t(template, name="x") == core.t(template, name="x") != "Missing: <x>."


def test_everybodys_sentences_are_those_of_the_core_and_of_every_plugin(tmp_path: Path) -> None:
    for name, said in (("one", "un"), ("two", "deux")):
        (tmp_path / name / "locales").mkdir(parents=True)
        (tmp_path / name / "locales" / "fr.po").write_text(f'msgid "{name}"\nmsgstr "{said}"\n', encoding="utf-8")
    words = Catalogs({name: tmp_path / name for name in ("one", "two")}).all_owners("fr-CA")
    assert [words.t("one"), words.t("two"), words.t("PROBLEM"), words.t("three")] == ["un", "deux", "PROBLÈME", "three"]


@pytest.mark.parametrize(
    ("asked", "spoken"), [("de", "en"), ("", "en"), ("es-MX", "es"), ("pt_BR", "pt"), ("../x", "en")]
)
def test_a_language_is_found_by_its_first_part_or_is_english(asked: str, spoken: str) -> None:
    assert Catalogs({}).translator("core", asked).language == spoken


def test_a_plugin_without_catalogues_speaks_english(tmp_path: Path) -> None:
    assert Catalogs({"wishes": tmp_path}).translator("wishes", "es").t("Hello") == "Hello"
    assert Catalogs({}).translator("unknown", "es").t("Hello") == "Hello"


@pytest.mark.parametrize("content", [b"\xff\xfe", b'msgid "a', b'msgstr "b"\nnonsense', b""])
def test_a_catalogue_that_cannot_be_read_means_english(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "locales").mkdir()
    (tmp_path / "locales" / "es.po").write_bytes(content)
    assert Catalogs({"wishes": tmp_path}).translator("wishes", "es").t("a") == "a"


@given(st.text(alphabet="{}:!.[]a0 é"), st.integers())
def test_filling_refuses_or_fills_and_never_looks_inside(template: str, a: int) -> None:
    try:
        filled = fill(template, {"a": a})
    except (KeyError, ValueError):
        return
    assert filled == template.format(a=a)
