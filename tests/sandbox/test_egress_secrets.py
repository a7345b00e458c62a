"""Secrets that code uses without seeing them: put in at the proxy, for their domain, over TLS, in headers."""

import base64
import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.errors import SettingsError
from coderunner.sandbox.egress.placeholders import Concealment, Placeholders
from coderunner.sandbox.egress.targets import Target
from coderunner.secret_value import Secret
from coderunner.settings.code_secrets import CodeSecret
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.sandbox.network import client, network, self_signed, server_side, site

VALUE = "sk-canary-0123456789"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"))


def contexts(certificate: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """For the server, and for us who trust it."""
    return server_side(certificate), ssl.create_default_context(cafile=str(certificate))


def held(port: int, name: str = "API_KEY", value: str = VALUE) -> CodeSecret:
    return CodeSecret(name, "example.org", port, Secret(value))


CODE = """
    import base64, json, os, sys, urllib.request
    key, url = os.environ["API_KEY"], sys.argv[1]
    def ask(url, **headers):
        try:
            request = urllib.request.Request(url, headers=headers)
            with urllib.request.urlopen(request, timeout=20) as answer:
                return [str(answer.headers), answer.read().decode()]
        except OSError as error:
            return [str(error), ""]
"""


@behaviour("sandbox:secrets:put-in")
async def test_a_server_gets_the_secret_and_the_code_a_placeholder(certificate: Path) -> None:
    server, trusted = contexts(certificate)
    with site(tls=server) as web:
        async with network(tls=trusted, secrets=[held(web.port)]) as net:
            told = await client(
                net.gate,
                CODE
                + """
    basic = base64.b64encode(b"ada:" + key.encode()).decode()
    answers = [ask(url, Authorization=f"Bearer {key}"), ask(url, Authorization=f"Basic {basic}"), ask(url)]
    print(json.dumps([key, answers, dict(os.environ)]))
                """,
                f"http://example.org:{web.port}/v1/models?q={{key}}",
            )
    basic = base64.b64encode(f"ada:{VALUE}".encode()).decode()
    assert [headers.get("authorization") for _, _, headers, _ in web.requests] == [
        f"Bearer {VALUE}",
        f"Basic {basic}",
        None,
    ]
    assert VALUE not in str(told)
    assert told[0].startswith("coderunner-API_KEY-")
    assert [answer[1] for answer in told[1]] == [f"hello from example.org:{web.port}"] * 3


@behaviour("sandbox:secrets:own-domain")
async def test_no_other_host_and_nothing_but_headers_gets_a_secret(certificate: Path) -> None:
    server, trusted = contexts(certificate)
    with site(tls=server) as web, site() as other:
        async with network(f"other.example:{other.port}", tls=trusted, secrets=[held(web.port)]) as net:
            told = await client(
                net.gate,
                CODE
                + """
    request = urllib.request.Request(f"{url}/{key}?{key}", data=key.encode(), headers={"X-Key": "none"})
    urllib.request.urlopen(request, timeout=20).read()
    print(json.dumps([key, ask(sys.argv[2], Authorization=f"Bearer {key}")]))
                """,
                f"http://example.org:{web.port}",
                f"http://other.example:{other.port}/",
            )
    key = told[0]
    assert [headers["authorization"] for _, _, headers, _ in other.requests] == [f"Bearer {key}"]
    assert [(path, body.decode()) for _, path, _, body in web.requests] == [(f"/{key}?{key}", key)]
    assert VALUE not in f"{other.requests}{web.requests}{told}"


@behaviour("sandbox:secrets:echo")
async def test_what_a_server_repeats_of_a_secret_is_taken_out_again(certificate: Path) -> None:
    server, trusted = contexts(certificate)
    with site(tls=server) as web:
        web.pages["/echo"] = ("text/plain", f"you sent {VALUE}, Bearer {VALUE}.".encode() * 5_000)
        web.pages[f"/{VALUE}"] = (f"text/{VALUE}", b"hidden")
        async with network(tls=trusted, secrets=[held(web.port)]) as net:
            told = await client(
                net.gate,
                CODE + '    print(json.dumps([key, ask(url, Authorization=f"Bearer {key}")]))',
                f"http://example.org:{web.port}/echo",
            )
    key, (_, text) = told
    assert text == f"you sent {key}, Bearer {key}." * 5_000


@behaviour("sandbox:secrets:way")
async def test_code_that_asks_by_https_is_told_how_to_ask(certificate: Path) -> None:
    server, trusted = contexts(certificate)
    with site(tls=server) as web:
        async with network(tls=trusted, secrets=[held(web.port)]) as net:
            code = CODE + "    print(json.dumps([ask(each)[0] for each in sys.argv[1:]]))"
            told = await client(net.gate, code, f"https://example.org:{web.port}/", "https://example.org/")
            assert net.refused == ("example.org",)
    advice = f"Use http://example.org:{web.port} in place of https: the sandbox adds TLS and your secrets"
    assert told == [
        f"<urlopen error Tunnel connection failed: 403 {advice}>",
        "<urlopen error Tunnel connection failed: 403 This block may not reach example.org>",
    ]
    assert web.requests == []


@behaviour("sandbox:secrets:put-in")
async def test_a_server_that_nobody_vouches_for_gets_no_secret(certificate: Path) -> None:
    server, _ = contexts(certificate)
    with site(tls=server) as web, site() as plain:
        async with network(secrets=[held(web.port), held(plain.port, "OTHER_KEY")]) as net:
            code = CODE + "    print(json.dumps([ask(each, X=key)[0] for each in sys.argv[1:]]))"
            urls = (f"http://example.org:{web.port}/", f"http://example.org:{plain.port}/")
            told = await client(net.gate, code, *urls)
    assert told[0].startswith("HTTP Error 502: example.org has a certificate that is not trusted: ")
    assert told[1] == f"HTTP Error 502: example.org speaks no TLS on port {plain.port}"
    assert web.requests == plain.requests == []


@behaviour("sandbox:secrets:way")
def test_port_80_of_the_code_is_port_443_of_the_host() -> None:
    secrets = Placeholders([CodeSecret("API_KEY", "example.org", 443, Secret(VALUE))])
    for port in (80, 443):
        found = secrets.of(Target("example.org", port))
        assert found is not None
        assert found.target == Target("example.org", 443)
    assert secrets.of(Target("www.example.org", 80)) is None
    assert secrets.of(Target("example.org", 8080)) is None
    assert VALUE not in repr(secrets.environment)


@behaviour("sandbox:secrets:put-in")
def test_a_kernel_inherits_the_placeholder_in_place_of_the_variable_that_has_the_value() -> None:
    secrets = Placeholders([CodeSecret("API_KEY", "example.org", 443, Secret(VALUE), "THEIRS")])
    assert set(secrets.environment) == {"API_KEY", "THEIRS"}
    assert len(set(secrets.environment.values())) == 1


@behaviour("sandbox:secrets:echo")
@given(
    st.lists(st.sampled_from([b"secret-one", b"secret-one-more", b"sec", b"ret-one", b"x", b"secret-"])),
    st.data(),
)
def test_cutting_a_response_anywhere_shows_nothing_more(parts: list[bytes], data: st.DataObject) -> None:
    shown_as = {b"secret-one": b"A", b"secret-one-more": b"B"}
    text = b"".join(parts)
    whole = Concealment(shown_as).conceal(text)
    stream, got, rest = Concealment(shown_as), b"", text
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        got += stream.receive(rest[:size])
        rest = rest[size:]
    got += stream.receive(b"", last=True)
    assert got == whole
    assert b"secret-one" not in got


@behaviour("sandbox:secrets:settings")
def test_secrets_are_named_in_a_table_or_on_a_line_and_are_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key"
    file.write_text(f"{VALUE}\n")
    monkeypatch.setenv("THEIR_KEY", VALUE)
    config = tmp_path / "config.toml"
    config.write_text(
        f'[sandbox_secrets]\nAPI_KEY = {{ domain = "API.example.com", file = "{file}" }}\n'
        'OTHER = { domain = "other.example:8443", variable = "THEIR_KEY" }\n'
    )
    table = load(config=config)
    line = load({"sandbox_secrets": f"API_KEY=api.example.com@{file}, OTHER=other.example:8443@$THEIR_KEY"})
    assert table.sandbox_secrets == line.sandbox_secrets
    assert [each.variable for each in table.sandbox_secrets] == ["", "THEIR_KEY"]
    assert [each.value.reveal() for each in table.sandbox_secrets] == [VALUE, VALUE]
    shown = {each.name: each.value for each in table.effective()}
    assert shown["sandbox_secrets"] == "API_KEY for api.example.com, OTHER for other.example:8443"
    assert VALUE not in f"{table!r}{table.effective()}{table.model_dump()}"


@behaviour("sandbox:secrets:settings")
@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (f"API_KEY={VALUE}", "must be a table of names, each like {"),
        (VALUE, "must be a table of names, each like {"),
        ("API_KEY=api.example.com@/nowhere/key", "the file /nowhere/key for API_KEY cannot be read"),
        ("API_KEY=api.example.com@$NOT_SET_AT_ALL", "the variable NOT_SET_AT_ALL for API_KEY has others"),
        (f"API_KEY=api.example.com@${VALUE}", "its variable for API_KEY has others"),
        ("API KEY=api.example.com@/etc/hostname", "must be a table of names"),
        ("API_KEY=https://api.example.com@/etc/hostname", "must be a table of names"),
        ("API_KEY=localhost@/etc/hostname", "domain names like api.example.com; API_KEY has something else"),
        ("API_KEY=127.0.0.1@/etc/hostname", "domain names like api.example.com; API_KEY has something else"),
    ],
)
def test_a_secret_that_cannot_be_meant_is_told_without_its_value(line: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({"sandbox_secrets": line})
    assert sentence in str(caught.value)
    assert VALUE not in str(caught.value)
