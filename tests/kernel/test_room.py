"""Room for many kernels: who gets one, who waits, and whose makes room."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.room import machine_memory
from coderunner.kernel.room.capacity import Capacity, most
from coderunner.kernel.room.choice import LONG, Admit, LetGo, Seat, Stay, Waiting, decide, first_of, said
from coderunner.kernel.sessions.registry import Local, RunningCell, Sessions
from coderunner.outputs import Status, Stream
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, Screen, run
from tests.kernel.test_local_kernel import holds

NOW = 10_000.0
IN_USE = "the one kernel on this machine is in use"
OWNERS = st.sampled_from("abc")
SEATS = st.lists(
    st.builds(
        Seat,
        conversation=st.uuids().map(str),
        owner=OWNERS,
        used=st.floats(NOW - 3 * LONG, NOW),
        resting=st.booleans(),
    ),
    max_size=12,
)


def held(seats: list[Seat], owner: str) -> int:
    return sum(seat.owner == owner for seat in seats)


@behaviour("room:choice:oldest")
@given(SEATS, OWNERS, st.integers(1, 12), st.integers(0, 4), st.booleans())
def test_what_makes_room_rests_and_nothing_does_where_there_is_room(
    seats: list[Seat], owner: str, limit: int, each: int, short: bool
) -> None:
    decision = decide(seats, owner, most=limit, each=each, short=short, now=NOW)
    room = len(seats) < limit and not short and (not each or held(seats, owner) < each)
    assert (decision == Admit()) == (room or not seats)
    if isinstance(decision, LetGo):
        seat = decision.seat
        assert seat.resting
        alike = [one for one in seats if one.resting and one.owner == seat.owner]
        assert seat.used == min(one.used for one in alike)


@behaviour("room:choice:fair")
@given(SEATS, OWNERS, st.integers(1, 12), st.integers(0, 4))
def test_nobody_takes_the_place_of_one_who_has_fewer(
    seats: list[Seat], owner: str, limit: int, each: int
) -> None:
    match decide(seats, owner, most=limit, each=each, short=False, now=NOW):
        case LetGo(seat) if NOW - seat.used < LONG:
            assert seat.owner == owner or held(seats, seat.owner) > held(seats, owner)
            assert not each or held(seats, owner) < each or seat.owner == owner
        case Stay():
            mine = [seat for seat in seats if seat.resting and seat.owner == owner]
            assert mine == []


@behaviour("room:choice:fair")
def test_who_has_many_kernels_makes_room_for_who_has_none() -> None:
    many = [Seat(f"a{number}", "a", NOW - number, resting=True) for number in range(3)]
    one = Seat("b", "b", NOW - 9, resting=True)
    assert decide([*many, one], "c", most=4, each=0, short=False, now=NOW) == LetGo(many[2])
    assert decide([*many, one], "b", most=4, each=0, short=False, now=NOW) == LetGo(many[2])
    assert decide([*many, one], "a", most=4, each=0, short=False, now=NOW) == LetGo(many[2])


@behaviour("room:queue:fair")
def test_those_who_wait_come_by_their_share_then_by_their_turn_and_are_told_so() -> None:
    busy = [Seat("1", "a", NOW, resting=False), Seat("2", "a", NOW, resting=False)]
    early, late, other = Waiting("3", "a", NOW - 30), Waiting("4", "a", NOW - 20), Waiting("5", "b", NOW - 2)
    waiting = [early, late, other]
    assert first_of(waiting, busy) == [other, early, late]

    def told(one: Waiting, seats: list[Seat], *, most: int = 2, each: int = 0) -> str:
        return said(waiting, one, seats, most=most, each=each, now=NOW)

    waits = "Waiting for a kernel: "
    assert told(other, busy) == f"{waits}both kernels on this machine are in use."
    assert told(early, busy).endswith("in use. One other chat is ahead, waiting for 2 s.")
    assert told(late, busy).endswith("in use. 2 other chats are ahead; the longest has waited for 30 s.")
    assert told(other, busy[:1]) == f"{waits}memory is short, and the one kernel on this machine is in use."
    assert told(early, busy, most=9, each=2).startswith(
        f"{waits}both kernels that max_kernels_each allows are in use. "
    )
    rests = Seat("6", "b", NOW, resting=True)
    assert told(early, [busy[0], rests]).startswith(
        f"{waits}the one kernel of its share of 2 on this machine is in use."
    )


@behaviour("room:capacity:machine")
def test_a_machine_has_room_for_as_many_kernels_as_its_memory_and_our_open_files_are_enough_for() -> None:
    assert most(24_000_000_000, 20_000) == 240
    assert most(24_000_000_000, 1024) == 64
    assert most(100_000_000, 256) == 4


@behaviour("room:capacity:machine")
@pytest.mark.parametrize("version", [1, 2])
def test_in_a_container_its_own_limit_counts(tmp_path: Path, version: int) -> None:
    names = machine_memory.FILES[2 - version]
    root = tmp_path / ("memory" if version == 1 else "")
    inner = root / "one" / "two"
    inner.mkdir(parents=True)
    for name, text in zip(names, ("1000", "700", ""), strict=True):
        (root / "one" / name).write_text(text)
    (inner / names[0]).write_text("max")
    (root / "one" / "memory.stat").write_text(f"anon 3\n{names[2]} 200\n")
    ours = tmp_path / "cgroup"
    ours.write_text("3:cpu:/\n4:memory:/one/two\n" if version == 1 else "0::/one/two\n")
    assert list(machine_memory._containers(tmp_path, ours)) == [(1000, 500)]
    ours.write_text("4:memory:/elsewhere/three\n" if version == 1 else "0::/elsewhere/three\n")
    assert list(machine_memory._containers(tmp_path, ours)) == []


@behaviour("room:full:waits")
async def test_a_cell_waits_for_a_kernel_until_one_rests_and_its_conversation_shows_that(
    tmp_path: Path,
) -> None:
    sessions, screen = Sessions(tmp_path, capacity=Capacity(1)), Screen()
    try:
        busy, waits = (sessions.get(name, Local()) for name in ("busy", "waits"))
        source = "import time\nprint('on', flush=True)\nwhile not go: time.sleep(0.01)"
        running = busy.begin(f"go = False; x = 1\n{source}", on_output=screen)
        await screen.shows("on")
        told: list[bool] = []
        waiting = waits.begin("print(1)", on_wait=told.append)
        sentence = f"Waiting for a kernel: {IN_USE}."
        assert await asyncio.to_thread(holds, lambda: waits.status.sentence == sentence)
        assert waits.status.state == "starting"
        assert not running.future.done()
        running.interrupt()
        result = await asyncio.wrap_future(waiting.future)
        assert told == [True, False]
        assert (result.status, result.outputs) == (Status.OK, (Stream("stdout", "1\n"),))
        assert (waits.status.sentence, busy.status.state) == ("", "none")
        assert (await busy.execute("1")).detail == "this is a new kernel; earlier variables are gone"
    finally:
        await sessions.close_all()


Leave = Callable[[Sessions, RunningCell], Awaitable[object]]


async def stopped(_sessions: Sessions, cell: RunningCell) -> None:
    cell.interrupt()


async def interrupted(sessions: Sessions, _cell: RunningCell) -> None:
    assert await sessions.get("left", Local()).interrupt()


async def moved_to_another_place(sessions: Sessions, _cell: RunningCell) -> None:
    sessions.get("left", Local("another"))


@behaviour("room:full:leaves")
@pytest.mark.parametrize(
    "leave", [stopped, interrupted, moved_to_another_place, lambda sessions, _cell: sessions.close("left")]
)
async def test_a_cell_that_ends_before_there_is_room_takes_no_place(leave: Leave, tmp_path: Path) -> None:
    sessions, screen = Sessions(tmp_path, capacity=Capacity(1)), Screen()
    try:
        busy, left = sessions.get("busy", Local()), sessions.get("left", Local())
        running = busy.begin("v = 123\nprint('on', flush=True)\nwhile True: pass", on_output=screen)
        await screen.shows("on")
        cell = left.begin("1")
        assert await asyncio.to_thread(holds, lambda: bool(left.status.sentence))
        await leave(sessions, cell)
        result = await asyncio.wrap_future(cell.future)
        assert result.status in (Status.INTERRUPTED, Status.REFUSED)
        assert await asyncio.to_thread(holds, lambda: sessions._room._waiting == {})
        assert (left.status.state, left.status.sentence) == ("none", "")
        running.interrupt()
        assert (await busy.execute("print(v)")).outputs == (Stream("stdout", "123\n"),)
        assert (await sessions.get("next", Local()).execute("1")).status is Status.OK
    finally:
        await sessions.close_all()


@behaviour("room:full:leaves")
async def test_a_call_that_is_cancelled_takes_no_place_and_a_cell_behind_it_keeps_the_one_in_the_queue(
    tmp_path: Path,
) -> None:
    sessions, screen = Sessions(tmp_path, capacity=Capacity(1)), Screen()
    try:
        busy, queues = sessions.get("busy", Local()), sessions.get("queues", Local())
        running = busy.begin("print('on', flush=True)\nwhile True: pass", on_output=screen)
        await screen.shows("on")
        first = asyncio.create_task(queues.execute("1"))
        assert await asyncio.to_thread(holds, lambda: bool(queues.status.sentence))
        place = sessions._room._waiting["queues"]
        behind = queues.begin("print(2)")
        assert await asyncio.to_thread(holds, lambda: queues._turns.cells == 2)
        first.cancel()
        assert await asyncio.to_thread(holds, lambda: queues._turns.cells == 1)
        assert sessions._room._waiting["queues"] is place
        running.interrupt()
        result = await asyncio.wrap_future(behind.future)
        assert result.outputs == (Stream("stdout", "2\n"),)
        assert sessions._room._waiting == {}
    finally:
        await sessions.close_all()


@behaviour("room:full:leaves")
async def test_a_cell_that_has_waited_for_too_long_takes_no_place(tmp_path: Path) -> None:
    sessions, screen = Sessions(tmp_path, capacity=Capacity(1, wait=0.3)), Screen()
    try:
        busy, waits = sessions.get("busy", Local()), sessions.get("waits", Local())
        running = busy.begin("v = 123\nprint('on', flush=True)\nwhile True: pass", on_output=screen)
        await screen.shows("on")
        result = await waits.execute("1")
        assert (result.status, result.detail) == (
            Status.REFUSED,
            f"{IN_USE}, and none has become free within 0.3 s: stop one, or try again",
        )
        assert sessions._room._waiting == {}
        running.interrupt()
        assert (await busy.execute("print(v)")).outputs == (Stream("stdout", "123\n"),)
    finally:
        await sessions.close_all()


@behaviour("room:full:warm")
async def test_a_kernel_that_is_only_warmed_up_takes_the_place_of_no_other(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, capacity=Capacity(1))
    try:
        rests, warmed = sessions.get("rests", Local()), sessions.get("warmed", Local())
        assert (await rests.execute("v = 123")).status is Status.OK
        warmed.warm()
        await asyncio.to_thread(sessions.io_thread.call, asyncio.sleep(0), BOUND)
        assert await asyncio.to_thread(holds, lambda: warmed.status.state == "none")
        kept = await rests.execute("print(v)")
        assert (kept.outputs, kept.detail) == ((Stream("stdout", "123\n"),), "")
        warmed.warm()
        assert (await warmed.execute("print(1)")).outputs == (Stream("stdout", "1\n"),)
        assert rests.status.state == "none"
    finally:
        await sessions.close_all()


@behaviour("room:memory:short")
def test_where_memory_is_short_the_kernel_that_rests_makes_room(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, capacity=Capacity(9, reserve=10**18))
    try:
        one, two = (sessions.get(name, Local()) for name in ("one", "two"))
        for session in (one, two):
            assert run(session, "x = 1").status is Status.OK
        assert [session.status.state for session in (one, two)] == ["none", "idle"]
        assert run(one, "x").detail == "this is a new kernel; earlier variables are gone"
    finally:
        io_thread().call(sessions.close_all(), BOUND)
