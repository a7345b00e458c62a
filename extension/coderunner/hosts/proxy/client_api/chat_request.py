"""Reads a client's request, and decides whether it is passed through unchanged. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from coderunner.errors import CodeRunnerError, UnreadableJSON
from coderunner.hosts.proxy.files.sent_files import SentFile, take
from coderunner.models.messages.messages_request import MessagesRequest
from coderunner.models.responses.responses_request import ResponsesRequest
from coderunner.text import json_reader
from coderunner.tools.tool import Tool

Message = Mapping[str, object]

MODEL_SUFFIX = "+python"
"""The suffix of a model's name that asks to run its code."""

VARIABLES_SUFFIX = f"{MODEL_SUFFIX}+variables"
"""The suffix that also asks to tell the model which variables its code made or changed."""

FORM_FIELD = re.compile(rb'(; name="model"\r\n\r\n[^\r\n]{1,500}?)\+python(?:\+variables)?(?=\r\n--)')
"""The suffix in the field `model` of a form, as requests with a file are sent."""

ROUTE = re.compile(r"^(models/[^?]{1,500}?)(?:\+|%2B)python(?:(?:\+|%2B)variables)?(?=\?|$)", re.IGNORECASE)
"""The suffix in the route of one model."""

OFF = "x-coderunner"
"""The header with which a client can say `off` for one request."""

TASK = "### Task:"
"""The beginning of Open WebUI's own requests for titles, tags and follow-up questions."""

TITLES = ("Please generate a concise,", "Provide a concise,", "Detect user language and write")
"""The beginnings of LibreChat's requests for a title."""


class UnusableRequest(CodeRunnerError, ValueError):
    """A request that cannot be answered as it is."""


@dataclass(frozen=True, slots=True)
class Clues:
    """What a request says of its conversation, beside its headers and its history."""

    metadata: object = None
    name: str = ""
    """The name of the conversation of what it refers to."""


FAILED = "coderunner_failed"
"""In a message with an answer: it says why the tool failed. Chat completions have no field for that."""


@dataclass(frozen=True, slots=True)
class ClientAnswer:
    """What a client answers to a call by a block."""

    text: str
    failed: bool = False
    """It says why the tool failed."""
    parts: Sequence["str | Mapping[str, str]"] = ()
    """Its texts and images in order, where it has images: each with `mime`, and `data` in base64."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request for a reply whose code is to be run."""

    model: str
    """The model's name at the endpoint."""
    named: str
    """Its name in the request, which the response repeats."""
    messages: Sequence[Message]
    """All messages before the reply."""
    prior: str = ""
    """The beginning of the reply, if the client wants it continued: its code is not run."""
    options: Mapping[str, object] = field(default_factory=dict)
    """The other fields of the request."""
    streams: bool = False
    counts: bool = False
    """The client wants the token usage at the end of the stream."""
    variables: bool = False
    """The model is to be told which variables its code made or changed."""
    native: MessagesRequest | ResponsesRequest | None = None
    """The same for an endpoint that has the API of the request itself."""
    untold: CodeRunnerError | None = None
    """Why only such an endpoint can answer it."""
    files: Sequence[SentFile] = ()
    """The files that came with the messages, once they are taken out."""
    tools: Sequence[Tool] = ()
    """The client's own, which its blocks can call."""
    answers: Mapping[str, ClientAnswer] = field(default_factory=dict)
    """What the client answers to calls of them by a block, by their ids."""

    @property
    def history(self) -> Sequence[Message]:
        """All messages, with what the reply begins with."""
        return [*self.messages, {"role": "assistant", "content": self.prior}] if self.prior else self.messages


def plain(model: str) -> str:
    """A model's name without the suffix."""
    return model.removesuffix(VARIABLES_SUFFIX if model.endswith(VARIABLES_SUFFIX) else MODEL_SUFFIX)


def is_marked(model: object) -> bool:
    """Whether a model's name asks to run its code."""
    return str(model or "").endswith((MODEL_SUFFIX, VARIABLES_SUFFIX))


def unmarked(body: bytes) -> bytes:
    """A request that is passed on, without the suffix of its models: no endpoint knows those.

    In JSON, also in the requests of a batch (`requests[].params`, as Anthropic's API has it), and in a form.
    """
    if MODEL_SUFFIX.encode() not in body:
        return body
    try:
        asked = json_reader.loads(body)
    except UnreadableJSON:
        return FORM_FIELD.sub(rb"\1", body, count=1)
    told = _unmarked(asked)
    if isinstance(told, dict) and isinstance(batch := told.get("requests"), list):
        told = {**told, "requests": [_of_batch(each) for each in batch]}
    return body if told == asked else json.dumps(told).encode()


