"""The connection doctor: which step fails, said in one sentence with what mends it."""

import json
import socket
from pathlib import Path

import pytest

from coderunner.kernel.doctor.connection_check import check
from coderunner.kernel.doctor.network_exposure import own_addresses
from coderunner.kernel.doctor.report import Finding, Report, Step
from coderunner.kernel.kernel_location import Patience
from coderunner.kernel.sessions.registry import Local, Server
from coderunner.sandbox.backends import available
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.kernel.servers import Answer, Jupyter, jupyter_server, scripted_server
from tests.kernel.test_server_kernel import SPECS, certificate

__all__ = ["certificate"]

API: Answer = (200, {}, '{"version": "2.21.0"}')
NOBODY = "http://127.0.0.1:1"
FORBIDDEN: Answer = (403, {}, "{}")


def broken(report: Report) -> tuple[Step, str]:
    """The step that failed, which is the last, and its sentence."""
    assert not report.ok
    assert [finding.ok for finding in report.findings] == [True] * (len(report.findings) - 1) + [False]
    return report.findings[-1].step, report.sentence


@behaviour("doctor:works:server")
async def test_a_server_that_works_is_walked_to_the_end(jupyter: Jupyter) -> None:
    before = jupyter.kernels()
    told: list[Finding] = []
    report = await check(Server(f"{jupyter.url}/lab?token={jupyter.token}"), on_finding=told.append)
    assert report.ok
    assert tuple(told) == report.findings
    assert [finding.step for finding in report.findings if not finding.warning] == [
        step for step in Step if step not in (Step.SANDBOX, Step.RECORDS)
    ]
    assert (report.kernels, report.kernel) == (("python3",), "python3")
    # With the oldest versions that we know of there is one.
    assert [warning for warning in report.warnings if "has a known vulnerability" not in warning] == []
    assert report.output.startswith("Hello from Python 3.")
    assert report.milliseconds is not None
    assert report.sentence.startswith("Hello from Python 3.")
    assert report.sentence.endswith(" ms.")
    assert set(jupyter.kernels()) <= set(before)


@behaviour("doctor:works:local")
async def test_a_kernel_on_this_machine_is_walked_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    where = Local(sandbox=available())
    report = await check(where, sandbox=KernelSandbox() if where.sandbox else None)
    assert report.ok
    steps = [Step.KERNEL, Step.SANDBOX, Step.START, Step.CELL]
    assert [finding.step for finding in report.findings] == steps
    assert report.findings[1].sentence == where.place
    assert [path.name for path in sorted(tmp_path.iterdir())] == []  # noqa: ASYNC240


@behaviour("doctor:report:json")
async def test_the_report_is_json_without_the_token(jupyter: Jupyter) -> None:
    report = await check(Server(jupyter.url, Secret(jupyter.token)))
    text = json.dumps(report.to_json())
    assert jupyter.token not in text
    value = json.loads(text)
    assert (value["ok"], value["version"], value["kernels"]) == (True, report.version, ["python3"])
    assert value["findings"][0] == {
        "step": "address",
        "ok": True,
        "sentence": f"The address is {jupyter.url}.",
        "warning": False,
    }


@behaviour("doctor:broken:address")
async def test_what_is_no_address_is_said() -> None:
    assert broken(await check(Server("ftp://x"))) == (
        Step.ADDRESS,
        "The address starts with ftp://; it must start with http:// or https://.",
    )


@behaviour("doctor:broken:refused")
async def test_a_port_where_nothing_listens_is_said() -> None:
    sentence = "(connection refused); start the Jupyter server, or check host and port."
    assert broken(await check(Server(NOBODY))) == (Step.REACH, f"Nothing responds at {NOBODY} {sentence}")


@behaviour("doctor:broken:dns")
async def test_a_host_that_is_not_found_is_said() -> None:
    assert broken(await check(Server("https://no-such-host.invalid"))) == (
        Step.REACH,
        "The host 'no-such-host.invalid' was not found; check its spelling and the network.",
    )


@behaviour("doctor:broken:tls")
async def test_a_certificate_that_is_not_trusted_is_said(certificate: Path) -> None:
    with scripted_server({"/api": API}, tls=certificate) as server:
        step, sentence = broken(await check(Server(server.url)))
    assert step is Step.REACH
    assert sentence == (
        f"The certificate of {server.url} is not trusted (self-signed certificate); "
        "set ca_file to its certificate file."
    )


