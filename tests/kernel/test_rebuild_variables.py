"""The blocks of a conversation run once more in an empty kernel, on each kind of kernel."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest

from coderunner.kernel.sessions import rebuild_variables as room
from coderunner.kernel.sessions.rebuild_variables import Rebuilt
from coderunner.kernel.sessions.registry import Session
from coderunner.outputs import Refusal, Remedy, Result, Status
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND


async def rebuild(session: Session, sources: Sequence[str]) -> Rebuilt:
    """Run them again, as a person who wants that does."""
    calls = [partial(session.execute, source) for source in sources]
    return await room.rebuild(session, calls, deadline=BOUND)


@behaviour("kernel:rebuild:again")
async def test_the_blocks_of_a_conversation_run_again_in_an_empty_kernel(session: Session) -> None:
    blocks = ["x = 41", "x += 1", "import math\nnames = [math.pi]"]
    await session.execute("stale = x = 0")
    rebuilt = await rebuild(session, blocks)
    assert rebuilt.words == (
        "The kernel was restarted and reran all 3 blocks of this conversation. "
        "Its variables now: math (module), names (list), x (int)."
    )
    assert (await session.execute("assert x == 42 and 'stale' not in globals()")).status is Status.OK


@behaviour("kernel:rebuild:failure")
async def test_at_the_first_block_that_fails_it_ends_and_says_why(session: Session) -> None:
    rebuilt = await rebuild(session, ["x = 1", "1 / 0", "never = 1"])
    assert rebuilt.words == (
        "The kernel was restarted and reran 1 of 3 blocks of this conversation, then one failed "
        "(ZeroDivisionError: division by zero). Its variables now: x (int)."
    )


@behaviour("kernel:rebuild:refused")
@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (
            Refusal("read", "~/a.csv", Remedy.BUTTON, "/home/ada/a.csv", "~/a.csv"),
            "Blocks 1 and 3 may not read ~/a.csv. Run one of them again to allow that.",
        ),
        (
            Refusal("read", "~/.a"),
            (
                "Blocks 1 and 3 may not read ~/.a. "
                "Secrets or programs may lie there or beside it; see the setting sandbox_read."
            ),
        ),
    ],
)
async def test_what_the_sandbox_refused_to_the_block_that_failed_is_said(
    session: Session, refusal: Refusal, said: str
) -> None:
    async def refused(source: str) -> Result:
        return replace(await session.execute(source), refusals=(refusal,))

    calls = [partial(refused, "pass"), partial(session.execute, "pass"), partial(refused, "open('a.csv')")]
    rebuilt = await room.rebuild(session, calls, deadline=BOUND)
    assert rebuilt.refused == [(1, (refusal,)), (3, (refusal,))]
    assert rebuilt.words == (
        "The kernel was restarted and reran 2 of 3 blocks of this conversation, then one failed "
        f"(FileNotFoundError: [Errno 2] No such file or directory: 'a.csv'). {said} It has no variables now."
    )


READ = Refusal("read", "~/a.csv", Remedy.BUTTON, "/home/ada/a.csv", "~/a.csv")
KEY = Refusal("read", "~/.a")


@behaviour("kernel:rebuild:refused")
@pytest.mark.parametrize(
    ("refusals", "said"),
    [
        ([(), (READ,), ()], "Block 2 may not read ~/a.csv. Run it again to allow that."),
        (
            [(READ,), (), (READ,), (READ,)],
            "Blocks 1, 3 and 4 may not read ~/a.csv. Run one of them again to allow that.",
        ),
        (
            [(KEY,), (READ,)],
            (
                "Block 1 may not read ~/.a. Secrets or programs may lie there or beside it; see the "
                "setting sandbox_read. Block 2 may not read ~/a.csv. Run it again to allow that."
            ),
        ),
        (
            [(replace(READ, what=f"~/{number}.csv"),) for number in range(6)],
            (
                "Block 1 may not read ~/0.csv. Run it again to allow that. "
                "Block 2 may not read ~/1.csv. Run it again to allow that. "
                "Block 3 may not read ~/2.csv. Run it again to allow that. "
                "Block 4 may not read ~/3.csv. Run it again to allow that. "
                "2 more blocks were refused something."
            ),
        ),
    ],
)
def test_what_the_sandbox_refused_to_blocks_that_ran_well_is_said_too(
    refusals: Sequence[tuple[Refusal, ...]], said: str
) -> None:
    count = len(refusals)
    refused = [(number, each) for number, each in enumerate(refusals, 1) if each]
    assert Rebuilt(count, count, refused=refused).words == (
        f"The kernel was restarted and reran all {count} blocks of this conversation. {said} "
        "It has no variables now."
    )


@behaviour("kernel:rebuild:again")
async def test_many_variables_are_listed_in_part(session: Session) -> None:
    rebuilt = await rebuild(session, ["for n in range(300): globals()[f'name_{n}'] = n"])
    assert len(rebuilt.holds) < 520
    assert rebuilt.holds.endswith(" (int), …")
