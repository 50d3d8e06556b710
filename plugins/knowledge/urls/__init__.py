"""Web addresses: when two are the same page, and how one is shown to readers."""
