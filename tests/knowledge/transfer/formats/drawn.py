"""Collections of links for tests: any item at all, and how files are read and written."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from hypothesis import strategies as st

from plugins.knowledge.capture import labels
from plugins.knowledge.transfer.formats.item import LABELS, Item, Meta, ShareItem, Skipped, VersionItem
from plugins.knowledge.transfer.formats.registry import READERS, WRITERS
from plugins.knowledge.urls.canonical import canonical

FILES = Path(__file__).parent / "files"
META = Meta("Links <&> of a hub", "transparency", 1_764_000_000_000)

_SIGNS = "=+-@\t\r\n'\";,|#<>&[]()*_`\\ \u2028\u0085ñé漢🙂"


def texts(*, least: int = 0, most: int = 30) -> st.SearchStrategy[str]:
    """Any text but NUL and lone surrogates, which nothing that stores items can hold; often what formats trip over.
    Without marks: what they ask for is done when they are read, so it does not come back as it was."""
    return st.text(
        st.one_of(st.sampled_from(_SIGNS), st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
        min_size=least,
        max_size=most,
    ).filter(lambda text: labels.label(text) is None and not labels.has_no_log(text))


URLS = st.builds(
    "{}://{}/{}".format,
    st.sampled_from(["http", "https", "HTTPS"]),
    st.sampled_from(["example.org", "münchen.de", "[2001:db8::1]", "a.example:8443"]),
    st.text(st.sampled_from("abc/?&=+-@;,'\"#%<>*~ñ漢_.:"), max_size=30),
).filter(lambda url: canonical(url) is not None)

LANGUAGES = st.sampled_from(["en", "es", "fr", "pt", "pt-BR", "zh_Hans"])
INSTANTS = st.integers(0, 4_000_000_000_000)

SHARES = st.builds(
    ShareItem,
    url=URLS,
    sender=st.none() | texts(),
    sent_at=st.none() | INSTANTS,
    note=texts(most=60),
    label=st.none() | texts(),
    room=st.none() | texts(),
    event=st.none() | texts(),
)

ITEMS = st.builds(
    Item,
    url=URLS,
    title=st.dictionaries(st.just("") | LANGUAGES, texts(least=1), max_size=3),
    note=st.dictionaries(st.just("") | LANGUAGES, texts(least=1, most=60), max_size=3),
    topics=st.lists(texts(least=1), max_size=4).map(tuple),
    language=st.none() | LANGUAGES,
    kind=st.none() | texts(),
    label=st.sampled_from(LABELS),
    pinned=st.booleans(),
    hidden=st.booleans(),
    votes=st.integers(0, 2**53),
    shares=st.lists(SHARES, max_size=3).map(tuple),
    description=st.none() | texts(),
    site=st.none() | texts(),
    author=st.none() | texts(),
    published=st.none() | texts(),
    number=st.none() | st.integers(0, 2**53),
    recommended=st.booleans(),
    without_topics=st.lists(texts(least=1), max_size=2).map(tuple),
    versions=st.lists(
        st.builds(
            VersionItem,
            url=URLS,
            title=st.dictionaries(st.just("") | LANGUAGES, texts(least=1), max_size=2),
            note=st.dictionaries(st.just("") | LANGUAGES, texts(least=1), max_size=2),
            language=st.none() | LANGUAGES,
        ),
        max_size=2,
    ).map(tuple),
    apart=st.lists(URLS, max_size=2).map(tuple),
    stays=st.none() | URLS,
)


def written(format_: str, items: Iterable[Item], meta: Meta = META) -> bytes:
    stream = BytesIO()
    WRITERS[format_](items, stream, meta)
    return stream.getvalue()


def read(format_: str, data: bytes) -> list[Item | Skipped]:
    return list(READERS[format_](BytesIO(data)))


def items(found: Iterable[Item | Skipped]) -> list[Item]:
    return [one for one in found if isinstance(one, Item)]


def skipped(found: Iterable[Item | Skipped]) -> list[str]:
    """What was not read, as `line: what: why`."""
    return [f"{one.line}: {one.what}: {one.why}" for one in found if isinstance(one, Skipped)]
