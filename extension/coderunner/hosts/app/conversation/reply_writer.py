"""How a reply is written: by the chosen model, with a kernel at the chosen place."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

from coderunner.errors import EndpointUnreachable
from coderunner.files.chat_folder import ChatFolder
from coderunner.hosts.app.attachments.attachment import Attachment, unlooked
from coderunner.hosts.app.attachments.looking_in import looked_into
from coderunner.hosts.app.attachments.looking_in import pictures as pictures_of
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
    KernelLocation,
    Rebuilt,
    RecordedRuns,
    Records,
    ReplyBudget,
    Run,
    RunOptions,
    Session,
    Sessions,
    Turn,
    VariableDigest,
    allow,
    converse,
    file_lines,
    late_words,
    mention_words,
    pictures,
    rebuild,
    run_cell,
)
from coderunner.system_prompt import taught, with_tools

Told = Mapping[str, object]
"""A message as a model gets it."""
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
        return self.sessions.get(kernel_label(conversation), self.where(conversation))

    def where(self, conversation: str) -> KernelLocation:
        """Where the code of a conversation runs."""
        return self.choices.where_of(kernel_label(conversation))

    def choose_kernel(self, conversation: str, kernel: str) -> None:
        """Have a conversation use another kernel than all others; empty: the same. Writes to the disk."""
        self.choices.kernels.choose(kernel_label(conversation), self.choices.place, kernel)

    def installed(self, conversation: str) -> Sequence[object]:
        """The packages that were installed for a conversation."""
        return self.sessions.packages.lock(kernel_label(conversation)).pins

    def files(self, conversation: str) -> ChatFolder:
        """The files of a conversation, at the chosen place."""
        return self.sessions.files(kernel_label(conversation), self.where(conversation))

    async def end(self, conversation: str) -> None:
        """Shut down a conversation's kernel, also one that an earlier start of the app left on the server.

        What was granted to the conversation is forgotten.
        """
        await self.sessions.close(kernel_label(conversation), self.where(conversation))
        await asyncio.to_thread(self.choose_kernel, conversation, "")

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
            edited=request.edited,
            variables=VariableDigest(session) if choices.variables else None,
        )
        # In a thread: a sandbox may have to be asked what it refused to them.
        late = await asyncio.to_thread(late_words, session, options)
        history = _with_late(request, late + await _mentioned(session, request.history[-1]))
        history = await _with_facts(request, history, session)
        tools = await self.sessions.words_of_tools(session)
        lesson = with_tools(taught(choices.system_prompt, language), tools, language)
        told = list(_messages(history, lesson))
        async with Client(choice.endpoint) as client:
            reply = ContinuedReply(
                client,
                [message for message, _ in told],
                options=_options(self.choices),
                memory=self.memory,
                continuation=self.choices.continuation_of(choice.endpoint.model),
                vision=self.choices.vision,
                language=language,
            )
            if reply.sees:
                folder = self.files(request.conversation)
                reply.attach(await pictures_of(folder, [files for _, files in told]))
            shown: Sequence[bytes] = ()
            request.reply, request.answered = lambda: turn.reply, lambda: turn.answered

            async def generate(step: Generate) -> AsyncGenerator[str]:
                async with aclosing(reply.generate(step.reply, step.result, shown)) as deltas:
                    async for delta in deltas:
                        choices.answered(choice)
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
            allowing = allow(
                self.sessions, label, self.where(repeat.conversation), repeat.allowed, repeat.stop
            )
            async with aclosing(allowing) as steps:
                async for step in steps:
                    yield step
                    if isinstance(step, Ended):
                        return
        session = self.session(repeat.conversation)
        async with aclosing(run_cell(run, session, options, repeat.stop, [])) as events:
            async for event in events:
                yield event

    async def rebuild(self, conversation: str, blocks: Sequence[Past], attached: str = "") -> Rebuilt:
        """Run the blocks of a conversation again in a fresh kernel; nobody is asked for input.

        `attached` names the person's own kernel that may be emptied; raises NotAgreed.
        """
        calls = [partial(self.result_of, conversation, block) for block in blocks]
        deadline = self.choices.limit or self.choices.deadline
        return await rebuild(self.session(conversation), calls, deadline=deadline, attached=attached)

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


async def _mentioned(session: Session, message: Message) -> str:
    """What variables are that a message names; where it is retried, it may have been told already."""
    words = await mention_words(session, message.text)
    return "" if words in message.late else words


def _with_late(request: ReplyRequest, late: str) -> Sequence[Message]:
    """The history with what came late, and what the message names, before that; there it stays."""
    if not late:
        return request.history
    request.remember(late)
    *before, last = request.history
    return [*before, replace(last, late=last.late + late)]


async def _with_facts(
    request: ReplyRequest, history: Sequence[Message], session: Session
) -> Sequence[Message]:
    """The history with what is known of the files of the user's message, which stays known."""
    *before, last = history
    if not unlooked(last.files):
        return history
    files = await looked_into(last.files, session, request.stop)
    request.note_files(files)
    return [*before, replace(last, files=files)]


def _messages(history: Sequence[Message], system_prompt: str) -> Iterator[tuple[Told, Sequence[Attachment]]]:
    """What the model is told, each with the files that came with it."""
    if system_prompt.strip():
        yield {"role": "system", "content": system_prompt.strip()}, ()
    for message in history:
        if not message.empty:
            files = file_lines((file.path, file.size, file.facts or "") for file in message.files)
            said = "\n\n".join(filter(None, (message.text, files)))
            late = f"{message.late}\n" if message.late else ""
            yield {"role": message.role, "content": f"{late}{said}"}, message.files


def _options(choices: Choices) -> dict[str, object]:
    chosen = {"max_tokens": choices.max_tokens or None, "temperature": choices.temperature}
    return {name: value for name, value in chosen.items() if value is not None}
