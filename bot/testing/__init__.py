"""What we ship for tests: fakes, a story told to the real hallway, a real homeserver."""
