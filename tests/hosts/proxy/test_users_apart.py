"""Two people with a key each, whose kernels run on this machine: what code of the one finds of the other."""

import json
import socket
from pathlib import Path

import pytest

from coderunner.sandbox.backends import available
from tests.behaviours import behaviour
from tests.hosts.app.browsing import served
from tests.hosts.app.parrot import Parrot
from tests.hosts.proxy.conftest import ALICE, BOB, Open

pytestmark = pytest.mark.skipif(not available(), reason=f"no sandbox here: {available().why}")

KEPT = "bob-keeps-this-5b1c"

BOBS = """
import os
from ipykernel.connect import get_connection_file
open('kept.txt', 'w').write({kept!r})
print('BOB', get_connection_file(), os.getcwd(), os.getpid())
"""

ALICES = """
import json, os, socket
def tried(name, act):
    try:
        found[name] = repr(act())[:2000]
    except Exception as error:
        found[name] = 'refused'
found = {{}}
tried('own', lambda: open('own.txt', 'w').write('own'))
tried('connection file', lambda: open({connection!r}).read())
tried('sockets', lambda: socket.socket(socket.AF_UNIX).connect({socket!r}))
tried('file', lambda: open({folder!r} + '/kept.txt').read())
tried('folders', lambda: [each for each in os.listdir({folder!r} + '/..') if each not in os.getcwd()])
tried('data', lambda: [each for each in os.listdir({data!r}) if each != 'kernels'])
tried('runs', lambda: open({data!r} + '/records.sqlite', 'rb').read())
tried('key', lambda: open({data!r} + '/keys').read())
tried('proxy', lambda: socket.create_connection(('127.0.0.1', {port}), 2))
tried('processes', lambda: [open(f'/proc/{{each}}/environ', 'rb').read() for each in os.listdir('/proc')
    if each.isdigit() and int(each) not in (os.getpid(), 1, os.getppid())][0])
print('ALICE', json.dumps(found))
"""


def said(reply: str, who: str) -> str:
    """The line that the code of one of them printed."""
    return next(line for line in reply.splitlines() if f"{who} " in line).partition(f"{who} ")[2]


@behaviour("proxy:owners:sandboxed")
def test_code_of_one_person_finds_nothing_of_another(opened: Open, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "keys").write_text(f"{ALICE}\n{BOB}\n")
    with served(Parrot) as model:
        proxied = opened(f"{model}/v1", data_dir=data, run_for="all")

        def run(key: str, code: str) -> str:
            reply = proxied.client(key).chat.completions.create(
                model="parrot", messages=[{"role": "user", "content": f"```python\n{code}\n```\n"}]
            )
            return reply.choices[0].message.content or ""

        connection, folder, _ = said(run(BOB, BOBS.format(kept=KEPT)), "BOB").split()
        sockets = [str(path) for path in Path(connection).parent.iterdir() if path.is_socket()]
        assert Path(folder, "kept.txt").read_text() == KEPT
        with socket.socket(socket.AF_UNIX) as outside:
            outside.connect(sockets[0])  # there is something to find
        port = int(proxied.url.rpartition(":")[2])
        alices = ALICES.format(
            connection=connection, socket=sockets[0], folder=folder, data=str(data), port=port
        )
        found = json.loads(said(run(ALICE, alices), "ALICE"))
    assert found.pop("own") == "3"
    assert {name: became for name, became in found.items() if became not in ("refused", "[]")} == {}
    assert KEPT not in str(found)
