"""`faro demo` and `faro console`: a community to try the bot in, and a chat in the terminal to talk to it."""
