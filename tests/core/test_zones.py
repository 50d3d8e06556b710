"""Who writes an offset, an abbreviation, a city or a typing error is told which zone they may have meant."""

from __future__ import annotations

import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import zones
from bot.core.zones import suggest

KNOWN = zoneinfo.available_timezones()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("UTC-5", "America/Jamaica"),
        ("UTC−05:00", "America/Jamaica"),
        ("GMT-6", "America/Guatemala"),
        ("-03:00", "America/Argentina/Buenos_Aires"),
        ("Etc/GMT+4", "America/Guyana"),
        ("UTC+0", "UTC"),
        ("utc", "UTC"),
        ("EST", "America/New_York"),
        ("cst", "America/Guatemala"),
        ("america/new_york", "America/New_York"),
        ("America/New York", "America/New_York"),
        ("Kingston", "America/Jamaica"),
        ("America/Kingston", "America/Jamaica"),
        ("Jamaica", "America/Jamaica"),
        ("Quito", "America/Guayaquil"),
        ("San Salvador", "America/El_Salvador"),
        ("St. John's", "America/Antigua"),
        ("México", "America/Mexico_City"),
        ("Antigua & Barbuda", "America/Antigua"),
        ("America/Guatamala", "America/Guatemala"),
        ("Tegucigalpa", "America/Tegucigalpa"),
        ("nowhere at all", None),
        ("", None),
    ],
)
def test_the_nearest_zone_is_suggested(written: str, meant: str | None) -> None:
    assert suggest(written, KNOWN) == meant


def test_every_zone_that_can_be_suggested_exists() -> None:
    tables = (zones._AT_OFFSET, zones._ABBREVIATIONS, zones._PLACES)
    assert {zone for table in tables for zone in table.values()} <= KNOWN


@given(st.text())
def test_any_text_gets_a_known_zone_or_none(text: str) -> None:
    assert suggest(text, KNOWN) in (*KNOWN, None)
