"""What went wrong at an endpoint, as one sentence with the values and the way out. Pure.

Whatever a server says is quoted on one line, shortened, and with our key blotted out: some servers repeat it.
"""

import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from coderunner.errors import (
    EndpointFailed,
    EndpointRefused,
    EndpointUnreachable,
    ModelError,
    ReplyBrokenOff,
    UnreadableJSON,
)
from coderunner.secret_value import Secret
from coderunner.text import json_reader
from coderunner.text.surrogates import whole

NOT_FOUND = 404
UNWELCOME = frozenset({401, 403})
"""How a server says that it does not accept our key."""
QUOTED = 300
"""Characters of a server's own words that we repeat: a sentence or two, not a stack trace."""

WORDS = ("error", "detail", "message", "errors", "msg", "error_message", "error_msg", "status_msg")
"""Where servers put what went wrong, the most telling first: OpenAI's shape, FastAPI's, Ollama's, others'."""
AROUND = (*WORDS, "base_resp", "title")
"""The same, with what holds or names it beside: MiniMax's, and that of RFC 9457."""

FAILED = frozenset({"error", "abort", "network_error", "insufficient_system_resource"})
"""Reasons to end that mean a failure: OpenRouter's and Mistral's, vLLM's, Zhipu's, DeepSeek's."""

