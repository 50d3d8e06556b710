"""Faro: the program. It knows hubs, rooms, commands and time, and no feature; features live in `plugins/`."""

import zoneinfo

# Before anything of the program asks for a zone: every machine agrees, because zones come from the tzdata package and
# never from the system.
zoneinfo.reset_tzpath(to=[])

__version__ = "0.1.0"
