"""Faro: the program. It knows hubs, rooms, commands and time, and no feature; features live in `plugins/`."""

__version__ = "0.1.0"
