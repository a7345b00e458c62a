"""Folds the messages of one `execute_request` into outputs.

Pure. Everything in a message is untrusted: what has the wrong type or the wrong parent is ignored, what is
too large is shortened and says so, so that the memory this takes is bounded whatever the program does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from coderunner.kernel.protocol import reported_errors as reports
from coderunner.kernel.protocol.message_content import display_id_of, made_of, object_of
from coderunner.kernel.protocol.messages import Message
from coderunner.kernel.protocol.output_limits import (
    HEAD,
    RATE_NOTICE,
    BoundedText,
    bundle_of,
    prompt_of,
    shorten,
    size_of,
)
from coderunner.kernel.protocol.shown_outputs import full, twice
from coderunner.outputs import (
    END_OF_INPUT,
    DisplayData,
    Error,
    ExecuteResult,
    MadeFile,
    MimeBundle,
    Output,
    Question,
    Stream,
    count_of,
)
from coderunner.secret_value import Secret
from coderunner.text import surrogates

WHOLE = 64 * 1024 * 1024
"""Characters of all displays of one cell together."""
COUNT = 500
"""Outputs of one cell; a cell that displays more is in a loop."""

UNREADABLE = "An output could not be read: {fault}.\n"


@dataclass(frozen=True, slots=True)
class Change:
    """What changed in a list of outputs.

    With an output: it now stands at `index`, new or in place of the one before. With None: all outputs from
    `index` on are gone. Applying the changes in order to a list gives the outputs.
    """

    index: int
    output: Output | None


class CellOutputs:
    """What one `execute_request` has shown so far, and how it ended.

    Complete when both the reply and the idle status of our own request came, in either order; the first of
    each counts. Afterwards it may still receive: text of the same request that was on its way.
    """

    def __init__(self, request: str, *, asks: bool = False, count: int = COUNT, whole: int = WHOLE) -> None:
        """`count` and `whole` bound its outputs: how many, and how many characters together."""
        self.request = request
        """The request's message id; only messages with this parent count."""
        self.question: Question | None = None
        """What the program waits for a person to answer; only where it may ask."""
        self._asks = asks
        self._most, self._whole = count, whole
        self._asked = 0
        self._prompt = ""
        self.started = False
        """The kernel said that it took up our request."""
        self._ran = self.idle = False
        self.reply: Literal["", "ok", "error", "aborted"] = ""
        self.execution_count: int | None = None
        self.dropped = ""
        """The limit of the server for whose sake it dropped output of ours."""
        self.ending = False
        """The program asked for the end of its kernel (`exit()`)."""
        self.made: tuple[tuple[MadeFile, ...], int] = ((), 0)
        self._shown: list[Output | BoundedText] = []
        self._changed: set[int] = set()
        self._clear_at_next = self._cleared = False
        self._left_out = self._notice = self._size = 0
        self._owed: Error | None = None

    @property
    def complete(self) -> bool:
        """Both the reply and the idle status came."""
        return self.idle and bool(self.reply)

    @property
    def interrupted(self) -> bool:
        """The program ended because somebody interrupted it."""
        if self.reply == "aborted":
            # R and bash say so of what they were running, others of what they have not begun.
            return self._ran or bool(self._shown)
        last = self._shown[-1] if self._shown else None
        return self.reply == "error" and isinstance(last, Error) and last.ename == "KeyboardInterrupt"

    @property
    def failed(self) -> bool:
        """The program raised, as far as it was told."""
        return any(isinstance(shown, Error) for shown in self._shown)

    @property
    def changed(self) -> bool:
        """There are changes that nobody took."""
        return self._cleared or bool(self._changed)

    @property
    def outputs(self) -> tuple[Output, ...]:
        """All outputs so far, in order, consecutive text of one stream in one piece."""
        owed = () if self._owed is None or self.failed or reports.says_nothing(self._owed) else (self._owed,)
        return (*(_value(shown) for shown in self._shown), *owed)

    def take_changes(self) -> list[Change]:
        """Return what changed since this was last called; many small changes to one output come as one."""
        changes = [Change(0, None)] if self._cleared else []
        changes += [Change(index, _value(self._shown[index])) for index in sorted(self._changed)]
        self._cleared = False
        self._changed.clear()
        return changes

    def retell(self) -> None:
        """Have `take_changes` give every output."""
        self._cleared = True
        self._changed.update(range(len(self._shown)))

    def receive(self, message: Message) -> None:
        """Take one message of the kernel; anything that is not ours or makes no sense is ignored."""
        # A display id is the kernel's own: a later cell may change what an earlier one shows.
        if message.parent != self.request and message.type != "update_display_data":
            return
        receive = _RECEIVERS.get((message.channel, message.type))
        if message.fault:
            self._miss(message)
        elif receive is not None:
            try:
                receive(self, message.content)
            except Exception as error:
                # It may be of any shape: what we fail at is one output, and the next is taken.
                self._miss(replace(message, fault=type(error).__name__))

    def _miss(self, message: Message) -> None:
        """Say that a message could not be read; a reply is one all the same."""
        if message.type == "execute_reply" and not self.reply:
            self.withdraw()
            self.reply = "error" if self.failed else "ok"
        elif message.channel != "iopub" or message.type in ("status", "execute_input"):
            return
        self._stream({"name": "stderr", "text": UNREADABLE.format(fault=message.fault)})

    def note(self, data: MimeBundle, mark: str) -> None:
        """Show something of ours, which no kernel said, in place of what has the same mark."""
        if not self._redraw(mark, data, {}):
            self._make_way()
            self._append(DisplayData(data, display_id=mark))
        self._size += size_of(data)

    def follow_up(self, message: Message) -> None:
        """Show the new state of a display that stands in another list; once, in place of the one before."""
        if self.displays(display_id_of(message.content)):
            self._update(message.content)
        else:
            self._display(message.content)

    def displays(self, display_id: str) -> bool:
        """Return whether it shows something of that display id."""
        shown = (each for each in self._shown if isinstance(each, DisplayData | ExecuteResult))
        return bool(display_id) and any(each.display_id == display_id for each in shown)

    def answer(self, question: str, line: Secret) -> bool:
        """Take the answer to the question of that id; False where it is not (or not any more) open.

        As in a terminal, prompt and answer become output, of a password the prompt alone.
        """
        if self.question is None or self.question.id != question:
            return False
        hidden = self.question.password or line.reveal() == END_OF_INPUT
        self._close_question("" if hidden else line.reveal())
        return True

    def withdraw(self) -> None:
        """Take the open question back; its prompt stays, as in a terminal."""
        if self.question is not None:
            self._close_question("")

    def _close_question(self, echo: str) -> None:
        self.question = None
        self._stream({"name": "stdout", "text": f"{self._prompt}{echo}\n"})

    # --- what each type of message does -----------------------------------------------------------

    def _status(self, content: Mapping[str, object]) -> None:
        self.started = self.started or content.get("execution_state") == "busy"
        self.idle = self.idle or content.get("execution_state") == "idle"
        self._settle_up()

    def _input(self, content: Mapping[str, object]) -> None:
        self.started = self._ran = True
        self._count(content)

    def _reply(self, content: Mapping[str, object]) -> None:
        status = content.get("status")
        if self.reply or status not in ("ok", "error", "aborted", "abort"):
            return
        self.withdraw()
        self.reply = "aborted" if status == "abort" else status  # type: ignore[assignment]
        self._count(content)
        self._owed = reports.error_of(content) if status == "error" else None
        self._settle_up()
        payload = content.get("payload")
        for item in payload if isinstance(payload, list) else []:
            self._payload(item)

    def _payload(self, item: object) -> None:
        if not isinstance(item, dict):
            return
        if item.get("source") == "page":
            # `len?`: what a terminal would show in its pager.
            self._display({"data": item.get("data")})
        elif item.get("source") == "ask_exit":
            self.ending = True

    def _ask(self, content: Mapping[str, object]) -> None:
        if not self._asks or self.reply:
            return
        # A program has one place in which it waits: the latest question is the one that an answer reaches.
        self.withdraw()
        prompt = content.get("prompt")
        self._prompt = shorten(prompt, HEAD) if isinstance(prompt, str) else ""
        self._asked += 1
        identity, password = f"{self.request}-{self._asked}", content.get("password") is True
        self.question = Question(identity, prompt_of(self._prompt), password)

    def _stream(self, content: Mapping[str, object]) -> None:
        name, text = content.get("name"), content.get("text")
        if not isinstance(text, str) or not text:
            return
        if name == "stderr" and (notice := RATE_NOTICE.fullmatch(text)):
            self.dropped = notice[1]
            return
        self._make_way()
        last = self._shown[-1] if self._shown else None
        kind: Literal["stdout", "stderr"] = "stderr" if name == "stderr" else "stdout"
        if isinstance(last, BoundedText) and last.name == kind:
            last.add(surrogates.whole(text))
            self._changed.add(len(self._shown) - 1)
        else:
            self._append(BoundedText(kind, surrogates.whole(text)))

    def _display(self, content: Mapping[str, object]) -> None:
        self._make_way()
        data = self._bundle(content.get("data"))
        if data and not twice(self._shown, data, ExecuteResult):
            self._append(DisplayData(data, object_of(content.get("metadata")), display_id_of(content)))

    def _execute_result(self, content: Mapping[str, object]) -> None:
        self._make_way()
        data = self._bundle(content.get("data"))
        self._count(content)
        if data and not twice(self._shown, data, DisplayData):
            metadata = object_of(content.get("metadata"))
            self._append(ExecuteResult(data, metadata, self.execution_count, display_id_of(content)))

    def _update(self, content: Mapping[str, object]) -> None:
        if display_id := display_id_of(content):
            self._redraw(display_id, self._bundle(content.get("data")), object_of(content.get("metadata")))

    def _redraw(self, display_id: str, data: MimeBundle, metadata: MimeBundle) -> bool:
        drawn = False
        for index, shown in enumerate(self._shown):
            if isinstance(shown, DisplayData | ExecuteResult) and shown.display_id == display_id:
                self._size -= size_of(shown.data)
                self._shown[index] = replace(shown, data=data, metadata=metadata)
                self._changed.add(index)
                drawn = True
        return drawn

    def _error(self, content: Mapping[str, object]) -> None:
        self.withdraw()
        self._make_way()
        error, last = reports.error_of(content), self._shown[-1] if self._shown else None
        # IPython tells of one whose own text cannot be had twice.
        if not (isinstance(last, Error) and (last.ename, last.evalue) == (error.ename, error.evalue)):
            self._append(error)

    def _clear(self, content: Mapping[str, object]) -> None:
        self._clear_at_next = True
        if content.get("wait") is not True:
            self._make_way()

    # --- how they do it ---------------------------------------------------------------------------

    def _settle_up(self) -> None:
        """Show the reply's error where it is the only one: an ExceptionGroup, no memory left.

        Not before the kernel is idle, since the reply may overtake what comes on iopub. It takes the place of
        its own text on stderr.
        """
        if self.idle and (self.reply == "ok" or reports.raised_nothing(self._owed)):
            self._changed |= (aside := reports.set_aside(self._shown))
            self.reply = "ok" if aside and not self.failed else self.reply
        if not self.idle or self._owed is None or self.failed or reports.says_nothing(self._owed):
            return
        self._make_way()
        last = self._shown[-1] if self._shown else None
        instead = reports.in_place_of(last, self._owed) if isinstance(last, BoundedText) else None
        if instead is not None:
            self._shown[-1] = instead
            self._changed.add(len(self._shown) - 1)
        if not isinstance(instead, Error):
            self._append(self._owed)

    def _count(self, content: Mapping[str, object]) -> None:
        if (count := count_of(content.get("execution_count"))) is not None:
            self.execution_count = count

    def _make_way(self) -> None:
        """Do what a `clear_output` asked for: with `wait` it clears when the next output comes."""
        if not self._clear_at_next:
            return
        self._clear_at_next = False
        self._cleared = self._cleared or bool(self._shown)
        self._shown.clear()
        self._changed.clear()
        self._left_out = self._size = 0

    def _append(self, output: "Output | BoundedText") -> None:
        first_error = isinstance(output, Error) and not self.failed
        if (len(self._shown) < self._most and not full(self._shown, self._whole)) or first_error:
            self._shown.append(output)
            self._changed.add(len(self._shown) - 1)
            return
        self._left_out += 1
        notice = Stream(
            "stderr", f"… {self._left_out:,} more outputs left out: this cell produces too much output.\n"
        )
        if self._left_out == 1:
            self._notice = len(self._shown)
            self._shown.append(notice)
        self._shown[self._notice] = notice
        self._changed.add(self._notice)

    def _bundle(self, data: object) -> MimeBundle:
        bundle = bundle_of(data)
        self._size += size_of(bundle)
        if self._size <= self._whole:
            return bundle
        self._size -= size_of(bundle)
        said = f"[{', '.join(bundle)} left out: this cell produces too much output]"
        return {"text/plain": said} if bundle else {}


def _made(outputs: CellOutputs, content: Mapping[str, object]) -> None:
    """Only our prelude says which files a cell made."""
    outputs.made = made_of(content)


_RECEIVERS = {
    ("iopub", "status"): CellOutputs._status,
    ("iopub", "execute_input"): CellOutputs._input,
    ("iopub", "stream"): CellOutputs._stream,
    ("iopub", "display_data"): CellOutputs._display,
    ("iopub", "execute_result"): CellOutputs._execute_result,
    ("iopub", "update_display_data"): CellOutputs._update,
    ("iopub", "error"): CellOutputs._error,
    ("iopub", "clear_output"): CellOutputs._clear,
    ("iopub", "coderunner_files"): _made,
    ("shell", "execute_reply"): CellOutputs._reply,
    ("stdin", "input_request"): CellOutputs._ask,
}


def _value(shown: "Output | BoundedText") -> Output:
    return shown.value() if isinstance(shown, BoundedText) else shown
