"""Only addresses of the public web are fetched, however a private one is dressed up."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from plugins.knowledge.fetch.facts import FetchError, Reason
from plugins.knowledge.fetch.ssrf_guard import LONGEST, Policy, check_redirect, check_url, is_public
from plugins.knowledge.urls.host_names import host_name

POLICY = Policy()
UNTIMED = settings(deadline=None)  # machines are busy at times

NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104 - nothing is bound to it
    "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.0.170",
    "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.1.1", "192.175.48.1", "198.18.0.1",
    "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:53aa:64c::1", "2001:10::1", "2001:20::1",
    "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "2620:4f:8000::1", "3fff::1", "5f00::1", "fc00::1",
    "fd00:ec2::254", "fe80::1", "fe80::1%1", "2600::1%1", "fec0::1", "ff02::1", "ff0e::1",
]  # fmt: skip


@pytest.mark.parametrize("ip", NOT_PUBLIC)
def test_reserved_addresses_are_not_public(ip: str) -> None:
    assert not is_public(ip_address(ip))


@pytest.mark.parametrize("ip", ["1.1.1.1", "8.8.8.8", "100.128.0.1", "172.32.0.1", "192.0.1.1", "223.255.255.255"])
def test_other_addresses_of_ipv4_are_public(ip: str) -> None:
    assert is_public(ip_address(ip))


@pytest.mark.parametrize("ip", ["2001:200::1", "2001:4860:4860::8888", "2606:4700::1111", "2a00::1", "2c0f::1"])
def test_addresses_given_to_networks_are_public_in_ipv6(ip: str) -> None:
    assert is_public(ip_address(ip))


@UNTIMED
@given(st.ip_addresses())
def test_what_python_knows_to_be_private_is_not_public(ip: object) -> None:
    parsed = ip_address(str(ip))
    if not parsed.is_global or parsed.is_multicast or parsed.is_reserved:
        assert not is_public(parsed)


@UNTIMED
@given(st.ip_addresses(v=4))
def test_an_address_of_ipv4_inside_one_of_ipv6_is_never_public(ip: object) -> None:
    number = int(ip_address(str(ip)))
    for network, shift in (
        ("::/96", 0),
        ("::ffff:0:0/96", 0),
        ("64:ff9b::/96", 0),
        ("2002::/16", 80),
        ("2001::/32", 0),
    ):
        assert not is_public(ip_network(network)[number << shift])


# Numbers of the rows in the list of hostile addresses that the text alone decides.
REFUSED = [
    "http://127.0.0.1/", "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/",  # 1
    "http://localhost/", "http://LOCALHOST/", "http://localhost./", "http://x.localhost/", "http://printer.local/",
    "http://metadata.google.internal/", "http://intranet/", "http://intranet./", "http://router.home.arpa/",
    "http://wiki.corp/", "http://nas.lan/", "http://x.onion/",  # 2
    "http://0.0.0.0/", "http://0/", "http://0.1.2.3/",  # 3
    "http://2130706433/", "http://127.1/", "http://127.0.1/", "http://0177.0.0.1/", "http://08.8.8.8/",
    "http://8.8.8.8./", "http://8.8.8/", "http://1.2.3.4.5/", "http://256.8.8.8/", "http://134744072/",  # 4
    "http://0x7f000001/", "http://0x7f.1/", "http://127.0.0.0x1/", "http://0X7F.1/", "http://example.org.0x/",  # 5
    "http://[::1]/", "http://[::]/", "http://[0:0:0:0:0:0:0:1]/",  # 6
    "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::127.0.0.1]/", "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[2001:0:53aa:64c::1]/",  # 7, 8
    "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://１２７.0.0.1/", "http://８.８.８.８/", "http://8。8。8。8/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "http://local\u00adhost/", "http://local\u200bhost/", "http://ⅹ.ⓛⓞⓒⓐⓛ/",  # 9
    "http://user:pw@127.0.0.1/", "http://example.com@127.0.0.1/", "http://ana@example.org/", "http://:@example.org/",
    "http://@example.org/", "http://ana%40example.org/",  # 10
    "http://127.0.0.1\\@example.com/", "http://127.0.0.1%00.example.com/", "http://example.org\\/",
    "http://a\\b.org/",
    "http:\\\\example.org/", "http:/\\example.org/",  # 11
    "http://example.org:80\t/", "http://example.org/a\r\nX: y", "http://exa\nmple.org/", "http://example.org/\x00",
    " http://example.org/", "http://exam ple.org/", "http://example.org/\u2028", "http://example.org/\ud800",  # 12
    "//127.0.0.1/x", "//example.org/x", "http:example.org", "http:///example.org", "example.org",  # 13
    "file:///etc/passwd", "ftp://example.org/", "gopher://example.org/", "data:text/html,x", "javascript:alert(1)",
    "mxc://example.org/x", "matrix:r/x:example.org", "ws://example.org/", "view-source:http://example.org/", "",  # 14
    "http://[fe80::1%251]/", "http://[fe80::1%1]/", "http://[2600::1%251]/", "http://[v1.x]/", "http://[::1/",
    "http://[]/", "http://[::1]x/", "http://x[::1]/", "http://[127.0.0.1]/",  # 19
    "http://example.org:22/", "http://example.org:25/", "http://example.org:6379/", "http://example.org:8008/",
    "http://example.org:0/", "http://example.org:99999/", "http://example.org:-80/", "http://example.org:８０/",
    "http://example.org:080000/", "http://example.org:+80/", "http://example.org:80:80/",  # 20
    "https://matrix.to/#/@ana:example.org", "https://example.org/_matrix/media/v3/download/x/y",  # 21
    "http://a..b/", "http://.example.org/", "http://example..org/", "http://-a.example.org/",
    "http://a-.example.org/",
    f"http://{'a' * 64}.example.org/", f"http://{'a.' * 130}org/", "http://ex*mple.org/", "http://example.org,x/",
    "http://xn--.\u0300.org/", "http://./", "http://../", "http://☃.☃☃☃" + "☃" * 70 + "/",  # 27
    "https://example.org/a?token=abc", "https://example.org/a?access_token=abc", "https://example.org/?password=x",
    "https://example.org/f?X-Amz-Signature=abc", "https://example.org/f?sig=abc", "https://example.org/#token=abc",
    "https://example.org/magic-link/abc", "https://example.org/unsubscribe?u=1",
    "https://example.org/u/reset-password",
    "https://example.org/logout", "https://example.org/?ticket=ST-1", "https://example.org/a;jsessionid=1?x",  # 33
    f"http://example.org/{'a' * LONGEST}",  # 34
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED)
def test_a_hostile_address_is_refused_for_good(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        check_url(url, POLICY)
    assert caught.value.reason is Reason.BLOCKED
    assert caught.value.permanent


ASKED = [
    ("http://example.org", "http://example.org/"),
    ("HTTPS://EXAMPLE.ORG/A?b=%2F", "https://example.org/A?b=%2F"),
    ("https://example.org./a", "https://example.org/a"),
    ("https://example.org:443/a#part", "https://example.org/a"),
    ("https://münchen.de/straße?q=ñ", "https://xn--mnchen-3ya.de/stra%C3%9Fe?q=%C3%B1"),
    ("https://www.oas.org/x.asp?sCodigo=C-314/12", "https://www.oas.org/x.asp?sCodigo=C-314/12"),
    ("https://example.org/my file.pdf", "https://example.org/my%20file.pdf"),
    ("https://example.org/%zz/a%2fb/../c", "https://example.org/%zz/a%2fb/../c"),
    ("https://example.org?a=http://x@y", "https://example.org/?a=http://x@y"),
    ("https://example.org/a@b:c", "https://example.org/a@b:c"),
    ("https://example.org/tokens?page=2&code=C-12", "https://example.org/tokens?page=2&code=C-12"),
    ("https://a_b.example.org/", "https://a_b.example.org/"),
    ("http://8.8.8.8/", "http://8.8.8.8/"),
    ("http://[2001:4860:4860:0::8888]/", "http://[2001:4860:4860::8888]/"),
    ("https://localhost.example.org/", "https://localhost.example.org/"),
    ("https://example.org/local/logouts", "https://example.org/local/logouts"),
]


@pytest.mark.parametrize(("url", "asked"), ASKED)
def test_an_address_of_the_web_is_asked_for_as_it_was_written(url: str, asked: str) -> None:
    assert str(check_url(url, POLICY)) == asked


@UNTIMED
@given(st.text() | st.builds("http://{}/".format, st.text()) | st.builds("https://example.org{}".format, st.text()))
def test_any_text_is_refused_or_is_an_address_whose_host_was_checked(text: str) -> None:
    try:
        asked = check_url(text, POLICY)
    except FetchError:
        return
    assert asked.scheme in ("http", "https")
    assert asked.port in POLICY.ports
    assert asked.user is None
    assert asked.raw_host
    assert str(asked).isascii()
    assert not set(str(asked)) & set(map(chr, range(33))) | {"\x7f"} & set(str(asked))
    assert str(check_url(str(asked), POLICY)) == str(asked)


@pytest.mark.parametrize("url", ["https://example.org/", "https://www.example.org/", "https://WWW.Example.ORG./"])
def test_lists_of_hosts_mean_their_subdomains_too(url: str) -> None:
    assert check_url(url, Policy(allow=("Example.org",)))
    with pytest.raises(FetchError):
        check_url(url, Policy(deny=("example.org",)))
    with pytest.raises(FetchError):
        check_url(url, Policy(allow=("example.org",), deny=("example.org",)))


def test_a_list_of_hosts_means_no_other_host_that_ends_alike() -> None:
    assert check_url("https://notexample.org/", Policy(deny=("example.org",)))
    with pytest.raises(FetchError):
        check_url("https://notexample.org/", Policy(allow=("example.org",)))


def test_a_host_in_a_list_may_be_written_as_people_read_it() -> None:
    with pytest.raises(FetchError):
        check_url("https://xn--mnchen-3ya.de/", Policy(deny=("münchen.de",)))


@pytest.mark.parametrize(
    "text", ["https://example.org", "example.org/a", "example.org:443", "a b", "", "*.example.org"]
)
def test_what_is_no_host_name_can_be_told_before_it_has_no_effect(text: str) -> None:
    assert host_name(text) == ""


def test_ports_are_the_operators_choice() -> None:
    assert check_url("http://example.org:8080/", Policy(ports=frozenset((8080,))))
    with pytest.raises(FetchError):
        check_url("http://example.org/", Policy(ports=frozenset((8080,))))


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b", "https://example.org/b"),
        ("b?c=1", "https://example.org/a/b?c=1"),
        ("//other.example/x", "https://other.example/x"),
        ("HTTP://other.example", "http://other.example/"),
        ("", "https://example.org/a/"),
        ("/mañana", "https://example.org/ma%C3%B1ana"),
        ("\\\\127.0.0.1\\x", "https://example.org/a/%5C%5C127.0.0.1%5Cx"),
    ],
)
def test_a_redirect_is_read_from_where_it_stands(location: str, target: str) -> None:
    assert str(check_redirect(URL("https://example.org/a/"), location, POLICY)) == target


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1/", "//[::1]/", "http://localhost/", "file:///etc/passwd", "javascript:x", "http://[",
    "//a@b.org/",
     "/\r\nX: y", "http://8.8.8.8:22/", "/\udcff"],
)  # fmt: skip
def test_a_redirect_to_what_may_not_be_fetched_is_refused(location: str) -> None:
    with pytest.raises(FetchError) as caught:
        check_redirect(URL("https://example.org/a/"), location, POLICY)
    assert caught.value.reason is Reason.BLOCKED
