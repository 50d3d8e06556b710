"""Validates links from files: turns untrusted data into an `Item`, or into the reason for skipping it.

It guarantees: the address is http or https with a host, without user name and password, at most `LONGEST_LINK`
characters; texts hold no NUL and no lone surrogate, and none is longer than `LONGEST_TEXT`; numbers fit into 63 bits;
dates lie between 1970 and 2200; languages look like language tags. Links and shares whose words say `TLP:RED` or
`!nolog` are skipped, as in chat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from bot.api import Text
from plugins.knowledge.capture import labels
from plugins.knowledge.capture.links import LONGEST_LINK
from plugins.knowledge.transfer.formats.dates import EARLIEST, LATEST
from plugins.knowledge.transfer.formats.item import LABELS, Item, ShareItem, Skipped, VersionItem
from plugins.knowledge.urls.canonical import canonical, without_credentials
from plugins.knowledge.urls.display import masked

LONGEST_TEXT = 100_000
LONGEST_NAME = 255  # of topics, kinds, Matrix ids
MOST_TOPICS = 100
MOST_LANGUAGES = 100
MOST_ADDRESSES = 100  # of other pages
LARGEST = 2**53  # exact in programs that store numbers as floats, too

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,4}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CREDENTIALS = re.compile(r"//[^/?#\\]*@")
_LONGEST_EXCERPT = 200


def validate(raw: object, line: int | None = None) -> Iterator[Item | Skipped]:
    """Validates one link, in the JSON form of an item; keys may be missing, and unknown ones are ignored.

    `title` and `note` may be a text instead of texts by language. Yields the item and a `Skipped` for each dropped
    part, or a single `Skipped`.
    """
    if not isinstance(raw, Mapping):
        yield Skipped(line, excerpt(str(raw)), Text("This is not a link."))
        return
    url = raw.get("url")
    address = replace_unstorable(url).strip() if isinstance(url, str) else ""
    reader = _FieldReader(raw, line, safe_address(address))
    if refusal := _refusal(address, reader):
        yield reader.problem(refusal)
        return
    address = without_credentials(address)
    item = Item(
        url=address,
        title=reader.texts("title"),
        note=reader.texts("note"),
        topics=reader.topics("topics"),
        language=reader.language(),
        kind=reader.text("kind", LONGEST_NAME),
        label=_label(raw),
        pinned=reader.flag("pinned"),
        hidden=reader.flag("hidden"),
        votes=reader.integer("votes", LARGEST) or 0,
        shares=tuple(reader.shares(address)),
        description=reader.text("description"),
        site=reader.text("site"),
        author=reader.text("author"),
        published=reader.text("published"),
        number=reader.integer("number", LARGEST),
        recommended=reader.flag("recommended"),
        without_topics=reader.topics("without_topics"),
        versions=tuple(reader.versions()),
        apart=tuple(reader.addresses("apart")),
        stays=next(reader.addresses("stays"), None),
    )
    if mark := labels.exclusion_mark(item.words) or (reader.excluded_by if not item.shares else None):
        yield reader.problem(_excluded(mark))
        return
    yield item
    yield from reader.problems


def replace_unstorable(text: str) -> str:
    """Replaces characters that databases or encoders reject with U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def excerpt(text: str) -> str:
    """The beginning of a text, short enough for a message to people."""
    return replace_unstorable(text[:_LONGEST_EXCERPT])


def safe_address(url: str) -> str:
    """An address for a message to people: without credentials and other secrets."""
    return excerpt(masked(_CREDENTIALS.sub("//", url.strip())))


def _refusal(address: str, reader: _FieldReader) -> Text | None:
    if not address:
        return Text("It has no address.")
    if len(address) > LONGEST_LINK:
        return Text("The address is longer than {most} characters.", most=LONGEST_LINK)
    if canonical(address) is None:
        return Text("This is not an http or https address.")
    label = _label(reader.raw)
    if label not in (None, *LABELS):
        label = excerpt(label)
        return Text("Its label is '{label}'; only links labelled clear, green or amber are stored.", label=label)
    return None


def _label(raw: Mapping[str, object]) -> str | None:
    """The sharing label as given, or None; WHITE is TLP 1.0 for CLEAR."""
    value = raw.get("label")
    if value is None or value == "":
        return None
    label = str(value).strip().lower().removeprefix("tlp:").strip()
    return "clear" if label == "white" else label


def _excluded(mark: str) -> Text:
    return Text("Its text says {mark}.", mark=mark)


