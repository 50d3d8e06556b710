"""Catalogues are kept up to date with the code by `python -m bot.i18n`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.i18n.__main__ import main
from bot.i18n.extract import NotLiteral, Sentence, sentences

CODE = '''
@command("wish", help="Add a " "wish.", aliases={"es": "deseo"}, examples=("wish a printer",))
async def add(self, ctx, number: int, *, text_: str, topic: str | None = None):
    """Not for translation."""
    raise UserError(ctx.t("Full ({count}).", count=1))

t = ctx.translator("es").t
t("Hi"); ctx.n("{count} wish", "{count} wishes", 3); Text("Later"); invalid("No {x}", x=1)
t(variable); other("no")
'''


def test_every_sentence_for_people_is_found(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text(CODE, encoding="utf-8")
    assert sentences([file]) == {
        Sentence("Add a wish."), Sentence("wish a printer"), Sentence("number"), Sentence("text"),
        Sentence("Full ({count})."), Sentence("Hi"),
        Sentence("{count} wish", "{count} wishes"), Sentence("Later"), Sentence("No {x}"),
    }  # fmt: skip


@pytest.mark.parametrize("code", ['ctx.t(f"Hi {name}")', 'Text("a" + b)', 'n("%s" % a, "b", 2)'])
def test_a_template_that_no_translator_can_see_is_an_error(tmp_path: Path, code: str) -> None:
    file = tmp_path / "x.py"
    file.write_text(f"\n{code}", encoding="utf-8")
    with pytest.raises(NotLiteral, match=r"x\.py:2: "):
        sentences([file])


def test_catalogues_follow_the_code(tmp_path: Path) -> None:
    """New sentences come in empty, changed ones as a fuzzy guess; the same code gives the same file."""
    code, catalogue = tmp_path / "x.py", tmp_path / "locales" / "es.po"
    code.write_text('t("The wish list is full.")', encoding="utf-8")
    run = CliRunner().invoke

    assert run(main, [str(tmp_path), "--check"]).exit_code == 1
    assert not catalogue.exists()
    assert run(main, [str(tmp_path)]).exit_code == 0
    written = catalogue.read_text(encoding="utf-8")
    assert 'msgid "The wish list is full."\nmsgstr ""\n' in written
    assert "1 left to translate" in run(main, [str(tmp_path), "--check"]).output
    assert run(main, [str(tmp_path), "--check"]).exit_code == 0

    catalogue.write_text(written.replace('full."\nmsgstr ""', 'full."\nmsgstr "Llena."'), encoding="utf-8")
    assert "es.po" not in run(main, [str(tmp_path), "--check"]).output
    code.write_text('t("The wish list is very full.")', encoding="utf-8")
    assert run(main, [str(tmp_path), "--check"]).exit_code == 1
    run(main, [str(tmp_path)])
    assert '#, fuzzy\nmsgid "The wish list is very full."\nmsgstr "Llena."' in catalogue.read_text(encoding="utf-8")
