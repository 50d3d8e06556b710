"""Who and what the demo is about: its accounts and rooms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """`name` is the local part of the Matrix id. The password guards nothing: all of it is on this machine only."""

    name: str
    display_name: str
    coordinates: bool = False

    @property
    def password(self) -> str:
        return f"{self.name}-demo"


@dataclass(frozen=True, slots=True)
class DemoRoom:
    """`name` is the local part of the room's alias."""

    name: str
    title: str
    members: tuple[Account, ...]


BOT = Account("faro", "Faro")
ANA = Account("ana", "Ana Morales", coordinates=True)  # writes Spanish
GRACE = Account("grace", "Grace Campbell", coordinates=True)  # writes English
DIEGO = Account("diego", "Diego Paredes")
PEOPLE = (ANA, GRACE, DIEGO)

ROOMS = (
    DemoRoom("transparency", "Transparencia y comunicación para la integridad", PEOPLE),
    DemoRoom("transparency-coordinators", "Transparencia: coordinación", (ANA, GRACE)),
    DemoRoom("risks", "Corruption risks in procedures and automation", PEOPLE),
    DemoRoom("risks-coordinators", "Corruption risks: coordinators", (ANA, GRACE)),
)
"""The rooms of the hubs in `templates/`."""

HISTORY = (
    (GRACE, "risks", "Our risk map of import procedures follows this: https://tfig.unece.org/contents/integrity.htm"),
    (
        DIEGO,
        "transparency",
        "Boletín de integridad: https://www.wcoomd.org/es-es/topics/integrity/resources/newsletter.aspx",
    ),
)
"""Links people shared before the demo begins."""
