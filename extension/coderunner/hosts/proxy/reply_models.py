"""How the endpoint's model is asked: in the client's API if the endpoint has that, or in chat completions."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self

from coderunner.hosts.proxy.client_api.chat_request import ChatRequest
from coderunner.hosts.proxy.files.links_for_model import for_the_model
from coderunner.hosts.proxy.files.sent_files import SentFile
from coderunner.hosts.proxy.messages import native_request
from coderunner.hosts.proxy.model_messages import (
    as_written,
    with_images_of_answers,
    with_late_results,
    with_system_prompt,
)
from coderunner.hosts.proxy.responses import native_input
from coderunner.languages import Language
from coderunner.models.continuation.continued_reply import ContinuedReply
from coderunner.models.continuation.reply_segment import Delta
from coderunner.models.continuation.strategy_cache import StrategyCache
from coderunner.models.endpoint.client import Client
from coderunner.models.endpoint.token_usage import Usage
from coderunner.models.messages.messages_reply import MessagesReply
from coderunner.models.messages.messages_request import MessagesRequest
from coderunner.models.messages.messages_upstream import MessagesUpstream
from coderunner.models.responses.responses_reply import ResponsesReply
from coderunner.models.responses.responses_request import ResponsesRequest
from coderunner.models.responses.responses_upstream import ResponsesUpstream
from coderunner.settings.settings import Settings
from coderunner.system_prompt import SYSTEM_PROMPT, taught, with_tools


class ModelReply(Protocol):
    """One reply of a model, over as many requests as it needs."""

    @property
    def usage(self) -> Usage:
        """What it has cost so far."""

    @property
    def finish_reason(self) -> str:
        """Why its last request ended."""

    def generate(
        self, reply: str = "", result: str = "", pictures: Sequence[bytes] = ()
    ) -> AsyncGenerator[Delta]:
        """Give the next of it: so far it is `reply`, and ends with `result`."""


@dataclass(frozen=True, slots=True)
class Upstreams:
    """What is known of the endpoint's APIs beside chat completions."""

    messages: MessagesUpstream
    responses: ResponsesUpstream

    @classmethod
    def of(cls, setting: str) -> Self:
        """Those of an endpoint, with the setting `upstream_api`."""
        return cls(MessagesUpstream(setting), ResponsesUpstream(setting))


def with_files(asked: ChatRequest, words: Callable[[Sequence[SentFile]], str]) -> ChatRequest:
    """The request with `words` on its files in what an endpoint gets that has the client's API."""
    # Each of these stands for one message of the user's that says something.
    files = (_files(message.get("content")) for message in asked.messages if message.get("role") == "user")
    match asked.native:
        case None:
            return asked
        case MessagesRequest() as request:
            return replace(asked, native=native_request.with_files(request, files, words))
        case ResponsesRequest() as request:
            return replace(asked, native=native_input.with_files(request, files, words))


def _files(content: object) -> Sequence[SentFile]:
    return [part for part in content if isinstance(part, SentFile)] if isinstance(content, list) else ()


def from_model(
    asked: ChatRequest,
    late: str,
    mentioned: str,
    language: Language,
    tools: str,
    *,
    settings: Settings,
    client: Client,
    memory: StrategyCache,
    upstreams: Upstreams,
) -> ModelReply:
    """The reply as the endpoint's model continues it after each result.

    `late` are late results, and `mentioned` what is told of variables that the user names; the messages of
    `asked` have the latter. `tools` is what is told of those that code may call.
    """
    lesson = with_tools(taught(settings.system_prompt or SYSTEM_PROMPT, language), tools, language)
    late, its = for_the_model(late), client.of(asked.model)
    continuation = settings.continuation_of(asked.model)

    def chat() -> ContinuedReply:
        if asked.untold:
            raise asked.untold
        messages = with_late_results(with_system_prompt(as_written(asked.messages), lesson), late)
        return ContinuedReply(
            its,
            with_images_of_answers(messages),
            options=asked.options,
            memory=memory,
            continuation=continuation,
            vision=settings.vision,
            language=language,
        )

    match asked.native:
        case MessagesRequest() as request if upstreams.messages.usable:
            for words in (mentioned, late):
                request = native_request.with_words(request, words)
            return MessagesReply(
                its,
                native_request.with_lesson(request, lesson),
                upstreams.messages,
                chat,
                continuation=continuation,
                vision=settings.vision,
            )
        case ResponsesRequest() as request if upstreams.responses.usable:
            for words in (mentioned, late):
                request = native_input.with_words(request, words)
            taught_request = native_input.with_lesson(request, lesson)
            return ResponsesReply(its, taught_request, upstreams.responses, chat, vision=settings.vision)
        case _:
            return chat()
