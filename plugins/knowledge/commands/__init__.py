"""The chat commands that search, correct, join and undo."""
