"""The sessions of each client, and the cells that run in them."""

import asyncio
import logging
import secrets
from collections import OrderedDict, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from coderunner.files.chat_folder import ChatFolder
from coderunner.files.kernel_start import until_started
from coderunner.hosts.mcp.apps.app_blocks import Hear
from coderunner.hosts.mcp.background_cell import BackgroundCell
from coderunner.hosts.mcp.files.uploads import Uploads
from coderunner.hosts.mcp.scopes.grants import several_users
from coderunner.ids import new_id
from coderunner.outputs import Refusal, Remedy
from coderunner.runner import (
    Capacity,
    KernelLocation,
    KernelSandbox,
    Packaging,
    RecordedRuns,
    Records,
    Result,
    RunningKernel,
    RunOptions,
    Server,
    Session,
    Sessions,
    Toolbox,
    existing,
    grants_of,
    kernels_here,
    located,
    location_of,
    open_records,
    shown_afterwards,
)
from coderunner.settings.settings import Settings

log = logging.getLogger(__name__)

NOT_ASKED = (
    "Code cannot call tools: an MCP server has nobody to ask, so the setting tools_approve must be auto."
)
SESSIONS = 100
"""Sessions of one client at once. How many of them have a kernel, `max_kernels` says."""
LISTED = 50
"""Kernels in a list."""
NAME = 100
"""Characters of a session's name."""
PATIENCE = 30.0
"""Seconds for the start of a kernel that is asked for files."""
UNTOLD = 8
"""Ended cells that are kept to be told: more than one only where calls are cancelled one after the other."""
TEXTS = 64
"""Long outputs of a client that are kept to be read in full."""


@dataclass(slots=True)
class ToolSession:
    """One client's session."""

    kernel: Session
    work: BackgroundCell | None = None
    """The cell that runs in it, or ran last."""
    untold: deque[BackgroundCell] = field(default_factory=lambda: deque(maxlen=UNTOLD))
    """Earlier cells whose end no call has told."""

    @property
    def running(self) -> BackgroundCell | None:
        """The cell that runs in it now."""
        return self.work if self.work is not None and self.work.result is None else None


