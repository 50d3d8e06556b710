"""When are two addresses the same page? The key under which links are de-duplicated.

The key is never fetched and never shown; each share keeps its address as it was posted. The rules (`VERSION` counts
their changes; a key made by older rules must be made again):

1. Only http and https, with a host. They stay two different pages, and so do hosts with and without `www.`.
2. Scheme and host in lower case; the host as UTS 46 maps it (nontransitional, as browsers do: compatibility forms
   folded, invisible characters gone, `ß` kept), every label that is not ASCII in punycode, so that `münchen.de` and
   `xn--mnchen-3ya.de` meet. A dot at the end of the host goes. IPv6 addresses as in RFC 5952, in hexadecimal only.
3. User names and passwords before the host go. Ports 80 (http) and 443 (https) go.
4. `.` and `..` segments of the path are resolved; no path is `/`.
5. Percent-encoding as in RFC 3986, section 6.2.2: unreserved characters are decoded, hex digits are upper case,
   what is not ASCII is encoded as UTF-8. Reserved characters stay as they were written (`%2F` is not `/`).
6. The query is the page's identity: order, repeated and empty parameters stay. Only the parameters of `_TRACKING`
   and, at some sites, of `_TRACKING_AT` go: they say how somebody came to a page or who sent it, not which page it is.
7. The fragment goes, except where it routes inside a page that is a program: `#!…` and `#/…`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set
from ipaddress import IPv6Address
from urllib.parse import unquote

import idna

VERSION = 2
LONGEST_HOST = 253  # characters (RFC 1035, 2.3.4)

_DEFAULT_PORT = {"http": 80, "https": 443}
_TRACKING = frozenset((
    "fbclid", "gclid", "gbraid", "wbraid", "dclid", "msclkid", "mc_eid", "mc_cid", "igshid", "yclid", "ttclid",
    "twclid", "li_fat_id", "mkt_tok", "_hsenc", "_hsmi",
))  # fmt: skip
_TRACKING_AT = {  # what these sites' "share" buttons and feeds add; elsewhere such names may be the page's identity
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
_NEVER = frozenset(("Cc", "Cs", "Zl", "Zp", "Zs"))  # categories of characters that no address has
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_KEPT = _UNRESERVED | frozenset("!$&'()*+,;=:@/?[]#")
_ONLY_KEPT = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?\[\]#]*+")


def canonical(address: str) -> str | None:
    """The key of an address; None if the text is not one http(s) address. Never raises.

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
    path = _without_dots(_percent(match["path"] or "/"))
    query = _query(_percent(match["query"] or ""), host)
    fragment = match["fragment"] or ""
    routes = f"#{_percent(fragment)}" if fragment.startswith(("!", "/")) else ""
    return f"{scheme}://{authority}{path}{query}{routes}"


def without_credentials(address: str) -> str:
    """The address as posted, but for a user name and password before the host."""
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
    except UnicodeError:  # wrong UTF-8, or characters that no host may have (idna.IDNAError)
        return None
    host = host.removesuffix(".")
    labels = [_label(label) for label in host.split(".")]
    known = [label for label in labels if label]
    host = ".".join(known)
    return host if len(known) == len(labels) and len(host) <= LONGEST_HOST else None


def _ipv6(text: str) -> str | None:
    try:
        address = IPv6Address(text)
    except ValueError:
        return None
    if address.scope_id is not None:
        return None
    if address.ipv4_mapped:  # which Python writes in two ways, depending on its version
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
    """Is there neither white space, nor a control character, nor half of a surrogate pair?"""
    if text.isascii():
        return text.isprintable() and " " not in text
    return not any(unicodedata.category(char) in _NEVER for char in text)


def _percent(text: str) -> str:
    """Percent-encoding in its one normal form (rule 5)."""
    parts: list[str] = []
    end = 0
    for match in _ENCODED.finditer(text):
        parts.append(_encode(text[end : match.start()]))
        char = chr(int(match[0][1:], 16))
        parts.append(char if char in _UNRESERVED else match[0].upper())
        end = match.end()
    parts.append(_encode(text[end:]))
    return "".join(parts)


def _encode(text: str) -> str:
    """Text without valid percent-encodings: what may not stand in an address is encoded, a lone `%` too."""
    if _ONLY_KEPT.fullmatch(text):
        return text
    return "".join(char if char in _KEPT else "".join(f"%{byte:02X}" for byte in char.encode()) for char in text)


def _without_dots(path: str) -> str:
    """RFC 3986, section 5.2.4, for a path that begins with `/`."""
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
    kept = [part for part in query.split("&") if not _tracks(part.partition("=")[0].lower(), tracking)]
    return "?" + "&".join(kept) if any(kept) or len(kept) > 1 else ""


def _tracks(name: str, tracking: Set[str]) -> bool:
    return name in tracking or name.startswith("utm_")
