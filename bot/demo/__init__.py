"""`faro demo`: a community to try the bot in; and a chat in the terminal to talk to it, also for `faro console`."""
