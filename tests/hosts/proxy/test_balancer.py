"""Two proxies on one PostgreSQL behind HAProxy, with the configuration of the docs."""

import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import openai
import pytest

from tests.behaviours import behaviour
from tests.hosts.app.browsing import served
from tests.hosts.app.parrot import Parrot
from tests.hosts.proxy.conftest import ALICE
from tests.hosts.proxy.processes import WAIT, ProxyProcess, proxy_process
from tests.hosts.proxy.test_operation import METRICS, ask, begun, samples, slow
from tests.hosts.proxy.test_team import user, written
from tests.kernel.servers import jupyter_server
from tests.postgresql import Server, postgresql

__all__ = ["postgresql"]

DOCS = Path(__file__).parents[3] / "docs" / "deploy.md"
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")

pytestmark = pytest.mark.skipif(HAPROXY is None, reason="HAProxy is not installed")


@contextmanager
def balancer(folder: Path, proxies: list[ProxyProcess]) -> Iterator[str]:
    """HAProxy with the configuration of the docs, and other addresses; gives its own."""
    assert HAPROXY is not None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    text = re.findall(r"(?s)```haproxy\n(.*?)```", DOCS.read_text(encoding="utf-8"))[0]
    addresses = [each.url.removeprefix("http://") for each in proxies]
    for place, real in zip(
        ("0.0.0.0:443", "10.0.0.11:7862", "10.0.0.12:7862"), (f"127.0.0.1:{port}", *addresses), strict=True
    ):
        assert place in text
        text = text.replace(place, real)
    (folder / "haproxy.cfg").write_text(text, encoding="utf-8")
    process = subprocess.Popen([HAPROXY, "-db", "-f", str(folder / "haproxy.cfg")])
    try:
        end = time.monotonic() + WAIT
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < end
                threading.Event().wait(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(WAIT)


@behaviour("operation:balancer")
def test_the_proxy_of_a_user_ends_and_another_goes_on_with_chat_kernel_and_reply(
    tmp_path: Path, postgresql: Server
) -> None:
    with ExitStack() as stack:
        jupyter = stack.enter_context(jupyter_server(tmp_path, token="token-of-the-server"))
        team = user("alice", ALICE, server=jupyter.url, token=jupyter.token)
        model = f"{stack.enter_context(served(Parrot))}/v1"
        shared = {"CODERUNNER_RECORDS_URL": postgresql.schema(), "CODERUNNER_METRICS_KEY": METRICS}
        proxies = []
        for name in ("one", "two"):
            (folder := tmp_path / name).mkdir()
            flags = ("--team-file", str(written(folder / "team.toml", team)), "--drain-timeout", "0.5")
            proxies.append(stack.enter_context(proxy_process(folder, model, *flags, variables=shared)))
        url = stack.enter_context(balancer(tmp_path, proxies))
        client = stack.enter_context(
            openai.OpenAI(base_url=f"{url}/v1", api_key=ALICE, timeout=WAIT, max_retries=5)
        )
        note, key = tmp_path / "note", {"idempotency-key": "one"}
        with ThreadPoolExecutor() as threads:
            reply = threads.submit(ask, client, slow(note, 600), **key)
            begun(note)
            busy = next(each for each in proxies if samples(each)["coderunner_replies"] == 1)
            busy.signal(signal.SIGTERM)
            assert "CodeRunner is shutting down" in reply.result(WAIT)
        assert busy.ended() == 0
        # The same request is gone on with by the other one, and the chat has its kernel.
        assert ask(client, slow(note, 600), **key).endswith("(stopped; variables are kept)\nSeen.\n")
        assert "Result: 42" in ask(client, "```python\nprint(kept)\n```\n")
        assert note.read_text() == "x"