class ClientSessions:
    """All sessions of one server."""

    def __init__(self, settings: Settings, *, keep: bool, finds: bool = False) -> None:
        """`keep`: kernels on a Jupyter server keep running at the end, to be found again.

        `finds`: the one client is this user's own, so the Jupyter servers of this machine are theirs, and
        they can be asked to allow what a sandbox refuses.
        """
        self.settings = settings
        # Questions go to the client's model, which must not be the one to consent.
        toolbox = Toolbox.of(settings, people=False) if settings.tools_approve == "auto" else None
        self.has_tools = toolbox is not None
        """Code may call the tools of other servers."""
        if settings.tools and toolbox is None:
            log.warning(NOT_ASKED)
        self._finds = finds
        self._keep = keep
        self._sessions = Sessions(
            settings.data_dir / "kernels",
            preload=settings.preloaded,
            capacity=Capacity.of(settings),
            max_memory=settings.max_memory,
            max_disk=settings.max_disk,
            sandbox=KernelSandbox.of(settings, buttons=finds, stranger=not finds and several_users(settings)),
            packaging=Packaging(settings.packages),
            toolbox=toolbox,
        )
        self._records: Records = open_records(
            settings.records_url.reveal(),
            settings.data_dir,
            keep_days=settings.keep_days,
            pool=settings.records_pool,
        )
        self._opened: dict[tuple[str, str], ToolSession] = {}
        self._texts: defaultdict[str, OrderedDict[str, str]] = defaultdict(OrderedDict)
        self._uploads: defaultdict[str, Uploads] = defaultdict(Uploads)

    def find(self, owner: str, name: str) -> ToolSession | None:
        """The session that `owner` calls `name`."""
        return self._opened.get((owner, name))

    def all(self, owner: str) -> dict[str, ToolSession]:
        """The sessions of `owner` by name."""
        return {name: opened for (whose, name), opened in self._opened.items() if whose == owner}

    async def kernels(self) -> list[RunningKernel]:
        """The user's kernels on the server of the settings, or on those of this machine; without ours.

        Clients that are others get none. Raises CodeRunnerError.
        """
        if not self._finds:
            return []
        if self.settings.server:
            where, address = location_of(self.settings), Server(self.settings.server).url
            found = [replace(each, server=address) for each in await existing(where)]
        else:
            found = [each for each in await kernels_here() if each.server]
        return [each for each in found if not each.conversation][:LISTED]

    async def where(self) -> KernelLocation:
        """Where kernels run; one to attach to is looked for on this machine too. Raises CodeRunnerError."""
        if self._finds:
            return await asyncio.to_thread(located, self.settings)
        return location_of(self.settings)

    async def opened(self, owner: str, name: str) -> ToolSession:
        """The session that `owner` calls `name`, a new one if there is none. Starts no kernel.

        Raises ValueError or CodeRunnerError, with a sentence, if there can be no new one.
        """
        if (found := self.find(owner, name)) is not None:
            return found
        if len(name) > NAME:
            raise ValueError(f"a session name has at most {NAME} characters")
        if len(self.all(owner)) >= SESSIONS:
            raise ValueError(f"there are already {SESSIONS} sessions; reset one that you no longer need")
        where = await self.where()
        if (found := self.find(owner, name)) is not None:
            return found
        kernel = self._sessions.get(_conversation(owner, name), where, owner)
        opened = self._opened[owner, name] = ToolSession(kernel)
        return opened

    async def files(self, owner: str, name: str) -> ChatFolder:
        """The working directory of a session's code, also of one that is not open. Raises CodeRunnerError."""
        found = self.find(owner, name)
        where = found.kernel.where if found is not None else await self.where()
        return self._sessions.files(_conversation(owner, name), where)

    async def start(self, opened: ToolSession) -> None:
        """Start the kernel of a session where nothing else leads to its files."""
        opened.kernel.warm()
        await until_started(lambda: opened.kernel.status.state, patience=PATIENCE)

    def uploads(self, owner: str) -> Uploads:
        """The files that a client is about to send."""
        return self._uploads[owner]

    def begin(self, opened: ToolSession, code: str, shown: tuple[str, Hear] | None = None) -> BackgroundCell:
        """Run code in an idle session, for at most `hard_timeout` seconds; `shown` as for its cell."""
        runs = RecordedRuns(
            self._records, opened.kernel.conversation, secrets.token_hex(16), opened.kernel.where.place
        )
        deadline = self.settings.limit or self.settings.timeout
        if opened.work is not None and not opened.work.told:
            opened.untold.append(opened.work)
        opened.work = BackgroundCell(code, opened.kernel, RunOptions(deadline, runs=runs), shown)
        return opened.work

    def refused(self, owner: str, name: str) -> list[Refusal]:
        """What the sandbox refused to the latest cell of a session, and this user could allow."""
        opened = self.find(owner, name)
        result = opened.work.result if opened is not None and opened.work is not None else None
        if opened is None or result is None:
            return []
        known = opened.kernel.conversation
        return [
            each
            for each in result.refusals
            if each.remedy is Remedy.BUTTON and not self._sessions.granted(known, each)
        ]

    async def allow(self, opened: ToolSession, refusals: Sequence[Refusal]) -> None:
        """Allow it to the code of a session from now on."""
        for each in refusals:
            await self._sessions.grant(opened.kernel.conversation, grants_of(each))

    def ended(self, owner: str, name: str) -> list[BackgroundCell]:
        """The cells before the latest whose end no call has told, each of them once."""
        opened = self.find(owner, name)
        told = [] if opened is None else list(opened.untold)
        if opened is not None:
            opened.untold.clear()
        return told

    def afterwards(self, owner: str, name: str, *, newest: bool) -> list[Result]:
        """The new output of threads and tasks of ended cells, one result for each cell.

        Without `newest`, that of the latest cell is left for the next call.
        """
        opened = self.find(owner, name)
        return [] if opened is None else shown_afterwards(opened.kernel, newest=newest)

    async def reset(self, owner: str, name: str) -> bool:
        """End a session and its kernel; False if there is none."""
        opened = self._opened.pop((owner, name), None)
        self._uploads[owner].drop(name)
        if opened is None:
            return False
        if opened.running is not None:
            await opened.running.close()
        await self._sessions.close(opened.kernel.conversation)
        return True

    def keep_text(self, owner: str, text: str) -> str:
        """Keep a text that is too long for a result; gives the name under which `owner` can read it."""
        name = new_id(12)
        texts = self._texts[owner]
        texts[name] = text
        if len(texts) > TEXTS:
            texts.popitem(last=False)
        return name

    def text(self, owner: str, name: str) -> str | None:
        """The text of `owner` under that name."""
        return self._texts[owner].get(name)

    async def close(self) -> None:
        """Stop all cells and end all kernels."""
        for uploads in self._uploads.values():
            uploads.close()
        await asyncio.gather(*(opened.running.close() for opened in self._opened.values() if opened.running))
        await self._sessions.close_all(keep=self._keep)
        await asyncio.to_thread(self._records.close)


def _conversation(owner: str, name: str) -> str:
    return f"mcp {owner} {name}"
