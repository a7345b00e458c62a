"""`tools`: a function for each tool, which CodeRunner calls for the program.

A call is a message on iopub with the cell as its parent; its answer comes over the control channel, which
another thread reads. Meanwhile the calling thread waits, and an interrupt ends the wait. What is not heard is
sent again under the same id, and called only once. `SPECIFICATIONS` and `FAILURES` are in the namespace.
"""

import base64
import builtins
import functools
import importlib.util
import inspect
import itertools
import json
import os
import secrets
import sys
import threading
import types
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

if TYPE_CHECKING:
    from coderunner.kernel.sessions.prelude.events import replace_callback

    SPECIFICATIONS = ""
    FAILURES = ""

CALL, ANSWER = "coderunner_tool_call", "coderunner_tool_answer"
PATIENCE, EACH = 0.5, 8
"""Seconds between two looks whether the block still runs; after so many of them a call is sent again."""
LARGEST = 1024 * 1024
TOO_LATE = "the block that started this thread has ended, so it cannot call tools"
ELSEWHERE = "tools can only be called in the process of the kernel itself"


class ToolError(Exception):
    """A tool failed, or could not be called; the text says why."""


class ToolImage:
    """An image that a tool gave: shown where it is displayed, or the last value of a cell."""

    def __init__(self, data: bytes, mime: str) -> None:
        self.data = data
        self.mime = mime

    def __repr__(self) -> str:
        return f"<{self.mime}, {len(self.data):,} bytes; display(…) shows it>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> "dict[str, str]":
        told = f"<{self.mime}, {len(self.data):,} bytes>"
        return {self.mime: base64.b64encode(self.data).decode(), "text/plain": told}


class ToolContents(list):  # type: ignore[type-arg]
    """Several contents that a tool gave, texts and images: each is shown where they are displayed."""

    def _ipython_display_(self) -> None:
        from IPython import display

        show: Any = display.display
        for each in self:
            show({"text/plain": each}, raw=True) if isinstance(each, str) else show(each)


def plain(value: Any) -> Any:
    """What JSON has for a value that it does not know."""
    for name in ("tolist", "isoformat", "to_dict"):
        method = getattr(value, name, None)
        if callable(method):
            return method()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{type(value).__name__} cannot be an argument of a tool")


def value_of(answer: "dict[str, Any]") -> Any:
    """What a call gives; raises ToolError."""
    __tracebackhide__ = True
    if "error" in answer:
        raise ToolError(answer["error"])
    if not answer["parts"]:
        return answer["value"]
    parts = [
        each if isinstance(each, str) else ToolImage(base64.b64decode(each["data"]), each["mime"])
        for each in answer["value"]
    ]
    return parts[0] if len(parts) == 1 else ToolContents(parts)


class Channel:
    """The calls that are on their way, of all threads."""

    def __init__(self, shell: Any) -> None:
        self.kernel = shell.kernel
        self.process = os.getpid()
        self.series, self.numbers = secrets.token_hex(8), itertools.count(1)
        self.waiting: dict[str, list[Any]] = {}
        self.parent: Any = None
        self.offer: Any = None
        """Changes which functions there are."""
        self.kernel.control_handlers[ANSWER] = self.receive

        def begin_calling() -> None:
            self.parent = self.kernel.get_parent("shell")

        def end_calling() -> None:
            self.parent = None

        replace_callback(shell, "pre_execute", begin_calling)
        replace_callback(shell, "post_execute", end_calling)

    def receive(self, stream: Any, ident: Any, parent: Any) -> None:
        """Take an answer, in the control thread."""
        content = parent["content"]
        waits = self.waiting.get(content["call"])
        if waits is not None:
            waits[1] = content["answer"]
            waits[0].set()
        told = {"status": "ok", "answer": "{}"}
        self.kernel.session.send(stream, "coderunner_reply", told, parent, ident)

    def send(self, content: "dict[str, Any]", parent: Any) -> None:
        """Say something of a call."""
        self.kernel.session.send(self.kernel.iopub_socket, CALL, content, parent, ident=CALL.encode())

    def call(self, tool: str, arguments: "dict[str, Any]") -> Any:
        """Call a tool, and wait for what it gives."""
        __tracebackhide__ = True  # IPython shows no frame of ours
        parent = self.parent
        if os.getpid() != self.process:
            raise ToolError(ELSEWHERE)
        if parent is None:
            raise ToolError(TOO_LATE)
        written = json.dumps(arguments, default=plain, allow_nan=False)
        if len(written) > LARGEST:
            raise ToolError("the arguments are larger than 1 MB")
        identity = f"{self.series}-{next(self.numbers)}"
        waits = self.waiting[identity] = [threading.Event(), None]
        content = {"call": identity, "tool": tool, "arguments": written}
        try:
            # What was printed before the call is shown before it.
            sys.stdout.flush()
            self.send(content, parent)
            for number in itertools.count(1):
                if waits[0].wait(PATIENCE):
                    break
                if self.parent is not parent:
                    raise ToolError(TOO_LATE)
                if number % EACH == 0:
                    self.send(content, parent)
        except BaseException:
            with suppress(Exception):
                self.send({"call": identity, "over": True}, parent)
            raise
        finally:
            self.waiting.pop(identity, None)
        return value_of(json.loads(waits[1]))


