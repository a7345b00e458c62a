"""The HTTP clients that programs use, each through the proxy as it is."""

import base64
import io
import shutil
import ssl
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from coderunner.settings.package_indexes import PYPI, package_indexes
from tests.behaviours import behaviour
from tests.sandbox.network import INTERNET, client, network, self_signed, server_side, site


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"))


CLIENTS = {
    "urllib": """
        import json, ssl, sys, urllib.request
        context = ssl.create_default_context(cafile=sys.argv[1])
        def fetch(url):
            try:
                with urllib.request.urlopen(url, timeout=20, context=context) as answer:
                    return answer.read().decode()
            except OSError as error:
                return str(error)
    """,
    "requests": """
        import json, requests, sys
        session = requests.Session()
        session.verify = sys.argv[1]
        def fetch(url):
            try:
                answer = session.get(url, timeout=20)
                return answer.text if answer.ok else answer.reason
            except requests.RequestException as error:
                return str(error)
    """,
    "httpx": """
        import httpx, json, ssl, sys
        client = httpx.Client(verify=ssl.create_default_context(cafile=sys.argv[1]), timeout=20)
        def fetch(url):
            try:
                answer = client.get(url)
                return answer.text if answer.is_success else answer.reason_phrase
            except httpx.HTTPError as error:
                return str(error)
    """,
    "curl": """
        import json, subprocess, sys
        def fetch(url):
            command = ["curl", "-sS", "--cacert", sys.argv[1], "-m", "20", url]
            done = subprocess.run(command, capture_output=True, text=True)
            return done.stdout + done.stderr
    """,
}
"""For each client, how a program fetches a page and what it reads of a failure."""


@behaviour("sandbox:egress:clients")
@pytest.mark.parametrize("name", CLIENTS)
async def test_each_client_fetches_with_and_without_tls_and_reads_why_not(
    name: str, certificate: Path
) -> None:
    if name == "curl" and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    with site() as plain, site(tls=server_side(certificate)) as encrypted:
        async with network(f"example.org:{plain.port}", f"example.org:{encrypted.port}") as net:
            fetched = await client(
                net.gate,
                CLIENTS[name] + "\n        print(json.dumps([fetch(url) for url in sys.argv[2:]]))",
                certificate,
                f"http://example.org:{plain.port}/",
                f"https://example.org:{encrypted.port}/",
                f"http://other.example:{plain.port}/",
                "https://other.example/",
                PATH="/usr/bin:/bin",
            )
            assert fetched[:2] == [
                f"hello from example.org:{plain.port}",
                f"hello from example.org:{encrypted.port}",
            ]
            assert f"This block may not reach other.example:{plain.port}" in fetched[2]
            if name != "curl":  # which tells the status only
                assert "403 This block may not reach other.example" in fetched[3]
            assert net.refused == (f"other.example:{plain.port}", "other.example")


