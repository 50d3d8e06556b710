"""SSRF guard: decides from its text whether an address may be fetched, and whether an IP address is public.

An address is parsed once, here, and the same parts serve every check and the request: such guards are bypassed where
two parsers disagree about where the host ends.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import urljoin

from yarl import URL

from plugins.knowledge.fetch.facts import FetchError, Reason
from plugins.knowledge.urls.display import has_secret
from plugins.knowledge.urls.host_names import host_name

LONGEST = 2048  # characters of an address

IP = IPv4Address | IPv6Address
IsPublic = Callable[[IP], bool]


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's rules. Hosts in `allow` and `deny` include their subdomains; an empty `allow` allows all."""

    ports: frozenset[int] = frozenset((80, 443))
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


# IANA IPv4 Special-Purpose Address Registry (RFC 6890 and later), and 168.63.129.16: Azure's host.
_NOT_PUBLIC_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
            "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
            "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)  # fmt: skip
# In IPv6 only 2000::/3 is allocated; everything else (loopback, mapped, compatible and translated IPv4, NAT64, unique
# local, link-local, site-local, multicast) is not public. Within it: Teredo and other protocols (2001::/23),
# documentation (2001:db8::/32, 3fff::/20), 6to4 (2002::/16), AS112 (2620:4f:8000::/48).
_PUBLIC_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
)  # fmt: skip


def is_public(ip: IP) -> bool:
    """Whether the address is on the public internet, however it is written or embedded.

    `ipaddress.is_global` is not enough: it lets multicast, NAT64, 6to4, mapped and site-local addresses through.
    """
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_4)
    return ip.scope_id is None and ip in _PUBLIC_6 and not any(ip in network for network in _NOT_PUBLIC_6)


_URL = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/?#\\]++)(?P<path>/[^?#]*+)?(?P<query>\?[^#]*+)?(?P<fragment>#.*+)?",
    re.IGNORECASE,
)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[^\[\]:@%]{1,253})(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")  # URL Standard, "ends in a number": such a host is read as an IPv4 address
_UNESCAPED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?%[]#|^`{}")
_LOCAL_SUFFIXES = (
    "localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa", "onion",
    "test", "invalid",
)  # fmt: skip
_MATRIX_PATHS = ("/_matrix/", "/_synapse/")
# Addresses whose request has a side effect, or that work only once. A false positive costs no more than a title.
_SIDE_EFFECTS = re.compile(
    r"""[/?&=_.-](?:unsubscribe|opt-?out|log-?out|sign-?out|magic-?(?:link|login)|one-?time|password-?reset
    |reset-?password|verify-?email|email-?verif\w*|confirm-?email|activate-?account|desuscribir\w*
    |cancelar-suscripcion|desinscrever|se-?desabonner|desabonnement)(?![a-z])
    |[?&;#](?:ticket|otp|sid|phpsessid|jsessionid|invite|confirmation(?:_?\w+)?|nonce|hmac|x-(?:amz|goog)-[a-z-]+)=""",
    re.IGNORECASE | re.VERBOSE,
)
# Parameters of presigned URLs: a server that redirects to its object store has just issued them for our request.
_SIGNATURE_PARAMETER = re.compile(r"(?<=[?&])(?:x-(?:amz|goog)-[a-z-]+|sig|signature)=[^&#]*+", re.IGNORECASE)


def check_url(url: str, policy: Policy, public: IsPublic = is_public) -> URL:
    """The address to request for `url`: host as in DNS, non-ASCII characters percent-encoded, no fragment; all else
    unchanged.

    Raises `FetchError(BLOCKED)` if it may not be fetched. If the host is a name, its IP addresses are not known yet:
    the caller must check them once they are resolved.
    """
    parsed = _parse(url, policy, public)
    if has_side_effect(url):
        raise _blocked("asking for it may use it up")
    return parsed


def check_redirect(base: URL, location: str, policy: Policy, public: IsPublic = is_public) -> URL:
    """The target of a redirect from `base`; checked like any address, except that presigned URLs are allowed."""
    if _has_control_characters(location):
        raise _blocked("control characters")
    try:
        url = urljoin(str(base), location)
    except ValueError:
        raise _blocked("no web address") from None
    parsed = _parse(url, policy, public)
    if has_side_effect(_SIGNATURE_PARAMETER.sub("", url)):
        raise _blocked("asking for it may use it up")
    return parsed


def has_side_effect(url: str) -> bool:
    """Whether the address holds a secret, or looks as if requesting it has a side effect."""
    return has_secret(url) or bool(_SIDE_EFFECTS.search(url.partition("://")[2]))


def _parse(url: str, policy: Policy, public: IsPublic) -> URL:
    match = _URL.fullmatch(url)
    if match is None or len(url) > LONGEST or _has_control_characters(url):
        raise _blocked("no web address")
    scheme = match["scheme"].lower()
    authority = _AUTHORITY.fullmatch(match["authority"])
    if authority is None:
        raise _blocked("no plain host")
    port = int(authority["port"] or (443 if scheme == "https" else 80))
    if port not in policy.ports:
        raise _blocked(f"port {port}")
    host = _checked_host(authority["host"], public)
    path = _percent_encoded(match["path"] or "/")
    query = _percent_encoded(match["query"] or "")
    if _matches_host(host, policy.deny) or (policy.allow and not _matches_host(host, policy.allow)):
        raise _blocked("left out by the lists of hosts")
    if host == "matrix.to" or path.startswith(_MATRIX_PATHS):
        raise _blocked("Matrix itself")
    netloc = f"{host}:{port}" if authority["port"] else host
    parsed = URL(f"{scheme}://{netloc}{path}{query}", encoded=True)
    if (parsed.raw_host, parsed.port) != (host.strip("[]"), port):
        raise _blocked("read in two ways")
    return parsed


def _checked_host(text: str, public: IsPublic) -> str:
    """The host as passed to DNS or the socket; raises unless it is a public host name or a public IP address."""
    host = text.lower() if text.startswith("[") else host_name(text)
    labels = host.split(".")
    if host.startswith("[") or _NUMERIC.fullmatch(labels[-1]):
        try:
            ip: IP = IPv6Address(host[1:-1]) if host.startswith("[") else IPv4Address(host)
        except ValueError:
            raise _blocked("no IP address in its usual form") from None
        if text.lower() != host or not public(ip):
            raise _blocked("not a public address")
        return f"[{ip}]" if isinstance(ip, IPv6Address) else host
    if len(labels) < 2 or _matches_host(host, _LOCAL_SUFFIXES):
        raise _blocked("no host of the web")
    return host


def _matches_host(host: str, names: Iterable[str]) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in map(host_name, names) if name)


def _has_control_characters(text: str) -> bool:
    return any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in text)


def _percent_encoded(text: str) -> str:
    return "".join(char if char in _UNESCAPED else "".join(f"%{byte:02X}" for byte in char.encode()) for char in text)


def _blocked(why: str) -> FetchError:
    return FetchError(Reason.BLOCKED, why, permanent=True)
