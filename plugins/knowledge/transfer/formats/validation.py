"""The one door: what some file says about a link becomes an `Item`, or a sentence why not.

Whoever stores items can rely on what passed here: the address is http or https with a host, without user name and
password, at most `LONGEST_LINK` characters; texts hold no NUL and no lone surrogate, and none is longer than
`LONGEST_TEXT`; numbers fit into 63 bits; dates lie between 1970 and 2200; languages look like languages.
Neither a link's own words nor those of its shares say `TLP:RED` or `!nolog`: what does is left out, as in chat.
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
LARGEST = 2**53  # what other programs' numbers can hold, too

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,4}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CREDENTIALS = re.compile(r"//[^/?#\\]*@")
_WHAT = 200


def admitted(raw: object, line: int | None = None) -> Iterator[Item | Skipped]:
    """One link, in the shape of an item in Faro's JSON; missing keys mean nothing, unknown ones are passed over.

    `title` and `note` may be a text instead of texts by language. Yields the item and what it was read without, or
    one `Skipped`.
    """
    if not isinstance(raw, Mapping):
        yield Skipped(line, beginning(str(raw)), Text("This is no link."))
        return
    url = raw.get("url")
    address = clean(url).strip() if isinstance(url, str) else ""
    form = _Form(raw, line, told(address))
    if refusal := _refusal(address, form):
        yield form.problem(refusal)
        return
    address = without_credentials(address)
    item = Item(
        url=address,
        title=form.texts("title"),
        note=form.texts("note"),
        topics=form.topics("topics"),
        language=form.language(),
        kind=form.text("kind", LONGEST_NAME),
        label=_label(raw),
        pinned=form.flag("pinned"),
        hidden=form.flag("hidden"),
        votes=form.whole("votes", LARGEST) or 0,
        shares=tuple(form.shares(address)),
        description=form.text("description"),
        site=form.text("site"),
        author=form.text("author"),
        published=form.text("published"),
        number=form.whole("number", LARGEST),
        recommended=form.flag("recommended"),
        without_topics=form.topics("without_topics"),
        versions=tuple(form.versions()),
        apart=tuple(form.addresses("apart")),
        stays=next(form.addresses("stays"), None),
    )
    if mark := labels.kept_out(item.words) or (form.kept_out if not item.shares else None):
        yield form.problem(_says(mark))
        return
    yield item
    yield from form.problems


def clean(text: str) -> str:
    """What no database or encoder can hold is shown as U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def beginning(text: str) -> str:
    """As much of a text as is told to people."""
    return clean(text[:_WHAT])


def told(url: str) -> str:
    """An address as it is told to people: without what opens doors."""
    return beginning(masked(_CREDENTIALS.sub("//", url.strip())))


def _refusal(address: str, form: _Form) -> Text | None:
    if not address:
        return Text("It has no address.")
    if len(address) > LONGEST_LINK:
        return Text("The address is longer than {most} characters.", most=LONGEST_LINK)
    if canonical(address) is None:
        return Text("This is not an http or https address.")
    label = _label(form.raw)
    if label not in (None, *LABELS):
        label = beginning(label)
        return Text("Its sharing label is '{label}'; only links labelled clear, green or amber are kept.", label=label)
    return None


def _label(raw: Mapping[str, object]) -> str | None:
    """None where none is given; TLP 1.0 called CLEAR white."""
    value = raw.get("label")
    if value is None or value == "":
        return None
    label = str(value).strip().lower().removeprefix("tlp:").strip()
    return "clear" if label == "white" else label


def _says(mark: str) -> Text:
    return Text("Its words say {mark}.", mark=mark)


