"""A reply so far as messages of Anthropic's API, so that it goes on. Pure."""

import base64
import re
from collections.abc import Sequence
from itertools import groupby

from coderunner.models.continuation.strategies import GO_ON, RESULT_NOTE
from coderunner.models.messages.messages_request import Block, Message
from coderunner.models.native.native_reply import Round

UNANSWERED = "tool_use"
"""A call of the client's tools has to be answered by the next message, and that is ours."""
_DATA = re.compile(r"data:([^;,]+);base64,")


def as_begun(
    base: Sequence[Message], begun: Sequence[Block], rounds: Sequence[Round], rest: str
) -> list[Message]:
    """The messages with the reply as a last one that the model goes on with.

    `begun` are the blocks with which the client has begun it; `rest` is what follows the rounds.
    """
    content = [*begun]
    for each in rounds:
        content += [*_said(each), _text(each.result)]
    content = merged([*content, _text(rest)])
    return [*base, {"role": "assistant", "content": content}] if content else [*base]


def as_dialogue(
    base: Sequence[Message], begun: Sequence[Block], rounds: Sequence[Round], rest: str
) -> list[Message]:
    """The same, with each result as a message of the user's."""
    told = [*base]
    first = list(begun)
    for each in rounds:
        if content := merged([*first, *_said(each)]):
            told.append({"role": "assistant", "content": content})
        first = []
        shown = [image(picture) for picture in each.pictures]
        told.append({"role": "user", "content": [_text(each.result.strip()), *shown]})
    if content := merged([*first, _text(rest)]):
        told += [{"role": "assistant", "content": content}, {"role": "user", "content": [_text(GO_ON)]}]
    return told


def noted(system: object) -> object:
    """The system prompt, which says what a result is."""
    if isinstance(system, Sequence) and not isinstance(system, str):
        return [*system, _text(RESULT_NOTE)]
    return f"{system or ''}\n\n{RESULT_NOTE}".lstrip()


def merged(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, with texts of nothing but text that follow each other as one, and none of white space.

    The API refuses white space at the end of the last message.
    """
    whole: list[Block] = []
    for plain, several in groupby(blocks, key=_is_plain):
        if plain:
            whole.append(_text("".join(str(each["text"]) for each in several)))
        else:
            whole += several
    if whole and _is_plain(whole[-1]):
        whole[-1] = _text(str(whole[-1]["text"]).rstrip())
    return [block for block in whole if not _is_plain(block) or str(block["text"]).strip()]


def image(address: str) -> Block:
    """An image of a data address."""
    head = _DATA.match(address)
    kind = head[1] if head else "image/png"
    data = address[head.end() :] if head else base64.b64encode(b"").decode()
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}


def _said(each: Round) -> list[Block]:
    """What was said, with each block at its place."""
    parts: list[Block] = []
    at = 0
    for place, block in each.passed:
        if block.get("type") != UNANSWERED and place <= len(each.said):
            parts += [_text(each.said[at:place]), block]
            at = place
    return [*parts, _text(each.said[at:])]


def _text(text: str) -> Block:
    return {"type": "text", "text": text}


def _is_plain(block: Block) -> bool:
    return block.get("type") == "text" and set(block) == {"type", "text"}
