"""Built-in features. Each uses `bot.api` and no other door."""