class _Form:
    """The values of one link or share, each checked; `problems` has what was wrong with them.

    `kept_out` is the mark of a share that was left out for it."""

    def __init__(self, raw: Mapping[str, object], line: int | None, what: str) -> None:
        self.raw = raw
        self.line = line
        self.what = what
        self.problems: list[Skipped] = []
        self.kept_out: str | None = None

    def problem(self, why: Text) -> Skipped:
        return Skipped(self.line, self.what, why)

    def text(self, name: str, longest: int = LONGEST_TEXT) -> str | None:
        value = self.raw.get(name)
        return None if value is None else self._text(value, name, longest)

    def texts(self, name: str) -> dict[str, str]:
        value = self.raw.get(name)
        if value is None or value == "":
            return {}
        by_language: Mapping[object, object] = value if isinstance(value, Mapping) else {"": value}
        found: dict[str, str] = {}
        for language, said in by_language.items():
            if language != "" and not _is_language(language):
                self._left_out(name, Text("'{language}' is not a language.", language=beginning(str(language))))
            elif len(found) == MOST_LANGUAGES:
                self._left_out(name, Text("There are more than {most} languages.", most=MOST_LANGUAGES))
                break
            elif text := self._text(said, name, LONGEST_TEXT):
                found[str(language)] = text
        return found

    def topics(self, name: str) -> tuple[str, ...]:
        topics = self._list(self.raw.get(name), name)
        if len(topics) > MOST_TOPICS:
            self._left_out(name, Text("There are more than {most} topics.", most=MOST_TOPICS))
        named = (self._text(topic, name, LONGEST_NAME) for topic in topics[:MOST_TOPICS])
        return tuple(topic for topic in named if topic)

    def language(self) -> str | None:
        value = self.raw.get("language")
        if value is None or value == "":
            return None
        if not _is_language(value):
            self._left_out("language", Text("'{language}' is not a language.", language=beginning(str(value))))
            return None
        return str(value)

    def flag(self, name: str) -> bool:
        value = self.raw.get(name)
        if value is not None and not isinstance(value, bool):
            self._left_out(name, Text("It is neither true nor false."))
        return value is True

    def whole(self, name: str, most: int, least: int = 0) -> int | None:
        value = self.raw.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self._left_out(name, Text("It is not a number from {least} to {most}.", least=least, most=most))
            return None
        return value

    def shares(self, url: str) -> Iterator[ShareItem]:
        for raw in self._list(self.raw.get("shares"), "shares"):
            if not isinstance(raw, Mapping):
                self._left_out("shares", Text("It is not a share."))
                continue
            address = self._posted(raw.get("url"), url)
            if address is None:
                self._left_out("shares", Text("This is not an http or https address."))
                continue
            form = _Form(raw, self.line, self.what)
            share = ShareItem(
                url=address,
                sender=form.text("sender", LONGEST_NAME),
                sent_at=form.whole("sent_at", LATEST, EARLIEST),
                note=form.text("note") or "",
                label=form.text("label"),
                room=form.text("room", LONGEST_NAME),
                event=form.text("event", LONGEST_NAME),
            )
            if mark := labels.kept_out(share.words):
                self.kept_out = mark
                self._left_out("shares", _says(mark))
                continue
            yield share
            self.problems += form.problems

    def versions(self) -> Iterator[VersionItem]:
        for raw in self._some(self.raw.get("versions"), "versions"):
            form = _Form(raw if isinstance(raw, Mapping) else {}, self.line, self.what)
            url = self._posted(form.raw.get("url"), "")
            if url:
                yield VersionItem(url, form.texts("title"), form.texts("note"), form.language())
            else:
                self._left_out("versions", Text("This is not an http or https address."))
            self.problems += form.problems

    def addresses(self, name: str) -> Iterator[str]:
        """Addresses of other pages: one, or a list."""
        value = self.raw.get(name)
        for said in self._some([value] if isinstance(value, str) else value, name):
            address = self._posted(said, "")
            if address:
                yield address
            else:
                self._left_out(name, Text("This is not an http or https address."))

    def _posted(self, value: object, url: str) -> str | None:
        """The address of a share; most are those of their item, which was looked at before."""
        if not isinstance(value, str) or value in ("", url):
            return url
        address = without_credentials(clean(value).strip())
        return address if len(address) <= LONGEST_LINK and canonical(address) else None

    def _text(self, value: object, name: str, longest: int) -> str | None:
        if not isinstance(value, str):
            self._left_out(name, Text("It is not a text."))
            return None
        if len(value) > longest:
            self._left_out(name, Text("It is longer than {most} characters.", most=longest))
            return None
        return clean(value)

    def _list(self, value: object, name: str) -> Sequence[object]:
        if value is None:
            return ()
        if not isinstance(value, Sequence) or isinstance(value, str):
            self._left_out(name, Text("It is not a list."))
            return ()
        return value

    def _some(self, value: object, name: str) -> Sequence[object]:
        """A list of other pages, which is not endless."""
        pages = self._list(value, name)
        if len(pages) > MOST_ADDRESSES:
            self._left_out(name, Text("There are more than {most} addresses.", most=MOST_ADDRESSES))
        return pages[:MOST_ADDRESSES]

    def _left_out(self, name: str, why: Text) -> None:
        self.problems.append(self.problem(Text("Read without its '{field}': {why}", field=name, why=why)))


def _is_language(value: object) -> bool:
    return isinstance(value, str) and bool(_LANGUAGE.fullmatch(value))
