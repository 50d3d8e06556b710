"""The scenes of `faro demo --script`: a morning of two hubs of customs administrations."""

from __future__ import annotations

from bot.demo.script import Scene, Step

SURVEY = "https://mag.wcoomd.org/magazine/wco-news-104-issue-2-2024/cips-salvador-mozambique"
ARGENTINA = (
    "https://www.collective-action.com/news/macn-argentina-achieves-milestone-corruption-prevention-ship-clearance"
)
WRONG, RIGHT = "https://www.iadb.org/es/regalos-2019", "https://www.iadb.org/es/regalos-2026"

SCENES = (
    Scene(
        "Buscar en español",
        (
            Step("ana", "transparency", f"Así usó El Salvador la encuesta de percepción de integridad: {SURVEY}"),
            Step("ana", "transparency", "!buscar encuesta percepción", answer=(SURVEY, "ana", "encuesta")),
        ),
    ),
    Scene(
        "Find in English",
        (
            Step("grace", "transparency", "!language en", answer=("English",)),
            Step("grace", "transparency", "Faro: find perception survey", answer=("cips-tailoring-messages",)),
            Step("grace", "risks", "!find ship clearance", answer=("Argentina", ARGENTINA), mark="question"),
        ),
    ),
    Scene(
        "What stays in its hub",
        (Step("grace", "risks", "!find encuesta", answer=("Nothing found",), without=(SURVEY,)),),
    ),
    Scene(
        "Correct a link, remove a link",
        (
            Step("diego", "transparency", f"La guía de regalos e invitaciones: {WRONG}", mark="guide"),
            Step("diego", "transparency", f"La guía de regalos e invitaciones: {RIGHT}", does="edit", mark="guide"),
            Step("diego", "transparency", "!buscar regalos", answer=(RIGHT,), without=(WRONG,), mark="question"),
            Step("diego", "transparency", does="remove", mark="guide"),
            Step("grace", "transparency", "!find regalos", answer=("Nothing found",), without=(RIGHT,)),
        ),
    ),
    Scene(
        "Correct a question",
        (
            Step("grace", "risks", "!show 33", answer=("33",), mark="slip"),
            Step("grace", "risks", "!show 3", does="edit", answer=(ARGENTINA,), kind="edited", mark="slip"),
        ),
    ),
    Scene(
        "Help",
        (
            Step("diego", "direct", "help find", answer=("find",)),
            Step("ana", "transparency", "!ayuda", answer=("!buscar",)),
        ),
    ),
    Scene(
        "Meetings",
        (
            Step("grace", "transparency", "!meetings", answer=("Coordinators' meeting",)),
            Step(
                "ana",
                "transparency-coordinators",
                does="wait",
                answer=("Reunión de coordinación", "https://meet.example.org/transparency"),
                within=60,
            ),
        ),
    ),
)
