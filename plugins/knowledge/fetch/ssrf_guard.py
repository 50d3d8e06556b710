"""May this address be fetched? Decided from its text alone, and for IP addresses from what they are reserved for.

An address is taken apart once, here, and the same parts are then used for every check and for the request: two parsers
that disagree about where a host ends are how such guards are passed by.
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
    """What an operator allows. Hosts in `allow` and `deny` include their subdomains; an empty `allow` means all."""

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
# IPv6 hands out 2000::/3 only; whatever else there is (loopback, mapped, compatible and translated IPv4, NAT64, unique
# local, link-local, site-local, multicast) is not public. Within it: Teredo and other protocols (2001::/23),
# documentation (2001:db8::/32, 3fff::/20), 6to4 (2002::/16), AS112 (2620:4f:8000::/48).
_PUBLIC_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
)  # fmt: skip


def is_public(ip: IP) -> bool:
    """Is it an address of a machine on the internet, whichever way it is written or wrapped?

    `ipaddress.is_global` is not enough: it lets multicast, NAT64, 6to4, mapped and site-local addresses through.
    """
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_4)
    return ip.scope_id is None and ip in _PUBLIC_6 and not any(ip in network for network in _NOT_PUBLIC_6)


_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/?#\\]++)(?P<path>/[^?#]*+)?(?P<query>\?[^#]*+)?(?P<fragment>#.*+)?",
    re.IGNORECASE,
)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[^\[\]:@%]{1,253})(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # URL Standard, "ends in a number": such a host is read as an IPv4 address
_AS_WRITTEN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?%[]#|^`{}")
_NOT_ON_THE_WEB = (
    "localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa", "onion",
    "test", "invalid",
)  # fmt: skip
_MATRIX_PATHS = ("/_matrix/", "/_synapse/")
# Addresses that do something, or may be used once: one who only looks would use them up. Refusing too many costs no
# more than a title.
_ACTS = re.compile(
    r"""[/?&=_.-](?:unsubscribe|opt-?out|log-?out|sign-?out|magic-?(?:link|login)|one-?time|password-?reset
    |reset-?password|verify-?email|email-?verif\w*|confirm-?email|activate-?account|desuscribir\w*
    |cancelar-suscripcion|desinscrever|se-?desabonner|desabonnement)(?![a-z])
    |[?&;#](?:ticket|otp|sid|phpsessid|jsessionid|invite|confirmation(?:_?\w+)?|nonce|hmac|x-(?:amz|goog)-[a-z-]+)=""",
    re.IGNORECASE | re.VERBOSE,
)
# With these a library's server sends us to its store for a few minutes; they were made for us, and may be used.
_SIGNED_FOR_US = re.compile(r"(?<=[?&])(?:x-(?:amz|goog)-[a-z-]+|sig|signature)=[^&#]*+", re.IGNORECASE)


def checked(url: str, policy: Policy, public: IsPublic = is_public) -> URL:
    """The address to ask for what `url` names: host as in DNS, characters outside ASCII percent-encoded, no fragment;
    all else as it was written.

    Raises `FetchError(BLOCKED)` for what may not be fetched. Where the host is a name its addresses are still unknown:
    they must be checked when they are.
    """
    asked = _taken_apart(url, policy, public)
    if may_use_up(url):
        raise _blocked("asking for it may use it up")
    return asked


def redirected(base: URL, location: str, policy: Policy, public: IsPublic = is_public) -> URL:
    """Where a redirect from `base` leads, checked like any other address but for signatures, which were made for us."""
    if _has_control_characters(location):
        raise _blocked("control characters")
    try:
        url = urljoin(str(base), location)
    except ValueError:
        raise _blocked("no web address") from None
    asked = _taken_apart(url, policy, public)
    if may_use_up(_SIGNED_FOR_US.sub("", url)):
        raise _blocked("asking for it may use it up")
    return asked


def may_use_up(url: str) -> bool:
    """Does an address hold a secret, or words of one that does something when it is asked for?"""
    return has_secret(url) or bool(_ACTS.search(url.partition("://")[2]))


def _taken_apart(url: str, policy: Policy, public: IsPublic) -> URL:
    match = _ADDRESS.fullmatch(url)
    if match is None or len(url) > LONGEST or _has_control_characters(url):
        raise _blocked("no web address")
    scheme = match["scheme"].lower()
    authority = _AUTHORITY.fullmatch(match["authority"])
    if authority is None:
        raise _blocked("no plain host")
    port = int(authority["port"] or (443 if scheme == "https" else 80))
    if port not in policy.ports:
        raise _blocked(f"port {port}")
    host = _host(authority["host"], public)
    path = _encoded(match["path"] or "/")
    query = _encoded(match["query"] or "")
    if _is_named(host, policy.deny) or (policy.allow and not _is_named(host, policy.allow)):
        raise _blocked("left out by the lists of hosts")
    if host == "matrix.to" or path.startswith(_MATRIX_PATHS):
        raise _blocked("Matrix itself")
    place = f"{host}:{port}" if authority["port"] else host
    asked = URL(f"{scheme}://{place}{path}{query}", encoded=True)
    if (asked.raw_host, asked.port) != (host.strip("[]"), port):
        raise _blocked("read in two ways")
    return asked


def _host(text: str, public: IsPublic) -> str:
    """The host as DNS or the socket gets it; raises if it is no name of the public web and no public IP address."""
    host = text.lower() if text.startswith("[") else host_name(text)
    labels = host.split(".")
    if host.startswith("[") or _NUMBER.fullmatch(labels[-1]):
        try:
            ip: IP = IPv6Address(host[1:-1]) if host.startswith("[") else IPv4Address(host)
        except ValueError:
            raise _blocked("no IP address in its usual form") from None
        if text.lower() != host or not public(ip):
            raise _blocked("not a public address")
        return f"[{ip}]" if isinstance(ip, IPv6Address) else host
    if len(labels) < 2 or _is_named(host, _NOT_ON_THE_WEB):
        raise _blocked("no host of the web")
    return host


def _is_named(host: str, names: Iterable[str]) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in map(host_name, names) if name)


def _has_control_characters(text: str) -> bool:
    return any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in text)


def _encoded(text: str) -> str:
    return "".join(char if char in _AS_WRITTEN else "".join(f"%{byte:02X}" for byte in char.encode()) for char in text)


def _blocked(why: str) -> FetchError:
    return FetchError(Reason.BLOCKED, why, permanent=True)
