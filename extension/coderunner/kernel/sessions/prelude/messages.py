"""Every message that can be sent is sent, and numbered in the order of sending.

- A lone surrogate is shown as U+FFFD. ipykernel loses all text that is printed with it, prints its own error
  instead, and may then wait ten seconds for each flush at the end of the cell.
- Messages are numbered as they are sent, so a missing number means a lost message. jupyter_client numbers
  them as they are made, and some are never sent: the result of a last expression with `_ipython_display_` or
  with a `__repr__` that raises, what a hook keeps for itself, what is not JSON.
"""

import itertools
import os
from typing import Any

from IPython.core.getipython import get_ipython

UNSENT = "coderunner_unsent"
NOTHING: dict[str, Any] = {"parent_header": {}, "metadata": {}, "content": {}, "buffers": []}


def whole_characters(value: Any) -> Any:
    """The content of a message with surrogate pairs joined; a lone surrogate becomes U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {whole_characters(key): whole_characters(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [whole_characters(each) for each in value]
    return value


def replace_half_characters(shell: Any) -> None:
    """Send messages that have lone surrogates in them."""
    session = shell.kernel.session
    bare: Any = getattr(session.pack, "bare", session.pack)

    def pack(content: Any) -> Any:
        try:
            return bare(content)
        except UnicodeEncodeError:
            return bare(whole_characters(content))

    pack.bare = bare  # type: ignore[attr-defined]
    session.pack = pack


def number_messages(shell: Any) -> None:
    """Give each message that is sent the next number of a series of our own."""
    session = shell.kernel.session
    if hasattr(session.send, "bare"):
        return
    bare, process = session.send, os.getpid()
    series, numbers = f"{session.session}_{process}_sent", itertools.count()

    def send(
        stream: Any,
        message: Any,
        content: Any = None,
        parent: Any = None,
        ident: Any = None,
        buffers: Any = None,
        track: bool = False,  # noqa: FBT001, FBT002 - as jupyter_client has it
        header: Any = None,
        metadata: Any = None,
    ) -> Any:
        if not isinstance(message, dict):
            message = session.msg(message, content, parent, header, metadata)
        if os.getpid() != process:
            # Those of a forked child are not part of the series: the kernel counts on without it.
            return bare(stream, message, ident=ident, buffers=buffers, track=track)
        identity = f"{series}_{next(numbers)}"
        message = {**message, "header": {**message["header"], "msg_id": identity}, "msg_id": identity}
        try:
            return bare(stream, message, ident=ident, buffers=buffers, track=track)
        except BaseException:
            # An empty message takes the number: nothing was lost on the way, and the sender gets the error.
            empty = {"header": {**message["header"], "msg_type": UNSENT}, "msg_type": UNSENT}
            bare(stream, {**message, **empty, **NOTHING}, ident=ident)
            raise

    send.bare = bare  # type: ignore[attr-defined]
    session.send = send


shell = get_ipython()
if shell is not None:
    replace_half_characters(shell)
    number_messages(shell)
