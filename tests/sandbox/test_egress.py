"""What code in a sandbox gets of the network, as its HTTP clients see it."""

import asyncio
import sys
from pathlib import Path

import pytest

from coderunner.sandbox.egress.dialling import Dialler, parent_of
from coderunner.sandbox.egress.egress_proxy import EgressProxy
from coderunner.sandbox.egress.targets import parse_target
from tests.behaviours import behaviour
from tests.sandbox.network import PRIVATE, canary, client, network, reach, resolve, site

FETCH = """
    import json, sys, urllib.request
    def fetch(url):
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return answer.read().decode()
        except OSError as error:
            return str(error)
    print(json.dumps([fetch(url) for url in sys.argv[1:]]))
"""


@behaviour("sandbox:egress:refused")
async def test_a_program_reaches_what_was_allowed_and_reads_of_the_rest_that_it_may_not() -> None:
    with site() as web:
        async with network(f"example.org:{web.port}") as net:
            answers = await client(
                net.gate,
                FETCH,
                f"http://example.org:{web.port}/a?b=1",
                f"http://other.example:{web.port}/",
                "https://www.example.org/",
            )
            assert answers == [
                f"hello from example.org:{web.port}",
                f"HTTP Error 403: This block may not reach other.example:{web.port}",
                "<urlopen error Tunnel connection failed: 403 This block may not reach www.example.org>",
            ]
            assert [request[:2] for request in web.requests] == [("GET", "/a?b=1")]
            assert net.refused == (f"other.example:{web.port}", "www.example.org")
            assert net.refused == ()


@behaviour("sandbox:egress:live")
async def test_a_grant_is_in_force_for_the_next_request() -> None:
    with site() as web:
        async with network() as net:
            url = f"http://example.org:{web.port}/"
            before = await client(net.gate, FETCH, url)
            net.grants.add(*net.refused)
            assert (before, await client(net.gate, FETCH, url)) == (
                [f"HTTP Error 403: This block may not reach example.org:{web.port}"],
                [f"hello from example.org:{web.port}"],
            )


@behaviour("sandbox:egress:addresses")
async def test_an_allowed_name_that_leads_to_this_machine_is_refused() -> None:
    with canary() as own:
        async with network("all", f"rebound.example:{own.port}") as net:
            answers = await client(net.gate, FETCH, f"http://rebound.example:{own.port}/")
            assert answers == [f"HTTP Error 403: This block may not reach rebound.example:{own.port}"]
            assert net.refused == ()  # nothing that a person could allow
    assert own.requests == []


@behaviour("sandbox:egress:addresses")
async def test_a_private_address_is_reached_by_who_was_allowed_its_very_name() -> None:
    with site(PRIVATE) as web:
        async with network("all", "*.example") as net:
            url = f"http://intranet.example:{web.port}/"
            before = await client(net.gate, FETCH, url)
            net.grants.add(*net.refused)
            assert (before, await client(net.gate, FETCH, url)) == (
                [f"HTTP Error 403: This block may not reach intranet.example:{web.port}"],
                [f"hello from intranet.example:{web.port}"],
            )


@behaviour("sandbox:egress:unreachable")
async def test_an_allowed_host_that_cannot_be_reached_is_no_refusal() -> None:
    with site() as web:
        closed = web.port
    async with network("all") as net:
        answers = await client(net.gate, FETCH, f"http://example.org:{closed}/", "https://missing.example/")
        missing = "missing.example cannot be found: Name or service not known"
        assert answers == [
            f"HTTP Error 502: example.org refuses connections on port {closed}",
            f"<urlopen error Tunnel connection failed: 502 {missing}>",
        ]
        assert net.refused == ()


@behaviour("sandbox:egress:credentials")
async def test_a_program_without_the_kernels_password_is_sent_away() -> None:
    with site() as web:
        async with network("all") as net:
            stranger = {"http_proxy": f"http://kernel:guess@127.0.0.1:{net.gate.port}"}
            answers = await client(net.gate, FETCH, f"http://example.org:{web.port}/", **stranger)
            assert answers == ["HTTP Error 407: This proxy is for code in the sandbox"]
    assert web.requests == []


INSIDE = """
    import ctypes, fcntl, json, os, socket, struct, sys
    NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
    path, package, port, *urls = sys.argv[1:]
    assert ctypes.CDLL(None).unshare(NEW_USER | NEW_NETWORK) == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        SET_FLAGS, UP = 0x8914, 1
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh22x", b"lo", UP))
    sys.path.insert(0, package)
    from coderunner.sandbox.launcher.way_out import open_way_out
    open_way_out(path)
    try:
        socket.create_connection(("127.0.0.1", int(port)), 5)
        dialled = "connected"
    except OSError as error:
        dialled = type(error).__name__
    assert dialled == "ConnectionRefusedError", dialled
    sys.argv[1:] = urls
"""


