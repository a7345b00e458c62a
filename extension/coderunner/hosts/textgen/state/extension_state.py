"""The state of the extension for the whole process: choices, kernels, approvals; and who may run code."""

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any

from coderunner.errors import RecordsUnavailable, SettingsError
from coderunner.hosts.textgen.blocks import bar_state
from coderunner.hosts.textgen.blocks.bar_state import Approval, BarState, DetachedBlock, RunningBlock
from coderunner.hosts.textgen.blocks.block_buttons import Kernels
from coderunner.hosts.textgen.blocks.block_controller import BlockController
from coderunner.hosts.textgen.blocks.output_routes import OutputRoutes
from coderunner.hosts.textgen.reply import output_placeholders
from coderunner.hosts.textgen.reply.chat_identity import ChatIdentities, Place, homes
from coderunner.hosts.textgen.reply.chat_reply_detection import (
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
from coderunner.hosts.textgen.webui.bar_state_file import NOTHING, BarStateFiles
from coderunner.outputs import Result
from coderunner.page.html.block_html import Setting
from coderunner.runner import (
    Answered,
    Capacity,
    Connection,
    Ended,
    Event,
    KernelSandbox,
    Packaging,
    Preparing,
    Question,
    RecordedRuns,
    Records,
    ReplyBudget,
    Run,
    RunOptions,
    Session,
    Sessions,
    Started,
    Toolbox,
    allow_sync,
    declined,
    granted,
    no_pictures,
    open_records,
)
from coderunner.secret_value import Secret
from coderunner.settings import settings
from coderunner.settings.settings import Settings

log = logging.getLogger(__name__)

FOLDER = "coderunner"
TOOLS = 20.0
"""Seconds for what is told of tools: their servers are waited for at most ten."""


@dataclass(frozen=True, slots=True)
class ExtensionState:
    """One for the process: a restart of the interface runs `script.py` again, but keeps this."""

    store: PreferencesFile
    sessions: Sessions
    cache: Path
    """Our folder among the files that the webui serves."""
    status_files: BarStateFiles
    records: Records
    approvals: BarState
    controller: BlockController
    elements: OutputRoutes
    chats: ChatIdentities
    requests: ChatRequests = field(default_factory=ChatRequests)
    ended: dict[str, str] = field(default_factory=dict)
    """Why the latest reply of a conversation ended too early; shown once."""
    _met: set[str] = field(default_factory=set)
    """Conversations that have had a reply in this process."""

    @classmethod
    def open(cls, user_data: Path) -> "ExtensionState":
        """The state for the webui whose data are in `user_data`."""
        home, cache = user_data / FOLDER, user_data / "cache" / FOLDER
        status_files = BarStateFiles(cache)
        status_files.clean()
        ours = _settings()
        store = PreferencesFile(home / "settings.json", from_settings(ours) if ours else Preferences())
        known, approvals, several = ours or Settings(), BarState(), webui_api.serves_several()
        box = KernelSandbox.of(known, buttons=True, stranger=several, data=home)
        packs, files = Packaging(known.packages, buttons=not several), home / "files"
        room, most, mods = Capacity.of(known), known.max_memory, known.preloaded
        sessions = Sessions(
            files,
            capacity=room,
            max_memory=most,
            preload=mods,
            sandbox=box,
            packaging=packs,
            toolbox=Toolbox.of(known, people=True),
        )
        kept = (ours.records_url.reveal(), ours.keep_days, ours.records_pool) if ours else ("", 0, 1)
        records = open_records(kept[0], home, keep_days=kept[1], pool=kept[2], fallback="any")
        chats = ChatIdentities(home / "chats.json", _is_there, lambda at: webui_api.chat_names(at.folder))
        kernels = Kernels(
            lambda name: sessions.get(name, store.get().where),
            lambda: RunOptions(store.get().limit or store.get().deadline),
            lambda: not why_not(store.get(), several=webui_api.serves_several()),
            lambda: store.get().place,
            lambda: webui_api.set_stopped(True),
            lambda name, refusal, stopped: allow_sync(sessions, name, store.get().where, refusal, stopped),
            sessions.granted,
            lambda name, refusal: sessions.packages.card(name, store.get().where, refusal),
        )

        def setting() -> Setting:
            chosen = store.get()
            here = chosen.kernel == "embedded"
            where = chosen.where.place if here else f"It runs in {place_of(chosen)}."
            return Setting(chosen.deadline, where, chosen.scripts)

        controller = BlockController(records, approvals, kernels, setting)
        shown = controller.store.subscriptions
        sessions.follow_grants(lambda label: shown.grants_changed(lambda chat: chat == label))
        elements = OutputRoutes(
            controller,
            lambda name: sessions.files(name, store.get().where),
            ours.public_url if ours else "",
        )
        return cls(store, sessions, cache, status_files, records, approvals, controller, elements, chats)

    def install(self) -> None:
        """Add our routes and hooks to the webui; again after each restart of its interface."""
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

    def request_of(self, state: webui_api.State, more: Mapping[str, Any]) -> ChatRequest | None:
        """The request of the reply that begins; None if that is to stay unchanged."""
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
        """Why the reply that has just ended did so too early, as a sentence; empty if it did not."""
        name = self.conversation(state) if self.ended else None
        return self.ended.pop(name, "") if name else ""

    def may_run(self) -> bool:
        """Whether code runs for the users of the page."""
        return not why_not(self.store.get(), several=webui_api.serves_several())

    def place(self) -> str:
        """The kernel in words; with `--multi-user`, without its address."""
        return place_of(self.store.get())

    def conversation(self, state: Mapping[str, Any]) -> str | None:
        """The conversation of the page that calls."""
        return self._conversation(state, state.get("history"))

    def _conversation(self, state: Mapping[str, Any], history: Mapping[str, Any] | None) -> str | None:
        kept = kept_at(state, several=webui_api.serves_several())
        if kept is None:
            return of_page(webui_api.session_hash())
        return self.chats.find(Place(*kept), webui_api.saved_chat(state) if history is None else history)

    def _resume(self, name: str, history: Mapping[str, Any]) -> None:
        """Have the user told if the variables of earlier blocks are gone; once per process."""
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
        """The kernel of a conversation; this starts nothing."""
        return self.sessions.get(name, self.store.get().where)

    def words_of_tools(self, name: str) -> str:
        """What the model of a conversation is told of the tools that its code may call; perhaps nothing."""
        tools = self.kernel(name).tools
        return self.sessions.io_thread.call(tools.words(), TOOLS) if tools else ""

    def options(self, request: ChatRequest) -> RunOptions:
        """How the cells of a reply are run."""
        chosen = self.store.get()

        def identity(run: Run) -> str:
            return output_placeholders.identity(request.message, run.ordinal)

        def consent(run: Run) -> Future[bool]:
            match chosen.approval:
                case "ask" if self.controller.buttons.always(request.conversation):
                    return granted(run)
                case "auto":
                    return granted(run)
            word = self.approvals.ask(request.conversation, identity(run), run)
            self.show(request)
            # Without a decision the reply ends at its block; with one the page continues it.
            return Future() if word is None else granted(run) if word else declined(run)

        def ask(question: Question) -> Future[Secret]:
            line = self.approvals.inquire(request.conversation, question)
            self.show(request)
            return line

        def left(ended: Ended) -> None:
            """Called if the webui closes the reply without Stop: its page was reloaded or closed."""
            self.controller.go_on(request, ended)
            self._follow_bar(request, ended)

        # An API client would never get the result of a background cell.
        limit, allowance = 0.0 if request.api else chosen.limit, ReplyBudget(chosen.max_seconds)
        runs = self.runs(request.home, request.message)
        # If the page has an element for each block, that shows its images.
        keep = no_pictures if self.draws(request) else self.keep
        return RunOptions(
            chosen.deadline,
            limit,
            consent,
            keep,
            ask=ask if request.page else None,
            allowance=allowance,
            left=None if request.api else left,
            runs=runs,
            off=lambda: chosen.approval == "off",
            edited=lambda run: self.approvals.edited(identity(run)),
        )

    def draws(self, request: ChatRequest) -> bool:
        """Whether the page shows the blocks of a reply as elements."""
        return bool(request.page) and self.elements.placed

    def runs(self, conversation: str, message: str = "") -> RecordedRuns:
        """The recorded runs of a conversation, and of one of its replies."""
        return RecordedRuns(self.records, conversation, message, self.store.get().place)

    def keep(self, result: Result) -> list[str]:
        """Save a result's images where the page finds them."""
        return image_files.keep(result, self.cache)

    def watch(self, request: ChatRequest, event: Event) -> str:
        """Update the page; gives the id of a block that has its place in the reply from now on."""
        identity = self.controller.receive(request, event) if self.draws(request) else ""
        self._follow_bar(request, event)
        return identity

    def _follow_bar(self, request: ChatRequest, event: Event) -> None:
        match event:
            case Started():
                self.approvals.begin(request.conversation, event.ordinal)
            case Preparing() | Connection():
                self.approvals.prepare(request.conversation, event.words)
            case Answered():
                self.approvals.settle(request.conversation)
            case Ended():
                self.approvals.clear(request.conversation)
                self._follow(request, event)
            case _:
                return
        self.show(request)

    def _follow(self, request: ChatRequest, event: Ended) -> None:
        """Show a background block in the status bar until it ends."""
        if event.running is None:
            return
        late = DetachedBlock(event.ordinal, output_placeholders.identity(request.message, event.ordinal))

        def end(_done: Future[Result]) -> None:
            self.approvals.end(request.conversation, late)
            self.show(request)

        self.approvals.go_on(request.conversation, late)
        event.running.settled.add_done_callback(end)

    def show(self, request: ChatRequest) -> None:
        """Tell the page of a reply what is waiting or running."""
        if request.page:
            self.status_files.post(request.page, self._notice(request))

    def _notice(self, request: ChatRequest) -> Mapping[str, object]:
        """What the status bar shows, and the block's id: the page hides the bar if it shows the block."""
        glance = self.approvals.glance(request.conversation)
        if glance is None:
            return NOTHING
        return {
            **bar_state.words(glance, self.place()),
            "cell": self._at(glance, request),
            "chat": request.chat[:100],
        }

    def _at(self, glance: object, request: ChatRequest) -> str:
        if isinstance(glance, Approval | DetachedBlock):
            return glance.block
        busy = glance if isinstance(glance, RunningBlock) else self.approvals.busy(request.conversation)
        return output_placeholders.identity(request.message, busy.ordinal if busy else 0)

    def leave(self, request: ChatRequest) -> None:
        """Note that a reply is over; returns at once."""
        self.approvals.clear(request.conversation)
        self.controller.leave(request)
        self.show(request)
        if request.passing:
            self.sessions.io_thread.submit(self.sessions.close(request.conversation))


def _place(name: str, character: str | None, mode: str | None) -> Place | None:
    state = {"unique_id": name, "character_menu": character, "mode": mode}
    kept = kept_at(state, several=webui_api.serves_several())
    return Place(*kept) if kept else None


def _is_there(place: Place) -> bool:
    return place.name in webui_api.chat_names(place.folder)


def place_of(chosen: Preferences) -> str:
    """The kernel in words; with `--multi-user`, without its address."""
    hidden = webui_api.serves_several() and chosen.kernel == "server"
    return f"the kernel {chosen.kernel_name} of this webui" if hidden else chosen.place


def why_not(chosen: Preferences, *, several: bool, api: bool = False) -> str:
    """Why code does not run, as a sentence for the user; empty if it does."""
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


def _prior(more: Mapping[str, Any]) -> str:
    """The existing part of the reply, which Continue continues."""
    rows = more["history"]["internal"] if more.get("_continue") else []
    return str(rows[-1][1]) if rows else ""


def _settings() -> Settings | None:
    """CodeRunner's own settings; None if they are not valid."""
    try:
        return settings.load()
    except SettingsError as failure:
        log.warning("ignoring CodeRunner's own settings: %s", failure)
        return None
