"""Questions to the kernel are answered over the control channel: also while a cell runs, and without a cell.

A question is a function of that name, which takes its arguments as keywords and gives what JSON can hold::

    @question("free_space")
    def free_space(path: str = ".") -> dict[str, int]:
        return {"bytes": shutil.disk_usage(path).free}

It runs in ipykernel's control thread, where interrupts and the end of the kernel wait behind it: it takes
milliseconds. It raises `Refused` with a sentence where it has no answer. What it reads may change meanwhile.
"""

import json
from collections.abc import Callable
from typing import Any

LARGEST = 4 * 1024 * 1024
"""Bytes of an answer."""
REASON = 500
"""Characters of why there is none."""
QUESTIONS: dict[str, Callable[..., Any]] = {}


class Refused(Exception):
    """Why a question has no answer, as a sentence."""


def question(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Have the function answer the question of that name."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        QUESTIONS[name] = function
        return function

    return register


def answered(content: Any) -> dict[str, str]:
    """What a reply says: the answer as JSON, or why there is none.

    No buffer: a Jupyter server that has its kernels on a gateway loses messages that have one.
    """
    try:
        name = content["question"]
        if name not in QUESTIONS:
            raise Refused(f"the kernel has never heard of the question {name!r}")
        answer = json.dumps(QUESTIONS[name](**content["arguments"]))
        if len(answer) > LARGEST:
            return {"status": "error", "reason": f"the answer to {name} is larger than 4 MB"}
    except Refused as refusal:
        return {"status": "error", "reason": str(refusal)[:REASON]}
    except Exception as error:
        return {"status": "error", "reason": f"{type(error).__name__}: {error}"[:REASON]}
    return {"status": "ok", "answer": answer}


def answer_questions(shell: Any) -> None:
    """Answer what is asked over the control channel."""
    kernel = shell.kernel

    def answer(stream: Any, ident: Any, parent: Any) -> None:
        kernel.session.send(stream, "coderunner_reply", answered(parent["content"]), parent, ident)

    kernel.control_handlers["coderunner_request"] = answer