@behaviour("doctor:broken:ca-file")
async def test_a_file_of_certificates_that_is_none_is_said(certificate: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    with scripted_server({"/api": API}, tls=certificate) as server:
        none = broken(await check(Server(server.url, ca_file=str(empty))))
        lost = broken(await check(Server(server.url, ca_file=str(tmp_path / "lost.pem"))))
        found = broken(await check(Server(server.url, ca_file=str(certificate))))
    assert none == (
        Step.REACH,
        "The file in ca_file has no certificates; it must be a PEM file.",
    )
    assert lost == (Step.REACH, "The certificate file cannot be read; check the setting ca_file.")
    assert found[0] is not Step.REACH


@behaviour("doctor:broken:no-tls")
async def test_https_to_a_server_that_speaks_http_is_said(
    jupyter: Jupyter, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It waits for us as we wait for it: that is noticed when the connection takes too long.
    monkeypatch.setattr("coderunner.kernel.connections.servers.rest_connection.CONNECT_TIMEOUT", 0.5)
    url = jupyter.url.replace("http", "https")
    assert broken(await check(Server(url))) == (
        Step.REACH,
        f"The server at {url} does not use https; use {jupyter.url}.",
    )


@behaviour("doctor:broken:base-path")
async def test_a_wrong_base_path_is_said_with_the_right_one(jupyter: Jupyter, hub: Jupyter) -> None:
    too_deep = await check(Server(f"{jupyter.url}/user/me/lab", Secret(jupyter.token)))
    assert broken(too_deep) == (
        Step.JUPYTER,
        f"The base path is wrong: the Jupyter server is at {jupyter.url}; use that address.",
    )
    host = hub.url.removesuffix("/user/me")
    assert broken(await check(Server(host, Secret(hub.token)))) == (
        Step.JUPYTER,
        f"The base path is wrong: the Jupyter server is at {hub.url}; use that address.",
    )


@behaviour("doctor:broken:hub")
async def test_the_address_of_a_hub_itself_is_said() -> None:
    with scripted_server({"/hub/api": (200, {}, '{"version": "5.2.1"}')}) as server:
        assert broken(await check(Server(server.url))) == (
            Step.JUPYTER,
            f"{server.url} is a JupyterHub; use the address of your own server, {server.url}/user/NAME.",
        )


@behaviour("doctor:broken:not-jupyter")
@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            (200, {}, "<h1>It works"),
            "{url} responds with a web page and is not a Jupyter server; check port and base path.",
        ),
        ((200, {}, "<form>Sign in"), "{url} shows a login page; set the token."),
        ((302, {"Location": "/login?next=x"}, ""), "{url} redirects to a login page; set the token."),
        (
            (200, {}, '{"object": "list"}'),
            "{url} is not a Jupyter server, or the base path is wrong; copy the address from your browser.",
        ),
        (
            (404, {}, ""),
            "{url} is not a Jupyter server, or the base path is wrong; copy the address from your browser.",
        ),
    ],
)
async def test_something_else_that_answers_is_said(answer: Answer, sentence: str) -> None:
    with scripted_server({}, answer) as server:
        assert broken(await check(Server(server.url))) == (Step.JUPYTER, sentence.format(url=server.url))


@behaviour("doctor:broken:token")
async def test_a_missing_and_a_wrong_token_are_told_apart(jupyter: Jupyter) -> None:
    assert broken(await check(Server(jupyter.url))) == (
        Step.TOKEN,
        f"{jupyter.url} requires a token and none is set; copy it from the server's log.",
    )
    assert broken(await check(Server(jupyter.url, Secret("wrong")))) == (
        Step.TOKEN,
        f"{jupyter.url} does not accept the token; copy the current one from the server's log.",
    )


@behaviour("doctor:broken:xsrf")
async def test_a_server_without_a_token_that_takes_no_orders_is_said(tmp_path: Path) -> None:
    with jupyter_server(tmp_path, "--IdentityProvider.token=") as server:
        reports = [await check(Server(server.url, Secret(token))) for token in ("", "one-of-ours")]
    said = (
        f"{server.url} runs without a token and accepts requests only from its own pages ('_xsrf' missing); "
        "start it with a token, and set that token here."
    )
    assert [broken(report) for report in reports] == 2 * [(Step.START, said)]


@behaviour("doctor:broken:rate")
async def test_a_limit_of_requests_is_said() -> None:
    with scripted_server({"/api": API}, (429, {"Retry-After": "7"}, "")) as server:
        step, sentence = broken(await check(Server(server.url)))
    assert step is Step.TOKEN
    assert sentence == (
        f"{server.url} limits the rate of requests (HTTP 429); try again in 7 seconds, "
        "or raise the limit of the proxy or Hub in front of it."
    )


@behaviour("doctor:broken:elsewhere")
async def test_an_address_that_leads_to_another_host_is_said() -> None:
    with scripted_server({}, (302, {"Location": "https://other.invalid/api"}, "")) as server:
        assert broken(await check(Server(server.url))) == (
            Step.JUPYTER,
            f"{server.url} redirects to another host (other.invalid); if that is right, use that address.",
        )


@behaviour("doctor:broken:silent")
async def test_a_server_that_hangs_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert broken(await check(Server(url, patience=Patience(request=0.2)))) == (
            Step.REACH,
            f"{url} did not respond in time; the server may hang, or a firewall may block it.",
        )


