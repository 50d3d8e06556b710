"""The entries that are searched, built from what was said and rebuilt when it changes."""
