"""The head of a page says what it is about, in any language, and can say nothing that does harm."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.knowledge.fetch import html_meta
from plugins.knowledge.fetch.block_pages import is_block_page
from plugins.knowledge.fetch.charset import decode
from plugins.knowledge.fetch.file_type import kind_of
from plugins.knowledge.fetch.html_meta import LONGEST, LONGEST_DESCRIPTION, LONGEST_TITLE, Head, iso_date, iso_language

HERE = "https://www.example.org/es/guia?x=1"

UNTIMED = settings(deadline=None)  # machines are busy at times


def read(html: str | bytes, content_type: str = "text/html; charset=utf-8") -> Head:
    return html_meta.read(html if isinstance(html, bytes) else html.encode(errors="surrogatepass"), content_type, HERE)


SPANISH = """<!DOCTYPE html>
<!--[if IE]><html class="ie"><![endif]-->
<html lang="es-MX" prefix="og: http://ogp.me/ns#"><head>
<meta charset="utf-8"><script>var a = "<title>no</title>";</script><style>a > b { content: "<meta>" }</style>
<title>Guía de regalos | Aduanas</title>
<meta property="og:title" content="Guía de regalos y hospitalidad" />
<meta property='og:description' content='Qué se puede aceptar &amp; qué no.'>
<meta property="og:site_name" content="Administración de Aduanas">
<meta property="article:published_time" content="2026-03-01T10:00:00-06:00">
<meta name=author content="Ana María Núñez">
<link rel="canonical" href="/es/guia">
<link rel="alternate" hreflang="en" href="https://www.example.org/en/guide">
<link rel="alternate" hreflang="pt-BR" href="../pt/guia"><link rel="alternate" hreflang="x-default" href="/">
<link rel="alternate" type="application/rss+xml" href="/feed">
</head><body><title>SVG</title><meta name="author" content="Somebody else"></body></html>"""

FRENCH = """<html lang=fr><head><title>  L&rsquo;éthique
 en douane&nbsp;: le guide&hellip; </title>
<meta name="Description" content="Un guide de l'OMD.">
<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [
 {"@type": "Organization", "name": "OMD"},
 {"@type": ["Thing", "Article"], "headline": "", "author": [{"@type": "Person", "name": "Zoé Lefèvre"}, "Jean Dupont"],
  "datePublished": "2025-11-30", "publisher": {"@type": "Organization", "name": "Organisation mondiale des douanes"}}]}
