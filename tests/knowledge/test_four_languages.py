"""What `!find` answers in four languages, word for word: results, and every remark about them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from bot.storage import people
from bot.testing.story import Story, story
from plugins.help import Help
from plugins.knowledge import Knowledge
from tests.knowledge.hubs import hub
from tests.knowledge.test_plugin import ANA, GUIDE, LUIS

SHARED = (
    "A report on bribery in ports https://example.org/bribery-report.pdf",
    "volcano lava https://example.org/island",
    "volcano lava steam https://example.org/geyser",
    "the OAS https://example.org/oas",
    "policy https://example.org/policy",
)


@pytest.fixture
async def told() -> AsyncIterator[Story]:
    async with story([Knowledge], [hub(resources=[GUIDE])]) as s:
        for text in SHARED:
            await s.say(ANA, text)
        yield s


ANSWERS = [
    (
        "en",
        "!find gifts topic:gifts lang:es",
        """\
1. Gift guide (https://example.org/guide)
example.org · Spanish · recommended · Gifts""",
    ),
    (
        "en",
        "!find bribery",
        """\
2. bribery report (https://example.org/bribery-report.pdf)
example.org (PDF) · 15 Jan 2027 · shared by ana · bribery · port · message""",
    ),
    (
        "en",
        "!find vollcano",
        """\
Searched for “volcano” instead of “vollcano”.

4. geyser (https://example.org/geyser)
example.org · 15 Jan 2027 · shared by ana · “volcano lava steam” · message

3. island (https://example.org/island)
example.org · 15 Jan 2027 · shared by ana · “volcano lava” · message""",
    ),
    (
        "en",
        "!find oea",
        """\
“oea” may mean authorized economic operator or Organization of American States; all were searched.

5. oas (https://example.org/oas)
example.org · 15 Jan 2027 · shared by ana · Organization of American States · message""",
    ),
    (
        "en",
        "!find volcano lava steam",
        """\
4. geyser (https://example.org/geyser)
example.org · 15 Jan 2027 · shared by ana · “volcano lava steam” · message

No other result contains all the words; these contain some.

3. island (https://example.org/island)
example.org · 15 Jan 2027 · shared by ana · “volcano lava” · message""",
    ),
    (
        "en",
        "!find volcano lava policy",
        """\
No result contains all the words; these contain some.

4. geyser (https://example.org/geyser)
example.org · 15 Jan 2027 · shared by ana · “volcano lava steam” · message

3. island (https://example.org/island)
example.org · 15 Jan 2027 · shared by ana · “volcano lava” · message""",
    ),
    (
        "en",
        "!find policy zzzqq wwwkk jjjyy",
        """\
Nothing found for “policy zzzqq wwwkk jjjyy” in: Transparency.

Topics with results: bribery (topic:bribery), Gifts (topic:gifts), Organization of American States (topic:oas), port \
(topic:ports-containers). Write for example !find topic:bribery.

One of these may help:

6. policy (https://example.org/policy)
example.org · 15 Jan 2027 · shared by ana · message

Someone here may know: ask the room.""",
    ),
    (
        "en",
        "!find gifts since:yesterday",
        "“yesterday” is not a date; write since:2026, since:2026-01 or since:2026-01-31.",
    ),
    ("en", "!find gifts sort:old", "Sort with sort:new or sort:useful; “old” is not available."),
    (
        "es",
        "!buscar regalos tema:regalos idioma:español",
        """\
1. Guía de regalos (https://example.org/guide)
example.org · español · recomendado · Regalos""",
    ),
    (
        "es",
        "!buscar soborno",
        """\
2. bribery report (https://example.org/bribery-report.pdf)
example.org (PDF) · 15 ene 2027 · compartido por ana · soborno · puerto · mensaje""",
    ),
    (
        "es",
        "!buscar vollcano",
        """\
Se buscó «volcano» en lugar de «vollcano».

4. geyser (https://example.org/geyser)
example.org · 15 ene 2027 · compartido por ana · «volcano lava steam» · mensaje

3. island (https://example.org/island)
example.org · 15 ene 2027 · compartido por ana · «volcano lava» · mensaje""",
    ),
    (
        "es",
        "!buscar oea",
        """\
«oea» puede significar operador económico autorizado o bien Organización de los Estados Americanos; se buscó todo.

5. oas (https://example.org/oas)
example.org · 15 ene 2027 · compartido por ana · Organización de los Estados Americanos · mensaje""",
    ),
    (
        "es",
        "!buscar volcano lava steam",
        """\
4. geyser (https://example.org/geyser)
example.org · 15 ene 2027 · compartido por ana · «volcano lava steam» · mensaje

Ningún otro resultado tiene todas las palabras; estos tienen algunas.

3. island (https://example.org/island)
example.org · 15 ene 2027 · compartido por ana · «volcano lava» · mensaje""",
    ),
    (
        "es",
        "!buscar volcano lava policy",
        """\
Ningún resultado tiene todas las palabras; estos tienen algunas.

4. geyser (https://example.org/geyser)
example.org · 15 ene 2027 · compartido por ana · «volcano lava steam» · mensaje

3. island (https://example.org/island)
example.org · 15 ene 2027 · compartido por ana · «volcano lava» · mensaje""",
    ),
    (
        "es",
        "!buscar policy zzzqq wwwkk jjjyy",
        """\
No se encontró nada para «policy zzzqq wwwkk jjjyy» en: Transparency.

Temas con resultados: soborno (tema:bribery), Regalos (tema:gifts), Organización de los Estados Americanos \
(tema:oas), puerto (tema:ports-containers). Escriba por ejemplo !buscar tema:bribery.

Quizá ayude alguno de estos:

6. policy (https://example.org/policy)
example.org · 15 ene 2027 · compartido por ana · mensaje

Quizá alguien aquí lo sabe: pregunte en la sala.""",
    ),
    (
        "es",
        "!buscar regalos desde:ayer",
        "«ayer» no es una fecha; escriba desde:2026, desde:2026-01 o desde:2026-01-31.",
    ),
    ("es", "!buscar regalos orden:viejo", "Ordene con orden:nuevo u orden:útil; «viejo» no está disponible."),
    (
        "fr",
        "!chercher cadeaux sujet:cadeaux langue:espagnol",
        """\
1. Gift guide (https://example.org/guide)
example.org · espagnol · recommandé · Gifts""",
    ),
    (
        "fr",
        "!chercher pots-de-vin",
        """\
2. bribery report (https://example.org/bribery-report.pdf)
example.org (PDF) · 15 janv. 2027 · partagé par ana · pot-de-vin · port · message""",
    ),
    (
        "fr",
        "!chercher vollcano",
        """\
Recherche faite pour « volcano » au lieu de « vollcano ».

4. geyser (https://example.org/geyser)
example.org · 15 janv. 2027 · partagé par ana · « volcano lava steam » · message

3. island (https://example.org/island)
example.org · 15 janv. 2027 · partagé par ana · « volcano lava » · message""",
    ),
    (
        "fr",
        "!chercher oea",
        """\
« oea » peut vouloir dire opérateur économique agréé ou Organisation des États américains ; tout a été cherché.

5. oas (https://example.org/oas)
example.org · 15 janv. 2027 · partagé par ana · Organisation des États américains · message""",
    ),
    (
        "fr",
        "!chercher volcano lava steam",
        """\
4. geyser (https://example.org/geyser)
example.org · 15 janv. 2027 · partagé par ana · « volcano lava steam » · message

Aucun autre résultat ne contient tous les mots ; ceux-ci en contiennent une partie.

3. island (https://example.org/island)
example.org · 15 janv. 2027 · partagé par ana · « volcano lava » · message""",
    ),
    (
        "fr",
        "!chercher volcano lava policy",
        """\
Aucun résultat ne contient tous les mots ; ceux-ci en contiennent une partie.

4. geyser (https://example.org/geyser)
example.org · 15 janv. 2027 · partagé par ana · « volcano lava steam » · message

3. island (https://example.org/island)
example.org · 15 janv. 2027 · partagé par ana · « volcano lava » · message""",
    ),
    (
        "fr",
        "!chercher policy zzzqq wwwkk jjjyy",
        """\
Rien trouvé pour « policy zzzqq wwwkk jjjyy » dans : Transparency.

Sujets avec des résultats : pot-de-vin (sujet:bribery), Gifts (sujet:gifts), Organisation des États américains \
(sujet:oas), port (sujet:ports-containers). Écrivez par exemple !chercher sujet:bribery.

L'un de ceux-ci aidera peut-être :

6. policy (https://example.org/policy)
example.org · 15 janv. 2027 · partagé par ana · message

Quelqu'un ici le sait peut-être : posez la question dans le salon.""",
    ),
    (
        "fr",
        "!chercher cadeaux depuis:hier",
        "« hier » n'est pas une date ; écrivez depuis:2026, depuis:2026-01 ou depuis:2026-01-31.",
    ),
    ("fr", "!chercher cadeaux tri:vieux", "Triez avec tri:nouveau ou tri:utile ; « vieux » n'est pas disponible."),
    (
        "pt",
        "!pesquisar presentes assunto:presentes idioma:espanhol",
        """\
1. Gift guide (https://example.org/guide)
example.org · espanhol · recomendado · Gifts""",
    ),
    (
        "pt",
        "!pesquisar suborno",
        """\
2. bribery report (https://example.org/bribery-report.pdf)
example.org (PDF) · 15 de jan. de 2027 · compartilhado por ana · suborno · porto · mensagem""",
    ),
    (
        "pt",
        "!pesquisar vollcano",
        """\
Pesquisa feita por “volcano” em vez de “vollcano”.

4. geyser (https://example.org/geyser)
example.org · 15 de jan. de 2027 · compartilhado por ana · “volcano lava steam” · mensagem

3. island (https://example.org/island)
example.org · 15 de jan. de 2027 · compartilhado por ana · “volcano lava” · mensagem""",
    ),
    (
        "pt",
        "!pesquisar oea",
        """\
“oea” pode significar operador económico autorizado ou Organização dos Estados Americanos; tudo foi pesquisado.

5. oas (https://example.org/oas)
example.org · 15 de jan. de 2027 · compartilhado por ana · Organização dos Estados Americanos · mensagem""",
    ),
    (
        "pt",
        "!pesquisar volcano lava steam",
        """\
4. geyser (https://example.org/geyser)
example.org · 15 de jan. de 2027 · compartilhado por ana · “volcano lava steam” · mensagem

Nenhum outro resultado tem todas as palavras; estes têm algumas.

3. island (https://example.org/island)
example.org · 15 de jan. de 2027 · compartilhado por ana · “volcano lava” · mensagem""",
    ),
    (
        "pt",
        "!pesquisar volcano lava policy",
        """\
Nenhum resultado tem todas as palavras; estes têm algumas.

4. geyser (https://example.org/geyser)
example.org · 15 de jan. de 2027 · compartilhado por ana · “volcano lava steam” · mensagem

3. island (https://example.org/island)
example.org · 15 de jan. de 2027 · compartilhado por ana · “volcano lava” · mensagem""",
    ),
    (
        "pt",
        "!pesquisar policy zzzqq wwwkk jjjyy",
        """\
Nada encontrado para “policy zzzqq wwwkk jjjyy” em: Transparency.

Assuntos com resultados: suborno (assunto:bribery), Gifts (assunto:gifts), Organização dos Estados Americanos \
(assunto:oas), porto (assunto:ports-containers). Escreva por exemplo !pesquisar assunto:bribery.

Talvez um destes ajude:

6. policy (https://example.org/policy)
example.org · 15 de jan. de 2027 · compartilhado por ana · mensagem

Talvez alguém aqui saiba: pergunte na sala.""",
    ),
    (
        "pt",
        "!pesquisar presentes desde:ontem",
        "“ontem” não é uma data; escreva desde:2026, desde:2026-01 ou desde:2026-01-31.",
    ),
    ("pt", "!pesquisar presentes ordem:velho", "Ordene com ordem:novo ou ordem:útil; “velho” não está disponível."),
]


@pytest.mark.parametrize(("language", "question", "answer"), ANSWERS)
async def test_a_question_in_any_language_is_answered_in_it(
    told: Story, language: str, question: str, answer: str
) -> None:
    async with told.db.transaction() as tx:
        await people.set_language(tx, LUIS, language)
    assert plain(await told.say(LUIS, question)) == answer


@pytest.mark.parametrize("question", ["!find bribery", "!find soborno", "!find pots-de-vin", "!find suborno"])
async def test_who_asks_in_another_language_finds_the_same_with_a_link_to_the_message(
    told: Story, question: str
) -> None:
    link = "(https://matrix.to/#/%21transparency%3Aexample.org/%24event1?via=example.org)"
    assert str(await told.say(LUIS, question)).endswith(f"· bribery · port · message {link}")


FILTERS = {
    "en": "from:ana since:2020 until:2021 lang:es type:pdf site:x.org hub:transparency sort:new topic:gifts",
    "es": "de:ana desde:2020 hasta:2021 idioma:es tipo:pdf sitio:x.org comunidad:transparency orden:new tema:gifts",
    "fr": "de:ana depuis:2020 jusque:2021 langue:es type:pdf site:x.org communauté:transparency tri:new sujet:gifts",
    "pt": "de:ana desde:2020 até:2021 idioma:es tipo:pdf site:x.org comunidade:transparency ordem:new assunto:gifts",
}


@pytest.mark.parametrize("language", FILTERS)
@pytest.mark.parametrize("written", FILTERS.values())
async def test_filters_are_repeated_in_the_words_of_the_askers_language(
    told: Story, language: str, written: str
) -> None:
    async with told.db.transaction() as tx:
        await people.set_language(tx, LUIS, language)
    answer = plain(await told.say(LUIS, f"!find zzzqq {written}"))
    assert FILTERS[language] in answer.splitlines()[0]


@pytest.mark.parametrize(
    ("language", "topic", "hub_"), [("es", "tema", "comunidad"), ("fr", "sujet", "communauté"), ("en", "topic", "hub")]
)
async def test_filters_that_answers_advise_are_in_the_askers_language(
    told: Story, language: str, topic: str, hub_: str
) -> None:
    async with told.db.transaction() as tx:
        await people.set_language(tx, LUIS, language)
    assert f"{topic}:gifts" in str(await told.say(LUIS, "!topics"))
    assert f"{topic}:gifts" in str(await told.say(LUIS, "!find topic:giftz"))
    assert f"{hub_}:transparency" in str(await told.say(LUIS, "!find hub:zzz"))
    assert await told.say(LUIS, f"!find {topic}:gifts {hub_}:transparency") == await told.say(LUIS, "!find topic:gifts")


async def test_what_was_not_found_names_each_filter_once(told: Story) -> None:
    answer = await told.say(LUIS, '!find nowhere "at all" -sea hasta:1999 tema:"gifts"')
    assert str(answer).startswith('Nothing found for nowhere "at all" -sea until:1999 topic:gifts in: Transparency.')


@pytest.mark.parametrize("language", ["en", "es", "fr", "pt"])
@pytest.mark.parametrize("command", ["mylinks", "askme", "top"])
async def test_the_choices_that_examples_and_answers_name_are_understood(language: str, command: str) -> None:
    async with story([Help, Knowledge], [hub()]) as s:
        async with s.db.transaction() as tx:
            await people.set_language(tx, LUIS, language)
        examples = [f"!{found}" for found in re.findall(r"^- !(.*)", str(await s.say(LUIS, f"!help {command}")), re.M)]
        refused = str(await s.say(LUIS, f"!{command} zzz"))
        word = examples[0].split()[0]
        named = re.split(r"[ ,]+", refused.rstrip("."))
        choices = [f"{word} {one}" for one in named[1:] if one not in ("or", "o", "ou")]
        assert len(choices) > 1
        for said in (*examples, *choices):
            assert await s.say(LUIS, said) != refused, said


def plain(answer: str | None) -> str:
    """An answer without the addresses of messages, and with ordinary spaces."""
    return re.sub(r" \(https://matrix\.to/[^)]*\)", "", str(answer)).replace("\N{NO-BREAK SPACE}", " ")
