"""Starts Faro: `faro`, `python -m faro_bot`.

Faro's packages are called `bot` and `plugins`, and so may be another project's. Installed from a wheel they lie in a
folder of their own, `_faro_bot`, which this module puts in front of everything else that could be imported. In a source
checkout there is no such folder, and the packages are found as usual.
"""

import sys
from pathlib import Path

PRIVATE = Path(__file__).with_name("_faro_bot")


def main() -> None:
    if PRIVATE.is_dir():
        sys.path.insert(0, str(PRIVATE))
    from bot.cli.main import main as faro  # only now it is sure whose `bot` this is

    faro()


if __name__ == "__main__":
    main()
