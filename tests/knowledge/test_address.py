"""What an address says to a reader, and what it may not say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.knowledge import address


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
    assert address.title(url) == title


def test_a_site_is_shown_so_that_look_alikes_are_seen() -> None:
    assert address.site("https://www.Example.org:8443/x") == "example.org:8443"
    assert address.site("https://аpple.com/") == "xn--pple-43d.com"


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
    assert address.has_secret(url)
    assert "SECRET" not in address.masked(url) + address.words(url) + address.title(url)


@pytest.mark.parametrize("url", ["https://example.org/token=x", "https://example.org/?sCodigo=C-314/12&design=2"])
def test_ordinary_addresses_are_left_alone(url: str) -> None:
    assert address.masked(url) == url
    assert not address.has_secret(url)


@given(st.text())
def test_any_text_can_be_described(text: str) -> None:
    for url in (text, "https://example.org/" + text):
        address.title(url)
        address.site(url)
        address.words(url)
