"""What the parts of the page do: each passes on what a person does, and shows what became of it.

The page shows the conversation and never is it: what the model gets comes from our own record, the chat
component is only ever written to.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from importlib.resources import files
from time import monotonic
from typing import Any

import gradio as gr

from coderunner.errors import RecordsUnavailable, UnreadableJSON
from coderunner.hosts.app.choices.model_choices import ModelChoices
from coderunner.hosts.app.conversation.archive import Archive
from coderunner.hosts.app.conversation.conversation import KEEPALIVE, Conversation
from coderunner.hosts.app.conversation.conversations import Conversations
from coderunner.hosts.app.conversation.reply_writer import ReplyWriter
from coderunner.hosts.app.page import conversation_list, html_fragments, toast
from coderunner.hosts.app.page.event_options import COMMAND, STREAM
from coderunner.hosts.app.page.layout import Layout
from coderunner.hosts.app.page.message_html import Drawing, Html
from coderunner.page.server import custom_element
from coderunner.runner import ConversationSummary, Session, missing_words, without_tags
from coderunner.text import surrogates
from coderunner.text.json_reader import loads

Messages = list[dict[str, Any]]

_HERE = files("coderunner.hosts.app.page")


def head(token: str) -> str:
    """What the page's head holds of ours; `token` lets it use the routes of its blocks."""
    # In the head and not as Gradio's `css`: it would put a selector of its own before each of ours.
    sheets = (_HERE.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "prose.css"))
    styles = (custom_element.style(), *sheets)
    scripts = "".join(
        f"<script>{_HERE.joinpath(name).read_text(encoding='utf-8')}</script>"
        for name in ("page.js", "list.js", "edit.js")
    )
    return (
        html_fragments.ICON
        + f"<style>{''.join(styles)}</style>{scripts}"
        + f"{custom_element.script(token)}{custom_element.formulas()}"
    )


BUSY = "A reply is still being written. Stop it first."


# What the address of the page says comes before what the browser remembers.
ADDRESSED = "(kept) => new URLSearchParams(location.search).get('c') ?? kept"


def build(
    conversations: Conversations, archive: Archive, writer: ReplyWriter, model_choices: ModelChoices
) -> gr.Blocks:
    """Give the page: one for all tabs; what each shows depends on the conversation that its browser names."""
    blocks = gr.Blocks(title="CodeRunner", analytics_enabled=False, fill_height=True, fill_width=True)
    with blocks:
        EventHandlers(conversations, archive, writer, model_choices).listen(blocks)
    return blocks


