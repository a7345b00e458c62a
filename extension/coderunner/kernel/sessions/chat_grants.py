"""What code of single chats may reach and call: shown to the person at the page, added and taken back."""

import asyncio
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from coderunner.kernel.kernel_location import KernelLocation, Local
from coderunner.kernel.sessions.registry import Sessions
from coderunner.sandbox.grant_words import Grant, in_words, short
from coderunner.sandbox.granted import MOST_EACH
from coderunner.sandbox.kernel_sandbox import KernelSandbox, real
from coderunner.sandbox.policy import Grants
from coderunner.sandbox.typed.not_grantable import NotGrantable, cut
from coderunner.sandbox.typed.typed_grants import Kind, typed_grant
from coderunner.sandbox.typed.typed_paths import written

ON_SERVER = (
    "Code runs on a Jupyter server and may reach whatever that server lets it; there is nothing to allow."
)
WITHOUT = "Code runs without a sandbox and may reach whatever you can; there is nothing to allow. {why}"
NOWHERE = "No code runs: the setting sandbox is on, but there is no sandbox here. {why}"
OTHERS = "Code of several people runs here, so only the operator can allow more, with settings."
OWN = "Code in this chat uses its own folder, {folder}"
ONLY = f"{OWN}. When a block needs more, it says so, and you can allow it there or here."
MORE = f"{OWN}, and what you allowed. Remove a tick to take that back."
LINK = "{path} is a link now, so code does not reach it. Allow it again to allow what it leads to."
GONE = "There is no {path} now, so code does not reach it."
HIDDEN = "Left out by name: {names}, where secrets may lie."
KEPT = "Read only: {names}, from which your own programs run."
CALLED = "call the tool {name}"
NAMED = 3
"""Names of what is kept apart in a folder that are told."""
CLOSED = "Something in it stays read only or secret, so it takes no new files; the folders in it do."
RESTARTED = "The kernel was restarted, its variables are gone."
LATER = "When the running block has ended, the kernel is restarted, and its variables are gone."
FULL = f"This chat has {MOST_EACH} grants already. Take some of them back first."
PATIENCE = 3.0
"""Seconds for a kernel to be shown more, or to be ended: one that runs a block takes as long as that."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What code of one chat may reach beyond what every kernel needs, and call without asking."""

    own: tuple[str, ...] = ()
    """What was allowed in the chat, in words."""
    everywhere: tuple[str, ...] = ()
    """What settings allow to all chats."""
    folder: str = ""
    """The chat's own folder, with `~` for the home."""
    missing: tuple[str, ...] = ()
    """Why code does not reach all that was allowed in the chat, in sentences."""
    why_not: str = ""
    """Why nothing can be allowed here, as a sentence; empty if it can."""

    @property
    def sentences(self) -> list[str]:
        """What a form says above the list of what was allowed in the chat."""
        if self.why_not:
            return [self.why_not]
        said = [(MORE if self.own else ONLY).format(folder=self.folder)]
        said += self.missing
        return [*said, f"All chats, by settings: {', '.join(self.everywhere)}."] if self.everywhere else said


