"""`python -m bot.i18n` brings the catalogues of core and built-in plugins up to date with the code.

`python -m bot.i18n FOLDER…` does it for plugins elsewhere. With `--check` nothing is written, and the exit
code is 1 if a catalogue is out of date. What is left to translate has an empty `msgstr` or is marked `fuzzy`.
"""

from __future__ import annotations

from pathlib import Path

import click

from bot.i18n.catalog import po_file
from bot.i18n.extract import NotLiteral
from bot.i18n.update import TRANSLATED, load, out_of_date, owners, untranslated


@click.command(help=__doc__)
@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if something is out of date.")
def main(folders: tuple[Path, ...], check: bool) -> None:
    chosen = {folder.name: folder.resolve() for folder in folders} or owners()
    try:
        stale = out_of_date(chosen)
    except NotLiteral as error:
        raise click.ClickException(str(error)) from None
    for file, text in stale.items():
        if not check:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        click.echo(f"{file}: {'out of date' if check else 'updated'}")
    for folder in chosen.values():
        for language in TRANSLATED:
            file = po_file(folder, language)
            if left := len(untranslated(load(file, language))):
                click.echo(f"{file}: {left} left to translate")
    if check and stale:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
