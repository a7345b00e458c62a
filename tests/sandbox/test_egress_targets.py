"""Who may reach what: names, grants and addresses."""

import ipaddress
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.sandbox.egress.addresses import Reach, reach_from_here, reach_of
from coderunner.sandbox.egress.targets import Allowance, Target, allowance, parse_target
from coderunner.settings.domains import canonical_grant, canonical_host, in_script
from tests.behaviours import behaviour


def refuses(read: Callable[[str], str], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return True
    return False


NONE, PUBLIC, EXACT = Allowance.NONE, Allowance.PUBLIC, Allowance.EXACT


@behaviour("sandbox:egress:names")
@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("Example.ORG", "example.org"),
        ("example.org.", "example.org"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("BU\u0308CHER.example", "xn--bcher-kva.example"),
        ("stra\u00dfe.example", "xn--strae-oqa.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("_dmarc.example.org", "_dmarc.example.org"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:DB8:0::1]", "[2001:db8::1]"),
        ("intranet", "intranet"),
    ],
)
def test_a_host_has_one_spelling(written: str, host: str) -> None:
    assert canonical_host(written) == host
    assert canonical_host(host) == host


@behaviour("sandbox:egress:script")
@pytest.mark.parametrize(
    ("grant", "read"),
    [
        ("xn--bcher-kva.example", "xn--bcher-kva.example (b\u00fccher.example)"),
        ("*.xn--bcher-kva.example:8443", "*.xn--bcher-kva.example:8443 (*.b\u00fccher.example:8443)"),
        ("www.xn--80ak6aa92e.com", "www.xn--80ak6aa92e.com (www.\u0430\u0440\u0440\u04cf\u0435.com)"),
        *((each, each) for each in ("example.org", "packages", "all", "[2001:db8::1]:80", "192.0.2.1")),
        # What no script is written in, or is not the one spelling of it.
        *(
            (each, each)
            for each in ("xn--.example", "xn--a-.example", "xn--99999999.example", "xn--abc-.example")
        ),
    ],
)
def test_a_domain_of_another_script_is_shown_in_both_spellings(grant: str, read: str) -> None:
    assert in_script(grant) == read


@behaviour("sandbox:egress:names")
@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            ".",
            "..",
            "a..b",
            ".example.org",
            "example.org..",
            "-a.example",
            "a-.example",
            "a b",
            "a/b",
            "a@b",
        ),
        *(
            "a%2eb",
            "a\x00b",
            "a\r\nb",
            "\u3002",
            "a\u3002b",
            "*",
            "*.example.org",
            "a:b",
            "x" * 64,
            "a." * 130 + "a",
        ),
        # Systems take these for 127.0.0.1: only four decimal numbers are an address.
        *(
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "127.1",
            "127.0.0.01",
            "0177.0.0.1",
            "example.0x7f",
            "1.2.3.4.5",
        ),
        *("[::1", "::1]", "[]", "[fe80::1%25eth0]", "[fe80::1%eth0]", "[v1.x]", "[1.2.3.4]"),
    ],
)
def test_what_could_mean_two_hosts_means_none(written: str) -> None:
    assert refuses(canonical_host, written)


@behaviour("sandbox:egress:names")
@given(st.text())
def test_every_text_is_one_host_in_one_spelling_or_none(text: str) -> None:
    try:
        host = canonical_host(text)
    except ValueError:
        return
    assert host.isascii()
    assert host == host.lower() == canonical_host(host)


@behaviour("sandbox:egress:grants")
@pytest.mark.parametrize(
    ("grants", "asked", "allowed"),
    [
        ("", "example.org:443", NONE),
        ("example.org", "example.org:443", EXACT),
        ("example.org", "example.org:80", EXACT),
        ("example.org", "EXAMPLE.org.:443", EXACT),
        ("example.org", "example.org:8443", NONE),
        ("example.org:8443", "example.org:8443", EXACT),
        ("example.org:8443", "example.org:443", NONE),
        ("example.org:443", "example.org:443", EXACT),
        ("example.org:443", "example.org:80", NONE),
        ("example.org", "www.example.org:443", NONE),
        ("example.org", "notexample.org:443", NONE),
        ("*.example.org", "www.example.org:443", PUBLIC),
        ("*.example.org", "a.b.example.org:80", PUBLIC),
        ("*.example.org", "example.org:443", NONE),
        ("*.example.org", "www.example.org.evil.example:443", NONE),
        ("*.example.org", "notexample.org:443", NONE),
        ("*.example.org:8443", "www.example.org:8443", PUBLIC),
        ("*.example.org:8443", "www.example.org:443", NONE),
        ("*.example.org www.example.org", "www.example.org:443", EXACT),
        ("all", "anything.example:1234", PUBLIC),
        ("all", "8.8.8.8:443", PUBLIC),
        ("all intranet", "intranet:80", EXACT),
        ("10.1.2.3", "10.1.2.3:80", EXACT),
        ("*.3", "10.1.2.3:80", NONE),
        ("[2001:db8::1]", "[2001:DB8::1]:443", EXACT),
        ("b\u00fccher.example", "xn--bcher-kva.example:443", EXACT),
        # This machine: our own ports are there.
        ("all", "localhost:80", NONE),
        ("all localhost", "localhost:80", NONE),
        ("all", "app.localhost:80", NONE),
        ("all 127.0.0.1", "127.0.0.1:80", NONE),
        ("all", "[::1]:80", NONE),
        ("all", "[::ffff:127.0.0.1]:80", NONE),
        ("all", "0.0.0.0:80", NONE),
    ],
)
def test_a_grant_allows_what_it_names(grants: str, asked: str, allowed: Allowance) -> None:
    held = frozenset(_spelt(each) for each in grants.split())
    assert allowance(held, parse_target(asked)) is allowed


