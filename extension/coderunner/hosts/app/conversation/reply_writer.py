"""How a reply is written: by the chosen model, with a kernel at the chosen place."""

import hashlib
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

from coderunner.errors import EndpointUnreachable
from coderunner.hosts.app.choices.choices import Choices, ModelChoice
from coderunner.hosts.app.conversation.message_parts import Message, Past
from coderunner.hosts.app.conversation.reply_request import ReplyRequest
from coderunner.hosts.app.conversation.rerun import Rerun
from coderunner.models.continuation.continued_reply import ContinuedReply
from coderunner.models.continuation.strategy_cache import StrategyCache
from coderunner.models.endpoint.client import Client
from coderunner.outputs import Cell, Result, Status
from coderunner.runner import (
    Ended,
    Event,
    Generate,
    Rebuilt,
    RecordedRuns,
    Records,
    ReplyBudget,
    Run,
    RunOptions,
    Session,
    Sessions,
    Turn,
    converse,
    grants_of,
    late_words,
    pictures,
    rebuild,
    run_cell,
)
from coderunner.system_prompt import taught

NO_MODEL = "No model is selected. Open Settings, enter the address of a model server and press Find models."


@dataclass(frozen=True, slots=True)
class ReplyWriter:
    """Writes replies; `write` is the `Answer` of the app's conversations."""

    choices: Choices
    sessions: Sessions
    memory: StrategyCache
    records: Records

    def session(self, conversation: str) -> Session:
        """The kernel session of a conversation, at the chosen place."""
        return self.sessions.get(kernel_label(conversation), self.choices.where)

    async def end(self, conversation: str) -> None:
        """Shut down a conversation's kernel, also one that an earlier start of the app left on the server.

        What was granted to the conversation is forgotten.
        """
        await self.sessions.close(kernel_label(conversation), self.choices.where)

    async def write(self, request: ReplyRequest) -> AsyncGenerator[Event]:
        """Write a reply with the current choices; raises ModelError."""
        choice = self._choice()
        session = self.session(request.conversation)
        session.warm()
        language = await session.language()
        turn = Turn(max_cells=self.choices.max_blocks, language=language)
        choices = self.choices
        label = kernel_label(request.conversation)
        runs = RecordedRuns(self.records, label, request.message, choices.setting.where)
        allowance = ReplyBudget(choices.max_seconds, choices.max_tokens, spent=lambda: reply.usage.completion)
        options = RunOptions(
            choices.deadline,
            choices.limit,
            request.consent,
            ask=request.ask,
            allowance=allowance,
            runs=runs,
            off=request.off,
        )
        history = _with_late(request, late_words(session, options))
        async with Client(choice.endpoint) as client:
            reply = ContinuedReply(
                client,
                list(_messages(history, taught(self.choices.system_prompt, language))),
                options=_options(self.choices),
                memory=self.memory,
                continuation=self.choices.continuation_of(choice.endpoint.model),
                vision=self.choices.vision,
                language=language,
            )
            shown: Sequence[bytes] = ()
            request.reply, request.answered = lambda: turn.reply, lambda: turn.answered

            async def generate(step: Generate) -> AsyncGenerator[str]:
                async with aclosing(reply.generate(step.reply, step.result, shown)) as deltas:
                    async for delta in deltas:
                        if delta.reasoning:
                            request.think(delta.reasoning)
                        if delta.content:
                            yield delta.content

            async with aclosing(converse(turn, generate, session, options, stop=request.stop)) as events:
                async for event in events:
                    shown = pictures(event.result) if isinstance(event, Ended) else shown
                    request.finish_reason = reply.finish_reason
                    request.count(reply.usage.completion)
                    yield event

    async def again(self, repeat: Rerun) -> AsyncGenerator[Event]:
        """Run a block again, because a person wants that; its run is recorded too."""
        choices, label, block = self.choices, kernel_label(repeat.conversation), repeat.block
        runs = RecordedRuns(self.records, label, block.reply, choices.setting.where, again=True)
        options = RunOptions(choices.limit or choices.deadline, ask=repeat.ask, runs=runs)
        run = Run(Cell(block.source), block.ordinal)
        if repeat.allowed is not None:
            await self.sessions.grant(label, grants_of(repeat.allowed))
        session = self.session(repeat.conversation)
        async with aclosing(run_cell(run, session, options, repeat.stop, [])) as events:
            async for event in events:
                yield event

    async def rebuild(self, conversation: str, blocks: Sequence[Past]) -> Rebuilt:
        """Run the blocks of a conversation again in a fresh kernel; nobody is asked for input."""
        calls = [partial(self.result_of, conversation, block) for block in blocks]
        deadline = self.choices.limit or self.choices.deadline
        return await rebuild(self.session(conversation), calls, deadline=deadline)

    async def result_of(self, conversation: str, block: Past) -> Result:
        """Run a block again, or a cell of the app, and give its result; it can ask nobody for input."""
        result = Result(status=Status.ABORTED)
        async for event in self.again(Rerun(conversation, block)):
            result = event.result if isinstance(event, Ended) else result
        return result

    def _choice(self) -> ModelChoice:
        if self.choices.choice is None:
            raise EndpointUnreachable(NO_MODEL)
        return self.choices.choice


def kernel_label(conversation: str) -> str:
    """The label of kernels and records: others can see it, and the conversation's id is a secret."""
    return hashlib.sha256(conversation.encode()).hexdigest()[:16]


def _with_late(request: ReplyRequest, late: str) -> Sequence[Message]:
    """The history with late results before the user's message, where they stay."""
    if not late:
        return request.history
    request.remember(late)
    *before, last = request.history
    return [*before, replace(last, late=last.late + late)]


def _messages(history: Sequence[Message], system_prompt: str) -> Iterator[Mapping[str, object]]:
    if system_prompt.strip():
        yield {"role": "system", "content": system_prompt.strip()}
    for message in history:
        if message.text.strip():
            late = f"{message.late}\n" if message.late else ""
            yield {"role": message.role, "content": f"{late}{message.text}"}


def _options(choices: Choices) -> dict[str, object]:
    chosen = {"max_tokens": choices.max_tokens or None, "temperature": choices.temperature}
    return {name: value for name, value in chosen.items() if value is not None}
