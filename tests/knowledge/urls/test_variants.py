"""Addresses that may be one page are proposed, and what cannot be is not."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.knowledge.urls.canonical import canonical
from plugins.knowledge.urls.variants import (
    language_of_address,
    loose,
    may_join,
    registrable,
    same_site,
    without_language,
)
from tests.knowledge.urls.test_canonical import ADDRESSES

CANDIDATES = [
    ("http://example.org/a", "https://example.org/a"),
    ("https://www.example.org/a", "https://example.org/a"),
    ("https://m.example.org/a", "https://www.example.org/a"),
    ("https://mobile.example.org/a", "https://example.org/a"),
    ("https://en.m.example.org/a", "https://en.example.org/a"),
    ("https://www.gob.mx/a", "https://gob.mx/a"),
    ("https://example.org/a/", "https://example.org/a"),
    ("https://example.org/a//", "https://example.org/a"),
    ("https://example.org/a/index.html", "https://example.org/a/"),
    ("https://example.org/Default.aspx", "https://example.org"),
    ("https://example.org/index.php?id=3", "https://example.org/?id=3"),
    ("https://example.org/a?p=1", "https://example.org/a"),
    ("https://example.org/a?x=2&print=1", "https://example.org/a?x=2"),
    ("https://example.org/a?printable=yes", "https://example.org/a"),
    ("https://example.org/a/print/", "https://example.org/a"),
    ("https://example.org/print/node/12", "https://example.org/node/12"),
    ("https://www.example.org/a?utm_source=x#part", "https://example.org/a"),
]

NO_CANDIDATES = [
    ("https://example.org/a", "https://example.org/A"),
    ("https://example.org/a", "https://blog.example.org/a"),
    ("https://example.org/a?p=2", "https://example.org/a"),
    ("https://example.org/?p=1", "https://example.org/"),
    ("https://example.org/?x=1", "https://example.org/?x=2"),
    ("https://example.org/print", "https://example.org/"),
    ("https://example.org/myindex.html", "https://example.org/"),
    ("https://m.org/", "https://org/"),
    ("https://example.org:8443/", "https://example.org/"),
    ("https://app.example.org/#/a", "https://app.example.org/#/b"),
]


@pytest.mark.parametrize(("one", "other"), CANDIDATES)
def test_other_spellings_of_a_page_are_candidates(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)
    assert loose(one) == loose(other) is not None


@pytest.mark.parametrize(("one", "other"), NO_CANDIDATES)
def test_other_pages_are_no_candidates(one: str, other: str) -> None:
    assert loose(one) != loose(other)


def test_real_resources_are_no_candidates_but_for_their_languages() -> None:
    """Of the sample resources, exactly the three pairs that are translations of each other meet."""
    assert len({loose(url) for url in ADDRESSES}) == len(ADDRESSES)
    twins = [
        (one, other) for one, other in combinations(ADDRESSES, 2) if without_language(one) == without_language(other)
    ]
    assert [one.partition("//")[2] for one, _ in twins] == [
        "rad.wcoomd.org/embedable/",
        "www.wcoomd.org/en/topics/integrity/programme.aspx",
        "www.wcoomd.org/es-es/topics/integrity/resources/newsletter.aspx?p=1",
    ]


@pytest.mark.parametrize(
    ("url", "language", "without"),
    [
        ("https://example.org/en/a", "en", "example.org/a"),
        ("https://example.org/es-es/a", "es", "example.org/a"),
        ("https://example.org/pt_BR/a", "pt", "example.org/a"),
        ("https://example.org/x/fr/", "fr", "example.org/x"),
        ("https://example.org/es", "es", "example.org/"),
        ("https://es.example.org/a", "es", "example.org/a"),
        ("https://fr.m.example.org/a", "fr", "example.org/a"),
        ("https://example.org/a?lang=fr-CA&x=1", "fr", "example.org/a?x=1"),
        ("https://example.org/a?hl=pt", "pt", "example.org/a"),
        ("https://example.org/a", None, "example.org/a"),
        ("https://example.org/el-salvador/us/no", None, "example.org/el-salvador/us/no"),
        ("https://example.org/enterprise?lang=klingon", None, "example.org/enterprise?lang=klingon"),
        ("https://es.com/a", None, "es.com/a"),
        ("no address", None, None),
    ],
)
def test_the_language_in_an_address(url: str, language: str | None, without: str | None) -> None:
    assert language_of_address(url) == language
    assert without_language(url) == without


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://mag.wcoomd.org/x", "wcoomd.org"),
        ("https://www.customs.gov.tl/", "customs.gov.tl"),
        ("https://a.b.example.co.uk:8443/", "example.co.uk"),
        ("https://ana.github.io/x", "ana.github.io"),
        ("https://www.münchen.de/", "xn--mnchen-3ya.de"),
        ("https://co.uk/", None),
        ("https://192.0.2.1/", None),
        ("https://[2001:db8::1]:8443/", None),
        ("https://localhost/", None),
        ("no address", None),
    ],
)
def test_the_domain_that_somebody_registered(url: str, domain: str | None) -> None:
    assert registrable(url) == domain


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://www.wcoomd.org/a", "http://mag.wcoomd.org/b", True),
        ("https://www.gob.mx/a", "https://gob.mx/b", True),
        ("https://192.0.2.1/a", "https://192.0.2.1/b", True),
        ("https://192.0.2.1/a", "https://198.51.2.1/b", False),
        ("https://a.co.uk/", "https://b.co.uk/", False),
        ("https://ana.github.io/", "https://ben.github.io/", False),
        ("https://wcoomd.org/", "https://wcoomd.org.evil.example/", False),
        ("https://localhost/", "https://intranet/", False),
        ("no address", "no address", False),
    ],
)
def test_one_site_is_one_registrable_domain(one: str, other: str, same: bool) -> None:
    assert same_site(one, other) is same
    assert same_site(other, one) is same


JOINS = [
    ("http://example.org/a", "https://www.example.org/a/"),
    ("https://example.org/old.htm", "https://new.example.org/reports/gifts.html"),
    ("https://example.org/a?p=1", "https://example.org/a"),
    ("https://example.org/a?utm_source=x", "https://example.org/a"),
    ("https://example.org/a?x=1&y=2", "https://example.org/a?y=2&x=1"),
    ("https://example.org/node.php?id=12", "https://example.org/node/12-gift-policy"),
    ("https://example.org/node.php?id=12", "https://example.org/show?node=12"),
    ("https://example.org/a", "https://example.org/en/a"),
    ("https://example.org/", "https://www.example.org/en/"),
    ("https://example.org/login", "https://www.example.org/login"),
]

NO_JOINS = [
    ("https://example.org/a", "https://example.com/a"),
    ("https://ana.github.io/a", "https://ben.github.io/a"),
    ("https://example.org/a", "https://example.org/"),
    ("https://example.org/a", "https://docs.example.org/index.html"),
    ("https://example.org/a", "https://example.org/es-es/"),
    ("https://example.org/en/a", "https://example.org/en"),
    ("https://example.org/?id=12", "https://example.org/"),
    ("https://example.org/es/a", "https://example.org/en/a"),
    ("https://oas.example.org/p.asp?sCodigo=C-314/12", "https://oas.example.org/p.asp"),
    ("https://oas.example.org/p.asp?sCodigo=C-314/12", "https://oas.example.org/p.asp?sCodigo=C-026/16"),
    ("https://example.org/p.asp?id=12", "https://example.org/list.asp"),
    ("https://example.org/P.asp?id=12", "https://example.org/p.asp"),
    ("https://example.org/a", "https://example.org/login?next=/a"),
    ("https://example.org/a", "https://example.org/errors/404.html"),
    ("https://example.org/a", "javascript:alert(1)"),
    ("https://example.org/a", ""),
]


@pytest.mark.parametrize(("source", "target"), JOINS)
def test_what_a_page_says_of_itself_may_be_proposed(source: str, target: str) -> None:
    assert may_join(source, target)


@pytest.mark.parametrize(("source", "target"), NO_JOINS)
def test_what_would_swallow_other_pages_is_not_proposed(source: str, target: str) -> None:
    assert not may_join(source, target)


@given(st.text() | st.sampled_from(ADDRESSES), st.text(st.sampled_from("/?&=#.:%en-prt1m漢"), max_size=30))
def test_any_text_can_be_compared(text: str, end: str) -> None:
    for url in (text, text + end, f"https://{end}", f"https://example.org/{text}"):
        is_address = canonical(url) is not None
        assert (loose(url) is not None) is is_address
        assert (without_language(url) is not None) is is_address
        assert same_site(url, url) is is_address
        language_of_address(url)
        may_join(url, f"https://example.org/{end}")
        assert not may_join(url, "https://other.example/")


@given(st.sampled_from(ADDRESSES), st.sampled_from(ADDRESSES))
def test_candidates_are_what_the_key_says(one: str, other: str) -> None:
    """Equal keys are always candidates, and a loose key is the loose key of itself."""
    assert loose(f"https://{loose(one)}") == loose(one)
    assert (loose(one) == loose(other)) is (one == other)
