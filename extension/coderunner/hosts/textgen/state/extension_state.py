"""What the extension keeps for the whole process: choices, kernels, open questions; and who may run code."""

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from coderunner.errors import RecordsUnavailable, SettingsError
from coderunner.hosts.textgen.blocks.block_buttons import Kernels
from coderunner.hosts.textgen.blocks.block_controller import BlockController
from coderunner.hosts.textgen.blocks.output_routes import OutputRoutes
from coderunner.hosts.textgen.blocks.pending_approvals import (
    Approval,
    DetachedBlock,
    InputRequest,
    PendingApprovals,
    RunningBlock,
)
from coderunner.hosts.textgen.reply import output_placeholders
from coderunner.hosts.textgen.reply.chat_identity import ChatIdentities, Place, homes
from coderunner.hosts.textgen.reply.chat_requests import (
    ChatRequest,
    ChatRequests,
    api_conversation,
    is_api,
    kept_at,
    of_page,
    origin,
)
from coderunner.hosts.textgen.state.preferences import Preferences, PreferencesFile, from_settings
from coderunner.hosts.textgen.webui import image_files, webui_api, webui_patches
from coderunner.hosts.textgen.webui.status_file import LONGEST, NOTHING, StatusFiles
from coderunner.outputs import Result
from coderunner.page.html.block_html import Setting
from coderunner.runner import (
    Answered,
    Ended,
    Event,
    Question,
    RecordedRuns,
    Records,
    ReplyBudget,
    Run,
    RunOptions,
    Session,
    Sessions,
    Started,
    declined,
    granted,
    no_pictures,
    open_records,
)
from coderunner.secret import Secret
from coderunner.settings import settings
from coderunner.settings.settings import Settings

log = logging.getLogger(__name__)

FOLDER = "coderunner"


