"""Sharing labels: TLP 2.0 (FIRST). What is marked red is never stored."""

from __future__ import annotations

CLEAR, GREEN, AMBER = 0, 1, 2
LABELS = ("clear", "green", "amber")
