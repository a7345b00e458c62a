"""What the demo model's scenes are made of: pure."""

import re
from collections.abc import Callable, Sequence

from coderunner.models.demo.conversation_state import ConversationState, Seen, error

Play = Callable[[Sequence[Seen]], str]
"""Says what comes after so many results."""

Answer = Callable[[str], str | None]
"""Reads what was printed; None where it is not what the scene waits for."""

SceneMatcher = Callable[[ConversationState], Play | None]
"""A scene: looks at a conversation and gives its play, or None where it is not about it."""

ENDS = (
    (r"not run", "The block did not run, and I do not guess."),
    (r"connection", "I do not know how the block ended, so I have no answer."),
    (r"still run", "The block is still running, so I have no answer yet."),
    (r"time limit", "The block did not finish in time, so I have no answer."),
    (r"stop", "The block was stopped, so I have no answer."),
    (r"while the code ran", "The kernel ended while the block ran, so I have no answer."),
)
"""Words of the sentence that tells how a block ended, and what there is to say then."""

NUMERIC = re.compile(r"-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|inf|nan)|\(?-?[\d.e+-]+j\)?", re.IGNORECASE)


def unexpected(seen: Seen) -> str:
    """Say the truth about a result that is no answer."""
    if truth := ended(seen):
        return truth
    if raised := error(seen):
        name, text = raised
        hint = " Has the kernel been restarted?" if name == "NameError" else ""
        return f"The block raised {name}{f' ({text})' if text else ''}, so I have no answer.{hint}\n"
    return "My script does not expect this result, so I say nothing about it.\n"


def ended(seen: Seen) -> str:
    """Say how a block ended, where it did not end by itself; "" where it did."""
    return next((f"{truth}\n" for words, truth in ENDS if re.search(words, seen.end)), "")


def block(code: str, opening: str = "") -> str:
    """A block of Python, after some words."""
    fence = f"```python\n{code}\n```\n"
    return f"{opening}\n\n{fence}" if opening else fence


def once(code: str, answer: Answer, opening: str = "") -> Play:
    """One block, and an answer from its result."""

    def said(results: Sequence[Seen]) -> str:
        if not results:
            return block(code, opening)
        return ended(results[0]) or answer(results[0].text) or unexpected(results[0])

    return said


def value(shape: str) -> Answer:
    """Read one number and say it in `shape`."""
    return lambda result: f"{shape.format(value=result)}\n" if NUMERIC.fullmatch(result) else None


def asks(now: ConversationState, words: str) -> bool:
    """Whether the question has one of the words; they begin where a word begins."""
    return bool(re.search(rf"\b(?:{words})", now.question, re.IGNORECASE))


def number(now: ConversationState, default: int, most: int) -> int:
    """Return the first whole number of the question."""
    found = re.search(r"\d+", now.question)
    return min(int(found[0]), most) if found and len(found[0]) < 9 else default