@dataclass(frozen=True, slots=True)
class ExtensionState:
    """One for the process: a restart of the interface runs `script.py` again, but not this."""

    store: PreferencesFile
    sessions: Sessions
    cache: Path
    """Our part of the folder that the webui serves."""
    board: StatusFiles
    records: Records
    approvals: PendingApprovals
    controller: BlockController
    elements: OutputRoutes
    chats: ChatIdentities
    marks: ChatRequests = field(default_factory=ChatRequests)
    ended: dict[str, str] = field(default_factory=dict)
    """Why the latest reply of a conversation ended, where that is before its time; told once."""
    _met: set[str] = field(default_factory=set)
    """Conversations of which this process has had a reply."""

    @classmethod
    def open(cls, user_data: Path) -> "ExtensionState":
        """Open the door of the webui whose data are in `user_data`."""
        home, cache = user_data / FOLDER, user_data / "cache" / FOLDER
        board = StatusFiles(cache)
        board.clean()
        ours = _settings()
        store = PreferencesFile(home / "settings.json", from_settings(ours) if ours else Preferences())
        most, approvals = ours.max_memory if ours else 0.0, PendingApprovals()
        sessions = Sessions(home / "files", max_memory=most, spare=True)
        records = open_records(
            ours.records_url.reveal() if ours else "", home, keep_days=ours.keep_days if ours else 0
        )
        chats = ChatIdentities(
            home / "chats.json", _is_there, lambda place: webui_api.chat_names(place.folder)
        )
        kernels = Kernels(
            lambda name: sessions.get(name, store.get().where),
            lambda: RunOptions(store.get().limit or store.get().deadline),
            lambda: not why_not(store.get(), several=webui_api.serves_several()),
            lambda: store.get().place,
            lambda: webui_api.set_stopped(True),
        )

        def setting() -> Setting:
            chosen = store.get()
            here = chosen.kernel == "embedded"
            where = chosen.where.place if here else f"It runs in {place_of(chosen)}."
            return Setting(chosen.deadline, where, chosen.scripts)

        controller = BlockController(records, approvals, kernels, setting)
        elements = OutputRoutes(controller, ours.public_url if ours else "")
        return cls(store, sessions, cache, board, records, approvals, controller, elements, chats)

    def install(self) -> None:
        """Put what is ours into the webui around us; again after each restart of its interface."""
        self.elements.install()
        webui_patches.follow_chats(self._renamed, self._deleted)
        webui_patches.keep_when_left()

    def _renamed(self, old: str, new: str, character: str, mode: str) -> None:
        before, after = _place(old, character, mode), _place(new, character, mode)
        if before and after:
            self.chats.rename(before, after)

    def _deleted(self, name: str, character: str, mode: str) -> None:
        if place := _place(name, character, mode):
            conversation = self.chats.delete(place)
            self.controller.forget(conversation)
            self._met.discard(conversation)
            self.sessions.io_thread.submit(self.sessions.close(conversation))

    def mark(self, state: webui_api.State, more: Mapping[str, Any]) -> ChatRequest | None:
        """What is to be known of the reply that begins; None where it is to pass untouched."""
        chosen, api = self.store.get(), is_api(state)
        if why_not(chosen, several=webui_api.serves_several(), api=api):
            return None
        name, passing = (
            api_conversation(state) if api else (self._conversation(state, more["history"]), False)
        )
        if name is None:
            return None
        if not api:
            self._resume(name, more["history"])
        page = "" if api else webui_api.session_hash() or ""
        streams = bool(state.get("stream", True))
        its, home = (token_hex(16), name) if api else origin(state, more, name)
        before = _prior(more)
        prior = output_placeholders.without(before)
        if not api:
            self.controller.store.move(more["history"].get("metadata", {}), name)
            self.controller.pass_over(name, its)
        kept = None if api else kept_at(state, several=webui_api.serves_several())
        chat = kept[1] if kept else ""
        return ChatRequest(
            name, its, home, prior, before, api=api, chat=chat, passing=passing, page=page, streams=streams
        )

    def why(self, state: Mapping[str, Any]) -> str:
        """Why the reply that has just ended did so before its time, in a sentence; empty where it did not."""
        name = self.conversation(state) if self.ended else None
        return self.ended.pop(name, "") if name else ""

    def may_run(self) -> bool:
        """Whether code runs for the people at the page."""
        return not why_not(self.store.get(), several=webui_api.serves_several())

    def place(self) -> str:
        """The kernel in words; where the webui serves several people, its address is nobody's business."""
        return place_of(self.store.get())

    def conversation(self, state: Mapping[str, Any]) -> str | None:
        """The conversation of the browser page for which we are called."""
        return self._conversation(state, state.get("history"))

    def _conversation(self, state: Mapping[str, Any], history: Mapping[str, Any] | None) -> str | None:
        kept = kept_at(state, several=webui_api.serves_several())
        if kept is None:
            return of_page(webui_api.session_hash())
        return self.chats.find(Place(*kept), webui_api.saved_chat(state) if history is None else history)

    def _resume(self, name: str, history: Mapping[str, Any]) -> None:
        """Have it said where the variables of a chat's earlier blocks are gone; once in a process."""
        home = next(homes(history), "")
        if name in self._met:
            return
        self._met.add(name)
        try:
            ran = [run for run in self.records.of(home) if run.started] if home else []
        except RecordsUnavailable as failure:
            log.warning("%s", failure)
            return
        counts = [run.result.execution_count for run in ran if run.result and run.result.execution_count]
        if ran and not self.kernel(name).live:
            self.kernel(name).resume((counts or [0])[-1] if home == name else 0)

    def kernel(self, name: str) -> Session:
        """The kernel of a conversation; nothing is started yet."""
        return self.sessions.get(name, self.store.get().where)

    def options(self, mark: ChatRequest) -> RunOptions:
        """How the cells of a reply are run."""
        chosen = self.store.get()

        def consent(run: Run) -> Future[bool]:
            match chosen.approval:
                case "ask" if self.controller.buttons.always(mark.conversation):
                    return granted(run)
                case "auto":
                    return granted(run)
                case "off":
                    return declined(run)
            word = self.approvals.ask(
                mark.conversation, output_placeholders.identity(mark.message, run.ordinal), run
            )
            self.show(mark)
            # Without a word the reply ends at its block; with one the page has it continued.
            return Future() if word is None else granted(run) if word else declined(run)

        def ask(question: Question) -> Future[Secret]:
            line = self.approvals.inquire(mark.conversation, question)
            self.show(mark)
            return line

        def left(ended: Ended) -> None:
            """The webui closes us, since a page was loaded again or closed, and nobody pressed Stop."""
            self.controller.go_on(mark, ended)
            self._follow_bar(mark, ended)

        # Nobody would bring an API client the result of a cell that goes on.
        limit, allowance = 0.0 if mark.api else chosen.limit, ReplyBudget(chosen.max_seconds)
        questions = ask if mark.page else None
        runs = self.runs(mark.home, mark.message)
        # Where the page has an element for each block, its pictures are seen there.
        keep = no_pictures if self.draws(mark) else self.keep
        return RunOptions(
            chosen.deadline,
            limit,
            consent,
            keep,
            ask=questions,
            allowance=allowance,
            left=None if mark.api else left,
            runs=runs,
        )

    def draws(self, mark: ChatRequest) -> bool:
        """Whether the blocks of a reply have elements of their own in the page."""
        return bool(mark.page) and self.elements.placed

    def runs(self, conversation: str, message: str = "") -> RecordedRuns:
        """What is written down of a conversation's runs, those of one reply above all."""
        return RecordedRuns(self.records, conversation, message, self.store.get().place)

    def keep(self, result: Result) -> list[str]:
        """Store a result's pictures where the page finds them."""
        return image_files.keep(result, self.cache)

    def watch(self, mark: ChatRequest, event: Event) -> str:
        """Keep the page up to date; gives the id of a block that has its place in it from now on."""
        identity = self.controller.receive(mark, event) if self.draws(mark) else ""
        self._follow_bar(mark, event)
        return identity

    def _follow_bar(self, mark: ChatRequest, event: Event) -> None:
        match event:
            case Started():
                self.approvals.begin(mark.conversation, event.ordinal)
                self.show(mark)
            case Answered():
                self.approvals.settle(mark.conversation)
                self.show(mark)
            case Ended():
                self.approvals.clear(mark.conversation)
                self._follow(mark, event)
                self.show(mark)

    def _follow(self, mark: ChatRequest, event: Ended) -> None:
        """Have the bar mention a block that goes on, until it ends."""
        if event.running is None:
            return
        late = DetachedBlock(event.ordinal, output_placeholders.identity(mark.message, event.ordinal))

        def end(_done: Future[Result]) -> None:
            self.approvals.end(mark.conversation, late)
            self.show(mark)

        self.approvals.go_on(mark.conversation, late)
        event.running.settled.add_done_callback(end)

    def show(self, mark: ChatRequest) -> None:
        """Tell the page of a reply what waits or runs."""
        if mark.page:
            self.board.post(mark.page, self._notice(mark))

    def _notice(self, mark: ChatRequest) -> Mapping[str, object]:
        """What the bar shows, and the id of the block: where the page shows that itself, no bar is needed."""
        glance = self.approvals.glance(mark.conversation)
        at = glance.block if isinstance(glance, DetachedBlock) else self._at(glance, mark)
        return {**self._words(glance), "cell": at, "chat": mark.chat[:100]} if glance else NOTHING

    def _at(self, glance: object, mark: ChatRequest) -> str:
        if isinstance(glance, Approval):
            return glance.block
        busy = glance if isinstance(glance, RunningBlock) else self.approvals.busy(mark.conversation)
        return output_placeholders.identity(mark.message, busy.ordinal if busy else 0)

    def _words(
        self, glance: InputRequest | Approval | RunningBlock | DetachedBlock | None
    ) -> Mapping[str, object]:
        match glance:
            case InputRequest(number=number, prompt=prompt, password=password):
                text = _end_of(prompt) or f"The program is asking for {'a password' if password else 'input'}"
                return {"kind": "query", "number": number, "text": text, "password": password}
            case Approval(number=number):
                many = f"{glance.lines} line{'s' if glance.lines != 1 else ''}"
                text = f"Run the block above ({many}) in {self.place()}?"
                return {"kind": "ask", "number": number, "text": text}
            case RunningBlock(ordinal=ordinal):
                return {"kind": "busy", "number": ordinal + 1}
            case DetachedBlock(ordinal=ordinal):
                return {"kind": "late", "number": ordinal + 1}
        return NOTHING

    def leave(self, mark: ChatRequest) -> None:
        """A reply is over; returns at once."""
        self.approvals.clear(mark.conversation)
        self.controller.leave(mark)
        self.show(mark)
        if mark.passing:
            self.sessions.io_thread.submit(self.sessions.close(mark.conversation))