RETRY_AFTER = re.compile(r"\d{1,9}(\.\d{1,9})?|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
"""Seconds, with the fraction that some send, or a date (RFC 9110, 10.2.3)."""

LISTED = 8
"""Models named in a sentence; a router like OpenRouter has hundreds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered instead of what was asked for."""

    status: int
    text: str
    location: str = ""
    retry_after: str = ""


def from_answer(
    answer: Answer, url: str, *, path: str, model: str, offered: Sequence[str], key: Secret
) -> ModelError:
    """Tell an HTTP answer that is no success."""
    failure = _from_answer(answer, url, path=path, model=model, offered=offered, key=key)
    if isinstance(failure, EndpointFailed):
        failure.of_messages = _is_of_messages(answer.text)
        failure.retry_after = answer.retry_after if RETRY_AFTER.fullmatch(answer.retry_after) else ""
    return failure


def _is_of_messages(text: str) -> bool:
    """Whether an error is one of Anthropic's API."""
    try:
        value = json_reader.loads(text)
    except UnreadableJSON:
        return False
    return isinstance(value, dict) and value.get("type") == "error" and isinstance(value.get("error"), dict)


def _from_answer(
    answer: Answer, url: str, *, path: str, model: str, offered: Sequence[str], key: Secret
) -> ModelError:
    said = _quoted(_message(answer.text), key)
    tail = f": {said}" if said else ""
    status = answer.status
    match status:
        case 401 | 403 if key:
            return EndpointRefused(f"{url} does not accept the key ({status}){tail}")
        case 401 | 403:
            return EndpointRefused(f"{url} requires an API key ({status}); set it{tail}")
        case 404 if offered and model not in offered:
            return EndpointFailed(f"{url} has no model {model!r}; it has: {_listed(offered)}", status=status)
        case 404:
            return EndpointFailed(
                f"{url} has no {path} (404); check the address, which usually ends in /v1{tail}",
                status=status,
            )
        case 429:
            return EndpointFailed(f"{url} is busy or over its quota (429){tail}", status=status)
        case _ if 300 <= status < 400:
            where = _quoted(answer.location, key) or "another address"
            return EndpointFailed(f"{url} has moved ({status}); use {where}", status=status)
        case _ if status < 500:
            return EndpointFailed(f"{url} refused the request ({status}){tail}", status=status)
        case _:
            return EndpointFailed(f"{url} failed ({status}){tail or '; see its log'}", status=status)


def error_in(chunk: Mapping[str, object]) -> object:
    """What a value in place of a chunk says went wrong; None where it is a chunk."""
    if error := chunk.get("error"):
        return chunk if error is True else error
    if "error" in (chunk.get("object"), chunk.get("type")):
        return chunk
    if chunk.get("type") == "response.failed":
        response = chunk.get("response")
        return (response.get("error") if isinstance(response, dict) else None) or chunk
    if isinstance(choices := chunk.get("choices"), list):
        choice = choices[0] if choices else None
        return choice.get("error") if isinstance(choice, dict) else None
    if any(chunk.get(name) and not isinstance(chunk[name], dict) for name in WORDS):
        return chunk
    return chunk if any(_failed(each) for each in (chunk, chunk.get("base_resp"))) else None


def _failed(answer: object) -> bool:
    """Whether a value bears a status as failures have: HTTP's, or MiniMax's own."""
    codes = [answer.get(name) for name in ("status", "status_code")] if isinstance(answer, dict) else []
    return any(isinstance(code, int) and code >= 400 for code in codes)


def inside_stream(error: object, url: str, *, key: Secret) -> EndpointFailed:
    """Tell an error that came in place of a chunk: an object, or words."""
    said = _quoted(_words(error), key) or "no reason given"
    return EndpointFailed(f"{url} ended the reply with an error: {said}", status=200)


def cut_off(url: str, *, empty: bool) -> ReplyBrokenOff:
    """Tell a stream that ended as if all were well, before the reply did."""
    said = "sent an empty reply" if empty else "ended the reply before it was complete"
    return ReplyBrokenOff(f"{url} {said}; see its log", status=200)


def gave_up(reason: str, url: str, *, key: Secret) -> EndpointFailed:
    """Tell a reply that ended for a reason which means that it failed."""
    return EndpointFailed(f"{url} ended the reply with the reason {_quoted(reason, key)!r}", status=200)


def garbled(text: str, url: str, *, key: Secret) -> EndpointFailed:
    """Tell an answer that is no JSON."""
    if re.match(r"\s*<(!doctype|html)", text, re.IGNORECASE):
        return EndpointFailed(
            f"{url} responded with a web page, not an API; check the address, which usually ends in /v1",
            status=200,
        )
    return EndpointFailed(f"{url} sent invalid JSON: {_quoted(text, key)}", status=200)


def endless(url: str, *, most: int) -> EndpointFailed:
    """Tell an answer, or an event of a stream, that is longer than any is."""
    return EndpointFailed(f"{url} sent more than {most / 1e6:.0f} MB at once, which is too much", status=200)


def unreachable(error: Exception, url: str) -> EndpointUnreachable:
    """Tell an exception from before the first byte of an answer."""
    causes = list(_chain(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return EndpointUnreachable(f"the host in {url} was not found; check its spelling")
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return EndpointUnreachable(f"the certificate of {url} is not trusted on this machine")
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return EndpointUnreachable(f"{url} does not use TLS; try http:// instead of https://")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return EndpointUnreachable(f"nothing listens at {url}; is the model's server running?")
    if any("Timeout" in type(cause).__name__ for cause in causes):
        return EndpointUnreachable(
            f"{url} does not respond in time; check the address, or whether the server is busy"
        )
    return EndpointUnreachable(
        f"{url} cannot be reached: {_quoted(str(error), Secret()) or type(error).__name__}"
    )


def broken_off(error: Exception, url: str, *, idle: float) -> ReplyBrokenOff:
    """Tell an exception from inside a stream."""
    if any("Timeout" in type(cause).__name__ for cause in _chain(error)):
        return ReplyBrokenOff(f"{url} has sent nothing for {idle:g} s; it may be out of memory", status=200)
    return ReplyBrokenOff(f"{url} closed the connection during the reply; see its log", status=200)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, what it came from, and the members of groups on the way."""
    while error is not None:
        yield error
        for member in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
            yield from _chain(member)
        error = error.__cause__ or error.__context__


def _message(text: str) -> str:
    """Find the sentence in an error body: JSON of some shape, or plain text."""
    try:
        value = json_reader.loads(text)
    except UnreadableJSON:
        return "" if text.lstrip().startswith("<") else text
    return _words(value)


def _words(value: object) -> str:
    """The sentence in what a server says went wrong; a value without one as JSON."""
    while (within := _within(value)) is not None:
        value = within
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _within(value: object) -> object:
    """What tells more of an error than the value around it."""
    if isinstance(value, dict):
        return next((value[name] for name in AROUND if value.get(name) and value[name] is not True), None)
    first = value[0] if isinstance(value, list) and value else None
    return first if isinstance(first, dict) and any(first.get(name) for name in AROUND) else None


def _quoted(text: str, key: Secret) -> str:
    if key:
        text = text.replace(key.reveal(), str(key))
    text = whole(text[: QUOTED * 8])  # it may have megabytes, most of them blanks
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= QUOTED else f"{line[:QUOTED]}…"


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {rest} more" if rest > 0 else "")