@pytest.mark.skipif(sys.platform != "linux", reason="network namespaces are Linux's")
@behaviour("sandbox:egress:namespace")
async def test_a_kernel_without_any_network_gets_out_through_the_socket_that_it_gave_away(
    tmp_path: Path,
) -> None:
    grants: set[str] = set()
    proxy = EgressProxy(lambda _conversation: grants, Dialler(resolve, reach))
    gate = proxy.open_namespace("chat", tmp_path / "egress")
    package = Path(sys.modules["coderunner"].__path__[0]).parent
    with site() as web, canary() as own:
        grants.add(f"example.org:{web.port}")
        answers = await client(
            gate,
            INSIDE + FETCH,
            tmp_path / "egress",
            package,
            own.port,
            f"http://example.org:{web.port}/",
            "https://other.example/",
        )
        assert answers == [
            f"hello from example.org:{web.port}",
            "<urlopen error Tunnel connection failed: 403 This block may not reach other.example>",
        ]
    assert own.requests == []
    assert not (tmp_path / "egress").exists()
    gate.close()
    await asyncio.sleep(0)


async def nothing_is_found(_host: str, _port: int) -> list[str]:
    raise OSError(-3, "Temporary failure in name resolution")


@behaviour("sandbox:egress:parent")
async def test_where_this_machine_is_behind_a_proxy_requests_go_through_it() -> None:
    with site() as web:
        async with network(f"example.org:{web.port}") as outer:
            parent = parent_of({"HTTPS_PROXY": outer.gate.environment["HTTPS_PROXY"]})
            async with network("all", parent=parent, lookup=nothing_is_found) as net:
                urls = (f"http://example.org:{web.port}/", "https://example.org/")
                assert await client(net.gate, FETCH, *urls) == [
                    f"hello from example.org:{web.port}",
                    (
                        "<urlopen error Tunnel connection failed: 502 the proxy of this machine answers 403 "
                        "This block may not reach example.org for example.org>"
                    ),
                ]
            stranger = parent_of({"all_proxy": f"http://kernel:wrong@127.0.0.1:{outer.gate.port}"})
            async with network("all", parent=stranger, lookup=nothing_is_found) as net:
                (answer,) = await client(net.gate, FETCH, f"http://example.org:{web.port}/")
                assert answer.startswith("HTTP Error 502: the proxy of this machine answers 407")
                assert "wrong" not in answer


@behaviour("sandbox:egress:parent")
async def test_a_name_that_leads_to_this_machine_is_refused_behind_a_proxy_too() -> None:
    with canary() as own, canary() as proxy:
        parent = parent_of({"ALL_PROXY": f"http://127.0.0.1:{proxy.port}"})
        async with network("all", f"rebound.example:{own.port}", parent=parent) as net:
            urls = (f"http://rebound.example:{own.port}/", f"http://127.0.0.1:{own.port}/")
            assert await client(net.gate, FETCH, *urls, no_proxy="") == [
                f"HTTP Error 403: This block may not reach rebound.example:{own.port}",
                f"HTTP Error 403: This block may not reach 127.0.0.1:{own.port}",
            ]
    assert own.requests == proxy.requests == []


@behaviour("sandbox:egress:parent")
@pytest.mark.parametrize(
    ("variables", "asked", "used"),
    [
        ({}, "example.org:443", None),
        ({"HTTPS_PROXY": "http://proxy.example:3128"}, "example.org:443", ("proxy.example", 3128)),
        ({"HTTPS_PROXY": "http://proxy.example:3128"}, "example.org:80", None),
        ({"http_proxy": "proxy.example"}, "example.org:80", ("proxy.example", 80)),
        ({"HTTP_PROXY": "http://a.example", "http_proxy": "http://b.example"}, "x.org:80", ("b.example", 80)),
        ({"ALL_PROXY": "http://proxy.example", "NO_PROXY": "example.org"}, "example.org:443", None),
        ({"ALL_PROXY": "http://proxy.example", "NO_PROXY": "example.org"}, "www.example.org:443", None),
        ({"ALL_PROXY": "socks5://proxy.example"}, "example.org:443", None),
        ({"ALL_PROXY": "http://[bad"}, "example.org:443", None),
    ],
)
def test_the_proxy_of_this_machine_is_read_from_the_variables_that_all_programs_know(
    variables: dict[str, str], asked: str, used: tuple[str, int] | None
) -> None:
    parent = parent_of(variables)(parse_target(asked))
    assert (parent and (parent.host, parent.port)) == used
