"""What somebody may have meant who wrote a time zone that is none: an offset, an abbreviation, a city, a country."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from difflib import get_close_matches

# One well-known place for each difference to UTC, in the part of the world this bot comes from.
_AT_OFFSET = {
    -10: "Pacific/Honolulu", -9: "America/Anchorage", -8: "America/Tijuana", -7: "America/Phoenix",
    -6: "America/Guatemala", -5: "America/Jamaica", -4: "America/Guyana", -3: "America/Argentina/Buenos_Aires",
    -2: "America/Noronha", -1: "Atlantic/Azores", 0: "UTC", 1: "Europe/Brussels", 2: "Africa/Johannesburg",
    3: "Africa/Nairobi", 4: "Asia/Dubai", 5: "Asia/Karachi", 6: "Asia/Dhaka", 7: "Asia/Bangkok",
    8: "Asia/Singapore", 9: "Asia/Tokyo", 10: "Australia/Brisbane", 11: "Pacific/Noumea", 12: "Pacific/Auckland",
}  # fmt: skip
_ABBREVIATIONS = {
    "est": "America/New_York", "edt": "America/New_York", "est5edt": "America/New_York", "et": "America/New_York",
    "cst": "America/Guatemala", "cdt": "America/Chicago", "cst6cdt": "America/Chicago", "ct": "America/Chicago",
    "mst": "America/Phoenix", "mdt": "America/Denver", "mst7mdt": "America/Denver", "mt": "America/Denver",
    "pst": "America/Los_Angeles", "pdt": "America/Los_Angeles", "pst8pdt": "America/Los_Angeles",
    "pt": "America/Los_Angeles", "ast": "America/Antigua", "adt": "America/Halifax", "ect": "America/Guayaquil",
    "gyt": "America/Guyana", "art": "America/Argentina/Buenos_Aires", "brt": "America/Sao_Paulo",
    "gmt": "Europe/London", "bst": "Europe/London", "wet": "Europe/Lisbon", "cet": "Europe/Brussels",
    "cest": "Europe/Brussels", "met": "Europe/Brussels", "eet": "Europe/Athens",
    "z": "UTC", "utc": "UTC", "uct": "UTC", "zulu": "UTC", "universal": "UTC", "greenwich": "UTC",
}  # fmt: skip
# Capitals and countries whose zone has another name; the rest is found among the zones' own cities.
_PLACES = {
    "antigua_and_barbuda": "America/Antigua", "saint_johns": "America/Antigua", "st._johns": "America/Antigua",
    "ecuador": "America/Guayaquil", "quito": "America/Guayaquil", "san_salvador": "America/El_Salvador",
    "guatemala_city": "America/Guatemala", "ciudad_de_guatemala": "America/Guatemala",
    "georgetown": "America/Guyana", "honduras": "America/Tegucigalpa", "kingston": "America/Jamaica",
    "mexico": "America/Mexico_City", "ciudad_de_mexico": "America/Mexico_City", "cdmx": "America/Mexico_City",
    "brazil": "America/Sao_Paulo", "brasil": "America/Sao_Paulo", "brasilia": "America/Sao_Paulo",
    "argentina": "America/Argentina/Buenos_Aires", "uruguay": "America/Montevideo", "chile": "America/Santiago",
    "peru": "America/Lima", "colombia": "America/Bogota", "washington": "America/New_York",
    "canada": "America/Toronto", "ottawa": "America/Toronto", "geneva": "Europe/Zurich", "spain": "Europe/Madrid",
    "portugal": "Europe/Lisbon", "cuba": "America/Havana", "france": "Europe/Paris", "belgium": "Europe/Brussels",
}  # fmt: skip
_OFFSET = re.compile(r"(etc/)?(?:utc|gmt)?([+-])0?(\d{1,2})(?::?\d\d)?")


def suggest(name: str, known: Collection[str]) -> str | None:
    """The zone of `known` that comes closest to what was written, or None."""
    wanted = _folded(name)
    if match := _OFFSET.fullmatch(wanted.replace("_", "")):
        west = (match[2] == "-") != bool(match[1])  # POSIX turned the sign round: Etc/GMT+5 is behind UTC
        return _AT_OFFSET.get(-int(match[3]) if west else int(match[3]))
    if meant := _ABBREVIATIONS.get(wanted) or _PLACES.get(wanted.replace("'", "")):
        return meant
    by_name = {zone.lower(): zone for zone in sorted(known) if "/" in zone}
    if wanted in by_name:
        return by_name[wanted]
    by_city: dict[str, str] = {}
    for lower, zone in by_name.items():
        by_city.setdefault(lower.rpartition("/")[2], zone)
    city = wanted.rpartition("/")[2]
    if meant := by_city.get(city) or _PLACES.get(city.replace("'", "")):
        return meant
    if close := get_close_matches(wanted, by_name, n=1, cutoff=0.75):
        return by_name[close[0]]
    close = get_close_matches(city, by_city, n=1, cutoff=0.8)
    return by_city[close[0]] if close else None


def _folded(name: str) -> str:
    """Lower case, without accents, one underscore between words, any dash an ASCII one."""
    plain = unicodedata.normalize("NFKD", name.strip().lower().replace("−", "-").replace("–", "-").replace("&", "and"))
    return re.sub(r"\s+", "_", "".join(char for char in plain if not unicodedata.combining(char)))
