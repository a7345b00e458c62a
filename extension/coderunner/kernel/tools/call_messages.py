"""What a kernel that has our prelude says of its calls, and what it is told. Pure; the kernel is hostile.

Our own message types: `coderunner_tool_call` on iopub, with the request of the cell as parent, and
`coderunner_tool_answer` on control, where a kernel listens while a cell runs. Arguments and answers are JSON
as text, so that nothing in them is read before its size is known.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coderunner.kernel.protocol.messages import Json, Message, Stamp
from coderunner.outputs import TOOL_CALL, MimeBundle
from coderunner.text.json_reader import loads
from coderunner.text.surrogates import whole
from coderunner.text.terminal_text import visible_line
from coderunner.tools.answer import Answer, shortened
from coderunner.tools.tool import Tool

CALL, ANSWER = "coderunner_tool_call", "coderunner_tool_answer"
LARGEST = 1024 * 1024
"""Characters of a call's arguments."""
LONGEST_ID, LONGEST_NAME = 80, 120
LONGEST_WORDS, LONGEST_VALUE = 120, 40
"""Characters of a call as a person reads it, and of one argument in it."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call, as a kernel makes it."""

    id: str
    tool: str
    arguments: str
    """JSON, unread."""

    def read(self) -> dict[str, object] | None:
        """The arguments by the server's own names; None where they are none, or too large."""
        if len(self.arguments) > LARGEST:
            return None
        try:
            read = loads(self.arguments)
            if "\\ud" in self.arguments.lower():
                # Half a character is in no message that a server could read.
                read = loads(whole(json.dumps(read, ensure_ascii=False)))
        except ValueError:
            return None
        return dict(read) if isinstance(read, dict) else None


def call_of(message: Message) -> ToolCall | str | None:
    """A call; the id of one that the code does not wait for any more; None where it is neither."""
    if (message.channel, message.type) != ("iopub", CALL):
        return None
    match message.content:
        case {"call": str(identity), "tool": str(tool), "arguments": str(arguments)} if (
            0 < len(identity) <= LONGEST_ID and len(tool) <= LONGEST_NAME
        ):
            return ToolCall(identity, tool, arguments)
        case {"call": str(identity), "over": True}:
            return identity
    return None


def answer_content(call: str, answer: Answer) -> Json:
    """What a kernel is told of a call."""
    said = {"error": answer.error} if answer.error else {"value": answer.value, "parts": answer.parts}
    return {"call": call, "answer": json.dumps(said)}


def answer_message(content: Json, stamp: Stamp) -> Message:
    """It as a message; the kernel replies that it has it."""
    return Message("control", ANSWER, stamp.id, content=content, session=stamp.session, date=stamp.date)


def in_words(tool: str, arguments: Mapping[str, object]) -> str:
    """A call as a person reads it: `search(query="x")`."""
    told = ", ".join(f"{visible_line(key)}={_value(value)}" for key, value in arguments.items())
    words = f"{visible_line(tool)}({told})"
    return words if len(words) <= LONGEST_WORDS else f"{words[: LONGEST_WORDS - 2]}…)"


def _value(value: object) -> str:
    written = json.dumps(value, ensure_ascii=False)[: 4 * LONGEST_VALUE]
    line = visible_line(written)
    return line if len(line) <= LONGEST_VALUE else f"{line[: LONGEST_VALUE - 1]}…"


def recorded(
    call: ToolCall,
    arguments: Mapping[str, object],
    tool: Tool | None = None,
    answer: Answer | None = None,
    seconds: float = 0.0,
) -> MimeBundle:
    """A call as one of the outputs of its block; without an `answer`, one that is on its way."""
    words = in_words(call.tool, arguments)
    told: dict[str, object] = {
        "tool": call.tool,
        "arguments": shortened(json.dumps(arguments, ensure_ascii=False)),
    }
    if answer is None:
        return {TOOL_CALL: told, "text/plain": f"{words} …"}
    told |= {"server": tool.server if tool is not None else "", "result": answer.short}
    told |= {"failed": bool(answer.error), "seconds": round(seconds, 4)}
    end = "failed" if answer.error else f"{seconds:.1f} s"
    return {TOOL_CALL: told, "text/plain": f"{words} · {end}"}


def specifications(tools: Sequence[Tool]) -> str:
    """What the kernel makes its functions of, as JSON."""
    return json.dumps(
        [
            {
                "name": tool.name,
                "parameters": [
                    [each.name, each.key, each.kind, each.required, each.default] for each in tool.parameters
                ],
                "open": tool.open,
                "returns": tool.returns,
                "documentation": tool.documentation,
            }
            for tool in tools
        ]
    )
