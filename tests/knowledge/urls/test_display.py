"""What an address says to a reader, and what it may not say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.knowledge.urls import display
from plugins.knowledge.urls.canonical import canonical


@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("https://example.org/en/media/new-guide-2021.aspx?x=1", "new guide 2021"),
        ("https://example.org/gu%C3%ADa_de_regalos.pdf", "guía de regalos"),
        ("https://www.example.org/display/9798400200120/1.xml", "display"),
        ("https://www.example.org/12/34", "example.org"),
        ("https://www.example.org", "example.org"),
    ],
)
def test_a_title_is_read_from_the_path(url: str, title: str) -> None:
    assert display.title(url) == title


READABLE = [
    "example.org", "münchen.de", "españa.example", "são-paulo.example", "łódź.pl", "россия.рф", "почта.рф",
    "ελλάδα.gr", "例え.jp", "カード.jp", "abc漢字.jp", "한국.kr", "भारत.example", "аррӏе.рф", "x-1.münchen.de",
]  # fmt: skip

LOOK_ALIKES = [
    ("аpple.com", "Latin and Cyrillic"),
    ("αpple.com", "Latin and Greek"),
    ("росиαя.com", "Cyrillic and Greek"),
    ("аррӏе.com", "Cyrillic letters that all pass for Latin ones"),
    ("ουι.com", "Greek letters that all pass for Latin ones"),
    ("wıkipedia.example", "dotless i"),
    ("ɡoogle.com", "a phonetic letter"),
    ("ạpple.com", "a dot below, which the line under a link covers"),
    ("example.orgノpath.com", "a sign like a slash"),
    ("exampleー1.com", "a sign like a dash"),
    ("o̸k.example", "a mark upon a letter"),
    ("مثال.example", "from right to left"),
    ("ᏚᎢ.example", "a script that few read"),
    ("☃.example", "no letter"),
]


@pytest.mark.parametrize("host", READABLE)
def test_an_internationalised_domain_is_readable(host: str) -> None:
    assert display.site(f"https://www.{host}/") == host
    assert display.site(canonical(f"https://{host}/") or "") == host
    assert display.shown(f"https://www.{host}/x") == f"https://www.{host}/x"


@pytest.mark.parametrize(("host", "why"), LOOK_ALIKES, ids=[why for _, why in LOOK_ALIKES])
def test_a_look_alike_is_shown_in_punycode(host: str, why: str) -> None:
    assert display.site(f"https://{host}/").isascii(), why
    assert "xn--" in display.site(f"https://{host}/")
    assert display.shown(f"https://{host}/").isascii()


def test_a_site_has_its_port_and_no_www() -> None:
    assert display.site("https://www.Example.org:8443/x") == "example.org:8443"
    assert display.site("https://www.münchen.de:8443/x") == "münchen.de:8443"
    assert display.site("https://[::1]:8443/x") == "[::1]:8443"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ana:pw@example.org/a", "https://example.org/a"),
        ("HTTPS://EXAMPLE.ORG/A", "https://example.org/A"),
        ("https://example.org/gu%C3%ADa-%2F-%20?q=a%26b#%C3%A9", "https://example.org/guía-%2F-%20?q=a%26b#é"),
        ("https://example.org/\u202egnp.exe", "https://example.org/%E2%80%AEgnp.exe"),
        ("https://example.org/%D7%90", "https://example.org/%D7%90"),
        ("https://example.org/%ff%C3", "https://example.org/%FF%C3"),
        ("https://example.org/?token=SECRET&x=1", "https://example.org/?token=…&x=1"),
        ("no address \u202e", "no%20address%20%E2%80%AE"),
    ],
)
def test_an_address_is_shown_legibly_and_safely(url: str, shown: str) -> None:
    assert display.shown(url) == shown


@given(st.text(st.sampled_from("abcxn--019éа漢ı\u0301\u200d."), max_size=24), st.text(max_size=24))
def test_what_is_shown_leads_where_the_address_does(host: str, path: str) -> None:
    """Nothing invisible is shown, and whoever copies it gets to the same page."""
    url = f"https://{host}/{path}"
    shown = display.shown(url)
    assert all(char.isprintable() and char != " " for char in shown)
    if canonical(url) and not display.has_secret(url):
        assert canonical(shown) == canonical(url)


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789-", max_size=59))
def test_any_punycode_can_be_shown(label: str) -> None:
    site = display.site(f"https://xn--{label}.example/")
    assert canonical(f"https://{site}/") == canonical(f"https://xn--{label}.example/")


def test_an_internationalised_domain_is_found_by_its_letters() -> None:
    assert "münchen" in display.words("https://xn--mnchen-3ya.de/x")
    assert "pw" not in display.words("https://ana:pw@example.org/")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/?token=SECRET",
        "https://example.org/?a=1&access_token=SECRET&b=2",
        "https://example.org/?X-Amz-Signature=SECRET",
        "https://example.org/?sig=SECRET#top",
        "https://example.org/?PASSWORD=SECRET",
        "https://example.org/#access_token=SECRET",
    ],
)
def test_secrets_are_masked(url: str) -> None:
    assert display.has_secret(url)
    assert "SECRET" not in display.masked(url) + display.words(url) + display.title(url)


@pytest.mark.parametrize("url", ["https://example.org/token=x", "https://example.org/?sCodigo=C-314/12&design=2"])
def test_ordinary_addresses_are_left_alone(url: str) -> None:
    assert display.masked(url) == url
    assert not display.has_secret(url)


@given(st.text())
def test_any_text_can_be_described(text: str) -> None:
    for url in (text, "https://example.org/" + text):
        display.title(url)
        display.site(url)
        display.words(url)
        display.shown(url)
