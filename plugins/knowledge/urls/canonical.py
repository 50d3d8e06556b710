"""Computes the canonical form of an address: the key for the deduplication of links.

The key is never fetched and never shown; each share keeps its address as posted. The rules (a change of them increments
`VERSION`, and keys of older versions are recomputed):

1. Only http and https addresses with a host have a key. Schemes stay distinct, and hosts with and without `www.`.
2. Scheme and host in lower case; the host as UTS 46 maps it (nontransitional, as browsers do: compatibility forms
   folded, invisible characters gone, `ß` kept), every label that is not ASCII in punycode, so that `münchen.de` and
   `xn--mnchen-3ya.de` are equal. A trailing dot of the host is removed. IPv6 addresses as in RFC 5952, in hexadecimal
   only.
3. Credentials and default ports (80 for http, 443 for https) are removed.
4. `.` and `..` segments of the path are resolved; an empty path is `/`.
5. Percent-encoding as in RFC 3986, section 6.2.2: unreserved characters are decoded, hex digits are upper case,
   non-ASCII characters are encoded as UTF-8. Reserved characters stay as written (`%2F` is not `/`).
6. The query identifies the page: order, repeated and empty parameters stay. Only tracking parameters are removed
   (`_TRACKING`, and at some sites `_TRACKING_AT`): they tell who shared a page or how, not which page it is.
7. The fragment is removed, unless it is a route of a single-page application: `#!…` and `#/…`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set
from ipaddress import IPv6Address
from urllib.parse import unquote

import idna

VERSION = 3
LONGEST_HOST = 253  # characters (RFC 1035, 2.3.4)

_DEFAULT_PORT = {"http": 80, "https": 443}
_TRACKING = frozenset((
    "fbclid", "gclid", "gbraid", "wbraid", "dclid", "msclkid", "mc_eid", "mc_cid", "igshid", "yclid", "ttclid",
    "twclid", "li_fat_id", "mkt_tok", "_hsenc", "_hsmi", "gad_source", "gad_campaignid", "gclsrc", "srsltid", "_gl",
))  # fmt: skip
_TRACKING_AT = {  # added by these sites' share buttons and feeds; elsewhere such parameters may identify the page
    "facebook.com": frozenset(("mibextid",)),
    "instagram.com": frozenset(("igsh",)),
    "linkedin.com": frozenset(("lipi", "rcm", "trackingid", "trk")),
    "spotify.com": frozenset(("si",)),
    "twitter.com": frozenset(("ref_src", "s", "t")),
    "x.com": frozenset(("ref_src", "s", "t")),
    "youtu.be": frozenset(("feature", "si")),
    "youtube.com": frozenset(("feature", "pp", "si")),
}

_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/?#\\]*+)(?P<path>/[^?#]*+)?(?:\?(?P<query>[^#]*+))?(?:#(?P<fragment>.*))?",
    re.IGNORECASE,
)
_PORT = re.compile(r"(?P<host>.*?)(?::(?P<port>[0-9]{0,6}))?", re.ASCII)
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_FORBIDDEN_CATEGORIES = frozenset(("Cc", "Cs", "Zl", "Zp", "Zs"))  # Unicode categories that no address contains
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_KEPT = _UNRESERVED | frozenset("!$&'()*+,;=:@/?[]#")
_ONLY_KEPT = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?\[\]#]*+")


def canonical(address: str) -> str | None:
    """The key of an address; None if the text is not exactly one http(s) address. Never raises.

    `canonical(canonical(x)) == canonical(x)` wherever `x` is an address.
    """
    if not _printable(address):
        return None
    match = _ADDRESS.fullmatch(address)
    if match is None:
        return None
    scheme = match["scheme"].lower()
    authority = _authority(match["authority"].rpartition("@")[2], _DEFAULT_PORT[scheme])
    if authority is None:
        return None
    host = authority.partition(":")[0]
    path = _resolve_dots(_normalize_percent(match["path"] or "/"))
    query = _query(_normalize_percent(match["query"] or ""), host)
    fragment = match["fragment"] or ""
    routes = f"#{_normalize_percent(fragment)}" if fragment.startswith(("!", "/")) else ""
    return f"{scheme}://{authority}{path}{query}{routes}"


def without_credentials(address: str) -> str:
    """The address as posted, without user name and password."""
    return re.sub(r"^(https?://)[^/?#\\]*@", r"\1", address, count=1, flags=re.IGNORECASE)


def _authority(text: str, default_port: int) -> str | None:
    match = _PORT.fullmatch(text)
    if match is None:
        return None
    host = _host(match["host"])
    port = int(match["port"] or default_port)
    if not host or not 0 < port < 65536:
        return None
    return host if port == default_port else f"{host}:{port}"


def _host(text: str) -> str | None:
    if text.startswith("["):
        return _ipv6(text[1:-1]) if text.endswith("]") else None
    try:
        host = unquote(text, errors="strict")
        host = host.lower() if host.isascii() else idna.uts46_remap(host, std3_rules=False, transitional=False)
    except UnicodeError:  # invalid UTF-8, or characters that are not allowed in hosts (idna.IDNAError)
        return None
    host = host.removesuffix(".")
    labels = [_label(label) for label in host.split(".")]
    valid = [label for label in labels if label]
    host = ".".join(valid)
    return host if len(valid) == len(labels) and len(host) <= LONGEST_HOST else None


def _ipv6(text: str) -> str | None:
    try:
        address = IPv6Address(text)
    except ValueError:
        return None
    if address.scope_id is not None:
        return None
    if address.ipv4_mapped:  # Python versions format these differently
        last = int(address.ipv4_mapped)
        return f"[::ffff:{last >> 16:x}:{last & 0xFFFF:x}]"
    return f"[{address}]"


def _label(text: str) -> str | None:
    if not text.isascii():
        if not _printable(text):
            return None
        text = "xn--" + text.encode("punycode").decode("ascii")
    return text if _LABEL.fullmatch(text) else None


def _printable(text: str) -> bool:
    """Whether the text has no white space, control character or lone surrogate."""
    if text.isascii():
        return text.isprintable() and " " not in text
    return not any(unicodedata.category(char) in _FORBIDDEN_CATEGORIES for char in text)


def _normalize_percent(text: str) -> str:
    """Normalises percent-encoding (rule 5)."""
    parts: list[str] = []
    end = 0
    for match in _ENCODED.finditer(text):
        parts.append(_percent_encode(text[end : match.start()]))
        char = chr(int(match[0][1:], 16))
        parts.append(char if char in _UNRESERVED else match[0].upper())
        end = match.end()
    parts.append(_percent_encode(text[end:]))
    return "".join(parts)


def _percent_encode(text: str) -> str:
    """Encodes the characters that are not allowed in an address, a lone `%` too. The text has no valid encodings."""
    if _ONLY_KEPT.fullmatch(text):
        return text
    return "".join(char if char in _KEPT else "".join(f"%{byte:02X}" for byte in char.encode()) for char in text)


def _resolve_dots(path: str) -> str:
    """Removes dot segments (RFC 3986, section 5.2.4) from a path that begins with `/`."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _query(query: str, host: str) -> str:
    if not query:
        return ""
    tracking = _TRACKING.union(
        *(names for site, names in _TRACKING_AT.items() if host == site or host.endswith("." + site))
    )
    kept = [part for part in query.split("&") if not _is_tracking(part.partition("=")[0].lower(), tracking)]
    return "?" + "&".join(kept) if any(kept) or len(kept) > 1 else ""


def _is_tracking(name: str, tracking: Set[str]) -> bool:
    return name in tracking or name.startswith("utm_")
