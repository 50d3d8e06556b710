"""An idea is the same idea in any of the four languages, and an acronym is not a word."""

from __future__ import annotations

import pytest

from plugins.knowledge.index.hub_rules import Rules, merged_thesaurus
from plugins.knowledge.index.thesaurus import LOOSE, everyday_terms, own_terms, token, with_terms
from plugins.knowledge.text.folding import LANGUAGES, compounds
from tests.knowledge.hubs import hub

TERMS = with_terms(())


def ideas(text: str, *, capitals: bool = True) -> list[tuple[str, ...]]:
    return [mention.concepts for mention in TERMS.mentions(list(compounds(text)), capitals=capitals)]


def test_every_term_of_ours_is_found_as_its_idea() -> None:
    for concept, languages in {**own_terms(), **everyday_terms()}.items():
        for terms in languages.values():
            for term in terms:
                mentions = TERMS.all_mentions(list(compounds(term)), capitals=False)
                assert any(concept in (*one.concepts, *one.broader) for one in mentions), (concept, term)


def test_every_idea_has_terms_in_every_language() -> None:
    for concept, languages in {**own_terms(), **everyday_terms()}.items():
        assert set(languages) == set(LANGUAGES), concept


@pytest.mark.parametrize(
    "text",
    [
        "money laundering",
        "Lavado de Activos",
        "BLANCHIMENT D'ARGENT",
        "branqueamento de capitais",
        "lavado de dinero",
        "blanchiment d’argent",
    ],
)
def test_an_idea_is_known_in_four_languages_whatever_the_case(text: str) -> None:
    assert ideas(text) == [("money-laundering",)]


@pytest.mark.parametrize(
    "text",
    ["whistle-blower", "whistleblower", "whistle blowers", "whistleblowers", "lanceurs d'alerte", "denunciantes"],
)
def test_hyphens_plurals_and_joined_words_are_the_same_term(text: str) -> None:
    assert any("whistleblowing" in concepts for concepts in ideas(text))


def test_the_longest_term_counts_and_none_inside_it() -> None:
    assert ideas("protección de denunciantes") == [("whistleblowing",)]
    assert ideas("internal audit") == [("internal-audit",)]


@pytest.mark.parametrize(
    "text",
    [
        "declaración Arusha",
        "the declaration of Arusha, Arusha declaration",
        "bureau régional renforcement capacités",
        "conflit intérêts",
        "conflito interesses",
    ],
)
def test_words_that_only_link_the_others_may_be_left_out(text: str) -> None:
    known = {"arusha-declaration", "regional-office", "conflict-of-interest"}
    assert known & {concept for concepts in ideas(text) for concept in concepts}


def test_a_word_that_turns_the_meaning_round_may_not() -> None:
    assert ideas("sin papel") == [("automation",)]
    assert ("automation",) not in ideas("papel")
    assert ideas("en ligne") != ideas("ligne") == []


def test_an_acronym_may_have_two_meanings_and_counts_in_capitals_only_in_texts() -> None:
    assert set(ideas("la OEA")[0]) == {"oas", "authorized-operator"}
    assert ideas("the hr of it, ia, sa, hs") == []
    assert set(ideas("oea", capitals=False)[0]) == {"oas", "authorized-operator"}


def test_a_hub_adds_ideas_and_terms_which_other_hubs_do_not_know() -> None:
    own = hub(
        thesaurus={"earthquake": {"en": ["earthquake"], "es": ["terremoto"]}, "gift-policy": {"es": ["detallitos"]}}
    )
    rules = Rules([own, hub("audit")])
    known = rules.of("transparency").thesaurus
    assert [one.concepts for one in known.mentions(list(compounds("terremotos y detallitos")))] == [
        ("earthquake",),
        ("gift-policy",),
    ]
    assert rules.of("audit").thesaurus.mentions(list(compounds("terremoto y detallitos"))) == []
    assert known.digest != rules.of("audit").thesaurus.digest
    assert merged_thesaurus([own, hub("audit")]).title("earthquake", "es") == "terremoto"


def test_ideas_have_names_in_every_language_and_tokens_of_their_own() -> None:
    assert TERMS.title("gift-policy", "fr") == "politique de cadeaux"
    assert len({token(concept) for concept in TERMS.terms}) == len(TERMS.terms)


def test_a_hubs_topics_stand_for_the_ideas_they_are_called_by() -> None:
    rules = Rules([hub()]).of("transparency")
    assert list(rules.topics_of(["gift-policy"])) == ["gifts"]
    assert list(rules.topics_of(["money-laundering"])) == ["money-laundering"]
    assert rules.topics_by_name["regalos"] == "gifts"


def topics(text: str) -> set[str]:
    return {topic for mention in TERMS.all_mentions(list(compounds(text))) for topic in mention.topics}


@pytest.mark.parametrize(
    "text",
    [
        "my personal manual, an alert about the staff, the hospital contains answers",
        "el personal de control tiene moral; la oficina, los presentes y sus recursos",
        "le personnel, une formation au contrôle et un manuel: les pays appellent",
        "o pessoal da oficina, os recursos e o controle do manual",
    ],
)
def test_words_that_are_too_common_name_no_topics(text: str) -> None:
    assert topics(text) == set()


def test_they_are_found_in_other_languages_all_the_same() -> None:
    assert ideas("manual") == ideas("manuel") == [("~guide", "guideline")]
    assert ideas("partners") == ideas("socios") == ideas("partenaires") == ideas("parceiros") == [("~partner",)]
    assert TERMS.title("~partner", "fr") == "partenaire"


def test_ideas_that_may_be_topics_are_called_by_a_term_that_names_them() -> None:
    for concept, languages in own_terms().items():
        assert not any(names[0].startswith(LOOSE) for names in languages.values()), concept


def test_a_text_speaks_of_terms_inside_others_and_of_broader_ideas_a_question_does_not_mean() -> None:
    found = TERMS.all_mentions(list(compounds("UNODC on CIPS, a perception survey")))
    assert {"perception-survey", "~survey"} <= {one for it in found for one in (*it.concepts, *it.broader)}
    assert ideas("CIPS") == [("perception-survey",)]
