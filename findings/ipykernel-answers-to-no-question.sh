#!/usr/bin/env bash
# ipykernel 7.4.0: an `input_reply` answers whatever input() waits when it comes; which `input_request` it names as its
# parent is not looked at. The late answer to a question of an earlier cell, or a second answer to one that has been
# answered, is taken as the answer to the next question, which its reader has not seen yet.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet ipykernel==7.4.0 jupyter_client==8.10.0
timeout 180 "$work/venv/bin/python" - 2>"$work/stderr" <<'PY' || { tail -n 5 "$work/stderr" >&2; exit 1; }
import sys
from jupyter_client.manager import KernelManager

def asked(client):
    """The next question of the kernel."""
    return client.get_stdin_msg(timeout=60)

def reply(client, sent):
    """The reply to a request."""
    while True:
        message = client.get_shell_msg(timeout=60)
        if message["parent_header"]["msg_id"] == sent:
            return message["content"]

def answer(client, question, text):
    client.stdin_channel.send(client.session.msg("input_reply", {"value": text}, parent=question["header"]))

manager = KernelManager(kernel_name="python3")
manager.start_kernel()
client = manager.client()
client.start_channels()
try:
    client.wait_for_ready(timeout=60)
    sent = client.execute("first = input('first ')", allow_stdin=True)
    first = asked(client)
    answer(client, first, "one")
    reply(client, sent)
    sent = client.execute("second = input('second ')", allow_stdin=True, user_expressions={"second": "second"})
    second = asked(client)
    answer(client, first, "an answer to the first question")
    taken = reply(client, sent)["user_expressions"]["second"]["data"]["text/plain"]
    print(f"{second['content']['prompt']!r} was answered by {taken}")
    sys.exit(taken != "'an answer to the first question'")
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
PY