</script></head>"""

PORTUGUESE = """<head><TITLE>Princípios de conduta ética</TITLE>
<META NAME="DC.Title" CONTENT="Princípios revistos de conduta ética"><META NAME="DC.Language" CONTENT="por">
<META NAME="citation_author" CONTENT="Silva, João"><META NAME="citation_author" CONTENT="Sousa, Inês">
<META NAME="citation_publication_date" CONTENT="2024/7/5">"""

ENGLISH = """<html xml:lang="en_GB"><head><base href="https://cdn.example.net/a/">
<meta name="twitter:title" content="Codes">
<script type="application/ld+json">[{"@type":"WebPage","name":"Page","description":"Of the page"},
{"@type":"Report","name":"Codes of conduct","inLanguage":"en","author":{"name":"R. Roe"}}]</script>
<script type="application/ld+json">{broken</script><link rel="shortlink canonical" href="codes"><title></title>"""

GOLDEN = [
    (SPANISH, Head(
        title="Guía de regalos y hospitalidad", description="Qué se puede aceptar & qué no.",
        site="Administración de Aduanas", author="Ana María Núñez", published="2026-03-01", language="es",
        canonical="https://www.example.org/es/guia",
        alternates={"en": "https://www.example.org/en/guide", "pt-br": "https://www.example.org/pt/guia"},
    )),
    (FRENCH, Head(
        title="L’éthique en douane : le guide…", description="Un guide de l'OMD.",
        site="Organisation mondiale des douanes", author="Zoé Lefèvre, Jean Dupont", published="2025-11-30",
        language="fr",
    )),
    (PORTUGUESE, Head(
        title="Princípios revistos de conduta ética", author="Silva, João, Sousa, Inês", published="2024-07-05",
        language="pt",
    )),
    (ENGLISH, Head(
        title="Codes of conduct", author="R. Roe", language="en", canonical="https://cdn.example.net/a/codes",
    )),
]  # fmt: skip


@pytest.mark.parametrize(("html", "expected"), GOLDEN, ids=["es", "fr", "pt", "en"])
def test_a_page_is_read_in_its_language(html: str, expected: Head) -> None:
    assert read(html) == expected


TITLES = [
    ("<title>a\r\nb\t c</title>", "a b c"),
    ("<title>abc\u202edef\u2066\u200b\ufeff\u0000\u0007</title>", "abcdef"),
    ("<title>&#x202e;abc&#8203;&#0;</title>", "abc\ufffd"),
    ("<title><b>bold</b> &lt;script&gt;</title>", "<b>bold</b> <script>"),
    ("<title>@room [x](javascript:alert(1))</title>", "@room [x](javascript:alert(1))"),
    ("<title>not closed", "not closed"),
    ("<title>one</title><title>two</title>", "one"),
    ("<title> </title><title>two</title>", None),
    ("<title/>x</title>", "x"),
    ("<title lang='>'>quoted</title>", "quoted"),
    ("<meta content='first' property=og:title><meta property=og:title content=second>", "first"),
    ("<meta property=og:title content=''><title>plain</title>", "plain"),
    ("<meta property=og:title content=\"a 'b' > c\">", "a 'b' > c"),
    ("<meta property = 'og:title'\ncontent\n=\n'spaced'/>", "spaced"),
    ("<meta property=og:title content=un closed><title>t</title>", "un"),
    ('<meta property=og:title content="un closed><title>t</title>', None),
    ("<!-- <title>a</title> --><title>b</title>", "b"),
    ("<!--><title>short</title>", "short"),
    ("<!-- <title>a</title>", None),
    ("<![CDATA[ > <title>b</title>", "b"),
    ("<noscript><title>a</title></noscript><title>b</title>", "b"),
    ("<svg><title>icon</title></svg><title>b</title>", "b"),
    ("<script><title>a</title></script ><title>b</title>", "b"),
    ("<script><!-- <title>a</title>", None),
    ("</head><title>a</title>", None),
    ("1 < 2 <3 <> </ <title>b</title>", None),
    ("1 < 2 <3 <> <title>b</title>", "b"),
    ("", None),
    ("<", None),
]


@pytest.mark.parametrize(("html", "title"), TITLES)
def test_titles_are_read_as_a_browser_reads_them_and_tidied(html: str, title: str | None) -> None:
    assert read(html).title == title


def test_a_long_title_is_cut() -> None:
    title = read(f"<title>{'palabra ' * 400_000}</title>").title
    assert title
    assert len(title) <= LONGEST_TITLE
    assert title.endswith("palabra…")


ADDRESSES = [
    "javascript:alert(1)",
    "data:text/html,x",
    "http://[",
    "",
    "http://",
    "http:///x",
    "http://x/\u202e",
    "mailto:a@b.org",
]


@pytest.mark.parametrize("href", ADDRESSES)
def test_what_is_no_web_address_is_no_canonical_one(href: str) -> None:
    page = read(f"<link rel=canonical href='{href}'><link rel=alternate hreflang=en href='{href}'>")
    assert (page.canonical, page.alternates) == (None, {})


def test_an_address_of_any_length_is_no_canonical_one() -> None:
    assert read(f"<link rel=canonical href='/{'a' * 100_000}'>").canonical is None


def test_a_canonical_address_is_given_as_the_page_says_it() -> None:
    """Whether to believe it is for others to judge."""
    assert read("<link rel=canonical href=//other.example>").canonical == "https://other.example"
    assert read("<link rel=canonical href=/>").canonical == "https://www.example.org/"


CHARSETS = [
    ("<title>Guía</title>".encode(), "text/html", "Guía"),
    ("<title>Guía</title>".encode("cp1252"), "text/html", "Guía"),
    ("<title>Guía – €</title>".encode("cp1252"), "text/html; charset=ISO-8859-1", "Guía – €"),
    ("<title>Guía</title>".encode(), 'text/html; charset="UTF-8"', "Guía"),
    ("<meta charset=windows-1252><title>Guía</title>".encode("cp1252"), "text/html", "Guía"),
    ('<meta http-equiv=x content="text/html; charset=iso-8859-15"><title>€</title>'.encode("iso8859-15"), "", "€"),
    ("<title>Руководство</title>".encode("koi8-r"), "text/html;charset=koi8-r", "Руководство"),
    ("\ufeff<title>Guía</title>".encode("utf-16-le"), "text/html; charset=windows-1252", "Guía"),
    ("\ufeff<title>Guía</title>".encode("utf-16-be"), "text/html", "Guía"),
    ("\ufeff<meta charset=koi8-r><title>Guía</title>".encode(), "text/html; charset=koi8-r", "Guía"),
    ("<meta charset=utf-16><title>Guía</title>".encode(), "text/html", "Guía"),
    ("<meta charset=koi8-r><title>Guía</title>".encode(), "text/html; charset=utf-8", "Guía"),
    *(
        ("<title>Guía</title>".encode(), f"text/html; charset={name}", "Guía")
        for name in ("nonsense", "punycode", "base64", "idna", "unicode_escape", "utf-7", "rot13", "../x", "undefined")
    ),
    (b"<title>\xff\xfea</title>", "text/html; charset=utf-8", "��a"),
]


@pytest.mark.parametrize(("data", "content_type", "title"), CHARSETS)
def test_the_encoding_is_found_in_this_order_mark_header_meta_utf8_cp1252(
    data: bytes, content_type: str, title: str
) -> None:
    assert read(data, content_type).title == title


def test_a_character_cut_at_the_end_does_not_change_the_encoding() -> None:
    data = "<title>Guía</title>".encode() + "é".encode()[:1]
    assert decode(data, "") == "<title>Guía</title>"


@pytest.mark.parametrize(
    ("text", "date"),
    [("2026-03-01", "2026-03-01"), ("2026-03-01T23:00:00Z", "2026-03-01"), ("2026/3/1", "2026-03-01"),
    (" 2026-3-1 x", "2026-03-01"),
     ("2026-02-30", None), ("2026-03", None), ("0000-01-01", None), ("March 1, 2026", None), ("2026-03-011",
     None), ("", None)],
)  # fmt: skip
def test_only_whole_dates_count(text: str, date: str | None) -> None:
    assert iso_date(text) == date


@pytest.mark.parametrize(
    ("tag", "language"),
    [("es", "es"), ("es-MX", "es"), ("PT_br", "pt"), ("fr, en", "fr"), ("eng", "en"), ("xx", None), ("qaa",
    None), ("", None)],
)  # fmt: skip
def test_languages_are_iso_639_1(tag: str, language: str | None) -> None:
    assert iso_language(tag) == language


WALLS = [
    "Just a moment...", "Attention Required! | Cloudflare", "Access Denied",
    "Access denied | www.example.org used Cloudflare",
    "403 Forbidden", "404 Not Found", "Error 404", "404", "Page not found - Example",
    "Página no encontrada | Aduanas",
    "Page introuvable – OMD", "Página não encontrada", "Login", "Log in - Confluence", "Sign in to continue",
    "Iniciar sesión | Portal", "Se connecter", "Before you continue to YouTube", "Avant d’accéder à Google",
    "Antes de continuar", "Un momento…", "Are you a robot?", "502 Bad Gateway", "Service Unavailable",
]  # fmt: skip


@pytest.mark.parametrize("title", WALLS)
def test_titles_of_challenges_logins_and_errors_are_known(title: str) -> None:
    assert is_block_page(title)


PAGES = [
    "Access denied: how customs lost its keys", "Human error in customs", "A moment for integrity",
    "Informed consent",
    "Errors and omissions", "Connexion entre douanes", "Not found guilty", "Integrity",
    "Customs Login Security Guide",
    "Consent – the ethics guide", "Single window", "Forbidden gifts | Example", "404 ways to say thanks",
]  # fmt: skip


@pytest.mark.parametrize("title", PAGES)
def test_titles_that_only_sound_like_them_are_kept(title: str) -> None:
    assert not is_block_page(title)


# Hostile pages


def sound(page: Head) -> None:
    for text, longest in (
        (page.title, LONGEST_TITLE), (page.description, LONGEST_DESCRIPTION), (page.site, 100), (page.author, 100),
    ):  # fmt: skip
        if text is not None:
            assert 0 < len(text) <= longest
            assert not {unicodedata.category(char) for char in text} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
            assert text == " ".join(text.split())
    for address in (page.canonical, *page.alternates.values()):
        assert address is None or (address.startswith(("http://", "https://", "HTTP")) and address.isprintable())
    assert len(page.alternates) <= 50


@UNTIMED
@given(st.binary(), st.text(max_size=60))
def test_any_bytes_are_read_without_an_error(data: bytes, content_type: str) -> None:
    sound(read(data, content_type))


PARTS = st.sampled_from(
    ["<", ">", "/", "=", '"', "'", "&", "#", ";", " ", "\n", "\0", "<!--", "-->", "<![CDATA[", "]]>", "<?",
    "</", "title", "meta",
     "<title>", "</title>", "<meta ", "<link ", "<base ", "<script type=application/ld+json>", "</script>",
     "<html ", "lang=",
     "content=", "property=og:title", "name=author", "rel=canonical", "rel=alternate", "hreflang=es", "href=",
     "http://", "[",
     "{", '{"@type":"Article","headline":', "}", "&#9", "&#x202e;", "\u202e", "\ud800", "é", "<body",
     "</head>", "<svg>", "charset="]
)  # fmt: skip


@UNTIMED
@given(st.lists(PARTS | st.text(max_size=5), max_size=40).map("".join))
def test_any_scraps_of_a_head_are_read_without_an_error(html: str) -> None:
    sound(read(html))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(["Article",
    "WebPage"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["@type", "@graph", "name", "headline", "author", "publisher",
    "datePublished"]), inner),
    max_leaves=20,
)  # fmt: skip


@UNTIMED
@given(JSON)
def test_any_json_in_a_page_is_read_without_an_error(document: object) -> None:
    text = json.dumps(document).replace("<", "\\u003c")
    sound(read(f"<script type='application/ld+json'>{text}</script>"))


PATTERNS = [
    "<a ", "<a", "<", "</", "<!", "<?", "<!--", "<![CDATA[", "<!-- --", "<div>", "<div ", "<a b=", '<a b="',
    "<a b='", '<a b="c', "a=",
    "<title>", "<title", "</title", "<script>", "<script", "<script type=application/ld+json>[", "<meta ",
    "<meta charset=",
    "<meta property=og:title content=x>", "<link rel=alternate hreflang=es href=x>", "<svg>", "&#9", "&amp",
    "&", "\0", "é", " ",
    "<base href=x/>", "<html lang=", "=", '"', "'", ">", "<b/", "<a / ", "<meta name='", "<p a=b c=d e='f' g>",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("opening", ["", "<title>", "<meta ", "<meta a='", "<script type=application/ld+json>"])
def test_half_a_megabyte_of_any_pattern_is_read_in_linear_time(opening: str) -> None:
    """With the parsers there are some of these take minutes; here the time limit of a test ends them."""
    for pattern in PATTERNS:
        sound(read((opening + pattern * (LONGEST // len(pattern)))[:LONGEST]))


def test_json_too_deep_or_with_too_long_numbers_is_left_out() -> None:
    for hostile in ("[" * 100_000, "1" * 100_000, '{"a":' * 20_000):
        page = read(f"<script type='application/ld+json'>{hostile}</script><title>plain</title>")
        assert page.title == "plain"


@pytest.mark.parametrize(
    ("content_type", "start", "path", "kind"),
    [
        ("text/html; charset=utf-8", b"<!doctype html>", "/", "html"),
        ("application/xhtml+xml", b"<?xml version='1.0'?><html>", "/", "html"),
        ("", b"\xef\xbb\xbf\n<!-- x --><HTML>", "/", "html"),
        ("application/octet-stream", b"<!DOCTYPE html>", "/", "html"),
        ("application/pdf", b"<html><title>Login</title>", "/a.pdf", "html"),
        ("text/html", b"%PDF-1.7\n", "/", "pdf"),
        ("", b"\r\n%PDF-1.4", "/", "pdf"),
        ("application/pdf", b"hello", "/a.pdf", "other"),
        ("text/html", b"\x7fELF\x02\x01\x01\0\0", "/", "other"),
        ("text/html", b"MZ\x90\0", "/", "other"),
        ("text/html", b"\xff\xfe<\0h\0t\0", "/", "html"),
        ("text/html", b"", "/", "html"),
        ("text/plain", b"hello", "/a.txt", "text"),
        ("IMAGE/png", b"\x89PNG", "/", "image"),
        ("video/mp4", b"\0\0\0", "/", "video"),
        ("application/zip", b"PK\x03\x04", "/a.zip", "other"),
        ("", b"PK\x03\x04" + b"." * 26 + b"[Content_Types].xml...xl/workbook.xml", "/", "xlsx"),
        ("application/octet-stream", b"PK\x03\x04", "/a/minutes.PPTX", "pptx"),
        ("application/msword", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "/x", "doc"),
        ("application/msword", b"PK\x03\x04", "/x.doc", "other"),
        ("", b"PK\x03\x04" + b"." * 26 + b"mimetypeapplication/vnd.oasis.opendocument.textPK", "/", "odt"),
        ("", b"PK\x03\x04" + b"." * 26 + b"mimetypeapplication/x-nonsense", "/a.odt", "other"),
        ("application/json", b"{}", "/", "other"),
        ("nonsense", b"", "", "other"),
    ],
)
def test_a_file_is_what_its_first_bytes_are_not_what_it_is_called(
    content_type: str, start: bytes, path: str, kind: str
) -> None:
    assert kind_of(content_type, start, path) == kind