@behaviour("doctor:broken:kernel")
async def test_a_kernel_that_is_not_installed_is_said_with_those_that_are(jupyter: Jupyter) -> None:
    report = await check(Server(jupyter.url, Secret(jupyter.token), "ir"))
    sentence = "Kernel 'ir' is not installed on this server; it has: python3."
    assert broken(report) == (Step.KERNEL, sentence)
    assert report.kernels == ("python3",)
    report = await check(Local("ir"))
    assert broken(report) == (Step.KERNEL, "Kernel 'ir' is not installed on this machine; it has: python3.")


@behaviour("doctor:broken:start")
async def test_a_kernel_that_the_server_does_not_start_is_said_with_its_words() -> None:
    answers: dict[str, Answer] = {
        "/api": API,
        "/api/kernelspecs": SPECS,
        "/api/kernels": (500, {}, '{"message": "no memory"}'),
    }
    with scripted_server(answers) as server:
        assert broken(await check(Server(server.url))) == (
            Step.START,
            f"{server.url} did not start a kernel 'python3' (HTTP 500: no memory); see the server's log.",
        )


@behaviour("doctor:broken:websocket")
async def test_a_websocket_that_is_blocked_while_rest_works_is_said_and_the_kernel_deleted() -> None:
    answers: dict[str, Answer] = {
        "/api": API,
        "/api/kernelspecs": SPECS,
        "/api/kernels": (201, {}, '{"id": "k-1", "name": "python3"}'),
        "/api/kernels/k-1": (204, {}, ""),
        "/api/kernels/k-1/channels": (400, {}, 'Can "Upgrade" only to "WebSocket".'),
    }
    with scripted_server(answers) as server:
        report = await check(Server(server.url, Secret("canary")))
        step, sentence = broken(report)
        assert step is Step.WEBSOCKET
        assert sentence == (
            f"{server.url} responds, but refuses the WebSocket to the kernel (HTTP 400); "
            "a proxy in between must forward WebSockets (the headers Upgrade and Connection)."
        )
        assert server.asked[-1][:2] == ("DELETE", "/api/kernels/k-1")
        assert all("canary" not in path for _, path, _ in server.asked)


@behaviour("doctor:warns:open")
async def test_a_server_that_lets_everybody_in_is_warned_of() -> None:
    with scripted_server({"/api": API, "/api/kernelspecs": SPECS}) as server:
        report = await check(Server(server.url, Secret("any"), "ir"))
    assert report.warnings == (
        "The server does not require a token, so anybody who reaches it can run code; set a token.",
    )


@behaviour("doctor:warns:old")
async def test_a_server_with_a_known_hole_is_warned_of() -> None:
    old: Answer = (200, {}, '{"version": "2.14.2"}')
    with scripted_server({"/api": old, "/api/kernelspecs": FORBIDDEN}) as server:
        report = await check(Server(server.url))
    assert report.version == "2.14.2"
    assert report.warnings == (
        "Jupyter Server 2.14.2 has a known vulnerability (CVE-2026-44727); upgrade to 2.20 or later.",
    )


@behaviour("doctor:warns:outside")
async def test_a_server_of_this_machine_that_others_can_reach_is_warned_of() -> None:
    if not (addresses := [address for address in own_addresses() if ":" not in address]):
        pytest.skip("this machine is in no network")
    with scripted_server({"/api": API, "/api/kernelspecs": FORBIDDEN}, ip="0.0.0.0") as server:
        report = await check(Server(server.url.replace("0.0.0.0", "localhost")))
    with scripted_server({"/api": API, "/api/kernelspecs": FORBIDDEN}) as server:
        closed = await check(Server(server.url))
    said = (
        f"Other machines may reach it too, at {addresses[0]}; make it listen on 127.0.0.1 only "
        "(ServerApp.ip; in Docker, publish its port as 127.0.0.1:8888:8888)."
    )
    assert (report.warnings, closed.warnings) == ((said,), ())


@behaviour("doctor:warns:dropped")
async def test_a_server_that_drops_output_is_warned_of(tmp_path: Path) -> None:
    with jupyter_server(tmp_path, "--ServerApp.iopub_msg_rate_limit=0.1", token="t") as server:
        report = await check(Server(server.url, Secret("t")))
    assert (report.ok, report.output) == (True, "")
    dropped = (
        "The server dropped output; print less at once, or raise its limit ServerApp.iopub_msg_rate_limit."
    )
    # With the oldest versions that we know of there is another one.
    assert dropped in report.warnings


@behaviour("doctor:warns:plain-http")
async def test_plain_http_to_another_machine_is_warned_of() -> None:
    with scripted_server({"/api": API, "/api/kernelspecs": FORBIDDEN}) as server:
        # The address of every interface leads to this machine, and does not say so.
        report = await check(Server(server.url.replace("127.0.0.1", "0.0.0.0")))
    assert report.warnings == (
        "The connection is not encrypted: others on the network can read the token; use https or a tunnel.",
    )
