"""The apps of all people: one process each, started when its person comes and ended when it is left alone."""

import asyncio
import logging
import time
from collections.abc import Awaitable
from contextlib import suppress

from coderunner.errors import CodeRunnerError
from coderunner.hosts.team.person_process import NotStartedError, PersonProcess, Starter
from coderunner.hosts.team.reverse_proxy import Person

log = logging.getLogger(__name__)

AGAIN = 5.0
"""Seconds until an app that could not be started is tried again: a page that waits asks each second."""
RESTING = 60.0
"""Seconds without an open page after which an app may make room for somebody else's: a reload takes one."""
LOOKS = 30.0
"""Seconds between two looks for apps that nobody uses."""


class TooManyPeopleError(CodeRunnerError):
    """No more apps may run at once."""


class People:
    """The apps of all people; used in one loop only."""

    def __init__(
        self,
        starter: Starter,
        *,
        most: int,
        idle: float,
        resting: float = RESTING,
    ) -> None:
        """`most` run at once. One that nobody uses for `idle` seconds is ended.

        One that nobody uses for `resting` seconds is ended where somebody else needs its place.
        """
        self._starter = starter
        self._most = most
        self._idle = idle
        self._resting = resting
        self._apps: dict[Person, asyncio.Task[PersonProcess]] = {}
        self._ending: dict[Person, asyncio.Task[None]] = {}
        self._watching: set[asyncio.Task[None]] = set()
        self._room = asyncio.Lock()
        self._closed = False

    async def app_of(self, person: Person) -> PersonProcess:
        """The app of a person, which is started if it does not run.

        Raises TooManyPeopleError or NotStartedError. Cancelling the call does not cancel the start.
        """
        while (task := self._usable(person)) is None:
            if (ending := self._ending.get(person)) is not None:
                # Two processes must not have one folder at the same time.
                await asyncio.wait([ending])
                continue
            async with self._room:
                if person not in self._apps:
                    await self._make_room()
                    self._apps[person] = asyncio.create_task(self._begin(person))
        return await asyncio.shield(task)

    def _usable(self, person: Person) -> asyncio.Task[PersonProcess] | None:
        return None if person in self._ending else self._apps.get(person)

    def running(self, person: Person) -> bool:
        """Whether the app of a person answers."""
        task = self._usable(person)
        return task is not None and task.done() and not task.cancelled() and task.exception() is None

    async def watch(self) -> None:
        """Have a process ahead, and end what nobody uses, until cancelled."""
        self._starter.prepare()
        while True:
            await asyncio.sleep(min(LOOKS, self._idle / 4))
            try:
                for person in await self._unused(self._idle):
                    self._end(person)
            except Exception:
                log.exception("apps that nobody uses are not ended this time")

    async def close(self) -> None:
        """End all apps, in order; nobody gets one any more."""
        self._closed = True
        starting = [task for task in self._apps.values() if not task.done()]
        for task in starting:
            task.cancel()
        for person in [person for person in self._apps if self.running(person)]:
            self._end(person)
        waited = [*starting, *self._ending.values()]
        await asyncio.gather(*waited, return_exceptions=True)
        await self._starter.close()
        for each in self._watching:
            each.cancel()

    async def _begin(self, person: Person) -> PersonProcess:
        try:
            started = await self._starter.start(person)
        except CodeRunnerError as failure:
            log.error("the app %s does not start: %s", person.folder, failure)
            self._later(person, asyncio.sleep(AGAIN))
            raise
        self._later(person, self._ended(person, started))
        return started

    def _later(self, person: Person, until: Awaitable[object]) -> None:
        """Forget a person's app after that, so that the next request starts another one."""
        begun = asyncio.current_task()

        async def forget() -> None:
            await until
            if self._apps.get(person) is begun:
                del self._apps[person]

        watching = asyncio.create_task(forget())
        self._watching.add(watching)
        watching.add_done_callback(self._watching.discard)

    async def _ended(self, person: Person, started: PersonProcess) -> None:
        code = await started.process.wait()
        if person not in self._ending:
            log.error("the app %s ended by itself with the code %s", person.folder, code)

    async def _make_room(self) -> None:
        """Raise TooManyPeopleError unless another app may start; may end one that nobody uses."""
        if self._closed:
            raise NotStartedError("CodeRunner is being shut down")
        if len(self._apps) < self._most:
            return
        if unused := await self._unused(self._resting):
            await asyncio.wait([self._end(unused[0])])
        if len(self._apps) >= self._most:
            raise TooManyPeopleError(
                f"{self._most} people are using CodeRunner, and max_people allows no more at once. "
                "Try again in a few minutes."
            )

    async def _unused(self, seconds: float) -> list[Person]:
        """Those whose app nobody has used for that long, the longest first."""
        found = {person: self._apps[person].result() for person in self._apps if self.running(person)}
        before = time.monotonic() - seconds
        left = [person for person, app in found.items() if _left(app, before) and person not in self._ending]
        unused = [person for person in left if not await found[person].busy()]
        # Somebody may have come back while another app was asked.
        return sorted(
            (each for each in unused if _left(found[each], before)), key=lambda each: found[each].used
        )

    def _end(self, person: Person) -> asyncio.Task[None]:
        task = self._apps[person]

        async def end() -> None:
            with suppress(ProcessLookupError):
                await task.result().end()
            if self._apps.get(person) is task:
                del self._apps[person]
            del self._ending[person]

        self._ending[person] = ending = asyncio.create_task(end())
        return ending


def _left(app: PersonProcess, before: float) -> bool:
    return not app.open and app.used <= before
