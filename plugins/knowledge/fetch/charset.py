"""Decodes a page: by byte order mark, then HTTP header, then its own `<meta>`, else as UTF-8 or cp1252."""

from __future__ import annotations

import codecs
import re

_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_IN_HEADER = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_IN_META = re.compile(rb"<meta\b[^>]{0,500}?charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_META_WITHIN = 2_048  # bytes; the HTML standard looks at 1,024
# Encodings of the web (WHATWG Encoding Standard) by Python's names. Python has others, and not all of them are safe to
# decode: punycode takes quadratic time.
_WEB_ENCODINGS = frozenset(
    re.findall(
        r"\S+",
        """
        big5 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp866 cp874 euc_jp euc_kr gb18030 gb2312
        gbk iso2022_jp iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-10 iso8859-13
        iso8859-14 iso8859-15 iso8859-16 koi8-r koi8-u mac-roman shift_jis utf-8 utf-16 utf-16-be utf-16-le
        """,
    )
)
_WEB_MEANING = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254"}  # what browsers read them as


def decode(data: bytes, content_type: str) -> str:
    """The text of a page, whatever encoding it declares; undecodable bytes become U+FFFD. Never raises."""
    for mark, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    in_header = _IN_HEADER.search(content_type)
    if in_header and (codec := _web_codec(in_header[1])):
        return data.decode(codec, "replace")
    in_meta = _IN_META.search(data, 0, _META_WITHIN)
    if in_meta and (codec := _web_codec(in_meta[1].decode("ascii"))):
        # The declaration was read as ASCII, so the page is not UTF-16 (HTML Standard, "prescan a byte stream").
        return data.decode("utf-8" if codec.startswith("utf-16") else codec, "replace")
    try:
        # A character truncated at the end does not indicate another encoding.
        return codecs.getincrementaldecoder("utf-8")("strict").decode(data)
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _web_codec(label: str) -> str | None:
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return None
    return _WEB_MEANING.get(name, name if name in _WEB_ENCODINGS else None)