def _spelt(grant: str) -> str:
    try:
        return canonical_grant(grant)
    except ValueError:  # a file of grants that somebody has edited
        return grant


@behaviour("sandbox:egress:grants")
@pytest.mark.parametrize(
    ("grant", "spelt"),
    [
        (" Example.org. ", "example.org"),
        ("*.Example.org", "*.example.org"),
        ("example.org:8443", "example.org:8443"),
        ("ALL", "all"),
        ("2001:db8::1", "[2001:db8::1]"),
        ("[2001:db8::1]:8443", "[2001:db8::1]:8443"),
    ],
)
def test_a_grant_has_one_spelling(grant: str, spelt: str) -> None:
    assert canonical_grant(grant) == spelt


@behaviour("sandbox:egress:grants")
@pytest.mark.parametrize(
    "grant",
    [
        *(
            "https://example.org",
            "example.org/path",
            "user@example.org",
            "example.org:0",
            "example.org:65536",
        ),
        *("example.org:", "*", "*.", "*.*.org", "www.*.org", "*.1.2.3.4", "example.org:08443"),
        *("localhost", "LOCALHOST.", "127.0.0.1:8888", "::1", "[::1]:80", "0.0.0.0", "x.localhost"),
    ],
)
def test_what_cannot_be_granted_is_refused(grant: str) -> None:
    assert refuses(canonical_grant, grant)


@behaviour("sandbox:egress:grants")
def test_what_is_refused_is_named_as_the_grant_that_allows_it() -> None:
    for asked in (
        "example.org:443",
        "example.org:80",
        "example.org:8443",
        "[2001:db8::1]:8443",
        "10.0.0.1:80",
    ):
        target = parse_target(asked)
        assert canonical_grant(str(target)) == str(target)
        assert allowance({str(target)}, target) is EXACT


INTERNET = """
    1.1.1.1 8.8.8.8 93.184.216.34 2606:4700:4700::1111 64:ff9b::808:808 2002:808:808::1
"""
PRIVATE = """
    10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 198.18.0.1 203.0.113.7 fd12:3456::1 2001:db8::1
    ::ffff:10.0.0.1 64:ff9b::a00:1 2002:a00:1::1
"""
NEVER = """
    0.0.0.0 0.1.2.3 127.0.0.1 127.255.255.254 169.254.169.254 169.254.1.1 192.0.0.192 100.100.100.200
    168.63.129.16 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 :: ::1 ::7f00:1 fe80::1 fec0::1 ff02::1
    fd00:ec2::254 fd20:ce::254 ::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1 2002:7f00:1::1
    64:ff9b:1::1 100::1 4000::1
"""


@behaviour("sandbox:egress:addresses")
@pytest.mark.parametrize(
    ("reach", "addresses"), [(Reach.PUBLIC, INTERNET), (Reach.PRIVATE, PRIVATE), (Reach.NEVER, NEVER)]
)
def test_an_address_is_of_the_internet_of_a_private_network_or_never_reached(
    reach: Reach, addresses: str
) -> None:
    found = {address: reach_of(ipaddress.ip_address(address)) for address in addresses.split()}
    assert found == dict.fromkeys(found, reach)


@behaviour("sandbox:egress:addresses")
@given(st.ip_addresses())
def test_what_counts_as_public_is_global(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if reach_of(address) is Reach.PUBLIC:
        assert address.is_global or address in ipaddress.ip_network("64:ff9b::/96")
        assert not address.is_multicast
        assert not address.is_private


@behaviour("sandbox:egress:addresses")
def test_this_machines_own_addresses_are_never_reached() -> None:
    import psutil  # type: ignore[import-untyped]

    own = [
        ipaddress.ip_address(each.address.partition("%")[0])
        for addresses in psutil.net_if_addrs().values()
        for each in addresses
        if each.family.name in ("AF_INET", "AF_INET6")
    ]
    assert own
    assert {reach_from_here(address) for address in own} == {Reach.NEVER}


@behaviour("sandbox:egress:names")
@given(st.integers(1, 65_535), st.sampled_from(["example.org", "[2001:db8::1]", "10.0.0.1"]))
def test_a_target_is_read_as_it_is_written(port: int, host: str) -> None:
    assert parse_target(f"{host}:{port}") == Target(host, port)