def _place(name: str, character: str | None, mode: str | None) -> Place | None:
    state = {"unique_id": name, "character_menu": character, "mode": mode}
    kept = kept_at(state, several=webui_api.serves_several())
    return Place(*kept) if kept else None


def _is_there(place: Place) -> bool:
    return place.name in webui_api.chat_names(place.folder)


def place_of(chosen: Preferences) -> str:
    """The kernel in words; where the webui serves several people, its address is nobody's business."""
    hidden = webui_api.serves_several() and chosen.kernel == "server"
    return f"the kernel {chosen.kernel_name} of this webui" if hidden else chosen.place


def why_not(chosen: Preferences, *, several: bool, api: bool = False) -> str:
    """Why code does not run, in a sentence for a person; empty where it does."""
    if not chosen.active:
        return "CodeRunner is turned off. Replies are not changed."
    if several and chosen.kernel == "embedded" and not chosen.embedded_for_all:
        return (
            "This webui serves several people, and the embedded kernel would let each of them run code on "
            "this computer. No code runs until the operator selects a Jupyter server."
        )
    if api and not chosen.api:
        return "Code is not run for API clients."
    if api and chosen.approval == "ask":
        return "API clients cannot approve code. Choose “Automatically” to run code for them."
    return ""


def _end_of(prompt: str) -> str:
    """A prompt in the room that the page has for it: what it asks stands at its end."""
    prompt = prompt.strip()
    return prompt if len(prompt) <= LONGEST else f"… {prompt[2 - LONGEST :]}"


def _prior(more: Mapping[str, Any]) -> str:
    """The part of the reply that is there already: what Continue goes on from."""
    rows = more["history"]["internal"] if more.get("_continue") else []
    return str(rows[-1][1]) if rows else ""


def _settings() -> Settings | None:
    """CodeRunner's own settings; None where they cannot be used."""
    try:
        return settings.load()
    except SettingsError as failure:
        log.warning("ignoring CodeRunner's own settings: %s", failure)
        return None
