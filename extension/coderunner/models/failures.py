"""What went wrong at an endpoint, as one sentence with the values and the way out. Pure.

Whatever a server says is quoted on one line, shortened, and with our key blotted out: some servers repeat it.
"""

import json
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from coderunner.errors import EndpointFailed, EndpointRefused, EndpointUnreachable, ModelError
from coderunner.secret import Secret

NOT_FOUND = 404
UNWELCOME = frozenset({401, 403})
"""How a server says that it does not accept our key."""
QUOTED = 300
"""Characters of a server's own words that we repeat: a sentence or two, not a stack trace."""

LISTED = 8
"""Models named in a sentence; a router like OpenRouter has hundreds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered instead of what was asked for."""

    status: int
    text: str
    location: str = ""


def from_answer(
    answer: Answer, url: str, *, path: str, model: str, offered: Sequence[str], key: Secret
) -> ModelError:
    """Tell an HTTP answer that is no success."""
    said = _quoted(_message(answer.text), key)
    tail = f": {said}" if said else ""
    status = answer.status
    match status:
        case 401 | 403 if key:
            return EndpointRefused(f"{url} does not accept the key ({status}){tail}")
        case 401 | 403:
            return EndpointRefused(f"{url} asks for a key ({status}); give the endpoint's API key{tail}")
        case 404 if offered and model not in offered:
            return EndpointFailed(f"{url} has no model {model!r}; it has: {_listed(offered)}", status=status)
        case 404:
            return EndpointFailed(
                f"{url} has no {path} (404); is the address right? It mostly ends with /v1{tail}",
                status=status,
            )
        case 429:
            return EndpointFailed(f"{url} is busy, or the quota is used up (429){tail}", status=status)
        case _ if 300 <= status < 400:
            where = _quoted(answer.location, key) or "another address"
            return EndpointFailed(f"{url} has moved ({status}); use {where}", status=status)
        case _ if status < 500:
            return EndpointFailed(f"{url} refused the request ({status}){tail}", status=status)
        case _:
            return EndpointFailed(f"{url} failed ({status}){tail or '; its own log says why'}", status=status)


def inside_stream(error: object, url: str, *, key: Secret) -> EndpointFailed:
    """Tell an error object that came in place of a chunk."""
    said = _quoted(_message(json.dumps({"error": error})), key)
    return EndpointFailed(f"{url} broke off the reply: {said}", status=200)


def garbled(text: str, url: str, *, key: Secret) -> EndpointFailed:
    """Tell an answer that is no JSON."""
    if re.match(r"\s*<(!doctype|html)", text, re.IGNORECASE):
        return EndpointFailed(
            f"{url} answered with a web page, not as an API; is the address right? It mostly ends with /v1",
            status=200,
        )
    return EndpointFailed(f"{url} sent something that is no JSON: {_quoted(text, key)}", status=200)


def endless(url: str, *, most: int) -> EndpointFailed:
    """Tell an answer, or an event of a stream, that is longer than any is."""
    return EndpointFailed(f"{url} sent more than {most / 1e6:.0f} MB at once, which is no answer", status=200)


def unreachable(error: Exception, url: str) -> EndpointUnreachable:
    """Tell an exception from before the first byte of an answer."""
    causes = list(_chain(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return EndpointUnreachable(f"the name in {url} is not known; is it spelled right?")
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return EndpointUnreachable(f"the certificate of {url} is not trusted on this machine")
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return EndpointUnreachable(f"{url} does not speak TLS there; try http:// in place of https://")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return EndpointUnreachable(f"nothing listens at {url}; is the model's server running?")
    if any("Timeout" in type(cause).__name__ for cause in causes):
        return EndpointUnreachable(
            f"{url} does not answer in time; is the address right, is the server busy?"
        )
    return EndpointUnreachable(
        f"{url} cannot be reached: {_quoted(str(error), Secret()) or type(error).__name__}"
    )


def broken_off(error: Exception, url: str, *, idle: float) -> EndpointFailed:
    """Tell an exception from inside a stream."""
    if any("Timeout" in type(cause).__name__ for cause in _chain(error)):
        return EndpointFailed(
            f"{url} has sent nothing for {idle:g} s; is its machine out of memory?", status=200
        )
    return EndpointFailed(f"{url} broke off the reply; its own log says why", status=200)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, what it came from, and the members of groups on the way."""
    while error is not None:
        yield error
        for member in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
            yield from _chain(member)
        error = error.__cause__ or error.__context__


def _message(text: str) -> str:
    """Find the sentence in an error body: OpenAI's shape, FastAPI's, Ollama's, or plain text."""
    try:
        value = json.loads(text)
    except ValueError:
        return "" if text.lstrip().startswith("<") else text
    for name in ("error", "detail", "message"):
        while isinstance(value, dict) and value.get(name):
            value = value[name]
    return value if isinstance(value, str) else json.dumps(value)


def _quoted(text: str, key: Secret) -> str:
    if key:
        text = text.replace(key.reveal(), str(key))
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= QUOTED else f"{line[:QUOTED]}…"


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {rest} more" if rest > 0 else "")
