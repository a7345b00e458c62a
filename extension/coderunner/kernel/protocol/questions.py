"""Questions to a kernel that has our prelude, over the control channel. Pure; the answer is hostile.

Our own message types: `coderunner_request` with a question and its arguments, and `coderunner_reply`, whose
answer is JSON as a text, so that nothing in it is read before its size is known. Not in a buffer: a Jupyter
server that has its kernels on a gateway takes those for text, and nobody can read them.
"""

import json
from collections.abc import Mapping

from coderunner.errors import NotAnswered
from coderunner.kernel.protocol.message_content import text_of
from coderunner.kernel.protocol.messages import Json, Message, Stamp
from coderunner.text.json_reader import loads

REQUEST, REPLY = "coderunner_request", "coderunner_reply"
LARGEST = 4 * 1024 * 1024
"""Characters of a question's arguments, and of an answer."""
REASON = 500
"""Characters of why a kernel has no answer."""


def question_request(question: str, arguments: Mapping[str, object], stamp: Stamp) -> Message:
    """Ask a question; raises NotAnswered where its arguments are too large."""
    if len(json.dumps(arguments)) > LARGEST:
        raise NotAnswered("what the kernel is to be told is larger than 4 MB")
    content = {"question": question, "arguments": arguments}
    return Message("control", REQUEST, stamp.id, content=content, session=stamp.session, date=stamp.date)


def answer_of(reply: Message) -> Json:
    """The answer, an object whose values nobody has checked; raises NotAnswered with the kernel's reason."""
    written = reply.content.get("answer")
    if reply.content.get("status") != "ok" or not isinstance(written, str):
        reason = " ".join(text_of(reply.content.get("reason"))[:REASON].split())
        raise NotAnswered(reason or "the kernel gave no answer that can be read")
    if len(written) > LARGEST:
        raise NotAnswered("the kernel's answer is larger than 4 MB")
    try:
        answer = loads(written)
    except ValueError as error:
        raise NotAnswered(f"the kernel's answer cannot be read: {error}") from None
    if not isinstance(answer, dict):
        raise NotAnswered("the kernel's answer is no JSON object")
    return answer
