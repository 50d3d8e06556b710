"""Every sentence people read exists in every language, and says the same with the same blanks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from bot.i18n.catalog import fill, po_file
from bot.i18n.update import TRANSLATED, forms, load, out_of_date, owners, untranslated

OWNERS = owners()
CATALOGUES = [
    pytest.param(owner, language, id=f"{owner}-{language}")
    for owner in OWNERS
    for language in TRANSLATED
    if po_file(OWNERS[owner], language).is_file()
]
FIX = "run `python -m bot.i18n`, then fill what is empty or marked fuzzy"


def pairs(owner: str, language: str) -> Iterator[tuple[str, str]]:
    """English and translation of every sentence; of the plural forms, each with the English plural."""
    for message in load(po_file(OWNERS[owner], language), language):
        if message.id:
            english, said = forms(message.id), forms(message.string)
            yield from ((english[min(index, len(english) - 1)], text) for index, text in enumerate(said) if text)


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"(?<!\{)\{([^{}]*)\}", text))


@pytest.mark.parametrize("owner", OWNERS)
def test_catalogues_are_up_to_date_with_the_code(owner: str) -> None:
    assert not [str(file) for file in out_of_date({owner: OWNERS[owner]})], FIX


@pytest.mark.parametrize(("owner", "language"), CATALOGUES)
def test_nothing_is_missing_or_guessed(owner: str, language: str) -> None:
    assert not untranslated(load(po_file(OWNERS[owner], language), language)), FIX


@pytest.mark.parametrize(("owner", "language"), CATALOGUES)
def test_translations_have_the_blanks_of_the_english(owner: str, language: str) -> None:
    """A singular may leave out its number; nothing else may."""
    differ = [
        (english, said)
        for english, said in pairs(owner, language)
        if placeholders(said) != placeholders(english) and placeholders(said) | {"count"} != placeholders(english)
    ]
    assert not differ


@pytest.mark.parametrize(("owner", "language"), CATALOGUES)
def test_blanks_are_plain_names(owner: str, language: str) -> None:
    """`fill` looks at nothing but names."""
    for texts in pairs(owner, language):
        for text in texts:
            fill(text, dict.fromkeys(placeholders(text), "x"))


@pytest.mark.parametrize(("owner", "language"), CATALOGUES)
def test_translations_begin_and_end_with_the_same_white_space(owner: str, language: str) -> None:
    ends = re.compile(r"^(\s*).*?(\s*)$", re.DOTALL)
    differ = []
    for english, said in pairs(owner, language):
        expected, found = ends.match(english), ends.match(said)
        if expected and found and expected.groups() != found.groups():
            differ.append((english, said))
    assert not differ


@pytest.mark.parametrize(("owner", "language"), CATALOGUES)
def test_translations_keep_the_code_between_backticks_balanced(owner: str, language: str) -> None:
    assert not [(english, said) for english, said in pairs(owner, language) if english.count("`") != said.count("`")]


def test_every_owner_and_language_is_looked_at() -> None:
    assert {"core", "help", "people"} <= set(OWNERS)
    assert {"core-es", "help-fr", "people-pt"} <= {str(each.id) for each in CATALOGUES}
