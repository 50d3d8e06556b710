"""The plain words for how often a meeting repeats → a recurrence rule (RFC 5545).

    every day · every week · every 2 weeks on tuesday · every week on monday and thursday · every tuesday
    every month · first tuesday of the month · last friday of the month · every 3 months on the second wednesday
    every year

Spanish, French and Portuguese are understood as well ("primer martes del mes", "toutes les 2 semaines le mardi",
"última sexta-feira do mês"), with or without accents and capitals. What is left open comes from the first meeting:
"every week" is on its weekday, "every month" on its day of the month.
"""

from __future__ import annotations

import re
import unicodedata

from bot.api import invalid

LONGEST = 100  # characters; nobody says it longer

_WORDS = {
    "EVERY": "every each cada chaque tout toute toutes tous todo toda todos todas",
    "DAILY": "day days dia dias jour jours",
    "WEEKLY": "week weeks semana semanas semaine semaines",
    "MONTHLY": "month months mes meses mois",
    "YEARLY": "year years ano anos an ans annee annees",
    "MO": "monday mondays lunes lundi lundis segundas segundafeira segundasfeiras",
    "TU": "tuesday tuesdays martes mardi mardis terca tercas tercafeira tercasfeiras",
    "WE": "wednesday wednesdays miercoles mercredi mercredis quartas quartafeira quartasfeiras",
    "TH": "thursday thursdays jueves jeudi jeudis quintas quintafeira quintasfeiras",
    "FR": "friday fridays viernes vendredi vendredis sexta sextas sextafeira sextasfeiras",
    "SA": "saturday saturdays sabado sabados samedi samedis",
    "SU": "sunday sundays domingo domingos dimanche dimanches",
    "#1": "first 1st primer primero primera premier premiere primeiro primeira 1er 1ere 1o 1a",
    "#2": "second 2nd segundo deuxieme seconde 2e 2eme 2o 2a",
    "#3": "third 3rd tercer tercero tercera troisieme terceiro terceira 3e 3eme 3er 3o 3a",
    "#4": "fourth 4th cuarto cuarta quatrieme quarto 4e 4eme 4o 4a",
    "#5": "fifth 5th quinto cinquieme 5e 5eme 5o 5a",
    "#-1": "last ultimo ultima dernier derniere",
    "": "and y e et on in the of el los las le les de del du da do das dos na no em a o os as la l",
}
_MEANING = {word: token for token, words in _WORDS.items() for word in words.split()}

# In Portuguese these are a weekday or, right before a weekday, which one: "segunda terça do mês".
_EITHER = {"segunda": ("MO", "#2"), "quarta": ("WE", "#4"), "quinta": ("TH", "#5")}

_DAY = "(?:MO|TU|WE|TH|FR|SA|SU)"
_NTH = rf"(?:(?:#-?\d )+{_DAY}(?: {_DAY})* ?)+"
_EVERY = re.compile(r"(?:EVERY )?(?:(?P<n>\d+) )?(?P<unit>DAILY|WEEKLY|MONTHLY|YEARLY)(?P<on>.*)")
_ON_DAYS = re.compile(rf"(?:EVERY )?(?P<days>{_DAY}(?: {_DAY})*)")
_OF_MONTH = re.compile(rf"(?:EVERY )?(?P<on>{_NTH})(?:EVERY )?(?:(?P<n>\d+) )?MONTHLY")


def to_rule(text: str) -> str:
    """`FREQ=MONTHLY;BYDAY=1TU`. Raises `invalid` where the words are not understood."""
    tokens = " ".join(_tokens(text)) if len(text) <= LONGEST else ""
    rule = _of_month(tokens) or _on_days(tokens) or _every(tokens)
    if rule is None:
        raise invalid(
            "cannot interpret '{text}'; write, for example, 'every week', 'every 2 weeks on tuesday', 'first "
            "tuesday of the month', 'last friday of the month' or 'every year'",
            text=text,
        )
    return rule


def _of_month(tokens: str) -> str | None:
    match = _OF_MONTH.fullmatch(tokens)
    return _rule("MONTHLY", match["n"], _numbered(match["on"])) if match else None


def _on_days(tokens: str) -> str | None:
    match = _ON_DAYS.fullmatch(tokens)
    return _rule("WEEKLY", None, match["days"].split()) if match else None


def _every(tokens: str) -> str | None:
    match = _EVERY.fullmatch(tokens)
    if match is None or not tokens.startswith("EVERY"):
        return None
    unit, on = match["unit"], match["on"].strip()
    if not on:
        return _rule(unit, match["n"], [])
    if unit == "WEEKLY" and _ON_DAYS.fullmatch(on):
        return _rule(unit, match["n"], on.removeprefix("EVERY ").split())
    if unit == "MONTHLY" and re.fullmatch(_NTH, on):
        return _rule(unit, match["n"], _numbered(on))
    return None


def _rule(unit: str, interval: str | None, days: list[str]) -> str | None:
    if interval and not 1 <= int(interval) <= 99:
        return None
    parts = [f"FREQ={unit}"]
    if interval and int(interval) > 1:
        parts.append(f"INTERVAL={int(interval)}")
    if days:
        parts.append("BYDAY=" + ",".join(dict.fromkeys(days)))
    return ";".join(parts)


def _numbered(on: str) -> list[str]:
    """First and third Tuesday, `#1 #3 TU` → 1TU, 3TU."""
    found: list[str] = []
    numbers: list[str] = []
    after_day = True
    for token in on.split():
        if token.startswith("#"):
            numbers = [token[1:]] if after_day else [*numbers, token[1:]]
            after_day = False
        else:
            found += [number + token for number in numbers]
            after_day = True
    return found


def _tokens(text: str) -> list[str]:
    """The words that matter, by meaning; an unknown word stays itself, and so fits no pattern."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    words = re.findall(r"[a-z0-9]+|[^\sa-z0-9,.'’]", re.sub(r"[- ]+(feiras?)\b", r"\1", plain))
    tokens: list[str] = []
    following = ""
    for word in reversed(words):
        if word in _EITHER:
            day, nth = _EITHER[word]
            following = nth if re.fullmatch(_DAY, following) else day
        else:
            following = _MEANING.get(word, word)
        if following:
            tokens.append(following)
    return tokens[::-1]
