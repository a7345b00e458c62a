"""Writes the files of requests into the folders of their conversations, each once.

Clients send the whole history with each request, its files with it. What was received is noted in the records
by its digest, so that it is neither written twice nor over what the code has made of it since, also after a
restart and by another proxy on the same database.
"""

import asyncio
import hashlib
import logging
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from mimetypes import guess_extension
from typing import Protocol
from weakref import WeakValueDictionary

from coderunner.errors import RecordsUnavailable
from coderunner.files.chat_folder import ChatFolder, FileError, FolderUnreachable
from coderunner.files.kernel_start import until_started
from coderunner.files.looking import look, worth_a_look
from coderunner.hosts.proxy.files.sent_files import SentFile
from coderunner.runner import Records, file_lines, table_facts

log = logging.getLogger(__name__)

PATIENCE = 15.0
"""Seconds for a look into tables: a kernel of this machine starts in one, that of a server in some."""
KNOWN = 20_000
"""Files of which this process remembers what was in them."""


class Beside(Protocol):
    """The kernel of a conversation, beside which files are looked into."""

    @property
    def live(self) -> bool:
        """Whether there is one, or it is being started."""

    @property
    def state(self) -> str:
        """`starting`, `none`, or another."""

    def warm(self) -> None:
        """Start it in the background, if that is allowed."""

    async def ask(
        self, question: str, arguments: Mapping[str, object], patience: float
    ) -> Mapping[str, object]:
        """Ask it a question; raises NotAnswered."""


@dataclass(frozen=True, slots=True)
class Received:
    """A file that a conversation has."""

    path: str
    size: int
    """Bytes, when it came."""
    facts: str = ""
    """What a look into it has found; empty where nothing was."""


class ReceivedFiles:
    """What the conversations of one proxy were sent."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._known: dict[str, str] = {}
        """The same as in the records, as far as this process has noted it: they may be out of reach."""
        self._facts: OrderedDict[str, str] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def write(
        self,
        conversation: str,
        folder: ChatFolder,
        files: Sequence[SentFile],
        kernel: Beside,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Mapping[SentFile, Received]:
        """Write what the folder has not had yet; gives what there is to say of each.

        An image that cannot be written is left out: it is there to be seen. Raises UnusableFile, or FileError
        where another one cannot be. Tables are looked into until `stopped`.
        """
        if not files:
            return {}
        # Two requests of one conversation may bring the same file at once.
        async with self._locks.setdefault(conversation, asyncio.Lock()):
            keys = {sent: _key(conversation, sent) for sent in files}
            known = await self._noted(list(keys.values()))
            if known and not kernel.live and await _is_new(folder):
                known = {}
            paths = {
                sent: path
                for sent, key in keys.items()
                if (path := known.get(key) or await self._write(conversation, folder, sent, key, kernel))
            }
            came = any(keys[sent] not in known and worth_a_look(path) for sent, path in paths.items())
            if came:
                kernel.warm()
            if came or kernel.live:
                await self._look({keys[sent]: path for sent, path in paths.items()}, kernel, stopped)
            return {
                sent: Received(path, sent.size, self._facts.get(keys[sent], ""))
                for sent, path in paths.items()
            }

    async def note_sent(self, conversation: str, path: str) -> None:
        """Note that a client has sent the file at a path."""
        key = _sent_key(conversation, path)
        self._known[key] = path
        try:
            await asyncio.to_thread(self._records.note_history, key, path)
        except RecordsUnavailable as failure:
            log.info("%s", failure)

    async def sent(self, conversation: str, paths: Sequence[str]) -> frozenset[str]:
        """Which of these files of a conversation a client has sent."""
        keys = {_sent_key(conversation, path): path for path in paths}
        return frozenset(keys[key] for key in await self._noted(list(keys)))

    async def _look(self, paths: Mapping[str, str], kernel: Beside, stopped: Callable[[], bool]) -> None:
        """Look into the tables that nobody has looked into yet, unless the kernel does not say."""
        unknown = {key: path for key, path in paths.items() if key not in self._facts}
        tables = {key: path for key, path in unknown.items() if worth_a_look(path)}
        if not tables:
            return
        await until_started(lambda: kernel.state, patience=PATIENCE)
        found = await look(
            kernel.ask,
            list(tables.values()),
            patience=PATIENCE,
            starting=lambda: False,
            stopped=stopped,
        )
        for key, each in zip(tables, found, strict=False):
            self._facts[key] = table_facts(each)
        while len(self._facts) > KNOWN:
            self._facts.popitem(last=False)

    async def _noted(self, keys: Sequence[str]) -> Mapping[str, str]:
        known = {key: self._known[key] for key in keys if key in self._known}
        try:
            return known | await asyncio.to_thread(self._records.names_of, keys)
        except RecordsUnavailable as failure:
            log.info("%s", failure)
            return known

    async def _write(
        self, conversation: str, folder: ChatFolder, sent: SentFile, key: str, kernel: Beside
    ) -> str:
        """Write a file; gives its path, or nothing where an image is only for the model to see."""
        try:
            path = await _written(folder, sent, kernel)
        except FileError as failure:
            if not sent.image:
                raise
            log.info("An image is not among the files: %s", failure)
            return ""
        self._known[key] = path
        await self.note_sent(conversation, path)
        try:
            await asyncio.to_thread(self._records.note_history, key, path)
        except RecordsUnavailable as failure:
            log.warning("A file will be written again after a restart: %s", failure)
        return path


async def _is_new(folder: ChatFolder) -> bool:
    """Whether a folder has lost all files, such as that of a container that was started again."""
    try:
        return not (await folder.list()).files
    except FileError:
        return False


async def _written(folder: ChatFolder, sent: SentFile, kernel: Beside) -> str:
    """The path of a file, once it is written; a kernel that alone leads to the folder is started for it."""
    try:
        return (await folder.write(name_of(sent), _pieces(sent), sent.size)).path
    except FolderUnreachable:
        if kernel.live and kernel.state != "starting":
            raise
    kernel.warm()
    await until_started(lambda: kernel.state, patience=PATIENCE)
    return (await folder.write(name_of(sent), _pieces(sent), sent.size)).path


def told_of(received: Mapping[SentFile, Received]) -> Callable[[Sequence[SentFile]], str]:
    """Gives what the model reads of the files of one message."""

    def words(files: Sequence[SentFile]) -> str:
        there = [received[sent] for sent in files if sent in received]
        return file_lines((each.path, each.size, each.facts) for each in there)

    return words


def name_of(sent: SentFile) -> str:
    """What a file is to be called in the folder: the last part of the client's name, or a plain one."""
    name = re.split(r"[/\\]", sent.name)[-1].strip()
    if name.strip(". "):
        return name
    ending = guess_extension(sent.mime) or ""
    return f"{'image' if sent.image else 'file'}{ending}"


def _sent_key(conversation: str, path: str) -> str:
    return hashlib.sha256(f"sent\0{conversation}\0{path}".encode("utf-8", "replace")).hexdigest()


def _key(conversation: str, sent: SentFile) -> str:
    return hashlib.sha256(f"file\0{conversation}\0{sent.digest}\0{name_of(sent)}".encode()).hexdigest()


async def _pieces(sent: SentFile) -> AsyncIterator[bytes]:
    for piece in sent.pieces():
        yield piece
