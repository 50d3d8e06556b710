"""`python -m bot` is `faro`."""

from bot.cli.main import main

main()