class EventHandlers:
    """What happens on the page; one for all tabs, which are told apart by Gradio's session.

    Handlers are coroutines, so that all of them run in the loop that the conversations live in.
    """

    def __init__(
        self, conversations: Conversations, archive: Archive, writer: ReplyWriter, model_choices: ModelChoices
    ) -> None:
        self.conversations = conversations
        self.archive = archive
        self.writer = writer
        self.choices = writer.choices
        self._drawing = Drawing(without_tags)
        self._html = _html_props()
        self._following: dict[tuple[str, str], bool] = {}
        """The sessions that follow a reply, each with the conversation, whether they show it or not.

        True where that was asked for once more meanwhile: by then the reply may be another one."""
        self._seen: dict[str, tuple[str, int]] = {}
        """For each session, the conversation and the version of it that it shows."""
        self._begun: dict[str, str] = {}
        """For each session, the conversation that it shows, also before the page knows it."""
        self._listed: dict[str, str] = {}
        """For each session, the list that it shows."""
        self._found: dict[str, tuple[str, list[ConversationSummary], list[ConversationSummary]]] = {}
        """For each session, what it searched last, among which conversations, and which it found."""
        self._at = Layout(writer, model_choices)

    def listen(self, blocks: gr.Blocks) -> None:
        """Connect the parts to what they do."""
        at = self._at
        self._listen_to_the_chat(blocks)
        around = [at.status, at.banner, at.footnote]
        for changed in (*at.model_form.listen(), *at.kernel_form.listen(at.identity)):
            changed.then(self._look_around, [at.identity], around, **COMMAND)
        at.timer.tick(
            self._tick, [at.identity, at.pulse, at.search], [at.status, at.pulse, at.list, at.kept], **COMMAND
        )
        at.interrupt.click(self._interrupt, [at.identity], [at.status], **COMMAND)
        at.restart.click(self._restart, [at.identity], [at.status], **STREAM)
        at.rerun.click(self._rerun, [at.identity], [at.status], **STREAM)
        at.settings.click(self._draw, None, [at.drawer], **COMMAND)
        at.shade.click(None, None, None, js="() => window.coderunner.shade()", **COMMAND)

    def _listen_to_the_chat(self, blocks: gr.Blocks) -> None:
        at = self._at
        whole = [at.chat, at.box, at.identity]
        forms = [*at.model_form.shown, *at.kernel_form.shown]
        around = [at.status, at.banner, at.footnote]
        place = [*whole, *around, at.list]
        # What may have to tell the person something goes through the queue: only there Gradio shows it. So
        # does what tells how far a reply is: only there one answer comes after the other.
        begins = [
            blocks.load(self._open, [at.identity], [*place, *forms], js=ADDRESSED, **COMMAND),
            at.goto.change(self._go, [at.goto, at.search], place, **COMMAND),
            at.box.submit(self._say, [at.box, at.identity], whole, **STREAM),
            at.chat.example_select(self._example, [at.identity], whole, **STREAM),
            at.chat.retry(self._retry, [at.identity], whole, **STREAM),
            at.edited.change(self._edit, [at.edited, at.identity], whole, **STREAM),
            at.pulse.change(self._reopen, [at.identity], whole, **STREAM),
        ]
        for begin in begins:
            begin.then(self._follow, [at.identity], [at.chat, at.status], **STREAM).then(
                self._settle, [at.identity], [at.box, at.status, at.footnote], **STREAM
            )
            begin.then(self._list_anew, [at.identity, at.search], [at.list], **COMMAND)
        blocks.load(self._stay, None, [at.stay], **STREAM)
        blocks.unload(self._leave)
        at.box.stop(self._stop, [at.identity], None, **COMMAND)
        at.new.click(self._new, [at.search], place, **COMMAND)
        at.errand.change(self._run_errand, [at.errand, at.identity, at.search], place, **STREAM)
        at.search.input(
            self._list_anew, [at.identity, at.search], [at.list], trigger_mode="always_last", **COMMAND
        )

    async def _open(self, identity: str, request: gr.Request) -> list[Any]:
        forms = [*self._at.model_form.values(), *self._at.kernel_form.values()]
        self._listed.pop(str(request.session_hash), None)
        conversation = await self._conversation(identity, request)
        return [*await self._place(conversation, "", request, named=identity), *forms]

    async def _go(self, goto: str, search: str | None, request: gr.Request) -> list[Any]:
        """Show the conversation that the list or the browser's history names, or a new one."""
        identity = goto.partition(" ")[0]
        conversation = await self.conversations.get(identity)
        return await self._place(conversation, search, request, named=identity)

    async def _run_errand(
        self, errand: str, identity: str, search: str | None, request: gr.Request
    ) -> list[Any]:
        """Rename or delete a conversation, as its row in the list says."""
        page = str(request.session_hash)
        self._listed.pop(page, None)
        try:
            match _asked(errand):
                case {"rename": str(which), "title": str(title)}:
                    await self.archive.rename(which, title)
                case {"saved": str(which)}:
                    chat = await self.archive.written(which)
                    if words := missing_words(chat) if chat else "":
                        toast.warning(words)
                case {"delete": str(which)}:
                    await self.conversations.delete(which)
                    if which == identity:
                        return await self._place(self.conversations.new(), search, request)
        except RecordsUnavailable as failure:
            toast.warning(f"This could not be done: {failure}.")
        return [*[gr.skip()] * 6, await self._list(identity, search, page)]

    async def _reopen(self, identity: str, request: gr.Request) -> list[Any]:
        # What the page was sent last: it may be on its way, while this was asked for before.
        sent = self._begun.get(str(request.session_hash), identity)
        return self._whole(await self._conversation(sent, request))

    async def _new(self, search: str | None, request: gr.Request) -> list[Any]:
        return await self._place(self.conversations.new(), search, request)

    async def _say(self, text: str, identity: str, request: gr.Request) -> list[Any]:
        conversation = await self._conversation(identity, request)
        taken = conversation.say(text)
        if not taken and conversation.busy:
            toast.warning(BUSY)
        whole = self._whole(conversation)
        # A message that was not taken stays in the box.
        whole[1] = self._box(conversation, "") if taken else self._box(conversation)
        return whole

    async def _example(self, identity: str, picked: gr.SelectData, request: gr.Request) -> list[Any]:
        return await self._say(str(picked.value["text"]), identity, request)

    async def _retry(self, identity: str, request: gr.Request) -> list[Any]:
        conversation = await self._conversation(identity, request)
        return self._again(conversation, taken=conversation.retry())

    async def _edit(self, edited: str, identity: str, request: gr.Request) -> list[Any]:
        conversation, taken = await self._conversation(identity, request), False
        match _asked(edited):
            # Where the page shows another conversation by now, the text is of none of its messages.
            case {"conversation": conversation.id, "message": int(number), "text": str(text)}:
                taken = conversation.edit(number, text)
        return self._again(conversation, taken=taken)

    def _again(self, conversation: Conversation, *, taken: bool) -> list[Any]:
        if taken:
            toast.info("Variables from the old reply are still in memory.", seconds=4)
        elif conversation.busy:
            toast.warning(BUSY)
        return self._whole(conversation)

    async def _conversation(self, identity: str, request: gr.Request) -> Conversation:
        """The conversation that a page shows.

        Somebody may be quicker than the page, which then does not know its conversation yet when they say
        something: whatever comes first begins it, and all that comes from the page later finds it.
        """
        page = str(request.session_hash)
        known = await self.conversations.find(identity)
        conversation = known or await self.conversations.get(self._begun.get(page))
        self._begun[page] = conversation.id
        return conversation

    async def _stay(self) -> AsyncGenerator[Any]:
        """Keep the page's stream of events open.

        Gradio closes it when nothing is pending and opens it for the next event; an event that comes at that
        very moment is lost, and with it a message.
        """
        while True:
            yield gr.skip()
            await asyncio.sleep(KEEPALIVE)

    async def _leave(self, request: gr.Request) -> None:
        page = str(request.session_hash)
        self._seen.pop(page, None)
        self._begun.pop(page, None)
        self._listed.pop(page, None)
        self._found.pop(page, None)

    async def _follow(self, identity: str, request: gr.Request) -> AsyncGenerator[Any]:
        """Show a reply as it grows. It grows on while the page shows another conversation."""
        # Of a generator that gives nothing Gradio makes None for each output, and empties the page by that.
        yield gr.skip()
        conversation, page = await self.conversations.find(identity), str(request.session_hash)
        if conversation is None:
            return
        place = (page, conversation.id)
        if place in self._following:
            self._following[place] = True
            return
        self._following[place] = True
        try:
            while self._following[place]:
                self._following[place] = False
                async with contextlib.aclosing(self._pictures(conversation, page)) as pictures:
                    async for picture in pictures:
                        yield picture
        finally:
            del self._following[place]

    async def _pictures(self, conversation: Conversation, page: str) -> AsyncGenerator[list[Any]]:
        """Give the messages and the light, whenever there is something new in them.

        What becomes of a block comes by a way of its own. But only when it is given something the framework
        notices that its page is gone: now and then it is given what it has.
        """
        shown: object = None
        status: object = None
        since = 0.0
        async with contextlib.aclosing(conversation.follow()) as pictures:
            async for _ in pictures:
                # To ask for the light of one that is gone would begin a session for it.
                gone = self.conversations.deleted(conversation.id)
                if gone or self._begun.get(page) != conversation.id:
                    shown = status = None
                    yield [gr.skip(), gr.skip()]
                    continue
                self._seen[page] = (conversation.id, conversation.version)
                drawn, now = self._drawn(conversation), self.writer.session(conversation.id).status
                if (drawn, now) == (shown, status) and monotonic() - since < KEEPALIVE:
                    continue
                yield [
                    _content(drawn, self._html),
                    gr.skip() if now == status else self._status(conversation),
                ]
                shown, status, since = drawn, now, monotonic()

    async def _look_around(self, identity: str, request: gr.Request) -> list[Any]:
        return self._around(await self._conversation(identity, request))

    async def _settle(self, identity: str, request: gr.Request) -> list[Any]:
        conversation = await self._conversation(identity, request)
        return [self._box(conversation), self._status(conversation), self._foot(conversation)]

    async def _stop(self, identity: str) -> None:
        if conversation := await self.conversations.find(identity):
            conversation.stop()

    async def _tick(self, identity: str, pulse: float, search: str | None, request: gr.Request) -> list[Any]:
        conversation, page = await self.conversations.find(identity), str(request.session_hash)
        if conversation is None:  # the page is still being opened, or another one has deleted it
            return [gr.skip(), pulse + 1 if identity else gr.skip(), gr.skip(), gr.skip()]
        now = (conversation.id, conversation.version)
        stale = (page, conversation.id) not in self._following and self._seen.get(page) != now
        self._seen[page] = now
        listed = await self._list(identity, search, page)
        unkept = html_fragments.unkept(self.archive.trouble(conversation.id))
        return [self._status(conversation), pulse + 1 if stale else gr.skip(), listed, unkept]

    async def _list_anew(self, identity: str, search: str | None, request: gr.Request) -> Any:  # noqa: ANN401 - as below
        await self.archive.settle()
        return await self._list(identity, search, str(request.session_hash))

    async def _interrupt(self, identity: str) -> Any:  # noqa: ANN401 - Gradio's word for no change has no type
        return await self._treat(identity, Session.interrupt)

    async def _restart(self, identity: str) -> Any:  # noqa: ANN401 - as above
        return await self._treat(identity, Session.restart)

    async def _rerun(self, identity: str) -> Any:  # noqa: ANN401 - as above
        conversation = await self.conversations.find(identity)
        blocks = conversation.blocks() if conversation else []
        if conversation is None or not blocks:
            toast.info("No block in this conversation has run without an error yet.", seconds=4)
        elif conversation.busy:
            toast.warning(BUSY)
        elif self.choices.approval == "off":
            toast.warning("Running code is turned off in Settings.")
        else:
            rebuilt = await self.writer.rebuild(conversation.id, blocks)
            conversation.tell_the_model(rebuilt.words)
            toast.info(rebuilt.words, seconds=8)
        return self._status(conversation) if conversation else gr.skip()

    async def _treat(self, identity: str, treat: Callable[[Session], Awaitable[object]]) -> Any:  # noqa: ANN401
        if (conversation := await self.conversations.find(identity)) is None:
            return gr.skip()
        await treat(self.writer.session(conversation.id))
        return self._status(conversation)

    async def _draw(self) -> gr.Sidebar:
        return gr.Sidebar(open=True)

    # --- what they show -----------------------------------------------------------------------------------

    def _whole(self, conversation: Conversation) -> list[Any]:
        return [self._messages(conversation), self._box(conversation), conversation.id]

    async def _place(
        self, conversation: Conversation, search: str | None, request: gr.Request, *, named: str = ""
    ) -> list[Any]:
        """All that shows another conversation; it may be a new one in place of the one that was `named`."""
        page = str(request.session_hash)
        self._begun[page] = conversation.id
        self._seen[page] = (conversation.id, conversation.version)
        if any(each == page for each, _ in self._following):
            # A picture of the conversation before may be on its way: the next tick looks again.
            self._seen.pop(page)
        listed = await self._list(conversation.id, search, page)
        missing = ""
        if named and conversation.id != named:
            missing = html_fragments.MISSING if await self.archive.readable() else html_fragments.UNREAD
        return [*self._whole(conversation), *self._around(conversation, missing), listed]

    async def _list(self, identity: str, search: str | None, page: str) -> Any:  # noqa: ANN401 - Gradio's word for no change
        """The list of conversations, where it is another one than the page shows."""
        search = surrogates.whole(search or "").strip()
        try:
            every = await self.archive.cards()
            found = await self._search(search, every, page) if search else every
            here = next((summary for summary in every if summary.id == identity), None)
            moods = self.conversations.activities()
            listed = conversation_list.listing(found, here, moods, searched=bool(search))
        except RecordsUnavailable as failure:
            listed = conversation_list.trouble(f"Conversations cannot be shown right now: {failure}.")
        if self._listed.get(page) == listed:
            return gr.skip()
        self._listed[page] = listed
        return listed

    async def _search(
        self, search: str, every: list[ConversationSummary], page: str
    ) -> list[ConversationSummary]:
        """Those in which the words stand; all texts are read only when there is something new to find."""
        if (last := self._found.get(page)) and last[:2] == (search, every):
            return last[2]
        found = await self.archive.cards(search)
        self._found[page] = (search, every, found)
        return found

    def _around(self, conversation: Conversation, missing: str = "") -> list[Any]:
        banner = html_fragments.banner(self.choices, missing)
        return [self._status(conversation), banner, self._foot(conversation)]

    def _box(self, conversation: Conversation, value: str | None = None) -> gr.Textbox:
        changes: dict[str, Any] = {} if value is None else {"value": value}
        return gr.Textbox(submit_btn=not conversation.busy, stop_btn=conversation.busy, **changes)

    def _status(self, conversation: Conversation) -> str:
        return html_fragments.status(self.writer.session(conversation.id).status, self.choices)

    def _foot(self, conversation: Conversation) -> str:
        return html_fragments.footnote(self.choices, always=conversation.always)

    def _messages(self, conversation: Conversation) -> Messages:
        return _content(self._drawn(conversation), self._html)

    def _drawn(self, conversation: Conversation) -> list[tuple[str, list[Html]]]:
        messages = enumerate(conversation.messages)
        return [(message.role, self._drawing.contents(message, number)) for number, message in messages]


def _content(drawn: list[tuple[str, list[Html]]], html: dict[str, Any]) -> Messages:
    """Messages as the chat component has them; `html`: what it needs to know of each part."""
    return [
        {
            "role": role,
            "content": [
                {
                    "type": "component",
                    "component": "html",
                    "value": part.html,
                    "constructor_args": {},
                    "props": html,
                }
                for part in parts
            ],
        }
        for role, parts in drawn
    ]


def _asked(text: str) -> object:
    """What a script of the page asks for; None where somebody else wrote it."""
    try:
        return loads(text)
    except UnreadableJSON:
        return None


def _html_props() -> dict[str, Any]:
    """What the chat component needs to know of an HTML part, the same for all of them."""
    part = gr.HTML(
        "", elem_classes="cr-html", apply_default_css=False, padding=False, js_on_load=None, render=False
    )
    props: dict[str, Any] = part.get_config()
    return {name: value for name, value in props.items() if name != "value"}
