"""The thread in which all kernel I/O lives, and the ways into it.

One daemon thread with one event loop for the whole process, started at the first use. Synchronous hosts post
to it and never wait for it unless they ask to; asynchronous hosts await what runs in it from a loop of their
own, or have it live in that (`in_this_loop`): then nothing has to go from one thread to the other.
"""

import asyncio
import atexit
import concurrent.futures
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")

AT_EXIT = 5.0
"""Seconds that the farewells may take at the end of the process: a kernel that hangs is killed after two."""


class IOThread:
    """An event loop in a daemon thread of its own, or in that of a host."""

    def __init__(self, hosts: asyncio.AbstractEventLoop | None = None) -> None:
        """`hosts`: the loop of the host, which runs in this thread, instead of one of our own."""
        # The selector loop by name: ZeroMQ needs it on Windows, and a host's own policy (uvloop) is not ours.
        self.loop = hosts or asyncio.SelectorEventLoop()
        self._farewells: list[Callable[[], Awaitable[None]]] = []
        self._thread = threading.current_thread()
        if hosts is None:
            self._thread = threading.Thread(target=self._run, name="coderunner", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
            left = asyncio.all_tasks(self.loop)
            for task in left:
                task.cancel()
            self.loop.run_until_complete(asyncio.wait(left, timeout=1.0) if left else asyncio.sleep(0))
        finally:
            self.loop.close()

    @property
    def here(self) -> bool:
        """The caller runs in the I/O thread itself."""
        return threading.current_thread() is self._thread

    def post(self, callback: Callable[..., object], *arguments: object) -> None:
        """Have a function called in the loop, soon; returns at once, from any thread."""
        with suppress(RuntimeError):  # the loop has ended: there is nothing left that it could concern
            self.loop.call_soon_threadsafe(callback, *arguments)

    def submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Start a coroutine in the loop, from any thread; cancelling the future cancels it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def begin(self, work: Coroutine[Any, Any, T], ended: Callable[[asyncio.Task[T]], object]) -> None:
        """Start a coroutine in the loop, from any thread, and have `ended` called there when it has ended.

        For who waits in a way of their own: `submit` has a future more, which costs a cell its time.
        """

        def start() -> None:
            self.loop.create_task(work).add_done_callback(ended)

        self.loop.call_soon_threadsafe(start)

    def call(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine in the loop and wait for it, from any thread but the loop's own.

        Raises TimeoutError after `timeout` seconds; the coroutine is then cancelled.
        """
        future = self.submit(work)
        try:
            return future.result(timeout)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Await a coroutine that runs in the I/O thread's loop, from any loop; cancellation goes through."""
        if self.here:
            return await work
        return await asyncio.wrap_future(self.submit(work))

    def at_exit(self, farewell: Callable[[], Awaitable[None]]) -> None:
        """Have something done in the loop before the process ends."""
        self._farewells.append(farewell)

    def forget(self, farewell: Callable[[], Awaitable[None]]) -> None:
        """Take a farewell back."""
        if farewell in self._farewells:
            self._farewells.remove(farewell)

    def close(self) -> None:
        """Say the farewells, bounded, and end the thread."""
        if not self._thread.is_alive():
            return
        with suppress(concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
            self.call(self._say_farewell(), AT_EXIT)
        self.post(self.loop.stop)
        self._thread.join(1.0)

    async def leave(self) -> None:
        """Say the farewells, bounded, in the loop: the loop itself is the host's."""
        with suppress(TimeoutError):
            async with asyncio.timeout(AT_EXIT):
                await self._say_farewell()

    async def _say_farewell(self) -> None:
        farewells, self._farewells = self._farewells, []
        await asyncio.gather(*(farewell() for farewell in farewells), return_exceptions=True)


_lock = threading.Lock()
_io_thread: IOThread | None = None


def io_thread() -> IOThread:
    """The I/O thread of this process."""
    global _io_thread
    with _lock:
        if _io_thread is None:
            _io_thread = IOThread()
            atexit.register(_io_thread.close)
        return _io_thread


@asynccontextmanager
async def in_this_loop() -> AsyncIterator[None]:
    """Have all kernel I/O of this process live in the loop that runs here, for as long as this lasts.

    For a host whose only loop this is: before anything else of ours was used, and until all of it is closed.
    Where ZeroMQ cannot live in the loop, it has a thread of its own, as ever.
    """
    global _io_thread
    loop = asyncio.get_running_loop()
    with _lock:
        ours = _io_thread is None and isinstance(loop, asyncio.SelectorEventLoop)
        if ours:
            _io_thread = IOThread(loop)
    try:
        yield
    finally:
        if ours and _io_thread is not None:
            await _io_thread.leave()
            with _lock:
                _io_thread = None


def _forget_in_child() -> None:
    """Start anew in a forked child: threads do not survive a fork, and the kernels are the parent's."""
    global _io_thread, _lock
    if _io_thread is not None:
        atexit.unregister(_io_thread.close)
    _io_thread, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
