"""The event handlers of the page: each passes on what a person does and updates the components.

The conversation is never read from the page: what the model gets comes from our own messages, and the chat
component is only written to.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import gradio as gr

from coderunner.errors import NotAgreed, RecordsUnavailable, UnreadableJSON
from coderunner.hosts.app.attachments.attachment import Attachment
from coderunner.hosts.app.choices.available_models import AvailableModels
from coderunner.hosts.app.conversation.archive import Archive
from coderunner.hosts.app.conversation.conversation import KEEPALIVE, Conversation
from coderunner.hosts.app.conversation.conversations import Conversations
from coderunner.hosts.app.conversation.message_parts import Past
from coderunner.hosts.app.conversation.reply_writer import ReplyWriter
from coderunner.hosts.app.forms import toast
from coderunner.hosts.app.forms.event_options import COMMAND, STREAM
from coderunner.hosts.app.page import html_fragments
from coderunner.hosts.app.page.attached_files import attached_files
from coderunner.hosts.app.page.component_values import ComponentValues
from coderunner.hosts.app.page.layout import Layout
from coderunner.hosts.app.page.list_updates import ListUpdates
from coderunner.hosts.app.page.open_pages import OpenPages
from coderunner.hosts.app.page.page_news import PageNews
from coderunner.hosts.app.page.version_answers import BUSY, VersionAnswers
from coderunner.runner import Session, missing_words
from coderunner.text.json_reader import loads

SESSIONS = 200
"""Pages of which Gradio keeps what it notes; it does not hear of their end."""

LOOK = 0.005
"""Seconds after which an event that has come is looked at, at the latest."""

# Asks the person about a kernel that is their own, and then about blocks that came from a file.
RESTARTS = "async (identity) => [identity, await window.coderunner.mayRestart('Restart')]"
RERUNS = (
    "async (identity) => { const may = await window.coderunner.mayRestart('Restart and run all'); "
    "return [identity, may === null ? -1 : await window.coderunner.agreed(), may]; }"
)
ANOTHER = "The kernel of this chat is another one by now. Try again."

# The files of the message in the box go with it, and are no longer the next one's when it was accepted.
ATTACHED = "(text, identity) => [text, identity, window.coderunner.attachments.list()]"
TAKEN = "(taken) => window.coderunner.attachments.taken(taken)"

# What the page shows by now, whatever was sent to it.
SEEN = (
    "(identity, refresh, search, listed, grants) => [identity, refresh, search, "
    "document.querySelector('#cr-list [data-cr-mark]')?.dataset.crMark ?? '', grants]"
)

# The conversation in the URL comes before the one that the browser remembers.
ADDRESSED = (
    "(kept) => [new URLSearchParams(location.search).get('c') ?? kept, "
    "Intl.DateTimeFormat().resolvedOptions().timeZone ?? '']"
)


def build(
    conversations: Conversations, archive: Archive, writer: ReplyWriter, model_choices: AvailableModels
) -> tuple[gr.Blocks, "EventHandlers"]:
    """The page, one for all tabs; each shows the conversation that its browser names.

    Its handlers are to be told of each page that has been closed: Gradio itself would notice that by a
    further stream of each page.
    """
    blocks = gr.Blocks(title="CodeRunner", analytics_enabled=False, fill_height=True, fill_width=True)
    with blocks:
        handlers = EventHandlers(conversations, archive, writer, model_choices)
        handlers.listen(blocks)
    blocks.state_session_capacity = SESSIONS
    # Gradio looks for events a thousand times a second, and a hundred times for progress, which none tells.
    blocks._queue.sleep_when_free, blocks._queue.progress_update_sleep_when_free = LOOK, 1.0
    return blocks, handlers


class EventHandlers:
    """The event handlers; one object for all tabs, which are told apart by Gradio's session.

    Handlers are coroutines, so that all of them run in the loop that the conversations live in.
    """

    def __init__(
        self,
        conversations: Conversations,
        archive: Archive,
        writer: ReplyWriter,
        model_choices: AvailableModels,
    ) -> None:
        self.conversations = conversations
        self.archive = archive
        self.writer = writer
        self.choices = writer.choices
        self._values = ComponentValues(writer)
        self._pages = OpenPages(conversations, writer, self._values)
        self._versions = VersionAnswers(self._values, self._pages)
        self._list = ListUpdates(conversations, archive, self._pages.current)
        self._at = Layout(writer, model_choices)
        self.news = PageNews(
            conversations, archive, self._values, self._pages, self._list, self._at.grants_form
        )

    def listen(self, blocks: gr.Blocks) -> None:
        """Connect the components to their handlers."""
        at = self._at
        self._listen_to_the_chat(blocks)
        around = [at.status, at.banner, at.footnote]
        for changed in (*at.model_form.listen(), *at.kernel_form.listen(at.identity)):
            changed.then(self._update_surroundings, [at.identity], around, **COMMAND)
        at.look.change(
            self.news.all,
            [at.identity, at.refresh, at.search, at.listed, at.grants_form.seen],
            [at.status, at.refresh, at.list, at.unsaved, *at.grants_form.shown],
            js=SEEN,
            **COMMAND,
        )
        at.grants_form.listen(at.identity, self.conversations.find)
        at.interrupt.click(self._interrupt, [at.identity], [at.status], **COMMAND)
        at.restart.click(self._restart, [at.identity, at.borrowed], [at.status], js=RESTARTS, **STREAM)
        at.rerun.click(self._rerun, [at.identity, at.agreed, at.borrowed], [at.status], js=RERUNS, **STREAM)
        at.theme.click(None, None, None, js="() => window.coderunner.toggleTheme()", **COMMAND)

    def _listen_to_the_chat(self, blocks: gr.Blocks) -> None:
        at = self._at
        whole = [at.chat, at.box, at.identity]
        forms = [*at.model_form.shown, *at.kernel_form.shown]
        around = [at.status, at.banner, at.footnote]
        place = [*whole, *around, at.list]
        # Handlers that may show a toast go through the queue, since Gradio shows it only then. So do those
        # that update a reply, since only there updates stay in order.
        begins = [
            blocks.load(self._open, [at.identity, at.zone], [*place, *forms], js=ADDRESSED, **COMMAND),
            at.goto.change(self._go, [at.goto, at.search], place, **COMMAND),
            at.box.submit(
                self._say, [at.box, at.identity, at.attached], [*whole, at.attached], js=ATTACHED, **STREAM
            ),
            at.chat.example_select(self._example, [at.identity], whole, **STREAM),
            at.chat.retry(self._retry, [at.identity], whole, **STREAM),
            at.edited.change(self._edit, [at.edited, at.identity, at.box], whole, **STREAM),
            at.refresh.change(self._reopen, [at.identity], whole, **STREAM),
        ]
        for begin in begins:
            begin.then(self._follow, [at.identity], [at.chat, at.status], **STREAM).then(
                self._settle, [at.identity], [at.box, at.status, at.footnote], **STREAM
            )
            begin.then(self._list_anew, [at.identity, at.search], [at.list], **COMMAND)
        at.attached.change(None, [at.attached], None, js=TAKEN, **COMMAND)
        blocks.load(self._keepalive, None, None, **STREAM)
        at.box.stop(self._stop, [at.identity], None, **COMMAND)
        at.new.click(self._new, [at.search], place, **COMMAND)
        at.list_action.change(
            self._run_list_action, [at.list_action, at.identity, at.search], place, **STREAM
        )
        at.search.input(
            self._list_anew, [at.identity, at.search], [at.list], trigger_mode="always_last", **COMMAND
        )

    async def _open(self, identity: str, zone: str, request: gr.Request) -> list[Any]:
        forms = [*self._at.model_form.values(), *self._at.kernel_form.values()]
        self._list.show_anew(_page(request), zone)
        conversation = await self._conversation(identity, request)
        return [*await self._show_conversation(conversation, "", request, named=identity), *forms]

    async def _go(self, goto: str, search: str | None, request: gr.Request) -> list[Any]:
        """Show the conversation that the list or the browser's history names, or a new one."""
        identity = goto.partition(" ")[0]
        conversation = await self.conversations.get(identity)
        return await self._show_conversation(conversation, search, request, named=identity)

    async def _run_list_action(
        self, action: str, identity: str, search: str | None, request: gr.Request
    ) -> list[Any]:
        """Rename, pin or delete a conversation, or warn about its notebook, as its row in the list asks."""
        page = _page(request)
        self._list.show_anew(page)
        try:
            match _asked(action):
                case {"rename": str(which), "title": str(title)}:
                    await self.archive.rename(which, title)
                case {"pin": str(which), "pinned": bool(pinned)}:
                    await self.archive.pin(which, pinned=pinned)
                case {"saved": str(which)}:
                    chat = await self.archive.written(which)
                    if words := missing_words(chat) if chat else "":
                        toast.warning(words)
                case {"delete": str(which)}:
                    await self.conversations.delete(which)
                    if which == identity:
                        return await self._show_conversation(self.conversations.new(), search, request)
        except RecordsUnavailable as failure:
            toast.warning(f"This could not be done: {failure}.")
        return [*[gr.skip()] * 6, await self._list.update(identity, search, page)]

    async def _reopen(self, identity: str, request: gr.Request) -> list[Any]:
        return self._pages.values(_page(request), await self._shown(identity, request))

    async def _new(self, search: str | None, request: gr.Request) -> list[Any]:
        return await self._show_conversation(self.conversations.new(), search, request)

    async def _say(self, text: str, identity: str, attached: str, request: gr.Request) -> list[Any]:
        conversation = await self._conversation(identity, request)
        files = await attached_files(self.writer.files(conversation.id), attached)
        said = self._take(request, conversation, text, files)
        if said is None:
            # A message that was not accepted stays in the box.
            return [*self._pages.values(_page(request), conversation), gr.skip()]
        named = [file.path for file in files]
        taken = {"conversation": conversation.id, "paths": named, "number": len(conversation.messages)}
        return [*said, json.dumps(taken) if named else gr.skip()]

    async def _example(self, identity: str, picked: gr.SelectData, request: gr.Request) -> list[Any]:
        conversation = await self._conversation(identity, request)
        said = self._take(request, conversation, str(picked.value["text"]))
        return said or self._pages.values(_page(request), conversation)

    def _take(
        self, request: gr.Request, conversation: Conversation, text: str, files: Sequence[Attachment] = ()
    ) -> list[Any] | None:
        """The values for a message that was accepted, with the message box empty."""
        if conversation.say(text, tuple(files)):
            whole = self._pages.values(_page(request), conversation)
            whole[1] = self._values.box(conversation, "")
            return whole
        if conversation.busy:
            toast.warning(BUSY)
        return None

    async def _retry(self, identity: str, request: gr.Request) -> list[Any]:
        conversation = await self._conversation(identity, request)
        return self._versions.begun(_page(request), conversation, taken=conversation.retry())

    async def _edit(self, edited: str, identity: str, box: str | None, request: gr.Request) -> list[Any]:
        conversation = await self._conversation(identity, request)
        match _asked(edited):
            # If the page shows another conversation by now, the edit does not apply.
            case {"conversation": conversation.id, "message": int(number), "text": str(text)}:
                if conversation.edit(number, text):
                    return self._versions.begun(_page(request), conversation, taken=True)
                return self._versions.refused(_page(request), conversation, text, box or "")
            case {"conversation": conversation.id, "version": int(number)}:
                return self._versions.switch(_page(request), conversation, number)
        return self._versions.begun(_page(request), conversation, taken=False)

    async def _conversation(self, identity: str, request: gr.Request) -> Conversation:
        """The conversation that a page shows.

        A person may send a message before the page knows its conversation: the first event then creates it,
        and later events of the page find it.
        """
        page = _page(request)
        known = await self.conversations.find(identity)
        conversation = known or await self.conversations.get(self._pages.current(page))
        self._pages.give(page, conversation)
        return conversation

    async def _shown(self, identity: str, request: gr.Request) -> Conversation:
        """The conversation that a page was sent last, which may still be on its way.

        What asks of itself, not for a person, is late: the page may have gone from `identity` to another one.
        """
        return await self._conversation(self._pages.current(_page(request)) or identity, request)

    async def _keepalive(self) -> AsyncGenerator[Any]:
        """Keep the page's stream of events open.

        Gradio closes it when nothing is pending and opens it for the next event; an event that comes just
        then is lost, and a message with it. It has no outputs: one that is waited for is drawn sixty times a
        second.
        """
        while True:
            yield None
            await asyncio.sleep(KEEPALIVE)

    def leave(self, page: str) -> None:
        """A page has been closed."""
        self._pages.leave(page)
        self._list.leave(page)
        self._at.grants_form.leave(page)

    async def _follow(self, identity: str, request: gr.Request) -> AsyncGenerator[Any]:
        """Show a reply as it grows."""
        # If a generator yields nothing, Gradio sets each output to None, which empties the page.
        yield gr.skip()
        conversation = await self.conversations.find(identity)
        if conversation is None:
            return
        async with contextlib.aclosing(self._pages.follow(_page(request), conversation)) as updates:
            async for update in updates:
                yield update

    async def _update_surroundings(self, identity: str, request: gr.Request) -> list[Any]:
        return self._values.surroundings(await self._shown(identity, request))

    async def _settle(self, identity: str, request: gr.Request) -> list[Any]:
        conversation = await self._shown(identity, request)
        values = self._values
        return [values.box(conversation), values.status(conversation), values.footnote(conversation)]

    async def _stop(self, identity: str) -> None:
        if conversation := await self.conversations.find(identity):
            conversation.stop()

    async def _list_anew(self, identity: str, search: str | None, request: gr.Request) -> Any:  # noqa: ANN401 - as below
        await self.archive.settle()
        return await self._list.update(identity, search, _page(request))

    async def _interrupt(self, identity: str) -> Any:  # noqa: ANN401 - Gradio's skip has no type
        return await self._act_on_session(identity, Session.interrupt)

    async def _restart(self, identity: str, borrowed: str | None) -> Any:  # noqa: ANN401 - as above
        """Restart the kernel; `borrowed`: the person's own that may be, None if they do not want that."""
        if borrowed is None:
            return gr.skip()
        try:
            return await self._act_on_session(identity, partial(Session.restart, attached=borrowed))
        except NotAgreed:
            toast.warning(ANOTHER)
            return gr.skip()

    async def _rerun(self, identity: str, agreed: float, borrowed: str | None) -> Any:  # noqa: ANN401 - as above
        """Restart the kernel and run all blocks, if the person has `agreed` to those from a file.

        `borrowed` is as `_restart` has it.
        """
        if agreed < 0 or borrowed is None:
            return gr.skip()
        conversation = await self.conversations.find(identity)
        blocks = conversation.blocks() if conversation else []
        if conversation is None or not blocks:
            toast.info("No block in this conversation has run without an error yet.", seconds=4)
        elif conversation.busy:
            toast.warning(BUSY)
        elif self.choices.approval == "off":
            toast.warning("Running code is turned off in Settings.")
        elif agreed != sum(block.imported for block in blocks):
            toast.warning("The blocks that came from a file have changed. Try again.")
        else:
            await self._rebuild(conversation, blocks, borrowed)
        return self._values.status(conversation) if conversation else gr.skip()

    async def _rebuild(self, conversation: Conversation, blocks: Sequence[Past], borrowed: str) -> None:
        try:
            rebuilt = await self.writer.rebuild(conversation.id, blocks, borrowed)
        except NotAgreed:
            toast.warning(ANOTHER)
            return
        conversation.tell_the_model(rebuilt.words)
        toast.info(rebuilt.words, seconds=20 if rebuilt.refused else 8)

    async def _act_on_session(self, identity: str, act: Callable[[Session], Awaitable[object]]) -> Any:  # noqa: ANN401
        if (conversation := await self.conversations.find(identity)) is None:
            return gr.skip()
        await act(self.writer.session(conversation.id))
        return self._values.status(conversation)

    async def _show_conversation(
        self, conversation: Conversation, search: str | None, request: gr.Request, *, named: str = ""
    ) -> list[Any]:
        """The values for another conversation; it may be a new one in place of the one that was `named`."""
        page = _page(request)
        self._pages.show(page, conversation)
        listed = await self._list.update(conversation.id, search, page)
        missing = ""
        if named and conversation.id != named:
            missing = html_fragments.MISSING if await self.archive.readable() else html_fragments.UNREAD
        around = self._values.surroundings(conversation, missing)
        return [*self._pages.values(page, conversation), *around, listed]


def _page(request: gr.Request) -> str:
    """The page that an event comes from, by its Gradio session."""
    return str(request.session_hash)


def _asked(text: str) -> object:
    """What a script of the page asks for; None if the text is not JSON."""
    try:
        return loads(text)
    except UnreadableJSON:
        return None
