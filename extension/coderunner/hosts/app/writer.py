"""How a reply is written: the chosen model, a kernel at the chosen place, the hall between them."""

import hashlib
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

from coderunner.errors import EndpointUnreachable
from coderunner.hosts.app.repeat import Repeat
from coderunner.hosts.app.request import Request
from coderunner.hosts.app.state import Choices, Offer
from coderunner.hosts.app.transcript import Message, Past
from coderunner.models.endpoint import Client
from coderunner.models.memory import StrategyMemory
from coderunner.models.reply import Reply
from coderunner.outputs import Cell, Result, Status
from coderunner.runner import (
    Allowance,
    Ended,
    Event,
    Generate,
    Manner,
    Rebuilt,
    Records,
    ReplyLedger,
    Run,
    Session,
    Sessions,
    Turn,
    converse,
    late_words,
    pictures,
    rebuild,
    run_cell,
)

NO_MODEL = "No model is selected. Open Settings, enter the address of a model server and press Find models."


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes replies; `write` is the `Answer` of the app's conversations."""

    choices: Choices
    sessions: Sessions
    memory: StrategyMemory
    records: Records

    def session(self, conversation: str) -> Session:
        """The kernel of a conversation, where the choices say."""
        return self.sessions.get(kernel_label(conversation), self.choices.where)

    async def end(self, conversation: str) -> None:
        """End the kernel of a conversation, also one on the server that an earlier start of the app left."""
        await self.sessions.close(kernel_label(conversation), self.choices.where)

    async def write(self, request: Request) -> AsyncGenerator[Event]:
        """Write a reply with what is chosen now; raises ModelError."""
        offer = self._offer()
        session = self.session(request.conversation)
        session.warm()
        turn = Turn(max_cells=self.choices.max_blocks)
        choices = self.choices
        label = kernel_label(request.conversation)
        ledger = ReplyLedger(self.records, label, request.message, choices.setting.where)
        allowance = Allowance(choices.max_seconds, choices.max_tokens, spent=lambda: reply.usage.completion)
        manner = Manner(
            choices.deadline,
            choices.limit,
            request.consent,
            ask=request.ask,
            allowance=allowance,
            ledger=ledger,
        )
        history = _with_late(request, late_words(session, manner))
        async with Client(offer.endpoint) as client:
            reply = Reply(
                client,
                list(_messages(history, self.choices.system_prompt)),
                options=_options(self.choices),
                memory=self.memory,
                continuation=self.choices.continuation_of(offer.endpoint.model),
                vision=self.choices.vision,
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

            async with aclosing(converse(turn, generate, session, manner, stop=request.stop)) as events:
                async for event in events:
                    shown = pictures(event.result) if isinstance(event, Ended) else shown
                    request.finish_reason = reply.finish_reason
                    request.count(reply.usage.completion)
                    yield event

    async def again(self, repeat: Repeat) -> AsyncGenerator[Event]:
        """Run a block once more, because a person wants that: another run of it is written down."""
        choices, label, block = self.choices, kernel_label(repeat.conversation), repeat.block
        ledger = ReplyLedger(self.records, label, block.reply, choices.setting.where, again=True)
        manner = Manner(choices.limit or choices.deadline, ask=repeat.ask, ledger=ledger)
        run = Run(Cell(block.source), block.ordinal)
        session = self.session(repeat.conversation)
        async with aclosing(run_cell(run, session, manner, repeat.stop, [])) as events:
            async for event in events:
                yield event

    async def rebuild(self, conversation: str, blocks: Sequence[Past]) -> Rebuilt:
        """Run the blocks of a conversation once more in an empty kernel; nobody is asked anything."""
        calls = [partial(self.result_of, conversation, block) for block in blocks]
        deadline = self.choices.limit or self.choices.deadline
        return await rebuild(self.session(conversation), calls, deadline=deadline)

    async def result_of(self, conversation: str, block: Past) -> Result:
        """What comes of a block that runs once more, or of a cell of ours; it can ask nobody anything."""
        result = Result(status=Status.ABORTED)
        async for event in self.again(Repeat(conversation, block)):
            result = event.result if isinstance(event, Ended) else result
        return result

    def _offer(self) -> Offer:
        if self.choices.offer is None:
            raise EndpointUnreachable(NO_MODEL)
        return self.choices.offer


def kernel_label(conversation: str) -> str:
    """What kernels and records bear: a conversation's id is a secret, and these are seen by others."""
    return hashlib.sha256(conversation.encode()).hexdigest()[:16]


def _with_late(request: Request, late: str) -> Sequence[Message]:
    """The history, with what has come late put before the user's message, where it stays."""
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