def unmarked_route(route: str) -> str:
    """A route of the API, without the suffix of the model that it names."""
    return ROUTE.sub(r"\1", route)


def _unmarked(asked: object) -> object:
    """A value whose `model` has no suffix; the same one where it had none."""
    if not isinstance(asked, dict) or not is_marked(asked.get("model")):
        return asked
    return {**asked, "model": plain(str(asked["model"]))}


def _of_batch(each: object) -> object:
    return {**each, "params": _unmarked(each.get("params"))} if isinstance(each, dict) else each


def wants_code_run(body: Mapping[str, object], headers: Mapping[str, str], *, every: bool) -> bool:
    """Whether a request of any API wants its code run; `every`: also without the suffix."""
    return (every or is_marked(body.get("model"))) and headers.get(OFF, "").casefold() != "off"


def reads(body: Mapping[str, object]) -> bool:
    """Whether this asks for one reply of a conversation."""
    return _is_a_conversation(body.get("messages")) and _is_one_text(body) and not is_side_job(body)


def read(body: Mapping[str, object], default: str = "") -> ChatRequest:
    """Read a request for which `reads` is true; `default` is the model if it names none."""
    named = str(body.get("model") or default)
    messages = [message for message in _sequence(body["messages"]) if isinstance(message, Mapping)]
    prior = ""
    if messages[-1].get("role") == "assistant":
        prior = str(messages.pop().get("content"))
    apart = ("model", "messages", "stream", "stream_options")
    counting = body.get("stream_options")
    return ChatRequest(
        plain(named),
        named,
        messages,
        prior,
        {name: value for name, value in body.items() if name not in apart},
        streams=body.get("stream") is True,
        counts=isinstance(counting, Mapping) and counting.get("include_usage") is True,
        variables=named.endswith(VARIABLES_SUFFIX),
    )


def with_files(asked: ChatRequest) -> ChatRequest:
    """The request with its files taken out of its messages; reads them whole. Raises UnusableFile."""
    taken = take(asked.messages)
    return replace(asked, messages=taken.messages, files=taken.files)


def is_side_job(body: Mapping[str, object]) -> bool:
    """Whether a chat program asks for something of its own: a title, tags, follow-up questions."""
    messages = _sequence(body.get("messages"))
    last = messages[-1] if messages else {}
    text = text_of(last.get("content")).lstrip() if isinstance(last, Mapping) else ""
    return text.startswith((TASK, *TITLES))


def said(asked: ChatRequest) -> str:
    """What the user said last; empty where the last message is not the user's."""
    last = asked.messages[-1] if asked.messages else {}
    return text_of(last.get("content")) if last.get("role") == "user" else ""


def with_words(asked: ChatRequest, words: str) -> ChatRequest:
    """The request with words of ours before what the user said last."""
    *before, last = asked.messages
    content = last.get("content")
    part = {"type": "text", "text": words}
    told = f"{words}\n{content}" if isinstance(content, str) else [part, *_sequence(content)]
    return replace(asked, messages=[*before, {**last, "content": told}])


def text_of(content: object) -> str:
    """The text of a message's content, which may come in parts."""
    if isinstance(content, str):
        return content
    parts = [part for part in _sequence(content) if isinstance(part, Mapping)]
    return "\n".join(str(part.get("text") or "") for part in parts if part.get("type") == "text")


def _is_a_conversation(messages: object) -> bool:
    """Whether these are messages; a last one by the assistant must be a text to be continued."""
    every = _sequence(messages)
    told = [message for message in every if isinstance(message, Mapping)]
    if not told or len(told) != len(every):
        return False
    last = told[-1]
    return last.get("role") != "assistant" or (
        isinstance(last.get("content"), str) and not last.get("tool_calls")
    )


def _is_one_text(body: Mapping[str, object]) -> bool:
    """Whether one text is wanted: not several, JSON by a schema, or audio."""
    shape = body.get("response_format")
    shaped = isinstance(shape, Mapping) and shape.get("type") != "text"
    several = body.get("n") not in (None, 1)
    sounds = "audio" in _sequence(body.get("modalities"))
    fields = ("logprobs", "top_logprobs", "functions", "audio")
    return not (shaped or several or sounds or any(body.get(name) for name in fields))


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
