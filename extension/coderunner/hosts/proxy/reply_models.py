"""How the endpoint's model is asked: in the client's API if the endpoint has that, or in chat completions."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from coderunner.hosts.proxy.client_api.chat_request import ChatRequest
from coderunner.hosts.proxy.files.links_for_model import for_the_model
from coderunner.hosts.proxy.messages.native_request import with_lesson, with_words
from coderunner.hosts.proxy.model_messages import as_written, with_late_results, with_system_prompt
from coderunner.languages import Language
from coderunner.models.continuation.continued_reply import ContinuedReply
from coderunner.models.continuation.reply_segment import Delta
from coderunner.models.continuation.strategy_cache import StrategyCache
from coderunner.models.endpoint.client import Client
from coderunner.models.endpoint.token_usage import Usage
from coderunner.models.messages.native_reply import NativeReply
from coderunner.models.messages.upstream_routes import UpstreamRoutes
from coderunner.settings.settings import Settings
from coderunner.system_prompt import SYSTEM_PROMPT, taught


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


def from_model(
    asked: ChatRequest,
    late: str,
    mentioned: str,
    language: Language,
    *,
    settings: Settings,
    client: Client,
    memory: StrategyCache,
    routes: UpstreamRoutes,
) -> ModelReply:
    """The reply as the endpoint's model continues it after each result.

    `late` are late results, and `mentioned` what is told of variables that the user names; the messages of
    `asked` have the latter.
    """
    lesson = taught(settings.system_prompt or SYSTEM_PROMPT, language)
    late, its = for_the_model(late), client.of(asked.model)
    continuation = settings.continuation_of(asked.model)

    def chat() -> ContinuedReply:
        if asked.untold:
            raise asked.untold
        return ContinuedReply(
            its,
            with_late_results(with_system_prompt(as_written(asked.messages), lesson), late),
            options=asked.options,
            memory=memory,
            continuation=continuation,
            vision=settings.vision,
            language=language,
        )

    if asked.native is None or not routes.usable:
        return chat()
    told = with_words(with_words(asked.native, mentioned), late)
    return NativeReply(
        its,
        with_lesson(told, lesson),
        routes,
        chat,
        continuation=continuation,
        vision=settings.vision,
    )