@asynccontextmanager
async def echo(tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    async def answer(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve(answer, INTERNET, 0, ssl=tls) as server:
        yield next(iter(server.sockets)).getsockname()[1]


@behaviour("sandbox:egress:clients")
async def test_a_websocket_goes_both_ways(certificate: Path) -> None:
    code = """
        import asyncio, json, ssl, sys
        from websockets.asyncio.client import connect
        async def main(url):
            context = ssl.create_default_context(cafile=sys.argv[1]) if url.startswith("wss") else None
            async with connect(url, ssl=context) as socket:
                got = []
                for message in ("one", "two" * 100_000):
                    await socket.send(message)
                    got.append(len(await socket.recv()))
                return got
        print(json.dumps([asyncio.run(main(url)) for url in sys.argv[2:]]))
    """
    async with (
        echo(None) as plain,
        echo(server_side(certificate)) as encrypted,
        network(f"example.org:{plain}", f"example.org:{encrypted}") as net,
    ):
        urls = (f"ws://example.org:{plain}/", f"wss://example.org:{encrypted}/")
        assert await client(net.gate, code, certificate, *urls) == [[3, 300_000], [3, 300_000]]


@behaviour("sandbox:egress:clients")
async def test_uploads_of_every_form_arrive_whole() -> None:
    code = """
        import httpx, json, sys
        url = sys.argv[1]
        def pieces():
            for _ in range(40):
                yield b"x" * 50_000
        with httpx.Client(timeout=20) as client:
            answers = [
                client.post(url, content=b"y" * 2_000_000),
                client.post(url, content=pieces()),
                client.put(url, content=b""),
                client.head(url),
            ]
        print(json.dumps([answer.status_code for answer in answers]))
    """
    with site() as web:
        async with network(f"example.org:{web.port}") as net:
            answers = await client(net.gate, code, f"http://example.org:{web.port}/up?x=%20y")
    assert answers == [200] * 4
    assert [(method, path, len(body)) for method, path, _, body in web.requests] == [
        ("POST", "/up?x=%20y", 2_000_000),
        ("POST", "/up?x=%20y", 2_000_000),
        ("PUT", "/up?x=%20y", 0),
        ("HEAD", "/up?x=%20y", 0),
    ]


def wheel(name: str) -> bytes:
    content = io.BytesIO()
    about = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(f"{name}.py", "ANSWER = 42\n")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return content.getvalue()


PIP = """
    import json, subprocess, sys
    pip = [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--retries", "0", "--target"]
    done = subprocess.run([*pip, *sys.argv[1:]], capture_output=True, text=True)
    print(json.dumps([done.returncode, done.stdout + done.stderr]))
"""


@behaviour("sandbox:egress:packages")
async def test_pip_installs_from_the_index_of_this_machine_without_its_password(tmp_path: Path) -> None:
    with site() as web:
        page = b'<a href="../../files/tiny-1.0-py3-none-any.whl">tiny-1.0-py3-none-any.whl</a>'
        web.pages |= {
            "/simple/tiny/": ("text/html", page),
            "/files/tiny-1.0-py3-none-any.whl": ("application/zip", wheel("tiny")),
        }
        config = tmp_path / "pip.conf"
        config.write_text(
            f"[global]\nindex-url = http://ada:canary@example.org:{web.port}/simple\n"
            "trusted-host = example.org\n"
        )
        indexes = package_indexes(
            {"PIP_CONFIG_FILE": str(config), "HOME": str(tmp_path), "XDG_CONFIG_DIRS": "/nowhere"}
        )
        assert "canary" not in str(indexes.environment)
        quiet = {"PIP_CONFIG_FILE": "/dev/null", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        async with network(indexes=indexes) as net:
            code, said = await client(net.gate, PIP, tmp_path / "no", "tiny", **quiet)
            assert code != 0, said
            assert net.refused == (f"example.org:{web.port}",)
            net.grants.add("packages")
            code, said = await client(net.gate, PIP, tmp_path / "yes", "tiny", **quiet)
            assert code == 0, said
    assert (tmp_path / "yes" / "tiny.py").exists()


@behaviour("sandbox:egress:packages")
@pytest.mark.parametrize(
    ("variables", "hosts", "told"),
    [
        ({}, set(), {}),
        (
            {"PIP_INDEX_URL": "https://ada:canary@pip.example/simple"},
            {"pip.example"},
            {"PIP_INDEX_URL": "https://pip.example/simple"},
        ),
        (
            {"PIP_EXTRA_INDEX_URL": "https://a.example/s https://canary@b.example:8443/s file:///srv/simple"},
            {"a.example", "b.example:8443"},
            {"PIP_EXTRA_INDEX_URL": "https://a.example/s https://b.example:8443/s file:///srv/simple"},
        ),
        (
            {
                "UV_INDEX": "ours=https://ada:canary@uv.example/simple",
                "UV_DEFAULT_INDEX": "https://d.example/s",
            },
            {"uv.example", "d.example"},
            {"UV_INDEX": "ours=https://uv.example/simple", "UV_DEFAULT_INDEX": "https://d.example/s"},
        ),
        (
            {"PIP_INDEX_URL": "http://localhost:3141/simple"},
            set(),
            {"PIP_INDEX_URL": "http://localhost:3141/simple"},
        ),
        ({"PIP_INDEX_URL": "https://[bad/simple"}, set(), {"PIP_INDEX_URL": "https://[bad/simple"}),
    ],
)
def test_the_indexes_of_this_machine_are_found_where_pip_and_uv_find_them(
    variables: dict[str, str], hosts: set[str], told: dict[str, str], tmp_path: Path
) -> None:
    place = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}
    found = package_indexes(variables | place)
    assert (found.hosts, dict(found.environment)) == (PYPI | hosts, told)


@behaviour("sandbox:egress:packages")
def test_the_files_of_uv_name_indexes_too(tmp_path: Path) -> None:
    folder = tmp_path / "uv"
    folder.mkdir()
    (folder / "uv.toml").write_text(
        'extra-index-url = ["https://x.example/s"]\n[[index]]\nurl = "https://ada:canary@main.example/s"\n'
        'default = true\n[[index]]\nurl = "https://more.example/s"\n'
    )
    found = package_indexes({"XDG_CONFIG_HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"})
    assert found.hosts == PYPI | {"x.example", "main.example", "more.example"}
    assert dict(found.environment) == {
        "UV_DEFAULT_INDEX": "https://main.example/s",
        "UV_INDEX": "https://more.example/s https://x.example/s",
    }


@behaviour("sandbox:egress:packages")
async def test_pip_installs_from_an_index_that_wants_a_password_and_does_not_see_it(
    tmp_path: Path, certificate: Path
) -> None:
    with site(tls=server_side(certificate)) as web:
        page = b'<a href="../../files/tiny-1.0-py3-none-any.whl">tiny-1.0-py3-none-any.whl</a>'
        web.pages |= {
            "/simple/tiny/": ("text/html", page),
            "/files/tiny-1.0-py3-none-any.whl": ("application/zip", wheel("tiny")),
        }
        address = f"https://ada:canary-0123%3F@example.org:{web.port}/simple"
        place = {"PIP_CONFIG_FILE": "/dev/null", "HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path)}
        indexes = package_indexes({"PIP_INDEX_URL": address} | place)
        assert "canary" not in f"{indexes}"
        trusted = ssl.create_default_context(cafile=str(certificate))
        quiet = {"PIP_CONFIG_FILE": "/dev/null", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
        async with network(indexes=indexes, tls=trusted) as net:
            code, said = await client(net.gate, PIP, tmp_path / "no", "tiny", **quiet)
            assert (code != 0, net.refused) == (True, (f"example.org:{web.port}",)), said
            net.grants.add("packages")
            code, said = await client(net.gate, PIP, tmp_path / "yes", "tiny", **quiet)
            assert code == 0, said
            assert "canary" not in f"{said}{net.gate.environment}"
    assert (tmp_path / "yes" / "tiny.py").exists()
    basic = "Basic " + base64.b64encode(b"ada:canary-0123?").decode()
    assert {headers["authorization"] for _, _, headers, _ in web.requests} == {basic}
