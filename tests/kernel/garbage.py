"""A program that runs in a kernel and sends garbage in its name; `SEED` says which.

Nothing of it clears outputs, so that what is good can be seen.
"""

import json
import random
from collections.abc import Callable

from IPython import get_ipython

TYPES = [
    *("stream", "display_data", "execute_result", "update_display_data", "error", "status", "input_request"),
    *("comm_open", "comm_msg", "comm_close", "execute_input", "execute_reply", "shutdown_reply", "x"),
]
KEYS = [
    *(
        "name",
        "text",
        "data",
        "metadata",
        "transient",
        "execution_state",
        "execution_count",
        "ename",
        "evalue",
    ),
    *(
        "traceback",
        "comm_id",
        "status",
        "target_name",
        "state",
        "method",
        "content",
        "buffer_paths",
        "msg_id",
    ),
    *("display_id", "text/plain", "application/json", "image/png", "outputs", "_model_name", "payload"),
]
WORDS = [
    "stdout",
    "busy",
    "jupyter.widget",
    "update",
    "custom",
    "echo_update",
    "OutputModel",
    "ok",
    "d",
    "\ud83d",
]
DEPTHS = [250, 900, 990, 5000, 100_000]

kernel = get_ipython().kernel
parent = kernel.get_parent()["header"]
chance = random.Random(globals().get("SEED"))


def any_value(depth: int = 0) -> object:
    """A value of any JSON type."""
    kind = chance.randrange(8 if depth < 4 else 6)
    if kind == 6:
        return [any_value(depth + 1) for _ in range(chance.randrange(4))]
    if kind == 7:
        return {chance.choice(KEYS): any_value(depth + 1) for _ in range(chance.randrange(6))}
    plain = [None, True, chance.randrange(-9, 10**19), 1e308 * 10, chance.choice(WORDS), chance.choice(KEYS)]
    return plain[kind]


def deep() -> str:
    """A list that is nested."""
    depth = chance.choice(DEPTHS)
    return "[" * depth + "]" * depth


CONTENTS: list[Callable[[], str]] = [
    lambda: json.dumps(any_value()),
    lambda: json.dumps({key: any_value() for key in chance.sample(KEYS, 8)}),
    lambda: f'{{"data": {{"application/json": {deep()}}}}}',
    lambda: f'{{"comm_id": "d", "data": {{"method": "custom", "content": {deep()}}}}}',
    lambda: f'{{"comm_id": "d", "target_name": "jupyter.widget", "data": {{"state": {{"a": {deep()}}}}}}}',
    lambda: f'{{"execution_count": {"9" * 5000}}}',
    lambda: '{"data": ' + "[" * 1000,
    lambda: "9" * 5000,
    lambda: "",
    lambda: "\0",
]
PARENTS = [json.dumps(each, default=str).encode() for each in (parent, parent, {}, {"msg_id": 3})]


def send() -> None:
    """Send one message, signed as any of the kernel's."""
    header = {"msg_id": f"other_{chance.randrange(99)}", "msg_type": chance.choice(TYPES), "session": "s"}
    parts = [json.dumps(header).encode(), chance.choice(PARENTS), b"{}", chance.choice(CONTENTS)().encode()]
    if chance.random() < 0.2:
        parts[chance.randrange(4)] = chance.choice([b"", b"[]", b"null", b"\xff", b"[" * 100_000])
    kernel.session.send_raw(kernel.iopub_socket, parts, ident=b"x")


for _ in range(300):
    send()
print("to the end")  # noqa: T201 - what it shows is what it is for
