"""A message shares the links a person sees in it, each page once, in the sharer's own words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.knowledge.capture.labels import strip_labels
from plugins.knowledge.capture.links import (
    LONGEST_LABEL,
    LONGEST_LINK,
    LONGEST_NOTE,
    MOST_LINKS,
    Link,
    SharedLinks,
    shared_links,
    visible_text,
)
from plugins.knowledge.text.folding import fold

PLAIN = [
    ("see https://example.org/a.", ["https://example.org/a"]),
    ("https://example.org/a, https://example.org/b; and https://example.org/c!", ["a", "b", "c"]),
    ("(https://example.org/a)", ["https://example.org/a"]),
    ("(see https://example.org/wiki/A_(b))", ["https://example.org/wiki/A_(b)"]),
    ("“https://example.org/a…”", ["https://example.org/a"]),
    ("«https://example.org/a»", ["https://example.org/a"]),
    ("‘https://example.org/a’", ["https://example.org/a"]),
    ("<https://example.org/a>", ["https://example.org/a"]),
    ("HTTPS://EXAMPLE.ORG/A?", ["HTTPS://EXAMPLE.ORG/A"]),
    ("[the guide](https://example.org/a), new", ["https://example.org/a"]),
    ("**https://example.org/a**", ["https://example.org/a"]),
    ("https://example.org/a\u200b now", ["https://example.org/a"]),
    ("见https://example.org/a", ["https://example.org/a"]),
    ("https://ana:pw@example.org/a", ["https://example.org/a"]),
    ("https://example.org/?sCodigo=C-314/12", ["https://example.org/?sCodigo=C-314/12"]),
    ("http://example.org/a http://example.org/a#2", ["http://example.org/a"]),
    ("README.md and it.to and xhttps://example.org and https://", []),
    ("> https://example.org/quoted\nmine: https://example.org/a", ["https://example.org/a"]),
    ("`https://example.org/code` https://example.org/a", ["https://example.org/a"]),
    ("```\nhttps://example.org/code\n```\nhttps://example.org/a", ["https://example.org/a"]),
    ("https://matrix.to/#/@ana:example.org https://hs.example.org/_matrix/media/v3/download/x/y", []),
    ("mxc://example.org/abc matrix:u/ana:example.org ftp://example.org javascript:alert(1)", []),
    ("https://example.org/secret !nolog", []),
    ("!NoLog https://example.org/secret", []),
    ("we discussed !nologs https://example.org/a", ["https://example.org/a"]),
    ("(!nolog) https://example.org/secret", []),
    # punctuation, brackets and markup round an address
    ("(https://example.org/a)and (https://example.org/b),c", ["a", "b"]),
    ("[see https://example.org/a]: more", ["a"]),
    ("[https://example.org/a](https://example.org/b)", ["a", "b"]),
    ("(https://en.example.org/wiki/Gift_(law)).", ["https://en.example.org/wiki/Gift_(law)"]),
    ("https://example.org/?a[]=1&b[x]=2.", ["https://example.org/?a[]=1&b[x]=2"]),
    ("_https://example.org/a_ ~~https://example.org/b~~ https://example.org/c_", ["a", "b", "c_"]),
    ("|https://example.org/a|guide|\n|---|---|\n| https://example.org/b | other |", ["a", "b"]),
    ("||https://example.org/a|| a spoiler", ["a"]),
    ("- https://example.org/a\n* https://example.org/b\n1. https://example.org/c", ["a", "b", "c"]),
    ("https://example.org/a—good, https://example.org/b –", ["a—good", "b"]),
    ("見て（https://example.org/a）、https://example.org/b。", ["a", "b"]),
    ("&lt;https://example.org/?a=1&amp;b=2&gt; and &quot;https://example.org/c&quot;",
     ["https://example.org/?a=1&b=2", "c"]),
    ("https://example.org/a&nbsp;b https://example.org/b\u00adc", ["a", "b"]),
    ("https://münchen.example/straße", ["https://münchen.example/straße"]),
    ("https://example.org/\u202egnp.exe", ["https://example.org/"]),
    # code and quotations
    ("``` https://example.org/code ``` https://example.org/a", ["a"]),
    ("````\n```\nhttps://example.org/code\n```\n````\nhttps://example.org/a", ["a"]),
    ("```\nhttps://example.org/code\n```python\nhttps://example.org/code\n~~~", []),
    ("~~~\nhttps://example.org/code\n~~~\nhttps://example.org/a", ["a"]),
    ("try ```\nhttps://example.org/code\n``` or https://example.org/a\nhttps://example.org/b", ["a", "b"]),
    ("try ```\n> https://example.org/code\n```\nthen https://example.org/a", ["a"]),
    ("```\nno ``` span\n```\nhttps://example.org/a\nstray ``` here\n> https://example.org/quoted", ["a"]),
    ("l`intégrité: https://example.org/a (d`ici)", ["a"]),
    ("  > https://example.org/quoted\n>https://example.org/quoted\nhttps://example.org/a", ["a"]),
    # Matrix itself, and what is no web address
    ("https://app.example.org/#/room/#gifts:example.org https://chat.example.org/x/#/room/!a:b/$c", []),
    ("https://chat.example.org/#/user/@ana:example.org https://www.matrix.to/#/%23gifts:example.org", []),
    ("https://app.example.org/#/rooms/4 https://app.example.org/#/room/4",
     ["https://app.example.org/#/rooms/4", "https://app.example.org/#/room/4"]),
    ("//127.0.0.1/x file:///etc/passwd data:text/html,x gopher://a.org", []),
    ("http://127.0.0.1\\@example.com/ http://127.0.0.1%00.example.com/ https://a..b/", []),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), PLAIN)
def test_links_in_plain_text(body: str, expected: list[str]) -> None:
    whole = [url if "://" in url.lower() else f"https://example.org/{url}" for url in expected]
    assert [link.url for link in shared_links(body).links] == whole


FORMATTED = [
    ('<a href="https://example.org/a">the guide</a>', [("https://example.org/a", "the guide")]),
    ("<A HREF='https://example.org/?a=1&amp;b=2'>x</A>", [("https://example.org/?a=1&b=2", "x")]),
    ("<a title='href=x' href=https://example.org/a>x</a>", [("https://example.org/a", "x")]),
    ("<a href=\"https://example.org/a\">https://example.org/a</a>", [("https://example.org/a", None)]),
    ("<p>see https://example.org/a.</p>", [("https://example.org/a", None)]),
    ("<b>https://example.org/?a=1&amp;b=2</b>", [("https://example.org/?a=1&b=2", None)]),
    ("https://example.org/a<br>next", [("https://example.org/a", None)]),
    ("<mx-reply><blockquote>https://example.org/q</blockquote></mx-reply>https://example.org/a",
     [("https://example.org/a", None)]),
    ("<pre><code>https://example.org/code</code></pre>https://example.org/a", [("https://example.org/a", None)]),
    ("<code><a href='https://example.org/code'>x</a></code>", []),
    ("<!-- https://example.org/comment -->https://example.org/a", [("https://example.org/a", None)]),
    ("<a href='https://matrix.to/#/@ana:example.org'>Ana</a>", []),
    ("<a href='javascript:alert(1)'>x</a><a>y</a><a name='https://example.org'>z</a>", []),
    ("<a href='https://example.org/a'>unclosed", [("https://example.org/a", "unclosed")]),
    ("1 < 2 https://example.org/a", [("https://example.org/a", None)]),
    ("a <b and c https://example.org/a", [("https://example.org/a", None)]),
    ("<a href='https://example.org/?a=1&section=2'>x</a>", [("https://example.org/?a=1&section=2", "x")]),
    ("<a href='https://example.org/a'>x</a> <b>!nolog</b>", []),
    ("<table><tr><td>https://example.org/a</td><td>https://example.org/b</td></tr></table>",
     [("https://example.org/a", None), ("https://example.org/b", None)]),
    ("<ul><li>https://example.org/a</li><li><a href='https://example.org/b'>B</a></li></ul>",
     [("https://example.org/a", None), ("https://example.org/b", "B")]),
    ("<details><summary>more</summary>https://example.org/a</details>", [("https://example.org/a", None)]),
    ("<span data-mx-spoiler='why'>https://example.org/a</span>", [("https://example.org/a", None)]),
    ("&lt;https://example.org/a&gt;", [("https://example.org/a", None)]),
    ("https://example.org/<wbr>long<b>er</b>", [("https://example.org/longer", None)]),
    ("<script>https://example.org/x</script><style>https://example.org/y</style>https://example.org/a",
     [("https://example.org/a", None)]),
    ("<!-->https://example.org/a<!---->", [("https://example.org/a", None)]),
    ("<!-- https://example.org/comment", []),
    ("<a href='https://example.org/my file.pdf'>f</a>", [("https://example.org/my%20file.pdf", "f")]),
    ("<a href='https://example.org/a\tb'>x</a><a href='//127.0.0.1/x'>x</a>", []),
    ("<a href='https://example.org/long/a'>example.org/lo…</a>", [("https://example.org/long/a", None)]),
    ("<a href='https://www.example.org/'>www.example.org</a>", [("https://www.example.org/", None)]),
    ("<a href='https://example.org/guide'>guide</a>", [("https://example.org/guide", "guide")]),
    ("<a href='https://example.org/a'><code>faro find</code></a>", [("https://example.org/a", None)]),
    ("<blockquote><p><a href='https://example.org/q'>q</a></p></blockquote><a href='https://example.org/a'>a.b</a>",
     [("https://example.org/a", "a.b")]),
]  # fmt: skip


@pytest.mark.parametrize(("html", "expected"), FORMATTED)
def test_links_in_formatted_text(html: str, expected: list[tuple[str, str | None]]) -> None:
    assert [(link.url, link.label) for link in shared_links("body", html).links] == expected


def test_the_formatted_text_counts_where_there_is_one() -> None:
    """It is what a person sees."""
    assert shared_links("https://example.org/plain", "<i>https://example.org/a</i>").links == (
        Link("https://example.org/a", "https://example.org/a"),
    )


def notes(body: str, html: str | None = None) -> list[str]:
    return [link.note for link in shared_links(body, html).links]


@pytest.mark.parametrize(
    ("body", "html", "note"),
    [
        ("A good guide: https://example.org/a (short)", None, "A good guide: (short)"),
        ("[The guide](https://example.org/a) helps", None, "The guide helps"),
        ("(https://example.org/a)", None, ""),
        ("> somebody's words\nhttps://example.org/a mine", None, "mine"),
        ("x", "<p>One <b>good</b></p><p><a href='https://example.org/a'>guide</a></p>", "One good guide"),
        ("https://example.org/a \u202eevil\u202c\x07 words", None, "evil words"),
        ("[https://example.org/a](https://example.org/a) good", None, "good"),
        ("asked matrix:u/ana:example.org about https://example.org/a", None, "asked about"),
        ("thanks https://matrix.to/#/@ana:example.org for https://example.org/a", None, "thanks for"),
    ],
)
def test_the_note_is_the_message_without_the_link(body: str, html: str | None, note: str) -> None:
    assert notes(body, html) == [note]


@pytest.mark.parametrize(
    ("body", "note"),
    [
        ("see https://example.org/a.", "see."),
        ("see (https://example.org/a).", "see."),
        ("see https://example.org/a, then ask", "see, then ask"),
        ("Guide: https://example.org/a.", "Guide"),
        ("**https://example.org/a** __good__", "__good__"),
        ("**https://example.org/a**", ""),
        ("“https://example.org/a” is good", "is good"),
        ("voir : https://example.org/a", "voir"),
        ("- https://example.org/a: good", "good"),
    ],
)
def test_no_punctuation_is_left_where_an_address_stood(body: str, note: str) -> None:
    assert notes(body) == [note]


def test_a_long_note_is_cut_at_words_around_the_link() -> None:
    [note] = notes("https://example.org/a " + "palabra " * 100)
    assert len(note) <= LONGEST_NOTE
    assert note.endswith("palabra…")
    [note] = notes("palabra " * 100 + "https://example.org/a zanzibarista")
    assert note.startswith("…palabra palabra")
    assert note.endswith("palabra zanzibarista")
    assert LONGEST_NOTE - 20 < len(note) <= LONGEST_NOTE
    [note] = notes("palabra " * 100 + "antes https://example.org/a después " + "palabra " * 100)
    assert "antes después" in note
    assert len(note) <= LONGEST_NOTE


A, B, C = "https://example.org/a", "https://example.org/b", "https://example.org/c"
SEVERAL = [
    (f"Gift policy: {A}\nAudit: {B}\nSurvey: {C}", None, ["Gift policy", "Audit", "Survey"]),
    (f"Digest: May\n- Gift policy: {A}\n- Audit: {B}\n  for partners",
     None, ["Gift policy · Digest: May", "Audit: for partners · Digest: May"]),
    (f"Gifts\n{A}\nAudit\n{B}", None, ["Gifts", "Audit"]),
    (f"Gifts\n{A}\n\nAudit\n{B}\nby Ana", None, ["Gifts", "Audit by Ana"]),
    (f"Gifts\n\n{A}\n\nAudit\n\n{B}", None, ["Gifts", "Audit"]),
    (f"{A}\nGifts\n{B}\nAudit", None, ["Gifts", "Audit"]),
    (f"{A} on gifts, {B} on auditing", None, ["on gifts", "on auditing"]),
    (f"For gifts see {A}; for audits {B}.", None, ["For gifts see", "for audits."]),
    (f"see {A} and {B} on gifts", None, ["see and on gifts"] * 2),
    (f"Gifts:\n{A}\n{B}\n\nAudits:\n{C}", None, ["Gifts", "Gifts", "Audits"]),
    (f"- [Gifts]({A}) one\n- [Audit]({B}) two", None, ["Gifts one", "Audit two"]),
    (f"{A} {B}", None, ["", ""]),
    ("", f"<p>May</p><h3>Gifts</h3><ul><li><a href='{A}'>Guide</a> new</li><li>{B} old</li></ul><h3>Audit</h3>{C}",
     ["Guide new · May Gifts", "old · May Gifts", "Audit"]),
    ("", f"<p>Gifts<br />\n<a href='{A}'>{A}</a></p>\n<p>Audit<br />\n<a href='{B}'>{B}</a></p>", ["Gifts", "Audit"]),
    ("", f"<table><tr><td>Gifts</td><td>{A}</td></tr><tr><td>Audit</td><td>{B}</td></tr></table>", ["Gifts", "Audit"]),
    ("", f"For gifts <a href='{A}'>this one</a>, for audits <a href='{B}'>that one</a>",
     ["For gifts this one", "for audits that one"]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "html", "expected"), SEVERAL)
def test_each_of_several_links_has_the_words_beside_it(body: str, html: str | None, expected: list[str]) -> None:
    assert notes(body, html) == expected


def test_what_is_a_links_own_is_not_cut_for_what_it_shares_with_others() -> None:
    found = notes("palabra " * 100 + f"\n- {'uno ' * 60}{A}\n- {'dos ' * 60}{B}")
    assert found[0].startswith("uno uno")
    assert found[1].startswith("dos dos")
    assert all("palabra…" in note and len(note) <= LONGEST_NOTE for note in found)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"{A} #gifts\n{B} #audit", [["gifts"], ["audit"]]),
        (f"May #digest\n- {A} #gifts\n- {B}\n#partners", [["gifts", "digest", "partners"], ["digest", "partners"]]),
        (f"Guide #gifts\n{A}\n\nManual\n{B}\n#audit\n\n#all", [["gifts", "all"], ["audit", "all"]]),
        (f"{A} and {B} #gifts", [["gifts"], ["gifts"]]),
    ],
)
def test_hashtags_belong_to_the_link_they_stand_beside_or_to_all(body: str, expected: list[list[str]]) -> None:
    assert [list(link.hashtags) for link in shared_links(body).links] == expected


@pytest.mark.parametrize(
    ("words", "bare"),
    [
        ("the draft #gifts TLP:AMBER", "the draft gifts"),
        ("[TLP:AMBER+STRICT] the draft", "the draft"),
        ("TLP:PURPLE C# #12", "TLP:PURPLE C# 12"),
    ],
)
def test_words_without_marks(words: str, bare: str) -> None:
    assert strip_labels(words) == bare


def test_a_label_is_of_the_whole_message() -> None:
    assert shared_links(f"Guide {A}\nManual {B} TLP:AMBER").label == "amber"
    assert shared_links(f"Guide {A}\n\nManual {B}\n\n!nolog") == SharedLinks()


def test_a_message_is_bounded() -> None:
    many = " ".join(f"https://example.org/{number}" for number in range(500))
    assert len(shared_links(many).links) == MOST_LINKS
    long = "https://example.org/" + "a" * LONGEST_LINK
    assert shared_links(f"{long} https://example.org/b").links == (
        Link("https://example.org/b", "https://example.org/b"),
    )


HOSTILE = [
    "<a " * 30_000, "<a \"" * 20_000, "<a '\"" * 20_000, "<!--" * 20_000, "</" * 40_000, "<a href='" * 10_000,
    "<a " + "x=" * 40_000, "<a " + "'" * 60_000, "<a" + " " * 65_000, "<pre>" * 15_000, "&" * 65_000,
    "<a href='https://example.org/" + ")" * 65_000, "`" * 65_000, "` " * 30_000, "[" * 65_000, "[](" * 20_000,
    "https://" * 9_000, "https://a" + ")" * 65_000, "https://a.org/" + ").," * 600, "```\n" * 15_000,
    "#" * 65_000, "#a-" * 20_000, "#a:" * 20_000, "TLP:" * 16_000, "tlp" + " " * 60_000, "~" * 65_000,
    "https://a.org/" + "([{" * 20_000, ("https://a.org/" + "([{" * 600 + " ") * 30, "matrix:u/" * 7_000,
    "|https://a|" * 6_000, "https://a.b " * 5_000, "x https://a.b\n\n" * 4_000, "\n- a https://a.b" * 4_000,
    "".join(f"word https://a.b/{n} " for n in range(3_000)), "".join(f"\n \nhttps://a.b/{n}" for n in range(3_000)),
    "".join(f"x\nhttps://a.b/{n}\n" for n in range(3_000)), "".join(f"#a{n} https://a.b/{n}\n#b" for n in range(3_000)),
    "a" + " " * 30_000 + "https://a.b/1" + "." * 30_000 + "https://a.b/2", "\n " * 30_000,
    "a```\n" * 12_000, "a```b\n> x\n```\n" * 4_000, "<br>\n" * 12_000,
    "<a href='https://a.b/1'>x</a>" * 2_000, "󰀀" * 30_000 + "https://a.b",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_read_in_one_go(text: str) -> None:
    """It ends (the suite's time limit is the judge)."""
    shared_links(text)
    shared_links("body", text)


HASHTAGS = [
    ("#regalos", ["regalos"]),
    ("#Gift-Policy, #gift_policy and #GIFTS!", ["gift-policy", "gifts"]),
    ("#Ética #e\u0301tica (#integridade)", ["etica", "integridade"]),
    ("#2030agenda #12 #", ["2030agenda"]),
    ("ask in #gifts:example.org or #a.b:example.org:8448", []),
    ("#gifts: see below", ["gifts"]),
    ("https://example.org/#section /#here C# &#39; a#b ##c", []),
    ("# A heading", []),
    ("`#code` > #mine\n> #quoted", ["mine"]),
    ("#" + "a" * 65, []),
    (" ".join(f"#tag{number}" for number in range(20)), [f"tag{number}" for number in range(10)]),
]  # fmt: skip


@pytest.mark.parametrize(("words", "expected"), HASHTAGS)
def test_hashtags_are_words_people_marked(words: str, expected: list[str]) -> None:
    assert list(shared_links(f"https://example.org/a\n{words}").links[0].hashtags) == expected


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ("no label here", None),
        ("TLP:AMBER", "amber"),
        ("TLP: green", "green"),
        ("[tlp:clear]", "clear"),
        ("TLP:WHITE", "clear"),
        ("TLP:AMBER+STRICT", "amber"),
        ("**TLP:** **AMBER**", "amber"),
        ("ＴＬＰ：ＧＲＥＥＮ", "green"),
        ("#TLP-Amber", "amber"),
        ("TLP:ÁMBAR", "amber"),
        ("TLP:verde", "green"),
        ("TLP–AMBER", "amber"),
        ("TLP/AMBER", "amber"),
        ("TLP = AMBER", "amber"),
        ("[TLP]AMBER", "amber"),
        ("TLP:GREEN, the annex is TLP:AMBER", "amber"),
        ("the TLP white paper", None),
        ("TLP:PURPLE", None),
        ("xTLP:AMBER", None),
        ("TLP:REDACTED", None),
        ("> TLP:RED\nTLP:GREEN", "green"),
    ],
)
def test_a_sharing_label_is_read_from_the_words(words: str, label: str | None) -> None:
    found = shared_links(f"{words}\nhttps://example.org/a")
    assert found.label == label
    assert found.links


