"""`python -m bot` is `faro`."""

from bot.cli import main

main()