class _FieldReader:
    """Reads and checks the fields of one link, share or version; collects what is wrong in `problems`.

    `excluded_by` is the mark because of which a share was dropped."""

    def __init__(self, raw: Mapping[str, object], line: int | None, subject: str) -> None:
        self.raw = raw
        self.line = line
        self.subject = subject
        self.problems: list[Skipped] = []
        self.excluded_by: str | None = None

    def problem(self, why: Text) -> Skipped:
        return Skipped(self.line, self.subject, why)

    def text(self, name: str, longest: int = LONGEST_TEXT) -> str | None:
        value = self.raw.get(name)
        return None if value is None else self._text(value, name, longest)

    def texts(self, name: str) -> dict[str, str]:
        value = self.raw.get(name)
        if value is None or value == "":
            return {}
        by_language: Mapping[object, object] = value if isinstance(value, Mapping) else {"": value}
        texts: dict[str, str] = {}
        for language, text in by_language.items():
            if language != "" and not _is_language(language):
                self._report(name, Text("'{language}' is not a language.", language=excerpt(str(language))))
            elif len(texts) == MOST_LANGUAGES:
                self._report(name, Text("There are more than {most} languages.", most=MOST_LANGUAGES))
                break
            elif stored := self._text(text, name, LONGEST_TEXT):
                texts[str(language)] = stored
        return texts

    def topics(self, name: str) -> tuple[str, ...]:
        topics = self._as_list(self.raw.get(name), name)
        if len(topics) > MOST_TOPICS:
            self._report(name, Text("There are more than {most} topics.", most=MOST_TOPICS))
        named = (self._text(topic, name, LONGEST_NAME) for topic in topics[:MOST_TOPICS])
        return tuple(topic for topic in named if topic)

    def language(self) -> str | None:
        value = self.raw.get("language")
        if value is None or value == "":
            return None
        if not _is_language(value):
            self._report("language", Text("'{language}' is not a language.", language=excerpt(str(value))))
            return None
        return str(value)

    def flag(self, name: str) -> bool:
        value = self.raw.get(name)
        if value is not None and not isinstance(value, bool):
            self._report(name, Text("It is neither true nor false."))
        return value is True

    def integer(self, name: str, most: int, least: int = 0) -> int | None:
        value = self.raw.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self._report(name, Text("It is not a number from {least} to {most}.", least=least, most=most))
            return None
        return value

    def shares(self, url: str) -> Iterator[ShareItem]:
        for raw in self._as_list(self.raw.get("shares"), "shares"):
            if not isinstance(raw, Mapping):
                self._report("shares", Text("It is not a valid share."))
                continue
            address = self._address_or(raw.get("url"), url)
            if address is None:
                self._report("shares", Text("This is not an http or https address."))
                continue
            reader = _FieldReader(raw, self.line, self.subject)
            share = ShareItem(
                url=address,
                sender=reader.text("sender", LONGEST_NAME),
                sent_at=reader.integer("sent_at", LATEST, EARLIEST),
                note=reader.text("note") or "",
                label=reader.text("label"),
                room=reader.text("room", LONGEST_NAME),
                event=reader.text("event", LONGEST_NAME),
            )
            if mark := labels.exclusion_mark(share.words):
                self.excluded_by = mark
                self._report("shares", _excluded(mark))
                continue
            yield share
            self.problems += reader.problems

    def versions(self) -> Iterator[VersionItem]:
        for raw in self._page_list(self.raw.get("versions"), "versions"):
            reader = _FieldReader(raw if isinstance(raw, Mapping) else {}, self.line, self.subject)
            url = self._address_or(reader.raw.get("url"), "")
            if url:
                yield VersionItem(url, reader.texts("title"), reader.texts("note"), reader.language())
            else:
                self._report("versions", Text("This is not an http or https address."))
            self.problems += reader.problems

    def addresses(self, name: str) -> Iterator[str]:
        """Addresses of other pages: a single one, or a list."""
        value = self.raw.get(name)
        for url in self._page_list([value] if isinstance(value, str) else value, name):
            address = self._address_or(url, "")
            if address:
                yield address
            else:
                self._report(name, Text("This is not an http or https address."))

    def _address_or(self, value: object, url: str) -> str | None:
        """The validated address `value`; `url`, which is valid, if it is missing or the same. None if it is invalid."""
        if not isinstance(value, str) or value in ("", url):
            return url
        address = without_credentials(replace_unstorable(value).strip())
        return address if len(address) <= LONGEST_LINK and canonical(address) else None

    def _text(self, value: object, name: str, longest: int) -> str | None:
        if not isinstance(value, str):
            self._report(name, Text("It is not text."))
            return None
        if len(value) > longest:
            self._report(name, Text("It is longer than {most} characters.", most=longest))
            return None
        return replace_unstorable(value)

    def _as_list(self, value: object, name: str) -> Sequence[object]:
        if value is None:
            return ()
        if not isinstance(value, Sequence) or isinstance(value, str):
            self._report(name, Text("It is not a list."))
            return ()
        return value

    def _page_list(self, value: object, name: str) -> Sequence[object]:
        """A list of other pages, truncated to `MOST_ADDRESSES`."""
        pages = self._as_list(value, name)
        if len(pages) > MOST_ADDRESSES:
            self._report(name, Text("There are more than {most} addresses.", most=MOST_ADDRESSES))
        return pages[:MOST_ADDRESSES]

    def _report(self, name: str, why: Text) -> None:
        self.problems.append(self.problem(Text("Imported without its '{field}': {why}", field=name, why=why)))


def _is_language(value: object) -> bool:
    return isinstance(value, str) and bool(_LANGUAGE.fullmatch(value))