@pytest.mark.parametrize(
    "label", ["TLP:RED", "tlp: red", "TLP-RED", "TLP:GREEN TLP:RED", "TLP:ROJO", "<b>TLP:</b> Red"]
)
def test_what_is_marked_red_shares_nothing(label: str) -> None:
    assert shared_links("body", f"{label} #gifts https://example.org/a").links == ()
    assert shared_links("body", f"{label} #gifts https://example.org/a") == SharedLinks()


@given(st.text(st.sampled_from("#-_:aé1 \n./&TLPREDlpgn"), max_size=400))
def test_hashtags_are_few_short_and_folded(words: str) -> None:
    tags = [tag for link in shared_links(f"{words}\nhttps://example.org/a").links for tag in link.hashtags]
    assert len(tags) == len(set(tags)) <= 10
    for tag in tags:
        assert tag == fold(tag) != ""
        assert len(tag) <= 64
        assert not set("#:_ ") & set(tag)


@given(
    st.sampled_from(["", "(", "[", "<", "«", "“", "‘", "*", "**", "_", "see ", "\n- ", "（", "'"]),
    st.sampled_from(
        ["", ".", ",", ")", ").", "]", ">", "»", "”", "…", "!?", "*", "**", "’", " ok", "\n", "\u200b", "）", "'"]
    ),
    st.sampled_from(["a", "a_(b)", "a/", "?x=1&y=[2]", "a-b_c", "é", "#!/x", "~ana/%20"]),
)
def test_what_stands_round_an_address_is_no_part_of_it(before: str, after: str, path: str) -> None:
    assert [link.url for link in shared_links(f"{before}https://example.org/{path}{after}").links] == [
        f"https://example.org/{path}"
    ]