def function(channel: Channel, told: "dict[str, Any]") -> Any:
    """The function of one tool."""
    name, keys = told["name"], {each[0]: each[1] for each in told["parameters"]}
    kind = inspect.Parameter
    parameters = []
    for each, _, annotation, required, default in told["parameters"]:
        usual = kind.empty if required else Shown(default or "...")
        note = Shown(annotation) if annotation else kind.empty
        parameters.append(kind(each, kind.POSITIONAL_OR_KEYWORD, default=usual, annotation=note))
    if told["open"]:
        parameters.append(kind("more", kind.VAR_KEYWORD))
    returns = Shown(told["returns"]) if told["returns"] else inspect.Signature.empty
    signature = inspect.Signature(parameters, return_annotation=returns)

    def tool(*values: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        given = signature.bind(*values, **named).arguments
        more = given.pop("more", {}) if told["open"] else {}
        return channel.call(name, {**{keys[each]: value for each, value in given.items()}, **more})

    tool.__name__ = tool.__qualname__ = name
    tool.__module__, tool.__doc__ = "tools", told["documentation"]
    tool.__signature__ = signature  # type: ignore[attr-defined]
    return tool


class Shown:
    """Stands in a signature for what it says."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def fill(module: types.ModuleType, channel: Channel, specifications: str, failures: str) -> None:
    """Have the module hold these functions, and none from before."""
    for name in vars(module).get("__all__", ()):
        vars(module).pop(name, None)
    for told in json.loads(specifications):
        setattr(module, told["name"], function(channel, told))
    names = [told["name"] for told in json.loads(specifications)]

    def missing(name: str) -> Any:
        __tracebackhide__ = True
        if name.startswith("_") or not json.loads(failures):
            raise AttributeError(f"there is no tool {name!r}, but {', '.join(names) or 'none'}")

        # A server did not answer: it may by now.
        def tool(**named: Any) -> Any:
            return channel.call(name, named)

        return tool

    vars(module).update(ToolError=ToolError, ToolImage=ToolImage, __all__=names, __getattr__=missing)
    vars(module)["__dir__"] = lambda: [*names, "ToolError"]


def offer(shell: Any) -> None:
    """Have the module found by its name, and by `import`; a program's own of that name comes first.

    Functions that a program has kept go on working when others are offered.
    """
    known = getattr(shell.kernel.control_handlers.get(ANSWER), "__self__", None)
    if known is not None:
        known.offer(SPECIFICATIONS, FAILURES)
        return
    channel = Channel(shell)
    module = types.ModuleType("tools", "Functions of the tools that CodeRunner calls for this program.")
    ToolError.__module__ = ToolImage.__module__ = "tools"
    channel.offer = functools.partial(fill, module, channel)
    channel.offer(SPECIFICATIONS, FAILURES)
    earlier = sys.modules.get("tools")
    ours = earlier is not None and earlier is getattr(builtins, "tools", None)
    if ours or (earlier is None and importlib.util.find_spec("tools") is None):
        sys.modules["tools"] = module
    builtins.tools = module  # type: ignore[attr-defined]


shell = get_ipython()
if shell is not None and hasattr(shell, "kernel"):
    offer(shell)
