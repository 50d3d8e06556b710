"""What we ship for tests: fakes, a story told to the real pipeline, a real homeserver."""
