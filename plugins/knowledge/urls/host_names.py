"""Validates and normalises host names."""

from __future__ import annotations

import re

from yarl import URL

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def host_name(text: str) -> str:
    """A host name in lower case and IDNA, without a trailing dot. Empty if the text is not a valid one: it would match
    nothing in a list of hosts, so settings refuse it."""
    try:
        encoded = URL.build(scheme="http", host=text).raw_host or ""
    except ValueError:  # UnicodeError is one
        return ""
    name = encoded.lower().removesuffix(".")
    return name if len(name) <= 253 and all(map(_LABEL.fullmatch, name.split("."))) else ""
