"""One conversation: its messages, the reply that is being written, and the pages that show it.

A reply belongs to the conversation, not to the page that asked for it: it goes on when the page is reloaded,
each page that shows the conversation follows it, and when no page has followed it for a while it ends. All of
this runs in one event loop.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from coderunner.hosts.app.attachments.attachment import Attachment
from coderunner.hosts.app.choices.choices import Approve
from coderunner.hosts.app.conversation import message_parts
from coderunner.hosts.app.conversation.active_reply import ActiveReply
from coderunner.hosts.app.conversation.code_approval import CodeApproval
from coderunner.hosts.app.conversation.detached_cells import DetachedCells
from coderunner.hosts.app.conversation.followers import Followers
from coderunner.hosts.app.conversation.message_parts import Message, Past, Thought
from coderunner.hosts.app.conversation.reply_request import Answer
from coderunner.hosts.app.conversation.rerun import Again, Reruns, never
from coderunner.hosts.app.conversation.transcript import Save, Transcript, save_nothing
from coderunner.ids import new_id
from coderunner.outputs import Refusal
from coderunner.page import block_transitions
from coderunner.page.html.refusals_html import ALLOW
from coderunner.page.server.input_requests import InputRequests
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.runner import later_of
from coderunner.secret_value import Secret
from coderunner.text.surrogates import whole

log = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds without any page until a reply ends: a reload takes two, on a slow machine ten."""

UPDATE_INTERVAL = 0.12
"""Seconds between two updates of a reply: as fast as reading needs, slow enough for the page to keep up, as
each costs some 300 bytes beside its text. The first one after a pause is sent at once."""

THOUGHT_INTERVAL = 0.3
"""The same while the model thinks: thoughts are folded."""

SAVE_INTERVAL = 3.0
"""Seconds after which a growing reply is stored again."""

KEEPALIVE = 5.0
"""Seconds until an update is sent although nothing has changed: only then does Gradio notice that its page is
gone, and close the generator."""

Activity = Literal["", "writing", "asking"]