@given(st.text(), st.none() | st.text(st.sampled_from("<a href='https://x.y/\">`&;![]()")))
def test_any_message_can_be_read(body: str, html: str | None) -> None:
    found = shared_links(body, html)
    assert len({link.canonical for link in found.links}) == len(found.links) <= MOST_LINKS
    assert all(len(link.url) <= LONGEST_LINK and len(link.label or "") <= LONGEST_LABEL for link in found.links)
    assert all(len(link.note) <= LONGEST_NOTE for link in found.links)
    visible_text(body, html)


@given(
    st.lists(
        st.sampled_from(["\n", "\n\n", " ", "- ", "words ", "more. ", A, B, f"[x]({C})", "󰀁", "#tag ", "(", ")"]),
        max_size=40,
    )
)
def test_no_word_of_a_message_with_links_is_lost(parts: list[str]) -> None:
    """Where all fits into the notes, the links together have all the words."""
    said_ = f"aquí {' '.join(parts)} allí"
    links = shared_links(said_).links
    told = " ".join(link.note for link in links)
    assert not links or {"aquí", "allí"} <= set(re.findall(r"\w+", told))
    assert not any("󰀀" <= char <= "󿿿" for char in told)


@pytest.mark.parametrize("digits", [999, 4_301, 30_000])
def test_a_character_reference_without_end_harms_nothing(digits: int) -> None:
    number = "&#" + "0" * digits
    html = f'<a href="https://example.org/{number}">x {number}</a> <a href="https://example.org/b">b</a>'
    assert shared_links("", html).links[-1].url == "https://example.org/b"


def test_what_forbids_keeping_counts_in_the_plain_text_too() -> None:
    """Apps without HTML show it; a quotation there says nothing of the message."""
    html = f'<a href="{A}">Guide</a>'
    assert shared_links(f"{A} TLP:RED", html).links == ()
    assert shared_links(f"{A} !nolog", html).links == ()
    assert len(shared_links(f"> TLP:RED\n{A}", html).links) == 1
