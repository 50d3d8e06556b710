"""Addresses that carry a secret are known, masked and not linked, and addresses that do not are left alone."""

from __future__ import annotations

import pytest

from plugins.knowledge.urls.display import has_secret, masked

LONG = "Q9fK2mZ7xT4wB8sL"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a;jsessionid=0A1B",
        "https://example.org/a?PHPSESSID=x1",
        "https://example.org/a?session_id=77",
        f"https://example.org/a?sid={LONG}",
        f"https://example.org/a?page=2&ticket=ST-{LONG}",
        f"https://example.org/a?key=AIza{LONG}",
        f"https://example.org/a?code=4/{LONG}",
        "https://example.org/a?bearer=x",
        "https://drive.example.org/a?resourcekey=0-x",
        f"https://example.org/a?invite={LONG}",
        "https://example.org/a?tok%65n=zzz",
        "https://example.org/a?access%5Ftoken=zzz",
        f"https://example.org/v/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{LONG}",
        "https://example.org/a#id_token=zzz",
    ],
)
def test_a_secret_is_masked(url: str) -> None:
    assert has_secret(url)
    assert masked(url).endswith("…")
    assert not has_secret(masked(url).removesuffix("…"))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a?code=sv&key=annex-2",
        "https://example.org/a?sid=12",
        "https://example.org/session=3/notes",
        "https://example.org/eyjafjallajokull",
        "https://example.org/gu%C3%ADa?q=cl%61ve",
    ],
)
def test_other_addresses_stay_as_they_are(url: str) -> None:
    assert not has_secret(url)
    assert masked(url) == url