class Conversation:
    """A chat with its own kernel; `id` cannot be guessed, and whoever has it may see the chat."""

    def __init__(
        self,
        answer: Answer,
        approve: Callable[[], Approve],
        *,
        patience: float = PATIENCE,
        save_interval: float = SAVE_INTERVAL,
        subscriptions: Subscriptions | None = None,
        again: Again = never,
        told: Callable[["Conversation"], None] = lambda _: None,
        save: Save = save_nothing,
        known: tuple[str, tuple[Message, ...]] | None = None,
    ) -> None:
        """`save_interval`: seconds after which a growing reply is stored again, by `save`.

        `subscriptions`: the pages that show its blocks; `again` runs one of them once more.

        `told` is called when a reply has begun, and when it has ended.

        `known`: the id and the messages of one that began earlier.
        """
        identity, messages = known or (new_id(), ())
        self._transcript = Transcript(identity, messages, subscriptions or Subscriptions(), save)
        self._answer = answer
        self._told = told
        self._approval = CodeApproval(approve)
        self._followers = Followers(patience, self._leave)
        self._save_interval = save_interval
        self._reply: ActiveReply | None = None
        self.writing: asyncio.Task[None] | None = None
        """Writes the reply."""
        self._answers = InputRequests()
        change = self._transcript.change_block
        self._detached = DetachedCells(change, self._detached_ended, self._answers)
        self._for_the_model = ""
        """What the model reads before the next message."""
        self._reruns = Reruns(identity, again, change, self.tell_the_model, self._answers)
        for block in message_parts.blocks(messages):
            self._detached.listen(block.ticket, later_of(block.panel))

    @property
    def id(self) -> str:
        """Names the conversation."""
        return self._transcript.id

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages as they are now."""
        return self._transcript.messages

    @property
    def version(self) -> int:
        """Grows with each change that a page can show."""
        return self._transcript.version

    @property
    def always(self) -> bool:
        """The person has said that cells of this conversation run without a question."""
        return self._approval.always

    @property
    def busy(self) -> bool:
        """A reply is being written."""
        return self.writing is not None and not self.writing.done()

    @property
    def activity(self) -> Activity:
        """What goes on in it, for somebody who looks at another one."""
        if self._approval or self._answers:
            return "asking"
        return "writing" if self.busy or self._detached.busy else ""

    @property
    def at_rest(self) -> bool:
        """Nothing goes on in it, no page shows it, and all that it holds is stored."""
        busy = self.busy or self._reruns.busy or self._detached.busy or self._followers
        return not (busy or self._for_the_model or self._transcript.watched)

    def say(self, text: str, files: tuple[Attachment, ...] = ()) -> bool:
        """Take a message and start the reply to it; False while one is being written."""
        message = Message("user", whole(text), files=files)
        return not message.empty and self._begin((*self.messages, message))

    def retry(self) -> bool:
        """Write the last reply anew; the old one is kept as a version. The kernel keeps its variables."""
        kept = list(self.messages)
        while kept and kept[-1].role == "assistant":
            kept.pop()
        return bool(kept) and self._begin(tuple(kept))

    def edit(self, number: int, text: str) -> bool:
        """Put `text` in place of the user's message of that number, and go on from there.

        The message as it was and what came after it are kept as a version; its files stay with it.
        The kernel keeps its variables.
        """
        index = next((at for at, said in enumerate(self.messages) if said.number == number), None)
        if index is None or self.messages[index].role != "user":
            return False
        late = "".join(message.late for message in self.messages[index:])
        edited = Message("user", whole(text), late=late, files=self.messages[index].files)
        return not edited.empty and self._begin((*self.messages[:index], edited))

    @property
    def versions(self) -> Mapping[int, Sequence[int]]:
        """The numbers of the versions of each message by its number; empty where each has only one."""
        return self._transcript.versions

    def switch(self, number: int) -> bool:
        """Show the version of that number, with what came after it; False while a reply is being written.

        The kernel keeps its variables. What came late for the model is read in this version, too.
        """
        before = self.messages
        if self.busy or not self._transcript.switch(number):
            return False
        late = "".join(message.late for message in before) + self._for_the_model
        self._for_the_model = message_parts.unread(late, self.messages)
        self._transcript.save()
        return True

    def blocks(self) -> list[Past]:
        """All blocks that ran well, in their order."""
        return message_parts.ran_well(self.messages)

    def tell_the_model(self, words: str) -> None:
        """Have the model read `words` before the next message."""
        self._for_the_model += f"{words}\n"

    def stop(self, why: str = "stopped") -> None:
        """End the reply: close the model's stream, interrupt the kernel. Returns at once.

        `why` is said below it, as `ending_sentences.REPLIES` has it.
        """
        if self._reply is not None:
            self._reply.stop(why)

    async def close(self) -> None:
        """Stop and wait for the end of the reply, bounded."""
        self.stop("ended")
        await self._reruns.close()
        if self.writing is not None:
            _, late = await asyncio.wait({self.writing}, timeout=3.0)
            for task in late:
                task.cancel()

    def act(self, ticket: str, verb: str) -> bool:
        """Do what a button of a block says; False where the ticket is of no block that waits or runs."""
        if ticket in self._approval:
            return self._approval.decide(ticket, verb)
        if verb == "stop" and self._reply is not None and self._reply.stop_block(ticket):
            return True
        if verb == "again" and not self._approval.off():
            return self._run_again(ticket, message_parts.repeatable(self.messages, ticket))
        if verb == ALLOW and not self._approval.off():
            return self._allow(ticket)
        if verb == "cancel":
            return self._answers.give(ticket, None)
        return self._detached.act(ticket, verb) or self._reruns.act(ticket, verb)

    def has(self, ticket: str) -> bool:
        """Whether one of its blocks has that ticket."""
        return bool(ticket) and any(block.ticket == ticket for block in message_parts.blocks(self.messages))

    def run_edited(self, ticket: str, verb: str, source: str) -> bool:
        """Run a block with this code in place of its own; False where it cannot run now."""
        if ticket in self._approval:
            return verb == "run" and self._approval.decide(ticket, verb, source)
        past = message_parts.repeatable(self.messages, ticket)
        if verb != "edit" or past is None or self._approval.off():
            return False
        return self._run_again(ticket, past.edited(source))

    def _allow(self, ticket: str) -> bool:
        """Allow what a button offers, and run its block again."""
        if (found := message_parts.allowed(self.messages, ticket)) is None:
            return False
        of, block, refusal = found
        return self._run_again(of, block, refusal)

    def _run_again(self, ticket: str, block: Past | None, allowed: Refusal | None = None) -> bool:
        if block is None:
            return False
        before = self.messages
        self._reruns.begin(ticket, block, allowed)
        self._transcript.forget_blocks_gone_since(before)
        return True

    def answer(self, ticket: str, text: Secret) -> bool:
        """Answer what a program asks; False where it does not (any more): the first answer counts."""
        return self._answers.give(ticket, text)

    async def follow(self) -> AsyncGenerator[None]:
        """Yield at each change of the reply, every few seconds without one, and after its end."""
        self._followers.come()
        now, last = asyncio.get_running_loop().time, 0.0
        try:
            while self.busy or self._reruns.busy:
                # Taken before the caller reads the messages, so that no change between the two is lost.
                changed, last = self._transcript.changed, now()
                yield
                # Not by `wait_for`, which up to Python 3.11 may swallow the cancellation when a page leaves.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(KEEPALIVE):
                        await changed.wait()
                thinks = self.busy and isinstance((self._transcript.parts or (None,))[-1], Thought)
                await asyncio.sleep(last + (THOUGHT_INTERVAL if thinks else UPDATE_INTERVAL) - now())
            yield
        finally:
            self._followers.go()

    def _begin(self, messages: tuple[Message, ...]) -> bool:
        if self.busy:
            return False
        late, self._for_the_model = messages[-1].late + self._for_the_model, ""
        messages = (*messages[:-1], replace(messages[-1], late=late))
        self._reply = ActiveReply(
            self._transcript,
            messages,
            self._approval,
            self._detached,
            self._answers,
            save_interval=self._save_interval,
        )
        self.writing = asyncio.create_task(self._reply.write(self._answer, self._reply_ended))
        self.writing.add_done_callback(lambda _: self._told(self))
        self._followers.begin()
        self._told(self)
        return True

    def _reply_ended(self) -> None:
        self._reply = self.writing = None
        self._followers.end()

    def _detached_ended(self) -> None:
        self._transcript.save()
        if not self._detached.busy and self.messages:
            self._transcript.grow_block(block_transitions.came_up)

    def _leave(self) -> None:
        log.info("No page shows the conversation any more: stopping its reply")
        self.stop("left")