class ChatGrants:
    """The grants of all chats of a page."""

    def __init__(self, sessions: Sessions, where: Callable[[], KernelLocation]) -> None:
        """`where`: the place at which code runs now."""
        self._sessions = sessions
        self._where = where
        self._late: set[asyncio.Task[bool]] = set()

    def of(self, conversation: str) -> Reach:
        """What code of a conversation was allowed to reach; never waits for a disk."""
        sandbox = self._sessions.sandbox
        own = tuple(self._words(conversation))
        if (why_not := self._why_not()) or sandbox is None:
            return Reach(own, why_not=why_not)
        everywhere = [each.words for each in in_words(sandbox.grants, Path.home())]
        everywhere += [f"reach {each.host} with the secret {each.name}" for each in sandbox.secrets]
        folder = short(self._sessions.directory(conversation), Path.home())
        return Reach(own, tuple(everywhere), folder)

    async def look(self, conversation: str) -> Reach:
        """The same, with what of it is not there; a disk that does not answer is not waited for."""
        reach = self.of(conversation)
        if reach.own and (sandbox := self._sessions.sandbox) is not None:
            granted = sandbox.granted.of(conversation)
            looking = asyncio.to_thread(_missing, sorted(granted.read | granted.write))
            with suppress(TimeoutError):
                return replace(reach, missing=await asyncio.wait_for(looking, PATIENCE))
        return reach

    def seen(self, conversation: str) -> str:
        """What a page keeps beside the list that it shows: whose list it is, and what stood in it.

        What is allowed elsewhere before a person takes something back was not meant by that.
        """
        return "\n".join((conversation, *self._words(conversation)))

    async def add(self, conversation: str, kind: Kind, text: str) -> str:
        """Allow what a person typed; gives a sentence about it. Raises NotGrantable, with one."""
        sandbox = self._sessions.sandbox
        if (why_not := self._why_not()) or sandbox is None:
            raise NotGrantable(why_not)
        grants = await asyncio.to_thread(self._typed, sandbox, conversation, kind, text)
        (grant,) = in_words(grants, Path.home())
        said = f"Code in this chat may now {grant.words}."
        became = await self._grant(sandbox, conversation, grants)
        apart = await asyncio.to_thread(self._apart, sandbox, conversation, grants)
        return " ".join(filter(None, (said, _of_link(text, grants, sandbox), *apart, became)))

    def _typed(self, sandbox: KernelSandbox, conversation: str, kind: Kind, text: str) -> Grants:
        policy = sandbox.policy_of(conversation, self._sessions.directory(conversation))
        return typed_grant(kind, text, policy, sandbox.hidden)

    def _apart(self, sandbox: KernelSandbox, conversation: str, grants: Grants) -> list[str]:
        """What is said of what a granted folder holds and a grant of it does not mean."""
        if not (grants.read or grants.write):
            return []
        policy = sandbox.policy_of(conversation, self._sessions.directory(conversation))
        (path,) = grants.read | grants.write
        closed = bool(grants.write) and policy.is_closed(path)
        return [
            *_named(HIDDEN, policy.hidden, path),
            *(_named(KEPT, policy.guarded, path) if grants.write else ()),
            *([CLOSED] if closed else ()),
        ]

    async def _grant(self, sandbox: KernelSandbox, conversation: str, grants: Grants) -> str:
        """Grant it; gives what becomes of the kernel that runs, empty if it only may reach more."""
        live = self._sessions.live(conversation)
        granting = asyncio.create_task(self._sessions.grant(conversation, grants))
        self._late.add(granting)
        granting.add_done_callback(self._late.discard)
        await asyncio.wait({granting}, timeout=PATIENCE)
        if sandbox.granted.of(conversation) | grants != sandbox.granted.of(conversation):
            raise NotGrantable(FULL)
        if not granting.done():
            return LATER
        return RESTARTED if live and not granting.result() else ""

    async def keep(self, conversation: str, page: str, kept: Collection[str]) -> str:
        """Take back what of the grants that a page shows is not among those `kept`.

        `page`: what `seen` gave it with them. Gives a sentence about it, empty if there is nothing. A folder
        stays in sight of the kernel that runs, so that is replaced.
        """
        of, *shown = page.split("\n")
        listed = self._words(conversation) if of == conversation else []
        gone = [words for words in listed if words in shown and words not in kept]
        if not gone:
            return ""
        taken = Grants()
        for each in self._own(conversation):
            taken |= each.grants if each.words in gone else Grants()
        for name, words in self._called(conversation).items():
            if words in gone and (toolbox := self._sessions.toolbox) is not None:
                toolbox.take_back(conversation, name)
        said = f"Taken back: {', '.join(gone)}."
        restarted = taken != Grants() and await self._sessions.revoke(conversation, taken)
        return f"{said} {RESTARTED}" if restarted else said

    def _why_not(self) -> str:
        where, sandbox = self._where(), self._sessions.sandbox
        if not isinstance(where, Local):
            return ON_SERVER
        if sandbox is None:
            return WITHOUT.format(why=where.sandbox.why).strip()
        if not sandbox.way:
            return NOWHERE.format(why=sandbox.way.why).strip()
        return "" if sandbox.buttons else OTHERS

    def _words(self, conversation: str) -> list[str]:
        """All that was allowed to a conversation, in words."""
        return [*(each.words for each in self._own(conversation)), *self._called(conversation).values()]

    def _called(self, conversation: str) -> dict[str, str]:
        """The words for each tool that its code may call without asking, by the tool's name."""
        toolbox = self._sessions.toolbox
        return (
            {name: CALLED.format(name=name) for name in toolbox.allowed_to(conversation)} if toolbox else {}
        )

    def _own(self, conversation: str) -> list[Grant]:
        """What was allowed to its kernels on this machine; none of it holds on a server."""
        sandbox = self._sessions.sandbox
        if sandbox is None or not isinstance(self._where(), Local):
            return []
        return in_words(sandbox.granted.of(conversation), Path.home())


def _named(sentence: str, paths: Iterable[Path], folder: Path) -> list[str]:
    """The sentence with the names of those that lie in a folder; none where none does."""
    names = [str(each.relative_to(folder)) for each in paths if each.is_relative_to(folder)]
    if not names:
        return []
    more = len(names) - NAMED if len(names) > NAMED + 1 else 0
    shown = list(map(cut, names[: len(names) - more]))
    *before, last = [*shown, f"{more} more"] if more else shown
    return [sentence.format(names=f"{', '.join(before)} and {last}" if before else last)]


def _missing(paths: Sequence[Path]) -> tuple[str, ...]:
    return tuple(filter(None, map(_why_missing, paths)))


def _why_missing(path: Path) -> str:
    """Why code does not reach a path that was granted; empty if it does."""
    if not os.path.lexists(path):
        return GONE.format(path=cut(short(path, Path.home())))
    return LINK.format(path=cut(short(path, Path.home()))) if real(path) != path else ""


def _of_link(text: str, grants: Grants, sandbox: KernelSandbox) -> str:
    """What is said where a link was typed: a kernel with files of its own sees only what it leads to."""
    for path in (*grants.read, *grants.write):
        typed = written(text, real(Path.home()))
        if typed != path and sandbox.way.backend == "namespaces":
            return f"Code finds it there, not at {short(typed, Path.home())}."
    return ""
